"""What of a list of pins its people asked for, and what is only there because that needs it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from packaging.version import Version

from venvman.adopt.taken import Left, Listed
from venvman.lock.file import Lock, LockEntry
from venvman.lock.match import dependencies_of
from venvman.model.errors import RequirementsError
from venvman.model.names import TOOLS, NormalizedName, canonical
from venvman.model.sources import DirectorySource
from venvman.requirements.file import RequirementLine, parse
from venvman.requirements.header import LockHeader
from venvman.workflow.location import freezing_interpreter
from venvman.workflow.locks import Pinned, as_locked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from venvman.model.options import FileOptions
    from venvman.model.target import Target
    from venvman.workflow.context import Context


class Roots:
    """The lines of a list of pins that nothing else in it needs.

    ``pins`` are all that it pins, ``left`` what :meth:`texts` did not take over.

    Raises:
        RequirementsError: the list cannot be read.
    """

    def __init__(self, context: Context, listed: Listed) -> None:
        self._root = context.project.root
        root = str(self._root)
        variables = context.variables
        parsed = parse(listed.text, path=listed.path, variables=variables, cwd=root)
        self._listed = listed
        if parsed.errors:
            raise RequirementsError(
                f"{listed.path} could not be read.",
                code="adopt-unreadable",
                problems=tuple(
                    replace(each, line=self._number(each.line)) for each in parsed.errors
                ),
            )
        self._lines = {line.origin.line: line for line in parsed.requirements}
        self._all = {line.origin.line for line in parsed.lines}
        self.left: list[Left] = []
        self.pins = tuple(_entry(line) for line in parsed.requirements if pinned_version(line))
        target = freezing_interpreter(context).target
        self._needs = _needs(context, self.pins, target, parsed.options)
        named = {line.requirement.name for line in parsed.requirements}
        needed = {name for names in self._needs.values() for name in names}
        # A list that lacks what it needs was written by hand: each line of it is meant.
        self._by_hand = bool(needed - named)
        self._kept: set[NormalizedName | None] = named if self._by_hand else self._closed(needed)

    def _closed(self, needed: set[NormalizedName]) -> set[NormalizedName | None]:
        """What nothing needs, and of those that need one another in a circle the first."""
        kept: set[NormalizedName | None] = {*(self._needs.keys() - needed - TOOLS)}
        reached = self._reached(kept)
        for name in sorted(set(self._needs) - TOOLS):
            if name not in reached:
                kept.add(name)
                reached |= self._reached({name})
        return kept

    def _reached(self, names: Iterable[NormalizedName | None]) -> set[NormalizedName]:
        found: set[NormalizedName] = set()
        pending = [name for name in names if name is not None]
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += self._needs.get(name, ())
        return found

    def _leave(self, text: str, number: int, why: str) -> None:
        path, line = self._listed.path, self._number(number)
        self.left.append(Left(what=text, why=why, path=path, line=line))

    def _number(self, line: int | None) -> int | None:
        """The line of the file that the list is from."""
        numbers = self._listed.numbers
        return numbers[line - 1] if line is not None and numbers else line

    def texts(
        self, source: str, dev: str | None, split: re.Pattern[str] | None
    ) -> Iterator[tuple[str, str]]:
        """The text of ``source``, and of ``dev`` with what ``split`` matches."""
        parts: dict[str, list[str]] = {source: []}
        physical = self._listed.text.splitlines()
        starts = sorted(self._all)
        for number, text in enumerate(physical, start=1):
            line = self._lines.get(number)
            if line is None:
                first = max((each for each in starts if each <= number), default=0)
                inside = first in self._lines and physical[number - 2].rstrip().endswith("\\")
                if not inside:  # comments, options, empty lines
                    parts[source].append(text.rstrip())
                continue
            name = line.requirement.name
            pinned = pinned_version(line) is not None
            if name == "pkg-resources" and pinned_version(line) == "0.0.0":
                self._leave(text.strip(), number, _OF_DEBIAN)
                continue
            if pinned and name not in self._kept:
                if name in TOOLS:
                    self._leave(text.strip(), number, _TOOL)
                continue
            gone = _is_gone(line)
            if gone:
                self._leave(text.strip(), number, _GONE)
            place = source
            if dev and split and name is not None and split.match(name):
                place = dev
            said = "" if gone else self._from_root(line, text)
            parts.setdefault(place, []).append(_loosened(line, said, pinned=pinned))
        for path, lines in parts.items():
            yield path, "\n".join(lines).strip("\n") + "\n"

    def _from_root(self, line: RequirementLine, text: str) -> str:
        """``text`` with a folder of the project as it is called on any machine."""
        source = line.requirement.source
        path = Path(source.path) if isinstance(source, DirectorySource) else None
        if path is None or not path.is_relative_to(self._root):
            return text
        near = path.relative_to(self._root).as_posix()
        return text.replace(str(path), "." if near == "." else f"./{near}")


_TOOL = "Nothing in the list needs it: every environment has its own."
_OF_DEBIAN = "Some pips of Debian list it, and no index has it."
_GONE = "What it names is not on this machine; the newest version of an index is taken for it."


def _is_gone(line: RequirementLine) -> bool:
    """Whether it names a file of the machine that the list was made on: conda's builds, say."""
    url = line.url or ""
    named = line.requirement.name is not None and not line.editable
    return named and url.startswith("file:///") and not Path(unquote(url[7:])).exists()


