"""Staging: all that a transaction needs, laid ready beside the environment, and its steps planned.

Nothing outside of ``.venvman/stage`` is touched here.
"""

from __future__ import annotations

import json
import os
from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from venvman.environment.ledger import Provenance, direct_digest, entry_key, read_ledger
from venvman.environment.record import RecordRow, locate, tops_of
from venvman.install.attic import FOUND, Attic, AtticEntry
from venvman.install.journal import STAGE
from venvman.install.link import Linker, StoreDamaged
from venvman.install.moves import Exchange
from venvman.install.remove import Removal, claims, removals, units_of
from venvman.install.wheel import Staged, stage_wheel, write_record
from venvman.model.errors import AGAIN, InstallError, Problem, Severity
from venvman.model.events import Stage
from venvman.model.frozen import dataclass
from venvman.plan import Add, Remove
from venvman.store.store import StoredWheel
from venvman.system.files import spread_folders
from venvman.system.process import ProcessFault, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvman.install.journal import Step as Move
    from venvman.install.layout import Site
    from venvman.model.events import Reporter
    from venvman.model.names import NormalizedName
    from venvman.plan import Plan
    from venvman.project.settings import Link

_MANY = 20
"""From so many distributions on it matters where their folders are made. (Of one with very many
folders it would be the same place each time, by its name, and with what was freed there last.)"""

Incoming: TypeAlias = StoredWheel | AtticEntry


