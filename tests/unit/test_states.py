"""Known states: written down whole, found by the contents of files, forgotten in order."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from venvman import stamp
from venvman.environment.ledger import Ledger, Provenance
from venvman.files import spread_folders
from venvman.install import states
from venvman.install.turns import Turn

if TYPE_CHECKING:
    from pathlib import Path

PROVENANCE = Provenance("ab" * 32, "", True, 5, 6, 7)


def state(file: Path, *, flags: str = "--frozen", text: str = "Nothing.") -> states.State:
    return states.State(
        flags=flags,
        names=("TOKEN",),
        seen=stamp.seen_of({}, ("TOKEN",)),
        contents=states.contents_of([(stamp.FILE, str(file)), (stamp.NAMES, str(file.parent))]),
        text=text,
        parts=((stamp.PART, "/venv/pyvenv.cfg", "1 2 3 4"),),
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
            states.record(str(tmp_path), state(file, text="again"))
    kept = {path.stem for path in (tmp_path / states.STATES).iterdir()} - {"index"}
    assert kept == {keys[0], *keys[5:]}
    again = states.read(str(tmp_path), keys[0])
    assert again is not None
    assert again.text == "again"


def test_a_state_that_cannot_be_written_or_read_is_none(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("one\n")
    (tmp_path / ".venvman").write_text("in the way")
    assert states.record(str(tmp_path), state(file)) == ""
    assert states.read(str(tmp_path), "x") is None
    assert find(tmp_path) is None


def test_a_file_that_two_list_is_told_of_both(tmp_path: Path) -> None:
    lists = {
        "one-1.0": "one.py,,\n../bin/one,,\nns/__init__.py,,\n",
        "two-1.0": 'ns/__init__.py,,\n"a,b.py",,\n',
        "three-1.0": "three.py,,\n",
        "four-1.0": "four/../three4.py,,\n",
    }
    rows = {}
    for name, text in lists.items():
        info = tmp_path / "lib" / f"{name}.dist-info"
        info.mkdir(parents=True)
        (info / "RECORD").write_text(text)
        found = (info / "RECORD").stat()
        rows[f"lib/{name}.dist-info"] = PROVENANCE._replace(
            record_size=found.st_size, record_mtime_ns=found.st_mtime_ns
        )
    (tmp_path / "lib" / "five-1.0.dist-info").mkdir()
    held, others = states.survey(str(tmp_path), ("lib",), Ledger(distributions=rows))
    assert {each.name: each.shared for each in held.values()} == {
        "one": True,
        "two": True,
        "three": False,
        "four": False,
    }
    assert list(others) == ["lib/five-1.0.dist-info"]


def test_a_turn_is_waited_for_and_ends_once(tmp_path: Path) -> None:
    first = Turn(tmp_path, "one-1.0.whl")
    other = threading.Thread(target=lambda: Turn(tmp_path, "one-1.0.whl").end())
    other.start()
    other.join(0.1)
    assert other.is_alive()
    first.end()
    first.end()
    other.join(10)
    assert not other.is_alive()


def test_where_no_turn_can_be_had_nobody_waits(tmp_path: Path) -> None:
    Turn(tmp_path / "gone", "one-1.0.whl").end()
    Turn(tmp_path / "gone", "one-1.0.whl").end()


def test_spreading_folders_is_a_hint_that_never_fails(tmp_path: Path) -> None:
    spread_folders(tmp_path)
    spread_folders(tmp_path)
    spread_folders(tmp_path / "gone")
