"""``outdated``: how far each pin could move, and what holds it back."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar, cast

from packaging.specifiers import SpecifierSet

from venvman.engines import UpgradeAll, UpgradeSome
from venvman.index.candidates import Candidates, RejectionKind
from venvman.lock.edges import LockedGroup, build_graph, in_order
from venvman.model.errors import Command, IndexFault, InstallError, Problem, Severity, VenvmanError
from venvman.model.frozen import dataclass
from venvman.model.names import NormalizedName, canonical
from venvman.model.options import cutoff
from venvman.model.sources import VcsSource
from venvman.outcomes import Hold, OutdatedOutcome, OutdatedPin
from venvman.system.secrets import redact
from venvman.system.workers import WorkerPool
from venvman.workflow.freezing import freeze
from venvman.workflow.graphing import KnownMetadata, Locked, known_name, read_locked
from venvman.workflow.inputs import sync_options
from venvman.workflow.requests import FreezeRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from packaging.version import Version

    from venvman.index.client import Index
    from venvman.lock.file import LockEntry
    from venvman.model.graph import Graph
    from venvman.workflow.context import Context

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")

_AT_ONCE = 12
"""Pages asked for at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    """One requirement on a pin, and where it stands."""

    specifier: SpecifierSet
    hold: Hold


