"""The solver on worlds that exist in memory only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import cast

from tests.support.worlds import TARGET
from venvman.index.client import Index
from venvman.index.listing import Listing, ProjectFiles
from venvman.index.page import FileRow, ProjectPage
from venvman.model.errors import FileLine, InstallError, VenvmanError
from venvman.model.metadata import CoreMetadata
from venvman.model.names import NormalizedName, canonical
from venvman.model.options import IndexOptions
from venvman.model.sources import IndexFile
from venvman.requirements.file import Requirement
from venvman.resolve.demand import Demand, Dependencies, Dependency, Pin, specifier_set
from venvman.resolve.explain import Explainer
from venvman.resolve.limits import Overrides
from venvman.resolve.solver import Question, Solution, Unsolvable, solve
from venvman.resolve.supply import Shared, Supply


class World:
    """``packages`` maps names to versions to dependency texts.

    What is among ``sdists`` only says what it probably depends on, and must not be built where
    there is nothing ``unbuildable`` (``name version``): that says nothing, unless it is an sdist.
    ``kept``: all of it is as if kept from an earlier run, so that no thread needs to fetch it.
    """

    def __init__(
        self,
        packages: Mapping[str, Mapping[str, Sequence[str]]],
        *,
        kept: bool = False,
        sdists: Collection[str] = (),
        unbuildable: Collection[str] = (),
    ) -> None:
        self.packages = packages
        self.unbuildable = unbuildable
        self.sdists = sdists
        self.is_local = False
        self.kept = kept
        self.asked: list[str] = []
        self.read: list[str] = []
        self.dependencies = Dependencies(TARGET)
        self.supply = self.fresh_supply()
        self.shared = self.fresh_shared()

    def solve(
        self, *texts: str, kept: Mapping[str, str] | None = None, constraints: Sequence[str] = ()
    ) -> Solution:
        """The solution for requirement ``texts``, one a line."""
        return solve(
            question(*texts, kept=kept, constraints=constraints),
            self.shared,
        )

    def explained(self, *texts: str) -> VenvmanError:
        """What is said of requirement ``texts``, which have no solution."""
        asked = question(*texts)
        explainer = Explainer(asked, self.shared)
        try:
            self.solve(*texts)
        except Unsolvable as failure:
            return explainer.explain(failure)
        raise AssertionError(f"{texts} have a solution")

    def pins(self, *texts: str, kept: Mapping[str, str] | None = None) -> dict[str, str]:
        """The same as versions by name."""
        found = self.solve(*texts, kept=kept).pins
        return {pin.name: str(pin.version) for pin in found.values()}

    def fresh_supply(self) -> Supply:
        """One that knows nothing yet."""
        return Supply(
            cast("Index", self),
            target=TARGET,
            options=IndexOptions(offline=True),
            guess=self._guess,
            build=self._build,
        )

    def fresh_shared(self) -> Shared:
        """The same for demands and pins."""
        return Shared(self.supply, self.dependencies, direct=_no_url, overrides=Overrides({}))

    def project(
        self,
        name: NormalizedName,
        *,
        refresh: bool = False,  # noqa: ARG002 - as an index has it
    ) -> ProjectFiles:
        """See what supplies ask of an :class:`Index`."""
        self.asked.append(name)
        rows = tuple(
            FileRow(f"{name}-{version}-py3-none-any.whl", f"https://x/{name}/{version}")
            for version in self.packages.get(name, {})
        )
        if not rows:
            return ProjectFiles(name, ())
        return ProjectFiles(name, (Listing.of(ProjectPage(url="https://x/", rows=rows), name),))

    def metadata(self, file: IndexFile) -> CoreMetadata | None:
        """See what supplies ask of an :class:`Index`."""
        found = self._of(file)
        self.read.append(f"{found.name} {found.version}")
        silent = found.name in self.sdists or self._is_unbuildable(file)
        return None if silent else found

    def _is_unbuildable(self, file: IndexFile) -> bool:
        return " ".join(file.url.split("/")[-2:]) in self.unbuildable

    def _build(self, name: NormalizedName, file: IndexFile) -> CoreMetadata:
        if self._is_unbuildable(file):
            raise InstallError(f"{file.filename} could not be built.", code="build-failed")
        assert self.unbuildable, f"{name} {file} would be built"
        return self._of(file)

    def _guess(self, file: IndexFile) -> tuple[CoreMetadata, bool] | None:
        found = self._of(file)
        return (found, False) if found.name in self.sdists else None

    def _of(self, file: IndexFile) -> CoreMetadata:
        name, version = file.url.split("/")[-2:]
        return CoreMetadata(
            name=name, version=version, requires=tuple(self.packages[name][version])
        )

    def at_hand(self, name: NormalizedName) -> bool:  # noqa: ARG002 - as an index has it
        """See what supplies ask of an :class:`Index`."""
        return self.kept

    def metadata_at_hand(self, file: IndexFile) -> bool:  # noqa: ARG002
        """See what supplies ask of an :class:`Index`."""
        return self.kept


def question(
    *texts: str, kept: Mapping[str, str] | None = None, constraints: Sequence[str] = ()
) -> Question:
    """The question that requirement ``texts`` ask, one a line."""
    return Question(
        roots=tuple(root for place, text in enumerate(texts) for root in roots(place, text)),
        constraints=tuple(line(place, text) for place, text in enumerate(constraints)),
        kept={canonical(name): version for name, version in (kept or {}).items()},
    )


def line(place: int, text: str) -> Requirement:
    """``text`` (``name>=1``, no extras) as line ``place + 1`` of a file."""
    from packaging.requirements import Requirement as Parsed

    parsed = Parsed(text)
    return Requirement(
        name=canonical(parsed.name),
        specifier=specifier_set(str(parsed.specifier)),
        origin=FileLine(path="requirements.in", line=place + 1, text=text),
        raw=text,
    )


def roots(place: int, text: str) -> list[Demand]:
    """The demands of that line."""
    wish = line(place, text)
    assert wish.name is not None
    return [Demand(wish.name, "", str(wish.specifier), line=wish)]


def _no_url(line: Dependency) -> Pin:
    raise AssertionError(f"{line} has a URL")
