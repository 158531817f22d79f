"""The lock format of PEP 751, ``pylock.toml``: read and written, by :mod:`packaging.pylock`.

What the standard has no place for (who asks for a package, the command, extras) is in
``[tool.venvman]``. Which package asks for which is told by the standard's ``dependencies``.
"""

from __future__ import annotations

import json
import posixpath
import re
from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from venvman.index.candidates import instant
from venvman.index.page import leaf_of, strong
from venvman.lock.file import Lock, LockEntry, sort_key
from venvman.lock.parse import refuse_conflicts
from venvman.model.errors import FileLine, LockError, Problem
from venvman.model.names import canonical
from venvman.model.pep508 import parse_specifier
from venvman.model.sources import ArchiveSource, DirectorySource, IndexFile, IndexSource, VcsSource
from venvman.requirements.header import read_pylock_header
from venvman.requirements.multiuse import chosen, inner_groups
from venvman.requirements.naming import DEFAULT, pylock_group
from venvman.system.reading import read_toml
from venvman.system.secrets import redact, without_secret

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path, PurePath

    from packaging.markers import Marker
    from packaging.pylock import (
        Package,
        PackageArchive,
        PackageSdist,
        PackageWheel,
        Pylock,
        PylockValidationError,
    )

    from venvman.model.sources import Source

_PACKAGE = re.compile(r"\s*\[\[\s*packages\s*\]\]")
_NAME = re.compile(r"\s*name\s*=")


# ---- reading -------------------------------------------------------------------------------


def parse_pylock(
    text: str, *, path: str, root: Path, groups: Collection[str] | None = None
) -> Lock:
    """The lock that ``text`` holds, by whichever tool.

    ``path`` is for messages; paths in the file are seen from ``root``, where it lies. Of a lock
    with extras and dependency groups it is what ``groups`` (:class:`InnerGroup`) install, None: its
    default groups.

    Raises:
        LockError: every faulty package at once, with its line.
    """
    from packaging.pylock import Pylock, PylockValidationError

    lines = text.split("\n")
    refuse_conflicts(text, lines, path)
    try:
        document = read_toml(text)
    except ValueError as error:
        at = re.search(r"at line (\d+)", str(error))
        raise _faulty(path, [_fault(path, lines, int(at[1]) if at else 1, str(error))]) from None
    try:
        said = Pylock.from_dict(document)
        return _lock_of(said, text, path, root, groups)
    except (PylockValidationError, _WeakHash) as error:
        raise _faulty(path, list(_faults(document, error, lines, path))) from None


class _WeakHash(Exception):
    """A file of which no hash can be believed; ``context`` is where it stands."""

    def __init__(self, context: str) -> None:
        super().__init__("None of its hashes is sha256, sha384 or sha512")
        self.message = str(self)
        self.context: str | None = context


def _lock_of(
    said: Pylock, text: str, path: str, root: Path, groups: Collection[str] | None
) -> Lock:
    lines = text.split("\n")
    starts = _starts(lines)
    own = dict((said.tool or {}).get("venvman", {}))
    via = _asking(said.packages)
    inner = inner_groups(text, pylock_group(re.split("[/:]", path)[-1]) or DEFAULT)
    entries = []
    for number, package in enumerate(said.packages):
        marker = chosen(package.marker, inner, groups)
        if marker is False:
            continue
        line = starts[number] if number < len(starts) else 1
        known = dict((package.tool or {}).get("venvman", {}))
        files = _files_of(package, number, root)
        hashes = {value for file in files for value in file.hashes}
        if package.archive is not None:
            hashes |= {*_strong(package.archive, f"packages[{number}].archive")}
        entries.append(
            LockEntry(
                name=canonical(package.name),
                version=package.version if files else None,
                exact=bool(known.get("exact")),
                extras=frozenset(map(canonical, known.get("extras", ()))),
                marker=None if marker is True else marker,
                source=_source_of(package),
                hashes=tuple(sorted(hashes)),
                via=tuple(sorted({*known.get("via", ()), *via.get(number, ())})),
                files=files,
                origin=FileLine(path=path, line=line, text=lines[line - 1].strip()),
            )
        )
    return Lock(
        entries=tuple(sorted(entries, key=sort_key)),
        header=read_pylock_header(text),
        options=tuple(own.get("options", ())),
        environments=tuple(_environments(said)),
    )


