"""Groups frozen together, so that their locks agree: which pins give way, and who stays apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from venvman.engines.conflicts import declared
from venvman.lock.freshness import Stale
from venvman.model.errors import Command, LockError, Problem, Severity, UnsatisfiableError
from venvman.model.frozen import dataclass
from venvman.requirements.naming import DEFAULT
from venvman.system.secrets import redact
from venvman.workflow.agreement import DISAGREEMENT, CheckedLock, tracked
from venvman.workflow.inputs import ALWAYS, open_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from venvman.lock.file import Lock
    from venvman.workflow.context import Context
    from venvman.workflow.requests import FreezeRequest

    Run = Callable[[Context, Sequence[CheckedLock], Sequence[CheckedLock]], Mapping[str, Lock]]


@dataclass(frozen=True, slots=True)
class Together:
    """The groups of one freeze: ``checked`` are their locks as they were, ``run`` is the engine."""

    context: Context
    checked: Sequence[CheckedLock]
    request: FreezeRequest
    run: Run

    def freeze(self, todo: Sequence[CheckedLock]) -> Mapping[str, Lock]:
        """New locks for ``todo`` beside the fresh ones, whose pins stay where that can be.

        Those of groups that are not always installed give way first. Where nothing else helps, all
        groups are frozen together, which may move pins of fresh locks.

        Raises:
            LockError: pins of the ``default`` group would have to move, and may not.
        """
        context = self.context
        fresh = [each for each in self.checked if each not in todo and each.lock is not None]
        # The groups that are declared to be unable to live with one of ``todo``.
        names = {each.group.name for each in todo}
        sets = (frozenset(each) for each in context.settings.conflicts.value)
        apart = frozenset().union(*(each for each in sets if each & names)) - names
        near = tuple(each for each in fresh if each.group.name not in apart)
        usual = self._members(*ALWAYS) if near else ()
        always = tuple(each for each in near if each.group.name in usual)
        for beside in dict.fromkeys((near, always)):
            try:
                return self._unmoved(todo, beside, self.run(context, todo, beside))
            except UnsatisfiableError as error:
                if not beside:
                    return self._parted(todo, error)
        settled = [each for each in todo if not _only_disagrees(each)]
        if len(settled) < len(todo):  # two fresh locks that cannot agree stay as they are
            left = [each.group.name for each in todo if each not in settled]
            self._tell_apart([(DEFAULT, name) for name in left])
            return self.freeze(settled) if settled else {}
        asked = [each for each in fresh if each.asked]
        try:
            found = self.run(context, [*todo, *asked], ())
        except UnsatisfiableError as error:
            return self._parted(todo, error)
        self._require_leave(asked, todo, found)
        return found

    def _parted(self, todo: Sequence[CheckedLock], error: UnsatisfiableError) -> Mapping[str, Lock]:
        """Locks for ``todo``, groups that cannot live together frozen apart: all pairs in one go.

        What cannot live with those that are always installed is frozen by itself.

        Raises:
            UnsatisfiableError: that is not where the trouble lies, or they are to be installed
                together.
        """
        context, usual = self.context, self._members(*ALWAYS)
        asked = [each for each in self.checked if each.asked]
        core = [each for each in asked if each.group.name in usual]
        pairs = [
            (one.group.name, two.group.name)
            for one, two in combinations(asked, 2)
            if not (one in core and two in core) and not self._fit([one, two])
        ]
        unresolvable = {name for pair in pairs for name in pair}
        for side in asked:  # with each of those always installed, and not with all of them
            if side not in core and side.group.name not in unresolvable and len(core) > 1:
                fits = self._fit([*core, side])
                pairs += [(each.group.name, side.group.name) for each in core if not fits]
        if not pairs:
            raise error
        if not self.request.apart:
            message = f"{_told(pairs)} cannot be installed together."
            way = Problem(
                code="groups-conflict",
                message=message,
                why=str(declared(pairs)),
                fix=Command.venvman("sync", "--only-group", pairs[0][1]),
            )
            raise UnsatisfiableError(message, code=error.code, problems=(*error.problems, way))
        self._tell_apart(pairs)
        barred = {two for one, two in pairs if one in usual}
        barred |= {one for one, two in pairs if two in usual}
        found: dict[str, Lock] = {}
        for side in todo:
            if side.group.name in barred:
                found |= self.run(context, [side], ())
        left = [each for each in self.checked if each.group.name not in barred]
        rest = [each for each in todo if each in left]
        if not rest:
            return found
        # As if the pairs had been declared.
        known = context.settings.conflicts
        others = [each for each in pairs if barred.isdisjoint(each)]
        conflicts = replace(known, value=(*known.value, *others))
        aware = replace(context, settings=replace(context.settings, conflicts=conflicts))
        return {**found, **replace(self, context=aware, checked=left).freeze(rest)}

    def _fit(self, together: Sequence[CheckedLock]) -> bool:
        """Whether there are versions for all of ``together``, or they are known to live apart."""
        try:
            self.run(self.context, together, ())
        except UnsatisfiableError:
            return False
        return True

    def _tell_apart(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.context.reporter.problem(
            Problem(
                code="groups-conflict",
                severity=Severity.WARNING,
                message=f"{_told(pairs)} cannot live together; their locks stay apart.",
                fix=declared(pairs),
            )
        )

    def _unmoved(
        self, todo: Sequence[CheckedLock], beside: Sequence[CheckedLock], found: Mapping[str, Lock]
    ) -> Mapping[str, Lock]:
        """``found``, or what keeps the pins of ``default`` that only other groups of ``todo`` move.

        Raises:
            LockError: they would have to move, and may not.
        """
        if not any(each.lock for each in todo):
            return found
        ships = self._members(DEFAULT)
        own = [each for each in todo if each.group.name in ships and each.lock is not None]
        others = [each for each in todo if each not in own]
        moves = [_moves(each.lock, found[each.group.name]) for each in own]
        if not others or not any(moves) or self._gives_way(own, others):
            return found
        alone = self.run(self.context, own, beside)
        if moves == [_moves(each.lock, alone[each.group.name]) for each in own]:
            return found
        kept = [replace(each, lock=alone[each.group.name]) for each in own]
        try:
            return {**alone, **self.run(self.context, others, (*kept, *beside))}
        except UnsatisfiableError:
            self._require_leave(kept, others, found)
            return found

    def _gives_way(self, own: Sequence[CheckedLock], others: Sequence[CheckedLock]) -> bool:
        """Whether git tracks a lock of ``others``, and none of ``own``."""
        known = tracked(self.context, [each.group.lock for each in (*own, *others)])
        mine, theirs = (any(known.get(e.group.lock) for e in each) for each in (own, others))
        return theirs and not mine

    def _members(self, *groups: str) -> frozenset[str]:
        """The groups with locks that ``groups`` stand for."""
        scan = open_scan(self.context)
        return frozenset(each for group in groups for each in scan.members(group))

    def _require_leave(
        self, fresh: Sequence[CheckedLock], todo: Sequence[CheckedLock], found: Mapping[str, Lock]
    ) -> None:
        """Asks before another group moves pins of ``default``: that is what ships."""
        ships, display, request = self._members(DEFAULT), self.context.project.display, self.request
        moved = {
            display(each.group.lock): _moves(each.lock, found[each.group.name])
            for each in fresh
            if each.group.name in ships
        }
        told = ", ".join(move for each in moved.values() for move in each)
        if not told or request.yes or request.looks:
            return
        shown = ", ".join(path for path, each in moved.items() if each)
        names = ", ".join(display(each.group.lock) for each in todo)
        message = f"{names} can only be frozen if {shown} changes"
        if request.confirm is not None and request.confirm(f"{message}: {told}. Change it?"):
            return
        raise LockError(
            f"{message}.",
            code="lock-would-move",
            path=shown,
            why=f"{told}. The lock of {DEFAULT} is fresh, and what it pins is what ships.",
            fix=Command.venvman("freeze", "--yes"),
        )


def _told(pairs: Sequence[tuple[str, str]]) -> str:
    return "The groups " + ", and ".join(f"{one} and {two}" for one, two in pairs)


def _only_disagrees(each: CheckedLock) -> bool:
    reasons = each.freshness.reasons if isinstance(each.freshness, Stale) else ()
    return bool(reasons) and all(reason.code == DISAGREEMENT for reason in reasons)


def _moves(before: Lock | None, after: Lock) -> list[str]:
    """``urllib3 1.26.18 -> 2.0.3``, for each pin that moves or goes."""

    def pins(lock: Lock | None) -> dict[str, str]:
        entries = lock.entries if lock else ()
        return {each.name: redact(str(each.version or each.source)) for each in entries}

    old, new = pins(before), pins(after)
    return [
        f"{name} {version} -> {new.get(name, 'gone')}"
        for name, version in old.items()
        if new.get(name) != version
    ]