def _loosened(line: RequirementLine, text: str, *, pinned: bool) -> str:
    """The line without the version that its lock holds; with it where a comment may say why."""
    code, mark, _ = text.partition(" #")
    if text and (not pinned or mark):
        return text.rstrip().removesuffix("\\").rstrip()
    code = re.split(r"\s+(?:--hash|\\)", code)[0]
    requirement = line.requirement
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.spelled or requirement.name}{extras}{marker}"


def pinned_version(line: RequirementLine) -> str | None:
    """The version that the line pins."""
    clauses = list(line.requirement.specifier)
    exact = len(clauses) == 1 and clauses[0].operator in {"==", "==="}
    if not exact or not line.requirement.source.is_index or clauses[0].version.endswith(".*"):
        return None
    return clauses[0].version


def _entry(line: RequirementLine) -> LockEntry:
    requirement = line.requirement
    return LockEntry(
        name=requirement.name or canonical(""),
        version=Version(pinned_version(line) or "0"),
        extras=requirement.extras,
        marker=requirement.marker,
        hashes=requirement.hashes,
    )


def _needs(
    context: Context, pins: Sequence[LockEntry], target: Target, options: FileOptions
) -> Mapping[NormalizedName, set[NormalizedName]]:
    """What each of ``pins`` needs on ``target``, by what is installed, cached or in the index."""
    lock = Lock(entries=tuple(pins), header=LockHeader(text=""))
    # An index that only adds to the first one may be out of reach, and nobody is told here.
    asked = (options,) if options.index_url else ()
    with (
        closing(context.open_index(context.index_options(asked))) as index,
        ThreadPoolExecutor(12) as pool,
    ):
        known = Pinned(index, target, partial(as_locked, context, lock, target))
        said = dict(zip((each.name for each in pins), pool.map(known.requires, pins), strict=True))
    needs: dict[NormalizedName, set[NormalizedName]] = {name: set() for name in said}
    pending = [(each.name, extra) for each in pins for extra in ("", *each.extras)]
    seen: set[tuple[NormalizedName, str]] = set()
    while pending:
        name, extra = pending.pop()
        if name not in said or (name, extra) in seen:
            continue
        seen.add((name, extra))
        for each in dependencies_of(said[name] or (), target=target, extra=extra):
            needs[name] |= {canonical(each.name)} - {name}
            pending += [(canonical(each.name), canonical(one)) for one in each.extras]
    return needs