def _asking(packages: Sequence[Package]) -> Mapping[int, set[str]]:
    """By its place, the names of the packages whose ``dependencies`` mean a package."""
    places: dict[str, list[int]] = {}
    for number, package in enumerate(packages):
        places.setdefault(package.name, []).append(number)
    found: dict[int, set[str]] = {}
    for package in packages:
        for wanted in package.dependencies or ():
            for number in places.get(str(wanted.get("name")), ()):
                if all(_said(packages[number], key) == value for key, value in wanted.items()):
                    found.setdefault(number, set()).add(package.name)
    return found


def _said(package: Package, key: str) -> object:
    value = getattr(package, key.replace("-", "_"), None)
    return value if value is None or key == "name" else str(value)


def _environments(said: Pylock) -> Iterator[Marker]:
    """The conditions of the whole file, ``requires-python`` among them."""
    from packaging.markers import Marker

    python = " and ".join(
        f'python_full_version {each.operator} "{each.version}"'
        for each in said.requires_python or ()
    )
    for marker in said.environments or ():
        yield Marker(f"({marker}) and {python}") if python else marker
    if python and not said.environments:
        yield Marker(python)


def _source_of(package: Package) -> Source:
    if package.vcs is not None:
        vcs = package.vcs
        return VcsSource(
            vcs=vcs.type,
            url=vcs.url or f"file:{vcs.path}",
            revision=vcs.requested_revision,
            commit=vcs.commit_id,
            subdirectory=vcs.subdirectory,
        )
    if package.directory is not None:
        folder, path = package.directory, posixpath.normpath(package.directory.path)
        editable = bool(folder.editable)
        return DirectorySource(path=path, editable=editable, subdirectory=folder.subdirectory)
    if package.archive is not None:
        archive = package.archive
        url = archive.url or f"file:{quote(posixpath.normpath(archive.path or ''))}"
        return ArchiveSource(url=url, subdirectory=archive.subdirectory)
    return IndexSource()


def _files_of(package: Package, number: int, root: PurePath) -> tuple[IndexFile, ...]:
    rows: list[tuple[str, PackageWheel | PackageSdist]] = [
        (f"packages[{number}].wheels[{place}]", wheel)
        for place, wheel in enumerate(package.wheels or ())
    ]
    if package.sdist is not None:
        rows.append((f"packages[{number}].sdist", package.sdist))
    requires = None if package.requires_python is None else str(package.requires_python)
    return tuple(
        IndexFile(
            filename=row.filename,
            url=row.url or f"file://{quote(posixpath.join(root.as_posix(), row.path or ''))}",
            hashes=_strong(row, context),
            requires_python=requires,
            size=row.size,
            upload_time=None if row.upload_time is None else _time_text(row.upload_time),
        )
        for context, row in rows
    )


def _strong(row: PackageArchive | PackageSdist | PackageWheel, context: str) -> tuple[str, ...]:
    found = strong(dict(row.hashes))
    if not found:
        raise _WeakHash(f"{context}.hashes")
    return found


# ---- faults --------------------------------------------------------------------------------


def _faulty(path: str, problems: Sequence[Problem]) -> LockError:
    return LockError(f"{path} is not a lock.", code="lock-faulty", path=path, problems=problems)


def _faults(
    document: dict[str, Any],
    first: PylockValidationError | _WeakHash,
    lines: Sequence[str],
    path: str,
) -> Iterator[Problem]:
    """What is wrong with each package, or with the whole."""
    from packaging.pylock import Pylock, PylockValidationError

    found = False
    packages = document.get("packages")
    for number, package in enumerate(packages if isinstance(packages, list) else ()):
        try:
            alone = Pylock.from_dict({**document, "packages": [package]})
            _files_of(alone.packages[0], number, PurePosixPath())
        except (PylockValidationError, _WeakHash) as error:
            where = re.sub(r"^packages\[\d+\]", f"packages[{number}]", error.context or "")
            if where.startswith("packages["):
                found = True
                yield _fault(path, lines, _line_of(where, lines), error.message, where)
    if not found:
        where = str(getattr(first, "context", "") or "")
        yield _fault(
            path, lines, _line_of(where, lines), str(getattr(first, "message", first)), where
        )


def _fault(
    path: str, lines: Sequence[str], line: int, why: str, where: str | None = None
) -> Problem:
    return Problem(
        code="lock-faulty",
        message=f"{path} has {where or 'a line'} that is not as PEP 751 has it.",
        path=path,
        line=line,
        text=redact(lines[min(line, len(lines)) - 1].strip()),
        why=redact(f"{why[:1].upper()}{why[1:].rstrip('.')}."),
        fix=read_pylock_header("\n".join(lines)).remake,
    )


