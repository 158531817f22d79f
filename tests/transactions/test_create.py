"""A new environment, and one made again, with a fault at every single step of making it.

A step is anything the program does to the disk, as the interpreter itself tells of it (PEP 578),
in a child that forks from this process: there it dies, or the call fails, or Ctrl-C is pressed.
What the ``venv`` module does in a process of its own is cut off after each of its files.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import pytest

from tests.support.cli import Ran, run
from tests.support.projects import lock_of, write_project
from tests.support.wheels import make_wheel
from tests.transactions.world import contents, left_over, reseal
from venvman.system.directories import Directories

WORDS = ("sync", "--frozen")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_EVENTS = frozenset(
    {"open", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink"}
    | {"os.truncate", "os.utime", "os.chmod", "subprocess.Popen"}
)
_DIED = 42


class Making:
    """A project whose environment is made; the wheels are in the store, so nothing is fetched."""

    def __init__(self, folder: Path, *, recreate: bool) -> None:
        wheels = folder / "wheels"
        found = (
            make_wheel(wheels, "one", files={"one/__init__.py": "1"}, scripts={"one": "one:main"}),
            # So that the interpreter's own pip, with its 900 files, stays out.
            make_wheel(wheels, "pip", "99.0", files={"pip/__init__.py": ""}),
        )
        older = make_wheel(wheels, "two", files={"two.py": ""})
        self.folder, self.words = folder, (*WORDS, *(["--recreate"] if recreate else []))
        # A shell would quote it, so that venv itself makes it; else its work of before is used.
        name = "shop" if recreate else "a shop"
        self.root = write_project(folder / name, {"requirements.txt": "one\n"})
        self.venv = self.root / "venv"
        self.old: dict[str, str] = {}
        if recreate:
            self.lock(older, found[1])
            for _ in range(2):
                assert run(*WORDS, "--recreate", cwd=self.root).code == 0
            shutil.copytree(self.root, folder / "before", symlinks=True)
            self.old = contents(self.venv)
        self.lock(*found)
        assert run(*self.words, cwd=self.root).code == 0
        self.new = contents(self.venv)

    def lock(self, *wheels: Path) -> None:
        (self.root / "requirements.lock").write_text(lock_of(*wheels))

    def reset(self) -> None:
        """Back to where there is no environment, or the one before."""
        shutil.rmtree(self.venv, ignore_errors=True)
        shutil.rmtree(self.folder / "state/environments", ignore_errors=True)
        if self.old:
            shutil.copytree(self.folder / "before/venv", self.venv, symlinks=True)
            reseal(self.venv)
            assert contents(self.venv) == self.old

    def steps(self) -> list[str]:
        """All that happens to the disk, by name and place, from running once."""
        self.reset()
        log = self.folder / "steps.txt"

        def child() -> int:
            seen: list[str] = []
            _watch(self.folder, seen.append)
            code = run(*self.words, cwd=self.root).code
            log.write_text("\n".join(seen))
            return code

        assert _forked(child) == 0
        return log.read_text().splitlines()

    def failing(self, moment: int, fault: Callable[[], None]) -> Ran:
        """Runs with ``fault`` at the step ``moment``; a code of 42 says that it died."""
        self.reset()
        said = self.folder / "said.txt"

        def child() -> int:
            left = [moment]

            def observe(_step: str) -> None:
                left[0] -= 1
                if left[0] == -1:
                    fault()

            _watch(self.folder, observe)
            ran = run(*self.words, cwd=self.root)
            left[0] = -2
            said.write_text(ran.stderr)
            return ran.code

        said.write_text("")
        return Ran(_forked(child), "", said.read_text())

    def look(self, what: str) -> None:
        """The environment is as it was or as it should be."""
        found = contents(self.venv) if self.venv.exists() else {}
        assert found in (self.old, self.new), what

    def look_for_more(self, what: str) -> None:
        """Nothing is left over, in it or beside it."""
        if self.venv.exists():
            assert left_over(self.venv) == [], what
        beside = {path.name for path in self.root.iterdir()} - {"venv"}
        assert beside == {".git", "requirements.lock", "requirements.txt"}, what


def _watch(folder: Path, observe: Callable[[str], None]) -> None:
    """Tells of every change to the disk below ``folder`` before it is made, for good."""
    place = f"{folder}{os.sep}"

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event not in _EVENTS:
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITING):
            return
        if event == "subprocess.Popen":
            observe(f"{event} {Path(str(arguments[0])).name}")
            return
        named = arguments[0]
        if isinstance(named, (str, bytes, os.PathLike)):
            path = os.path.abspath(os.fsdecode(named))  # noqa: PTH100 - no hook within the hook
            if path.startswith(place):
                observe(f"{event} {path[len(place) :]}")

    sys.addaudithook(hook)


def _forked(work: Callable[[], int]) -> int:
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No server: a thread and a fork do not go together."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("VENVMAN_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture(params=["created", "made again"])
def making(offline: Path, request: pytest.FixtureRequest) -> Making:
    return Making(offline, recreate=request.param == "made again")


def one_of_each(steps: list[str]) -> Iterable[int]:
    """The moments at which something happens for the first time: another call, or elsewhere."""
    seen = set()
    for moment, step in enumerate(steps):
        event, _, path = step.partition(" ")
        kind = (event, path.rpartition("/")[0] or path)
        if kind not in seen:
            seen.add(kind)
            yield moment


def some(steps: list[str]) -> Iterable[int]:
    """A third of those."""
    return islice(one_of_each(steps), 0, None, 3)


def every(steps: list[str]) -> Iterable[int]:
    return range(len(steps))


def _die() -> None:
    os._exit(_DIED)


def _refuse() -> None:
    raise PermissionError(errno.EACCES, "Permission denied", "somewhere")


def _press() -> None:
    raise KeyboardInterrupt


def _die_at(making: Making, chosen: Callable[[list[str]], Iterable[int]]) -> int:
    steps = making.steps()
    for number, moment in enumerate(chosen(steps)):
        ran = making.failing(moment, _die)
        what = f"{moment}: {steps[moment] if moment < len(steps) else ''}"
        assert ran.code == _DIED, what
        if number % 2:
            _look_at(making, what)
        assert run(*WORDS, cwd=making.root).code == 0, what
        making.look_for_more(what)
        assert contents(making.venv) == making.new, what
    return len(steps)


def _fail_at(
    making: Making, fault: Callable[[], None], chosen: Callable[[list[str]], Iterable[int]]
) -> None:
    steps = making.steps()
    for moment in chosen(steps):
        ran = making.failing(moment, fault)
        what = f"{moment}: {steps[moment]} {ran.stderr}"
        making.look(what)
        assert ran.code in (0, 2, 130), what
        assert "defect" not in ran.stderr, what
        if ran.code == 0:
            assert contents(making.venv) == making.new, what
        _look_at(making, what)
        # What could not be removed at that moment is, by the next command that changes anything.
        assert run(*WORDS, cwd=making.root).code == 0, what
        making.look_for_more(what)
        assert contents(making.venv) == making.new, what


def _look_at(making: Making, what: str) -> None:
    """Whoever only looks settles nothing of what was left."""
    before = contents(making.root, but=())
    run("status", cwd=making.root)
    assert contents(making.root, but=()) == before, what


@pytest.mark.parametrize("chosen", [some, pytest.param(one_of_each, marks=pytest.mark.slow)])
def test_whoever_dies_while_making_an_environment_leaves_none_or_a_whole_one(
    making: Making, chosen: Callable[[list[str]], Iterable[int]]
) -> None:
    """``make slow`` takes a moment of each kind, ``make torture`` every single one."""
    _die_at(making, chosen)


@pytest.mark.parametrize(
    ("making", "fault", "chosen"),
    [
        ("created", _press, some),
        pytest.param("created", _press, one_of_each, marks=pytest.mark.slow),
        pytest.param("made again", _refuse, one_of_each, marks=pytest.mark.slow),
    ],
    ids=["created-ctrl-c-some", "created-ctrl-c-each", "made again-refused-each"],
    indirect=["making"],
)
def test_a_fault_while_making_an_environment_leaves_none_or_a_whole_one(
    making: Making, fault: Callable[[], None], chosen: Callable[[list[str]], Iterable[int]]
) -> None:
    _fail_at(making, fault, chosen)


@pytest.mark.torture
def test_dying_at_every_single_step_of_making_an_environment(
    making: Making, capsys: pytest.CaptureFixture[str]
) -> None:
    count = _die_at(making, every)
    with capsys.disabled():
        sys.stdout.write(f"\ndied at each of {count} steps\n")


@pytest.mark.torture
@pytest.mark.parametrize("fault", [_refuse, _press], ids=["refused", "ctrl-c"])
def test_faults_at_every_single_step_of_making_an_environment(
    making: Making, fault: Callable[[], None]
) -> None:
    _fail_at(making, fault, every)


def test_whatever_the_venv_module_has_done_when_both_die_the_next_sync_makes_it(
    offline: Path,
) -> None:
    making = Making(offline, recreate=False)
    steps = making.steps()
    start = next(moment for moment, step in enumerate(steps) if "Popen" in step)
    whole = offline / "whole"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", whole], check=True)
    made = sorted(whole.rglob("*"), key=lambda path: path.lstat().st_mtime_ns)
    files = [path for path in made if path.is_symlink() or path.is_file()]
    for count in range(len(files) + 1):
        assert making.failing(start, _die).code == _DIED
        for file in files[:count]:
            target = making.venv / file.relative_to(whole)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target, follow_symlinks=False)
        run("status", cwd=making.root)
        assert run(*WORDS, cwd=making.root).code == 0, count
        making.look_for_more(str(count))
        assert contents(making.venv) == making.new


def test_the_state_folder_keeps_nothing_of_those_who_died(offline: Path) -> None:
    making = Making(offline, recreate=False)
    steps = making.steps()
    folder = Directories.of(os.environ).state / "environments"
    before = sorted(path.name for path in folder.iterdir())
    assert len(before) == 1
    for moment, step in enumerate(steps):
        if "environments/" in step:
            assert making.failing(moment, _die).code == _DIED
            assert run(*WORDS, cwd=making.root).code == 0
            assert run(*WORDS, "--recreate", cwd=making.root).code == 0
            assert sorted(path.name for path in folder.iterdir()) == before
