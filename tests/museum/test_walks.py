"""Every layout of the museum, walked there and back as its people would."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.cli import Ran, run
from tests.support.index import serve
from tests.support.museum import (
    Commit,
    Exhibit,
    build,
    environment,
    environments,
    fill,
    git,
    pins,
    read,
)

LAYOUTS = sorted((Path(__file__).parent / "layouts").glob("*.toml"))


@pytest.fixture(scope="session")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """What exhibits may name; their packages are served until the last test is done."""
    with serve(tmp_path_factory.mktemp("museum")) as index:
        yield fill(index)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all exhibits, so that nothing is unpacked twice."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(params=LAYOUTS, ids=[path.stem for path in LAYOUTS])
def exhibit(
    request: pytest.FixtureRequest,
    names: Mapping[str, str],
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Exhibit:
    monkeypatch.setenv("PIP_INDEX_URL", names["index"])
    monkeypatch.setenv("VENVMAN_CACHE_DIR", str(cache))
    return read(request.param, names)


@pytest.fixture
def origin(exhibit: Exhibit, tmp_path: Path) -> Path:
    return build(exhibit, tmp_path)


@pytest.fixture
def clone(origin: Path) -> Path:
    return cloned(origin, "clone")


@pytest.mark.sample(4, "museum", offset=0)
def test_a_fresh_clone_gets_what_the_commit_says(exhibit: Exhibit, origin: Path) -> None:
    for number, commit in enumerate(exhibit.commits):
        root = cloned(origin, f"at-{number}")
        git(root, "checkout", "-q", str(number))
        follow(exhibit, commit, root)
        if commit.refused is None:
            assert environments(root) == set(commit.installed)


@pytest.mark.sample(4, "museum", offset=1)
def test_sync_follows_git_there_and_back(exhibit: Exhibit, clone: Path) -> None:
    for commit in walk(exhibit, clone):
        follow(exhibit, commit, clone)


@pytest.mark.sample(4, "museum", offset=2)
def test_on_ci_nothing_is_written_and_what_is_not_locked_is_refused(
    exhibit: Exhibit, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    for commit in walk(exhibit, clone):
        ran = run("sync", *exhibit.sync, cwd=clone)
        assert changed(clone) == set(), ran.stdout
        if commit.refused or commit.stale or commit.new:
            assert ran.code == (2 if commit.refused else 1), ran.stdout + ran.stderr
        else:
            assert ran.code == 0, ran.stdout + ran.stderr
            assert_installed(clone, commit.installed)


@pytest.mark.museum
def test_hooks_that_sync_follow_git_by_themselves(exhibit: Exhibit, clone: Path) -> None:
    git(clone, "checkout", "-q", "0")
    assert run("sync", *exhibit.sync, cwd=clone).code == 0
    for project in exhibit.commits[0].installed:
        assert run("hooks", "install", "--sync", cwd=clone / project).code == 0
    for commit in walk(exhibit, clone):
        assert changed(clone) == set()
        if not (commit.refused or commit.new):
            known = {
                at: commit.committed[at]
                for at in exhibit.commits[0].installed
                if at in commit.committed
            }
            assert_installed(clone, known)


@pytest.mark.sample(4, "museum", offset=3)
def test_freeze_changes_the_stale_locks_alone_and_lists_every_move(
    exhibit: Exhibit, clone: Path
) -> None:
    for commit in walk(exhibit, clone):
        before = locks(clone)

        ran = run("freeze", *exhibit.sync, "--format", "json", cwd=clone)

        assert changed(clone) == commit.stale, ran.stdout
        if exhibit.freeze is None:
            assert ran.code == 0, ran.stdout + ran.stderr
            assert untracked(clone) <= new_ones(exhibit)
            if commit.stale:
                assert listed(ran) == moves(before, locks(clone))
            assert run("freeze", "--check", *exhibit.sync, cwd=clone).code == 0
        else:
            assert [each["code"] for each in ran.json["problems"]] == [exhibit.freeze]
        synced = run("sync", *exhibit.sync, cwd=clone)
        assert synced.code == 0, synced.stdout + synced.stderr
        assert changed(clone) == commit.stale, synced.stdout
        if commit.refused is None:
            assert_installed(clone, commit.installed)


def follow(exhibit: Exhibit, commit: Commit, root: Path) -> None:
    """``sync`` makes the environment right, changes the stale alone and says how, and is done."""
    before = locks(root)
    ran = run("sync", *exhibit.sync, cwd=root)
    if commit.refused is not None:
        assert ran.code == 2, ran.stdout + ran.stderr
        assert changed(root) == set()
        return
    assert ran.code == 0, ran.stdout + ran.stderr
    assert_installed(root, commit.installed)
    assert changed(root) == commit.stale, ran.stdout
    assert untracked(root) <= new_ones(exhibit), ran.stdout
    for name, *versions in moves(before, locks(root)):
        told = " -> ".join(filter(None, versions))
        assert re.search(rf"^[-+~] {name} +{re.escape(told)}( |$)", ran.stdout, re.MULTILINE)
    again = run("sync", *exhibit.sync, cwd=root)
    assert again.code == 0, again.stdout + again.stderr
    assert "Nothing to do" in again.stdout, again.stdout
    assert changed(root) == commit.stale, again.stdout
    assert run("sync", "--check", *exhibit.sync, cwd=root).code == 0


def walk(exhibit: Exhibit, root: Path) -> Iterator[Commit]:
    """Checks out every commit in turn, there and back; what freezing changed is undone before."""
    there = list(enumerate(exhibit.commits))
    for number, commit in [*there, *there[-2::-1]]:
        git(root, "checkout", "-q", "--", ".")
        git(root, "checkout", "-q", str(number))
        yield commit


def cloned(origin: Path, name: str) -> Path:
    git(origin.parent, "clone", "-q", "--recurse-submodules", str(origin), name)
    return origin.parent / name


def assert_installed(root: Path, expected: Mapping[str, frozenset[str]]) -> None:
    found = {at: environment(root / at, named=named) for at, named in expected.items()}
    assert found == expected


def changed(root: Path) -> set[str]:
    """The tracked files that differ from the commit."""
    return set(git(root, "diff", "--name-only", "HEAD").split())


def untracked(root: Path) -> set[str]:
    return set(git(root, "ls-files", "--others", "--exclude-standard").split())


def new_ones(exhibit: Exhibit) -> set[str]:
    return {path for commit in exhibit.commits for path in commit.new}


def locks(root: Path) -> dict[str, dict[str, str]]:
    """The pins of every text file that git knows, or could know."""
    paths = git(root, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    return {path: pins(root / path) for path in paths if path.endswith((".txt", ".lock"))}


def moves(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> set[tuple[str, str | None, str | None]]:
    """Every pin that some file gained, lost or moved: its name, the version before and after."""
    return {
        (name, old, new)
        for path in {*before, *after}
        for name in {*before.get(path, {}), *after.get(path, {})}
        if (old := before.get(path, {}).get(name)) != (new := after.get(path, {}).get(name))
    }


def listed(ran: Ran) -> set[tuple[str, str | None, str | None]]:
    data = ran.json["data"]
    return {
        *((each["name"], None, each["version"]) for each in data["added"]),
        *((each["name"], each["version"], None) for each in data["removed"]),
        *((each["name"], each["from"], each["to"]) for each in data["changed"]),
    }
