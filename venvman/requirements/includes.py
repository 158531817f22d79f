"""Follows ``-r`` and ``-c`` from file to file, in pip's order.

As with pip, a file that is named twice is read twice, only a loop is a fault; what a constraints
file includes with ``-r`` are requirements again; a target is relative to the file that names it. Of
a lock that a ``-c`` names all is constraints, and so of the sources that are read in its place.
"""

from __future__ import annotations

import os.path
import re
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, Problem, RequirementsError
from venvman.model.frozen import dataclass
from venvman.requirements.file import IncludeLine
from venvman.system.secrets import line_of, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from venvman.model.errors import FileLine
    from venvman.requirements.file import ParsedFile, ParsedLine

UNREACHABLE = "include-unreachable"
"""The code of a file on a server that does not answer."""

KEEP_A_COPY = Advice("Try again when the server answers, or keep a copy and name that with -c.")

_INCLUDE = re.compile(r"^[ \t]*(-[rc]|--requirement|--constraint)[ \t=]*([^\s#]+)", re.MULTILINE)
_URL = re.compile(r"(?:https?|file):", re.IGNORECASE)


_DEEPEST = 100
"""So many files may include one another in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One line met on the way; ``line`` is None once for every file, where it begins.

    ``location`` is the file's absolute path or URL. ``constraint`` says how its includer named it.
    ``lenient`` marks a source read in place of its lock: what cannot be a constraint is no fault
    there.
    """

    location: str
    parsed: ParsedFile
    line: ParsedLine | None
    constraint: bool
    lenient: bool


class Follower:
    """Walks from one file through all it includes; problems are gathered, each once.

    Args:
        load: gives a location parsed, or raises :class:`RequirementsError`.
        stand_ins: which sources are read where a lock of the project is named.
    """

    def __init__(
        self, load: Callable[[str], ParsedFile], *, stand_ins: Mapping[str, Sequence[str]]
    ) -> None:
        self._load = load
        self._stand_ins = stand_ins
        self._problems: dict[Problem, None] = {}
        self._followed: set[tuple[str, bool, bool]] = set()
        self.locks: dict[str, bool] = {}
        """The locks that sources were read for; True where a ``-r`` names one, not only ``-c``."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong with the includes met so far."""
        return tuple(self._problems)

    def follow(self, location: str) -> Iterator[Visit]:
        """Every file and line reached from ``location``, itself first, in the order pip reads.

        Raises:
            RequirementsError: ``location`` itself cannot be read.
        """
        self._followed.clear()
        yield from self._visit(
            location, self._load(location), constraint=False, lenient=False, bound=False,
            chain=(location,),
        )  # fmt: skip

    def _visit(
        self, location: str, parsed: ParsedFile, *, constraint: bool, lenient: bool, bound: bool,
        chain: tuple[str, ...],
    ) -> Iterator[Visit]:  # fmt: skip
        """``bound``: it stands for a lock that a ``-c`` names, so that all below is constraints."""

        def visit(line: ParsedLine | None) -> Visit:
            return Visit(
                location=location, parsed=parsed, line=line, constraint=constraint, lenient=lenient
            )

        yield visit(None)
        for line in parsed.lines:
            if isinstance(line, IncludeLine):
                named = resolve(location, line.target)
                if named in self._stand_ins:
                    whole = not (line.constraint or bound)
                    self.locks[named] = self.locks.get(named, False) or whole
                for target in self._stand_ins.get(named, (named,)):
                    yield from self._target(
                        target, line, lenient=lenient, bound=bound, replaced=target != named,
                        chain=chain,
                    )  # fmt: skip
            else:
                yield visit(line)

    def _target(
        self, target: str, line: IncludeLine, *, lenient: bool, bound: bool, replaced: bool,
        chain: tuple[str, ...],
    ) -> Iterator[Visit]:  # fmt: skip
        constraint = line.constraint or bound
        if target in chain:
            # pip sees no loop where a lock is named that does not include its source.
            if not replaced and not lenient:
                self._fault(_loop(line.origin, (*chain, target)))
            return
        met = (target, constraint, lenient or replaced)
        if met in self._followed:
            return  # a second time it says nothing new
        self._followed.add(met)
        if len(chain) >= _DEEPEST:
            message = f"Includes are followed {_DEEPEST} files deep, and this would be one more."
            where = line_of(line.origin)
            self._fault(Problem(code="include-too-deep", message=message, **where))
            return
        try:
            parsed = self._load(target)
        except RequirementsError as error:
            for problem in error.problems:
                self._fault(_unreadable(line, problem))
            return
        yield from self._visit(
            target,
            parsed,
            constraint=constraint,
            lenient=lenient or replaced,
            bound=bound or (line.constraint and replaced),
            chain=(*chain, target),
        )

    def _fault(self, problem: Problem) -> None:
        self._problems[problem] = None


def includes_in(text: str) -> Iterator[tuple[str, str]]:
    """Each ``-r`` and ``-c`` (so spelled) of a file's ``text`` with its target; no URLs."""
    for flag, target in _INCLUDE.findall(text):
        if "://" not in target:
            yield ("-c" if "c" in flag else "-r"), target


def is_url(location: str) -> bool:
    """Whether an include's target is a URL to pip (``http:``, ``https:``, ``file:``)."""
    return _URL.match(location) is not None


def resolve(including: str, target: str) -> str:
    """Where ``target``, as written in the file at ``including``, is: an absolute path or a URL."""
    if is_url(including):
        from urllib.parse import urljoin

        return urljoin(including, target)
    if is_url(target):
        return target
    return os.path.normpath(os.path.join(os.path.dirname(including), target))  # noqa: PTH118, PTH120 - text


def local_path(location: str) -> str | None:
    """The path that ``location`` is on this machine; None for an ``http:`` URL."""
    if not is_url(location):
        return location
    if location[:5].lower() != "file:":
        return None
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return url2pathname(urlsplit(location).path)


def _loop(origin: FileLine, chain: tuple[str, ...]) -> Problem:
    first = chain.index(chain[-1])
    names = " -> ".join(os.path.basename(each) for each in chain[first:])  # noqa: PTH119 - text
    return Problem(
        code="include-loop",
        message="The file includes itself.",
        **line_of(origin),
        why=names,
        fix=Advice(f"Take line {origin.line} out of {origin.path}."),
    )


def _unreadable(line: IncludeLine, problem: Problem) -> Problem:
    """The fault of a file that could not be read, told where it is included."""
    origin = line.origin
    kind = "constraints" if line.constraint else "requirements"
    target = redact(line.target)
    away = line.constraint and problem.code == UNREACHABLE
    return Problem(
        code="constraints-unreachable" if away else problem.code,
        message=f"The {kind} file {target!r} could not be read.",
        **line_of(origin),
        why=problem.why,
        fix=KEEP_A_COPY if away else None,
    )
