"""Source files as an engine needs them: text, options unexpanded, who includes whom."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.requirements.file import parse
from venvman.requirements.includes import includes_in
from venvman.requirements.lines import decode
from venvman.system.secrets import without_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.model.options import FileOptions
    from venvman.project.groups import Group
    from venvman.project.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTexts:
    """The texts of one group's files, by absolute path, and what their options are as written."""

    texts: dict[Path, str]
    options: tuple[FileOptions, ...]

    @property
    def has_variables(self) -> bool:
        """Whether any file uses ``${VAR}``."""
        return any(re.search(r"\$\{[A-Z0-9_]+\}", text) for text in self.texts.values())


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
        named = _included(texts[group.name])
        for other in groups:
            if other.lock in named:
                visit(other)
        result.append(group)

    for group in groups:
        visit(group)
    return result


def _included(sources: SourceTexts) -> set[Path]:
    return {
        Path(os.path.normpath(path.parent / target))
        for path, text in sources.texts.items()
        for _, target in includes_in(text)
    }


def _found(link: str, file: Path, root: Path) -> str:
    """A folder that ``file`` names, absolute: beside the file, else below ``root``, as in pip."""
    if "://" in link or link.startswith("${"):
        return link
    beside = file.parent / link
    return str(beside if beside.exists() else root / link)


def _link(link: str, folder: Path) -> str:
    if not os.path.isabs(link):  # noqa: PTH117 - may be a URL
        return without_secret(link)
    relative = os.path.relpath(link, folder).replace(os.sep, "/")
    return relative if relative.startswith(".") else f"./{relative}"
