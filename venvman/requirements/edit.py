"""Editing a requirements file as its author would: one line changes, all else stays. Pure.

Text in, text out. Comments, order, spacing, spelling and newlines are the file's; only what has to
change does. A new line is written as most lines of the file are.
"""

from __future__ import annotations

import re
from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, Problem, RequirementsError
from venvman.model.frozen import dataclass
from venvman.model.names import NormalizedName, canonical
from venvman.requirements.file import parse
from venvman.system.secrets import line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from venvman.requirements.file import RequirementLine


class EditKind(str, Enum):
    """What happened to a line."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    """It already said what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEdit:
    """One requirement's line: ``line`` is its 1-based number, after the edit unless it is gone.

    ``before`` and ``after`` are the line as written, without its newline; None where there is none.
    ``name`` is None where only a build can tell it.
    """

    kind: EditKind
    name: NormalizedName | None
    line: int
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The new text, and the lines that are or were of interest."""

    text: str
    edits: tuple[LineEdit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceText:
    """A requirements file's text and what it takes to understand it.

    ``path`` is the file as people see it, ``cwd`` the absolute folder that ``./x`` counts from.
    ``name_of`` is asked for the name of a line that does not say it; None where it cannot tell.
    """

    text: str
    path: str
    cwd: str
    variables: Mapping[str, str]
    name_of: Callable[[RequirementLine], NormalizedName | None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A line to add: what it asks for, and ``name`` even where only its folder tells it."""

    line: RequirementLine
    name: NormalizedName | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A requirement on the physical lines ``first`` to ``last`` (0-based, inclusive)."""

    first: int
    last: int
    line: RequirementLine
    name: NormalizedName | None


def add(source: SourceText, wanted: Wanted) -> Edited:
    """``source`` with a line that asks for ``wanted``.

    A line that names the same distribution is changed: its specifier is replaced by the new one (a
    requirement without one keeps it), extras are added, spelling, marker and comment stay. Without
    such a line a new one goes where the alphabet wants it if the lines are sorted, else below the
    last.

    Raises:
        RequirementsError: ``requirement-ambiguous``: several lines could be meant;
            ``requirement-hashed``: the line has hashes, which another version would not fit.
    """
    lines = source.text.splitlines(keepends=True)
    entries = entries_of(source)
    existing = _meant(source, entries, wanted)
    if existing is None:
        return _inserted(lines, entries, wanted)
    chunk = "".join(lines[existing.first : existing.last + 1])
    changed = rewritten(chunk, existing.line, wanted.line, style=_style(entries))
    kind = EditKind.UNCHANGED if changed == chunk else EditKind.CHANGED
    if kind is EditKind.CHANGED and existing.line.requirement.hashes:
        raise RequirementsError(
            f"The line of {existing.name} has hashes, which belong to the version it asks for now.",
            code="requirement-hashed",
            **line_of(existing.line.origin),
            fix=Advice("Take the hashes out of the line (the lock has them), then try again."),
        )
    text = "".join([*lines[: existing.first], changed, *lines[existing.last + 1 :]])
    edit = LineEdit(
        kind=kind,
        name=existing.name,
        line=existing.first + 1,
        before=chunk.rstrip("\r\n"),
        after=changed.rstrip("\r\n"),
    )
    return Edited(text=text, edits=(edit,))


def remove(
    source: SourceText, gone: Callable[[RequirementLine, NormalizedName | None], bool]
) -> Edited:
    """``source`` without the lines that ``gone`` picks (asked with the line and its name).

    What stands on such a line goes with it; of blank lines that then meet, one stays.
    """
    lines: list[str | None] = list(source.text.splitlines(keepends=True))
    edits = []
    for entry in entries_of(source):
        if not gone(entry.line, entry.name):
            continue
        chunk = "".join(filter(None, lines[entry.first : entry.last + 1]))
        edits.append(
            LineEdit(
                kind=EditKind.REMOVED,
                name=entry.name,
                line=entry.first + 1,
                before=chunk.rstrip("\r\n"),
                after=None,
            )
        )
        lines[entry.first : entry.last + 1] = [None] * (entry.last + 1 - entry.first)
    return Edited(text="".join(_tidied(lines)) if edits else source.text, edits=tuple(edits))


def entries_of(source: SourceText) -> tuple[Entry, ...]:
    """Every requirement of the file with the physical lines it stands on."""
    lines = source.text.splitlines()
    parsed = parse(source.text, path=source.path, variables=source.variables, cwd=source.cwd)
    return tuple(
        Entry(
            first=each.origin.line - 1,
            last=_last(lines, each.origin.line - 1),
            line=each,
            name=each.requirement.name or source.name_of(each),
        )
        for each in parsed.requirements
    )


def _last(lines: Sequence[str], first: int) -> int:
    """Where the logical line that begins at ``first`` ends; see :mod:`.lines`."""
    last = first
    while (
        last + 1 < len(lines)
        and lines[last].endswith("\\")
        and not lines[last].lstrip().startswith("#")
    ):
        last += 1
    return last


def _meant(source: SourceText, entries: Sequence[Entry], wanted: Wanted) -> Entry | None:
    """The line to change; None where a new one is to be written."""
    asked = wanted.line.requirement.source
    same = [
        entry
        for entry in entries
        if (
            entry.name == wanted.name
            if entry.name is not None and wanted.name is not None
            else not asked.is_index and entry.line.requirement.source == asked
        )
    ]
    marker = wanted.line.requirement.marker
    if marker is not None:
        # A line for another condition is another requirement; one without gets this one.
        equal = [entry for entry in same if entry.line.requirement.marker == marker]
        same = equal or [entry for entry in same if entry.line.requirement.marker is None]
    if len(same) > 1:
        raise _ambiguous(source, same)
    return same[0] if same else None


def _inserted(lines: list[str], entries: Sequence[Entry], wanted: Wanted) -> Edited:
    ending = ending_of(lines)
    after = worded(wanted.line, style=_style(entries))
    position = _position(lines, entries, wanted)
    before = lines[:position]
    if before and before[-1] == before[-1].rstrip("\r\n"):
        before[-1] += ending  # the file did not end its last line
    text = "".join([*before, after + ending, *lines[position:]])
    edit = LineEdit(
        kind=EditKind.ADDED, name=wanted.name, line=position + 1, before=None, after=after
    )
    return Edited(text=text, edits=(edit,))


def _position(lines: Sequence[str], entries: Sequence[Entry], wanted: Wanted) -> int:
    """The 0-based line that the new one is put before."""
    plain = _is_plain(wanted.line)
    alike = [entry for entry in entries if _is_plain(entry.line) is plain]
    # By what the lines are sorted, if by anything.
    for key in (canonical, str.lower, str) if plain else ():
        keys = [key(entry.line.requirement.spelled or "") for entry in alike]
        if keys == sorted(keys):
            own = key(wanted.line.requirement.spelled or "")
            after = next((each for each, its in zip(alike, keys, strict=True) if its > own), None)
            if after is not None:
                return _above(lines, entries, after)
            break
    below = alike or list(entries)
    return below[-1].last + 1 if below else len(lines)


def _above(lines: Sequence[str], entries: Sequence[Entry], entry: Entry) -> int:
    """Before ``entry`` and the comment that belongs to it.

    Comments between two requirements belong to the lower one; those that open a block are its
    heading, which stays on top.
    """
    position = entry.first
    while position > 0 and lines[position - 1].lstrip().startswith("#"):
        position -= 1
    within = any(other.last == position - 1 for other in entries)
    return position if within else entry.first


def _is_plain(line: RequirementLine) -> bool:
    """``name...``: what authors sort; URLs, paths and editables mostly stand apart."""
    return line.requirement.spelled is not None and not line.editable


def _style(entries: Sequence[Entry]) -> Style:
    return style_of([entry.line.requirement.raw for entry in entries if _is_plain(entry.line)])


def _tidied(lines: Sequence[str | None]) -> list[str]:
    """Without the None; of blank lines that meet there, one stays, at the file's ends none."""
    kept: list[str] = []
    gap = False
    for line in lines:
        if line is None:
            gap = True
            continue
        if gap and not line.strip() and (not kept or not kept[-1].strip()):
            continue
        gap = False
        kept.append(line)
    if gap:
        while kept and not kept[-1].strip():
            kept.pop()
    return kept


def _ambiguous(source: SourceText, entries: Sequence[Entry]) -> RequirementsError:
    numbers = ", ".join(str(entry.first + 1) for entry in entries)
    problems = [
        Problem(
            code="requirement-ambiguous",
            message=f"{source.path} asks for {entries[0].name} on several lines ({numbers}).",
            **line_of(entry.line.origin),
            why="Their markers tell them apart.",
            fix=Advice("Give the requirement with the marker of the line that is meant."),
        )
        for entry in entries
    ]
    return RequirementsError.of(problems)


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
        # Everything but the indentation, the comment and the newline is replaced.
        lead = chunk[: len(chunk) - len(chunk.lstrip(" \t"))]
        ending = chunk[len(chunk.rstrip("\r\n")) :]
        comment = _COMMENT.search(chunk.rstrip("\r\n"))
        body = worded(wanted, style=style)
        return f"{lead}{body}{comment[0] if comment else ''}{ending}"
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


def _known(usual: str | None, written: str) -> str:
    return written if usual is None else usual


def _one(blanks: str) -> str:
    """Columns that were aligned by hand are one blank, as far as style goes."""
    return " " if blanks else ""


def _usual(found: Counter[str]) -> str | None:
    return found.most_common(1)[0][0] if found else None
