"""VM4 and VM5: what was built, or written when it was installed, for another Python or system."""

from __future__ import annotations

import ast
import os
import re
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.doctor.files import again
from venvman.environment.directurl import DirectUrlInvalid, read_direct_url
from venvman.environment.inventory import MetadataKind
from venvman.model.errors import Advice
from venvman.model.metadata import EntryPoint, EntryPointInvalid, parse_scripts
from venvman.model.sources import DirectorySource, Source
from venvman.system.reading import read_regular, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding
    from venvman.doctor.recorded import Recorded


def wheels(examination: Examination) -> Iterator[Finding]:
    """Wheels none of whose tags this Python takes."""
    if examination.target is None:
        return
    supported = set(examination.target.tags)
    for each in examination.distributions:
        tags = _tags(each.metadata / "WHEEL") if each.kind is MetadataKind.DIST_INFO else set()
        if tags and not tags & supported:
            yield codes.WHEEL_FOREIGN(
                f"{each.name} is from a wheel for {', '.join(sorted(tags))}, which is not what "
                f"this Python {examination.target.python} takes.",
                package=each.name,
                path=examination.display(each.metadata),
                fix=again(examination, each.name),
            )


def _tags(path: Path) -> set[str]:
    from packaging.tags import parse_tag

    lines = text_of(path).splitlines()
    written = [line.partition(":")[2].strip() for line in lines if line.startswith("Tag:")]
    if not all(tag.count("-") == 2 for tag in written):
        return set()
    return {str(tag) for text in written for tag in parse_tag(text)}


def legacy(examination: Examination) -> Iterator[Finding]:
    """Distributions of a time before wheels."""
    for each in examination.distributions:
        if each.kind in (MetadataKind.EGG_INFO_FOLDER, MetadataKind.EGG_INFO_FILE):
            yield codes.METADATA_LEGACY(
                f"{each.name} was installed as an egg: no RECORD lists its files.",
                package=each.name,
                path=examination.display(each.metadata),
                fix=again(examination, each.name),
            )


def scripts(examination: Examination) -> Iterator[Finding]:
    """Scripts that installers wrote, and that start the Python of somewhere else."""
    if examination.environment is None:
        return
    folder = examination.environment.paths.scripts
    own = os.path.realpath(folder)
    for each in examination.recorded:
        for script in _scripts(each.installed.metadata):
            path = folder / script.name
            python = _python_of(path)
            if python is not None and os.path.realpath(python.parent) != own:
                shown = examination.display(path)
                yield codes.SCRIPT_FOREIGN(
                    f"{shown} starts {python}, not the Python of this environment.",
                    package=each.installed.name,
                    path=shown,
                    fix=again(examination, each.installed.name),
                )


def _scripts(metadata: Path) -> tuple[EntryPoint, ...]:
    try:
        return parse_scripts(text_of(metadata / "entry_points.txt"))
    except EntryPointInvalid:
        return ()


def _python_of(script: Path) -> Path | None:
    """The interpreter that ``script`` names by a full path, None if it is no Python."""
    first, second = [*text_of(script)[:4096].splitlines(), "", ""][:2]
    if not first.startswith("#!"):
        return None
    path = Path(first[2:].strip())
    # A path that is long or has blanks is behind a shell: '''exec' "PATH" "$0" "$@"
    if str(path) == "/bin/sh" and second.startswith("'''exec' "):
        try:
            path = Path(shlex.split(second)[1])
        except (ValueError, IndexError):
            return None
    return path if path.is_absolute() and path.name.startswith(("python", "pypy")) else None


def targets(examination: Examination) -> Iterator[Finding]:
    """Scripts of editable packages whose module or function has gone from the folder."""
    for each in examination.recorded:
        folder = _folder_of(each.installed.source)
        if folder is None:
            continue
        yield from _gone(examination, each)
        site = each.installed.metadata.parent
        named = tuple(map(Path, mapped(site, (path for path, _ in each.rows if ".pth" in path))))
        for script in _scripts(each.installed.metadata):
            lost = _lost(folder, named, script)
            if lost is not None:
                yield codes.ENTRY_POINT_BROKEN(
                    f"The script {script.name} of {each.installed.name} calls "
                    f"{script.module}:{script.attribute}, but {lost}.",
                    package=each.installed.name,
                    path=examination.display(each.installed.metadata / "entry_points.txt"),
                    fix=Advice("Bring it back, or name another one in the package's metadata."),
                )


