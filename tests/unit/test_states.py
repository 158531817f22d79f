"""Known states: found by the contents of files, and what they tell of the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from venvman.environment.history import LOG, History, State, Wanted
from venvman.environment.ledger import LEDGER, Ledger, Provenance, write_snapshot
from venvman.environment.record import tops_of
from venvman.install import states
from venvman.system import memo, seal
from venvman.system.locks import held

PROVENANCE = Provenance("one", "1.0", "ab" * 32, "", True, 5, 6, 7)


def wanted(file: Path, *, flags: str = "--frozen", end: str = ".") -> Wanted:
    return Wanted(
        flags=flags,
        names=("TOKEN",),
        seen=memo.seen_of({}, ("TOKEN",)),
        contents=states.contents_of([(memo.FILE, str(file)), (memo.NAMES, str(file.parent))]),
        said=("Nothing", "", end),
        parts=((memo.FILE, "/venv/pyvenv.cfg", "1 2 3 4"),),
        folders=("lib",),
        lasting=("", "bin", "lib"),
        shared=(),
        others={"lib/two.egg-info": "1 2 3"},
        locked=1,
        lock=str(file.parent.parent / "locks/x.lock"),
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The one file of a project, whose environment's history knows what it holds."""
    root = str(tmp_path)
    seal.own(root)
    commit(tmp_path, 1)
    file = tmp_path / "requirements.txt"
    file.write_text("one\n")
    return file


def commit(root: Path, sequence: int) -> None:
    """A transaction that is in the history."""
    snapshot = write_snapshot(str(root), {"lib/one-1.0.dist-info": PROVENANCE})
    (root / LEDGER).write_bytes(Ledger(str(root), sequence, snapshot).render())
    History(root).record(State(sequence, 5.5, "sync", "3.11.7", (), (), snapshot))


def find(environment: Path, flags: str = "--frozen", **variables: str) -> str | None:
    found = states.find(str(environment), flags=flags, variables=variables)
    return found.wanted.key if found and found.wanted else None


def test_what_is_known_already_is_written_down_once(tmp_path: Path, file: Path) -> None:
    states.record(str(tmp_path), wanted(file))
    before = len([*History(tmp_path).lines()])
    states.record(str(tmp_path), wanted(file))
    assert len([*History(tmp_path).lines()]) == before


def test_it_is_found_by_contents_flags_and_variables_and_by_nothing_else(
    tmp_path: Path, file: Path
) -> None:
    key = states.record(str(tmp_path), wanted(file))
    assert find(tmp_path, OTHER="1") == key
    assert find(tmp_path, TOKEN="1") is None
    assert find(tmp_path, flags="") is None
    file.write_text("two\n")
    assert find(tmp_path) is None
    file.unlink()
    assert find(tmp_path) is None
    file.write_text("one\n")
    assert find(tmp_path) == key
    (tmp_path / "dev.in").write_text("")
    assert find(tmp_path) is None


def test_one_reached_again_is_the_newest(tmp_path: Path, file: Path) -> None:
    key = states.record(str(tmp_path), wanted(file))
    commit(tmp_path, 2)
    states.record(str(tmp_path), wanted(file, end="again"))
    again = states.read(str(tmp_path), key)
    assert again is not None
    assert again.wanted is not None
    assert (again.sequence, again.wanted.said[2]) == (2, "again")


def test_the_oldest_are_forgotten(tmp_path: Path, file: Path) -> None:
    keys = []
    for number in range(220):
        file.write_text(str(number))
        keys.append(states.record(str(tmp_path), wanted(file)))
    known = [key for key in keys if states.read(str(tmp_path), key)]
    assert known == keys[-len(known) :]
    assert 16 <= len(known) < 100