def outdated(context: Context, names: Sequence[str] = ()) -> OutdatedOutcome:
    """Every pin (of ``names``, if any are given) that may move or that something newer exists of.

    What moves is solved as ``upgrade`` of the same names solves it.

    Raises:
        LockError: there is no lock, or it has no such package.
        IndexFault: an index did not answer.
        VenvmanError: requirements that cannot be read.
    """
    context = context.looking()
    locked = read_locked(context)
    root = context.project.root

    def graph(
        groups: Sequence[LockedGroup], requires: Callable[[LockEntry], Sequence[str] | None]
    ) -> Graph:
        return build_graph(groups, target=locked.target, root=root, requires=requires)

    plain = graph(locked.groups, lambda _: None)
    if context.several and names:
        names = [each for each in names if canonical(each) in plain.packages]
        if not names:
            return OutdatedOutcome(project=context.project, pins=(), checked=0)
    wanted = {known_name(plain, name, locked) for name in names} or plain.packages.keys()
    command = _upgrade(locked)
    upgraded = _upgraded(context, locked, frozenset(wanted) if names else None, command)
    pins = [entry for entry in _entries(locked.groups, locked) if entry.name in wanted]
    entries = [entry for entry in pins if entry.source.is_index]
    every = _entries(upgraded.groups, locked)
    after = {entry.name: entry for entry in every} if upgraded.solved else {}
    options = sync_options(context, locked.scan, [each.lock for each in locked.groups])
    with closing(context.open_index(options)) as index, KnownMetadata(context) as known:
        market = _Market(context, locked, index, known)
        market.open(entries)
        behind = [
            entry
            for entry in pins
            if market.latest(entry) is not None
            or _text(after.get(entry.name, entry)) != _text(entry)
        ]
        plain = graph(upgraded.groups, lambda _: None)
        parents = {edge.parent for each in behind for edge in plain.needed_by.get(each.name, ())}
        requires = market.requires([entry for entry in every if entry.name in parents])
    described = graph(upgraded.groups, requires.get)
    moving = upgraded.solved and [each for each in pins if isinstance(each.source, VcsSource)]
    return OutdatedOutcome(
        project=context.project,
        pins=tuple(
            _checked(
                entry,
                after.get(entry.name, entry) if upgraded.solved else None,
                market,
                described,
                locked,
            )
            for entry in behind
        ),
        checked=len(entries) + len(moving or ()) - len(market.problems),
        problems=(*locked.problems, *market.problems, *upgraded.problems),
        upgrade=command,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Upgraded:
    """The locks as ``upgrade`` leaves them; as they are where that was not ``solved``."""

    groups: tuple[LockedGroup, ...]
    solved: bool
    problems: tuple[Problem, ...] = ()


def _upgraded(
    context: Context,
    locked: Locked,
    names: frozenset[NormalizedName] | None,
    command: Command | None,
) -> _Upgraded:
    """What ``upgrade`` does (of ``names``: to these), where this machine's ``upgrade`` may."""
    if command != Command.venvman("upgrade"):  # only its own tool writes such a lock
        return _Upgraded(groups=locked.groups, solved=False)
    upgrade = UpgradeAll() if names is None else UpgradeSome(names=names)
    try:
        outcome = freeze(context, FreezeRequest(dry_run=True, upgrade=upgrade))
    except VenvmanError as error:
        context.evidence.mark_uncacheable()  # of the pages that it met nobody tells
        return _Upgraded(
            groups=locked.groups,
            solved=False,
            problems=(
                Problem(
                    code="upgrade-unsolved",
                    severity=Severity.WARNING,
                    message="What may move together could not be solved; "
                    "each pin is looked at by itself.",
                    why=" ".join(dict.fromkeys(each.message for each in error.problems))
                    or str(error),
                ),
            ),
        )
    locks = {each.group: each.lock for each in outcome.locks}
    return _Upgraded(
        groups=tuple(replace(each, lock=locks.get(each.name, each.lock)) for each in locked.groups),
        solved=True,
    )


def _upgrade(locked: Locked) -> Command | None:
    headers = [each.lock.header for each in locked.groups]
    if any(header.tool is None or header.is_frozen_here for header in headers):
        return Command.venvman("upgrade")
    return next((header.rerun for header in headers), None)


class _Market:
    """What the index offers of the pins, asked for several at a time."""

    def __init__(
        self, context: Context, locked: Locked, index: Index, known: KnownMetadata
    ) -> None:
        self._target = locked.target
        self._index = index
        self._known = known
        self._cutoff = _cutoff(context, locked)
        self._offers: dict[NormalizedName, Candidates] = {}
        self.problems: list[Problem] = []

    def open(self, entries: Sequence[LockEntry]) -> None:
        """Reads the pages of ``entries``; one that no index has is a problem to tell.

        Raises:
            IndexFault: an index did not answer.
        """
        found = _at_once([entry.name for entry in entries], self._candidates)
        for entry in entries:
            offer = found[entry.name]
            if offer is None:
                self.problems.append(
                    Problem(
                        code="package-unlisted",
                        severity=Severity.WARNING,
                        message=f"No index has {entry.name} any more, "
                        "so nothing is known of newer versions.",
                        path=entry.origin.path if entry.origin else None,
                        line=entry.origin.line if entry.origin else None,
                    )
                )
            else:
                self._offers[entry.name] = offer

    def requires(self, entries: Sequence[LockEntry]) -> dict[LockEntry, tuple[str, ...] | None]:
        """The dependencies of ``entries``: from this machine, else from the index."""
        found = {entry: self._known(entry) for entry in entries}
        unknown = [entry for entry, lines in found.items() if lines is None]
        return found | _at_once(unknown, self._requires)

    def latest(self, entry: LockEntry) -> Version | None:
        """The newest version of all, if it is newer than the pin; for whatever target.

        Pre-releases count where the pin is one; yanked files never do.
        """
        offer = self._offers.get(entry.name)
        if offer is None or entry.version is None:
            return None
        for version in offer.versions:
            if version <= entry.version:
                return None
            if version.is_prerelease and not entry.version.is_prerelease:
                continue
            if any(file.yanked is None for file in offer.files(version)):
                return version
        return None

    def limits(
        self, entry: LockEntry, limits: Sequence[_Limit]
    ) -> tuple[Version | None, tuple[Hold, ...]]:
        """The newest version that ``limits`` and the target allow; what shuts out the latest."""
        latest = self.latest(entry)
        if latest is None:
            return None, ()
        together = SpecifierSet()
        for limit in limits:
            together &= limit.specifier
        found = [each.version for each in self._offers[entry.name].matching(together)]
        holds = [
            limit.hold for limit in limits if not limit.specifier.contains(latest, prereleases=True)
        ]
        rejection = self._rejection(entry, latest)
        if rejection is not None:
            holds.append(Hold(reason=rejection))
        newest = max((*found, entry.version) if entry.version else found, default=None)
        return newest, tuple(dict.fromkeys(holds))

    def _rejection(self, entry: LockEntry, version: Version) -> str | None:
        """Why the target cannot install ``version``; None if it can."""
        offer = self._offers[entry.name]
        if any(each.file.yanked is None for each in offer.at(version)):
            return None
        reasons = [
            each
            for each in offer.rejections(SpecifierSet(f"=={version}"))
            if each.version == version
        ]
        # A file for another platform says less than one for another Python.
        telling = [
            each
            for each in reasons
            if each.kind not in {RejectionKind.PLATFORM, RejectionKind.TAGS}
        ]
        return (telling or reasons)[0].reason if reasons else None

    def _candidates(self, name: NormalizedName) -> Candidates | None:
        project = self._index.project(name)
        if not project.known:
            return None
        return Candidates(
            project, target=self._target, options=self._index.options, exclude_newer=self._cutoff
        )

    def _requires(self, entry: LockEntry) -> tuple[str, ...] | None:
        """From the wheel that the target would take; None where only building would tell."""
        offer = self._offers.get(entry.name) or self._candidates(entry.name)
        if offer is None or entry.version is None:
            return None
        for candidate in offer.at(entry.version)[:1]:
            try:
                metadata = self._index.metadata(candidate.file)
            except (IndexFault, InstallError):
                self._index.evidence.mark_uncacheable()  # the next time it may answer
                return None
            return None if metadata is None else metadata.requires
        return None


def _checked(
    entry: LockEntry, after: LockEntry | None, market: _Market, graph: Graph, locked: Locked
) -> OutdatedPin:
    """``after`` is the pin as ``upgrade`` leaves it; None where that could not be solved."""
    limits = list(_limits(entry.name, graph, locked))
    newest, holds = market.limits(entry, limits)
    wanted = _text(after) if after is not None else str(newest or _text(entry))
    found = market.latest(entry)
    latest = wanted if found is None else str(found)
    if not holds and wanted != latest:
        text = f"cannot move to {newest}: what that needs does not fit the others"
        holds = (Hold(reason=text),)
    return OutdatedPin(
        name=entry.name,
        current=_text(entry),
        wanted=wanted,
        latest=latest,
        holds=holds if wanted != latest else (),
        direct=entry.name in graph.asked_by,
    )


def _text(entry: LockEntry) -> str:
    """The version of ``entry``; of a git requirement its commit, of others their source."""
    source = entry.source
    if isinstance(source, VcsSource):
        return (source.commit or source.revision or "")[:12]
    return str(entry.version) if source.is_index else redact(str(source))


def _limits(name: NormalizedName, graph: Graph, locked: Locked) -> Iterator[_Limit]:
    """Everything that limits ``name``: lines, constraints, and other packages."""
    lines = [
        line
        for group in locked.requirements.groups
        for line in (*group.requirements, *group.constraints)
        if line.name == name and locked.target.applies(line.marker)
    ]
    for line in lines:
        if line.specifier:
            origin = line.origin
            hold = Hold(specifier=in_order(line.specifier), path=origin.path, line=origin.line)
            yield _Limit(specifier=line.specifier, hold=hold)
    for edge in graph.needed_by.get(name, ()):
        if edge.specifier:
            hold = Hold(specifier=edge.specifier, package=edge.parent)
            yield _Limit(specifier=SpecifierSet(edge.specifier), hold=hold)


def _entries(groups: Sequence[LockedGroup], locked: Locked) -> list[LockEntry]:
    """The pins that the target takes, each once; groups that differ count with the first one's."""
    found: dict[NormalizedName, LockEntry] = {}
    for entry in (entry for group in groups for entry in group.lock.entries):
        known = not entry.source.is_index or entry.version is not None
        if known and locked.target.applies(entry.marker):
            found.setdefault(entry.name, entry)
    return [found[name] for name in sorted(found)]


def _cutoff(context: Context, locked: Locked) -> datetime | None:
    """As freezing has it: of the settings, else of the command in a lock's header."""
    said = [each.lock.header.exclude_newer for each in locked.groups]
    text = context.settings.exclude_newer.value or next(filter(None, said), None)
    if text is not None:
        context.evidence.mark_uncacheable()  # it may count back from now
    return None if text is None else cutoff(text, now=datetime.now(timezone.utc))


def _at_once(items: Sequence[K], ask: Callable[[K], V]) -> dict[K, V]:
    """``ask`` for every item, several at a time.

    Raises:
        VenvmanError: the first that ``ask`` raises; the others are given up.
    """
    answers: SimpleQueue[tuple[K, V | None, Exception | None]] = SimpleQueue()

    def task(item: K) -> None:
        try:
            answers.put((item, ask(item), None))
        except Exception as error:  # noqa: BLE001 - handed to the thread that waits
            answers.put((item, None, error))

    found: dict[K, V] = {}
    with WorkerPool(_AT_ONCE) as pool:
        for each in items:
            pool.submit(partial(task, each))
        for _ in items:
            item, answer, error = answers.get()
            if error is not None:
                raise error
            found[item] = cast("V", answer)
    return found
