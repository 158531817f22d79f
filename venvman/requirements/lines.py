"""Bytes to text to numbered logical lines of a requirements file, as pip does it. Pure.

The rules are pip's own, also where its documentation is silent: lines end where
:meth:`str.splitlines` ends them (form feed, vertical tab, NEL and U+2028 included), a comment line
never continues, and a backslash is stripped from both ends of a line that does.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, RequirementsError
from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """One line after continuations are joined and comments gone; never empty.

    ``number`` is the 1-based line it begins on. ``text`` has its variables unexpanded. Not
    keyword-only: a lock has thousands, and positional arguments are the cheap way to make them.
    """

    number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How bytes were read as text: ``mark`` is the byte order mark they begin with, if any.

    ``why`` ends the sentence "it was taken for this because ...".
    """

    name: str
    mark: bytes = b""
    why: str = ""


def decode(content: bytes, *, path: str, locale: str | None = None) -> str:
    """The text of a requirements file.

    A byte order mark decides; else a PEP 263 ``coding:`` comment in the first two lines; else it is
    UTF-8, and where it is not, the encoding of the user's locale (``locale`` names another).

    Raises:
        RequirementsError: the bytes are not text in that encoding, or nobody knows the encoding.
    """
    found = encoding_of(content, locale=locale)
    content, encoding = content[len(found.mark) :], found.name
    try:
        return content.decode(encoding)
    except LookupError:
        raise RequirementsError(
            f"{path} says that it is written in {encoding!r}, which is no known text encoding.",
            code="encoding-unknown",
            path=path,
            line=1,
            fix=Advice("Save the file as UTF-8, or correct the coding: comment at its top."),
        ) from None
    except ValueError as error:  # UnicodeDecodeError is one; so is what odd codecs raise
        place = ""
        if isinstance(error, UnicodeDecodeError) and error.start < len(content):
            place = f" at byte {error.start} (0x{content[error.start]:02x})"
        raise RequirementsError(
            f"{path} could not be read as {encoding}{place}.",
            code="encoding-wrong",
            path=path,
            why=f"It was taken for {encoding} because {found.why}.",
            fix=Advice(
                "Save the file as UTF-8, or name its encoding in a comment at its top, such as "
                "# coding: latin-1."
            ),
        ) from None


def encoding_of(content: bytes, *, locale: str | None = None) -> Encoding:
    """The encoding that :func:`decode` would take; nobody says that it exists or fits."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return Encoding(name=encoding, mark=mark, why="its byte order mark says so")
    for line in content.split(b"\n", 2)[:2]:
        cookie = _COOKIE.search(line) if line.startswith(b"#") else None
        if cookie:
            encoding = cookie[1].decode("ascii")
            return Encoding(name=encoding, why="a comment at its top says so")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return Encoding(name=locale or _locale_encoding(), why="nothing in it says otherwise")
    return Encoding(name="utf-8", why="it is valid UTF-8")


def logical_lines(text: str) -> Iterator[LogicalLine]:
    """The lines of ``text`` that say something, in order."""
    pieces: list[str] = []
    first = 0
    for number, line in enumerate(text.splitlines(), start=1):
        comment = "#" in line and line.lstrip().startswith("#")
        if line.endswith("\\") and not comment:
            if not pieces:
                first = number
            pieces.append(line.strip("\\"))
            continue
        if pieces:
            # The blank makes a comment that ends a continuation recognisable as one.
            joined = "".join(pieces) + (f" {line}" if comment else line)
            pieces = []
            yield from _told(first, joined)
        elif line and not comment:
            yield from _told(number, line)
    if pieces:
        yield from _told(first, "".join(pieces))


# The order counts: the mark of UTF-16-LE is a prefix of that of UTF-32-LE.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
_COOKIE = re.compile(rb"coding[:=]\s*([-\w.]+)")
_COMMENT = re.compile(r"(?:^|\s+)#.*$")


def _told(number: int, line: str) -> Iterator[LogicalLine]:
    if "#" in line:
        line = _COMMENT.sub("", line)
    line = line.strip()
    if line:
        yield LogicalLine(number, line)


def _locale_encoding() -> str:
    import locale
    import sys

    if sys.version_info >= (3, 11):
        return locale.getencoding()
    return locale.getpreferredencoding(False)
