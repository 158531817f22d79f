"""The history of an environment: states as lines, snapshots and locks that they share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.projects import git
from venvman.environment.history import (
    LIMIT,
    LOG,
    Beside,
    History,
    RecordedLock,
    SnapshotEntry,
    State,
    text_digest,
)
from venvman.environment.ledger import HISTORY, Provenance, read_snapshot, write_snapshot
from venvman.system import seal
from venvman.system.repository import Head, head_of

TEXT = b"alpha==1.0\n"
STATE = State(
    sequence=1,
    when=1_700_000_000.5,
    by="sync",
    python="3.11.7",
    groups=("default",),
    locks=(RecordedLock(group="default", path="requirements.lock", digest=text_digest(TEXT)),),
    snapshot="",
    revision=Head(commit="c" * 40, branch="main"),
)
ROW = Provenance("alpha", "1.0", "ab" * 32, "", True, 1, 2, 3)
held = st.builds(
    SnapshotEntry,
    name=st.text(),
    version=st.none() | st.text(),
    source=st.text(),
    wheel=st.none(),
    locked=st.booleans(),
)
names = st.lists(st.text()).map(tuple)
states = st.builds(
    State,
    sequence=st.integers(min_value=0),
    when=st.floats(allow_nan=False, allow_infinity=False),
    by=st.sampled_from(["sync", "rollback", "found"]),
    python=st.text(),
    groups=names,
    locks=st.lists(st.builds(RecordedLock, group=st.text(), path=st.text(), digest=st.text())).map(
        tuple
    ),
    snapshot=st.just(""),
    beside=st.builds(
        Beside,
        found=st.lists(held).map(tuple),
        sources=st.dictionaries(st.text(), st.text()),
        unlocked=names,
        left_out=names,
    ),
    revision=st.none() | st.builds(Head, commit=st.text(), branch=st.none() | st.text()),
    target=st.none() | st.integers(),
    wanted=st.none(),
    held=st.just(()),
)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states)
def test_a_line_is_read_as_the_state_it_was_written_from(tmp_path: Path, state: State) -> None:
    history = History(tmp_path)
    history.record(state)
    assert history.newest() == state


def test_states_come_back_the_newest_first(history: History) -> None:
    later = STATE._replace(sequence=2, when=STATE.when - 1000)
    history.record(STATE, [TEXT])
    history.record(later, [TEXT])
    assert history.states() == (later, STATE)
    assert history.newest() == later


def test_of_two_lines_of_one_sequence_the_later_holds(history: History) -> None:
    history.record(STATE, [TEXT])
    history.record(STATE._replace(python="3.11.8"), [TEXT])
    assert [state.python for state in history.states()] == ["3.11.8"]


def test_what_it_held_is_told_by_its_snapshot_and_what_that_does_not_know(
    history: History, tmp_path: Path
) -> None:
    seal.own(str(tmp_path))
    rows = {f"{name}.dist-info": ROW._replace(name=name) for name in ("alpha", "beta", "pip", "c")}
    found = SnapshotEntry("aaa", "2", "index", None, True)
    beside = Beside((found,), {"beta": "-e libs/beta"}, ("c",), ("pip",))
    history.record(STATE._replace(snapshot=write_snapshot(str(tmp_path), rows), beside=beside))
    assert history.states()[0].held == (
        found,
        SnapshotEntry("alpha", "1.0", "index", "ab" * 32, True),
        SnapshotEntry("beta", "1.0", "-e libs/beta", "ab" * 32, True),
        SnapshotEntry("c", "1.0", "index", "ab" * 32, False),
    )


def test_the_same_distributions_are_one_snapshot(tmp_path: Path) -> None:
    seal.own(str(tmp_path))
    rows = {"a": ROW, "b": ROW._replace(version="2")}
    digest = write_snapshot(str(tmp_path), rows)
    assert write_snapshot(str(tmp_path), dict(reversed(rows.items()))) == digest
    assert read_snapshot(str(tmp_path), digest) == rows
    assert write_snapshot(str(tmp_path), {"a": ROW}) != digest
    assert len(list((tmp_path / HISTORY).iterdir())) == 2


def test_a_damaged_snapshot_holds_nothing_and_is_written_again(tmp_path: Path) -> None:
    seal.own(str(tmp_path))
    digest = write_snapshot(str(tmp_path), {"a": ROW})
    (tmp_path / HISTORY / f"{digest}.json").write_text("{")
    assert read_snapshot(str(tmp_path), digest) == {}
    assert read_snapshot(str(tmp_path), write_snapshot(str(tmp_path), {"a": ROW})) == {"a": ROW}


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
    history.record(STATE._replace(sequence=2), [TEXT])
    assert history.text(text_digest(TEXT)) == TEXT


def test_a_text_that_is_not_its_digest_is_not_believed(history: History, tmp_path: Path) -> None:
    history.record(STATE, [TEXT, b"other==1.0\n"])
    folder = tmp_path / HISTORY
    (folder / text_digest(b"other==1.0\n")).replace(folder / text_digest(TEXT))
    assert history.text(text_digest(TEXT)) is None


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'"text"', b"\xff\xfe\x00", None])
def test_a_line_that_is_damaged_or_of_somebody_else_is_passed_over(
    history: History, tmp_path: Path, line: bytes | None
) -> None:
    history.record(STATE, [TEXT])
    if line is None:  # as it would be in another environment
        (tmp_path / "other").mkdir()
        History(tmp_path / "other").record(STATE._replace(sequence=7))
        line = (tmp_path / "other" / LOG).read_bytes().rstrip()
    for written in (line, (tmp_path / LOG).read_bytes()[:-20]):
        with (tmp_path / LOG).open("ab") as stream:
            stream.write(written + b"\n")
    assert history.states() == (STATE,)
    assert history.newest() == STATE


def test_a_line_cut_short_by_a_crash_does_not_spoil_the_next(
    history: History, tmp_path: Path
) -> None:
    history.record(STATE, [TEXT])
    with (tmp_path / LOG).open("ab") as stream:
        stream.write((tmp_path / LOG).read_bytes()[:70])
    later = STATE._replace(sequence=2)
    history.record(later, [TEXT])
    assert history.states() == (later, STATE)


def test_the_history_is_bounded_and_drops_the_oldest_with_their_locks_and_snapshots(
    history: History, tmp_path: Path
) -> None:
    seal.own(str(tmp_path))
    for number in range(5 * LIMIT):
        text = b"alpha==%d\n" % number
        lock = RecordedLock(group="default", path="x.lock", digest=text_digest(text))
        snapshot = write_snapshot(str(tmp_path), {"a": ROW._replace(mtime_ns=number)})
        history.record(STATE._replace(sequence=number, locks=(lock,), snapshot=snapshot), [text])

    kept = [state.sequence for state in history.states()]
    assert kept[0] == 5 * LIMIT - 1
    assert LIMIT <= len(kept) < 3 * LIMIT
    assert kept == sorted(kept, reverse=True)
    assert history.text(text_digest(b"alpha==0\n")) is None
    assert all(history.text(state.locks[0].digest) for state in history.states())
    assert all(state.held for state in history.states())
    assert len(list((tmp_path / HISTORY).iterdir())) == 2 * len(kept) + 1


def test_one_digest_stands_for_all_locks_in_any_order() -> None:
    other = RecordedLock(group="dev", path="requirements-dev.lock", digest="d" * 64)
    one = STATE._replace(locks=(*STATE.locks, other))
    two = STATE._replace(locks=(other, *STATE.locks))
    assert one.digest == two.digest != STATE.digest
    assert STATE._replace(locks=()).digest is None


def test_a_history_that_cannot_be_written_says_so_and_stays(
    history: History, tmp_path: Path
) -> None:
    seal.own(str(tmp_path))
    (tmp_path / ".venvman/history").write_text("in the way")
    with pytest.raises((FileExistsError, NotADirectoryError)):
        history.record(STATE, [TEXT])
    assert history.states() == ()


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
