"""What a lock with more pins comes to, found from the state that the environment is in.

Of a state that was never reached all is known if its locks have the pins of the one that the
environment is in, in the same versions, and plain ones more (:mod:`venvman.install.outline`) which
the attic or the store knows. Freshness is not judged: that is for locks that are used as they are.
Imported only where no known state fits; it costs as much as the rest of a switch.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from venvman import stamp
from venvman.environment.history import Held as Recorded
from venvman.environment.history import History, Revision, text_digest
from venvman.environment.historyline import head_of
from venvman.environment.ledger import Provenance, read_ledger
from venvman.install import states
from venvman.install.attic import Attic, entry_key
from venvman.install.outline import outline_of_lock, outline_of_source
from venvman.install.states import Held, State
from venvman.install.summary import recounted
from venvman.names import NormalizedName, canonical
from venvman.sources import IndexSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvman.install.outline import Outline
    from venvman.install.states import Basis, Manner

__all__ = ["basis_of", "derive", "surveyed", "write_history"]

Pins = dict[str, tuple[str, tuple[str, ...]]]


def basis_of(
    locks: Iterable[str], sources: Iterable[str], *, target: str, constraints: tuple[str, ...]
) -> states.Basis | None:
    """What :func:`derive` needs of the files that a state was made from, given as paths."""
    known = [(path, _lock_at(path)) for path in locks]
    rests = {path: _source_at(path) for path in sources}
    outlines = [(path, outline) for path, outline in known if outline is not None]
    if len(outlines) < len(known) or None in rests.values():
        return None
    return states.Basis(
        locks=tuple(
            (path, states.digest_of(rest), _versions(pins)) for path, (rest, pins) in outlines
        ),
        sources={path: rest for path, rest in rests.items() if rest is not None},
        target=target,
        constraints=constraints,
    )


def derive(root: str, current: State, *, variables: Mapping[str, str]) -> State | None:
    """The state that the files as they are now come to; None where that must be found out.

    The provenance of what only the store has lacks the facts of a RECORD that is to be written.
    """
    basis, manner = current.basis, current.manner
    if basis is None or manner is None:
        return None
    contents = states.contents_of((kind, path) for kind, path, _ in current.contents)
    more = _more_pins(basis, _changed(current.contents, contents))
    if not more or _is_taken(more, current):
        return None
    held = _found(root, more, basis, manner, variables)
    if held is None:
        return None
    locked = current.locked + len(held)
    text = recounted(current.text, current.locked, locked)
    again = basis_of(
        [path for path, _, _ in basis.locks],
        basis.sources,
        target=basis.target,
        constraints=basis.constraints,
    )
    if text is None:
        return None
    return current._replace(
        contents=contents, text=text, held={**current.held, **held}, locked=locked, basis=again
    )


def surveyed(root: str, before: State, wanted: State) -> State:
    """``wanted`` as it is now that it was reached from ``before``: who shares files with whom.

    Raises:
        OSError: a folder cannot be read.
    """
    held, _ = states.survey(root, wanted.folders, read_ledger(root), before=before.held)
    return wanted._replace(held=held)


def write_history(root: str, state: State, *, sequence: int) -> None:
    """Writes down that the environment has come to ``state``, which nobody has reached before.

    Where that is not possible it is noticed, and made good for, by whoever reads the history.

    Raises:
        OSError: it cannot be written.
    """
    history = History(Path(root))
    newest = history.newest()
    if newest is None or state.basis is None or newest.sequence + 1 != sequence:
        return
    texts = [Path(path).read_bytes() for path, _, _ in state.basis.locks]
    watched = [(kind, path) for kind, path, _ in state.contents]
    if len(texts) != len(newest.locks) or states.contents_of(watched) != state.contents:
        return
    pinned = {name for _, _, pins in state.basis.locks for name in pins}
    wanted = pinned - {each.name for each in newest.held}
    new = [
        Recorded(name=each.name, version=each.version, source=str(IndexSource()),
                 wheel=each.provenance.sha256, locked=True)
        for each in state.held.values()
        if each.name in wanted
    ]  # fmt: skip
    head = head_of(str(Path(root).parent))
    reached = replace(
        newest,
        sequence=sequence,
        when=time.time(),
        by="sync",
        target=None,
        locks=tuple(
            replace(lock, digest=text_digest(text))
            for lock, text in zip(newest.locks, texts, strict=True)
        ),
        held=tuple(sorted((*newest.held, *new), key=lambda each: each.name)),
        revision=Revision(commit=head[0], branch=head[1]) if head and head[0] else None,
    )
    history.record(reached, texts)


def _versions(pins: Pins) -> dict[str, str]:
    return {name: version for name, (version, _) in pins.items()}


def _lock_at(path: str) -> Outline | None:
    return outline_of_lock(Path(path).read_bytes().decode("utf-8"))


def _source_at(path: str) -> str | None:
    """A digest of the outline; None where it tells too much."""
    outline = outline_of_source(Path(path).read_bytes().decode("utf-8"))
    return None if outline is None else states.digest_of(outline.rest)


def _changed(before: states.Contents, now: states.Contents) -> set[str] | None:
    """The files that hold something else; None where another file came or went."""
    changed = [(old, new) for old, new in zip(before, now, strict=True) if old != new]
    if any(old[0] != stamp.FILE or "-" in (old[2], new[2]) for old, new in changed):
        return None
    return {path for (_, path, _), _ in changed}


def _more_pins(basis: Basis, changed: set[str] | None) -> Pins | None:
    """The plain pins that the locks have more; None where there is any other difference."""
    locks = {path: (digest, pins) for path, digest, pins in basis.locks}
    if changed is None or not changed <= {*locks, *basis.sources}:
        return None
    if any(_source_at(path) != basis.sources[path] for path in changed - locks.keys()):
        return None
    more: Pins = {}
    taken: set[str] = set()
    for path, (digest, before) in locks.items():
        outline = _lock_at(path)
        names = None if outline is None else outline.names
        if outline is None or names is None or states.digest_of(outline.rest) != digest:
            return None
        versions = _versions(outline.pins)
        new = versions.keys() - before.keys()
        if versions != {**before, **{name: versions[name] for name in new}}:
            return None
        if not new.isdisjoint(more):
            return None
        more |= {name: outline.pins[name] for name in new}
        taken |= {canonical(name) for name in names} | before.keys()
    return None if not taken.isdisjoint(more) else more


def _is_taken(more: Pins, current: State) -> bool:
    """Whether something of these names is there already, by whomever it was installed."""
    held = {each.name for each in current.held.values()}
    others = {canonical(info.rpartition("/")[2].partition("-")[0]) for info in current.others}
    return not {*held, *others}.isdisjoint(more)


def _found(
    root: str, more: Pins, basis: Basis, manner: Manner, variables: Mapping[str, str]
) -> dict[str, Held] | None:
    """By metadata folder what the attic, else the store has of ``more``; None if they lack one."""
    from venvman.install.build import BuildSettings
    from venvman.install.identity import Identities
    from venvman.lock.file import LockEntry
    from venvman.pipconfig import read_pip_configuration
    from venvman.store.store import Store

    cache, attic = Path(manner.cache), Attic(root)
    identities = Identities(
        target=basis.target,
        options=read_pip_configuration(variables, home=Path(variables["HOME"])),
        build=BuildSettings(cache=cache, variables=variables, constraints=basis.constraints),
    )
    found: dict[str, Held] = {}
    with Store(cache) as store:
        for name, (text, hashes) in more.items():
            version = str(Version(text))
            kept = attic.find(
                name, sha256=[each.removeprefix("sha256:") for each in hashes], requested=True
            )
            if kept is not None and kept.version == version and kept.provenance is not None:
                found[kept.info] = Held(name, version, kept.key, False, kept.provenance)
                continue
            entry = LockEntry(
                name=NormalizedName(name), version=Version(text), hashes=tuple(sorted(hashes))
            )
            sha256 = store.recall(identities.of_pin(entry))
            wheel = None if sha256 is None else store.get(sha256)
            if wheel is None or _project(wheel.manifest.name, wheel.manifest.version) != (
                name,
                version,
            ):
                return None
            base = manner.site["purelib" if wheel.manifest.root_is_purelib else "platlib"]
            provenance = Provenance(wheel.sha256, "", True, 0, 0, 0)
            key = entry_key(name, version, provenance.identity)
            found[f"{base}/{wheel.manifest.info}"] = Held(name, version, key, False, provenance)
    return found


def _project(name: str, version: str) -> tuple[str, str]:
    return canonical(name), str(Version(version))
