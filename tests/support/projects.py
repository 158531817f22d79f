"""Projects from a mapping of file names to text, locks of wheels, and what must not change."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING

from tests.support.wheels import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["git", "lock_of", "python_in", "site_of", "snapshot", "versions_in", "write_project"]


def write_project(root: Path, files: Mapping[str, str]) -> Path:
    """Writes ``files`` below ``root``, a project that no project above it can be taken for."""
    (root / ".git").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def lock_of(*wheels: Path, via: str = "-r requirements.txt", hashes: bool = True) -> str:
    """The lock that pins ``wheels``, each asked for by ``via``."""
    entries = []
    for wheel in wheels:
        name, version = wheel.name.removesuffix(".tar.gz").split("-")[:2]
        pinned = f" \\\n    --hash={sha256_of(wheel)}" if hashes else ""
        entries.append(f"{name.replace('_', '-')}=={version}{pinned}\n    # via {via}\n")
    return "".join(sorted(entries))


def snapshot(folder: Path, *, without: Iterable[str] = ()) -> dict[str, str]:
    """Every file, link and folder below ``folder`` by relative path, with what it holds.

    What lies below a folder named in ``without`` does not count.
    """
    left_out = set(without)
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if left_out.isdisjoint(name.parts):
            found[name.as_posix()] = _content(path)
    return found


def site_of(root: Path, venv: str = "venv") -> Path:
    """The site-packages of the environment of the project at ``root``."""
    return next((root / venv).glob("lib/python3*/site-packages"))


def python_in(root: Path, code: str, venv: str = "venv") -> str:
    """What ``code`` prints in the environment of the project at ``root``."""
    done = subprocess.run(
        [root / venv / "bin" / "python", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def versions_in(root: Path, venv: str = "venv") -> dict[str, str]:
    """What the environment's own ``importlib.metadata`` sees, but for pip."""
    code = (
        "import importlib.metadata as m\n"
        "for d in m.distributions(): print(d.metadata['Name'], d.version)"
    )
    pairs = dict(line.split() for line in python_in(root, code, venv).splitlines())
    return {name: version for name, version in sorted(pairs.items()) if name != "pip"}


def git(root: Path, *words: str, env: Mapping[str, str] | None = None) -> str:
    """Runs git in ``root``, which must succeed; what it said on both streams."""
    done = subprocess.run(
        ["git", *words],
        cwd=root,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    if path.is_dir():
        return "folder"
    return hashlib.sha256(path.read_bytes()).hexdigest()
