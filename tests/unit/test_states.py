"""Known states: written down whole, found by the contents of files, forgotten in order."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from venvman import memo, seal
from venvman.environment.ledger import Ledger, Provenance
from venvman.files import spread_folders
from venvman.install import states

if TYPE_CHECKING:
    from pathlib import Path

PROVENANCE = Provenance("ab" * 32, "", True, 5, 6, 7)


def state(file: Path, *, flags: str = "--frozen", end: str = ".") -> states.State:
    return states.State(
        flags=flags,
        names=("TOKEN",),
        seen=memo.seen_of({}, ("TOKEN",)),
        contents=states.contents_of([(memo.FILE, str(file)), (memo.NAMES, str(file.parent))]),
        said=("Nothing", "", end),
        parts=((memo.FILE, "/venv/pyvenv.cfg", "1 2 3 4"),),
        folders=("lib",),
        lasting=("", "bin", "lib"),
        held={"lib/one-1.0.dist-info": states.Held("one", "1.0", "one-1.0-x", False, PROVENANCE)},
        others={"lib/two.egg-info": "1 2 3"},
        locked=1,
        lock="/state/locks/x.lock",
    )


def find(environment: Path, flags: str = "--frozen", **variables: str) -> str | None:
    return states.find(str(environment), flags=flags, variables=variables)


def test_what_is_written_down_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("one\n")
    written = state(file)
    key = states.record(str(tmp_path), written)
    assert states.read(str(tmp_path), key) == written
    assert find(tmp_path) == key


def test_it_is_found_by_contents_flags_and_variables_and_by_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("one\n")
    key = states.record(str(tmp_path), state(file))
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


def test_the_oldest_are_forgotten_and_one_reached_again_is_the_newest(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    keys = []
    for number in range(20):
        file.write_text(str(number))
        keys.append(states.record(str(tmp_path), state(file)))
        if number == 15:
            file.write_text("0")
            states.record(str(tmp_path), state(file, end="again"))
    kept = {path.stem for path in (tmp_path / states.STATES).iterdir()} - {"index"}
    assert kept == {keys[0], *keys[5:]}
    again = states.read(str(tmp_path), keys[0])
    assert again is not None
    assert again.said[2] == "again"


def test_a_state_that_cannot_be_written_or_read_is_none(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("one\n")
    seal.own(str(tmp_path))
    (tmp_path / ".venvman/states").write_text("in the way")
    assert states.record(str(tmp_path), state(file)) == ""
    assert states.read(str(tmp_path), "x") is None
    assert find(tmp_path) is None


def installed(root: Path, lists: dict[str, str]) -> Ledger:
    """Metadata folders with these RECORDs, and the ledger that knows them."""
    rows = {}
    for name, text in lists.items():
        info = root / "lib" / f"{name}.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "RECORD").write_text(text)
        found = (info / "RECORD").stat()
        rows[f"lib/{name}.dist-info"] = PROVENANCE._replace(
            record_size=found.st_size, record_mtime_ns=found.st_mtime_ns
        )
    return Ledger(distributions=rows)


LISTS = {
    "one-1.0": "one.py,,\n../bin/one,,\nns/__init__.py,,\n",
    "two-1.0": 'ns/__init__.py,,\n"a,b.py",,\n',
    "three-1.0": "three.py,,\n",
    "four-1.0": "four/../three4.py,,\n",
}


def test_a_file_that_two_list_is_told_of_both(tmp_path: Path) -> None:
    ledger = installed(tmp_path, LISTS)
    (tmp_path / "lib" / "five-1.0.dist-info").mkdir()
    held, others = states.survey(str(tmp_path), ("lib",), ledger)
    assert {each.name: each.shared for each in held.values()} == {
        "one": True,
        "two": True,
        "three": False,
        "four": False,
    }
    assert list(others) == ["lib/five-1.0.dist-info"]


@pytest.mark.parametrize(
    "record",
    [
        "six.py,,\n",
        "six.py,,\n../bin/one,,\n",
        "ns/six.py,,\n",
        "ns/__init__.py,,\n",
        "three.py,,\n",
        "../share/doc/a/b.txt,,\n",
        "__pycache__/three.pyc,,\n",
    ],
)
@pytest.mark.parametrize("gone", [None, "one-1.0", "two-1.0", "three-1.0"])
def test_a_survey_after_another_finds_what_one_alone_would(
    tmp_path: Path, record: str, gone: str | None
) -> None:
    lists = {**LISTS, "seven-1.0": "../share/doc/a/b.txt,,\n__pycache__/seven.pyc,,\n"}
    before, _ = states.survey(str(tmp_path), ("lib",), installed(tmp_path, lists))
    lists["six-1.0"] = record
    if gone is not None:
        shutil.rmtree(tmp_path / "lib" / f"{gone}.dist-info")
        del lists[gone]
    # Written again, so nothing but the new one may look new.
    ledger = installed(tmp_path, {"six-1.0": record})
    rows = {info: each.provenance for info, each in before.items()}
    ledger = Ledger(distributions={**rows, **ledger.distributions})
    again, _ = states.survey(str(tmp_path), ("lib",), ledger, before=before)
    alone, _ = states.survey(str(tmp_path), ("lib",), ledger)
    assert again == alone


def test_what_was_surveyed_and_is_apart_from_all_that_is_new_is_not_read_again(
    tmp_path: Path,
) -> None:
    ledger = installed(tmp_path, {"three-1.0": "three.py,,\n"})
    before, _ = states.survey(str(tmp_path), ("lib",), ledger)
    record = tmp_path / "lib" / "three-1.0.dist-info" / "RECORD"
    seen = record.stat()
    record.write_text("other.py,,\n")
    os.utime(record, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    new = installed(tmp_path, {"six-1.0": "other.py,,\n"})
    ledger = Ledger(distributions={**ledger.distributions, **new.distributions})
    held, _ = states.survey(str(tmp_path), ("lib",), ledger, before=before)
    assert not any(each.shared for each in held.values())


def test_spreading_folders_is_a_hint_that_never_fails(tmp_path: Path) -> None:
    spread_folders(tmp_path)
    spread_folders(tmp_path)
    spread_folders(tmp_path / "gone")
