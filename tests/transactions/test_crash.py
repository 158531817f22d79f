"""Faults at every single step, kills at random ones: the old environment or the new, never between.

The change under test replaces, adds, removes, brings back from the attic, takes shared folders
apart, and leaves a run-time file where it is: every kind of step a journal can have.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transactions.world import World, contents, left_over, open_world
from venvman.install.attic import Attic
from venvman.install.transaction import Recovery, recover
from venvman.model.errors import InstallError
from venvman.store.store import StoredWheel

REPOSITORY = Path(__file__).parents[2]


class Change:
    """An environment in its old state, and what its new state is."""

    def __init__(self, world: World) -> None:
        self.world = world
        shared = {"ns/__init__.py": "shared"}
        self.one = world.wheel("one", files={**shared, "ns/one.py": "1", "one/a/b.py": "old"})
        self.two = world.wheel("two", files={**shared, "ns/two.py": "2"}, scripts={"two": "two:x"})
        self.three = world.wheel("three", files={"three/__init__.py": "3", "deep/three/x.py": ""})
        self.five = world.wheel("five", files={"deep/five.py": "5"})
        self.new_one = world.wheel("one", "2.0", files={**shared, "one/a/c.py": "new"})
        self.four = world.wheel("four", files={"four-1.0.data/data/share/doc/four.txt": "4"})
        self.old_set = (self.one, self.two)
        self.new_set = (self.new_one, self.three, self.four)
        self._make_old()
        (world.site / "one/a/run.db").write_text("made at run time")
        self.old = contents(world.root)
        world.sync(*self.new_set)
        self.new = contents(world.root)
        self.reset()

    def reset(self) -> None:
        """Back to the old state: three in the attic, its folder's parent gone, no more there."""
        self._make_old()
        assert contents(self.world.root) == self.old

    def _make_old(self) -> None:
        self.world.sync(self.three, self.five)
        self.world.sync(self.five)
        self.world.sync(*self.old_set)
        for key in list(Attic(str(self.world.root)).keys()):
            if not key.startswith("three-"):
                shutil.rmtree(self.world.root / ".venvman/attic" / key)

    def run(self, observe: Callable[[str], None]) -> None:
        self.world.sync(*self.new_set, observe=observe)

    def steps(self) -> list[str]:
        """The moments that an observer is told of, by running once."""
        seen: list[str] = []
        self.run(seen.append)
        self.reset()
        return seen


@pytest.fixture
def change(world: World) -> Change:
    return Change(world)


def failing_at(moment: int, error: BaseException) -> Callable[[str], None]:
    left = [moment]

    def observe(_step: str) -> None:
        if left[0] == 0:
            left[0] -= 1
            raise error
        left[0] -= 1

    return observe


def test_the_change_has_every_kind_of_step(change: Change) -> None:
    steps = change.steps()
    kinds = {step.split()[2] for step in steps if step.startswith("step")}
    assert kinds == {"take", "put", "rmdir", "mkdir"}
    assert steps[:3] == ["staging", "staged", "committed"]


def test_an_error_at_any_step_leaves_the_old_environment(change: Change) -> None:
    for moment in range(len(change.steps())):
        fault = PermissionError(errno.EACCES, "Permission denied", "somewhere")
        with pytest.raises(InstallError, match="as it was") as caught:
            change.run(failing_at(moment, fault))
        assert caught.value.code == "permission-denied"
        assert contents(change.world.root) == change.old, moment
        assert left_over(change.world.root) == []


def test_ctrl_c_changes_nothing_before_the_commit_and_finishes_after(change: Change) -> None:
    steps = change.steps()
    for moment in range(len(steps)):
        with pytest.raises(KeyboardInterrupt):
            change.run(failing_at(moment, KeyboardInterrupt()))
        expected = change.new if moment >= steps.index("committed") else change.old
        assert contents(change.world.root) == expected, steps[moment]
        assert left_over(change.world.root) == []
        change.reset()


def test_a_real_ctrl_c_after_the_commit_is_held_back(change: Change) -> None:
    def press(step: str) -> None:
        if step.startswith("step 2:"):
            os.kill(os.getpid(), signal.SIGINT)

    change.run(press)
    assert contents(change.world.root) == change.new
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_process_that_dies_at_any_step_is_finished_or_discarded(change: Change) -> None:
    """The death is a fork's, which runs no handler and no ``finally``."""
    world, steps = change.world, change.steps()
    for moment in range(len(steps)):
        child = os.fork()
        if child == 0:
            change.run(_dying_at(moment))
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
        result = recover(world.root, directories=world.directories)
        if moment < steps.index("committed"):
            assert result in (Recovery.DISCARDED, Recovery.NOTHING)
            assert contents(world.root) == change.old
        else:
            assert result is Recovery.FINISHED
            assert contents(world.root) == change.new, steps[moment]
        assert left_over(world.root) == []
        assert recover(world.root, directories=world.directories) is Recovery.NOTHING
        change.reset()


def test_a_recovery_that_dies_too_is_finished_by_the_next(change: Change) -> None:
    world = change.world
    middle = len(change.steps()) // 2
    child = os.fork()
    if child == 0:
        change.run(_dying_at(middle))
    os.waitpid(child, 0)
    journal = (world.root / ".venvman/journal.json").read_bytes()
    recover(world.root, directories=world.directories)
    assert contents(world.root) == change.new
    # As if the recovery had died after its last step, before it dropped the journal.
    (world.root / ".venvman/stage").mkdir()
    (world.root / ".venvman/journal.json").write_bytes(journal)
    assert recover(world.root, directories=world.directories) is Recovery.FINISHED
    assert contents(world.root) == change.new
    assert left_over(world.root) == []