def _starts(lines: Sequence[str]) -> list[int]:
    """The lines (1-based) on which packages are named, or else begin."""
    found = []
    for number, line in enumerate(lines, start=1):
        if _PACKAGE.match(line):
            found.append(number)
        elif found and found[-1] == number - 1 and _NAME.match(line):
            found[-1] = number
    return found


def _line_of(where: str, lines: Sequence[str]) -> int:
    """The line of ``packages[3].wheels[0].url``, as near as can be told."""
    line, end = 1, len(lines)
    for key, place in re.findall(r"([\w-]+)(?:\[(\d+)\])?", where):
        if key == "packages" and place:
            starts = [number for number, text in enumerate(lines, 1) if _PACKAGE.match(text)]
            if int(place) < len(starts):
                line = starts[int(place)]
                end = next((each - 1 for each in starts if each > line), end)
            continue
        named = re.compile(rf"(?:^|[{{,.\[\s])\"?{re.escape(key)}\"?\s*[=\]]")
        found = [at for at in range(line, end + 1) if named.search(lines[at - 1])]
        line = found[0] if found else line
        if place:
            table = [at for at in found if f".{key}]]" in lines[at - 1]]
            rows = [at for at in range(line + 1, end + 1) if lines[at - 1].lstrip()[:1] == "{"]
            line = next(iter((table or rows)[int(place) :]), line)
            end = line if rows and not table else end
    return line


# ---- writing -------------------------------------------------------------------------------


def render_pylock(lock: Lock, *, path: str, root: Path) -> str:
    """The text of ``lock``, the same whatever the order of its entries.

    What is below ``root``, where the file goes, is named from there.

    Raises:
        LockError: an entry of an index has no files (:attr:`LockEntry.files`), or an archive no
            hash.
    """
    from packaging.pylock import Pylock

    from venvman.lock.style import target_names

    entries = sorted(lock.own, key=lambda each: (each.name, *sort_key(each)[2:]))
    header = lock.header
    document = {
        "lock-version": "1.0",
        "requires-python": _least(target_names(header)),
        "created-by": "venvman",
        "packages": [_package(entry, entries, path, root) for entry in entries],
        "tool": {
            "venvman": _told(
                command=header.command, python=header.python, options=list(lock.options)
            )
        },
    }
    Pylock.from_dict(document)  # an error here is a defect of what stands above
    return "".join(_text(document))


def _told(**said: object) -> dict[str, Any]:
    """``said``, in the spelling of TOML, without what says nothing."""
    return {key.replace("_", "-"): value for key, value in said.items() if value}


def _least(targets: Sequence[str]) -> str | None:
    """The least Python of a lock for several targets."""
    minors = [re.search(r":(\d+)\.(\d+)", name) for name in targets]
    known = [(int(found[1]), int(found[2])) for found in minors if found]
    return f">={'.'.join(map(str, min(known)))}" if known else None


def _package(
    entry: LockEntry, entries: Sequence[LockEntry], path: str, root: Path
) -> dict[str, Any]:
    files = [file for file in entry.files if _is_named(file.filename, entry)]
    # What this machine has of it, in a folder of --find-links, no other one need have.
    files = [each for each in files if not each.url.startswith("file:")] or files
    if entry.source.is_index and not files:
        raise _unwritable(entry, path, "No wheel and no sdist of it is known.")
    wheels = sorted((each for each in files if each.is_wheel), key=lambda each: each.filename)
    sdists = [each for each in files if not each.is_wheel]
    sdists.sort(key=lambda each: (not each.filename.endswith(".tar.gz"), each.filename))
    requires = {file.requires_python for file in files}
    names = {each.name for each in entries}
    own = _told(
        via=[each for each in entry.via if each not in names],
        extras=sorted(entry.extras),
        exact=entry.exact,
    )
    return _told(
        name=entry.name,
        version=str(entry.version or ""),
        marker=str(entry.marker or ""),
        requires_python=_specifier(next(iter(requires))) if len(requires) == 1 else None,
        dependencies=[_meant(each, entries) for each in entries if entry.name in each.via],
        **_direct(entry, path, root),
        sdist=_file(sdists[0], root) if sdists else None,
        wheels=[_file(each, root) for each in wheels],
        tool={"venvman": own} if own else None,
    )


