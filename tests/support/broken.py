"""A synced project to be broken in one way, and a shell that runs what is printed about it."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.cli import PROGRAM, Ran, ended, run
from tests.support.index import Index
from tests.support.projects import HEADER, git, lock_of, site_of
from tests.support.wheels import make_wheel

Break = Callable[[Path], object]

PLACES = ("root", "below", "elsewhere", "workspace")
"""Where somebody stands: see :func:`stand`."""


def remove(pattern: str) -> Break:
    def remove_matching(root: Path) -> None:
        for path in site_of(root).glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return remove_matching


def edit(name: str, old: str, new: str) -> Break:
    """Replaces text in the one file that matches ``name``; an empty ``old`` appends."""

    def replace(root: Path) -> None:
        (path,) = root.glob(name)
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new) if old else text + new)

    return replace


def write(name: str, text: str) -> Break:
    def write_text(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    return write_text


def all_of(*steps: Break) -> Break:
    def do_all(root: Path) -> None:
        for step in steps:
            step(root)

    return do_all


def shell_path_in(folder: Path) -> str:
    """A PATH on which ``venvman`` is this one."""
    program = folder / "venvman"
    program.write_text(f"#!{sys.executable}\n{PROGRAM.replace('; ', chr(10))}\n")
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def make_shop(folder: Path, index: Index) -> Path:
    """A synced project in git: alpha, which needs beta; another one beside it.

    The names of the folders around it are such as need quotes. ``PIP_INDEX_URL`` must be set.
    """
    wheels = [
        make_wheel(index.folder, "alpha", requires=["beta>=1"]),
        make_wheel(index.folder, "beta"),
        make_wheel(index.folder, "gamma", scripts={"gamma": "gamma:main"}),
    ]
    lock = HEADER + lock_of(wheels[0]) + lock_of(wheels[1], via="alpha")
    top = folder / "it's my top"
    for name in ("shop", "other"):
        write(f"{name}/requirements.txt", "alpha\n")(top)
        write(f"{name}/requirements.lock", lock)(top)
        write(f"{name}/inner/note.md", "")(top)
    (folder / "wheels").symlink_to(index.folder)
    git(top, "init", "-q")
    assert run("sync", "-q", cwd=top / "shop").code == 0
    return top / "shop"


def wheels_of(root: Path) -> Path:
    """The folder that the index serves, from the project that :func:`make_shop` made."""
    return root.parent.parent / "wheels"


def stand(place: str, root: Path) -> tuple[Path, tuple[str, ...]]:
    """The working directory, and what doctor is told there to look at the project in ``root``."""
    match place:
        case "root":
            return root, ()
        case "below":
            return root / "inner", ()
        case "elsewhere":
            return root.parent / "other", ("--project", "../shop")
        case _:
            return root.parent, ("--all",)


def run_as_person(*words: str, cwd: Path, path: str) -> Ran:
    """A program as somebody whom the modes of files hold back, which root is not."""
    done = ended(
        words,
        cwd=cwd,
        env={**os.environ, "PATH": path},
        preexec_fn=_drop_rights if os.geteuid() == 0 else None,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def shell(line: str, cwd: Path, path: str) -> Ran:
    """``line`` run by a POSIX shell, literally."""
    return run_as_person("sh", "-c", line, cwd=cwd, path=path)


_DROP_FROM_BOUNDING_SET, _DAC_OVERRIDE, _DAC_READ_SEARCH = 24, 1, 2


def _drop_rights() -> None:
    for capability in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)


def break_the_interpreter(root: Path) -> None:
    python = Path(os.path.realpath(root / "venv/bin/python"))
    for link in (root / "venv/bin").glob("python*"):
        link.unlink()
    (root / "venv/bin/python").write_bytes(python.read_bytes()[:100])
    (root / "venv/bin/python").chmod(0o755)


def add_a_distribution(root: Path) -> None:
    info = site_of(root) / "gamma-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gamma\nVersion: 1.0\n")
    (info / "RECORD").write_text("gamma-1.0.dist-info/METADATA,,\ngamma-1.0.dist-info/RECORD,,\n")


def drop(name: str) -> Break:
    return lambda root: (root / name).unlink()
