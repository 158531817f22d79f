"""The history of an environment: states as lines, and locks that they share."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.projects import git
from venvman import seal
from venvman.environment.history import (
    HISTORY,
    LIMIT,
    Held,
    History,
    RecordedLock,
    Revision,
    State,
    text_digest,
)
from venvman.environment.historyline import append_switch
from venvman.repository import head_of

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"alpha==1.0\n"
STATE = State(
    sequence=1,
    when=1_700_000_000.5,
    by="sync",
    python="3.11.7",
    groups=("default",),
    locks=(RecordedLock(group="default", path="requirements.lock", digest=text_digest(TEXT)),),
    held=(Held(name="alpha", version="1.0", source="index", wheel="ab" * 32, locked=True),),
    revision=Revision(commit="c" * 40, branch="main"),
)
held = st.builds(
    Held,
    name=st.text(),
    version=st.none() | st.text(),
    source=st.text(),
    wheel=st.none() | st.text(),
    locked=st.booleans(),
)
states = st.builds(
    State,
    sequence=st.integers(min_value=0),
    when=st.floats(allow_nan=False, allow_infinity=False),
    by=st.sampled_from(["sync", "rollback", "found"]),
    python=st.text(),
    groups=st.lists(st.text()).map(tuple),
    locks=st.lists(st.builds(RecordedLock, group=st.text(), path=st.text(), digest=st.text())).map(
        tuple
    ),
    held=st.lists(held).map(tuple),
    revision=st.none() | st.builds(Revision, commit=st.text(), branch=st.none() | st.text()),
    target=st.none() | st.integers(),
)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


def file(tmp_path: Path) -> Path:
    return tmp_path / HISTORY / "states.jsonl"


@given(states)
def test_a_line_is_read_as_the_state_it_was_written_from(state: State) -> None:
    line = state.render()

    assert State.parse(line) == state
    assert "\n" not in line


def test_an_environment_without_history_has_none(history: History) -> None:
    assert history.states() == ()
    assert history.newest() is None
    assert history.text(text_digest(TEXT)) is None


def test_states_come_back_the_newest_first(history: History) -> None:
    later = replace(STATE, sequence=2, when=STATE.when - 1000)
    history.record(STATE, [TEXT])
    history.record(later, [TEXT])

    assert history.states() == (later, STATE)
    assert history.newest() == later


def test_of_two_lines_of_one_sequence_the_later_holds(history: History) -> None:
    history.record(STATE, [TEXT])
    history.record(replace(STATE, python="3.11.8"), [TEXT])

    assert [state.python for state in history.states()] == ["3.11.8"]


def test_locks_that_differ_in_line_ends_only_are_kept_once(
    history: History, tmp_path: Path
) -> None:
    history.record(STATE, [TEXT, TEXT.replace(b"\n", b"\r\n")])

    assert history.text(text_digest(TEXT)) == TEXT
    assert len(list((tmp_path / HISTORY).iterdir())) == 2


def test_a_damaged_text_counts_as_gone_and_is_written_again(
    history: History, tmp_path: Path
) -> None:
    history.record(STATE, [TEXT])
    path = tmp_path / HISTORY / text_digest(TEXT)
    path.write_bytes(path.read_bytes()[:-3])

    assert history.text(text_digest(TEXT)) is None

    history.record(replace(STATE, sequence=2), [TEXT])
    assert history.text(text_digest(TEXT)) == TEXT


def test_a_text_that_is_not_its_digest_is_not_believed(history: History, tmp_path: Path) -> None:
    history.record(STATE, [TEXT, b"other==1.0\n"])
    folder = tmp_path / HISTORY
    (folder / text_digest(b"other==1.0\n")).replace(folder / text_digest(TEXT))

    assert history.text(text_digest(TEXT)) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        '"text"',
        "null",
        '{"format": 99}',
        '{"format": 1}',
        STATE.render()[:-20],
        STATE.render().replace('"held":[[', '"held":[[1,'),
        STATE.render().replace('"revision":["', '"revision":["'[:-2] + "["),
    ],
)
def test_a_damaged_line_is_passed_over(history: History, tmp_path: Path, line: str) -> None:
    history.record(STATE, [TEXT])
    with file(tmp_path).open("a") as stream:
        stream.write(f"{line}\n")

    assert history.states() == (STATE,)
    assert history.newest() == STATE


def test_a_line_cut_short_by_a_crash_does_not_spoil_the_next(
    history: History, tmp_path: Path
) -> None:
    history.record(STATE, [TEXT])
    with file(tmp_path).open("a") as stream:
        stream.write(STATE.render()[:40])
    later = replace(STATE, sequence=2)

    history.record(later, [TEXT])

    assert history.states() == (later, STATE)


def test_bytes_that_are_no_text_are_passed_over(history: History, tmp_path: Path) -> None:
    history.record(STATE, [TEXT])
    with file(tmp_path).open("ab") as stream:
        stream.write(b"\xff\xfe\x00\n")

    assert history.states() == (STATE,)


def test_the_history_is_bounded_and_drops_the_oldest_with_their_locks(
    history: History, tmp_path: Path
) -> None:
    for number in range(3 * LIMIT):
        text = b"alpha==%d\n" % number
        lock = RecordedLock(group="default", path="x.lock", digest=text_digest(text))
        history.record(replace(STATE, sequence=number, locks=(lock,)), [text])

    kept = [state.sequence for state in history.states()]
    assert kept[0] == 3 * LIMIT - 1
    assert LIMIT <= len(kept) < 2 * LIMIT
    assert kept == sorted(kept, reverse=True)
    assert history.text(text_digest(b"alpha==0\n")) is None
    assert all(history.text(state.locks[0].digest) for state in history.states())
    assert len(list((tmp_path / HISTORY).iterdir())) == len(kept) + 1


def test_one_digest_stands_for_all_locks_in_any_order() -> None:
    other = RecordedLock(group="dev", path="requirements-dev.lock", digest="d" * 64)
    one = replace(STATE, locks=(*STATE.locks, other))
    two = replace(STATE, locks=(other, *STATE.locks))

    assert one.digest == two.digest != STATE.digest
    assert replace(STATE, locks=()).digest is None


def test_a_history_that_cannot_be_written_says_so_and_stays(
    history: History, tmp_path: Path
) -> None:
    seal.own(str(tmp_path))
    (tmp_path / ".venvman/history").write_text("in the way")

    with pytest.raises((FileExistsError, NotADirectoryError)):
        history.record(STATE, [TEXT])
    assert history.states() == ()


class TestSwitches:
    """Lines that the switch between known states writes."""

    @pytest.fixture
    def environment(self, tmp_path: Path, history: History) -> Path:
        """Two states, alpha 1.0 and then alpha 2.0."""
        history.record(STATE, [TEXT])
        two = Held(name="alpha", version="2.0", source="index", wheel="cd" * 32, locked=True)
        history.record(replace(STATE, sequence=2, held=(two,)), [TEXT])
        return tmp_path

    def test_a_switch_is_the_last_state_that_held_the_same(
        self, environment: Path, history: History
    ) -> None:
        append_switch(str(environment), 3, [("pip", "ee" * 32), ("alpha", "ab" * 32)])

        now = history.states()[0]
        assert now == replace(STATE, sequence=3, when=now.when, revision=None)
        assert now.when > STATE.when
        assert history.newest() == now
        assert history.sequence() == 3

    def test_switches_to_and_fro_are_all_there(self, environment: Path, history: History) -> None:
        for sequence, wheel in ((3, "ab"), (4, "cd"), (5, "ab")):
            append_switch(str(environment), sequence, [("alpha", wheel * 32)])

        versions = [state.held[0].version for state in history.states()]
        assert versions == ["1.0", "2.0", "1.0", "2.0", "1.0"]

    def test_the_newest_of_many_switches_is_found_without_reading_all(
        self, environment: Path, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for sequence, wheel in ((3, "ab"), (4, "cd"), (5, "ab")):
            append_switch(str(environment), sequence, [("alpha", wheel * 32)])
        newest = history.states()[0]
        monkeypatch.setattr(History, "states", None)

        assert history.newest() == newest
        assert (newest.sequence, newest.held[0].version) == (5, "1.0")

    def test_the_newest_is_the_last_that_can_be_explained(
        self, environment: Path, history: History
    ) -> None:
        append_switch(str(environment), 3, [("beta", "ab" * 32)])

        newest = history.newest()
        assert newest is not None
        assert newest.sequence == 2

    def test_what_no_state_explains_is_passed_over(
        self, environment: Path, history: History
    ) -> None:
        append_switch(str(environment), 3, [("beta", "ab" * 32)])

        assert [state.sequence for state in history.states()] == [2, 1]

    def test_an_environment_without_history_gets_none(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            append_switch(str(tmp_path), 3, [])

    def test_a_sequence_that_cannot_be_read_is_none(
        self, environment: Path, history: History
    ) -> None:
        with file(environment).open("a") as stream:
            stream.write("{\n")

        assert history.sequence() is None


class TestHead:
    """Reading git's own files comes to what git says."""

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Path:
        root = tmp_path / "repository"
        root.mkdir()
        git(root, "init", "-q")
        return root

    @pytest.fixture
    def commit(self, repository: Path) -> str:
        git(repository, "commit", "-q", "--allow-empty", "-m", "one")
        return git(repository, "rev-parse", "HEAD").strip()

    def test_a_branch_and_its_commit(self, repository: Path, commit: str) -> None:
        (repository / "below").mkdir()

        assert head_of(str(repository)) == (commit, "main")
        assert head_of(str(repository / "below")) == (commit, "main")

    def test_a_branch_with_a_slash_in_packed_references(
        self, repository: Path, commit: str
    ) -> None:
        git(repository, "checkout", "-q", "-b", "feature/x")
        git(repository, "pack-refs", "--all")

        assert head_of(str(repository)) == (commit, "feature/x")

    def test_a_detached_head_has_no_branch(self, repository: Path, commit: str) -> None:
        git(repository, "checkout", "-q", "--detach")

        assert head_of(str(repository)) == (commit, None)

    def test_a_worktree_has_a_head_of_its_own(
        self, repository: Path, commit: str, tmp_path: Path
    ) -> None:
        git(repository, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))

        assert head_of(str(tmp_path / "tree")) == (commit, "other")

    def test_before_the_first_commit_there_is_none(self, repository: Path) -> None:
        assert head_of(str(repository)) is None

    def test_outside_a_repository_there_is_none(self, tmp_path: Path) -> None:
        assert head_of(str(tmp_path)) is None

    def test_a_pipe_that_a_clone_brings_is_not_waited_for(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        os.mkfifo(tmp_path / ".git" / "HEAD")

        assert head_of(str(tmp_path)) is None
