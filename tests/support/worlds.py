"""Small package worlds as data: what there is, what is asked for, what must come out."""

from __future__ import annotations

import os
import re
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.groups import freeze_request
from tests.support.index import serve
from tests.support.indexes import linux
from tests.support.wheels import in_tree_backend, make_sdist, make_wheel, sha256_of
from venvman.engines import Keep, UpgradeAll, UpgradeSome, native
from venvman.lock.parse import parse_lock
from venvman.model.events import Reporter
from venvman.model.names import canonical
from venvman.model.sources import IndexSource, VcsSource
from venvman.system.git import git

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.support.index import Index
from venvman.engines import FreezeRequest, Upgrade
from venvman.lock.file import Lock, LockEntry
from venvman.model.target import Target


def _target() -> Target:
    """CPython 3.11.7 on Linux, whatever runs the tests."""
    base = linux("3.11.7")
    markers = {
        **dict(base.markers),
        "implementation_name": "cpython",
        "implementation_version": "3.11.7",
        "os_name": "posix",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_version": "3.11",
    }
    return replace(base, markers=tuple(sorted(markers.items())))


TARGET = _target()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file of ``tests/resolver/cases``; see the README there."""

    why: str
    world: Mapping[str, Any]
    files: Mapping[str, str]
    pins: tuple[str, ...] | None = None
    code: str | None = None
    conflict: tuple[str, ...] = ()
    second: Mapping[str, Any] | None = None
    locks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    upgrade: Upgrade = field(default_factory=Keep)
    conflicts: tuple[frozenset[str], ...] = ()
    overrides: tuple[str, ...] = ()
    exclude_newer: str | None = None
    build_constraints: tuple[str, ...] = ()
    repositories: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)


_LISTS = ("pins", "conflict", "overrides", "build_constraints")


def read_case(path: Path) -> Case:
    """The case in the file ``path``."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    files = dict(data.pop("files", {}))
    if "requirements" in data:
        files["requirements.in"] = "".join(f"{line}\n" for line in data.pop("requirements"))
    if "constraints" in data:
        files["constraints.txt"] = "".join(f"{line}\n" for line in data.pop("constraints"))
    upgrade: Upgrade = UpgradeAll() if data.pop("upgrade_all", False) else Keep()
    named = data.pop("upgrade", ())
    if named:
        upgrade = UpgradeSome(names=frozenset(canonical(name) for name in named))
    conflicts = tuple(frozenset(each) for each in data.pop("conflicts", ()))
    lists: dict[str, Any] = {key: tuple(data.pop(key)) for key in _LISTS if key in data}
    locks = {group: tuple(pins) for group, pins in data.pop("locks", {}).items()}
    return Case(files=files, upgrade=upgrade, conflicts=conflicts, locks=locks, **lists, **data)


def stock(index: Index, world: Mapping[str, Any]) -> None:
    """Puts the distributions of ``world`` into ``index``: ``"name version" = [dependencies]``.

    Or a table: ``requires``, ``extras``, ``python``, ``page_silent`` (the page does not tell the
    Python), ``yanked`` (the reason), ``tag``, ``sdist`` (no wheel), ``both``, ``uploaded``,
    ``built_with`` (an sdist that needs this to be built, and depends on ``b`` in its version).
    """
    for key, said in world.items():
        name, version = key.split(" ")
        facts = said if isinstance(said, dict) else {"requires": said}
        for path in _files(index.folder, name, version, facts):
            if "yanked" in facts:
                index.yanked[path.name] = facts["yanked"]
            if "uploaded" in facts:
                index.upload_times[path.name] = facts["uploaded"]
            if facts.get("page_silent"):
                index.requires_python[path.name] = ""


def freeze_case(case: Case, folder: Path, **changes: Any) -> dict[str, Lock]:
    """The locks that the native engine makes of ``case``, in a project below ``folder``."""
    with ExitStack() as stack:
        index = stack.enter_context(serve(folder / "index"))
        stock(index, case.world)
        names = {"first": index.simple, "files": f"{index.url}/files"}
        if case.second is not None:
            second = stack.enter_context(serve(folder / "project" / "second"))
            stock(second, case.second)
            names |= {"second": second.simple, "second_files": f"{second.url}/files"}
        for path in index.folder.iterdir():
            stem = "-".join(path.name.split("-")[:2])  # of an sdist the whole name
            names[stem] = sha256_of(path).removeprefix("sha256:")
        for name, commits in case.repositories.items():
            names |= _repository(folder / "repositories" / name, name, commits)
        request = _request(case, folder / "project", index.simple, names)
        return dict(native.freeze(replace(request, **changes), Reporter()).locks)