def _gone(examination: Examination, each: Recorded) -> Iterator[Finding]:
    """Where a ``.pth`` file or a finder of an editable package leads to, and nothing is."""
    site = each.installed.metadata.parent
    for target in mapped(site, [path for path, _ in each.rows]):
        if not any(os.path.lexists(f"{target}{end}") for end in ("", ".py")):
            yield codes.ENTRY_POINT_BROKEN(
                f"{each.installed.name} is imported from {target}, which is gone.",
                package=each.installed.name,
                path=examination.display(each.installed.metadata),
                fix=Advice("Bring it back, or sync when the project says where it is now."),
            )


def mapped(site: Path, paths: Iterable[str]) -> Iterator[str]:
    """The folders that the ``.pth`` files and finders among ``paths`` of an editable lead to."""
    for path in paths:
        if not path.endswith((".pth", "_finder.py")) or "/" in path:
            continue
        text = text_of(site / path)
        if path.endswith(".pth"):
            yield from (line for line in text.splitlines() if line.startswith("/"))
        elif (match := _MAPPING.search(text)) is not None:
            with suppress(ValueError, SyntaxError):
                yield from map(str, ast.literal_eval(match[1]).values())


_MAPPING = re.compile(r"^MAPPING\b[^=\n]*= (\{.*\})$", re.MULTILINE)


def _folder_of(source: Source) -> Path | None:
    """The folder from which an editable package is imported."""
    if not isinstance(source, DirectorySource) or not source.editable:
        return None
    return Path(source.folder)


def called_files(metadata: Path) -> Iterator[Path]:
    """What is looked at for the scripts of an editable package with this folder of metadata."""
    try:
        folder = _folder_of(read_direct_url(read_regular(metadata / "direct_url.json")))
    except (OSError, DirectUrlInvalid):
        return
    if folder is not None:
        site = metadata.parent
        for target in mapped(site, os.listdir(site)):  # noqa: PTH208 - names
            yield from (Path(f"{target}{end}") for end in ("", ".py"))
        for script in _scripts(metadata):
            top = script.module.partition(".")[0]
            yield from (root / top for root in (folder, folder / "src"))
            yield from _modules(folder, script)


def _modules(folder: Path, script: EntryPoint) -> tuple[Path, ...]:
    """Where the module that ``script`` calls may be."""
    inner = script.module.replace(".", "/")
    roots = (folder, folder / "src")
    return tuple(root / f"{inner}{end}" for root in roots for end in (".py", "/__init__.py"))


def _lost(folder: Path, named: tuple[Path, ...], script: EntryPoint) -> str | None:
    """A clause, None if all is there or cannot be known without importing it.

    ``named`` are the folders that ``.pth`` files say it is imported from.
    """
    inner = script.module.replace(".", "/")
    top = inner.partition("/")[0]
    roots = [root for root in (folder, folder / "src") if (root / top).is_dir()]
    roots += [root for root in (folder, folder / "src") if (root / f"{top}.py").is_file()]
    if not roots and named and all(each.is_dir() for each in named):
        there_is = any(True for each in named for _ in each.glob(f"{top}*"))
        return None if there_is else f"there is no module {top}"
    if not roots:
        return None  # laid out in a way that only its build backend knows
    there = [file for file in _modules(folder, script) if file.is_file()]
    if not there:
        return None if any(roots[0].glob(f"{inner}.*")) else f"there is no module {script.module}"
    try:
        text = read_regular(there[0]).decode("utf-8", "replace")
    except OSError:
        return None
    name = script.attribute.partition(".")[0]
    if re.search(rf"\b(?:{name}|__getattr__|globals)\b|import \*", text):
        return None
    return f"{there[0].name} has no {name}"
