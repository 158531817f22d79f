"""A real environment, a store, and plans between sets of wheels: the world of these tests."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.version import Version

from tests.support.wheels import make_wheel
from venvman.environment.inspection import Environment, usable
from venvman.environment.inventory import Installed, take_inventory
from venvman.environment.lifecycle import create
from venvman.install.attic import AtticLimit
from venvman.install.environmentlock import locked
from venvman.install.journal import unobserved
from venvman.install.transaction import Outcome, Request, commit
from venvman.lock.file import LockEntry
from venvman.model.events import Reporter
from venvman.model.names import NormalizedName, canonical
from venvman.plan import Add, Plan, Remove, Replace
from venvman.project.settings import Link
from venvman.python.probe import probe
from venvman.store.store import Store, StoredWheel
from venvman.system import seal
from venvman.system.directories import Directories


@dataclass
class World:
    """An environment at ``folder/venv`` with its cache, state and wheels beside it."""

    folder: Path
    environment: Environment
    directories: Directories
    store: Store
    wheels: dict[str, StoredWheel] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.environment.root

    @property
    def site(self) -> Path:
        return self.environment.paths.purelib

    def wheel(self, name: str, version: str = "1.0", **rest: Any) -> StoredWheel:
        """A wheel made by :func:`make_wheel` with ``rest``, in the store."""
        path = make_wheel(self.folder / "wheels", name, version, **rest)
        return self.add(path)

    def add(self, path: Path) -> StoredWheel:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        return self.store.add(path, sha256=sha256)

    def installed(self) -> tuple[Installed, ...]:
        return take_inventory(self.environment).distributions

    def versions(self) -> dict[str, str]:
        return {each.name: str(each.version) for each in self.installed()}

    def plan(self, wanted: Iterable[StoredWheel], *, again: Iterable[str] = ()) -> Plan:
        """From what is installed to just ``wanted``; ``again`` are replaced whatever they are."""
        wheels = {canonical(wheel.manifest.name): wheel for wheel in wanted}
        there: dict[NormalizedName, list[Installed]] = {}
        for each in self.installed():
            there.setdefault(each.name, []).append(each)
        steps: list[Add | Replace | Remove] = []
        for name, wheel in wheels.items():
            version = Version(wheel.manifest.version)
            entry = LockEntry(name=name, version=version)
            if name not in there:
                steps.append(Add(entry=entry, because="missing"))
            elif [each.version for each in there[name]] != [version] or name in again:
                steps.append(Replace(entry=entry, installed=tuple(there[name]), because="other"))
        for name, several in there.items():
            if name not in wheels:
                steps.append(Remove(installed=tuple(several), because="extra"))
        return Plan(steps=tuple(steps), unchanged=0)

    def sync(
        self,
        *wanted: StoredWheel,
        again: Iterable[str] = (),
        requested: Iterable[str] = (),
        direct_urls: Mapping[str, bytes] | None = None,
        link: Link = Link.AUTO,
        compile_bytecode: bool = False,
        attic: AtticLimit | None = None,
        reporter: Reporter | None = None,
        observe: Callable[[str], None] = unobserved,
        wait: float = -1,
    ) -> Outcome:
        """Makes the environment hold just ``wanted``."""
        request = Request(
            plan=self.plan(wanted, again=again),
            wheels={canonical(wheel.manifest.name): wheel for wheel in wanted},
            requested=frozenset(map(canonical, requested)),
            direct_urls={canonical(name): text for name, text in (direct_urls or {}).items()},
            link=link,
            compile_bytecode=compile_bytecode,
        )
        reporter = reporter or Reporter()
        with locked(self.root, self.directories, wait=wait, reporter=reporter):
            return commit(
                request,
                self.environment,
                attic=attic or AtticLimit(size=2**31),
                reporter=reporter,
                observe=observe,
            )


def make_world(folder: Path) -> World:
    """A new environment of the running Python, without pip."""
    directories = Directories(cache=folder / "cache", state=folder / "state")
    interpreter = probe(Path(sys.executable), directories=directories)
    create(folder / "venv", interpreter, directories=directories)
    return open_world(folder)


def open_world(folder: Path) -> World:
    """The world that :func:`make_world` made in ``folder``; for a second process."""
    directories = Directories(cache=folder / "cache", state=folder / "state")
    environment = usable(folder / "venv", directories=directories)
    assert environment is not None
    return World(
        folder=folder,
        environment=environment,
        directories=directories,
        store=Store(directories.cache),
    )


def contents(root: Path, *, but: Iterable[str] = (".venvman",)) -> dict[str, str]:
    """What every file below ``root`` holds (a digest and its executable bit), links, folders."""
    left_out = frozenset(but)
    found: dict[str, str] = {}
    for parent, folders, names in os.walk(root):
        here = Path(parent)
        folders[:] = [name for name in folders if here != root or name not in left_out]
        for name in folders:
            path = here / name
            found[path.relative_to(root).as_posix()] = "link" if path.is_symlink() else "folder"
        for name in names:
            path = here / name
            if path.is_symlink():
                found[path.relative_to(root).as_posix()] = f"link to {path.readlink()}"
                continue
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
            executable = "x" if os.access(path, os.X_OK) and path.stat().st_mode & 0o111 else "-"
            found[path.relative_to(root).as_posix()] = f"{digest} {executable}"
    return found


def reseal(root: Path) -> None:
    """Makes the state in a copied environment count, as if venvman had written it there."""
    state, aside = root / ".venvman", root / ".venvman-copied"
    state.rename(aside)
    seal.own(str(root))
    for path in sorted(aside.rglob("*")):
        name = path.relative_to(aside).as_posix()
        if path.is_dir():
            (state / name).mkdir(exist_ok=True)
        elif name == "made-by" or path.suffix == ".json":
            (state / name).write_bytes(
                seal.sealed(str(root), name, path.read_bytes().partition(b"\n")[2])
            )
        elif name != "owner":
            path.rename(state / name)
    shutil.rmtree(aside)


def left_over(root: Path) -> list[str]:
    """What a transaction should not leave: its journal and stage, and broken attic entries."""
    state = root / ".venvman"
    faults = [name for name in ("journal.json", "stage") if (state / name).exists()]
    attic = state / "attic"
    for entry in attic.iterdir() if attic.is_dir() else ():
        content = (entry / "entry.json").read_bytes().partition(b"\n")[2]  # the seal
        units = {slot for slot, _ in json.loads(content)[1][2]}
        if {path.name for path in entry.iterdir()} != units | {"entry.json"}:
            faults.append(entry.name)
    return faults
