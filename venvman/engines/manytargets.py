"""One lock for several targets: each solved by itself, made to agree, merged."""

from __future__ import annotations

from dataclasses import field, replace
from functools import partial
from typing import TYPE_CHECKING

from venvman.engines import Keep, Resolution, UpgradeAll
from venvman.engines.given import kept_entries
from venvman.engines.portable import pin_repositories
from venvman.engines.solving import freeze_from
from venvman.index.candidates import Candidates
from venvman.lock.file import Lock
from venvman.lock.merge import merge
from venvman.lock.style import own_header, style_of
from venvman.model.errors import Problem, Severity, UnsatisfiableError
from venvman.model.events import Relay, Reporter, Stage
from venvman.model.frozen import dataclass
from venvman.python.targets import label_of, names_of
from venvman.requirements.header import LockStyle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from venvman.engines import FreezeRequest
    from venvman.index.client import Index
    from venvman.lock.file import LockEntry
    from venvman.model.names import NormalizedName
    from venvman.model.target import Target
    from venvman.project.groups import Group
    from venvman.requirements.header import LockHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class _Difference:
    """On ``target``, ``name`` has the pin ``chosen``, where alone it would have ``alone``."""

    name: NormalizedName
    chosen: str
    alone: str
    target: Target = field(compare=False)


class ManyTargets:
    """One freeze, from start to end."""

    def __init__(self, request: FreezeRequest, index: Index, reporter: Reporter) -> None:
        self._request = request
        self._index = index
        self._reporter = _Once(reporter)
        # What holds for every target: commits, and hashes that had to be computed.
        self._freeze = partial(
            freeze_from,
            index,
            reporter=self._reporter,
            pinned=pin_repositories(request),
            computed={},
        )
        self._headers = {group.name: self._header(group) for group in request.groups}
        self._done: list[tuple[Target, Mapping[str, Lock]]] = []
        self._differences: list[_Difference] = []

    def run(self) -> Resolution:
        """The locks that hold for all targets; a conflict names those it is on."""
        conflicts: list[tuple[Target, UnsatisfiableError]] = []
        for target in self._request.targets:
            try:
                self._done.append((target, self._resolved(target)))
            except UnsatisfiableError as error:
                conflicts.append((target, error))
            self._reporter.advanced(Stage.FREEZE, item=label_of(target))
        if conflicts:
            raise _conflict(conflicts, self._request.targets)
        for note in _notes(self._differences):
            self._reporter.problem(note)
        locks = {
            name: merge([(target, found[name]) for target, found in self._done], header=header)
            for name, header in self._headers.items()
        }
        return Resolution(locks=locks)

    def _resolved(self, target: Target) -> Mapping[str, Lock]:
        """The locks of every group for ``target``."""
        request = self._for(target)
        alone = self._freeze(request=request).locks
        earlier = self._earlier()
        # Whether any version is one that no target has which has the name.
        if not any(
            name in earlier and entry.version not in {each.version for each in earlier[name]}
            for name, entry in _pins(alone).items()
        ):
            return alone
        locks = {name: self._with_earlier(lock, target) for name, lock in request.locks.items()}
        again = replace(request, locks=locks, upgrade=Keep())
        agreed = self._freeze(request=again).locks
        self._differences += _differences(target, agreed, alone)
        return agreed

    def _for(self, target: Target) -> FreezeRequest:
        """The request for ``target`` alone: its own part of the existing locks."""
        request = self._request
        locks = {
            group.name: Lock(
                entries=tuple(kept_entries(replace(request, target=target), group)),
                header=self._headers[group.name],
            )
            for group in request.groups
        }
        return replace(
            request,
            target=target,
            targets=(),
            built_on=request.target,
            locks=locks,
            upgrade=Keep() if isinstance(request.upgrade, UpgradeAll) else request.upgrade,
        )

    def _header(self, group: Group) -> LockHeader:
        """Venvman's own: pip-compile cannot write such a lock."""
        existing = self._request.locks.get(group.name)
        hashes = style_of(existing).hashes if self._request.hashes is None else self._request.hashes
        targets = self._request.targets
        minors = sorted({target.minor for target in targets})
        shown = list(dict.fromkeys(f"{major}.{minor}" for major, minor in (minors[0], minors[-1])))
        return own_header(
            LockStyle(hashes=hashes), python=" to ".join(shown), targets=names_of(targets)
        )

    # ---- agreement -------------------------------------------------------------------------

    def _earlier(self) -> dict[NormalizedName, list[LockEntry]]:
        """The pins of the targets that are done, by name, the last one's first."""
        found: dict[NormalizedName, list[LockEntry]] = {}
        for _, locks in reversed(self._done):
            for entry in _pins(locks).values():
                found.setdefault(entry.name, []).append(entry)
        return found

    def _with_earlier(self, lock: Lock, target: Target) -> Lock:
        """``lock`` with the pins of earlier targets for all that it does not pin itself."""
        known = {entry.name for entry in lock.entries}
        more = [
            entry
            for name, entries in self._earlier().items()
            if name not in known
            for entry in entries[:1]
            if entry.source.is_index
            and entry.version is not None
            # Else it would only give way later.
            and self._candidates(entry.name, target).at(entry.version)
        ]
        return replace(lock, entries=(*lock.entries, *more))

    def _candidates(self, name: NormalizedName, target: Target) -> Candidates:
        project = self._index.project(name)
        return Candidates(project, target=target, options=self._index.options)


