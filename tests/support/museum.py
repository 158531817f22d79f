"""Repositories in miniature, as data: the files of each commit and what must be installed there."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.support.wheels import sha256_of
from tests.support.worlds import stock

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.support.index import Index

WORLD: Mapping[str, Any] = {
    "ant 1.0": [], "ant 2.0": [],
    "bee 1.0": ["ant"], "bee 2.0": ["ant>=1"],
    "cat 1.0": ["dog"], "cat 2.0": ["dog>=1", "eel"],
    "dog 1.0": [], "dog 2.0": [],
    "eel 1.0": [], "eel 2.0": [],
    "fox 1.0": ["ant", "setuptools"],
    "gnu 1.0": {"requires": ["bee"], "extras": {"fast": ["eel"]}},
    "gnu 2.0": {"requires": ["bee"], "extras": {"fast": ["eel"]}},
    "hen 1.0": [], "hen 2.0": [],
    "pip 26.0": [], "setuptools 80.0": [],
}  # fmt: skip


@dataclass(frozen=True)
class Link:
    """A symbolic link to ``to``."""

    to: str


@dataclass(frozen=True)
class Commit:
    """``installed`` after ``sync`` and ``committed`` as the tracked locks say, by project folder.

    ``stale`` are the locks that freezing changes, ``new`` those that no commit has; where
    ``refused`` is a problem's code, ``sync`` ends with that.
    """

    files: Mapping[str, str | Link | None]
    installed: Mapping[str, frozenset[str]]
    committed: Mapping[str, frozenset[str]]
    stale: frozenset[str] = frozenset()
    new: frozenset[str] = frozenset()
    refused: str | None = None


@dataclass(frozen=True)
class Exhibit:
    """One file of ``tests/museum/layouts``; see the README there.

    ``sync`` are the flags that every command gets, ``submodule`` the folder that is one;
    where ``freeze`` is a problem's code, ``freeze`` is refused with that.
    """

    name: str
    why: str
    commits: tuple[Commit, ...]
    sync: tuple[str, ...] = ()
    submodule: str | None = None
    freeze: str | None = None


def read(path: Path, names: Mapping[str, str]) -> Exhibit:
    """The exhibit in the file ``path``; ``names`` are what ``{name}`` in it stands for."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return Exhibit(
        name=path.stem,
        why=data["why"],
        commits=tuple(_commits(data["commits"], names)),
        sync=tuple(data.get("sync", ())),
        submodule=data.get("submodule"),
        freeze=data.get("freeze"),
    )


def fill(index: Index) -> dict[str, str]:
    """Puts every package of the museum into ``index``; returns what exhibits may name."""
    stock(index, WORLD)
    digests = {
        "-".join(path.name.split("-")[:2]): sha256_of(path).removeprefix("sha256:")
        for path in index.folder.iterdir()
    }
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {**digests, "python": python, "index": index.simple, "files": f"{index.url}/files"}


def build(exhibit: Exhibit, folder: Path) -> Path:
    """The repository of ``exhibit`` below ``folder``, its commits tagged 0, 1, ...; returns it."""
    root = folder / "origin"
    git(folder, "init", "-q", "origin")
    if exhibit.submodule:
        git(folder, "init", "-q", "shared")
    for number, commit in enumerate(exhibit.commits):
        if exhibit.submodule:
            _commit_submodule(root, folder / "shared", exhibit.submodule, commit)
        inside = f"{exhibit.submodule}/"
        _write(root, {k: said for k, said in commit.files.items() if not k.startswith(inside)})
        git(root, "add", "--all", "--force")
        git(root, "commit", "-q", "--allow-empty", "-m", f"{number}")
        git(root, "tag", f"{number}")
    return root


