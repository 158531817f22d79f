"""The Python interface: its page's example runs, and it tells what the command line tells."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

import venvman
from tests.support.cli import ended
from tests.support.index import Index
from tests.support.projects import HEADER, lock_of, versions_in, write_project
from tests.support.wheels import large, make_wheel
from venvman.drift import Missing
from venvman.model import errors
from venvman.model.errors import EnvironmentUnusable, LockError, ProjectNotFound
from venvman.model.events import Stage

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """The project services/api of a repository, with a fresh lock."""
    lock = HEADER + lock_of(make_wheel(index.folder, "alpha"))
    write_project(
        tmp_path,
        {"services/api/requirements.txt": "alpha\n", "services/api/requirements.lock": lock},
    )
    return tmp_path / "services" / "api"


def test_the_example_of_the_page_runs(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    venvman.sync(venvman.find_project(root))
    monkeypatch.chdir(root.parents[1])
    exec(compile(example, str(PAGE), "exec"), {})
    assert "requirements.txt source default" in capsys.readouterr().out


def test_every_function_of_the_page_is_there() -> None:
    named = re.findall(r"^\| `(\w+)\(", PAGE.read_text(), re.MULTILINE)
    assert len(named) >= 7
    assert all(callable(getattr(venvman, name)) for name in named)


SYNCING = """
import os, venvman
from venvman.obtain import unpackers
with open("runs", "a") as runs:
    print("once", file=runs)
asked = []
ask = unpackers.pickle.load
unpackers.pickle.load = lambda answers: asked.append(answers) or ask(answers)
venvman.sync(venvman.find_project("shop"))
print(len(asked), "by workers")
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("no child left")
"""
NOTEBOOK = """
import sys
cells, shell = sys.stdin.read().split("\\n", 2), {"__name__": "__main__"}
for cell in cells:
    exec(compile(cell, "<cell>", "exec"), shell)
"""
WAYS = {
    "a script without a main guard": ["program.py"],
    "a module": ["-m", "program"],
    "standard input": ["-"],
    "-c": ["-c", SYNCING],
    "a notebook": ["kernel.py"],
}


@pytest.mark.skipif(os.name == "nt", reason="waits for children as POSIX does")
@pytest.mark.sample(3, "slow")
@pytest.mark.parametrize("way", WAYS)
def test_a_cold_sync_runs_the_program_that_asks_for_it_once(
    way: str, tmp_path: Path, index: Index
) -> None:
    names = [f"dist{letter}" for letter in "abcdefghijklmnop"]
    lock = HEADER + lock_of(*(make_wheel(index.folder, name, files=large(name)) for name in names))
    files = {"requirements.txt": "\n".join(names), "requirements.lock": lock}
    write_project(tmp_path / "shop", files)
    (tmp_path / "program.py").write_text(SYNCING)
    (tmp_path / "kernel.py").write_text(NOTEBOOK)

    done = ended(
        [sys.executable, *WAYS[way]],
        cwd=tmp_path,
        env={**os.environ, "VENVMAN_CACHE_DIR": str(tmp_path / "cache")},
        input=SYNCING,
        timeout=120,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["17 by workers", "no child left"]  # pip, too
    assert (tmp_path / "runs").read_text() == "once\n"
    assert versions_in(tmp_path / "shop").keys() >= {*names}


def test_importing_it_loads_nothing_else(tmp_path: Path) -> None:
    code = "import sys, venvman; print(sorted(n for n in sys.modules if n.startswith('venvman')))"
    done = ended([sys.executable, "-c", code], check=True)
    assert done.stdout == "['venvman']\n"


def test_a_project_is_found_from_below(root: Path) -> None:
    (root / "src").mkdir()
    assert venvman.find_project(root / "src").root == root
    with pytest.raises(ProjectNotFound):
        venvman.find_project(root.parent)


def test_sync_installs_and_diff_is_empty_then(root: Path) -> None:
    project = venvman.find_project(root)
    done = venvman.sync(project)
    assert done.created
    assert done.outcome is not None
    assert [each.name for each in done.outcome.installed][:1] == ["alpha"]
    assert not venvman.diff(project).differences
    assert versions_in(root) == {"alpha": "1.0"}


def test_diff_names_what_is_missing(root: Path, index: Index) -> None:
    project = venvman.find_project(root)
    venvman.sync(project)
    with (root / "requirements.lock").open("a") as lock:
        lock.write(lock_of(make_wheel(index.folder, "beta"), via="alpha"))
    (difference,) = venvman.diff(project).differences
    assert isinstance(difference, Missing)
    assert difference.name == "beta"


def test_diff_says_what_there_is_not_to_compare(root: Path) -> None:
    project = venvman.find_project(root)
    with pytest.raises(EnvironmentUnusable):
        venvman.diff(project)
    venvman.sync(project)
    (root / "requirements.lock").unlink()
    with pytest.raises(LockError) as error:
        venvman.diff(project)
    assert error.value.code == "lock-missing"


def test_a_lock_that_cannot_be_read_is_told_with_its_line(root: Path) -> None:
    project = venvman.find_project(root)
    venvman.sync(project)
    (root / "requirements.lock").write_text("alpha >= 1\n")
    with pytest.raises(LockError) as error:
        venvman.diff(project)
    assert error.value.problems[0].line == 1


def test_settings_are_given_by_name(root: Path) -> None:
    project = venvman.find_project(root)
    done = venvman.sync(project, venv="elsewhere")
    assert done.environment == root / "elsewhere"


def test_a_reporter_sees_the_stages(root: Path) -> None:
    class Listener(venvman.Reporter):
        def __init__(self) -> None:
            self.seen: list[Stage] = []

        def stage_finished(self, stage: Stage) -> None:
            self.seen.append(stage)

    listener = Listener()
    venvman.sync(venvman.find_project(root), reporter=listener)
    assert {Stage.SCAN, Stage.PLAN, Stage.FETCH, Stage.CREATE, Stage.INSTALL} <= set(listener.seen)


def test_a_check_freezes_nothing_and_says_why_it_would(root: Path) -> None:
    (root / "requirements.txt").write_text("alpha>=2\n")
    frozen = venvman.freeze(venvman.find_project(root), venvman.FreezeRequest(check=True))
    assert frozen.changed
    assert not frozen.written
    assert [reason.line for lock in frozen.locks for reason in lock.stale] == [1]


def test_status_and_diagnose_tell_what_is_wrong(root: Path) -> None:
    project = venvman.find_project(root)
    assert venvman.status(project).drift is None
    assert "VM101" in {finding.code for finding in venvman.diagnose(project).findings}


@pytest.mark.parametrize("verb", ["freeze", "sync", "status", "diff", "diagnose"])
def test_a_setting_that_there_is_not_is_refused(verb: str, tmp_path: Path) -> None:
    project = venvman.find_project(write_project(tmp_path / "shop", {"requirements.txt": ""}))
    with pytest.raises(venvman.ConfigurationError) as caught:
        getattr(venvman, verb)(project, offlin=True, nonsense=3)
    told = [(each.message, each.why) for each in caught.value.problems]
    assert told == [
        ("There is no setting offlin.", "Did you mean 'offline'?"),
        ("There is no setting nonsense.", None),
    ]


def test_every_error_can_be_imported() -> None:
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    raised = {name for name in kinds if issubclass(getattr(errors, name), errors.VenvmanError)}
    # It speaks of the program's standard output.
    assert raised - {"OutputFault"} <= set(venvman.__all__)
    assert all(getattr(venvman, name) is not None for name in venvman.__all__)
