"""VM1, VM2, VM3, VM6, VM7: the environment as a whole, requirements, locks, git, security."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.support.examined import World, codes_of
from venvman.doctor.examination import LockTracking
from venvman.doctor.repository import tracking_of
from venvman.model.errors import FileLine
from venvman.model.names import canonical
from venvman.model.sources import IndexSource, Source
from venvman.project.groups import Group, RequirementSet
from venvman.requirements.file import ParsedFile, Requirement, parse
from venvman.system.git import git

# The environment as a whole


# Requirements files


def requirement(name: str, source: Source | None = None, *, extras: str = "") -> Requirement:
    return Requirement(
        name=canonical(name),
        extras=frozenset(extras.split()),
        specifier=SpecifierSet(),
        source=source or IndexSource(),
        origin=FileLine(path="requirements.in", line=2),
    )


def wishes(*requirements: Requirement) -> RequirementSet:
    path = Path("/p/requirements.in")
    group = Group(name="default", sources=(path,), lock=path, requirements=requirements)
    return RequirementSet(groups=(group,))


# Locks


# Git


# Security


def file_of(*lines: str, trusted: str = "") -> ParsedFile:
    text = "\n".join([*lines, *(f"--trusted-host {host}" for host in trusted.split())])
    return parse(text, path="requirements.txt", variables={})


@pytest.mark.parametrize(
    ("line", "trusted", "codes"),
    [
        ("--index-url http://e.org/simple", "", ["VM702"]),
        ("-i http://e.org:8080/simple", "", ["VM702"]),
        ("--extra-index-url=http://E.org/simple", "", ["VM702", "VM704"]),
        ("-f http://e.org/wheels", "", ["VM702"]),
        ("-i http://e.org:8080/simple", "e.org:8080", []),
        ("--index-url http://e.org/simple", "E.org", []),
        ("--index-url https://e.org/simple", "", []),
        ("--index-url http://localhost:3141/simple", "", []),
        ("--index-url http://127.0.0.1/simple", "", []),
        ("# --index-url: see http://e.org", "", []),
    ],
)
def test_an_index_over_http_is_found_unless_it_is_trusted(
    world: World, line: str, trusted: str, codes: list[str]
) -> None:
    assert codes_of(world.findings(files=(file_of(line, trusted=trusted),))) == codes


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git("init", "-q", cwd=tmp_path, variables=os.environ)
    (tmp_path / "app").mkdir()
    (tmp_path / ".gitignore").write_text("*.ignored.lock\n")
    for name in ("known.lock", "new.lock", "my.ignored.lock"):
        (tmp_path / "app" / name).touch()
    git("add", "app/known.lock", cwd=tmp_path, variables=os.environ)
    return tmp_path


def test_a_lock_that_is_tracked_although_ignored_is_tracked(repository: Path) -> None:
    path = repository / "app" / "my.ignored.lock"
    git("add", "-f", str(path), cwd=repository, variables=os.environ)
    found = tracking_of([path], root=repository, variables=os.environ)
    assert found == {path: LockTracking.TRACKED}


def test_outside_git_nothing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert tracking_of([path], root=tmp_path, variables=os.environ) == {}
    assert tracking_of([], root=tmp_path, variables=os.environ) == {}
