"""Laws of the requirements file parser: it never raises, and says something of every line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from venvman.requirements.file import parse
from venvman.requirements.lines import decode, logical_lines
from venvman.system.variables import expand

# Text made of the pieces that mean something, so that odd combinations are met often.
PIECES = st.sampled_from(
    [
        *["foo", "==", "1.0", " ", "\n", "\\\n", "\r\n", "\x0c", "#", " # ", "-r ", "-c ", "-e "],
        *["--hash=", "sha256:ab", ";", "python_version", "<'3'", "[a]", "@", "https://h/x.zip"],
        *["git+https://h/x", "#egg=", "./", "../", "${A}", "'", '"', "--pre", "-i ", "file:"],
        *[".whl", ".", "\u2028", "-"],
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=20).map("".join)


@given(TEXTS)
def test_every_logical_line_is_a_line_or_an_error(text: str) -> None:
    parsed = parse(text, path="r.txt", variables={}, cwd="/")
    told = sorted(
        [line.origin.line for line in parsed.lines] + [e.line or 0 for e in parsed.errors]
    )
    assert told == [line.number for line in logical_lines(text)]


@given(TEXTS)
def test_logical_lines_ignore_how_lines_end(text: str) -> None:
    lines = [line.text for line in logical_lines(text)]
    assert [line.text for line in logical_lines("\r\n".join(text.splitlines()))] == lines


@given(TEXTS)
def test_parsing_has_no_memory(text: str) -> None:
    once = parse(text, path="r.txt", variables={"A": "b"}, cwd="/")
    assert parse(text, path="r.txt", variables={"A": "b"}, cwd="/") == once


@given(TEXTS, TEXTS)
def test_an_error_on_one_line_hides_no_other(first: str, second: str) -> None:
    alone = parse(second, path="r.txt", variables={}, cwd="/")
    after = parse(f"{first} \n\n{second}", path="r.txt", variables={}, cwd="/")
    count = len(alone.errors)
    assert [e.message for e in after.errors[len(after.errors) - count :]] == [
        e.message for e in alone.errors
    ]


@given(TEXTS)
def test_text_without_variables_expands_to_itself(text: str) -> None:
    assert expand(text, {}) == text


@given(st.text(), st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_what_a_mark_announces_is_read_back(text: str, encoding: str) -> None:
    # The mark of UTF-16 and a NUL after it are the mark of UTF-32.
    clean = text.encode("utf-8", errors="ignore").decode().lstrip("\ufeff\0")
    assert decode(clean.encode(encoding), path="r.txt") == clean
