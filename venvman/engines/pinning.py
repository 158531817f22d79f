"""Repositories named by branch or tag, pinned to a commit before pip-compile sees them."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.errors import Command, FreezeError
from venvman.git import git, scp_advice, try_git, without_repository
from venvman.secrets import redact, without_secret
from venvman.sources import VcsSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvman.engines import FreezeRequest
    from venvman.requirements.groups import Requirement

__all__ = ["REFERENCE", "Pinned", "pin_repositories", "written_reference"]

Pinned = dict[str, VcsSource]
"""By the whole text in the requirements file (``git+https://host/x@main#subdirectory=a``, variables
unexpanded): the source with its commit; its URL is the unexpanded one too. Two packages of one
repository are two, which may be at two commits."""


def pin_repositories(request: FreezeRequest) -> Pinned:
    """Finds the commit of every git repository that the request's groups name.

    A commit that the existing lock has for the same URL and revision stays, unless an upgrade is
    asked for.

    Raises:
        FreezeError: the repository does not answer, or has no such revision; with file and line.
    """
    pinned: Pinned = {}
    for wish in _wishes(request):
        source = wish.source
        if not isinstance(source, VcsSource) or source.vcs != "git":
            continue
        written = written_reference(wish)
        if written is None or written in pinned:
            continue
        commit = source.commit or _kept(request, wish) or _find(wish, source, request.variables)
        place = written[4:].partition("#")[0]
        url = _URL.sub("", place) if source.revision else place
        pinned[written] = VcsSource(
            vcs="git",
            url=url,
            revision=source.revision,
            commit=commit,
            subdirectory=source.subdirectory,
        )
    return pinned


REFERENCE = re.compile(r"git\+\S+")
"""What :func:`written_reference` finds."""
_URL = re.compile(r"@[^@/]*(?:/[^@]*)?$")


def _wishes(request: FreezeRequest) -> Iterable[Requirement]:
    for group in request.groups:
        yield from group.requirements
        yield from group.constraints


def written_reference(wish: Requirement) -> str | None:
    """The key of :data:`Pinned` that a line has."""
    match = REFERENCE.search(wish.raw)
    return match[0] if match else None


def _kept(request: FreezeRequest, wish: Requirement) -> str | None:
    from venvman.engines import UpgradeAll, UpgradeSome

    upgrade = request.upgrade
    if isinstance(upgrade, UpgradeAll):
        return None
    asked = wish.source
    if not isinstance(asked, VcsSource):
        return None
    written = (written_reference(wish) or "")[4:].partition("#")[0]
    urls = {without_secret(asked.url), written, _URL.sub("", written)}
    same = [
        (entry.name, found)
        for lock in request.locks.values()
        for entry in lock.entries
        if isinstance(found := entry.source, VcsSource)
        and found.url in urls
        and found.revision == asked.revision
    ]
    # Its own pin, else that of another package of the repository.
    same.sort(key=lambda each: each[1].subdirectory != asked.subdirectory)
    if not same or (isinstance(upgrade, UpgradeSome) and same[0][0] in upgrade.names):
        return None
    return same[0][1].commit


def _find(wish: Requirement, source: VcsSource, variables: Mapping[str, str]) -> str:
    environment = without_repository(variables)
    revision = source.revision or "HEAD"
    done = try_git("ls-remote", source.url, revision, f"{revision}^{{}}", variables=environment)
    if not done.ok:
        raise _fault(wish, source, "git could not read the repository.", done.stderr)
    found = {
        name: commit
        for commit, _, name in (row.partition("\t") for row in done.stdout.splitlines())
    }
    for name in (
        "HEAD",
        f"refs/heads/{revision}",
        f"refs/tags/{revision}^{{}}",
        f"refs/tags/{revision}",
        revision,
    ):
        if name in found and (name != "HEAD" or revision == "HEAD"):
            return found[name]
    return _find_in_clone(wish, source, revision, environment)


def _find_in_clone(
    wish: Requirement, source: VcsSource, revision: str, environment: Mapping[str, str]
) -> str:
    """An abbreviated commit is known to the repository only, not to ``ls-remote``."""
    with tempfile.TemporaryDirectory(prefix="venvman-") as name:
        folder = Path(name)
        options = ("--quiet", "--bare", "--filter=blob:none")
        git("clone", *options, source.url, str(folder), variables=environment)
        at = ("--git-dir", str(folder))
        query = (*at, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        done = try_git(*query, variables=environment)
    if not done.ok:
        raise _fault(wish, source, f"It has no branch, tag or commit {revision}.", "")
    return done.stdout.strip()


def _fault(wish: Requirement, source: VcsSource, message: str, said: str) -> FreezeError:
    return FreezeError(
        f"{redact(source.url)} cannot be pinned to a commit.",
        code="repository-unresolved",
        path=wish.origin.path,
        line=wish.origin.line,
        text=redact(wish.origin.text),
        why=f"{message} {redact(said).strip()}".strip(),
        fix=scp_advice(source.url) or Command.of("git", "ls-remote", redact(source.url)),
    )
