"""What there is to choose from: versions of a project, and what one file of it depends on.

The one place where solving meets the network; everything is asked once, whoever asks. Thread-safe.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from venvman.index.candidates import Candidates
from venvman.index.once import Once
from venvman.model.errors import InstallError
from venvman.model.frozen import dataclass
from venvman.model.names import canonical
from venvman.model.pep508 import Malformed, parse_specifier
from venvman.resolve.demand import Demand, Pin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from packaging.version import Version

    from venvman.index.candidates import Candidate
    from venvman.index.client import Index
    from venvman.model.metadata import CoreMetadata
    from venvman.model.names import NormalizedName
    from venvman.model.options import IndexOptions
    from venvman.model.sources import IndexFile
    from venvman.model.target import Target
    from venvman.resolve.demand import Dependencies, Dependency
    from venvman.resolve.limits import Overrides

UNBUILDABLE = frozenset({"build-failed", "build-invalid", "build-requirements"})
"""The codes of errors that say of one file that it does not build here: others may."""
_HOPELESS = 8
"""So many files of one project that do not build, and the fault is not theirs."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a file says of itself; ``rejection`` is the reason (half a sentence) not to take it.

    ``final`` is False for what an sdist says before it is built.
    """

    requires: tuple[str, ...] = ()
    extras: frozenset[str] = frozenset()
    rejection: str | None = None
    final: bool = True


class Supply:
    """Asks ``index``; of sdists, ``guess`` tells what they say and ``build`` what holds."""

    def __init__(
        self,
        index: Index,
        *,
        target: Target,
        options: IndexOptions,
        guess: Callable[[IndexFile], tuple[CoreMetadata, bool] | None],
        build: Callable[[NormalizedName, IndexFile], CoreMetadata],
        exclude_newer: datetime | None = None,
    ) -> None:
        self.target = target
        self._index = index
        self._options = options
        self._guess = guess
        self._build = build
        self._exclude_newer = exclude_newer
        self._candidates: Once[tuple[NormalizedName, bool], Candidates] = Once()
        self._foreseen: Once[str, Described | None] = Once()
        self._built: Once[str, CoreMetadata] = Once()
        self.unbuilt: dict[NormalizedName, dict[str, InstallError]] = {}
        """What was said of files that do not build, by project and URL, as they were met."""
        self._refreshed: set[NormalizedName] = set()
        self.is_building = True

    @property
    def is_local(self) -> bool:
        """Whether everything there is lies on this machine."""
        return self._index.is_local

    def candidates(self, name: NormalizedName) -> Candidates:
        """The project's files.

        Raises:
            IndexFault: no index answered.
        """
        again = name in self._refreshed
        return self._candidates.get((name, again), lambda: self._ask(name, refresh=again))

    def refresh(self, name: NormalizedName) -> bool:
        """Makes the indexes be asked again, before "no such version" is said.

        False if that was done already, or must not be.
        """
        if name in self._refreshed or self._options.offline:
            return False
        self._refreshed.add(name)
        return True

    def known(self, name: NormalizedName) -> bool:
        """Whether the project's files were asked for."""
        return self._candidates.known((name, name in self._refreshed))

    def at_hand(self, name: NormalizedName) -> bool:
        """Whether :meth:`candidates` needs to ask nobody."""
        return self.known(name) or (name not in self._refreshed and self._index.at_hand(name))

    def foreseen_at_hand(self, candidate: Candidate) -> bool:
        """Whether :meth:`foreseen` needs to ask nobody."""
        file = candidate.file
        return self._foreseen.known(file.url) or self._index.metadata_at_hand(file)

    def described(self, candidate: Candidate) -> Described:
        """What ``candidate`` says of itself, if need be by building it.

        Raises:
            IndexFault, InstallError: as :meth:`final`.
        """
        if self._built.known(candidate.file.url):
            return self.final(candidate)
        return self.foreseen(candidate) or self.final(candidate)

    def foreseen(self, candidate: Candidate) -> Described | None:
        """What can be told without building; None where nothing can.

        Raises:
            IndexFault, InstallError: it could not be had, or is damaged.
        """
        return self._foreseen.get(candidate.file.url, lambda: self._foresee(candidate))

    def final(self, candidate: Candidate) -> Described:
        """What holds, whatever was foreseen; what does not build is refused.

        Raises:
            IndexFault, InstallError: it could not be had or is damaged; or too many files of the
                project do not build.
        """
        foreseen = self.foreseen(candidate)
        if foreseen is not None and foreseen.final:
            return foreseen
        if not (self.is_building or self._built.known(candidate.file.url)):
            raise InstallError(f"{candidate.file.filename} is not built.", code="not-built")
        try:
            built = self._built.get(
                candidate.file.url, lambda: self._build(candidate.name, candidate.file)
            )
        except InstallError as error:
            if error.code not in UNBUILDABLE:
                raise
            known = self.unbuilt.setdefault(candidate.name, {})
            known.setdefault(candidate.file.url, error)
            if len(known) > _HOPELESS:
                raise next(iter(known.values())) from None
            return Described(rejection="could not be built")  # another version may build
        return self._checked(candidate, built, final=True)

    def python_mismatch(self, requires_python: str | None) -> str | None:
        """Why the target's Python will not do; None if it will, or that makes no sense."""
        if not requires_python:
            return None
        try:
            wanted = parse_specifier(requires_python)
        except Malformed:
            return None
        if wanted.contains(self.target.python, prereleases=True):
            return None
        return f"needs Python {requires_python}, and the target is {self.target.python}"

    def _ask(self, name: NormalizedName, *, refresh: bool) -> Candidates:
        project = self._index.project(name, refresh=True) if refresh else self._index.project(name)
        limit = self._exclude_newer
        return Candidates(project, target=self.target, options=self._options, exclude_newer=limit)

    def _foresee(self, candidate: Candidate) -> Described | None:
        metadata = self._index.metadata(candidate.file)
        if metadata is not None:
            return self._checked(candidate, metadata, final=True)
        guess = self._guess(candidate.file)
        return None if guess is None else self._checked(candidate, guess[0], final=guess[1])

    def _checked(self, candidate: Candidate, metadata: CoreMetadata, *, final: bool) -> Described:
        return Described(
            final=final,
            requires=metadata.requires,
            extras=frozenset(canonical(each) for each in metadata.extras),
            rejection=_inconsistency(candidate, metadata)
            or self.python_mismatch(metadata.requires_python),
        )


