"""Repositories as sources: git, through a bare mirror in the cache.

The mirror of a URL holds every branch and tag with its history (build backends derive versions
from tags) but, where the server can filter, file contents only of what was checked out; a second
commit costs one fetch. A checkout is a work tree of the mirror: no second copy of the history.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from venvman.model.errors import Advice, Command, GitError, InstallError
from venvman.system.git import git, try_git, without_repository
from venvman.system.locks import held
from venvman.system.secrets import redact, without_secret
from venvman.system.variables import expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from venvman.model.sources import VcsSource

_FULL = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ABBREVIATED = re.compile(r"[0-9a-f]{7,63}")


@contextmanager
def checkout(
    source: VcsSource,
    folder: Path,
    *,
    cache: Path,
    variables: Mapping[str, str],
    offline: bool = False,
) -> Iterator[str]:
    """The files of ``source`` in ``folder`` (missing or empty) inside the block; yields the commit.

    Submodules are filled in. ``cache`` is venvman's cache folder. ``offline`` uses what the mirror
    holds. After the block ``folder`` is gone. ``source.subdirectory`` is left to the caller.

    Raises:
        InstallError: another version control system than git, or a revision that is not there.
        GitError: git is missing, or a git command failed: no network, access or repository.
    """
    repository = _Repository(source, cache=cache, variables=variables, offline=offline)
    with repository.locked():
        commit = repository.commit()
        repository.git("worktree", "prune")
        repository.git("worktree", "add", "--force", "--detach", str(folder), commit)
    try:
        if (folder / ".gitmodules").is_file():
            update = ("submodule", "update", "--init", "--recursive", "--quiet")
            git(*update, cwd=folder, variables=repository.variables)
        yield commit
    finally:
        try_git(
            *repository.at, "worktree", "remove", "--force", "--force", str(folder),
            variables=repository.variables,
        )  # fmt: skip


def resolve_commit(
    source: VcsSource, *, cache: Path, variables: Mapping[str, str], offline: bool = False
) -> VcsSource:
    """``source`` with the full id of the commit that its revision names now.

    A source that has a commit is returned as it is, a revision that is a full commit id becomes
    the commit unasked. A branch wins over a tag of the same name, as with pip.

    Raises:
        InstallError, GitError: as :func:`checkout`.
    """
    if source.commit is not None:
        return source
    repository = _Repository(source, cache=cache, variables=variables, offline=offline)
    with repository.locked():
        return replace(source, commit=repository.commit(fetch=False))


class _Repository:
    """One remote repository and its mirror. Methods need :meth:`locked` around them."""

    def __init__(
        self, source: VcsSource, *, cache: Path, variables: Mapping[str, str], offline: bool
    ) -> None:
        _refuse_unusable(source)
        self.source = source
        self.offline = offline
        url = expand(source.url, variables)
        self.url = without_secret(url)
        self.variables = _with_password(without_repository(variables), clean=self.url, url=url)
        key = hashlib.sha256(self.url.encode()).hexdigest()[:32]
        self.mirror = cache / "git" / key
        self.at = ("--git-dir", str(self.mirror))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the mirror against other processes."""
        with held(self.mirror.with_suffix(".lock")):
            yield

    def git(self, *arguments: str) -> str:
        return git(*self.at, *arguments, variables=self.variables)

    def commit(self, *, fetch: bool = True) -> str:
        """The commit that is meant; with ``fetch`` it is in the mirror afterwards."""
        wanted = self.source.commit or self.source.revision
        exact = wanted if wanted and _FULL.fullmatch(wanted) else self._ask(wanted)
        if exact is not None and (not fetch or self._known(exact)):
            return exact
        return self._fetched(exact)

    def _ask(self, revision: str | None) -> str | None:
        """What the remote says ``revision`` is; None when it knows no branch or tag of the name."""
        if self.offline:
            return self._known(revision or "HEAD") or self._not_found("the cache", offline=True)
        said = self._remote("ls-remote", "--", self.url, *_patterns(revision))
        found = {name: commit for commit, name in (line.split("\t") for line in said.splitlines())}
        for name in _patterns(revision):
            if name in found:
                return found[name]
        if revision is None or not _ABBREVIATED.fullmatch(revision):
            self._not_found(self.url)
        return None

    def _fetched(self, commit: str | None) -> str:
        """Fetches branches and tags, then ``commit`` by its id if they do not reach it."""
        if self.offline:
            self._not_found("the cache", offline=True)
        # For a mirror that is there (or was left half-made) this changes nothing.
        git("init", "--quiet", "--bare", str(self.mirror), variables=self.variables)
        for key, value in (
            ("remote.origin.url", self.url),
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialclonefilter", "blob:none"),
            ("maintenance.auto", "false"),  # would go on in the background
        ):
            self.git("config", key, value)
        everything = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        self._remote(*self.at, "fetch", "--quiet", "origin", *everything)
        wanted = commit or self.source.revision or "HEAD"
        known = self._known(wanted)
        # A merge commit of a pull request, for example: no branch or tag leads to it.
        if known is None and _FULL.fullmatch(wanted):
            try_git(*self.at, "fetch", "--quiet", "origin", wanted, variables=self.variables)
            known = self._known(wanted)
        return known or self._not_found(self.url)

    def _remote(self, *arguments: str) -> str:
        """Runs a command that talks to the remote; its failure names the repository."""
        try:
            return git(*arguments, variables=self.variables)
        except GitError as error:
            if error.code == "git-missing":
                raise
            raise GitError(
                f"Could not reach the repository {redact(self.url)}.",
                code="repository-unreachable",
                why=error.why,
                fix=Advice("Check the URL, the network, and what this machine may read there."),
            ) from error

    def _known(self, revision: str) -> str | None:
        """The full id of the commit that the mirror knows ``revision`` as."""
        done = try_git(
            *self.at, "rev-parse", "--verify", "--quiet", "--end-of-options",
            f"{revision}^{{commit}}", variables=self.variables,
        )  # fmt: skip
        return done.stdout.strip() if done.ok else None

    def _not_found(self, where: str, *, offline: bool = False) -> NoReturn:
        wanted = self.source.commit or self.source.revision or "HEAD"
        searched = f"{redact(where)} of {redact(self.url)}" if offline else redact(where)
        raise InstallError(
            f"{wanted} was not found in {searched}.",
            code="revision-not-found",
            why="Only what was fetched before is looked at offline." if offline else None,
            fix=Advice("Run the command again without --offline.")
            if offline
            else Command.of("git", "ls-remote", redact(self.url)),
        )


