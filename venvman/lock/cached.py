"""Cached results: what is remembered of a lock that was found fresh, outside the lock.

The digest is of everything that :func:`venvman.lock.freshness.check` looks at, so that the next
look is one comparison.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from venvman.model.sources import DirectorySource
from venvman.project.localproject import metadata_digest
from venvman.system import records
from venvman.system.files import make_private_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from venvman.model.target import Target
    from venvman.project.groups import Group
    from venvman.requirements.requirement import Requirement

_KIND = "fresh locks 2"


class CachedCheck(NamedTuple):
    """What is remembered of a lock last found fresh, outside the lock.

    ``digest`` is :func:`digest_of`'s. ``extras`` maps a requirement's name to the extras that the
    lock was made with, which a lock without extras cannot tell; ``folders`` maps local projects
    (as the lock writes them) to their metadata's digest.
    """

    digest: str
    extras: Mapping[str, tuple[str, ...]]
    folders: Mapping[str, str]


def digest_of(
    group: Group,
    content: bytes,
    target: Target,
    *,
    root: Path,
    targets: Sequence[Target] = (),
    others: Sequence[Group] = (),
    overrides: Sequence[str] = (),
) -> str:
    """One digest over everything :func:`check` looks at: the same digest has the same answer.

    ``content`` is the lock's bytes. Comments and order of the requirements files do not count.
    """
    digest = hashlib.sha256(content)
    for each in (target, *targets):
        digest.update(repr(sorted(each.markers)).encode())
    every = (*group.requirements, *group.constraints, *direct_requirements(others))
    lines = [*map(_said, every), *overrides]
    digest.update("\n".join(sorted(lines)).encode())
    for folder in sorted(_folders_of(group)):
        digest.update(f"{folder}={metadata_digest(root / folder)}\n".encode())
    return digest.hexdigest()


def cached_of(
    group: Group,
    content: bytes,
    target: Target,
    *,
    root: Path,
    targets: Sequence[Target] = (),
    others: Sequence[Group] = (),
    overrides: Sequence[str] = (),
) -> CachedCheck:
    """What to remember of a lock that was just made or found fresh."""
    extras: dict[str, set[str]] = {}
    for requirement in requirements_of(group, targets or (target,)):
        if requirement.name is not None and requirement.extras:
            extras.setdefault(requirement.name, set()).update(requirement.extras)
    return CachedCheck(
        digest=digest_of(
            group, content, target, root=root, targets=targets, others=others, overrides=overrides
        ),
        extras={name: tuple(sorted(values)) for name, values in extras.items()},
        folders={folder: metadata_digest(Path(folder)) for folder in sorted(_folders_of(group))},
    )


def read_cached(path: Path) -> dict[str, CachedCheck]:
    """What is remembered of locks found fresh, by group name; empty where nothing is."""
    return {name: CachedCheck(*row) for name, row in (records.load(path, _KIND) or {}).items()}


def write_cached(path: Path, found: Mapping[str, CachedCheck]) -> None:
    """Replaces the file, which may vanish at any time: that costs one check of each lock.

    Raises:
        OSError: as writing raises.
    """
    make_private_folder(path.parent)
    records.save(path, _KIND, found)


def direct_requirements(groups: Sequence[Group]) -> list[Requirement]:
    """The lines of ``groups`` that name a place."""
    return [
        requirement
        for group in groups
        for requirement in (*group.requirements, *group.constraints)
        if not requirement.source.is_index
    ]


def requirements_of(group: Group, targets: Sequence[Target]) -> Iterator[Requirement]:
    """Those of ``group`` that hold for any of ``targets``."""
    return (
        requirement
        for requirement in group.requirements
        if any(target.applies(requirement.marker) for target in targets)
    )


def _folders_of(group: Group) -> set[str]:
    return {
        requirement.source.folder
        for requirement in group.requirements
        if isinstance(requirement.source, DirectorySource)
    }


def _said(requirement: Requirement) -> str:
    """Everything about a requirement but the line it stands on."""
    facts = (
        requirement.name, sorted(requirement.extras), sorted(map(str, requirement.specifier)),
        str(requirement.marker or ""), requirement.source, sorted(requirement.hashes),
        requirement.config_settings, requirement.constraint, requirement.origin.path,
    )  # fmt: skip
    return repr(facts)
