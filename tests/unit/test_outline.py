"""Outlines: two texts with one outline differ in plain lines alone."""

from __future__ import annotations

import pytest

from venvman.install.outline import outline_of_lock, outline_of_source
from venvman.install.summary import recounted

HASH = "sha256:" + "ab" * 32
HEADER = "#\n# made by a tool\n#\n"


def pin(name: str, version: str = "1.0", *, hashes: int = 2, via: str = "-r x.in") -> str:
    lines = [f"{name}=={version}", *[f"    --hash={HASH}"] * hashes]
    return " \\\n".join(lines) + f"\n    # via {via}\n"


def test_plain_pins_are_taken_out_of_a_lock() -> None:
    outline = outline_of_lock(HEADER + pin("a") + pin("b-c", "2!1.0rc1+cpu", via="a\n    #   b"))
    assert outline is not None
    assert outline.pins == {"a": ("1.0", (HASH, HASH)), "b-c": ("2!1.0rc1+cpu", (HASH, HASH))}
    assert outline.names == set()
    assert outline == outline_of_lock(HEADER + pin("a", via="z") + pin("b-c", "2!1.0rc1+cpu"))


@pytest.mark.parametrize(
    "odd",
    [
        "b==1.0\n",
        "b==1.0 --hash=" + HASH + "\n",
        "b==1.0 ; python_version < '3' \\\n    --hash=" + HASH + "\n",
        "b[x]==1.0 \\\n    --hash=" + HASH + "\n",
        "B==1.0 \\\n    --hash=" + HASH + "\n",
        "b==1.0 \\\r\n    --hash=" + HASH + "\r\n",
        "b==1.0 \\\n    --hash=" + HASH[:-1] + "\n",
        "b==1.0 \\\n    --hash=" + HASH + " \\\n    --hash=md5:00\n",
        "b @ https://x.invalid/b.whl\n",
    ],
)
def test_other_pins_stay_in_the_outline_with_their_names(odd: str) -> None:
    outline = outline_of_lock(pin("a") + odd)
    assert outline is not None
    assert list(outline.pins) == ["a"]
    assert {name.lower() for name in outline.names or ()} == {"b"}
    assert outline != outline_of_lock(pin("a"))


def test_where_the_header_ends_is_part_of_the_outline() -> None:
    one = outline_of_lock("# one\n# two\n" + pin("a"))
    other = outline_of_lock("# one\n" + pin("a") + "# two\n")
    assert one is not None
    assert other is not None
    assert one.rest != other.rest


@pytest.mark.parametrize(
    "text",
    [
        pin("a") + pin("a", "2.0"),
        "b==1.0 \\\n" + pin("a"),
        "--no-binary a\n" + pin("a"),
        "--only-binary=:all:\n" + pin("a"),
    ],
)
def test_a_lock_that_an_outline_cannot_tell_of_has_none(text: str) -> None:
    assert outline_of_lock(text) is None


@pytest.mark.parametrize("line", ["-e .", "./folder", "https://x.invalid/a.whl", "-r other.txt"])
def test_the_name_of_a_place_cannot_be_told(line: str) -> None:
    outline = outline_of_lock(f"{line}\n" + pin("a"))
    assert outline is not None
    assert outline.names is None


def test_plain_wishes_are_taken_out_of_a_requirements_file() -> None:
    plain = "a\nb-c==1.0\nD.e >=1, <2\npsycopg2-binary!=3\n"
    assert outline_of_source("# why\n" + plain + "-r x.in\n") == outline_of_source(
        "# why\n-r x.in\n"
    )


@pytest.mark.parametrize(
    "line",
    ["a[x]", "a==1.*", "a ; os_name == 'nt'", "a  # why", "-c x.txt", "a @ ./b", " a", "a~=1"],
)
def test_other_wishes_stay(line: str) -> None:
    assert outline_of_source(f"b\n{line}\n") != outline_of_source("b\n")


@pytest.mark.parametrize(
    "text", ["a \\\n>=1\n", "a\r\n", "--only-binary :all:\n", "a --config-settings=b=c\n"]
)
def test_a_requirements_file_that_decides_more_has_none(text: str) -> None:
    assert outline_of_source(text) is None


def test_what_is_said_is_said_of_another_number() -> None:
    one, two = ("Nothing to do: venv holds the 1 package of default.", 2)
    assert recounted(one, 1, two) == "Nothing to do: venv holds the 2 packages of default."
    assert recounted(one, 3, two) is None
