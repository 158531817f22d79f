"""The law of remembered answers: with them and without, before and after every change, the same.

Each test makes a world, asks everything once so that the answers are kept, changes the world, and
asks again with and without them: the same bytes on both streams but for durations, and the same
exit code.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.cli import Ran, ended, inside, run
from tests.support.index import Index
from tests.support.projects import git, site_of, write_project
from tests.support.sites import Site
from tests.support.wheels import make_wheel

OFF = "VENVMAN_NO_MEMO"
HERE = "shell-hook bash --here"
USUAL = ("sync --check", "status", "doctor", "tree", "outdated", "hooks status", HERE)
QUESTIONS = (
    *USUAL,
    *("sync --check -v", "sync --check --format json", "sync --dry-run --all", "sync -q --check"),
    *("freeze --check", "freeze --check --format json", "freeze --dry-run -v"),
    *("status -v", "status --format json", "status --color always", "status --group dev"),
    *("status --porcelain", "status --porcelain --group dev"),
    *("doctor --format html", "doctor -v"),
    *("doctor --format json", "doctor --select VM3", "doctor --all", "doctor --color always"),
    *("scan", "scan --format json", "scan -v", "scan --project ."),
    *("tree --invert", "tree --depth 1", "tree --format dot", "tree beta", "why beta", "why alpha"),
    *("outdated --check", "outdated --format json", "hooks status --format json"),
    *("history", "history -v", "history --format json"),
    *("diff", "diff --env", "diff main", "diff --check", "diff --format json"),
)


def ask(root: Path, words: str) -> Ran:
    """As the program does it: what is known is told, all else is found out."""
    from venvman.cli.app import main
    from venvman.cli.remembered import tell

    out, err = StringIO(), StringIO()
    with inside(root), redirect_stdout(out), redirect_stderr(err):
        code = tell(words.split(), os.environ)
        code = main(words.split()) if code is None else code
    return Ran(code, timeless(out.getvalue()), timeless(err.getvalue()))


def timeless(text: str) -> str:
    text = re.sub(r"\d+(?:\.\d+)? m?s\b", "T", text)
    text = re.sub(r'"seconds": [\d.]+', '"seconds": T', text)
    # Of the pages that are asked for together, any may be the first that nobody answers for.
    text = re.sub(r"(:9/simple/)\w+(/ could not be reached\.) *", r"\1NAME\2", text)
    return re.sub(r"^(?:scan|freeze|plan|verify) T(?:, \w+ T)*\n", "", text, flags=re.MULTILINE)


def is_remembered(root: Path, words: str) -> bool:
    from venvman.cli.remembered import tell

    out = StringIO()
    with inside(root), redirect_stdout(out), redirect_stderr(out):
        return tell(words.split(), os.environ) is not None


@pytest.fixture
def world(tmp_path: Path, index: Index) -> Path:
    """A synced and committed project with two groups, in a repository with two branches."""
    make_wheel(index.folder, "alpha", requires=["beta"], files={"alpha.py": "A = 1\n"})
    make_wheel(index.folder, "alpha", "2.0", requires=["beta"])
    make_wheel(index.folder, "beta", scripts={"beta": "beta:main"})
    make_wheel(index.folder, "gamma", files={"gamma/deep/inner/__init__.py": ""})
    root = tmp_path / "world"
    (root / "src" / "inner").mkdir(parents=True)
    (root / "requirements.in").write_text("alpha<2\n")
    (root / "requirements-dev.in").write_text("gamma\n")
    (root / "pyproject.toml").write_text("[tool.venvman]\n")
    (root / ".gitignore").write_text("venv/\n")
    assert run("sync", cwd=root).code == 0
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    git(root, "branch", "other")
    time.sleep(0.05)
    return root


def replace(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def same_size(path: Path) -> None:
    """Another content of the same length, with the old time of modification."""
    before = path.stat()
    replace(path, "alpha<2", "alpha<3")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def at_another_branch(root: Path) -> None:
    git(root, "checkout", "-q", "other")
    replace(root / "requirements.in", "alpha<2", "alpha")
    git(root, "commit", "-qam", "two")


def uninstalled(root: Path, name: str) -> None:
    for path in site_of(root).glob(f"{name}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


CHANGES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _: None,
    "a requirement is added": lambda w: (w / "requirements.in").write_text("alpha<2\ngamma\n"),
    "a comment is added": lambda w: replace(w / "requirements.in", "alpha<2", "alpha<2  # old"),
    "a file is edited within its size and time": lambda w: same_size(w / "requirements.in"),
    "a file is only touched": lambda w: (w / "requirements.in").touch(),
    "a requirement is broken": lambda w: (w / "requirements.in").write_text("alpha ==\n"),
    "a pin is taken out of the lock": lambda w: replace(w / "requirements.txt", "beta==", "# "),
    "a pin is moved": lambda w: replace(w / "requirements.txt", "alpha==1.0", "alpha==2.0"),
    "the lock goes": lambda w: (w / "requirements.txt").unlink(),
    "the lock of dev goes": lambda w: (w / "requirements-dev.txt").unlink(),
    "a group comes": lambda w: (w / "requirements-docs.in").write_text("gamma\n"),
    "a file of notes comes": lambda w: (w / "notes.txt").write_text("buy milk\n"),
    "a folder of requirements comes": lambda w: write_project(
        w, {"requirements/extra.in": "gamma\n"}
    ),
    "a project inside comes": lambda w: (w / "src/inner/requirements.txt").write_text("beta\n"),
    "settings are written": lambda w: (w / "pyproject.toml").write_text(
        '[tool.venvman]\nkeep = ["gamma"]\n'
    ),
    "a Python is asked for": lambda w: (w / ".python-version").write_text("3.9\n"),
    "constraints come": lambda w: (w / "constraints.txt").write_text("beta<1\n"),
    "constraints are used": lambda w: [
        (w / "constraints.txt").write_text("beta<1\n"),
        (w / "requirements.in").write_text("-c constraints.txt\nalpha<2\n"),
    ],
    "a package is removed by hand": lambda w: uninstalled(w, "beta"),
    "metadata is lost": lambda w: next(site_of(w).glob("beta-*/METADATA")).unlink(),
    "a lock is left without its source": lambda w: (w / "requirements-old.txt").write_text(
        (w / "requirements.txt").read_text().replace("requirements.in", "requirements-old.in")
    ),
    "a creation is unfinished": lambda w: (w / "venv/.venvman/filling").touch(),
    "metadata is edited": lambda w: replace(
        next(site_of(w).glob("alpha-*/METADATA")), "Requires-Dist: beta", "Requires-Dist: gama"
    ),
    "a RECORD is lost": lambda w: next(site_of(w).glob("beta-*/RECORD")).unlink(),
    "a module is lost": lambda w: (site_of(w) / "alpha.py").unlink(),
    "a module is cut off": lambda w: os.truncate(site_of(w) / "alpha.py", 0),
    "a module is closed": lambda w: (site_of(w) / "alpha.py").chmod(0),
    "a script is lost": lambda w: (w / "venv/bin/beta").unlink(),
    "a stranger's package comes": lambda w: make_metadata(site_of(w) / "delta-1.0.dist-info"),
    "a leftover comes": lambda w: (site_of(w) / "~eta-1.0.dist-info").mkdir(),
    "a .pth file comes": lambda w: (site_of(w) / "x.pth").write_text("/nowhere\n"),
    "a module of nobody comes": lambda w: (site_of(w) / "utils.py").write_text(""),
    "a module comes into a package": lambda w: (
        site_of(w) / "gamma/deep/inner/evil.py"
    ).write_text(""),
    "a folder is opened to all": lambda w: (site_of(w) / "gamma/deep").chmod(0o777),
    "a script before the system's comes": lambda w: (w / "venv/bin/ls").symlink_to("python"),
    "the environment is opened to all": lambda w: (w / "venv").chmod(0o777),
    "pip goes": lambda w: uninstalled(w, "pip"),
    "an activate script goes": lambda w: (w / "venv/bin/activate.fish").unlink(),
    "a module of the project shadows another": lambda w: (w / "logging.py").write_text(""),
    "a folder of the project shadows another": lambda w: (w / "src/__init__.py").write_text(""),
    "a source is staged": lambda w: [
        (w / "requirements.in").write_text("alpha<2\n# more\n"),
        git(w, "add", "requirements.in"),
    ],
    "a wheel is of another system": lambda w: replace(
        next(site_of(w).glob("beta-*/WHEEL")), "py3-none-any", "cp35-none-win32"
    ),
    "another name of the interpreter comes": lambda w: (w / "venv/bin/python3.7").symlink_to("sh"),
    "the folder of packages is closed": lambda w: site_of(w).chmod(0o555),
    "pyvenv.cfg is edited": lambda w: replace(
        w / "venv/pyvenv.cfg", "include-system-site-packages = false",
        "include-system-site-packages = true",
    ),
    "the interpreter goes": lambda w: (w / "venv/bin/python").unlink(),
    "the environment goes": lambda w: shutil.rmtree(w / "venv"),
    "a sync was killed": lambda w: (w / "venv/.venvman/stage").mkdir(),
    "the ledger is lost": lambda w: (w / "venv/.venvman/installed.json").unlink(),
    "the history is lost": lambda w: shutil.rmtree(w / "venv/.venvman/history"),
    "another group is chosen": lambda w: run("sync", "--no-dev", "--no-group", "dev", cwd=w),
    "a choice is taken back": lambda w: [
        run("sync", "--no-dev", cwd=w), run("sync", "--default-groups", cwd=w),
    ],
    "another state is reached": lambda w: run("add", "gamma", cwd=w),
    "the cache is emptied": lambda w: run("cache", "clean", cwd=w),
    "a branch is switched": at_another_branch,
    "the lock is tracked no more": lambda w: git(w, "rm", "-q", "--cached", "requirements.txt"),
    "the lock is ignored": lambda w: [
        git(w, "rm", "-q", "--cached", "requirements.txt"),
        (w / ".gitignore").write_text("venv/\nrequirements.txt\n"),
    ],
    "a commit is made": lambda w: [
        (w / "requirements.in").write_text("alpha<2\ngamma\n"),
        git(w, "commit", "-qam", "two"),
    ],
    "hooks are installed": lambda w: run("hooks", "install", cwd=w),
    "the venvman of the hooks goes": lambda w: [
        run("hooks", "install", cwd=w),
        (w / ".git/venvman/program").write_text("/gone/venvman\n"),
    ],
    "hooks are elsewhere": lambda w: git(w, "config", "core.hooksPath", ".hooks"),
    "somebody's hook comes": lambda w: (w / ".git/hooks/pre-commit").write_text("#!/bin/sh\n"),
    "a hook is closed": lambda w: closed(w / ".git/hooks/post-merge"),
    "lefthook's own file comes": lambda w: [
        (w / ".git/hooks/post-merge").write_text("lefthook run post-merge\n"),
        (w / "lefthook-local.yml").write_text("\npost-merge:\n"),
    ],
    "pre-commit's file names ours": lambda w: [
        (w / ".git/hooks/pre-commit").write_text("# File generated by pre-commit\n"),
        (w / ".pre-commit-config.yaml").write_text("- id: venvman-lock\n"),
    ],
}  # fmt: skip


def closed(hook: Path) -> None:
    run("hooks", "install", cwd=hook.parents[2])
    hook.chmod(0o644)


def make_metadata(folder: Path) -> None:
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: delta\nVersion: 1.0\n")


VARIABLES = {
    "CI": "1", "VENVMAN_KEEP": "gamma", "VENVMAN_GROUPS": "dev", "PIP_CONSTRAINT": "limits.txt",
    "VIRTUAL_ENV": "/elsewhere", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "TZ": "Asia/Tokyo",
}  # fmt: skip


def agree(root: Path, questions: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    for words in questions:
        known = ask(root, words)
        with monkeypatch.context() as off:
            off.setenv(OFF, "1")
            assert known == ask(root, words), words


def warmed(root: Path, questions: tuple[str, ...]) -> None:
    for words in questions:
        ask(root, words)


def test_every_question_is_remembered(world: Path) -> None:
    questions = [each for each in QUESTIONS if "diff" not in each or "--env" in each]
    warmed(world, QUESTIONS)
    assert [each for each in questions if not is_remembered(world, each)] == []


@pytest.mark.sample(2, "slow")
@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_the_answer_is_that_of_looking_again(
    world: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmed(world, USUAL)
    CHANGES[change](world)
    agree(world, USUAL, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_every_question_after_every_change(
    world: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmed(world, QUESTIONS)
    CHANGES[change](world)
    agree(world, QUESTIONS, monkeypatch)
    time.sleep(0.05)
    agree(world, QUESTIONS, monkeypatch)


@pytest.mark.parametrize(
    "change",
    [
        lambda w: shutil.rmtree(w / "venv" / ".venvman"),
        lambda w: (w / "venv" / "bin" / "python").unlink(),
        lambda w: (w / "venv").rename(w / ".venv"),
        lambda w: (w / "pyproject.toml").write_text("[tool.venvman]\nvenv = 'other'\n"),
        lambda w: (w / "below" / "requirements.in").write_text("alpha\n"),
        lambda w: (w / "requirements.in").rename(w / "kept"),
    ],
)
def test_after_a_change_a_folder_has_the_environment_that_looking_again_finds(
    world: Path, change: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    (world / "below").mkdir()
    for folder in (world, world / "below", world.parent):
        warmed(folder, (HERE,))
        assert is_remembered(folder, HERE)
    change(world)
    for folder in (world, world / "below", world.parent):
        agree(folder, (HERE,), monkeypatch)


@pytest.mark.sample(8, "slow")
@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_programs_run_where_looking_again_would_run_them(
    world: Path, change: str
) -> None:
    words = ("run", "python", "-c", "import os, sys; print(sys.prefix, os.environ['VIRTUAL_ENV'])")
    assert start(world, *words).code == 0
    CHANGES[change](world)
    assert start(world, *words) == start(world, *words, **{OFF: "1"})


def start(root: Path, *words: str, **variables: str) -> Ran:
    done = ended(
        [sys.executable, "-m", "venvman", *words], cwd=root, env={**os.environ, **variables}
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("name", VARIABLES)
def test_with_another_variable_the_answer_is_that_of_looking_again(
    world: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (world / "limits.txt").write_text("beta<1\n")
    monkeypatch.setenv("PIP_RETRIES", "0")
    warmed(world, USUAL)
    monkeypatch.setenv(name, VARIABLES[name])
    agree(world, USUAL, monkeypatch)


@pytest.mark.parametrize("columns", ["30", "80", "200"])
def test_on_every_screen_it_is_drawn_as_if_it_were_found_anew(
    world: Path, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = ("status", "tree", "scan", "doctor --color always", "history")
    warmed(world, questions)
    monkeypatch.setenv("COLUMNS", columns)
    agree(world, questions, monkeypatch)


def test_what_is_outdated_is_known_for_as_long_as_its_pages_are_fresh(
    world: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmed(world, ("outdated",))
    make_wheel(index.folder, "gamma", "2.0")
    agree(world, ("outdated",), monkeypatch)
    assert is_remembered(world, "outdated")
    now = time.time_ns
    with monkeypatch.context() as later:
        later.setattr(
            "venvman.system.memo.time", SimpleNamespace(time_ns=lambda: now() + 3600 * 10**9)
        )
        assert not is_remembered(world, "outdated")
    for page in Path(os.environ["VENVMAN_CACHE_DIR"], "index-v1").rglob("*"):
        os.utime(page, (0, 0))
    assert "gamma" in ask(world, "outdated").stdout
    agree(world, ("outdated",), monkeypatch)


def test_hooks_know_what_sync_chooses() -> None:
    from venvman.cli.read import choosing, read
    from venvman.workflow.hooking import FROZEN, PLAIN

    for words, known in ((["sync", "--frozen"], FROZEN), (["sync"], PLAIN)):
        line = read(words)
        assert line is not None
        assert choosing(line) == known


def test_the_function_that_a_script_of_an_editable_calls_is_watched(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(world, {"libs/hello/hello.py": "def main(): ...\n"})
    url = {"url": (world / "libs/hello").as_uri(), "dir_info": {"editable": True}}
    files = {"hello-1.0.dist-info/entry_points.txt": "[console_scripts]\nhello = hello:main\n"}
    Site(site_of(world)).dist_info("hello", files=files, direct_url=url)
    warmed(world, ("doctor",))
    assert "VM509" not in ask(world, "doctor").stdout
    replace(world / "libs/hello/hello.py", "main", "other")
    agree(world, ("doctor",), monkeypatch)
    assert "VM509" in ask(world, "doctor").stdout