class _Once(Relay):
    """Passes on what somebody should see who asked for one freeze; no problem twice."""

    def __init__(self, reporter: Reporter) -> None:
        super().__init__(reporter, "detail", "build_started", "build_finished")
        self._told: set[Problem] = set()

    def advanced(self, stage: Stage, *, item: str) -> None:
        """Of the whole, not of every target's groups."""
        if stage is not Stage.FREEZE or ":" in item:
            self._reporter.advanced(stage, item=item)

    def problem(self, problem: Problem) -> None:
        """See :class:`Reporter`."""
        if problem not in self._told:
            self._told.add(problem)
            self._reporter.problem(problem)


def _pins(locks: Mapping[str, Lock]) -> dict[NormalizedName, LockEntry]:
    """The index pins of all groups by name."""
    return {
        entry.name: entry
        for lock in locks.values()
        for entry in lock.entries
        if entry.source.is_index
    }


def _differences(
    target: Target, agreed: Mapping[str, Lock], alone: Mapping[str, Lock]
) -> Iterator[_Difference]:
    """What the requirement to agree changed on ``target``; ``nothing`` stands for no pin."""
    chosen, other = (
        {name: str(entry.version) for name, entry in _pins(locks).items()}
        for locks in (agreed, alone)
    )
    for name in sorted(chosen.keys() | other.keys()):
        here, there = chosen.get(name, "nothing"), other.get(name, "nothing")
        if here != there:
            yield _Difference(name=name, chosen=here, alone=there, target=target)


def _notes(differences: Iterable[_Difference]) -> Iterator[Problem]:
    """One for each difference, naming every target that has it."""
    targets: dict[_Difference, list[Target]] = {}
    for each in differences:
        targets.setdefault(each, []).append(each.target)
    for each, where in targets.items():
        on = ", ".join(names_of(where))
        yield Problem(
            code="target-follows-others",
            severity=Severity.NOTE,
            message=f"On {on}, {each.name} is {each.chosen}; freezing for it alone gives "
            f"{each.alone}.",
            why="Versions that other targets have are preferred, so that all agree.",
        )


def _conflict(
    conflicts: Sequence[tuple[Target, UnsatisfiableError]], every: Sequence[Target]
) -> UnsatisfiableError:
    """One error for all targets: each conflict with those it is on, unless that is ``every``."""
    where: dict[tuple[object, ...], list[Target]] = {}
    errors: dict[tuple[object, ...], UnsatisfiableError] = {}
    for target, error in conflicts:
        # What it is about: targets word the same conflict differently.
        key: tuple[object, ...] = tuple(
            (each.code, each.path, each.line, each.text) for each in error.problems
        )
        errors.setdefault(key, error)
        where.setdefault(key, []).append(target)
    problems: list[Problem] = []
    for key, error in errors.items():
        on = _on(where[key], every)
        first, *rest = error.problems
        problems += [replace(first, message=on + first.message), *rest]
    only = next(iter(errors.values()))
    if len(errors) > 1:
        on = _on([target for target, _ in conflicts], every)
        message = f"{on}The requirements cannot be met."
        return UnsatisfiableError(message, code=only.code, problems=problems)
    message = _on([target for target, _ in conflicts], every) + only.message
    return UnsatisfiableError(
        message, code=only.code, why=only.why, fix=only.fix, problems=problems
    )


def _on(targets: Sequence[Target], every: Sequence[Target]) -> str:
    """The beginning of a sentence."""
    return "" if len(targets) == len(every) else f"On {', '.join(names_of(targets))}: "