class AtticGone(InstallError):
    """Entries of the attic that the caller counted on cannot come back; nothing was changed.

    ``names`` must be obtained as wheels.
    """

    def __init__(self, names: tuple[NormalizedName, ...]) -> None:
        super().__init__(
            f"What the attic keeps of {', '.join(names)} was changed since.",
            code="attic-gone",
            fix=AGAIN,
        )
        self.names = names


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to bring about, and how.

    ``wheels`` has one entry for each distribution that ``plan`` adds or replaces; an
    :class:`AtticEntry` (see :meth:`venvman.install.attic.Attic.find`) where none need be fetched.
    ``requested`` are those that a person asked for, ``direct_urls`` the contents of
    ``direct_url.json``, ``described`` the digests of the build metadata of local folders (see
    :class:`venvman.environment.ledger.Provenance`).
    """

    plan: Plan
    wheels: Mapping[NormalizedName, Incoming]
    requested: frozenset[NormalizedName] = frozenset()
    direct_urls: Mapping[NormalizedName, bytes] = field(default_factory=dict)
    described: Mapping[NormalizedName, str] = field(default_factory=dict)
    link: Link
    compile_bytecode: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """``moves`` for the journal; ``restored`` came from the attic, ``kept`` are new keys in it."""

    moves: tuple[Move, ...]
    restored: tuple[NormalizedName, ...]
    kept: frozenset[str]


def prepare(request: Request, site: Site, *, keep: bool, reporter: Reporter) -> Prepared:
    """Stages everything for ``request`` and plans the moves; ``keep`` is for the attic.

    Raises:
        StoreDamaged: entries of the store were changed since they were unpacked.
        AtticGone: a distribution that was to come from the attic cannot.
        InstallError: something cannot be removed or installed.
        OSError: the disk is full, or forbids it.
    """
    work = _Staging(request, site, reporter)
    steps = (step for step in request.plan.steps if not isinstance(step, Add))
    removed, warnings = removals((each for step in steps for each in step.installed), site)
    for warning in warnings:
        reporter.problem(warning)
    os.makedirs(work.stage, exist_ok=True)
    if len(request.wheels) >= _MANY:
        spread_folders(work.stage)
    work.choose_sources()
    work.stage_wheels()
    return work.plan_moves(removed, keep=keep)


class _Staging:
    """The state of one preparation; each method is one part of it, in this order."""

    def __init__(self, request: Request, site: Site, reporter: Reporter) -> None:
        self.stage = f"{site.root}/{STAGE}"
        self._request = request
        self._site = site
        self._reporter = reporter
        self._attic = Attic(site.root)
        self._ledger = read_ledger(site.root)
        self._exchange = Exchange(site.root)
        self._wheels: list[tuple[NormalizedName, StoredWheel]] = []
        self._returning: list[AtticEntry] = []
        self._staged: list[Staged] = []
        self._provenances: dict[str, Provenance] = {}

    def choose_sources(self) -> None:
        """The attic where it has just what is wanted, else the store."""
        gone: list[NormalizedName] = []
        for step in self._request.plan.steps:
            if isinstance(step, Remove):
                continue
            source = self._request.wheels[step.name]
            if isinstance(source, AtticEntry):
                if self._attic.is_whole(source):
                    self._returning.append(source)
                else:
                    gone.append(step.name)
                continue
            kept = self._attic.find(
                step.name,
                sha256=(source.sha256,),
                requested=step.name in self._request.requested,
                direct_url=self._request.direct_urls.get(step.name),
                described=self._request.described.get(step.name, ""),
            )
            if kept is None:
                self._wheels.append((step.name, source))
            else:
                self._returning.append(kept)
        if gone:
            raise AtticGone(tuple(gone))

    def stage_wheels(self) -> None:
        """Links every wheel that the store has to give, compiles, and closes each RECORD."""
        linker = Linker(self._request.link)
        damaged: list[tuple[StoredWheel, str]] = []
        for number, (name, wheel) in enumerate(self._wheels):
            result = stage_wheel(
                wheel,
                self._site,
                stage=self.stage,
                number=number,
                linker=linker,
                requested=name in self._request.requested,
                direct_url=self._request.direct_urls.get(name),
            )
            if isinstance(result, str):
                damaged.append((wheel, result))
            else:
                self._staged.append(result)
                self._reporter.advanced(Stage.INSTALL, item=name)
        refused = linker.given_up(self._site.root)
        if refused is not None:
            self._reporter.problem(refused)
        if damaged:
            raise StoreDamaged(damaged)
        if self._request.compile_bytecode:
            compile_all(self._staged, self._site, reporter=self._reporter)
        for (name, wheel), staged in zip(self._wheels, self._staged, strict=True):
            size, mtime_ns = write_record(staged)
            self._provenances[staged.info] = Provenance(
                name=name,
                version=_normalized(wheel.manifest.version),
                sha256=wheel.sha256,
                direct=direct_digest(self._request.direct_urls.get(name)),
                requested=name in self._request.requested,
                mtime_ns=wheel.manifest.mtime_ns,
                record_size=size,
                record_mtime_ns=mtime_ns,
                described=self._request.described.get(name, ""),
                tops=tops_of(
                    (row.path for row in staged.rows),
                    site=staged.base,
                    folders=self._site.folders,
                ),
            )

    def plan_moves(self, removed: tuple[Removal, ...], *, keep: bool) -> Prepared:
        """Old ones out, emptied folders away, new ones in; then the ledger and the attic."""
        exchange = self._exchange
        slots = exchange.take_out(units_of(removed, self._site), len(removed))
        exchange.bring_back(self._returning)
        for number, staged in enumerate(self._staged):
            exchange.put_new(number, staged.base)
        self._tell_of_overwritten(removed)
        # Files of several projects that lose the lines of those that leave.
        edits = [edit for removal in removed for edit in removal.edits.items()]
        for number, (path, content) in enumerate(edits):
            exchange.planner.displace(path)
            if content is not None:
                exchange.write(f"edit-{number}", content)
                exchange.planner.put(f"edit-{number}", path)
        kept: frozenset[str] = frozenset()
        if keep:
            entries = [self._entry(*each) for each in zip(removed, slots, strict=True)]
            returning = {entry.key for entry in self._returning}
            kept = exchange.keep(entries, set(self._attic.keys()) - returning)
        self._close_ledger(removed)
        return Prepared(
            moves=tuple(exchange.planner.steps),
            restored=tuple(entry.name for entry in self._returning),
            kept=kept,
        )

    def _tell_of_overwritten(self, removed: tuple[Removal, ...]) -> None:
        """Warns of files that two distributions bring, with the names of both."""
        paths = set(self._exchange.planner.overwritten)
        if not paths:
            return
        site = self._site
        owners = claims(paths, site, without={each.info for each in removed})
        before = {path: info for info, rows in owners.items() for path in rows}
        for staged in self._staged:
            for row in staged.rows:
                path = locate(row.path, site=staged.base, root=site.root)
                if path not in paths:
                    continue
                other, before[path] = before.get(path), staged.info
                if other is None:
                    continue
                first, second = (
                    info.rpartition("/")[2].partition("-")[0] for info in (other, staged.info)
                )
                self._reporter.problem(
                    Problem(
                        code="file-of-two",
                        message=f"{first} and {second} both bring {path}; that of {second} is"
                        " there now.",
                        severity=Severity.WARNING,
                        path=path,
                        why="Which of the two is imported depends on the order in which they were"
                        " installed.",
                    )
                )

    def _entry(self, removal: Removal, units: list[tuple[str, str]]) -> AtticEntry | None:
        """The attic's entry for ``removal``; None for what a rename cannot bring back."""
        if not units or removal.edits:
            return None
        installed = removal.installed
        known = self._ledger.known(removal.info)
        version = str(installed.version or "unknown")
        found = Provenance(installed.name, version, "", "", False, 0, 0, 0)
        return AtticEntry(
            key=entry_key(found.name, version, FOUND) if known is None else known.key,
            info=removal.info,
            units=tuple(units),
            provenance=known or found,
            size=removal.size,
            sequence=self._ledger.sequence + 1,
        )

    def _close_ledger(self, removed: tuple[Removal, ...]) -> None:
        """What was removed by hand, or replaced by pip, is not known any more."""
        gone = {removal.info for removal in removed}
        kept = {
            info: row
            for info, row in self._ledger.distributions.items()
            if info not in gone and self._ledger.known(info)
        }
        back = {entry.info: entry.provenance for entry in self._returning}
        self._exchange.close(self._ledger.sequence + 1, kept | back | self._provenances)


