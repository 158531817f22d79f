from __future__ import annotations

import os
from pathlib import Path

import pytest

from venvman.model.errors import GitError, InstallError
from venvman.model.sources import VcsSource
from venvman.obtain.vcs import checkout, resolve_commit
from venvman.system.git import git
from venvman.system.variables import expand


class Repository:
    """A real repository whose file ``which`` holds the message of the last commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.git("config", "uploadpack.allowFilter", "true")
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")

    def git(self, *arguments: str) -> str:
        return git(*arguments, cwd=self.folder, variables=os.environ).strip()

    def commit(self, message: str) -> str:
        (self.folder / "which").write_text(message)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def source(self, revision: str | None = None, commit: str | None = None) -> VcsSource:
        return VcsSource(vcs="git", url=self.folder.as_uri(), revision=revision, commit=commit)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def content(source: VcsSource, tmp_path: Path, *, offline: bool = False) -> tuple[str, str]:
    """The commit that was checked out, and what ``which`` says there."""
    with checkout(
        source, tmp_path / "out", cache=tmp_path / "cache", variables=os.environ, offline=offline
    ) as commit:
        return commit, (tmp_path / "out" / "which").read_text()


def resolved(source: VcsSource, tmp_path: Path, *, offline: bool = False) -> str | None:
    return resolve_commit(
        source, cache=tmp_path / "cache", variables=os.environ, offline=offline
    ).commit


def test_the_default_branch_is_checked_out(repository: Repository, tmp_path: Path) -> None:
    commit = repository.commit("one")
    assert content(repository.source(), tmp_path) == (commit, "one")


def test_a_commit_is_checked_out_though_the_branch_moved_on(
    repository: Repository, tmp_path: Path
) -> None:
    first = repository.commit("one")
    repository.commit("two")
    assert content(repository.source("main", first), tmp_path) == (first, "one")


def test_after_the_block_the_files_are_gone(repository: Repository, tmp_path: Path) -> None:
    repository.commit("one")
    content(repository.source(), tmp_path)
    assert not (tmp_path / "out").exists()


def test_tags_are_seen_inside_a_checkout(repository: Repository, tmp_path: Path) -> None:
    repository.commit("one")
    repository.git("tag", "-a", "v1.0", "-m", "release")
    commit = repository.commit("two")
    out = tmp_path / "out"
    source = repository.source(commit=commit)
    with checkout(source, out, cache=tmp_path / "cache", variables=os.environ):
        described = git("describe", "--tags", cwd=out, variables=os.environ)
    assert described.startswith("v1.0-1-g")


def test_a_second_commit_is_fetched_into_the_same_mirror(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("one")
    content(repository.source("main"), tmp_path)
    second = repository.commit("two")
    assert content(repository.source("main"), tmp_path) == (second, "two")
    assert len([path for path in (tmp_path / "cache" / "git").iterdir() if path.is_dir()]) == 1


def test_a_commit_seen_before_needs_no_network(repository: Repository, tmp_path: Path) -> None:
    commit = repository.commit("one")
    content(repository.source(commit=commit), tmp_path)
    repository.folder.rename(tmp_path / "away")
    assert content(repository.source(commit=commit), tmp_path) == (commit, "one")


def test_a_commit_that_no_branch_leads_to_is_found(repository: Repository, tmp_path: Path) -> None:
    repository.commit("one")
    lost = repository.commit("two")
    repository.git("reset", "-q", "--hard", "HEAD~")
    assert content(repository.source(commit=lost), tmp_path) == (lost, "two")


def test_submodules_are_filled_in(repository: Repository, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other")
    other.commit("inner")
    repository.git("submodule", "add", "-q", other.folder.as_uri(), "sub")
    repository.commit("one")
    out = tmp_path / "out"
    with checkout(repository.source(), out, cache=tmp_path / "cache", variables=os.environ):
        assert (out / "sub" / "which").read_text() == "inner"
    assert not out.exists()


@pytest.mark.parametrize("revision", ["v1", "refs/tags/v1"])
def test_an_annotated_tag_is_resolved_to_its_commit(
    repository: Repository, tmp_path: Path, revision: str
) -> None:
    commit = repository.commit("one")
    repository.git("tag", "-a", "v1", "-m", "release")
    repository.commit("two")
    assert resolved(repository.source(revision), tmp_path) == commit


def test_a_branch_wins_over_a_tag_of_the_same_name(repository: Repository, tmp_path: Path) -> None:
    first = repository.commit("one")
    repository.git("tag", "same")
    repository.git("checkout", "-q", "-b", "same")
    second = repository.commit("two")
    assert first != second
    assert resolved(repository.source("same"), tmp_path) == second


def test_an_abbreviated_commit_is_completed(repository: Repository, tmp_path: Path) -> None:
    commit = repository.commit("one")
    repository.commit("two")
    assert resolved(repository.source(commit[:8]), tmp_path) == commit


def test_a_full_commit_is_its_own_answer(tmp_path: Path) -> None:
    commit = "0123456789" * 4
    source = VcsSource(vcs="git", url="https://invalid.invalid/a", revision=commit)
    assert resolved(source, tmp_path) == commit


def test_a_source_with_a_commit_is_left_alone(repository: Repository, tmp_path: Path) -> None:
    source = repository.source("main", "0123456789" * 4)
    assert resolve_commit(source, cache=tmp_path, variables=os.environ) is source


@pytest.mark.parametrize("revision", ["nowhere", "0123456", "f" * 40])
def test_a_revision_that_is_not_there_is_named(
    repository: Repository, tmp_path: Path, revision: str
) -> None:
    repository.commit("one")
    with pytest.raises(InstallError) as caught:
        content(repository.source(revision), tmp_path)
    assert caught.value.code == "revision-not-found"
    assert revision in caught.value.message


def test_offline_a_branch_is_what_it_was_at_the_last_fetch(
    repository: Repository, tmp_path: Path
) -> None:
    commit = repository.commit("one")
    content(repository.source("main"), tmp_path)
    repository.commit("two")
    assert resolved(repository.source("main"), tmp_path, offline=True) == commit


@pytest.mark.parametrize("revision", ["main", "f" * 40])
def test_offline_what_was_never_fetched_is_not_found(
    repository: Repository, tmp_path: Path, revision: str
) -> None:
    repository.commit("one")
    with pytest.raises(InstallError) as caught:
        content(repository.source(revision), tmp_path, offline=True)
    assert str(caught.value.fix) == "Run the command again without --offline."
    assert not list((tmp_path / "cache" / "git").glob("*/config"))


def test_a_repository_that_is_not_there_is_named(tmp_path: Path) -> None:
    source = VcsSource(vcs="git", url=(tmp_path / "gone").as_uri())
    with pytest.raises(GitError) as caught:
        resolved(source, tmp_path)
    assert caught.value.code == "repository-unreachable"
    assert "gone" in caught.value.message


def test_a_missing_git_is_not_taken_for_a_missing_repository(tmp_path: Path) -> None:
    source = VcsSource(vcs="git", url=(tmp_path / "gone").as_uri())
    with pytest.raises(GitError) as caught:
        resolve_commit(source, cache=tmp_path, variables={"PATH": str(tmp_path)})
    assert caught.value.code == "git-missing"


def test_a_password_is_used_but_neither_kept_nor_shown(tmp_path: Path) -> None:
    # A closed port: git fails at once, after it has been told where to go.
    source = VcsSource(vcs="git", url="http://me:${PASSWORD}@127.0.0.1:1/a.git", revision="f" * 40)
    variables = {**os.environ, "PASSWORD": "s3cret"}
    checked_out = checkout(source, tmp_path / "out", cache=tmp_path / "cache", variables=variables)
    with pytest.raises(GitError) as caught, checked_out:
        pass
    assert "s3cret" not in f"{caught.value.message} {caught.value.why} {caught.value.fix}"
    (config,) = (tmp_path / "cache" / "git").glob("*/config")
    assert "http://127.0.0.1:1/a.git" in config.read_text()
    assert "s3cret" not in config.read_text()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.quotePath",
            "GIT_CONFIG_VALUE_0": "true",
        },
    ],
)
def test_a_password_reaches_the_server(tmp_path: Path, given: dict[str, str]) -> None:
    from tests.support.index import Response, serve

    with serve(tmp_path / "served") as index:
        challenge = Response(401, b"", {"WWW-Authenticate": 'Basic realm="a"'})
        index.intercept = lambda _: challenge
        url = index.url.replace("://", "://me:${PASSWORD}@") + "/a.git"
        with pytest.raises(GitError):
            resolve_commit(
                VcsSource(vcs="git", url=url),
                cache=tmp_path,
                variables={**os.environ, **given, "PASSWORD": "s3cret"},
            )
    assert any("authorization" in request.headers for request in index.requests)


@pytest.mark.parametrize("vcs", ["hg", "svn", "bzr"])
def test_other_systems_are_named_as_unsupported(tmp_path: Path, vcs: str) -> None:
    with pytest.raises(InstallError, match="only git is supported"):
        resolved(VcsSource(vcs=vcs, url="https://host/a"), tmp_path)


@pytest.mark.parametrize("revision", ["--upload-pack=touch x"])
def test_a_revision_that_looks_like_an_option_is_refused(tmp_path: Path, revision: str) -> None:
    with pytest.raises(InstallError) as caught:
        resolved(VcsSource(vcs="git", url="https://host/a", revision=revision), tmp_path)
    assert caught.value.code == "vcs-invalid"


def test_variables_are_expanded_where_they_have_a_value() -> None:
    assert expand("${A}/${B}/${C}/$A", {"A": "x", "B": ""}) == "x/${B}/${C}/$A"