def pins_of(locks: Mapping[str, Lock]) -> list[str]:
    """Every entry, those of other groups than the default one with the group's name."""
    return sorted(
        f"{'' if group == 'default' else f'{group}: '}{_shown(entry)}"
        for group, lock in locks.items()
        for entry in lock.entries
    )


def _files(folder: Path, name: str, version: str, facts: Mapping[str, Any]) -> Iterator[Path]:
    requires = facts.get("requires", ())
    if "built_with" in facts:
        yield told_by_its_build(folder, name, version, facts["built_with"])
        return
    if facts.get("sdist") or facts.get("both"):
        yield make_sdist(folder, name, version, requires=requires)
    if not facts.get("sdist"):
        yield make_wheel(
            folder, name, version, requires=requires, extras=facts.get("extras"),
            requires_python=facts.get("python"), tag=facts.get("tag", "py3-none-any"),
        )  # fmt: skip


def told_by_its_build(folder: Path, name: str, version: str, tool: str) -> Path:
    """An sdist that only its build can describe: it depends on ``b`` in the version of ``tool``."""
    return make_sdist(
        folder,
        name,
        version,
        backend=in_tree_backend(name, version, ["b==TOOL"]).replace(
            "b==TOOL", f"b==' + __import__('importlib.metadata').metadata.version({tool!r}) + '"
        ),
        files={
            "PKG-INFO": f"Metadata-Version: 1.0\nName: {name}\nVersion: {version}\n",
            "pyproject.toml": f"[build-system]\nrequires = [{tool!r}]\n"
            "build-backend = 'backend'\nbackend-path = ['.']\n",
        },
    )


def _repository(folder: Path, name: str, commits: Iterable[Iterable[str]]) -> dict[str, str]:
    """A git repository of ``name``, each commit with its dependencies and a tag: v1, v2, ...

    Returns what ``{name}`` and ``{name_1}`` stand for: its URL, and the first commit.
    """
    found = {name: f"git+{folder.as_uri()}"}
    folder.mkdir(parents=True)
    git("init", "-q", cwd=folder, variables=_GIT)
    for number, requires in enumerate(commits, start=1):
        facts = f"name = {name!r}\nversion = '{number}'\ndependencies = {list(requires)!r}\n"
        (folder / "pyproject.toml").write_text(f"[project]\n{facts}")
        git("add", ".", cwd=folder, variables=_GIT)
        git("commit", "-q", "-m", f"{number}", cwd=folder, variables=_GIT)
        git("tag", f"v{number}", cwd=folder, variables=_GIT)
        found[f"{name}_{number}"] = git("rev-parse", "HEAD", cwd=folder, variables=_GIT).strip()
    return found


_GIT = {
    **os.environ,
    **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def _request(case: Case, root: Path, index: str, names: Mapping[str, str]) -> FreezeRequest:
    files = {path: _filled(text, names) for path, text in case.files.items()}
    locks = {
        group: parse_lock("".join(f"{pin}\n" for pin in pins), path=group)
        for group, pins in case.locks.items()
    }
    sources = tuple((name, _filled(url, names)) for name, url in case.sources.items())
    request = freeze_request(
        root,
        files,
        index=index,
        target=TARGET,
        locks=locks,
        upgrade=case.upgrade,
        conflicts=case.conflicts,
        overrides=case.overrides,
        exclude_newer=case.exclude_newer,
        build_constraints=case.build_constraints,
        hashes=False,
    )
    return replace(request, index=replace(request.index, sources=sources))


def _filled(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\{([^{}]+)\}", lambda match: names.get(match[1], match[0]), text)


def _shown(entry: LockEntry) -> str:
    if isinstance(entry.source, IndexSource):
        return f"{entry.name}{'===' if entry.exact else '=='}{entry.version}"
    if isinstance(entry.source, VcsSource):
        pinned = re.fullmatch(r"[0-9a-f]{40}", entry.source.commit or "")
        return f"{entry.name} @ {'a commit' if pinned else entry.source}"
    text = str(entry.source).removeprefix("-e ")
    leaf = text.rpartition("/")[2]
    place = "-".join(leaf.split("-")[:2]) if leaf.endswith((".whl", ".tar.gz")) else f"./{text}"
    return f"{entry.name} @ {place}"