def test_the_next_sync_recovers_by_itself(change: Change) -> None:
    world = change.world
    child = os.fork()
    if child == 0:
        change.run(_dying_at(7))
    os.waitpid(child, 0)
    world.sync(*change.new_set)
    assert contents(world.root) == change.new
    assert left_over(world.root) == []


def test_what_cannot_be_finished_is_undone_at_recovery(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, steps = change.world, change.steps()
    puts = [number for number, step in enumerate(steps) if " put " in step]
    for moment in puts:
        child = os.fork()
        if child == 0:
            change.run(_dying_at(moment))
        os.waitpid(child, 0)
        with monkeypatch.context() as patch:
            patch.setattr("venvman.install.journal.os.rename", _refusing_once())
            result = recover(world.root, directories=world.directories)
        assert result is Recovery.REVERTED
        assert contents(world.root) == change.old, steps[moment]
        assert left_over(world.root) == []


def test_where_even_the_way_back_is_barred_the_journal_stays(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, calls = os.rename, [0]

    def barred(source: str, target: str) -> None:
        calls[0] += 1
        if calls[0] > 5:
            raise OSError(errno.EROFS, "Read-only file system", source)
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("venvman.install.journal.os.rename", barred)
        with pytest.raises(InstallError) as caught:
            change.world.sync(*change.new_set)
    assert caught.value.code == "transaction-stuck"
    assert left_over(change.world.root) == ["journal.json", "stage"]
    assert recover(change.world.root, directories=change.world.directories) is Recovery.FINISHED
    assert contents(change.world.root) == change.new


@pytest.mark.parametrize("where", ["venvman.install.link.os.mkdir", "venvman.install.link.os.link"])
def test_a_disk_that_fills_while_staging_changes_nothing(
    change: Change, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    real: Callable[..., None] = os.mkdir if where.endswith("mkdir") else os.link
    calls = [0]

    def filling(*arguments: object, **more: object) -> None:
        calls[0] += 1
        if calls[0] > 3:
            raise OSError(errno.ENOSPC, "No space left on device", "somewhere")
        real(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(where, filling)
        with pytest.raises(InstallError, match="No space left") as caught:
            change.world.sync(*change.new_set)
    assert caught.value.code == "disk-full"
    assert "Free some space there" in str(caught.value.fix)
    assert contents(change.world.root) == change.old
    assert left_over(change.world.root) == []


def test_a_journal_that_cannot_be_written_changes_nothing(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("venvman.system.files.os.fsync", full)
        with pytest.raises(InstallError, match="No space left"):
            change.world.sync(*change.new_set)
    assert contents(change.world.root) == change.old
    assert left_over(change.world.root) == []


def test_a_file_that_vanishes_meanwhile_is_told(change: Change) -> None:
    def meddling(step: str) -> None:
        if "installed.json" in step and "put" in step:
            shutil.rmtree(change.world.site / "three")

    with pytest.raises(InstallError) as caught:
        change.run(meddling)
    assert caught.value.code == "install-disturbed"
    assert left_over(change.world.root) == []


def test_bytecode_written_into_a_place_that_was_just_emptied_is_no_hindrance(
    change: Change,
) -> None:
    """A program that runs meanwhile may write the bytecode of what it had read before."""
    cache = change.world.site / "three/__pycache__"

    def running(step: str) -> None:
        if " put " in step and step.endswith("site-packages/three"):
            cache.mkdir(parents=True)
            (cache / "late.pyc").write_text("")

    change.run(running)
    assert (cache / "late.pyc").exists()
    shutil.rmtree(cache)
    assert contents(change.world.root) == change.new


def test_killed_at_random_moments_the_environment_is_always_whole(change: Change) -> None:
    """Ten of them; ``make torture`` takes hundreds."""
    _torture(change, kills=10)


@pytest.mark.torture
def test_killed_hundreds_of_times_the_environment_is_always_whole(
    change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    count = _torture(change, kills=400)
    with capsys.disabled():
        sys.stdout.write(f"\n{count} rounds, 400 killed\n")


def _torture(change: Change, *, kills: int) -> int:
    """How many rounds it took until in ``kills`` of them the child was killed before its end."""
    world, count, killed = change.world, 0, 0
    rounds = random.Random(4)
    argv = [sys.executable, "-m", "tests.transactions.test_crash", str(world.folder)]
    duration = 0.05
    while killed < kills:
        with subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.read(1) == b"."
            started = time.monotonic()
            try:
                process.wait(rounds.uniform(0, duration * 1.1))
                duration = duration * 0.7 + (time.monotonic() - started) * 0.3
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
        recover(world.root, directories=world.directories)
        found = contents(world.root)
        assert found in (change.old, change.new)
        assert left_over(world.root) == []
        if found == change.new:
            change.reset()
        count += 1
    return count


def _dying_at(moment: int) -> Callable[[str], None]:
    left = [moment]

    def observe(_step: str) -> None:
        if left[0] == 0:
            os._exit(42)
        left[0] -= 1

    return observe


def _refusing_once() -> Callable[[str, str], None]:
    rename, refused = os.rename, [False]

    def renaming(source: str, target: str) -> None:
        if not refused[0]:
            refused[0] = True
            raise OSError(errno.EACCES, "Permission denied", source)
        rename(source, target)

    return renaming


def _one_sync(folder: Path) -> None:
    """What a child of :func:`_torture` does: the change, from the wheels that are there."""
    world = open_world(folder)
    wanted: list[StoredWheel] = [
        world.add(folder / "wheels" / f"{stem}-py3-none-any.whl")
        for stem in ("one-2.0", "three-1.0", "four-1.0")
    ]
    sys.stdout.write(".")
    sys.stdout.flush()
    world.sync(*wanted)


if __name__ == "__main__":
    _one_sync(Path(sys.argv[1]))
