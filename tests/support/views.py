"""Outcomes of every kind, made by hand, for tests and pictures of the reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from packaging.version import Version

from venvman.doctor.examination import ExaminedLock
from venvman.environment.inspection import Condition, Environment, InstallPaths
from venvman.environment.inventory import Installed, MetadataKind
from venvman.lock.file import Lock, LockEntry
from venvman.lock.freshness import Fresh, Stale
from venvman.model.errors import Problem, Severity
from venvman.model.events import Stage
from venvman.model.names import canonical
from venvman.model.sources import IndexSource, Source
from venvman.model.target import Target
from venvman.outcomes import FreezeOutcome, LockOutcome, StatusReport, SyncOutcome
from venvman.plan import Add, Plan, Remove, Replace, Step
from venvman.project.project import Project
from venvman.python.probe import Interpreter, SchemePaths
from venvman.requirements.header import LockHeader

PROJECT = Project(root=Path("/work/shop"))


def entry(
    name: str, version: str | None = "1.0", *, source: Source | None = None, via: Sequence[str] = ()
) -> LockEntry:
    """A pin."""
    return LockEntry(
        name=canonical(name),
        version=None if version is None else Version(version),
        source=source or IndexSource(),
        via=tuple(via),
    )


def installed(name: str, version: str | None = "1.0", *, source: Source | None = None) -> Installed:
    """A distribution found in the environment, of a kind whose RECORD nobody looks for."""
    return Installed(
        name=canonical(name),
        spelled=name,
        version=None if version is None else Version(version),
        metadata=PROJECT.root / f"venv/site-packages/{name}-{version}.dist-info",
        source=source or IndexSource(),
        kind=MetadataKind.EGG_INFO_FOLDER,
    )


def add(name: str, version: str | None = "1.0", *, source: Source | None = None) -> Add:
    """A step that installs."""
    return Add(entry=entry(name, version, source=source), because="not installed")


def replace(name: str, before: str, after: str, *, because: str = "other version") -> Replace:
    """A step that swaps versions."""
    return Replace(entry=entry(name, after), installed=(installed(name, before),), because=because)


def remove(name: str, version: str = "1.0") -> Remove:
    """A step that takes out."""
    return Remove(installed=(installed(name, version),), because="not in the lock")


def interpreter(python: str = "3.11.7") -> Interpreter:
    """An interpreter that need not exist."""
    return Interpreter(
        path=Path("/usr/bin/python3"),
        prefix=Path("/usr"),
        target=Target(python=python, markers=(), tags=()),
        scheme=SchemePaths(purelib="lib", platlib="lib", scripts="bin", data="."),
        free_threaded=False,
        debug=False,
        has_venv=True,
        pip_version=None,
        pip_folders=(),
    )


def environment(path: Path = PROJECT.root / "venv") -> Environment:
    """A healthy environment that need not exist."""
    return Environment(
        root=path,
        interpreter=interpreter(),
        paths=InstallPaths(
            purelib=path / "lib",
            platlib=path / "lib",
            scripts=path / "bin",
            data=path,
            headers=path / "include",
        ),
        made_by_venvman=True,
        state=path / ".venvman",
    )


def lock(*entries: LockEntry) -> Lock:
    """A lock of venvman's own."""
    return Lock(entries=entries, header=LockHeader(text="", tool="venvman"))


def stale(line: int = 4, text: str = "flask>=3") -> Problem:
    """A reason why a lock is stale."""
    return Problem(
        code="lock-requirement-unmet",
        message=f"{text.split('>', maxsplit=1)[0]} is pinned to 2.3.3, which {text} forbids.",
        severity=Severity.WARNING,
        path="requirements.in",
        line=line,
        text=text,
    )


def sync_outcome(
    *steps: Step,
    unchanged: int = 0,
    created: bool = False,
    frozen: FreezeOutcome | None = None,
    project: Project = PROJECT,
) -> SyncOutcome:
    """A sync of ``steps``, as far as reports look at one."""
    return SyncOutcome(
        project=project,
        environment=project.root / "venv",
        interpreter=interpreter(),
        created=created,
        plan=Plan(steps=steps, unchanged=unchanged),
        outcome=None,
        frozen=frozen,
        groups=("default", "dev"),
        seconds={Stage.PLAN: 0.012, Stage.FETCH: 1.84, Stage.INSTALL: 0.42} if steps else {},
    )


def freeze_outcome(
    *locks: LockOutcome, written: bool = True, project: Project = PROJECT
) -> FreezeOutcome:
    """A freeze; without ``locks``, of one that was fresh."""
    pinned = lock(entry("flask", "3.0.3", via=("-r requirements.in",)))
    fresh = LockOutcome(
        group="default",
        path=project.root / "requirements.txt",
        lock=pinned,
        before=pinned,
        changed=False,
    )
    return FreezeOutcome(
        project=project,
        locks=locks or (fresh,),
        written=written,
        seconds={Stage.FREEZE: 2.1} if locks else {},
    )


def status_report(
    *steps: Step,
    condition: Condition | None = None,
    freshness: Fresh | Stale | None = None,
    unchanged: int = 0,
    known: bool = True,
) -> StatusReport:
    """A status; ``known`` False means that nothing can be said about drift."""
    return StatusReport(
        project=PROJECT,
        requirements=14,
        locks=(
            ExaminedLock(
                group="default",
                sources=(PROJECT.root / "requirements.in",),
                path=PROJECT.root / "requirements.txt",
                lock=Lock(entries=34 * (entry("flask", "1.0"),), header=LockHeader(text="")),
                freshness=freshness or Fresh(),
            ),
        ),
        environment=PROJECT.root / "venv",
        inspection=condition or environment(),
        interpreter=interpreter(),
        drift=None,
        plan=Plan(steps=steps, unchanged=unchanged) if known else None,
    )