def _normalized(version: str) -> str:
    from packaging.version import InvalidVersion, Version

    try:
        return str(Version(version))
    except InvalidVersion:
        return version


# Reads pairs of paths, the staged file and what it will be called, and prints what it has written.
# What does not compile (templates, code for another Python) is left as it is, as pip does.
_COMPILER = """
import json, py_compile, sys
for line in sys.stdin:
    source, name = json.loads(line)
    try:
        print(json.dumps(py_compile.compile(source, dfile=name, doraise=True)))
    except Exception:
        pass
"""


def compile_all(staged: Sequence[Staged], site: Site, *, reporter: Reporter) -> None:
    """Compiles every module of ``staged``, and adds the results to the rows of their RECORDs.

    Bytecode says of its source the time and size, which staging and renaming do not change. An
    interpreter that cannot be run leaves everything uncompiled, with a warning.
    """
    pairs: list[tuple[str, str]] = []
    for each in staged:
        for row in each.rows:
            path = f"{each.base}/{row.path}"
            if row.path.endswith(".py") and not row.path.startswith("../"):
                pairs.append((each.path_of(path), f"{site.named}/{path}"))
    if not pairs:
        return
    try:
        written = _in_parallel(pairs, python=site.python)
    except ProcessFault as error:
        reporter.problem(
            Problem(
                code="bytecode-not-compiled",
                message="Nothing was compiled: the environment's interpreter could not be run.",
                severity=Severity.WARNING,
                path=site.python,
                why=error.message,
            )
        )
        return
    by_folder = {each.site_folder: each for each in staged}
    stage = os.path.dirname(staged[0].site_folder)
    for path in written:
        slot, _, target = path[len(stage) + 1 :].partition("/")
        by_folder[f"{stage}/{slot}"].rows.append(RecordRow(target))


def _in_parallel(pairs: list[tuple[str, str]], *, python: str) -> list[str]:
    from concurrent.futures import ThreadPoolExecutor

    count = min(os.cpu_count() or 1, 8, 1 + len(pairs) // 100)
    shares = [pairs[number::count] for number in range(count)]

    def work(share: list[tuple[str, str]]) -> str:
        lines = "".join(f"{json.dumps(pair)}\n" for pair in share)
        return run([python, "-I", "-S", "-W", "ignore", "-c", _COMPILER], stdin=lines).stdout

    with ThreadPoolExecutor(count) as threads:
        outputs = list(threads.map(work, shares))
    return [json.loads(line) for output in outputs for line in output.splitlines()]