def test_a_state_that_cannot_be_written_or_read_is_none(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("one\n")
    seal.own(str(tmp_path))
    (tmp_path / ".venvman/history").write_text("in the way")
    assert states.record(str(tmp_path), wanted(file)) == ""
    assert states.read(str(tmp_path), "x") is None
    assert find(tmp_path) is None


def test_while_somebody_else_changes_the_environment_nothing_is_written_down(
    tmp_path: Path, file: Path
) -> None:
    before = (tmp_path / LOG).read_bytes()
    with held(wanted(file).lock):
        assert states.record(str(tmp_path), wanted(file)) == ""
    assert (tmp_path / LOG).read_bytes() == before


def test_what_nobody_has_written_down_is_known_by_no_files(tmp_path: Path, file: Path) -> None:
    snapshot = write_snapshot(str(tmp_path), {})
    (tmp_path / LEDGER).write_bytes(Ledger(str(tmp_path), 2, snapshot).render())
    assert states.record(str(tmp_path), wanted(file)) == ""


def installed(root: Path, lists: dict[str, str]) -> Ledger:
    """Metadata folders with these RECORDs, and the ledger that knows them."""
    rows = {}
    for name, text in lists.items():
        info = root / "lib" / f"{name}.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "RECORD").write_text(text)
        found = (info / "RECORD").stat()
        rows[f"lib/{name}.dist-info"] = PROVENANCE._replace(
            name=name.partition("-")[0],
            record_size=found.st_size,
            record_mtime_ns=found.st_mtime_ns,
            tops=tops_of(
                (line.rpartition(",,")[0].strip('"') for line in text.splitlines()),
                site="lib",
                folders=("lib",),
            ),
        )
    return Ledger(str(root), distributions=rows)


LISTS = {
    "one-1.0": "one.py,,\n../bin/one,,\nns/__init__.py,,\n",
    "two-1.0": 'ns/__init__.py,,\n"a,b.py",,\n',
    "three-1.0": "three.py,,\n../share/doc/a/b.txt,,\n__pycache__/three.pyc,,\n",
    "four-1.0": "four/../three4.py,,\n",
}


def sharing(ledger: Ledger) -> set[str]:
    found = states.survey(ledger, ("lib",))
    assert found is not None
    return {info.rpartition("/")[2].partition("-")[0] for info in found[0]}


def test_a_file_that_two_list_is_told_of_both(tmp_path: Path) -> None:
    ledger = installed(tmp_path, LISTS)
    (tmp_path / "lib" / "five-1.0.dist-info").mkdir()
    assert sharing(ledger) == {"one", "two"}
    found = states.survey(ledger, ("lib",))
    assert found is not None
    assert list(found[1]) == ["lib/five-1.0.dist-info"]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("six.py,,\n", set()),
        ("six.py,,\n../bin/one,,\n", {"one", "six"}),
        ("ns/six.py,,\n", set()),
        ("three.py,,\n", {"three", "six"}),
        ("../share/doc/a/b.txt,,\n", {"three", "six"}),
        ("../share/doc/a/c.txt,,\n", set()),
        ("__pycache__/three.pyc,,\n", {"three", "six"}),
    ],
)
@pytest.mark.parametrize("by_hand", [True, False])
def test_what_is_shared_is_found_whoever_installed_it(
    tmp_path: Path, record: str, expected: set[str], by_hand: bool
) -> None:
    ledger = installed(tmp_path, LISTS)
    six = installed(tmp_path, {"six-1.0": record})
    if not by_hand:
        ledger = Ledger(str(tmp_path), distributions={**ledger.distributions, **six.distributions})
    assert sharing(ledger) == {"one", "two", *expected}


def test_where_something_was_removed_by_hand_nothing_is_told(tmp_path: Path) -> None:
    ledger = installed(tmp_path, LISTS)
    (tmp_path / "lib/two-1.0.dist-info/RECORD").unlink()
    assert states.survey(ledger, ("lib",)) is None


def test_what_shares_no_part_with_another_is_not_read_again(tmp_path: Path) -> None:
    ledger = installed(tmp_path, {"three-1.0": "three.py,,\n", "six-1.0": "six.py,,\n"})
    record = tmp_path / "lib/three-1.0.dist-info/RECORD"
    seen = record.stat()
    record.write_text("./six.py,,\n")
    os.utime(record, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    found = states.survey(ledger, ("lib",))
    assert found == ((), {})


@pytest.mark.parametrize("lost", ["bin/tool", "lib/site/a.py", "lib/site/pkg/b.py"])
def test_of_many_files_each_is_looked_at_from_the_nearest_folder(tmp_path: Path, lost: str) -> None:
    paths = ["bin/tool", "lib/site/a.py", "lib/site/pkg/b.py"]
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    root = str(tmp_path)

    watched = memo.many(root, paths, ["lib/site"])
    seen = [memo.fact_of(memo.MANY, each) for each in watched]
    assert watched == [f"{root}\0bin/tool", f"{root}/lib/site/\0a.py\0pkg/b.py"]
    assert [memo.fact_of(memo.MANY, each) for each in watched] == seen
    (tmp_path / lost).unlink()
    assert [memo.fact_of(memo.MANY, each) for each in watched] != seen
