"""Examinations of made-up projects: an environment on disk, everything else as values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from packaging.markers import default_environment

from tests.support.sites import Site
from venvman.doctor.examination import Examination
from venvman.doctor.finding import Finding
from venvman.doctor.table import Selection, examine
from venvman.drift import compare
from venvman.environment.inspection import Environment, environment_at
from venvman.environment.inventory import take_inventory
from venvman.lock.file import LockEntry
from venvman.model.target import Target
from venvman.project.project import Project
from venvman.python.probe import Interpreter, SchemePaths

PURELIB = "lib/python3.12/site-packages"


def target_of(python: str, **markers: str) -> Target:
    """Linux on x86-64 with CPython ``python``, but for ``markers``."""
    minor = ".".join(python.split(".")[:2])
    values = {
        **{key: str(value) for key, value in default_environment().items()},
        "python_version": minor,
        "python_full_version": python,
        "implementation_version": python,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        **markers,
    }
    values.pop("extra", None)
    return Target(python=python, markers=tuple(sorted(values.items())), tags=("py3-none-any",))


class World:
    """A project at ``root`` whose environment holds what :attr:`site` was given."""

    def __init__(self, root: Path, *, python: str = "3.12.4", **markers: str) -> None:
        self.root = root
        self.target = target_of(python, **markers)
        self.site = Site(root / "venv" / PURELIB)
        self.site.folder.mkdir(parents=True)

    @property
    def environment(self) -> Environment:
        """As inspecting it would tell, if it had an interpreter."""
        scheme = SchemePaths(purelib=PURELIB, platlib=PURELIB, scripts="bin", data="")
        interpreter = Interpreter(
            path=Path("/usr/bin/python3.12"),
            prefix=Path("/usr"),
            target=self.target,
            scheme=scheme,
            free_threaded=False,
            debug=False,
            has_venv=True,
            pip_version=None,
            pip_folders=(),
        )
        return environment_at(self.root / "venv", interpreter)

    def examination(self, entries: Sequence[LockEntry] | None = None, **facts: Any) -> Examination:
        """What there is to look at, with ``entries`` locked (None: no lock was read)."""
        inventory = take_inventory(self.environment)
        drift = compare(entries, inventory, root=self.root) if entries is not None else None
        known: dict[str, Any] = {
            "project": Project(root=self.root),
            "root": self.root / "venv",
            "condition": self.environment,
            "inventory": inventory,
            "entries": tuple(entries) if entries is not None else None,
            "drift": drift,
            "target": self.target,
        }
        return Examination(**{**known, **facts})

    def findings(self, *entries: LockEntry, select: str = "", **facts: Any) -> tuple[Finding, ...]:
        """What doctor says, with ``entries`` locked."""
        chosen = Selection.of(select=[select])
        return examine(self.examination(entries, **facts), chosen)


def codes_of(findings: Sequence[Finding]) -> list[str]:
    """Just the codes."""
    return [finding.code for finding in findings]
