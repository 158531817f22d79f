"""How the native engine solves: every group at once, in this process, index pages fetched ahead.

One resolution for all groups, then one lock for each, holding what its own lines bring in. Groups
that cannot live together are resolved one by one, the pins of the others being constraints.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from venvman.engines import FreezeRequest, Keep, Resolution, UpgradeSome
from venvman.engines.conflicts import SHARED_PINS, resolved_apart, unresolvable_apart
from venvman.engines.demands import DirectPins, demands_of, read_overrides
from venvman.engines.describing import Describer
from venvman.engines.given import beside_lines, first_of_each, kept_entries, ordered, read_sources
from venvman.engines.locking import Locking
from venvman.engines.portable import Portable, written_reference
from venvman.model.errors import ConfigurationError, FileLine, UnsatisfiableError
from venvman.model.events import Reporter, Stage
from venvman.model.options import cutoff, layer
from venvman.requirements.file import Requirement
from venvman.resolve.demand import Dependencies, Pin, specifier_set
from venvman.resolve.explain import Explainer
from venvman.resolve.limits import Overrides
from venvman.resolve.solver import (
    Question,
    Unsolvable,
    closure,
    contradiction,
    solve,
    solve_forward,
)
from venvman.resolve.supply import Shared, Supply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from venvman.engines.portable import Pinned
    from venvman.index.client import Index
    from venvman.lock.file import Lock
    from venvman.model.names import NormalizedName
    from venvman.model.sources import VcsSource
    from venvman.project.groups import Group
    from venvman.resolve.demand import Demand
    from venvman.resolve.solver import Solution


def open_index(request: FreezeRequest, reporter: Reporter) -> Index:
    """The index that ``request`` and its files describe; the caller closes it."""
    from venvman.index.client import Index

    files = tuple(options for group in request.groups for options in group.options)
    return Index(
        layer(request.index, files),
        directories=request.directories,
        variables=request.variables,
        reporter=reporter,
    )


def freeze_from(
    index: Index,
    request: FreezeRequest,
    reporter: Reporter,
    *,
    pinned: Pinned,
    computed: dict[str, str],
) -> Resolution:
    """Locks for ``request.groups`` on ``request.target``; several targets may share the rest.

    ``pinned`` are the commits of repositories, ``computed`` hashes by URL, which are added to.

    Raises:
        VenvmanError: see :data:`venvman.engines.Engine`.
    """
    with _few_collections():
        run = _Freeze(request, index, reporter, pinned, computed)
        return resolved_apart(request, reporter, run.resolve)


@contextmanager
def _few_collections() -> Iterator[None]:
    """Thousands of values come and nearly all stay: to look for waste would take a tenth."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Freeze:
    """One freeze, from start to end."""

    def __init__(
        self,
        request: FreezeRequest,
        index: Index,
        reporter: Reporter,
        pinned: Pinned,
        computed: dict[str, str],
    ) -> None:
        self._request = request
        self._reporter = reporter
        self._root = request.project.root
        target = request.target
        self._sources = {
            group.name: read_sources(group, request.project) for group in request.groups
        }
        self._pinned = pinned
        exclude_newer = None
        try:
            if request.exclude_newer is not None:
                exclude_newer = cutoff(request.exclude_newer, now=datetime.now(timezone.utc))
        except ValueError as error:
            raise ConfigurationError(
                f"exclude-newer cannot be used: {error}.", code="exclude-newer-invalid"
            ) from None
        describer = Describer(
            request,
            index=index,
            options=index.options,
            config_settings={
                line.name: line.config_settings
                for group in request.groups
                for line in group.requirements
                if line.name is not None and line.config_settings
            },
            reporter=reporter,
        )
        self._supply = Supply(
            index,
            target=target,
            options=index.options,
            guess=describer.guess,
            build=describer.sdist,
            exclude_newer=exclude_newer,
        )
        self._within: tuple[Requirement, ...] = ()
        if isinstance(request.upgrade, UpgradeSome):
            self._within = request.upgrade.within
            for name in request.upgrade.names:  # whoever asks for the newest means now
                self._supply.refresh(name)
        dependencies = Dependencies(target)
        self._overrides = Overrides(read_overrides(request.overrides, dependencies.applies))
        self._direct = DirectPins(describer, self._supply, self._commit)
        self._shared = Shared(
            self._supply,
            dependencies,
            direct=self._direct.of_dependency,
            overrides=self._overrides,
        )
        self._locking = Locking(
            request,
            sources=self._sources,
            portable=Portable(self._root, self._pinned),
            index=index,
            supply=self._supply,
            computed=computed,
            name_of=self._name,
            roots=lambda group: self._roots[group.name],
        )
        # Folders, archives and repositories that the lines name are looked at here.
        self._roots = {
            group.name: tuple(
                demand
                for line in self._applying(group.requirements)
                for demand in demands_of(line, self._direct.of_line(line), self._overrides)
            )
            for group in request.groups
        }
        self._beside = tuple(beside_lines(request))

    def resolve(self, apart: set[str]) -> Resolution:
        groups = self._request.groups
        together = [group for group in groups if group.name not in apart]
        separate = [group for group in groups if group.name in apart]
        common = self._solve(together, ()) if together else {}
        common, alone = self._apart(together, separate, common)
        locks: dict[str, Lock] = {}
        for group in ordered(groups, self._sources):
            own = closure(self._roots[group.name], alone.get(group.name, common))
            limited = group.name in alone and bool(common)
            locks[group.name] = self._locking.lock(group, own, locks, limited=limited)
            self._reporter.advanced(Stage.FREEZE, item=group.name)
        return Resolution(locks={group.name: locks[group.name] for group in groups})

    def _apart(
        self, together: Sequence[Group], separate: Sequence[Group], common: Mapping[str, Pin]
    ) -> tuple[Mapping[str, Pin], dict[str, Mapping[str, Pin]]]:
        """The pins of each group of ``separate``, and ``common`` moved to where all can join it.

        Where a group cannot live with the common pins, they are found again together with it, as
        few of them moved as need be, and every group is tried anew.
        """
        moves = 2 * len(separate)
        alone: dict[str, Mapping[str, Pin]] = {}
        roots = [root for each in together for root in self._roots[each.name]]
        while len(alone) < len(separate):
            group = separate[len(alone)]
            try:
                alone[group.name] = self._solve([group], tuple(_limits(common)), common=common)
            except UnsatisfiableError as error:
                if not common:
                    raise
                if not moves:
                    raise unresolvable_apart(error, roots, common) from None
                moves -= 1
                kept = {pin.name: str(pin.version) for pin in common.values() if pin.source is None}
                joined = self._solve([*together, group], (), preferred=kept)
                common, alone = closure(roots, joined), {}
        return common, alone

    # ---- solving -------------------------------------------------------------------------

    def _solve(
        self,
        groups: Sequence[Group],
        limits: tuple[Requirement, ...],
        *,
        common: Mapping[str, Pin] | None = None,
        preferred: Mapping[NormalizedName, str] | None = None,
    ) -> Mapping[str, Pin]:
        """The pins of ``groups`` together, within ``limits`` and the sources of ``common``.

        ``preferred`` versions stay where they can, as existing pins do, and rather than those.
        """
        roots = [root for group in groups for root in self._roots[group.name]]
        # Sorted, so that the order of lines and files makes no difference.
        roots.sort(key=lambda root: (root.name, root.extra, root.specifier))
        lines = [line for group in groups for line in self._applying(group.constraints)]
        lines += [line for line in self._beside if line.source.is_index]
        lines = [line for line in lines if line.name and line.name not in self._overrides]
        pins = (pin for pin in (common or {}).values() if pin.source is not None)
        known = {pin.name: pin.base for pin in pins}
        found = filter(None, map(self._direct.of_line, lines))
        known |= {pin.name: pin for pin in found}
        beside = {line.name: line for line in self._beside if not line.source.is_index}

        def source(name: NormalizedName) -> Pin | None:
            """Of another lock's, that is looked at when asked for."""
            if name not in known and name in beside:
                pin = self._direct.of_line(beside[name])
                if pin is not None:
                    known[name] = pin
            return known.get(name)

        question = Question(
            roots=tuple(roots),
            constraints=(*lines, *limits, *self._within),
            kept={**self._kept(groups, roots), **(preferred or {})},
            source=source,
        )
        clash = contradiction(question)
        if clash is not None:
            raise Explainer(question, self._shared).contradiction(clash)
        try:
            solution = self._answer(question, groups)
        except Unsolvable as failure:
            raise Explainer(question, self._shared).explain(failure) from None
        for name in sorted(solution.moved):
            self._reporter.detail(f"{name} cannot stay at {question.kept[name]}.")
        return solution.pins

    def _answer(self, question: Question, groups: Sequence[Group]) -> Solution:
        upgrade = self._request.upgrade
        if isinstance(upgrade, UpgradeSome):
            still = replace(self._request, upgrade=Keep())
            named = {
                entry.name: str(entry.version)
                for group in groups
                for entry in kept_entries(still, group)
                if entry.name in upgrade.names and entry.source.is_index
            }
            if named:
                return solve_forward(question, named, self._shared)
        return solve(question, self._shared)

    def _applying(self, lines: Iterable[Requirement]) -> Iterator[Requirement]:
        target = self._request.target
        return (line for line in lines if target.applies(line.marker))

    def _commit(self, source: VcsSource, line: Requirement | None) -> VcsSource:
        """``source`` at the commit that was found for its ``line``, or is found now."""
        pinned = self._pinned.get(written_reference(line) or "") if line else None
        if pinned is not None:
            return replace(source, commit=pinned.commit)
        from venvman.obtain.vcs import resolve_commit

        return resolve_commit(
            source, cache=self._request.directories.cache, variables=self._request.variables
        )

    def _name(self, line: Requirement) -> NormalizedName | None:
        """Of a line that does not say it, the one that its place states."""
        if line.name is not None:
            return line.name
        pin = self._direct.of_line(line)
        return None if pin is None else pin.name

    def _kept(self, groups: Sequence[Group], roots: Sequence[Demand]) -> dict[NormalizedName, str]:
        """Versions to start from: existing pins, less those that a line of the user forbids."""
        entries = [entry for group in groups for entry in kept_entries(self._request, group)]
        pinned = {
            entry.name: entry.version
            for entry in first_of_each(entries)
            if entry.source.is_index and entry.version is not None
        }
        forbidden = {
            root.name
            for root in roots
            if root.name in pinned
            and (
                root.pin is not None
                or not specifier_set(root.specifier).contains(pinned[root.name], prereleases=True)
            )
        }
        return {name: str(pinned[name]) for name in pinned if name not in forbidden}


def _limits(common: Mapping[str, Pin]) -> Iterator[Requirement]:
    """The pins of ``common`` as constraints for groups that are frozen apart."""
    for number, pin in enumerate({pin.base: None for pin in common.values()}, start=1):
        if pin.source is None:
            text = f"=={pin.version}"
            yield Requirement(
                name=pin.name,
                specifier=specifier_set(text),
                constraint=True,
                origin=FileLine(path=SHARED_PINS, line=number, text=f"{pin.name}{text}"),
            )
