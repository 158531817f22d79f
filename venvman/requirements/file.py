"""One requirements file: text in, lines as values out. Pure; reads pip's format as pip 26.3 does.

Every fault of the file is reported, each with its line; the good lines are there all the same.
What the file includes is named, not read: that is :mod:`venvman.project.scan`'s work.
"""

from __future__ import annotations

import re
from dataclasses import field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, FileLine, Fix, Problem
from venvman.model.frozen import dataclass
from venvman.model.names import canonical
from venvman.model.options import FileOptions
from venvman.model.pep508 import Malformed, parse_specifier
from venvman.model.sources import IndexSource, Source
from venvman.requirements.lines import logical_lines
from venvman.requirements.options import OptionFault, OptionsBuilder, read_options, split_line
from venvman.system.secrets import has_secret, is_broken, line_of, redact
from venvman.system.variables import expand, misfits, note_unset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet

    from venvman.model.names import NormalizedName
    from venvman.requirements.lines import LogicalLine
    from venvman.requirements.options import LineOptions
    from venvman.requirements.spec import Specification


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement or constraint, parsed.

    ``name`` is None for a direct reference that does not say it (``./pkg``, ``git+https://...``):
    it is known only after building. ``extras`` are in PEP 685 form. ``hashes`` are
    ``sha256:<hex>``. ``raw`` is the line's requirement part as written (variables unexpanded,
    comments and per-line options gone); for an editable it is what follows ``-e``.
    """

    name: NormalizedName | None
    spelled: str | None = None
    extras: frozenset[str] = frozenset()
    specifier: SpecifierSet
    marker: Marker | None = None
    source: Source = field(default_factory=IndexSource)
    hashes: tuple[str, ...] = ()
    config_settings: tuple[tuple[str, str], ...] = ()
    constraint: bool = False
    origin: FileLine
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLine:
    """A line that asks for a distribution.

    ``url`` is the direct URL as pip prints it (fragment kept, ``file:`` for a path; it may hold
    credentials), ``extras`` are as written and sorted; the canonical ones are the requirement's.
    """

    requirement: Requirement
    url: str | None = None
    extras: tuple[str, ...] = ()
    editable: bool = False

    @property
    def origin(self) -> FileLine:
        """The line's file, number and text."""
        return self.requirement.origin


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludeLine:
    """``-r target`` or ``-c target``: a path relative to the file that holds the line, or a URL."""

    origin: FileLine
    target: str
    constraint: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionLine:
    """A line of global options only; what they amount to is in :attr:`ParsedFile.options`."""

    origin: FileLine


ParsedLine = RequirementLine | IncludeLine | OptionLine


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """One file's lines in order, its own global options, and what could not be understood.

    ``options.find_links`` are as written (variables expanded). ``exposed`` are the lines that have
    credentials written out in a URL; like every origin's, their text has ``****`` instead.
    """

    path: str
    lines: tuple[ParsedLine, ...] = ()
    options: FileOptions = FileOptions()
    errors: tuple[Problem, ...] = ()
    exposed: tuple[FileLine, ...] = ()

    @property
    def requirements(self) -> tuple[RequirementLine, ...]:
        """The lines that ask for distributions."""
        return tuple(line for line in self.lines if isinstance(line, RequirementLine))

    @property
    def includes(self) -> tuple[IncludeLine, ...]:
        """The lines that name other files."""
        return tuple(line for line in self.lines if isinstance(line, IncludeLine))


def parse(
    text: str, *, path: str, variables: Mapping[str, str], cwd: str | None = None
) -> ParsedFile:
    """Reads the text of one requirements file.

    Args:
        text: what :func:`decode` gave.
        path: the file as people see it; stands in every origin and problem.
        variables: what ``${NAME}`` may stand for.
        cwd: the absolute folder that ``-e .`` and ``./x`` count from (with pip the working
            directory, with venvman the project root); None for this process's.
    """
    import os

    # Each stage of a command that follows includes comes here with the same text.
    return _parse(text, path, frozenset(variables.items()), cwd or os.getcwd())  # noqa: PTH109


@lru_cache(maxsize=16)
def _parse(text: str, path: str, variables: frozenset[tuple[str, str]], cwd: str) -> ParsedFile:
    reader = _Reader(path=path, variables=dict(variables), cwd=cwd)
    for line in logical_lines(text):
        reader.read(line)
    return replace(reader.result(), exposed=exposed_lines(text, path=path))


def exposed_lines(text: str, *, path: str) -> tuple[FileLine, ...]:
    """The lines of a file, comments among them, that have credentials written out in a URL."""
    if "://" not in text or "@" not in text:
        return ()
    return tuple(
        FileLine(path=path, line=number, text=redact(line.strip()))
        for number, line in enumerate(text.splitlines(), start=1)
        if "://" in line and has_secret(line)
    )


# `name==version`, as nearly every line of a lock begins; anything else takes the long way.
_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?P<specifier>==[0-9][0-9A-Za-z.+]*)"
)
# A pin such as `x==1.zip` is the name of an archive, to pip.
_MAYBE_ARCHIVE = re.compile(r"\.(?:zip|whl|t[a-z]+|gz|xz|bz2|lz|lzma)$", re.IGNORECASE)


