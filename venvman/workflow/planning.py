"""What is to be installed: what the locks say, and the plan that makes an environment so.

A lock may leave out by rule what its packages need all the same, setuptools mostly: pip-compile
without ``--allow-unsafe`` pins neither pip nor setuptools; pip then installs whatever is newest,
and so does ``sync``. What is there and fits stays.
"""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.drift import compare
from venvman.environment.inventory import Installed, Inventory, metadata_of, take_inventory
from venvman.lock.file import Lock, LockEntry, select
from venvman.lock.style import left_out
from venvman.model.errors import Advice, Command, InstallError, LockError, Problem, Severity
from venvman.model.names import NormalizedName, canonical
from venvman.model.sources import DirectorySource
from venvman.plan import Add, Plan, Replace, kept, make_plan
from venvman.requirements.declared import PYPROJECT, read_declared
from venvman.requirements.naming import DEFAULT
from venvman.system.reading import read_regular
from venvman.workflow.inputs import choose_groups, overridden, sync_options
from venvman.workflow.locks import require_lock
from venvman.workflow.recording import Selected, read_texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from venvman.environment.inspection import Environment
    from venvman.model.options import IndexOptions
    from venvman.model.target import Target
    from venvman.outcomes import FreezeOutcome
    from venvman.project.scan import Scan
    from venvman.workflow.context import Context
    from venvman.workflow.location import Location
    from venvman.workflow.requests import SyncRequest


AGAIN_ASKED = "it was asked for again"
_ASKS = rb"^Requires-Dist:\s*(?:setuptools|pip|distribute)\b"
_NEEDS = re.compile(_ASKS, re.MULTILINE | re.IGNORECASE)


def to_reinstall(
    context: Context, location: Location, selected: Selected, request: SyncRequest
) -> Mapping[NormalizedName, str]:
    """What ``request`` wants installed again, and what is locked and lacks files."""
    from venvman.doctor.recorded import damaged

    if location.environment is None:
        return request.reinstall
    found = damaged(
        take_inventory(location.environment, seen=context.seen), location.environment.root
    )
    every = {entry.name for entry in selected.entries}
    names = found & every
    if request.everything_again:
        return dict.fromkeys(every, AGAIN_ASKED)
    return {**dict.fromkeys(names, "files of it are missing or cut off"), **request.reinstall}


def completed(
    context: Context, scan: Scan, environment: Environment | None, selected: Selected
) -> Selected:
    """``selected`` with what its locks leave out by rule and what is installed of it needs."""
    absent = frozenset[NormalizedName]().union(*map(left_out, selected.locks))
    if environment is None or not absent:
        return selected
    pins = {entry.name: entry.version for entry in selected.entries}
    there = take_inventory(environment, seen=context.seen).distributions
    inventory = Inventory(
        distributions=tuple(
            each
            for each in there
            if each.name in absent
            or (each.name in pins and pins[each.name] in {None, each.version})
        )
    )
    options = sync_options(context, scan, selected.locks)
    beside = _needed_beside(context, scan, environment, inventory, selected.locks, options)
    entries = sorted((*selected.entries, *beside), key=lambda entry: entry.name)
    return replace(selected, entries=tuple(entries)) if beside else selected


def select_entries(
    context: Context,
    scan: Scan,
    location: Location,
    request: SyncRequest,
    frozen: FreezeOutcome | None,
) -> Selected:
    """What the locks of the groups that are asked for install, those just ``frozen`` as they are.

    Raises:
        LockError: two of them disagree, one is missing, or cannot be read.
    """
    groups = choose_groups(context, scan, request.groups)
    # A dry run's locks are not on disk.
    made = {each.group: each.lock for each in frozen.locks} if frozen else {}
    chosen = [source for source in scan.sources if source.group in groups]
    texts = read_texts(context, [(each.group, each.lock) for each in chosen])
    locks = [
        (
            context.project.display(each.lock),
            made.get(each.group) or require_lock(context, each.lock, each.chosen(groups)),
        )
        for each in chosen
    ]
    try:
        entries = with_own(context, scan, groups, select(locks, location.interpreter.target))
    except LockError as error:
        conflicting = [
            both
            for names in context.settings.conflicts.value
            if len(both := [each for each in groups if each in names]) > 1
        ]
        if not conflicting:
            raise
        alone = Command.venvman("sync", "--only-group", conflicting[0][-1])
        problems = [replace(each, fix=alone) for each in error.problems]
        raise LockError(error.message, code=error.code, problems=problems) from error
    return Selected(
        groups=groups, locks=tuple(lock for _, lock in locks), entries=entries, texts=texts
    )