def git(root: Path, *words: str) -> str:
    """Runs git in ``root``, which must succeed; what it said on both streams."""
    done = subprocess.run(
        ["git", "-c", "submodule.recurse=true", *words],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def environments(root: Path) -> set[str]:
    """The folders below ``root`` that have an environment ``venv``."""
    return {path.parents[1].relative_to(root).as_posix() for path in root.rglob("venv/pyvenv.cfg")}


def environment(folder: Path, *, named: Iterable[str] = ()) -> frozenset[str]:
    """What is installed in ``folder/venv``, each as name, version and, if not an index, the URL.

    pip and setuptools, which environments come with, count only if they are among ``named``.
    """
    (site,) = folder.glob("venv/lib/python3*/site-packages")
    left_out = {"pip", "setuptools"}.difference(entry.split(" ")[0] for entry in named)
    found = (_installed(each) for each in importlib.metadata.distributions(path=[str(site)]))
    return frozenset(entry for entry in found if entry.split(" ")[0] not in left_out)


def pins(path: Path) -> dict[str, str]:
    """Name to version of every pin in the file ``path``; none where there is no file."""
    text = path.read_text() if path.exists() else ""
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([^\s;]+)", text, re.MULTILINE))


def _installed(distribution: importlib.metadata.Distribution) -> str:
    origin = json.loads(distribution.read_text("direct_url.json") or "{}").get("url")
    return " ".join(filter(None, (distribution.metadata["Name"], distribution.version, origin)))


def _commits(rows: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[Commit]:
    texts: dict[str, str] = {}
    for row in rows:
        files = {path: _content(said, texts.get(path, "")) for path, said in row["files"].items()}
        texts |= {path: said for path, said in files.items() if isinstance(said, str)}
        installed = _by_project(row["installed"], names)
        yield Commit(
            files={path: _filled(said, names) for path, said in files.items()},
            installed=installed,
            committed=_by_project(row["committed"], names) if "committed" in row else installed,
            stale=frozenset(row.get("stale", ())),
            new=frozenset(row.get("new", ())),
            refused=row.get("refused"),
        )


def _content(said: Any, before: str) -> str | Link | None:
    """The text or link that ``said`` stands for where ``before`` was; None: no file any more."""
    if isinstance(said, str):
        return said
    if said is False:
        return None
    if "link" in said:
        return Link(said["link"])
    for move in said["moved"].split(", "):
        name, old, _, new = move.split(" ")
        before = re.sub(
            rf"^({name}\b.*==){re.escape(old)}\b", rf"\g<1>{new}", before, flags=re.MULTILINE
        )
        before = before.replace(f"{{{name}-{old}}}", f"{{{name}-{new}}}")
    return before


def _by_project(
    said: str | Mapping[str, str], names: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    by_project = {".": said} if isinstance(said, str) else said
    return {
        project: frozenset(_in_words(text, names).split(", "))
        for project, text in by_project.items()
    }


def _filled(said: str | Link | None, names: Mapping[str, str]) -> str | Link | None:
    return _in_words(said, names) if isinstance(said, str) else said


def _in_words(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\{([\w.-]+)\}", lambda match: names.get(match[1], match[0]), text)


def _write(root: Path, files: Mapping[str, str | Link | None]) -> None:
    for name, said in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if said is None:
            path.unlink()
        elif isinstance(said, Link):
            path.symlink_to(said.to)
        else:
            path.write_bytes(said.encode())


def _commit_submodule(root: Path, shared: Path, place: str, commit: Commit) -> None:
    """Commits what of ``commit`` lies below ``place`` in ``shared``, and moves the submodule."""
    files = {
        path.removeprefix(f"{place}/"): said
        for path, said in commit.files.items()
        if path.startswith(f"{place}/")
    }
    if not files:
        return
    _write(shared, files)
    git(shared, "add", "--all")
    git(shared, "commit", "-q", "-m", "shared")
    if (root / place).exists():
        git(root / place, "pull", "-q")
    else:
        git(root, "submodule", "--quiet", "add", str(shared), place)
