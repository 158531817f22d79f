from __future__ import annotations

import codecs

import pytest

from venvman.errors import RequirementsError
from venvman.requirements.lines import decode, logical_lines
from venvman.variables import expand


def lines(text: str) -> list[tuple[int, str]]:
    return [(line.number, line.text) for line in logical_lines(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb", [(1, "a"), (2, "b")]),
        ("a\r\nb\rc\x0bd\x0ce\x85f\u2028g", [(i + 1, c) for i, c in enumerate("abcdefg")]),
        ("\n  \n# x\n  # y\na # z\n", [(5, "a")]),
        ("a#b #c", [(1, "a#b")]),
        ("a \\\n  b\nc", [(1, "a   b"), (3, "c")]),
        ("a\\\n# note\nb", [(1, "a"), (3, "b")]),
        ("# no \\\nb", [(2, "b")]),
        ("\\a\\\nb", [(1, "ab")]),
        ("a\\", [(1, "a")]),
        ("a\\\n\\\n\nb", [(1, "a"), (4, "b")]),
        ("\\\n#b", []),
    ],
)
def test_lines_are_joined_and_cleaned_as_pip_does(
    text: str, expected: list[tuple[int, str]]
) -> None:
    assert lines(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}-${B}", "1-2"),
        ("${a} $A ${A", "${a} $A ${A"),
        ("${EMPTY}${NONE}", "${EMPTY}${NONE}"),
        ("${A}${A}", "11"),
    ],
)
def test_only_capitals_in_braces_with_a_value_are_variables(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "B": "2", "EMPTY": "", "a": "no"}) == expected


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_decides_the_encoding(mark: bytes, encoding: str) -> None:
    assert decode(mark + "é==1\n".encode(encoding), path="r.txt") == "é==1\n"


@pytest.mark.parametrize("top", ["# coding: gbk\n", "#!x\n# -*- coding: gbk -*-\n"])
def test_a_coding_comment_in_the_first_two_lines_counts(top: str) -> None:
    text = f"{top}# 中\nfoo\n"
    assert decode(text.encode("gbk"), path="r.txt") == text


def test_a_coding_comment_in_the_third_line_does_not() -> None:
    with pytest.raises(RequirementsError, match="utf-8"):
        decode("\n\n# coding: gbk 中\n".encode("gbk"), path="r.txt", locale="utf-8")


def test_the_locale_is_the_last_resort() -> None:
    assert decode(b"# \xe9\n", path="r.txt", locale="latin-1") == "# é\n"
    assert decode(b"foo", path="r.txt") == "foo"


def test_bytes_that_are_no_text_are_named_with_their_place() -> None:
    with pytest.raises(RequirementsError) as raised:
        decode(b"# coding: ascii\n\xb8", path="r.txt")
    (problem,) = raised.value.problems
    assert (problem.code, problem.path) == ("encoding-wrong", "r.txt")
    assert "byte 16 (0xb8)" in problem.message


def test_a_truncated_file_with_a_mark_is_named() -> None:
    with pytest.raises(RequirementsError, match="utf-16-le"):
        decode(codecs.BOM_UTF16_LE + b"a", path="r.txt")


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(RequirementsError) as raised:
        decode(b"# coding: klingon\n", path="r.txt")
    assert raised.value.code == "encoding-unknown"


def test_without_another_word_the_locale_s_encoding_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import locale

    for name in ("getencoding", "getpreferredencoding"):
        monkeypatch.setattr(locale, name, lambda *_: "latin-1", raising=False)
    assert decode(b"# \xe9\n", path="r.txt") == "# é\n"