def _file(file: IndexFile, root: Path) -> dict[str, Any]:
    return _told(
        name=None if leaf_of(file.url) == file.filename else file.filename,
        **_location(file.url, root),
        upload_time=None if file.upload_time is None else instant(file.upload_time),
        size=file.size,
        hashes=_digests(file.hashes),
    )


def _digests(hashes: Iterable[str]) -> dict[str, str]:
    return dict(each.split(":", 1) for each in sorted(hashes))


def _specifier(text: str | None) -> str | None:
    """``requires-python`` where it is one: indexes have others."""
    try:
        return str(parse_specifier(text)) if text else None
    except ValueError:
        return None


def _meant(entry: LockEntry, entries: Sequence[LockEntry]) -> dict[str, str]:
    """What says which of ``entries`` is meant, no more than is needed."""
    if sum(each.name == entry.name for each in entries) == 1:
        return {"name": entry.name}
    told = ("version", entry.version) if entry.version else ("marker", entry.marker)
    return {"name": entry.name, told[0]: str(told[1])}


def _direct(entry: LockEntry, path: str, root: Path) -> dict[str, Any]:
    source = entry.source
    if isinstance(source, VcsSource):
        if source.commit is None:
            raise _unwritable(entry, path, "It is not pinned to a commit.")
        vcs = {"type": source.vcs, "url": source.url, "requested_revision": source.revision}
        more = {"commit_id": source.commit, "subdirectory": source.subdirectory}
        return {"vcs": _told(**vcs, **more)}
    if isinstance(source, DirectorySource):
        folder = _told(path=source.path, editable=source.editable, subdirectory=source.subdirectory)
        return {"directory": folder}
    if isinstance(source, ArchiveSource):
        hashes = _digests((*source.hashes, *entry.hashes))
        if not hashes:
            raise _unwritable(entry, path, "It has no hash.")
        where = _location(source.url, root)
        return {"archive": _told(**where, hashes=hashes, subdirectory=source.subdirectory)}
    return {}


def _unwritable(entry: LockEntry, path: str, why: str) -> LockError:
    return LockError(
        f"{entry} cannot be written into {path}.", code="lock-not-portable", path=path, why=why
    )


def _location(url: str, root: Path) -> dict[str, str]:
    """A path where the file is near: a lock holds no machine's paths."""
    if not url.startswith("file:"):
        return {"url": without_secret(url)}
    local = unquote(url.removeprefix("file://") if url.startswith("file:///") else url[5:])
    near = posixpath.relpath(local, root.as_posix()) if local.startswith("/") else local
    return {"path": near}


def _is_named(filename: str, entry: LockEntry) -> bool:
    """Whether the name is one that the standard takes: there are files with others."""
    from packaging.utils import parse_sdist_filename, parse_wheel_filename

    try:
        wheel = filename.endswith(".whl")
        name, version = (
            parse_wheel_filename(filename)[:2] if wheel else parse_sdist_filename(filename)
        )
    except ValueError:
        return False
    return canonical(name) == entry.name and version == entry.version


def _time_text(when: datetime) -> str:
    return when.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def _text(document: dict[str, Any]) -> Iterator[str]:
    """TOML: the scalars, each package, and what is the tool's own."""

    def rows(table: dict[str, Any]) -> Iterator[str]:
        return (f"{key} = {_value(value)}\n" for key, value in table.items() if value is not None)

    tables = ("packages", "tool")
    yield from rows({key: each for key, each in document.items() if key not in tables})
    for package in document["packages"]:
        own = package.pop("tool", None)
        yield "\n[[packages]]\n"
        yield from rows(package)
        if own:
            yield "\n[packages.tool.venvman]\n"
            yield from rows(own["venvman"])
    yield "\n[tool.venvman]\n"
    yield from rows(document["tool"]["venvman"])


def _value(value: object) -> str:
    if isinstance(value, datetime):
        return _time_text(value)
    if isinstance(value, dict):
        rows = ", ".join(f"{key} = {_value(each)}" for key, each in value.items())
        return f"{{ {rows} }}"
    if isinstance(value, list | tuple):
        parts = [_value(each) for each in value]
        if any(isinstance(each, dict) for each in value):
            return "[\n" + "".join(f"  {part},\n" for part in parts) + "]"
        return f"[{', '.join(parts)}]"
    return json.dumps(value, ensure_ascii=False)
