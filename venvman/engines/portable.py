"""What both engines write at the end: portable sources, the right header, the options."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from venvman.engines.given import lock_options
from venvman.lock.direct import parse_reference
from venvman.lock.file import Lock
from venvman.lock.style import compile_header, own_header, renewed, style_of
from venvman.model.errors import Command, FreezeError
from venvman.model.options import DEFAULT_INDEX
from venvman.model.sources import ArchiveSource, DirectorySource, Source, VcsSource
from venvman.system.git import git, scp_advice, try_git, without_repository
from venvman.system.secrets import line_of, redact, without_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvman.engines import FreezeRequest
    from venvman.engines.given import CompileCommand, SourceTexts
    from venvman.lock.file import LockEntry
    from venvman.model.names import NormalizedName
    from venvman.model.target import Target
    from venvman.project.groups import Group
    from venvman.requirements.file import Requirement
    from venvman.requirements.header import LockHeader, LockStyle


class Portable:
    """Turns sources as they were fetched into sources as a lock may have them."""

    def __init__(self, root: Path, pinned: Pinned) -> None:
        self._root = root
        self._pinned = pinned

    def source(self, source: Source, requirements: Iterable[Requirement]) -> Source:
        """``source`` relative, without secrets, variables as ``requirements`` have them."""
        if isinstance(source, VcsSource):
            return self._repository(source, requirements)
        if isinstance(source, DirectorySource):
            return replace(source, path=self._relative(source.path))
        if isinstance(source, ArchiveSource):
            return self._archive(source, requirements)
        return source

    def _repository(self, source: VcsSource, requirements: Iterable[Requirement]) -> Source:
        """With the URL and the revision that a line has; commit and folder are ``source``'s own."""
        for requirement in requirements:
            pinned = self._pinned.get(written_reference(requirement) or "")
            if pinned is None or not isinstance(requirement.source, VcsSource):
                continue
            at_pin = replace(requirement.source, commit=pinned.commit)
            if _identity(source) in {_identity(pinned), _identity(at_pin)}:
                url = without_secret(pinned.url)
                return replace(source, url=url, revision=pinned.revision)
        return replace(source, url=without_secret(source.url))

    def _archive(self, source: ArchiveSource, requirements: Iterable[Requirement]) -> Source:
        for requirement in requirements:
            asked = requirement.source
            if not (isinstance(asked, ArchiveSource) and asked.url == source.url):
                continue
            text = re.split(r"\s+;\s*", requirement.raw, maxsplit=1)[0]
            written = parse_reference(text) if "${" in text else None
            if written is not None and isinstance(written.source, ArchiveSource):
                return replace(source, url=without_secret(written.source.url))
        if source.url.startswith("file:///"):
            path = self._relative(unquote(source.url.removeprefix("file://")))
            prefix = "file://" if path.startswith("/") else "file:"
            return replace(source, url=prefix + quote(path))
        return replace(source, url=without_secret(source.url))

    def _relative(self, path: str) -> str:
        """Relative to the root, ``../`` included: a lock holds no machine's paths."""
        return os.path.relpath(path, self._root) if path.startswith("/") else path


def _identity(source: VcsSource) -> tuple[str | None, ...]:
    """What makes two references one: location, commit and folder."""
    # pip-compile writes file:/path for file:///path.
    url = re.sub(r"^file:/+", "file:///", without_secret(source.url))
    return url, source.commit, source.subdirectory


def finished_lock(
    entries: tuple[LockEntry, ...],
    group: Group,
    sources: SourceTexts,
    *,
    target: Target,
    existing: Lock | None,
    command: CompileCommand,
    limited: bool,
    unpinned: tuple[NormalizedName, ...],
) -> Lock:
    """The lock of ``group``, with the header of the ``existing`` one where that still holds.

    ``command`` is what could stand in a new header. ``limited``: the entries depend on pins that
    such a command would not have.
    """
    style = command.style
    header_lines = _command_lines(existing, group.header, style)
    options = lock_options(sources, group.lock.parent, header_lines)
    minor = ".".join(map(str, target.minor))
    pair = group.lock.suffix == ".txt" and all(path.suffix == ".in" for path in group.sources)
    repeatable = (
        not limited
        and (group.compiled is not None if group.declared else pair or existing is not None)
        and not any(re.search(r"\$\{[A-Z0-9_]+\}", text) for text in sources.texts.values())
        # What pip-compile writes as a lock has to have it.
        and all(
            entry.source.is_index
            or (isinstance(entry.source, ArchiveSource) and entry.source.url[:5] != "file:")
            for entry in entries
        )
        and all(_is_emitted(line, style) for line in options)
    )
    header = _header(existing, group, command, python=minor, repeatable=repeatable)
    return Lock(
        entries=entries,
        header=header,
        project=group.compiled.project if group.compiled and header.declared is not None else None,
        options=options,
        annotations=style.annotations,
        unpinned=unpinned,
    )


