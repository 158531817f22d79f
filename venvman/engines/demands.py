"""Lines of requirements files as demands for the solver."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version

from venvman.engines.describing import name_of
from venvman.model.errors import (
    Advice,
    Problem,
    RequirementsError,
    UnsatisfiableError,
    VenvmanError,
)
from venvman.model.names import NormalizedName, canonical
from venvman.model.pep508 import Malformed, parse_override
from venvman.model.sources import ArchiveSource, DirectorySource, IndexSource, VcsSource
from venvman.resolve.demand import Demand, Dependency, Pin
from venvman.resolve.misfits import with_python
from venvman.system.secrets import line_of, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from venvman.build.backend import ConfigSettings
    from venvman.engines.describing import Describer, DirectSource
    from venvman.requirements.file import Requirement
    from venvman.resolve.limits import Overrides
    from venvman.resolve.supply import Supply


class DirectPins:
    """The pin of every place that is named, each made once.

    ``commit`` fills in a repository's commit. Editable or not, a folder is one place.
    """

    def __init__(
        self,
        describer: Describer,
        supply: Supply,
        commit: Callable[[VcsSource, Requirement | None], VcsSource],
    ) -> None:
        self._describer = describer
        self._supply = supply
        self._commit = commit
        self._pins: dict[DirectSource, Pin] = {}

    def of_line(self, line: Requirement) -> Pin | None:
        """The pin of a line that names a place; None for one that does not.

        Raises:
            VenvmanError: it could not be had, built, or is something else; with file and line.
        """
        source = line.source
        if isinstance(source, IndexSource):
            return None
        try:
            pin = self._pin(source, line.config_settings, line.hashes, line)
        except VenvmanError as error:
            raise _located(error, line) from error
        if line.name is not None and pin.name != line.name:
            raise UnsatisfiableError(
                f"{redact(str(source))} is {pin.name}, not {line.name}.",
                code="name-differs",
                **line_of(line.origin),
                fix=Advice(f"Write {pin.name} in front of the @."),
            )
        return pin

    def of_dependency(self, line: Dependency) -> Pin:
        """The pin of a dependency with a URL."""
        from venvman.lock.direct import parse_reference

        url = line.url or ""
        reference = parse_reference(url)
        if reference is None or isinstance(reference.source, IndexSource):
            raise UnsatisfiableError(f"{redact(url)} is no place.", code="url-invalid")
        return self._pin(reference.source, (), (), None)

    def _pin(
        self,
        source: DirectSource,
        config: ConfigSettings,
        hashes: tuple[str, ...],
        line: Requirement | None,
    ) -> Pin:
        if isinstance(source, VcsSource):
            source = self._commit(source, line)
        key = _key_of(source)
        known = self._pins.get(key)
        if known is None:
            known = self._pins[key] = self._make(source, config, hashes)
        elif isinstance(source, DirectorySource) and source.editable:
            known.source = source
        return known

    def _make(self, source: DirectSource, config: ConfigSettings, hashes: tuple[str, ...]) -> Pin:
        metadata, exact = self._describer.direct(source, config, hashes)
        rejection = self._supply.python_mismatch(metadata.requires_python)
        name = name_of(metadata, source)
        if rejection is not None:
            raise UnsatisfiableError(
                f"{redact(str(source))} cannot be installed here.",
                code="requires-other-python",
                why=f"It {rejection}.",
                fix=with_python(metadata.requires_python or ""),
            )
        return Pin(
            name,
            Version(metadata.version or "0"),
            source=exact,
            requires=metadata.requires,
            extras=frozenset(canonical(each) for each in metadata.extras),
        )


def demands_of(line: Requirement, pin: Pin | None, overrides: Overrides) -> Iterator[Demand]:
    """What ``line``, which applies, asks for; ``pin`` is its place's, which no override moves."""
    name = line.name or (pin.name if pin else None)
    if name is None:
        return
    extras = tuple(sorted(line.extras))
    if name in overrides and pin is None:
        plain = Dependency(name, extras, str(line.specifier))
        for each in overrides.applied(plain):
            yield from _demands(each.name, each.extras, each.specifier, None, line)
        return
    yield from _demands(name, extras, "" if pin else str(line.specifier), pin, line)


def read_overrides(
    texts: Sequence[str], applies: Callable[[str], bool]
) -> dict[NormalizedName, tuple[Dependency, ...]]:
    """Overrides by name; a name whose overrides do not apply is demanded by nobody.

    Raises:
        RequirementsError: every text that is no requirement.
    """
    found: dict[NormalizedName, tuple[Dependency, ...]] = {}
    problems = []
    for text in texts:
        try:
            name, parsed = parse_override(text)
        except Malformed as error:
            problems.append(
                Problem(
                    code="override-invalid",
                    message=f"The override {text!r} is no requirement.",
                    path="pyproject.toml",
                    why=f"{error}.",
                )
            )
            continue
        known = found.get(name, ())
        if parsed is not None and (parsed.marker is None or applies(str(parsed.marker))):
            extras = tuple(sorted(canonical(each) for each in parsed.extras))
            instead = canonical(parsed.name)
            known = (*known, Dependency(instead, extras, str(parsed.specifier), parsed.url))
        found[name] = known
    if problems:
        raise RequirementsError.of(problems)
    return found


def _demands(
    name: NormalizedName,
    extras: Iterable[str],
    specifier: str,
    pin: Pin | None,
    line: Requirement,
) -> Iterator[Demand]:
    asked = tuple(extras)
    if pin is not None or specifier or line.hashes or not asked:
        echoed = bool(asked and specifier) and pin is None and line.spelled not in {None, name}
        yield Demand(name, "", specifier, pin=pin, line=line, hashes=line.hashes, echoed=echoed)
    for extra in asked:
        yield Demand(name, extra, specifier, pin=pin, line=line, hashes=line.hashes)


def _key_of(source: DirectSource) -> DirectSource:
    """What two references to the same thing have in common."""
    if isinstance(source, DirectorySource):
        return replace(source, editable=False)
    if isinstance(source, ArchiveSource):
        return replace(source, hashes=())
    return replace(source, revision=None)


def _located(error: VenvmanError, line: Requirement) -> VenvmanError:
    """``error``, telling the line that led to it unless it tells one."""
    first = error.problems[0]
    if first.path is not None and first.line is not None:
        return error
    where = line_of(line.origin)
    return type(error)(error.message, code=error.code, **where, why=error.why, fix=error.fix)
