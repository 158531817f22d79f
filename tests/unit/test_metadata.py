from __future__ import annotations

import pytest

from venvman.metadata import name_and_version, parse_metadata, parse_requires_txt

WHOLE = b"""Metadata-Version: 2.1
Name: Flask
Version: 3.0
requires-python: >=3.8
Requires-Dist: werkzeug (>=3.0)
Requires-Dist: asgiref ; extra == "async"
Provides-Extra: async

Name: not-this
Requires-Dist: described
"""


def test_the_fields_of_the_headers_are_read_whatever_their_case() -> None:
    found = parse_metadata(WHOLE)
    assert (found.name, found.version, found.requires_python) == ("Flask", "3.0", ">=3.8")
    assert found.requires == ("werkzeug (>=3.0)", 'asgiref ; extra == "async"')
    assert found.extras == ("async",)


def test_windows_line_ends_change_nothing() -> None:
    assert parse_metadata(WHOLE.replace(b"\n", b"\r\n")) == parse_metadata(WHOLE)


def test_a_folded_field_is_one_value() -> None:
    assert parse_metadata(b"Requires-Dist: a\n  >=1\n\t,<2\nName: b\n").requires == ("a >=1 ,<2",)


def test_an_empty_field_counts_as_absent() -> None:
    assert parse_metadata(b"Name:\nVersion: 1\n").name is None
    assert name_and_version(b"Name: \nVersion: 1\n") == (None, "1")


def test_the_cheap_look_agrees_with_the_whole_one() -> None:
    whole = parse_metadata(WHOLE)
    assert name_and_version(WHOLE) == (whole.name, whole.version)
    assert name_and_version(b"\n\nName: x\n") == (None, None)


@pytest.mark.parametrize(
    ("text", "requires"),
    [
        ("a>=1\n\n# why\nb\n", ("a>=1", "b")),
        ("[tests]\npytest\n", ('pytest; extra == "tests"',)),
        ('[:python_version<"3"]\nenum34\n', ('enum34; (python_version<"3")',)),
        ('[x:os_name=="nt"]\ncolor\n', ('color; (os_name=="nt") and extra == "x"',)),
        ("[x]\na @ https://e.org/a;b.zip\n", ('a @ https://e.org/a;b.zip ; extra == "x"',)),
    ],
)
def test_sections_of_requires_txt_become_markers(text: str, requires: tuple[str, ...]) -> None:
    assert parse_requires_txt(text) == requires