def _header(
    existing: Lock | None, group: Group, command: CompileCommand, *, python: str, repeatable: bool
) -> LockHeader:
    """The existing one, renewed; pip-compile's only where its command writes such a lock."""
    header = None if existing is None else existing.header
    if header is not None and header.tool != "venvman":
        compiled = header.tool == "pip-compile" and header.line.is_compile
        gone = compiled and group.folder is None  # it names sources that are not there
        if not gone and (repeatable or not compiled or len(header.sources) > 1):
            hashes = command.style.hashes
            same = hashes == style_of(existing).hashes
            return renewed(header, python=python, hashes=None if same else hashes)
    if repeatable:
        return compile_header(command.arguments, python=python)
    return own_header(command.style, python=python)


def _command_lines(
    existing: Lock | None, coming: LockHeader | None, style: LockStyle
) -> tuple[str, ...]:
    """The option lines that the lock's command, existing or coming, writes into it."""
    header = existing.header if existing is not None else coming
    if header is None or not header.is_compiled or header.tool == "venvman":
        return ()
    lines = [line for line in header.index_lines if _is_emitted(line, style)]
    if not header.line.is_compile and existing is not None:
        lines += existing.options  # a script: what it says about indexes is seen in the lock
    if header.tool == "uv" and style.emit_index_url and not header.line.has(*_UV_INDEX):
        lines.insert(0, f"--index-url {DEFAULT_INDEX}")
    said: tuple[str, ...] = ("--index-url", "--extra-index-url", "--find-links")
    if header.tool == "pip-compile":
        said = (*said, "--trusted-host", "--no-binary", "--only-binary", "--no-index")
    return tuple(line for line in lines if line.startswith(said))


_UV_INDEX = ("-i", "--index-url", "--default-index")


def _is_emitted(line: str, style: LockStyle) -> bool:
    """Whether pip-compile, with this style, writes the option ``line`` as it stands."""
    flag, _, value = line.partition(" ")
    if flag in {"--index-url", "--extra-index-url"}:
        return style.emit_index_url
    if flag == "--find-links":
        return style.emit_find_links and "://" in value
    return flag != "--no-index"


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
    for requirement in request.lines:
        source = requirement.source
        if not isinstance(source, VcsSource) or source.vcs != "git":
            continue
        written = written_reference(requirement)
        if written is None or written in pinned:
            continue
        commit = (
            source.commit
            or _kept(request, requirement)
            or _find(requirement, source, request.variables)
        )
        location = written[4:].partition("#")[0]
        url = _URL.sub("", location) if source.revision else location
        pinned[written] = replace(source, url=url, commit=commit)
    return pinned


REFERENCE = re.compile(r"git\+\S+")
"""What :func:`written_reference` finds."""
_URL = re.compile(r"@[^@/]*(?:/[^@]*)?$")


def written_reference(requirement: Requirement) -> str | None:
    """The key of :data:`Pinned` that a line has."""
    match = REFERENCE.search(requirement.raw)
    return match[0] if match else None


def _kept(request: FreezeRequest, requirement: Requirement) -> str | None:
    from venvman.engines import UpgradeAll, UpgradeSome

    upgrade, asked = request.upgrade, requirement.source
    if isinstance(upgrade, UpgradeAll) or not isinstance(asked, VcsSource):
        return None
    written = (written_reference(requirement) or "")[4:].partition("#")[0]
    urls = {without_secret(asked.url), written, _URL.sub("", written)}
    same = [
        (entry.name, found)
        for entries in (*(lock.entries for lock in request.locks.values()), request.installed)
        for entry in entries
        if isinstance(found := entry.source, VcsSource)
        and found.url in urls
        and found.revision == asked.revision
    ]
    # Its own pin, else that of another package of the repository.
    same.sort(key=lambda each: each[1].subdirectory != asked.subdirectory)
    if not same or (isinstance(upgrade, UpgradeSome) and same[0][0] in upgrade.names):
        return None
    return same[0][1].commit


def _find(requirement: Requirement, source: VcsSource, variables: Mapping[str, str]) -> str:
    environment = without_repository(variables)
    revision = source.revision or "HEAD"
    done = try_git("ls-remote", source.url, revision, f"{revision}^{{}}", variables=environment)
    if not done.ok:
        raise _fault(requirement, source, "git could not read the repository.", done.stderr)
    rows = (row.partition("\t") for row in done.stdout.splitlines())
    found = {name: commit for commit, _, name in rows}
    heads, tags = f"refs/heads/{revision}", f"refs/tags/{revision}"
    names = ("HEAD",) if revision == "HEAD" else ()
    for name in (*names, heads, f"{tags}^{{}}", tags, revision):
        if name in found:
            return found[name]
    return _find_in_clone(requirement, source, revision, environment)


def _find_in_clone(
    requirement: Requirement, source: VcsSource, revision: str, environment: Mapping[str, str]
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
        raise _fault(requirement, source, f"It has no branch, tag or commit {revision}.", "")
    return done.stdout.strip()


def _fault(requirement: Requirement, source: VcsSource, message: str, said: str) -> FreezeError:
    return FreezeError(
        f"{redact(source.url)} cannot be pinned to a commit.",
        code="repository-unresolved",
        **line_of(requirement.origin),
        why=f"{message} {redact(said).strip()}".strip(),
        fix=scp_advice(source.url) or Command.of("git", "ls-remote", redact(source.url)),
    )
