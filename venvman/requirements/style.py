"""How a requirements file writes its lines, and how to write one more like them. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from venvman.requirements.file import RequirementLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The blanks around operators, after commas and before the marker's semicolon.

    None where the file does not tell: as the new line's author wrote it.
    """

    before: str | None = None
    after: str | None = None
    comma: str | None = None
    semicolon: str | None = None


_OPERATOR = r"(?:===|==|!=|<=|>=|~=|<|>)"
_CLAUSE = rf"{_OPERATOR}[ \t]*[^\s,;#\\()]+"
_SPECIFIER = rf"(?:{_CLAUSE})(?:[ \t]*,[ \t]*{_CLAUSE})*(?:[ \t]*,)?"
_LINE = re.compile(
    r"(?P<lead>\s*)(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"(?P<extras>[ \t]*\[[^\]]*\])?"
    rf"(?:(?P<blank>[ \t]*)(?P<specifier>{_SPECIFIER}|\([ \t]*{_SPECIFIER}[ \t]*\)))?"
    r"(?=[ \t]*(?:$|;|#|\\|[ \t]--|[\r\n]))"
)
_PARTS = re.compile(rf"({_OPERATOR})([ \t]*)([^\s,;#\\()]+)")
_COMMENT = re.compile(r"[ \t]+#.*$", re.MULTILINE)


def style_of(requirements: Iterable[str]) -> Style:
    """What most of the ``requirements`` (without comments) do."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    comma: Counter[str] = Counter()
    semicolon: Counter[str] = Counter()
    for text in requirements:
        match = _LINE.match(text)
        if match is not None and match["specifier"]:
            before[_one(match["blank"])] += 1
            after.update(_one(part[2]) for part in _PARTS.finditer(match["specifier"]))
            comma.update(_one(blank) for blank in re.findall(r",([ \t]*)", match["specifier"]))
        semicolon.update(_one(blank) for blank in re.findall(r"([ \t]*);", text)[:1])
    return Style(
        before=_usual(before), after=_usual(after), comma=_usual(comma), semicolon=_usual(semicolon)
    )


def worded(line: RequirementLine, *, style: Style) -> str:
    """``line`` as it is to stand in a file of that style, without a newline."""
    raw = line.requirement.raw.strip()
    if line.editable:
        return f"-e {raw}"
    match = _LINE.match(raw)
    if match is None or not line.requirement.source.is_index:
        return raw
    extras = (match["extras"] or "").strip()
    specifier = _styled(match["specifier"] or "", blank=match["blank"] or "", style=style)
    rest = raw[match.end() :].strip()
    marker = rest.removeprefix(";").strip()
    blank = style.semicolon
    if blank is None:
        blank = " " if raw[match.end() :].startswith(" ") else ""
    return f"{match['name']}{extras}{specifier}" + (f"{blank}; {marker}" if marker else "")


def rewritten(
    chunk: str, existing: RequirementLine, wanted: RequirementLine, *, style: Style
) -> str:
    """``chunk``, the physical lines of ``existing``, made to ask for ``wanted``.

    Spelling, marker and comment stay where both are plain requirements; else all but the
    comment is replaced.
    """
    old, new = existing.requirement, wanted.requirement
    match = _LINE.match(chunk)
    plain = old.source.is_index and new.source.is_index
    if not plain and old.source == new.source and old.extras >= new.extras:
        return chunk
    continued = match is None or bool(match["specifier"]) != bool(old.specifier)
    if match is None or continued or not plain or old.marker != (new.marker or old.marker):
        return _replaced(chunk, worded(wanted, style=style))
    extras = _extras(match["extras"] or "", sorted(new.extras - old.extras))
    specifier = f"{match['blank'] or ''}{match['specifier'] or ''}"
    if new.specifier and new.specifier != old.specifier:
        said = _LINE.match(new.raw.strip())
        text, blank = (said["specifier"], said["blank"]) if said else (str(new.specifier), "")
        specifier = _styled(text or "", blank=blank or "", style=style)
        if match["specifier"]:
            specifier = f"{match['blank'] or ''}{specifier.lstrip()}"
    return f"{match['lead']}{match['name']}{extras}{specifier}{chunk[match.end() :]}"


def ending_of(lines: Sequence[str]) -> str:
    r"""The newline that most of ``lines`` end with; ``\n`` where there is none."""
    endings = Counter(line[len(line.rstrip("\r\n")) :] for line in lines)
    del endings[""]
    return endings.most_common(1)[0][0] if endings else "\n"


def _styled(specifier: str, *, blank: str, style: Style) -> str:
    """``specifier`` with the file's blanks; ``blank`` is what its author put before it."""
    clauses = [
        f"{operator}{_known(style.after, written)}{version}"
        for operator, written, version in _PARTS.findall(specifier)
    ]
    if not clauses:
        return ""
    comma = re.search(r",([ \t]*)", specifier)
    gap = _known(style.comma, comma[1] if comma else "")
    return _known(style.before, _one(blank)) + f",{gap}".join(clauses)


def _extras(written: str, more: Sequence[str]) -> str:
    """The bracket as ``written`` (blanks before it included) with ``more`` names in it."""
    if not more:
        return written
    names = [name.strip() for name in written.strip().strip("[]").split(",") if name.strip()]
    lead = written[: len(written) - len(written.lstrip())]
    gap = ", " if ", " in written else ","
    return f"{lead}[{gap.join([*names, *more])}]"


def _replaced(chunk: str, body: str) -> str:
    """``chunk`` with everything but its indentation, comment and newline replaced."""
    lead = chunk[: len(chunk) - len(chunk.lstrip(" \t"))]
    ending = chunk[len(chunk.rstrip("\r\n")) :]
    comment = _COMMENT.search(chunk.rstrip("\r\n"))
    return f"{lead}{body}{comment[0] if comment else ''}{ending}"


def _known(usual: str | None, written: str) -> str:
    return written if usual is None else usual


def _one(blanks: str) -> str:
    """Columns that were aligned by hand are one blank, as far as style goes."""
    return " " if blanks else ""


def _usual(found: Counter[str]) -> str | None:
    return found.most_common(1)[0][0] if found else None
