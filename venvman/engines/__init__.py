"""Freeze engines: requirements in, locks out, each a function ``freeze``.

`native` asks :mod:`venvman.resolve`, `piptools` runs pip-compile. Which groups are frozen, and
whether that is due, is :mod:`venvman.workflow.freezing`'s.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from venvman.build.backend import Supply
    from venvman.index.memo import Page
    from venvman.lock.file import Lock, LockEntry
    from venvman.model.events import Reporter
    from venvman.model.names import NormalizedName
    from venvman.model.options import IndexOptions
    from venvman.model.target import Target
    from venvman.project.groups import Group
    from venvman.project.project import Project
    from venvman.requirements.file import Requirement
    from venvman.system.directories import Directories


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Existing pins stay unless a requirement forbids them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeAll:
    """Existing pins do not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeSome:
    """The pins of ``names`` go as far forward as may be, others only where those need it.

    ``within`` are constraints that count this once: ``flask<3``.
    """

    names: frozenset[NormalizedName]
    within: tuple[Requirement, ...] = ()


Upgrade = Keep | UpgradeAll | UpgradeSome


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeRequest:
    """Everything an engine needs to know.

    ``groups`` are frozen together, but for those that ``conflicts`` (sets of group names) keep
    apart; ``parts`` does so with others that turn out to conflict. ``python`` is the absolute path
    of the interpreter that ``target`` describes. ``locks`` are the existing locks by group, whose
    pins are kept as ``upgrade`` says; ``installed`` are pins that a lock which lacks them starts
    from, of an environment that somebody else made; ``beside`` are locks of other groups by path,
    whose pins are constraints. ``index`` is this machine's configuration and the user's flags: what
    source files say is applied by the engine.
    ``hashes`` None keeps what the existing lock's header says (hashes for a new one).
    ``variables`` is the environment that ``${VAR}`` in source files refer to. The rest are
    settings: ``exclude_newer`` is a date or an age (:func:`venvman.model.options.cutoff`),
    ``overrides`` are texts (:func:`venvman.model.pep508.parse_override`), ``build_constraints``
    PEP 508 ones; ``extra_build_requires``, ``unisolated``, ``build_python`` and ``building`` are
    those of :class:`venvman.build.backend.BuildSettings`. ``targets`` are those that one lock is
    made for, the preferred one first (:mod:`venvman.python.targets`); empty: ``target`` alone.
    ``built_on`` is what ``python`` really is where ``target`` is another: sdists are built by it.
    """

    project: Project
    groups: tuple[Group, ...]
    python: Path
    target: Target
    index: IndexOptions
    directories: Directories
    variables: Mapping[str, str]
    supply: Supply
    locks: Mapping[str, Lock] = field(default_factory=dict)
    installed: tuple[LockEntry, ...] = ()
    beside: Mapping[Path, Lock] = field(default_factory=dict)
    upgrade: Upgrade = field(default_factory=Keep)
    conflicts: tuple[frozenset[str], ...] = ()
    parts: bool = True
    hashes: bool | None = None
    exclude_newer: str | None = None
    overrides: tuple[str, ...] = ()
    build_constraints: tuple[str, ...] = ()
    extra_build_requires: Mapping[NormalizedName, tuple[str, ...]] = field(default_factory=dict)
    unisolated: frozenset[NormalizedName] = frozenset()
    build_python: Path | None = None
    building: frozenset[str] = frozenset()
    targets: tuple[Target, ...] = ()
    built_on: Target | None = None

    @property
    def lines(self) -> tuple[Requirement, ...]:
        """Every requirement and constraint of all groups."""
        return tuple(
            line for group in self.groups for line in (*group.requirements, *group.constraints)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """One finished lock for each group that was asked for.

    ``pages`` are the index pages that they rest on; None where that is more than pages.
    """

    locks: Mapping[str, Lock]
    pages: tuple[Page, ...] | None = None


Engine: TypeAlias = "Callable[[FreezeRequest, Reporter], Resolution]"
"""Anything that can freeze: locks for the groups of a request; writes nothing in the project.

Raises:
    UnsatisfiableError: no set of versions will do; the problems are the chain.
    IndexFault: a distribution or an index was not found or did not answer.
    FreezeError: anything else.
"""