def plan_for(
    context: Context, location: Location, selected: Selected, request: SyncRequest
) -> Plan:
    """What makes the environment at ``location`` equal to ``selected``; reads what is there."""
    there = location.environment
    inventory = Inventory(distributions=())
    if there is not None:
        inventory = take_inventory(there, seen=context.seen)
    drift = compare(selected.entries, inventory, root=context.project.root)
    names = {*map(canonical, context.settings.keep.value), *selected.keep}
    keep = kept(
        drift,
        inventory,
        names,
        location.interpreter.target,
        locked=[entry.name for entry in selected.entries],
        overridden=overridden(context, location.interpreter.target),
    )
    plan = make_plan(drift, keep=keep, inexact=request.inexact)
    if request.reinstall:
        plan = _with_named(plan, request.reinstall, selected, inventory)
    return plan if there is None else _with_incomplete(plan, there, selected, inventory)


def _with_named(
    plan: Plan, names: Mapping[NormalizedName, str], selected: Selected, inventory: Inventory
) -> Plan:
    """``plan``, and those of ``names`` again that are there as they should be, each with why.

    Raises:
        LockError: no lock in use names one of them.
    """
    entries = {entry.name: entry for entry in selected.entries}
    unknown = sorted(names.keys() - entries.keys())
    if unknown:
        raise LockError(
            f"No lock in use names {', '.join(unknown)}.",
            code="package-not-locked",
            fix=Command.venvman("tree"),
        )
    planned = {step.name for step in plan.steps}
    again = [
        Replace(entry=entries[each.name], installed=(each,), because=names[each.name])
        for each in inventory.distributions
        if each.name in names.keys() - planned
    ]
    steps = sorted((*plan.steps, *again), key=lambda step: step.name)
    return replace(plan, steps=tuple(steps), unchanged=plan.unchanged - len(again))


def _with_incomplete(
    plan: Plan, environment: Environment, selected: Selected, inventory: Inventory
) -> Plan:
    """``plan``, and again what somebody who leaves has overwritten a file of."""
    from venvman.install.layout import site_of
    from venvman.install.remove import left_incomplete, removals

    leaving = [each for step in plan.steps if not isinstance(step, Add) for each in step.installed]
    if not leaving:
        return plan
    try:
        site = site_of(environment)
        found = left_incomplete(removals(leaving, site)[0], site)
        files = {info.rpartition("/")[2]: path for info, path in found.items()}
    except InstallError:
        return plan  # whoever carries it out says why that cannot be
    entries = {entry.name: entry for entry in selected.entries}
    again = [
        Replace(
            entry=entries[each.name],
            installed=(each,),
            because=f"{files[each.metadata.name]} was overwritten by what leaves",
        )
        for each in inventory.distributions
        if each.metadata.name in files and each.name in entries
    ]
    steps = sorted((*plan.steps, *again), key=lambda step: step.name)
    return replace(plan, steps=tuple(steps), unchanged=plan.unchanged - len(again))


def _needed_beside(
    context: Context,
    scan: Scan,
    environment: Environment,
    inventory: Inventory,
    locks: Sequence[Lock],
    options: IndexOptions,
) -> tuple[LockEntry, ...]:
    """A pin for everything that ``locks`` leave out and what is installed needs.

    What is installed stays where it fits; else it is the newest version that does.

    Raises:
        InstallError: there is no such version.
        IndexFault: the index did not answer.
    """
    pinned = {entry.name for lock in locks for entry in lock.entries}
    absent = frozenset[NormalizedName]().union(*map(left_out, locks)) - pinned
    target = environment.interpreter.target
    wanted = _needs(scan, inventory, absent, target) if absent else {}
    if not wanted:
        return ()
    there = {each.name: each for each in inventory.distributions}
    found: list[LockEntry] = []
    for name, (specifier, who) in sorted(wanted.items()):
        installed = there.get(name)
        version = installed.version if installed is not None else None
        if version is not None and specifier.contains(version, prereleases=True):
            found.append(LockEntry(name=name, version=version))
        else:
            entry = _newest(context, name, specifier, who, target, options)
            context.reporter.problem(
                Problem(
                    code="left-out-installed",
                    severity=Severity.NOTE,
                    message=f"{name} {entry.version} is installed beside the lock: {who} needs it.",
                    why="The lock's command has no --allow-unsafe, "
                    "so that it pins neither pip nor setuptools.",
                )
            )
            found.append(entry)
    return tuple(found)


