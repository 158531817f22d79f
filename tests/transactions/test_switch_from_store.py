"""Switches that take from the store: what was removed by hand, and what the attic has no more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.transactions.branches import Branches, uninstall
from tests.transactions.test_switch import _at, _die, _press, _refuse, _untimed
from venvman.install.transaction import Recovery, recover
from venvman.system.directories import Directories


@pytest.fixture
def branches(tmp_path: Path, index: Index) -> Branches:
    """Both states were reached once; the environment is that of ``main``, its attic empty."""
    made = Branches(tmp_path / "shop", index.folder)
    for branch in ("work", "main"):
        made.checkout(branch)
        made.full()
    shutil.rmtree(made.venv / ".venvman/attic")
    return made


def test_what_was_uninstalled_by_hand_is_linked_again(branches: Branches) -> None:
    before = branches.contents()
    for name in ("one-1.0", "two-1.0"):
        uninstall(branches.site, name)
    assert branches.contents() != before
    said = branches.switch()
    assert said is not None
    assert said.splitlines()[:2] == ["+ one  1.0", "+ two  1.0"]
    assert said.endswith(": 2 installed and 3 unchanged.\n")
    assert branches.contents() == before
    assert branches.left_over() == []
    assert branches.is_remembered()
    assert "Nothing to do" in branches.full().stdout


def test_it_says_the_same_as_a_full_sync_and_leaves_the_same(branches: Branches) -> None:
    uninstall(branches.site, "two-1.0")
    full = branches.full().stdout
    after = branches.contents()
    uninstall(branches.site, "two-1.0")
    quick = branches.switch()
    assert quick is not None
    assert _untimed(quick) == _untimed(full)
    assert branches.contents() == after
    last, before = run("history", "--format", "json", cwd=branches.root).json["data"]["states"][:2]
    assert (last["by"], last["packages"]) == (before["by"], before["packages"])


def test_what_the_attic_has_no_more_is_linked(branches: Branches) -> None:
    main = branches.contents()
    assert branches.sync("work")
    work = branches.contents()
    shutil.rmtree(branches.venv / ".venvman/attic")
    assert branches.sync("main")
    assert branches.contents() == main
    assert branches.sync("work")
    assert branches.contents() == work


def test_files_that_lie_where_a_package_was_give_way(branches: Branches) -> None:
    before = branches.contents()
    shutil.rmtree(branches.site / "one-1.0.dist-info")
    (branches.site / "one/__init__.py").unlink()  # a link into the store
    (branches.site / "one/__init__.py").write_text("edited")
    assert branches.switch() is not None
    assert branches.contents() == before


def test_a_damaged_wheel_is_left_to_a_full_sync(branches: Branches) -> None:
    before = branches.contents()
    uninstall(branches.site, "two-1.0")
    cache = Directories.of(os.environ).cache
    (stored,) = cache.glob("wheels-v1/*/*/files/two.py")
    stored.write_text("damaged")
    gone = branches.contents()
    assert branches.switch() is None
    assert branches.contents() == gone
    assert branches.left_over() == []
    branches.full()
    assert branches.contents() == before


@pytest.mark.parametrize(
    "more",
    [
        lambda site: (site / "stray.pth").write_text(""),
        lambda site: (site / "stray-1.0.dist-info").mkdir(),
        lambda site: (site / "two-1.0.dist-info/RECORD").unlink(),
        lambda site: shutil.rmtree(next(site.glob("pip-*.dist-info"))),
        lambda site: (site.parents[2] / "pyvenv.cfg").write_text(""),
    ],
    ids=["a pth file", "other metadata", "half removed", "pip", "the configuration"],
)
def test_where_the_environment_differs_more_a_full_sync_looks(
    branches: Branches, more: Callable[[Path], object]
) -> None:
    uninstall(branches.site, "one-1.0")
    more(branches.site)
    gone = branches.contents()
    assert branches.switch() is None
    assert branches.contents() == gone


def test_bytecode_is_compiled_by_a_full_sync(branches: Branches) -> None:
    branches.full("--compile")
    uninstall(branches.site, "one-1.0")
    assert branches.switch("--compile") is None


def moments(branches: Branches) -> list[str]:
    seen: list[str] = []
    uninstall(branches.site, "two-1.0")
    assert branches.switch(observe=seen.append) is not None
    return seen


def test_an_error_or_ctrl_c_at_any_step_leaves_one_environment_or_the_other(
    branches: Branches,
) -> None:
    new = branches.contents()
    steps = moments(branches)
    uninstall(branches.site, "two-1.0")
    old = branches.contents()
    for moment, step in enumerate(steps):
        assert branches.switch(observe=_at(moment, _refuse)) is None
        assert branches.contents() == old, step
        assert branches.left_over() == []
    for moment, step in enumerate(steps):
        with pytest.raises(KeyboardInterrupt):
            branches.switch(observe=_at(moment, _press))
        after = moment >= steps.index("committed")
        assert branches.contents() == (new if after else old), step
        assert branches.left_over() == []
        if after:
            branches.sync("main")
            uninstall(branches.site, "two-1.0")


def test_a_process_that_dies_at_any_step_is_finished_or_discarded(branches: Branches) -> None:
    new = branches.contents()
    steps = moments(branches)
    directories = Directories.of(os.environ)
    for moment, step in enumerate(steps):
        uninstall(branches.site, "two-1.0")
        old = branches.contents()
        child = os.fork()
        if child == 0:
            branches.switch(observe=_at(moment, _die))
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
        result = recover(branches.venv, directories=directories)
        after = moment >= steps.index("committed")
        assert result is (Recovery.FINISHED if after else Recovery.DISCARDED)
        assert branches.contents() == (new if after else old), step
        assert branches.left_over() == []
        branches.sync("main")


def test_a_wheel_that_was_unpacked_anew_is_known_again(branches: Branches) -> None:
    cache = Directories.of(os.environ).cache
    (stored,) = cache.glob("wheels-v1/*/*/files/two.py")
    shutil.rmtree(stored.parents[1])
    away = branches.venv.rename(branches.root.parent / "away")
    branches.full()
    branches.forget()
    away.rename(branches.venv)
    for _ in range(2):
        uninstall(branches.site, "two-1.0")
        assert branches.switch() is not None
        assert (branches.site / "two.py").stat().st_mtime_ns == stored.stat().st_mtime_ns
    assert "Nothing to do" in branches.full().stdout
