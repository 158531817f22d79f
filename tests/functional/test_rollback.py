"""``history`` and ``rollback`` end to end, with real environments, git and an index."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import ended, run, run_on_terminal
from tests.support.index import Index
from tests.support.projects import (
    git,
    lock_of,
    python_in,
    site_of,
    snapshot,
    versions_in,
    write_project,
)
from tests.support.wheels import in_tree_backend, make_wheel
from venvman.environment.history import LOG, History

FIRST = {"alpha": "1.0", "beta": "1.0"}
SECOND = {"alpha": "2.0", "gamma": "1.0"}


def lines_of(root: Path, sequence: int) -> list[str]:
    """The lines of the history's log that tell of the state ``sequence``."""
    lines = (root / "venv" / LOG).read_text().splitlines()
    return [line for line in lines if json.loads(line[33:])[1][0] == sequence]  # the seal


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A project that was synced twice: alpha was upgraded, beta gave way to gamma."""
    root = write_project(tmp_path / "shop", {"requirements.txt": "alpha\nbeta\n"})
    relock(root, index, FIRST)
    sync(root)
    relock(root, index, SECOND)
    sync(root)
    return root


def relock(root: Path, index: Index, pins: dict[str, str]) -> None:
    """Writes the requirements and the lock for ``pins``."""
    wheels = [make_wheel(index.folder, name, version) for name, version in pins.items()]
    (root / "requirements.txt").write_text("".join(f"{name}\n" for name in pins))
    (root / "requirements.lock").write_text(lock_of(*wheels))


def sync(root: Path, *arguments: str) -> dict[str, Any]:
    ran = run("sync", *arguments, "--format", "json", cwd=root)
    assert ran.code == 0, ran.stdout
    data: dict[str, Any] = ran.json["data"]
    return data


def rollback(root: Path, *arguments: str) -> Any:
    ran = run("rollback", *arguments, "--format", "json", cwd=root)
    assert ran.code == 0, ran.stdout
    return ran.json


def states(root: Path) -> list[dict[str, Any]]:
    ran = run("history", "--format", "json", cwd=root)
    assert ran.code == 0, ran.stdout
    listed: list[dict[str, Any]] = ran.json["data"]["states"]
    return listed


def codes(ran: Any) -> list[str]:
    return [problem["code"] for problem in ran["problems"]]


def pip(root: Path, *arguments: str) -> None:
    words = (str(root / "venv" / "bin" / "python"), "-m", "pip", *arguments)
    subprocess.run(words, check=True, capture_output=True)


class TestHistory:
    def test_states_are_numbered_back_from_now_with_what_changed(self, root: Path) -> None:
        now, before = states(root)
        assert (now["number"], before["number"]) == (0, 1)
        assert [row["name"] for row in now["added"]] == ["gamma"]
        assert [row["name"] for row in now["removed"]] == ["beta"]
        assert now["changed"] == [{"name": "alpha", "from": "1.0", "to": "2.0"}]
        assert (now["packages"], before["packages"]) == (2, 2)
        assert (now["on_disk"], before["on_disk"]) == (True, False)
        assert (now["by"], now["groups"]) == ("sync", ["default"])
        assert now["lock"] != before["lock"]
        assert now["when"] >= before["when"]

    def test_it_says_where_each_state_would_come_from(self, root: Path, isolated: Path) -> None:
        before = states(root)[1]["ways"]
        shutil.rmtree(root / "venv" / ".venvman" / "attic")
        stored = states(root)[1]["ways"]
        shutil.rmtree(isolated / "cache")
        lost = states(root)[1]["ways"]
        none = {"present": 0, "attic": 0, "store": 0, "fetch": 0, "by-hand": 0}
        assert before == none | {"attic": 2}
        assert stored == none | {"store": 2}
        assert lost == none | {"fetch": 2}

    def test_a_sync_that_changes_nothing_adds_no_state(self, root: Path) -> None:
        sync(root)
        run("sync", cwd=root)
        assert len(states(root)) == 2

    def test_another_text_of_the_lock_is_the_same_state(self, root: Path) -> None:
        before = states(root)[0]
        lock = root / "requirements.lock"
        lock.write_text("# a comment\n" + lock.read_text())
        sync(root)
        after = states(root)
        assert len(after) == 2
        assert after[0]["lock"] != before["lock"]
        assert after[0]["when"] == before["when"]
        assert after[0]["on_disk"]

    def test_it_names_the_commit_and_the_branch(self, root: Path, index: Index) -> None:
        (root / ".git").rmdir()
        git(root, "init", "-q")
        git(root, "add", "requirements.txt", "requirements.lock")
        git(root, "commit", "-qm", "two")
        relock(root, index, FIRST)
        sync(root)
        git(root, "checkout", "-q", "--detach")
        relock(root, index, SECOND)
        sync(root)

        commit = git(root, "rev-parse", "HEAD").strip()
        revisions = [each["revision"] for each in states(root)]
        assert revisions == [
            {"commit": commit, "branch": None},
            {"commit": commit, "branch": "main"},
            None,
            None,
        ]

    def test_making_the_environment_again_begins_it_anew(self, root: Path) -> None:
        sync(root, "--recreate")
        assert [each["packages"] for each in states(root)] == [2]

    def test_the_table_fits_a_narrow_screen(self, root: Path) -> None:
        shown = run_on_terminal("history", cwd=root, columns=60, env={"NO_COLOR": "1"}).stdout
        assert "+1 ~1 -1" in shown
        assert "2 packages" in shown
        assert all(len(line.rstrip()) <= 60 for line in shown.splitlines())

    def test_verbose_names_what_changed(self, root: Path) -> None:
        shown = run("history", "-v", cwd=root).stdout
        assert "+ gamma  1.0\n" in shown
        assert "~ alpha  1.0 -> 2.0\n" in shown

    def test_a_rollback_shows_where_it_went_and_that_the_lock_is_another(self, root: Path) -> None:
        rollback(root)
        shown = run("history", cwd=root).stdout
        assert "rollback to 2" in shown
        assert "the next sync would undo the rollback" in shown
        assert "venvman rollback 0 --with-lock" in shown

    def test_a_local_folder_is_named_from_the_project_and_comes_back(
        self, root: Path, index: Index
    ) -> None:
        source = root / "libs" / "local"
        source.mkdir(parents=True)
        (source / "pyproject.toml").write_text(
            "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
            "[project]\nname = 'local'\nversion = '1.0'\n"
        )
        (source / "backend.py").write_text(in_tree_backend("local", "1.0"))
        (source / "local.py").write_text("")
        (root / "requirements.lock").write_text("-e ./libs/local\n    # via -r requirements.txt\n")
        sync(root, "--frozen")
        relock(root, index, SECOND)
        sync(root)

        (row,) = states(root)[0]["removed"]
        assert row == {"name": "local", "version": "1.0", "source": "-e libs/local"}
        rollback(root)
        assert versions_in(root) == {"local": "1.0"}

    @pytest.mark.parametrize("made", [True, False])
    def test_without_a_sync_there_is_a_sentence(self, tmp_path: Path, made: bool) -> None:
        root = write_project(tmp_path / "shop", {"requirements.txt": "alpha\n"})
        if made:
            subprocess.run(["python3", "-m", "venv", "--without-pip", root / "venv"], check=True)
        ran = run("history", cwd=root)
        assert ran.code == 0
        assert "venv has no history yet" in ran.stdout
        assert states(root) == []

    def test_a_damaged_history_is_read_as_far_as_it_goes(self, root: Path) -> None:
        path = root / "venv" / LOG
        damaged = "".join(f"{line[:-1]}\n" for line in lines_of(root, 1))
        path.write_text(damaged + "".join(f"{line}\n" for line in lines_of(root, 2)))
        assert [each["packages"] for each in states(root)] == [2]

    def test_a_state_that_was_not_recorded_is_found_again(self, root: Path) -> None:
        """As after a kill between the transaction and the history."""
        (root / "venv" / LOG).write_text(f"{lines_of(root, 1)[-1]}\n")
        found, before = states(root)
        assert (found["by"], found["locks"]) == ("found", [])
        assert found["changed"] == [{"name": "alpha", "from": "1.0", "to": "2.0"}]
        assert before["number"] == 1


class TestSwitches:
    """``sync`` as git users meet it: the program itself, which knows states it has been in."""

    @pytest.fixture
    def branches(self, root: Path, index: Index) -> Path:
        """The project under git: main has FIRST, next has SECOND, both synced."""
        (root / ".git").rmdir()
        git(root, "init", "-q")
        (root / ".gitignore").write_text("venv/\n")
        for branch, pins in (("main", FIRST), ("next", SECOND)):
            git(root, "checkout", "-q", "-B", branch)
            relock(root, index, pins)
            git(root, "add", "-A")
            git(root, "commit", "-qm", branch)
            assert self.program(root, "sync").returncode == 0
        return root

    @staticmethod
    def program(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "venvman", *arguments]
        return ended(words, cwd=root)

    def test_a_switch_between_branches_is_in_the_history(self, branches: Path) -> None:
        before = states(branches)
        git(branches, "checkout", "-q", "main")
        assert self.program(branches, "sync").returncode == 0
        now, *rest = states(branches)
        assert [each["when"] for each in rest] == [each["when"] for each in before]
        assert now["revision"] == {
            "commit": git(branches, "rev-parse", "main").strip(),
            "branch": "main",
        }
        assert (now["by"], now["on_disk"]) == ("sync", True)
        assert now["lock"] == before[1]["lock"]

    def test_a_rollback_after_switches_goes_back_one_switch(self, branches: Path) -> None:
        for branch in ("main", "next", "main"):
            git(branches, "checkout", "-q", branch)
            assert self.program(branches, "sync").returncode == 0
            assert versions_in(branches) == (FIRST if branch == "main" else SECOND)
        rollback(branches)
        assert versions_in(branches) == SECOND

    def test_a_switch_that_nobody_recorded_is_what_the_next_sync_started_from(
        self, branches: Path, index: Index
    ) -> None:
        path = branches / "venv" / LOG
        content = path.read_text()
        git(branches, "checkout", "-q", "main")
        self.program(branches, "sync")
        path.write_text(content)
        relock(branches, index, {"gamma": "1.0"})
        sync(branches)
        rollback(branches)
        assert versions_in(branches) == FIRST
        assert states(branches)[2]["by"] == "found"


class TestRollback:
    def test_it_is_what_it_was_before_the_last_sync(self, root: Path, index: Index) -> None:
        index.requests.clear()
        ran = rollback(root)
        assert versions_in(root) == FIRST
        assert ran["data"]["changed"] == [{"name": "alpha", "from": "2.0", "to": "1.0"}]
        assert ran["data"]["restored"] == ["alpha", "beta"]
        assert index.requests == []
        assert run("doctor", "--select", "VM1,VM5", cwd=root).code == 0

    def test_it_comes_from_the_cache_where_the_attic_has_lost_it(
        self, root: Path, index: Index
    ) -> None:
        shutil.rmtree(root / "venv" / ".venvman" / "attic")
        index.requests.clear()
        assert rollback(root)["data"]["restored"] == []
        assert versions_in(root) == FIRST
        assert index.requests == []

    def test_it_is_fetched_again_where_nothing_has_it(self, root: Path, isolated: Path) -> None:
        shutil.rmtree(root / "venv" / ".venvman" / "attic")
        shutil.rmtree(isolated / "cache")
        rollback(root)
        assert versions_in(root) == FIRST

    def test_what_the_index_changed_since_is_refused(
        self, root: Path, index: Index, isolated: Path
    ) -> None:
        shutil.rmtree(root / "venv" / ".venvman" / "attic")
        shutil.rmtree(isolated / "cache")
        make_wheel(index.folder, "alpha", "1.0", files={"alpha.py": "import evil\n"})
        ran = run("rollback", "--format", "json", cwd=root)
        assert ran.code == 2
        assert versions_in(root) == SECOND
        assert len(states(root)) == 2

    def test_it_is_a_state_itself_so_that_it_can_be_taken_back(self, root: Path) -> None:
        rollback(root)
        listed = states(root)
        rollback(root)
        assert [(each["by"], each["target"]) for each in listed] == [
            ("rollback", 2),
            ("sync", None),
            ("sync", None),
        ]
        assert versions_in(root) == SECOND
        assert len(states(root)) == 4

    def test_it_reaches_back_over_several(self, root: Path, index: Index) -> None:
        relock(root, index, {"beta": "1.0"})
        sync(root)
        rollback(root, "2")
        assert versions_in(root) == FIRST

    def test_number_0_undoes_what_was_done_by_hand(self, root: Path) -> None:
        pip(root, "uninstall", "-y", "gamma")
        assert codes(rollback(root, "0")) == []
        assert versions_in(root) == SECOND

    def test_a_dry_run_shows_the_plan_and_changes_nothing(self, root: Path) -> None:
        before = snapshot(root)
        ran = rollback(root, "--dry-run")
        text = run("rollback", "--dry-run", cwd=root)
        assert (ran["status"], ran["exit_code"]) == ("drift", 0)
        assert ran["data"]["changed"] == [{"name": "alpha", "from": "2.0", "to": "1.0"}]
        assert "Not yet done: 1 to install, 1 to change and 1 to remove" in text.stdout
        assert "venvman rollback 1 --with-lock" in text.stderr
        assert snapshot(root) == before

    def test_the_text_says_what_came_and_from_where(self, root: Path) -> None:
        ran = run("rollback", cwd=root)
        said = " ".join(ran.stdout.split())
        assert "~ alpha 2.0 -> 1.0" in said
        assert "1 installed, 1 changed and 1 removed, 2 of them from the attic." in said

    def test_when_it_is_so_already_there_is_nothing_to_do(self, root: Path) -> None:
        ran = run("rollback", "0", cwd=root)
        assert ran.stdout.startswith("Nothing to do: venv is as it was at state 0")

    @pytest.mark.parametrize("word", ["-1", "x"])
    def test_what_is_no_number_is_a_usage_error(self, root: Path, word: str) -> None:
        assert run("rollback", "--", word, cwd=root).code == 2

    def test_going_back_to_nothing_at_all_needs_a_yes(self, root: Path, index: Index) -> None:
        relock(root, index, {})
        sync(root, "--yes")
        relock(root, index, SECOND)
        sync(root)
        refused = run("rollback", "--format", "json", cwd=root)
        assert (refused.code, codes(refused.json)) == (2, ["sync-removes-all"])
        assert refused.json["problems"][0]["fix"] == "venvman rollback 1 --yes"
        assert versions_in(root) == SECOND
        rollback(root, "--yes")
        assert versions_in(root) == {}

    def test_a_state_that_was_found_comes_back_by_its_files(self, root: Path, index: Index) -> None:
        (root / "venv" / LOG).write_text(f"{lines_of(root, 1)[-1]}\n")
        states(root)
        relock(root, index, {"beta": "1.0"})
        sync(root)
        ran = rollback(root, "1")
        assert versions_in(root) == SECOND
        assert codes(ran) == []
        refused = run("rollback", "0", "--with-lock", "--format", "json", cwd=root)
        assert (refused.code, codes(refused.json)) == (2, ["history-no-lock"])


class TestByHand:
    def test_what_somebody_added_by_hand_stays_if_the_state_had_it(
        self, root: Path, index: Index
    ) -> None:
        make_wheel(index.folder, "delta")
        relock(root, index, FIRST)
        pip(root, "install", "delta")
        sync(root, "--inexact")
        relock(root, index, SECOND)
        sync(root, "--inexact")
        ran = rollback(root)
        assert versions_in(root) == FIRST | {"delta": "1.0", "gamma": "1.0"}
        assert codes(ran) == ["rollback-lock-differs"]

    def test_what_is_gone_since_comes_back_if_its_file_is_known_and_is_named_if_not(
        self, root: Path, index: Index
    ) -> None:
        make_wheel(index.folder, "delta")
        relock(root, index, FIRST)
        pip(root, "install", "delta")
        sync(root, "--inexact")
        sync(root)
        shutil.rmtree(root / "venv" / ".venvman" / "attic")
        ran = rollback(root)
        assert codes(ran) == ["rollback-by-hand"]
        assert ran["problems"][0]["fix"] == "venv/bin/python -m pip install delta==1.0"
        assert versions_in(root) == FIRST | {"gamma": "1.0"}
        assert states(root)[2]["ways"]["by-hand"] == 1

    def test_what_was_added_after_the_state_goes(self, root: Path, index: Index) -> None:
        make_wheel(index.folder, "delta")
        pip(root, "install", "delta")
        rollback(root)
        assert versions_in(root) == FIRST


class TestTheLock:
    def test_a_lock_that_would_undo_it_is_named_with_the_command(self, root: Path) -> None:
        before = (root / "requirements.lock").read_bytes()
        ran = rollback(root)
        (problem,) = ran["problems"]
        assert problem["code"] == "rollback-lock-differs"
        assert problem["fix"] == "venvman rollback 0 --with-lock"
        assert ran["data"]["locks_differing"] == ["requirements.lock"]
        assert (root / "requirements.lock").read_bytes() == before
        sync(root)
        assert versions_in(root) == SECOND

    def test_the_named_command_puts_the_lock_back(self, root: Path) -> None:
        second = (root / "requirements.lock").read_text()
        rollback(root)
        (root / "requirements.txt").write_text("alpha\nbeta\n")
        ran = rollback(root, "0", "--with-lock")
        assert ran["data"]["locks_written"] == ["requirements.lock"]
        assert codes(ran) == []
        assert (root / "requirements.lock").read_text() != second
        assert sync(root)["unchanged"] == 2
        assert versions_in(root) == FIRST
        assert [each["by"] for each in states(root)] == ["rollback", "sync", "sync"]

    def test_environment_and_lock_go_back_at_once(self, root: Path, index: Index) -> None:
        relock(root, index, FIRST)
        first = (root / "requirements.lock").read_bytes()
        relock(root, index, SECOND)
        rollback(root, "--with-lock")
        assert versions_in(root) == FIRST
        assert (root / "requirements.lock").read_bytes() == first

    def test_requirements_that_have_moved_on_are_named(self, root: Path) -> None:
        ran = rollback(root, "--with-lock")
        assert codes(ran) == ["rollback-requirements-differ"]
        assert ran["problems"][0]["path"] == "requirements.txt"

    def test_the_line_ends_of_the_lock_on_disk_are_kept(self, root: Path) -> None:
        lock = root / "requirements.lock"
        lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
        rollback(root, "--with-lock")
        content = lock.read_bytes()
        assert b"beta==1.0" in content
        assert content.count(b"\n") == content.count(b"\r\n")

    def test_line_ends_alone_are_no_difference(self, root: Path) -> None:
        lock = root / "requirements.lock"
        content = lock.read_bytes().replace(b"\n", b"\r\n")
        lock.write_bytes(content)
        assert rollback(root, "0", "--with-lock")["data"]["locks_written"] == []
        assert lock.read_bytes() == content

    def test_a_lock_that_is_gone_comes_back(self, root: Path) -> None:
        content = (root / "requirements.lock").read_bytes()
        (root / "requirements.lock").unlink()
        rollback(root, "0", "--with-lock")
        assert (root / "requirements.lock").read_bytes() == content

    def test_a_file_that_is_no_lock_is_not_overwritten(self, root: Path) -> None:
        (root / "requirements.lock").write_text("my notes\n")
        ran = run("rollback", "--with-lock", "--format", "json", cwd=root)
        assert (ran.code, codes(ran.json)) == (2, ["lock-in-the-way"])
        assert versions_in(root) == SECOND
        assert (root / "requirements.lock").read_text() == "my notes\n"

    def test_a_dry_run_writes_no_lock(self, root: Path) -> None:
        before = snapshot(root)
        ran = rollback(root, "--with-lock", "--dry-run")
        assert ran["data"]["locks_written"] == ["requirements.lock"]
        assert snapshot(root) == before

    def test_a_history_that_names_a_file_outside_the_project_writes_none(self, root: Path) -> None:
        history = History(root / "venv")
        newest, before = history.states()
        outside = before.locks[0]._replace(path="../outside.lock")
        history.record(before._replace(locks=(outside,)))
        history.record(newest)
        rollback(root, "--with-lock")
        assert not (root.parent / "outside.lock").exists()


def test_scripts_and_modules_run_after_going_back_and_forth(root: Path, index: Index) -> None:
    for _ in range(2):
        rollback(root)
        assert (
            python_in(root, "import alpha; print(alpha.__version__)") == versions_in(root)["alpha"]
        )
    assert {path.name for path in site_of(root).glob("*.dist-info")} >= {"gamma-1.0.dist-info"}


def test_status_tells_that_the_locks_are_no_longer_those_of_the_rollback(root: Path) -> None:
    git(root, "init", "-q", "-b", "trunk")
    git(root, "add", "requirements.lock")
    git(root, "commit", "-q", "-m", "second")
    assert run("rollback", cwd=root).code == 0

    ran = run("status", cwd=root)

    said = " ".join(ran.stdout.split())
    commit = git(root, "rev-parse", "HEAD").strip()
    assert f"at {commit[:7]} trunk, not from the lock as it is now" in said
    assert "venvman rollback 0 --with-lock" in said
    assert run("rollback", "0", "--with-lock", cwd=root).code == 0
    last = run("status", "--format", "json", cwd=root).json["data"]["last_sync"]
    assert (last["by"], last["on_disk"]) == ("rollback", True)
    assert last["revision"] == {"commit": commit, "branch": "trunk"}
    assert "as it is now" not in run("status", cwd=root).stdout
