"""RECORD: reading, writing, and telling what lies inside the environment."""

from __future__ import annotations

import csv
import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.wheels import record_row
from venvman.environment.record import (
    RecordRow,
    encode_digest,
    locate,
    parse_record,
    record_path,
    render_record,
)

if TYPE_CHECKING:
    from pathlib import Path

SITE = "lib/python3.11/site-packages"

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), min_size=1)


@given(
    st.lists(
        st.builds(
            RecordRow,
            NAMES,
            st.none() | st.just("sha256=abc_-"),
            st.none() | st.integers(min_value=0),
        ),
        unique_by=lambda row: row.path,
    )
)
def test_rows_written_and_read_again_are_the_same_rows(rows: list[RecordRow]) -> None:
    parsed = parse_record(render_record(rows))
    assert parsed.problems == ()
    assert sorted(parsed.rows) == sorted(rows, key=lambda row: row.path) or set(parsed.rows) == set(
        rows
    )


def test_rows_are_sorted_by_path_and_a_path_is_written_once() -> None:
    rows = [RecordRow("b.py"), RecordRow("a.py", "sha256=x", 1), RecordRow("b.py", "sha256=y", 2)]
    assert render_record(rows) == "a.py,sha256=x,1\nb.py,sha256=y,2\n"


def test_a_path_with_commas_and_quotes_is_what_the_csv_module_reads() -> None:
    text = render_record([RecordRow('a,"b".py', "sha256=x", 3)])
    assert list(csv.reader([text])) == [['a,"b".py', "sha256=x", "3"]]


def test_a_digest_is_written_as_the_specification_says() -> None:
    body = b"import this\n"
    expected = record_row("a.py", body).split(",")[1]
    assert encode_digest(hashlib.sha256(body).digest()) == expected


def test_every_faulty_line_is_named_and_its_path_still_used() -> None:
    parsed = parse_record("a.py,plain,1\n,sha256=x,1\nb.py,sha256=x,many\nc.py\n", path="X/RECORD")
    assert parsed.rows == (
        RecordRow("a.py", None, 1),
        RecordRow("b.py", "sha256=x", None),
        RecordRow("c.py"),
    )
    assert [problem.line for problem in parsed.problems] == [1, 2, 3]
    assert {problem.path for problem in parsed.problems} == {"X/RECORD"}


def test_a_line_that_is_no_csv_is_a_problem() -> None:
    parsed = parse_record('a.py,,\n"b\0"x.py' + "y" * 200_000 + ",,\n")
    assert parsed.rows[0] == RecordRow("a.py")
    assert len(parsed.rows) + len(parsed.problems) == 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("pkg/a.py", f"{SITE}/pkg/a.py"),
        ("../../../bin/x", "bin/x"),
        ("./pkg//a.py", f"{SITE}/pkg/a.py"),
        ("pkg/.hidden", f"{SITE}/pkg/.hidden"),
        ("..data/x", f"{SITE}/..data/x"),
        ("../../../../outside", None),
        ("../../..", None),
        ("../../../../env2/x", None),
        ("/etc/passwd", None),
    ],
)
def test_a_path_is_located_inside_the_environment_or_not_at_all(
    path: str, expected: str | None
) -> None:
    assert locate(path, site=SITE, root="/work/env") == expected


def test_an_absolute_path_inside_the_environment_counts_through_symbolic_links(
    tmp_path: Path,
) -> None:
    root = tmp_path / "env"
    (root / "bin").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(root)
    assert locate(f"{link}/bin/x", site=SITE, root=str(root)) == "bin/x"
    assert locate(str(root), site=SITE, root=str(root)) is None


def test_record_paths_are_relative_to_site_packages() -> None:
    assert record_path(f"{SITE}/pkg/a.py", site=SITE) == "pkg/a.py"
    assert record_path("bin/x", site=SITE) == "../../../bin/x"