def _refuse_unusable(source: VcsSource) -> None:
    if source.vcs != "git":
        raise InstallError(
            f"{redact(str(source))} cannot be fetched: of the version control systems only git "
            "is supported.",
            code="vcs-unsupported",
            fix=Advice("Name a git repository or an archive of the same revision instead."),
        )
    for text in (source.url, source.revision, source.commit):
        if text is not None and text.startswith("-"):
            raise InstallError(
                f"{text!r} is neither a URL nor a revision.",
                code="vcs-invalid",
                why="Git would take it for an option.",
            )


def _patterns(revision: str | None) -> tuple[str, ...]:
    """Full names of the references that ``revision`` may be, the first found one counts."""
    if revision is None:
        return ("HEAD",)
    if revision.startswith("refs/"):
        return (f"{revision}^{{}}", revision)
    return (f"refs/heads/{revision}", f"refs/tags/{revision}^{{}}", f"refs/tags/{revision}")


def _with_password(variables: dict[str, str], *, clean: str, url: str) -> dict[str, str]:
    """``variables`` that make git use ``url`` where it is told ``clean``.

    So the password is neither in the mirror's configuration nor in the list of processes.
    """
    if clean == url:
        return variables
    given = variables.get("GIT_CONFIG_COUNT", "")
    count = int(given) if given.isdecimal() else 0
    return {
        **variables,
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": f"url.{url}.insteadOf",
        f"GIT_CONFIG_VALUE_{count}": clean,
    }
