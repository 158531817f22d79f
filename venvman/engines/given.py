"""What an engine starts from: source files, a lock's pip-compile command, pins that may stay."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.engines import UpgradeAll, UpgradeSome
from venvman.lock.file import located
from venvman.lock.style import compile_arguments, new_arguments, style_of
from venvman.model.errors import FileLine
from venvman.model.frozen import dataclass
from venvman.requirements.file import Requirement, parse
from venvman.requirements.includes import includes_in
from venvman.requirements.lines import decode
from venvman.resolve.demand import specifier_set
from venvman.system.secrets import without_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from venvman.engines import FreezeRequest
    from venvman.lock.file import LockEntry
    from venvman.model.names import NormalizedName
    from venvman.model.options import FileOptions
    from venvman.project.groups import Group
    from venvman.project.project import Project
    from venvman.requirements.header import LockStyle


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTexts:
    """The texts of one group's files, by absolute path, and what their options are as written."""

    texts: dict[Path, str]
    options: tuple[FileOptions, ...]


def read_sources(group: Group, project: Project) -> SourceTexts:
    """Reads ``group``'s files; relative paths in options count from the project's root."""
    root = project.root
    texts = {path: decode(project.read(path), path=path.as_posix()) for path in group.files}
    # Without variables `${VAR}` stays as it is written, which is what a lock may hold.
    parsed = [
        parse(text, path=path.as_posix(), variables={}, cwd=str(root))
        for path, text in texts.items()
    ]
    options = tuple(
        replace(
            file.options,
            find_links=tuple(_found(link, path, root) for link in file.options.find_links),
        )
        for path, file in zip(texts, parsed, strict=True)
    )
    return SourceTexts(texts=texts, options=options)


def lock_options(
    sources: SourceTexts, folder: Path, command: Sequence[str] = ()
) -> tuple[str, ...]:
    """The option lines that a lock in ``folder`` copies from its source, in pip-compile's order.

    ``command`` are those that its header's command writes besides.

    Folders are relative to ``folder``, as pip takes them; credentials are left out, ``${VAR}``
    stays.
    """
    said = parse("\n".join(command), path="", variables={}).options
    sources = replace(sources, options=(said, *sources.options))
    lines: list[str] = []
    for options in sources.options:
        if options.no_index:
            lines.append("--no-index")
        if options.index_url is not None:
            lines = [line for line in lines if not line.startswith("--index-url ")]
            lines.insert(0, f"--index-url {without_secret(options.index_url)}")
        lines += [f"--extra-index-url {without_secret(url)}" for url in options.extra_index_urls]
    for options in sources.options:
        lines += [f"--find-links {_link(link, folder)}" for link in options.find_links]
    for options in sources.options:
        lines += [f"--trusted-host {host}" for host in options.trusted_hosts]
    no_binary = frozenset[str]().union(*(options.no_binary for options in sources.options))
    only_binary = frozenset[str]().union(*(options.only_binary for options in sources.options))
    for flag, names in (("--no-binary", no_binary), ("--only-binary", only_binary)):
        lines += [f"{flag} :all:"] if ":all:" in names else []
    for flag, names in (("--no-binary", no_binary), ("--only-binary", only_binary)):
        lines += [f"{flag} {name}" for name in sorted(names - {":all:"})]
    return tuple(dict.fromkeys(lines))


def ordered(groups: Sequence[Group], texts: dict[str, SourceTexts]) -> list[Group]:
    """``groups`` with those whose lock another one includes first."""
    result: list[Group] = []
    visiting: set[str] = set()

    def visit(group: Group) -> None:
        if group.name in visiting:
            return
        visiting.add(group.name)
        named = {
            Path(os.path.normpath(path.parent / target))
            for path, text in texts[group.name].texts.items()
            for _, target in includes_in(text)
        }
        for other in groups:
            if other.lock in named:
                visit(other)
        result.append(group)

    for group in groups:
        visit(group)
    return result


def _found(link: str, file: Path, root: Path) -> str:
    """A folder that ``file`` names, absolute: beside the file, else below ``root``, as in pip."""
    if "://" in link or link.startswith("${"):
        return link
    beside = file.parent / link
    return str(beside if beside.exists() else root / link)


def _link(link: str, folder: Path) -> str:
    if not os.path.isabs(link):  # noqa: PTH117 - may be a URL
        return without_secret(link)
    near = os.path.relpath(link, folder)
    return near if near.startswith(".") else f"./{near}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileCommand:
    """One group's pip-compile: its arguments, the folder it is run from, what they ask for."""

    arguments: tuple[str, ...]
    folder: Path
    style: LockStyle


def command_of(request: FreezeRequest, group: Group) -> CompileCommand:
    """As the existing lock's header has it, else a new one's."""
    root = request.project.root
    existing = request.locks.get(group.name)
    header = group.header if existing is None else existing.header
    style = style_of(existing) if existing or header is None else header.style
    if request.hashes is not None:
        style = replace(style, hashes=request.hashes)
    folder = group.folder or root
    if header is not None and group.folder is not None:
        arguments = compile_arguments(header, hashes=request.hashes)
        if arguments is not None:
            return CompileCommand(arguments=arguments, folder=folder, style=style)
    arguments = new_arguments(
        style,
        sources=[os.path.relpath(path, folder) for path in group.sources],
        output=os.path.relpath(group.lock, folder),
        more=group.compiled.options if group.compiled else (),
    )
    return CompileCommand(arguments=arguments, folder=folder, style=style)


def kept_entries(request: FreezeRequest, group: Group) -> list[LockEntry]:
    """The entries of the group's lock that may stay and apply on the target; what is installed."""
    upgrade = request.upgrade
    if isinstance(upgrade, UpgradeAll):
        return []
    lock = request.locks.get(group.name)
    locked = () if lock is None else lock.entries
    names = {entry.name for entry in locked}
    dropped = upgrade.names if isinstance(upgrade, UpgradeSome) else ()
    target = request.target
    return [
        entry
        for entry in (*locked, *(each for each in request.installed if each.name not in names))
        if entry.name not in dropped and target.applies(entry.marker)
    ]


def first_of_each(entries: Iterable[LockEntry]) -> list[LockEntry]:
    """The first entry of each name."""
    found: dict[NormalizedName, LockEntry] = {}
    for entry in entries:
        found.setdefault(entry.name, entry)
    return list(found.values())


def beside_lines(request: FreezeRequest) -> Iterator[Requirement]:
    """The pins of the locks beside the groups, as constraints; each names its lock's line."""
    found: set[NormalizedName] = set()
    for lock in request.beside.values():
        for entry in lock.entries:
            if entry.name in found or not request.target.applies(entry.marker):
                continue
            found.add(entry.name)
            specifier = f"=={entry.version}" if entry.version is not None else ""
            yield Requirement(
                name=entry.name,
                specifier=specifier_set(specifier),
                source=located(entry.source, request.project.root, variables=request.variables),
                constraint=True,
                raw=entry.origin.text if entry.origin else "",
                origin=entry.origin or FileLine(path="", line=0, text=entry.name),
            )