def _inconsistency(candidate: Candidate, metadata: CoreMetadata) -> str | None:
    """Names and versions in a file must be those of its file name; pip takes no other."""
    if not metadata.name or canonical(metadata.name) != candidate.name:
        return f"says that its name is {metadata.name or 'missing'}"
    if not metadata.version or not _same_version(metadata.version, candidate.version):
        return f"says that its version is {metadata.version or 'missing'}"
    return None


def _same_version(text: str, version: Version) -> bool:
    if text == str(version):
        return True
    from packaging.version import Version

    try:
        return Version(text) == version
    except ValueError:  # InvalidVersion, or a number of too many digits
        return False


class Shared:
    """What all searches of one freeze have in common.

    ``direct`` makes the pin of a dependency that has a URL. ``introduced`` is who first brought
    each identifier in, ``refused`` why a pin cannot be used.
    """

    def __init__(
        self,
        supply: Supply,
        dependencies: Dependencies,
        *,
        direct: Callable[[Dependency], Pin],
        overrides: Overrides,
    ) -> None:
        self.supply = supply
        self.dependencies = dependencies
        self.pins: dict[tuple[NormalizedName, Version, tuple[str, ...]], Pin] = {}
        self.extras: dict[tuple[Pin, str], Pin] = {}
        self.introduced: dict[str, tuple[Pin | None, Demand]] = {}
        self.refused: dict[Pin, str] = {}
        self._direct = direct
        self._overrides = overrides
        self._demands: dict[Dependency, tuple[Demand, ...]] = {}
        self._same: dict[Pin, Demand] = {}

    def without_building(self) -> Shared:
        """The same, with a supply that refuses what it would have to build."""
        other = copy.copy(self)
        other.supply = copy.copy(self.supply)
        other.supply.is_building = False
        return other

    def demands(self, line: Dependency) -> tuple[Demand, ...]:
        """One line as demands: of the distribution, where it matters, and of each extra."""
        known = self._demands.get(line)
        if known is None:
            lines = self._overrides.applied(line)
            known = self._demands[line] = tuple(each for one in lines for each in self._made(one))
        return known

    def all_of(self, base: Pin) -> list[Pin]:
        """The pin ``base`` and those of its extras."""
        return [base, *(pin for (known, _), pin in self.extras.items() if known is base)]

    def same_version(self, base: Pin) -> Demand:
        """What an extra demands of its distribution."""
        known = self._same.get(base)
        if known is None:
            known = self._same[base] = Demand(base.name, "", f"=={base.version}", pin=base)
        return known

    def _made(self, line: Dependency) -> Iterator[Demand]:
        pin = self._direct(line) if line.url is not None else None
        if pin is not None or line.specifier or not line.extras:
            echoed = line.respelled and bool(line.extras) and pin is None
            yield Demand(line.name, "", line.specifier, pin=pin, echoed=echoed)
        for extra in line.extras:
            yield Demand(line.name, extra, line.specifier, pin=pin)
