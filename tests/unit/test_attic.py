"""Attic limits, keys, and entries that must not come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from venvman.environment.ledger import LEDGER, Ledger, Provenance, entry_key, read_ledger
from venvman.install.attic import ATTIC, Attic, AtticEntry, AtticLimit
from venvman.system import seal


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("2 GiB", AtticLimit(size=2 * 1024**3)),
        ("1.5MB", AtticLimit(size=1_500_000)),
        ("100 b", AtticLimit(size=100)),
        ("20", AtticLimit(entries=20)),
        ("0", AtticLimit(entries=0)),
    ],
)
def test_a_limit_is_a_size_or_a_number(text: str, limit: AtticLimit) -> None:
    assert AtticLimit.parse(text) == limit


@pytest.mark.parametrize("text", ["", "much", "2 GB left", "-1"])
def test_anything_else_is_no_limit(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        AtticLimit.parse(text)


def test_a_key_is_a_file_name_whatever_the_version_holds() -> None:
    assert entry_key("demo", "1.0+cpu", "abc") == "demo-1.0+cpu-abc"
    assert "/" not in entry_key("demo", "../../x y", "abc")


def put(root: Path, name: str, *, sequence: int, size: int = 10) -> AtticEntry:
    provenance = Provenance(name, "1.0", "a" * 64, "", False, 1, 1, 1)
    entry = AtticEntry(
        key=provenance.key,
        info=f"site/{name}-1.0.dist-info",
        units=(("u0", f"site/{name}-1.0.dist-info"),),
        provenance=provenance,
        size=size,
        sequence=sequence,
    )
    folder = root / ATTIC / entry.key / "u0"
    seal.own(str(root))
    folder.mkdir(parents=True)
    (folder.parent / "entry.json").write_bytes(entry.render(str(root)))
    (folder / "RECORD").write_text("")
    return entry


@pytest.mark.parametrize(
    "record",
    ["u.py,sha256=x,1\n", "../../../out,sha256=x,1\n", "demo-1.0.dist-info/gone,sha256=x,1\n"],
)
def test_an_entry_with_a_file_missing_is_not_whole(tmp_path: Path, record: str) -> None:
    entry = put(tmp_path, "demo", sequence=1)
    (tmp_path / ATTIC / entry.key / "u0/RECORD").write_text(record)
    assert not Attic(str(tmp_path)).is_whole(entry)


def test_an_entry_whose_record_cannot_be_read_is_not_whole(tmp_path: Path) -> None:
    entry = put(tmp_path, "demo", sequence=1)
    record = tmp_path / ATTIC / entry.key / "u0/RECORD"
    record.write_bytes(b"\xff\xff")
    assert not Attic(str(tmp_path)).is_whole(entry)
    record.unlink()
    assert not Attic(str(tmp_path)).is_whole(entry)


def test_the_newest_and_those_just_kept_survive_longest(tmp_path: Path) -> None:
    entries = [put(tmp_path, f"d{number}", sequence=number) for number in range(4)]
    attic = Attic(str(tmp_path))
    keys = [entry.key for entry in entries]
    assert attic.surplus(AtticLimit(entries=2)) == (keys[0], keys[1])
    assert attic.surplus(AtticLimit(size=25)) == (keys[0], keys[1])
    assert attic.surplus(AtticLimit(entries=2), keep=frozenset({keys[0]})) == (keys[1], keys[2])
    assert attic.surplus(AtticLimit()) == ()


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '["ledger 3",[1,""]]'])
def test_a_ledger_that_is_not_understood_is_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / ".venvman").mkdir()
    (tmp_path / LEDGER).write_text(text)
    assert read_ledger(str(tmp_path)) == Ledger(str(tmp_path))


def test_what_another_tool_reinstalled_is_no_longer_known(tmp_path: Path) -> None:
    record = tmp_path / "a.dist-info/RECORD"
    record.parent.mkdir()
    record.write_text("x")
    found = record.stat()
    provenance = Provenance("a", "1", "s", "", False, 1, found.st_size, found.st_mtime_ns)
    ledger = Ledger(
        str(tmp_path), distributions={"a.dist-info": provenance, "gone.dist-info": provenance}
    )
    assert ledger.known("a.dist-info") == provenance
    assert ledger.known("b.dist-info") is None
    assert ledger.known("gone.dist-info") is None
    record.write_text("longer")
    assert ledger.known("a.dist-info") is None


def test_build_metadata_tells_two_installations_of_one_wheel_apart() -> None:
    plain = Provenance("a", "1", "s", "d", True, 1, 2, 3)
    assert plain.key != plain._replace(described="sha256:1").key
