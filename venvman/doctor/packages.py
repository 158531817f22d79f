"""What a report shows of each package besides findings: state, size, licence, age, needs."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING

from venvman.doctor.installed import asked
from venvman.drift import Damaged, Difference, Duplicate, Extra, Missing, OtherSource, OtherVersion
from venvman.model.frozen import dataclass
from venvman.model.metadata import licence
from venvman.model.names import NormalizedName, canonical
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from packaging.version import Version

    from venvman.doctor.examination import Examination
    from venvman.environment.inventory import Installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One that is installed or locked; None wherever something is not known.

    ``drift`` says how it differs from the lock: a few words, empty where it does not. ``size`` is
    the sum of what its RECORD lists, in bytes, ``installed`` seconds since the epoch. ``needs`` are
    those of the others that it needs here.
    """

    name: NormalizedName
    version: str | None
    drift: str = ""
    is_locked: bool = True
    size: int | None = None
    licence: str | None = None
    installed: float | None = None
    needs: tuple[NormalizedName, ...] = ()


def packages(examination: Examination) -> tuple[Package, ...]:
    """What is installed, and what is locked and is not, sorted by name."""
    differences = examination.differences
    drift = {
        each.name: _DRIFT[type(each)]
        for each in differences
        if not (isinstance(each, Extra) and each.name in examination.keep)
    }
    locked = {entry.name for entry in examination.entries or ()}
    there = {each.name: each for each in examination.distributions}
    missing = {each.name: each.entry.version for each in differences if isinstance(each, Missing)}
    sizes = {
        each.installed.name: sum(int(size) for _, size in each.rows if size.isdecimal())
        for each in examination.recorded
    }
    needs: defaultdict[NormalizedName, set[NormalizedName]] = defaultdict(set)
    for each, requirement in asked(examination):
        name = None if isinstance(requirement, str) else canonical(requirement.name)
        if name in there or name in missing:
            needs[each.name].add(name)
    found = [
        Package(
            name=name,
            version=_shown(each.version),
            drift=drift.get(name, ""),
            is_locked=name in locked,
            size=sizes.get(name),
            licence=_licence(each),
            installed=_time(each),
            needs=tuple(sorted(needs[name])),
        )
        for name, each in there.items()
    ]
    found += [
        Package(name=name, version=_shown(version), drift=drift[name])
        for name, version in missing.items()
    ]
    return tuple(sorted(found, key=lambda each: each.name))


def _shown(version: Version | None) -> str | None:
    return None if version is None else str(version)


_DRIFT: dict[type[Difference], str] = {
    Missing: "missing",
    OtherVersion: "another version",
    OtherSource: "from elsewhere",
    Extra: "not locked",
    Duplicate: "twice",
    Damaged: "damaged",
}


def _licence(each: Installed) -> str | None:
    try:
        return licence(read_regular(each.metadata / "METADATA"))
    except OSError:
        return None


def _time(each: Installed) -> float | None:
    try:
        return os.stat(each.metadata).st_mtime  # noqa: PTH116 - one for each
    except OSError:
        return None
