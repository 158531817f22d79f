"""Freezing with pins moved forward, all or some, and saying what holds the others back."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.engines import UpgradeAll, UpgradeSome
from venvman.model.errors import (
    Command,
    ConfigurationError,
    FileLine,
    LockError,
    Problem,
    Severity,
    VenvmanError,
)
from venvman.model.names import NormalizedName, canonical
from venvman.model.pep508 import Malformed, parse_requirement
from venvman.requirements.file import Requirement
from venvman.requirements.multiuse import EVERY
from venvman.system.secrets import redact
from venvman.workflow.freezing import freeze
from venvman.workflow.inputs import open_scan
from venvman.workflow.locks import read_group_lock
from venvman.workflow.outdating import outdated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from venvman.lock.file import Lock
    from venvman.outcomes import FreezeOutcome, Hold, OutdatedPin
    from venvman.workflow.context import Context
    from venvman.workflow.requests import FreezeRequest

COMMAND_LINE = "the command line"


def freeze_forward(context: Context, request: FreezeRequest, texts: Sequence[str]) -> FreezeOutcome:
    """Freezes, the pins of ``texts`` as new as they may be; none of them: all pins.

    A text is ``flask``, ``flask==3.0`` or ``flask<3``. What does not move although it is named is
    told with what holds it back. Of several projects one need not have every name.

    Raises:
        ConfigurationError: a text is something else.
        LockError: a name that no lock holds; says which are alike. Every name at once.
        VenvmanError: as freezing raises.
    """
    if not texts:
        return freeze(context, replace(request, upgrade=UpgradeAll()))
    asked = _asked(context, texts)
    if not asked.names:
        return freeze(context, request)
    outcome = freeze(context, replace(request, upgrade=asked))
    return replace(outcome, problems=(*outcome.problems, *_held_back(context, asked, outcome)))


def _asked(context: Context, texts: Sequence[str]) -> UpgradeSome:
    lines = [_line(text) for text in texts]
    names = frozenset(line.name for line in lines if line.name is not None)
    locks = [read_group_lock(context, each.lock, EVERY) for each in open_scan(context).sources]
    locked = frozenset(entry.name for lock in locks if lock for entry in lock.entries)
    unknown = sorted(names - locked)
    if unknown and locked and not context.several:
        problems = [_unknown(name, locked) for name in unknown]
        message = problems[0].message if len(problems) == 1 else "These are not locked."
        raise LockError(message, code="package-not-locked", problems=problems)
    lines = [line for line in lines if line.name in locked or not locked]
    return UpgradeSome(
        names=frozenset(line.name for line in lines if line.name is not None),
        within=tuple(line for line in lines if line.specifier),
    )


def _held_back(context: Context, asked: UpgradeSome, outcome: FreezeOutcome) -> Iterator[Problem]:
    """A note for each named pin that is where it was, unless it was told to be."""
    told = {line.name for line in asked.within}
    before = _versions(each.before for each in outcome.locks)
    after = _versions(each.lock for each in outcome.locks)
    still = sorted(
        name
        for name in asked.names - told
        if name in before and before[name] == after.get(name, before[name])
    )
    if not still:
        return
    try:
        behind = {pin.name: pin for pin in outdated(context, still).pins}
    except VenvmanError:
        return  # what was asked for is done; a note is not worth an error
    for name in still:
        pin = behind.get(name)
        yield Problem(
            code="package-stays",
            severity=Severity.NOTE,
            message=f"{name} stays at {', '.join(sorted(before[name]))}.",
            why="No newer version is known." if pin is None else _holding(pin),
        )


def _versions(locks: Iterable[Lock | None]) -> dict[NormalizedName, frozenset[str]]:
    found: dict[NormalizedName, frozenset[str]] = {}
    for entry in (entry for lock in locks if lock for entry in lock.entries):
        known = found.get(entry.name, frozenset())
        found[entry.name] = known | {redact(str(entry.version or entry.source))}
    return found


def _holding(pin: OutdatedPin) -> str:
    """What keeps ``pin`` from its newest version, as sentences."""
    texts = [_hold(each) for each in pin.holds]
    return f"There is {pin.latest}, but {'; '.join(texts)}."


def _hold(hold: Hold) -> str:
    if hold.reason is not None:
        return f"it {hold.reason}" if not hold.reason.startswith("it ") else hold.reason
    who = hold.package or f"{hold.path}:{hold.line}"
    return f"{who} asks for {hold.specifier}"


def _line(text: str) -> Requirement:
    try:
        parsed = parse_requirement(text)
    except Malformed:
        parsed = None
    if parsed is None or parsed.url or parsed.marker or parsed.extras:
        raise ConfigurationError(
            f"{redact(text)!r} names no package to upgrade.",
            code="upgrade-invalid",
            why="It is a name, or a name with versions: flask, flask==3.0, 'flask<3'.",
        )
    return Requirement(
        name=canonical(parsed.name),
        specifier=parsed.specifier,
        constraint=True,
        raw=text,
        origin=FileLine(path=COMMAND_LINE, line=0, text=text),
    )


def _unknown(name: NormalizedName, locked: frozenset[NormalizedName]) -> Problem:
    near = difflib.get_close_matches(name, sorted(locked), n=3)
    return Problem(
        code="package-not-locked",
        message=f"{name} is not locked.",
        why=f"Similar names that are: {', '.join(near)}." if near else None,
        fix=None if near else Command.venvman("add", name),
    )