class _Reader:
    """Gathers the lines of one file; one method for each kind of line."""

    def __init__(self, *, path: str, variables: Mapping[str, str], cwd: str) -> None:
        self._path = path
        self._variables = variables
        self._cwd = cwd
        self._lines: list[ParsedLine] = []
        self._errors: list[Problem] = []
        self._options = OptionsBuilder()

    def read(self, line: LogicalLine) -> None:
        """Understands one line, or notes why it cannot be."""
        shown = redact(line.text) if "://" in line.text else line.text
        origin = FileLine(path=self._path, line=line.number, text=shown)
        text = expand(line.text, self._variables)
        note_unset(origin, self._variables)
        if "://" in text:
            names = misfits(line.text, self._variables)
            if names or is_broken(text):
                self._errors.append(_broken(origin, names))
                return
        body, rest = split_line(text)
        try:
            options = read_options(rest) if rest else None
        except OptionFault as fault:
            self._fail(origin, str(fault), code=fault.code)
            return
        if options is None:
            self._read_requirement(origin, body, raw=line.text)
            return
        self._options.add_everywhere(options)
        if body.strip() or options.has("--editable"):
            self._read_with_options(origin, line, body, options)
        elif includes := options.values("--requirement") or options.values("--constraint"):
            constraint = not options.has("--requirement")
            self._lines.append(
                IncludeLine(origin=origin, target=includes[0], constraint=constraint)
            )
        else:
            self._options.add(options)
            self._lines.append(OptionLine(origin=origin))

    def result(self) -> ParsedFile:
        """Everything read so far."""
        return ParsedFile(
            path=self._path,
            lines=tuple(self._lines),
            options=self._options.build(),
            errors=tuple(self._errors),
        )

    def _read_with_options(
        self, origin: FileLine, line: LogicalLine, body: str, options: LineOptions
    ) -> None:
        # Other global options beside a requirement are ignored, as pip ignores them.
        pairs = (each.partition("=") for each in options.values("--config-settings"))
        settings = [(key, value) for key, _, value in pairs]
        editable = options.has("--editable")
        raw = split_line(line.text)[0].strip()
        if not body.strip():
            body = options.values("--editable")[0]
            raw = _raw_editable(line.text) or body
        self._read_requirement(
            origin,
            body,
            raw=raw,
            editable=editable,
            hashes=() if editable else tuple(options.values("--hash")),
            settings=tuple(settings),
        )

    def _read_requirement(
        self,
        origin: FileLine,
        body: str,
        *,
        raw: str,
        editable: bool = False,
        hashes: tuple[str, ...] = (),
        settings: tuple[tuple[str, str], ...] = (),
    ) -> None:
        pin = None if editable else _PIN.fullmatch(body.rstrip())
        pinned = pin and _pinned(pin, origin, hashes=hashes, settings=settings)
        if pinned:
            self._lines.append(pinned)
            return
        from venvman.requirements.spec import SpecificationFault, read_editable, read_requirement

        read = read_editable if editable else read_requirement
        try:
            found = read(body, cwd=self._cwd)
        except SpecificationFault as fault:
            self._fail(origin, str(fault), code=fault.code, why=fault.why, fix=fault.fix)
            return
        line = requirement_line(
            found, origin, raw=raw, editable=editable, hashes=hashes, settings=settings
        )
        self._lines.append(line)

    def _fail(
        self, origin: FileLine, message: str, *, code: str, why: str | None = None,
        fix: Fix | None = None,
    ) -> None:  # fmt: skip
        where, why = line_of(origin), why and redact(why)
        self._errors.append(Problem(code=code, message=redact(message), **where, why=why, fix=fix))


def _broken(origin: FileLine, names: tuple[str, ...]) -> Problem:
    """The URL of a line that cannot be taken apart, by the values of the variables ``names``."""
    if names:
        why = f"The value of {' and of '.join(names)} must be percent-encoded to stand in a URL."
    else:
        why = "A user name or password must be percent-encoded, a port be a number."
    return Problem(
        code="url-invalid",
        message="The URL in this line cannot be taken apart.",
        **line_of(origin),
        why=why,
        fix=Advice(
            "Percent-encode what is no letter or digit: / is %2F, # is %23, ? is %3F, [ is %5B, "
            "a blank is %20."
        ),
    )


def _pinned(
    pin: re.Match[str],
    origin: FileLine,
    *,
    hashes: tuple[str, ...],
    settings: tuple[tuple[str, str], ...],
) -> RequirementLine | None:
    """The line that ``pin`` is; None where only the long way can tell what it is."""
    if _MAYBE_ARCHIVE.search(pin[0]):
        return None
    try:
        specifier = parse_specifier(pin["specifier"])
    except Malformed:
        return None
    return RequirementLine(
        requirement=Requirement(
            name=canonical(pin["name"]),
            spelled=pin["name"],
            specifier=specifier,
            hashes=hashes,
            config_settings=settings,
            origin=origin,
            raw=pin[0],
        )
    )


def requirement_line(
    found: Specification,
    origin: FileLine,
    *,
    raw: str,
    editable: bool = False,
    hashes: tuple[str, ...] = (),
    settings: tuple[tuple[str, str], ...] = (),
) -> RequirementLine:
    """The line at ``origin`` that says ``found``."""
    return RequirementLine(
        requirement=Requirement(
            name=None if found.name is None else canonical(found.name),
            spelled=found.name,
            extras=frozenset(canonical(extra) for extra in found.extras),
            specifier=found.specifier,
            marker=found.marker,
            source=found.source,
            hashes=hashes,
            config_settings=settings,
            origin=origin,
            raw=raw,
        ),
        url=found.url,
        extras=tuple(sorted(found.extras)),
        editable=editable,
    )


def _raw_editable(text: str) -> str | None:
    """What ``-e`` is given in ``text``, its variables unexpanded."""
    try:
        editables = read_options(split_line(text)[1]).values("--editable")
    except OptionFault:
        return None
    return editables[0] if editables else None
