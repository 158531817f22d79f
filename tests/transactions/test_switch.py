"""Switching between known states: what a full sync would do, at the cost of a few renames."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import ended, run
from tests.support.index import Index
from tests.transactions.branches import WORDS, Branches, uninstall
from venvman.environment.ledger import HISTORY
from venvman.install.transaction import Recovery, recover
from venvman.model.events import Stage
from venvman.system.directories import Directories
from venvman.system.locks import held


@pytest.fixture
def branches(tmp_path: Path, index: Index) -> Branches:
    """Both states were reached once; the environment is that of ``main``."""
    made = unsynced(tmp_path, index)
    for branch in ("main", "work", "main"):
        made.checkout(branch)
        made.full()
    return made


def unsynced(tmp_path: Path, index: Index) -> Branches:
    return Branches(tmp_path / "shop", index.folder)


def test_a_switch_leaves_what_a_full_sync_leaves(branches: Branches) -> None:
    main = branches.contents()
    branches.checkout("work")
    branches.full()
    work = branches.contents()
    for branch, expected in (("main", main), ("work", work), ("main", main)):
        assert branches.sync(branch), branch
        assert branches.contents() == expected
        assert branches.left_over() == []


def test_it_says_what_changed(branches: Branches) -> None:
    branches.checkout("work")
    said = branches.switch()
    assert said is not None
    *lines, last = said.splitlines()
    assert lines == [
        "~ nest   1.0 -> 2.0",
        "~ one    1.0 -> 2.0",
        "~ space  1.0 -> 2.0",
        "- five   1.0",
        "- two    1.0",
        "+ four   1.0",
        "+ three  1.0",
    ]
    assert last.endswith(": 2 installed, 3 changed and 2 removed.")


def test_it_says_the_same_as_a_full_sync(branches: Branches) -> None:
    branches.checkout("other")
    branches.full()
    branches.checkout("main")
    full = branches.full().stdout
    branches.sync("other")
    branches.checkout("main")
    quick = branches.switch()
    assert quick is not None
    assert _untimed(quick) == _untimed(full)
    assert branches.switch("--quiet") in ("", None)


def _untimed(said: str) -> list[str]:
    """Without how long it took, and the stages of it."""
    stages = tuple(f"{stage.value} " for stage in Stage)
    lines = [line.rstrip() for line in said.splitlines() if line and not line.startswith(stages)]
    return [line.partition(": ")[2] if line.startswith("Done") else line for line in lines]


def test_the_next_sync_is_remembered(branches: Branches) -> None:
    assert branches.sync("work")
    assert branches.is_remembered()
    assert branches.switch() == "Nothing to do: venv holds the 5 packages of default.\n"
    branches.checkout("main")
    assert not branches.is_remembered()


def test_a_full_sync_and_doctor_find_nothing_to_do_afterwards(branches: Branches) -> None:
    branches.sync("work")
    assert json.loads(branches.full("--format", "json").stdout)["data"]["changed"] == []
    found = run("doctor", "--ignore", "VM3", "--format", "json", cwd=branches.root).json
    assert [each for each in found["data"]["findings"] if each["severity"] != "note"] == []


def test_a_lock_that_is_only_written_differently_needs_no_move(branches: Branches) -> None:
    branches.locks["comment"] = branches.locks["main"] + "# a comment\n"
    assert not branches.sync("comment")
    before = branches.contents()
    assert branches.sync("main")
    assert branches.contents() == before
    assert branches.is_remembered()


def test_states_that_were_never_neighbours_are_switched_between(branches: Branches) -> None:
    branches.sync("work")
    branches.sync("other")
    expected = branches.contents()
    branches.sync("main")
    assert branches.sync("other")
    assert branches.contents() == expected


def test_pip_and_importlib_see_the_same_after_a_switch(branches: Branches) -> None:
    branches.sync("work")
    python = str(branches.venv / "bin/python")
    code = "import importlib.metadata as m; print(*sorted(d.name for d in m.distributions()))"
    seen = ended([python, "-c", code], check=True)
    argv = [python, "-m", "pip", "list", "--format=json"]
    listed = ended(argv, check=True)
    names = sorted(each["name"] for each in json.loads(listed.stdout))
    assert seen.stdout.split() == names == ["four", "nest", "one", "pip", "space", "three"]


def test_bytecode_leaves_with_its_module_and_comes_back_with_it(branches: Branches) -> None:
    python = str(branches.venv / "bin/python")

    def version(name: str) -> str:
        code = f"import {name}; print({name}.V)"
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        done = ended([python, "-c", code], env=env)
        return done.stdout.strip()

    assert (version("one"), version("two")) == ("1", "2")
    assert list(branches.site.glob("__pycache__/two.*"))
    assert branches.sync("work")
    assert not list(branches.site.glob("__pycache__/two.*"))
    assert (version("one"), version("two")) == ("9", "")
    assert branches.sync("main")
    assert list(branches.site.glob("__pycache__/two.*"))
    assert (version("one"), version("two")) == ("1", "2")


def test_a_file_that_nobody_owns_stays_where_it_is(branches: Branches) -> None:
    (branches.site / "one/a/run.db").write_text("made at run time")
    assert branches.sync("work")
    assert (branches.site / "one/a/run.db").read_text() == "made at run time"
    assert branches.sync("main")
    assert sorted(path.name for path in (branches.site / "one/a").iterdir()) == ["b.py", "run.db"]


def edit_in_attic(branches: Branches) -> None:
    entry = next((branches.venv / ".venvman/attic").glob("one-2.0-*"))
    path = next(path for path in entry.rglob("*.py") if path.name == "__init__.py")
    path.unlink()
    path.write_text("edited")


def install_by_hand(branches: Branches) -> None:
    info = branches.site / "byhand-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: byhand\nVersion: 1.0\n")
    (info / "RECORD").write_text("byhand-1.0.dist-info/METADATA,,\nbyhand-1.0.dist-info/RECORD,,\n")


def rewrite_record(branches: Branches) -> None:
    record = branches.site / "one-1.0.dist-info/RECORD"
    record.write_text(record.read_text() + "one/extra.py,,\n")


UNEXPECTED: dict[str, Callable[[Branches], object]] = {
    "the attic was edited": edit_in_attic,
    "the attic was emptied": lambda b: shutil.rmtree(b.venv / ".venvman/attic"),
    "a package was installed by hand": install_by_hand,
    "a package's list of files was rewritten": rewrite_record,
    "a package's metadata was removed": lambda b: shutil.rmtree(b.site / "one-1.0.dist-info"),
    "pyvenv.cfg was written": lambda b: (b.venv / "pyvenv.cfg").write_text(
        (b.venv / "pyvenv.cfg").read_text() + "\n"
    ),
    "the configuration was written": lambda b: (b.root / "pyproject.toml").write_text(
        "[tool.venvman]\n"
    ),
    "a requirements file came": lambda b: (b.root / "dev-requirements.txt").write_text(""),
    "the ledger was lost": lambda b: (b.venv / ".venvman/installed.json").unlink(),
    "a state is damaged": lambda b: [path.write_text("{") for path in (b.venv / HISTORY).iterdir()],
    "a sync was killed": lambda b: (b.venv / ".venvman/stage").mkdir(),
    "nobody says what it holds": lambda b: (b.venv / ".venvman/current.json").unlink(),
}


MENDED = {"the attic was edited", "the attic was emptied", "a package's metadata was removed"}
"""The store has what is missing (see ``test_switch_from_store``)."""


@pytest.mark.parametrize("what", UNEXPECTED)
def test_what_is_not_as_it_was_left_is_looked_at_in_full(branches: Branches, what: str) -> None:
    branches.sync("work")
    expected = branches.contents()
    branches.sync("main")
    UNEXPECTED[what](branches)
    before = branches.contents()
    branches.checkout("work")
    if what not in MENDED:
        assert branches.switch() is None
        assert branches.contents() == before
    if what == "a requirements file came":
        return  # it has no lock: a frozen sync refuses
    assert branches.sync_as_found() == (what in MENDED)
    left = {"pyvenv.cfg"}
    if what == "a package's metadata was removed":
        left.add(f"{branches.site.relative_to(branches.venv)}/one/a/b.py")  # it is nobody's by then
    found = branches.contents()
    assert {
        path for path in found.keys() | expected if found.get(path) != expected.get(path)
    } <= left


@pytest.mark.parametrize("word", ["--check", "--dry-run", "--inexact", "--recreate", "--verbose"])
def test_a_question_that_is_another_one_is_not_answered(branches: Branches, word: str) -> None:
    branches.checkout("work")
    assert branches.switch(word) is None


def test_verbose_tells_why_a_full_sync_does_it(
    branches: Branches, capsys: pytest.CaptureFixture[str]
) -> None:
    branches.checkout("work")
    assert branches.switch("--verbose") is None
    assert capsys.readouterr().err == ""  # that somebody asked for each step needs no reason
    (branches.root / "requirements.lock").write_text(f"{branches.locks['work']}# one more\n")
    assert branches.switch("--verbose") is None
    told = "Full sync: No sync has seen these requirements and locks before.\n"
    assert capsys.readouterr().err == told
    shutil.rmtree(branches.venv)
    assert branches.switch("--verbose") is None
    assert capsys.readouterr().err == "Full sync: No environment here is as a sync has left it.\n"
    assert branches.switch() is None
    assert capsys.readouterr().err == ""


def test_the_reason_is_what_was_in_the_way(
    branches: Branches, capsys: pytest.CaptureFixture[str]
) -> None:
    branches.sync("sharing")
    branches.checkout("main")
    assert branches.switch("--verbose") is None
    shared = "A distribution that has to go shares files, or its RECORD is incomplete."
    assert capsys.readouterr().err == f"Full sync: {shared}\n"
    branches.full()
    (branches.site / "stray-1.0.dist-info").mkdir()
    branches.checkout("work")
    assert branches.switch("--verbose") is None
    changed = "Something else has changed the environment."
    assert capsys.readouterr().err == f"Full sync: {changed}\n"


def test_other_variables_ask_another_question(
    branches: Branches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENVMAN_LINK", "copy")
    branches.checkout("work")
    assert branches.switch() is None


def test_files_of_several_owners_are_left_to_a_full_sync(branches: Branches) -> None:
    branches.sync("sharing")
    assert not branches.sync("main")
    assert not branches.sync("sharing")


def test_a_lock_that_names_nothing_is_never_switched_to(branches: Branches) -> None:
    branches.locks["empty"] = ""
    branches.checkout("empty")
    branches.full("--yes")
    branches.sync("main")
    branches.checkout("empty")
    assert branches.switch("--yes") is None


def test_while_somebody_else_changes_the_environment_it_steps_back(branches: Branches) -> None:
    branches.checkout("work")
    directories = Directories.of(os.environ)
    with held(directories.environment_lock(branches.venv)):
        assert branches.switch() is None
    assert branches.switch() is not None


def test_an_error_at_any_step_leaves_the_old_environment(branches: Branches) -> None:
    old = branches.contents()
    steps = _steps(branches)
    branches.checkout("work")
    for moment in range(len(steps)):
        assert branches.switch(observe=_at(moment, _refuse)) is None
        assert branches.contents() == old, steps[moment]
        assert branches.left_over() == []
    # The environment is no longer known by then: folders that came back have another time.
    branches.full()
    assert branches.sync("main")
    assert branches.contents() == old


def test_ctrl_c_changes_nothing_before_the_commit_and_finishes_after(branches: Branches) -> None:
    old = branches.contents()
    branches.sync("work")
    new = branches.contents()
    branches.sync("main")
    steps = _steps(branches)
    for moment, step in [*enumerate(steps)][::3]:
        branches.checkout("work")
        with pytest.raises(KeyboardInterrupt):
            branches.switch(observe=_at(moment, _press))
        after = moment >= steps.index("committed")
        assert branches.contents() == (new if after else old), step
        assert branches.left_over() == []
        branches.sync("main")


def test_a_process_that_dies_at_any_step_is_finished_or_discarded(branches: Branches) -> None:
    old = branches.contents()
    branches.sync("work")
    new = branches.contents()
    branches.sync("main")
    steps = _steps(branches)
    directories = Directories.of(os.environ)
    for moment, step in enumerate(steps):
        branches.checkout("work")
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


@pytest.mark.parametrize("seed", [1, 2])
def test_random_work_ends_as_it_does_without_switches(
    tmp_path: Path, index: Index, seed: int
) -> None:
    """The same things are done twice at one place, the second time in full throughout."""
    branches = unsynced(tmp_path, index)
    switched, seen = _wander(branches, random.Random(seed), with_switches=True)
    branches.forget()
    _, expected = _wander(branches, random.Random(seed), with_switches=False)
    assert seen == expected
    assert switched >= 3


def _wander(
    branches: Branches, choices: random.Random, *, with_switches: bool
) -> tuple[int, list[dict[str, str]]]:
    switched, seen = 0, []
    for _ in range(14):
        branch = choices.choice(["main", "work", "other", "main", "work", "sharing"])
        meddling = choices.choice([*MEDDLING.values(), *[_leave_alone] * 6])
        if with_switches:
            switched += branches.sync(branch)
        else:
            branches.checkout(branch)
            branches.full()
        seen.append(branches.contents())
        assert branches.left_over() == []
        meddling(branches)
    return switched, seen


def _leave_alone(_branches: Branches) -> None:
    pass


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


MEDDLING: dict[str, Callable[[Branches], None]] = {
    "a file nobody owns": lambda b: _write(b.site / "one/a/run.db", "x"),
    "a folder nobody owns": lambda b: _write(b.site / "deep/mine/x.txt", "x"),
    "bytecode": lambda b: _write(b.site / "one/__pycache__/__init__.cpython-311.pyc", ""),
    "bytecode at the top": lambda b: _write(b.site / "__pycache__/two.cpython-311.pyc", ""),
    "a file where another state has one": lambda b: _write(b.site / "three/__init__.py", "mine"),
    "a lost file": lambda b: (b.site / "one/__init__.py").unlink(missing_ok=True),
    "an edited file": lambda b: _write(b.site / "one/__init__.py", "edited"),
    "an empty folder": lambda b: (b.site / "one/empty").mkdir(parents=True, exist_ok=True),
    "lost metadata": lambda b: shutil.rmtree(b.site / "one-1.0.dist-info", ignore_errors=True),
    "a package gone by hand": lambda b: _uninstall(b, "one-1.0"),
    "a package by hand": lambda b: _install_once(b),  # noqa: PLW0108 - defined below
}


def _uninstall(branches: Branches, name: str) -> None:
    if (branches.site / f"{name}.dist-info").exists():
        uninstall(branches.site, name)


def _install_once(branches: Branches) -> None:
    if not (branches.site / "byhand-1.0.dist-info").exists():
        install_by_hand(branches)


def _steps(branches: Branches) -> list[str]:
    """The moments of a switch from main to work, by making it once and going back."""
    seen: list[str] = []
    branches.checkout("work")
    assert branches.switch(observe=seen.append) is not None
    assert branches.sync("main")
    return seen


def _at(moment: int, deed: Callable[[], None]) -> Callable[[str], None]:
    left = [moment]

    def observe(_step: str) -> None:
        if left[0] == 0:
            deed()
        left[0] -= 1

    return observe


def _refuse() -> None:
    raise PermissionError(13, "Permission denied", "somewhere")


def _press() -> None:
    raise KeyboardInterrupt


def _die() -> None:
    os._exit(42)


def test_starting_up_to_a_switch_imports_nothing_heavy(branches: Branches) -> None:
    branches.checkout("work")
    program = (
        "import sys; before = set(sys.modules); from venvman.__main__ import main; main(); "
        "print(*(set(sys.modules) - before), sep='\\n', file=sys.stderr)"
    )
    done = ended([sys.executable, "-c", program, *WORDS], cwd=branches.root, check=True)
    loaded = set(done.stderr.splitlines())
    assert "venvman.install.fastpath" in loaded
    heavy = {
        "typer",
        "rich",
        "packaging",
        "dataclasses",
        "pathlib",
        "shutil",
        "filelock",
        "hashlib",
    }
    assert not heavy & loaded
