"""VM5: what runs or is imported, and who brought it: a distribution, the project, or nobody."""

from __future__ import annotations

import os
import stat
import sys
from collections import defaultdict
from dataclasses import field
from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.environment.inventory import MetadataKind
from venvman.model.errors import Advice, Command, Severity
from venvman.model.frozen import dataclass
from venvman.model.sources import DirectorySource
from venvman.system.files import permit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Code, Finding
    from venvman.doctor.recorded import Recorded
    from venvman.environment.inspection import Environment
    from venvman.model.names import NormalizedName


_AT_START = ("sitecustomize", "usercustomize")
_MODULES = (".py", ".so", ".pyd", ".pyc")
# Written by virtualenv and uv, which list them nowhere.
_OF_MAKERS = {"_virtualenv.py", "_virtualenv.pth"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """A folder of packages: the paths that RECORDs list, and who lists which.

    ``tops`` has the first parts of the paths, and when the last of their distributions came: the
    time of its metadata, in nanoseconds since the epoch.
    """

    files: dict[str, NormalizedName] = field(default_factory=dict)
    tops: dict[str, int] = field(default_factory=dict)
    twice: dict[tuple[NormalizedName, NormalizedName], list[str]] = field(default_factory=dict)

    @property
    def folders(self) -> set[str]:
        """The folders of modules, and those above them, relative to this one."""
        inner = {path.rpartition("/")[0] for path in self.files if path.endswith(_MODULES)}
        inner |= {above for each in inner for above in _above(each)}
        return {each for each in inner if each and not each.startswith("..")} - {"__pycache__"}


def unowned(examination: Examination) -> Iterator[Finding]:
    """What lies among the packages, has an effect on programs, and stands in no RECORD.

    Where one distribution does not say what is its own, nobody knows whose anything is.
    """
    sites = _sites(examination)
    for folder, site in (sites or {}).items():
        folders = site.folders
        # Files that two distributions bring; whoever is removed last takes them along.
        for (one, other), files in sorted(site.twice.items()):
            count = "One file is" if len(files) == 1 else f"{len(files)} files are"
            yield codes.FILE_OF_TWO(
                f"{count} brought by {one} as well as by {other}, first {min(files)}.",
                package=one,
                fix=Advice(f"Do without {one} or {other}, unless these files are alike in both."),
            )
        yield from _at_top(examination, folder, site)
        # A file that makes one package of what several share: it hides the parts of all others.
        for inner in sorted(folders):
            name = f"{inner}/__init__.py"
            if name not in site.files and (folder / name).is_file():
                shown = examination.display(folder / name)
                what = f"{shown} makes a package of its own of a folder that others share"
                yield _nobodys(codes.FILE_UNOWNED, what, folder / name, shown)
        yield from _inside(examination, folder, site, folders)
    if examination.environment is not None:
        if sites is not None:
            yield from _before_others(examination, examination.environment, sites)
        yield from _writable(examination, examination.environment, sites or {})


def _writable(
    examination: Examination, there: Environment, sites: dict[Path, _Site]
) -> Iterator[Finding]:
    """Folders of the environment in which every user of the machine may put files."""
    folders = [there.root, there.root / "pyvenv.cfg", there.paths.scripts]
    for folder, site in sites.items():
        folders += [folder, *(folder / each for each in sorted(site.folders))]
    open_ones = [each for each in folders if _is_open(each)]
    if open_ones:
        first = examination.display(open_ones[0])
        yield codes.FOLDER_WRITABLE(
            f"{first}{' and others' if open_ones[1:] else ''} can be written into by every user of "
            "this machine.",
            path=first,
            fix=permit("o-w", examination.root, below=True),
        )


def _is_open(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX and os.name != "nt"


def _sites(examination: Examination) -> dict[Path, _Site] | None:
    """The folders of packages; None if not all that is in them says what is its own."""
    listed = {each.installed.metadata: each for each in examination.recorded}
    sites: defaultdict[Path, _Site] = defaultdict(_Site)
    for each in examination.distributions:
        found = listed.get(each.metadata)
        site = sites[each.metadata.parent]
        if each.kind is MetadataKind.EGG_LINK:
            site.tops.update({"easy-install.pth": 0, each.metadata.name: 0})
        elif found is None or each.damage is not None or not found.lists_itself:
            return None
        else:
            _add(site, found)
    return dict(sites)


def _add(site: _Site, each: Recorded) -> None:
    name, paths = each.installed.name, {path for path, _ in each.rows}
    # An `__init__.py` that says no more than that others share its folder comes with each of them.
    for path in paths & site.files.keys():
        if site.files[path] != name and not path.endswith(("/__init__.py", ".pyc")):
            pair = min(name, site.files[path]), max(name, site.files[path])
            site.twice.setdefault(pair, []).append(path)
    came = each.installed.metadata.stat().st_mtime_ns
    site.files.update(dict.fromkeys(paths, name))
    for top in {path.partition("/")[0] for path in paths}:
        site.tops[top] = max(came, site.tops.get(top, 0))


def _at_top(examination: Examination, folder: Path, site: _Site) -> Iterator[Finding]:
    for name in sorted({each.name for each in folder.iterdir()} - site.tops.keys() - _OF_MAKERS):
        path = folder / name
        shown = examination.display(path)
        if name.endswith(".pth") or name.partition(".")[0] in _AT_START:
            what = f"{shown} runs or is read whenever Python starts here"
            yield _nobodys(codes.STARTUP_UNOWNED, what, path, shown)
        elif name.endswith(_MODULES) or _holds_modules(path):
            yield _nobodys(codes.FILE_UNOWNED, f"{shown} can be imported", path, shown)


def _holds_modules(path: Path) -> bool:
    """Whether ``path`` is a folder that can be imported, with or without an ``__init__.py``."""
    if path.name == "__pycache__":
        return False
    try:
        return any(name.endswith(_MODULES) for name in os.listdir(path))  # noqa: PTH208 - names only
    except OSError:
        return False


def _inside(
    examination: Examination, folder: Path, site: _Site, folders: set[str]
) -> Iterator[Finding]:
    """Modules that were put into packages later, as some programs do themselves: a note.

    Unless contents are asked for, a folder that is older than its distribution's metadata holds
    what came with it, and is not read.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for inner in sorted(folders):
        top = inner.partition("/")[0]
        try:
            if not examination.verify_files:
                changed = os.stat(f"{folder}/{inner}").st_mtime_ns  # noqa: PTH116 - thousands
                if changed < site.tops.get(top, 0):
                    continue
            names = os.listdir(f"{folder}/{inner}")  # noqa: PTH208 - names only
        except OSError:
            continue
        for name in names:
            path = f"{inner}/{name}"
            if path in site.files or path in folders or name == "__init__.py":
                continue
            if name.endswith(_MODULES) or ("." not in name and _holds_modules(folder / path)):
                found[top].append(path)
    for paths in found.values():
        shown = examination.display(folder / min(paths))
        what = (
            "can be imported" if len(paths) == 1 else f"and {len(paths) - 1} more can be imported"
        )
        yield codes.FILE_UNOWNED(
            f"{shown} {what}, and no package brought it.",
            path=shown,
            severity=Severity.NOTE,
            fix=Command.of("rm", "-r", *(folder / each for each in sorted(paths))),
        )


def _before_others(
    examination: Examination, there: Environment, sites: dict[Path, _Site]
) -> Iterator[Finding]:
    """Scripts of nobody that stand before the system's of the same name."""
    scripts = there.paths.scripts
    owned = {
        path.rpartition("/")[2] for site in sites.values() for path in site.files if ".." in path
    }
    for path in sorted(scripts.iterdir()) if scripts.is_dir() else ():
        if path.name in owned or path.name.startswith(_PROGRAMS) or not os.access(path, os.X_OK):
            continue
        theirs = [each for each in _SYSTEM if os.access(f"{each}/{path.name}", os.X_OK)]
        if theirs:
            shown = examination.display(path)
            what = f"{shown} is run instead of {theirs[0]}/{path.name} where this is activated"
            yield _nobodys(codes.FILE_UNOWNED, what, path, shown)


_SYSTEM = ("/bin", "/usr/bin", "/sbin", "/usr/sbin")
# Of the environment itself, and of what makers put beside it without a RECORD.
_PROGRAMS = ("python", "pypy", "pip", "activate", "deactivate", "easy_install", "wheel")


def _above(inner: str) -> Iterator[str]:
    while inner := inner.rpartition("/")[0]:
        yield inner


def _nobodys(code: Code, what: str, path: Path, shown: str) -> Finding:
    return code(
        f"{what}, and no package brought it: remove it, unless you put it there.",
        path=shown,
        fix=Command.of("rm", "-r", path),
    )


# What projects have and some wheels bring by accident; `test` is a part of Python that no one uses.
_COMMON = frozenset({"test", "tests", "docs", "examples", "benchmarks", "scripts", "setup", "this"})


def modules(examination: Examination) -> Iterator[Finding]:
    """Modules in the project's folder that would be imported in the place of others.

    The folder is the first place that Python looks in when it runs a script or module there.
    """
    brought: dict[str, str] = dict.fromkeys(sys.stdlib_module_names, "the standard library")
    for each in examination.recorded:
        source = each.installed.source
        if isinstance(source, DirectorySource):
            continue  # it may be the project's own
        tops = {path.partition("/") for path, _ in each.rows if path.endswith(".py")}
        names = {first if rest else first.removesuffix(".py") for first, rest, _ in tops}
        brought |= dict.fromkeys(names, each.installed.name)
    for name, path in modules_in(examination.project.root):
        if name not in brought or name in _COMMON or name.startswith("_"):
            continue
        shown = examination.display(path)
        yield codes.MODULE_SHADOWS(
            f"{shown} is imported instead of {name} of {brought[name]} by what runs here.",
            path=shown,
            severity=None if path.suffix == ".py" else Severity.NOTE,
            fix=Advice(f"Give {shown} another name, or keep it in a folder such as src."),
        )


def modules_in(root: Path) -> Iterator[tuple[str, Path]]:
    """What can be imported from ``root``: by which name, and its file or folder."""
    try:
        entries = sorted(root.iterdir())
    except OSError:
        return
    for path in entries:
        if path.suffix == ".py" and path.stem.isidentifier():
            yield path.stem, path
        elif path.name.isidentifier() and (path / "__init__.py").is_file():
            yield path.name, path