def _needs(
    scan: Scan, inventory: Inventory, absent: frozenset[NormalizedName], target: Target
) -> Mapping[NormalizedName, tuple[SpecifierSet, NormalizedName]]:
    """What is asked of each of ``absent``, all together, and one distribution that asks."""
    from venvman.doctor.installed import active

    found: dict[NormalizedName, tuple[SpecifierSet, NormalizedName]] = {}
    if not any(map(_mentions, inventory.distributions)):
        return found
    wanted: defaultdict[NormalizedName, set[str]] = defaultdict(set)
    for file in scan.files:
        for line in file.parsed.requirements if file.parsed else ():
            if line.requirement.name is not None:
                wanted[line.requirement.name] |= set(map(canonical, line.requirement.extras))
    for each, requirement in active(inventory, wanted, target=target, metadata=metadata_of):
        if isinstance(requirement, str) or each.name in absent:
            continue
        name = canonical(requirement.name)
        if name in absent:
            known, who = found.get(name, (requirement.specifier, each.name))
            found[name] = known & requirement.specifier, who
    return found


def _mentions(installed: Installed) -> bool:
    """Whether its metadata may ask for one of the packages that are left out."""
    try:
        return _NEEDS.search(read_regular(installed.metadata / "METADATA")) is not None
    except OSError:
        return True  # an egg, or damaged: looked at closely


def _newest(
    context: Context, name: NormalizedName, specifier: SpecifierSet, who: NormalizedName,
    target: Target, options: IndexOptions,
) -> LockEntry:  # fmt: skip
    from venvman.index.candidates import Candidates

    with closing(context.open_index(options)) as index:
        project = index.project(name)
        candidates = Candidates(project, target=target, options=index.options)
        best = next(candidates.matching(specifier), None)
        if best is None:
            raise InstallError(
                f"No version of {name} fits: {who} needs {name}{specifier}.",
                code="left-out-missing",
                why="The lock leaves it out (no --allow-unsafe), so sync looks for the newest.",
                fix=Advice(f"Write into a requirements file which {name} is meant."),
            )
        hashes = {each for file in candidates.files(best.version) for each in file.hashes}
    sha256 = sorted(each for each in hashes if each.startswith("sha256:"))
    return LockEntry(name=name, version=best.version, hashes=tuple(sha256))


OWN = DirectorySource(path=".", editable=True)


def own_entry(context: Context, scan: Scan) -> LockEntry | None:
    """What a line ``-e .`` would lock; None where the project is not to be installed.

    It is no part of any lock: whoever reads those has the project, or wants none of it.
    """
    declared = any(each.declared and each.group == DEFAULT for each in scan.sources)
    if not declared or not context.settings.project.value:
        return None
    text = context.project.read(context.project.root / PYPROJECT).decode("utf-8", "replace")
    said = read_declared(text)
    if said is None or said.built is None or said.name is None:
        return None
    return LockEntry(name=said.name, version=None, source=OWN, via=(PYPROJECT,), origin=said.built)


def with_own(
    context: Context, scan: Scan, groups: Collection[str], entries: Iterable[LockEntry]
) -> tuple[LockEntry, ...]:
    """``entries``, and the project beside its dependencies, in place of any pin of its name."""
    own = own_entry(context, scan) if DEFAULT in groups else None
    if own is None:
        return tuple(entries)
    others = (each for each in entries if each.name != own.name)
    return tuple(sorted((*others, own), key=lambda entry: entry.name))
