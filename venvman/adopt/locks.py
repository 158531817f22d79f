"""Readers for tools that keep what is wanted and what it came to in two files."""

from __future__ import annotations

import json
import os
import posixpath
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from venvman.adopt.taken import (
    OF_PYTHON,
    Left,
    Listed,
    Taken,
    Wanted,
    packages_of,
    source_file,
    table,
    tables_of,
    text_of,
    unreadable,
)
from venvman.lock.direct import parse_reference
from venvman.lock.file import LockEntry
from venvman.model.errors import RequirementsError
from venvman.model.names import canonical
from venvman.model.options import DEFAULT_INDEX
from venvman.model.pep508 import Malformed, parse_marker
from venvman.model.sources import IndexSource, VcsSource
from venvman.requirements.declared import (
    OF_UV,
    PYPROJECT,
    key_pattern,
    origin_in,
    read_declared,
)
from venvman.requirements.naming import DEFAULT, DEV

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from venvman.model.sources import Source
    from venvman.requirements.file import Requirement


# ---- Pipenv --------------------------------------------------------------------------------

_NO_PACKAGES = {"source", "requires", "scripts", "pipenv", "pipfile"}
_SECTIONS = {"packages": DEFAULT, "dev-packages": DEV}
_MARKERS = (
    *("os_name", "sys_platform", "platform_machine", "platform_system"),
    *("python_version", "python_full_version", "implementation_name"),
    "platform_python_implementation",
)


def pipenv(root: Path) -> Taken:
    """``Pipfile`` and ``Pipfile.lock``, or one of them."""
    pipfile = tables_of(root, "Pipfile")
    lock = _pipfile_lock(root)
    wanted = [
        Wanted(line=_line(name, spec), group=_SECTIONS.get(section, section))
        for section in pipfile
        if section not in _NO_PACKAGES
        for name, spec in table(pipfile, section).items()
    ]
    pins = []
    for section in _locked_sections(lock):
        for name, spec in table(lock, section).items():
            version = str(spec.get("version", "")).lstrip("=")
            pins.append(_pin(name, version, _source(spec), spec.get("markers")))
    left = [
        Left(what=f"{key} {value}", why=OF_PYTHON, path="Pipfile")
        for key, value in table(pipfile, "requires").items()
    ]
    sources = pipfile.get("source") or table(lock, "_meta").get("sources") or ()
    rows = [
        spec for each in (pipfile, lock) for name in each for spec in table(each, name).values()
    ]
    named = {spec["index"] for spec in rows if isinstance(spec, dict) and spec.get("index")}
    options = list(_indexes(sources if isinstance(sources, list) else (), named))
    if table(pipfile, "pipenv").get("allow_prereleases"):
        options.append("--pre")
    return Taken(
        tool="Pipenv",
        files=tuple(each for each in ("Pipfile", "Pipfile.lock") if (root / each).is_file()),
        wanted=tuple(wanted),
        listed=() if wanted else tuple(_sections(lock, options)),
        pins=tuple(filter(None, pins)),
        left=tuple(left),
        options=tuple(options),
    )


def _pipfile_lock(root: Path) -> dict[str, Any]:
    """The tables of ``Pipfile.lock``; none where there is no such file.

    Raises:
        RequirementsError: it is no JSON, or not of that form.
    """
    name = "Pipfile.lock"
    if not (root / name).is_file():
        return {}
    try:
        lock = json.loads(text_of(root, name))
    except json.JSONDecodeError as error:
        raise unreadable(name, error.msg, line=error.lineno) from None
    if not isinstance(lock, dict):
        raise unreadable(name, "It is no table of sections")
    for section in _locked_sections(lock):
        for each, spec in table(lock, section).items():
            if not isinstance(spec, dict):
                raise unreadable(name, f"The entry of {each} in {section} is no table")
    return lock


def _locked_sections(lock: Mapping[str, Any]) -> list[str]:
    return [section for section in lock if section != "_meta"]


def _sections(lock: Mapping[str, Any], options: Iterable[str]) -> Iterator[Listed]:
    """What ``Pipfile.lock`` holds, where no ``Pipfile`` says what of it is wanted."""
    for section in _locked_sections(lock):
        group = {"default": DEFAULT, "develop": DEV}.get(section, section)
        lines = [_line(name, spec) for name, spec in table(lock, section).items()]
        if lines:
            text = "\n".join([*options, *lines])
            yield Listed(path="Pipfile.lock", text=text, source=source_file(group))


def _indexes(sources: Iterable[Any], named: set[str], *, extra: bool = False) -> Iterator[str]:
    """Lines for the indexes, the first of which is asked first.

    That of everyone needs none where it comes first, and where no package in the files asks for it
    by its name, which stands in ``named``. ``extra``: they come after that of everyone.
    """
    for number, each in enumerate(row for row in sources if isinstance(row, dict)):
        url = each.get("url")
        if not isinstance(url, str) or not url:
            continue
        if url.rstrip("/") == DEFAULT_INDEX and not (number and each.get("name") in named):
            continue
        yield f"{'--extra-index-url' if number or extra else '--index-url'} {url}"
        if each.get("verify_ssl") is False:
            yield f"--trusted-host {url.partition('://')[2].partition('/')[0].rpartition('@')[2]}"


# ---- Poetry --------------------------------------------------------------------------------


def poetry(root: Path) -> Taken:
    """``[tool.poetry]`` and ``poetry.lock``; what ``[project]`` says in full stays there."""
    project = _Project(root)
    said = table(project.document, "tool", "poetry")
    extras: dict[str, list[str]] = {}
    for extra, names in table(said, "extras").items():
        for name in names if isinstance(names, list) else ():
            extras.setdefault(canonical(str(name)), []).append(canonical(extra))
    groups = {name: table(group, "dependencies") for name, group in table(said, "group").items()}
    tables = [(DEFAULT, table(said, "dependencies")), (DEV, table(said, "dev-dependencies"))]
    tables += [(str(canonical(name)), rows) for name, rows in groups.items()]
    for name, group in table(said, "group").items():
        included = group.get("include-groups", []) if isinstance(group, dict) else []
        tables += [(str(canonical(name)), groups.get(each, {})) for each in included]
    wanted, left = [], []
    for group, rows in tables:
        for name, specs in rows.items():
            for spec in specs if isinstance(specs, list) else [specs]:
                if name == "python":
                    left.append(Left(what=f"python {spec}", why=OF_PYTHON, path=PYPROJECT))
                elif group != DEFAULT or not project.declares_default:
                    line = _line(name, _from_poetry(spec))
                    optional = isinstance(spec, dict) and spec.get("optional")
                    brings = extras.get(canonical(name), ["optional"]) if optional else [group]
                    wanted += [Wanted(line=line, group=each) for each in brings]
    placed = table(said, "dependencies") if project.declares_default else {}
    sources = said.get("source", [])
    pins = tuple(_packages(root, "poetry.lock"))
    return Taken(
        tool="Poetry",
        files=tuple(each for each in (PYPROJECT, "poetry.lock") if (root / each).is_file()),
        wanted=project.completed(wanted, placed),
        declared=project.declares,
        pins=pins,
        left=tuple(left),
        options=tuple(_poetry_indexes(root, sources if isinstance(sources, list) else [])),
    )


def _poetry_indexes(root: Path, sources: list[Any]) -> Iterator[str]:
    """Those of ``[[tool.poetry.source]]``: those that are asked first, and those that come after.

    Packages of the index of everyone bear no source in ``poetry.lock``.
    """
    rows = [each for each in sources if isinstance(each, dict)]
    public = any("source" not in each for each in packages_of(root, "poetry.lock"))
    after = [
        each
        for each in rows
        if each.get("priority") in {"supplemental", "explicit", "secondary"}
        or each.get("secondary")
        or str(each.get("name", "")).lower() == "pypi"
    ]
    first = [each for each in rows if each not in after]
    public = public or (len(after) < len(rows) and any("url" not in each for each in after))
    yield from _indexes(first, set(), extra=public)
    yield from _indexes(after, set(), extra=True)


class _Project:
    """A pyproject.toml whose standard tables another tool completes."""

    def __init__(self, root: Path) -> None:
        self.document = tables_of(root, PYPROJECT)
        there = (root / PYPROJECT).is_file()
        found = read_declared(text_of(root, PYPROJECT), cwd=str(root)) if there else None
        self._declared = found
        self.passed_over = found.passed_over if found is not None else {}
        self.declares = found is not None and bool(found.groups)
        self.declares_default = "dependencies" in table(self.document, "project")

    def completed(
        self, wanted: Iterable[Wanted], placed: Mapping[str, object]
    ) -> tuple[Wanted, ...]:
        """``wanted``, with what pyproject.toml says of the same groups.

        And of those that ask for one of ``placed``: a package whose place only the other tool
        reads.
        """
        found = tuple(wanted)
        where = {
            canonical(name): row
            for name, row in placed.items()
            if isinstance(row, dict) and row.keys() & {"git", "url", "path", "file"}
        }
        lines: list[Wanted] = []
        declared = self._declared.groups if self._declared is not None else {}
        written = {each.group for each in found} | {
            group
            for group, file in declared.items()
            if any(line.requirement.name in where for line in file.requirements)
        }
        # A requirements file of the default group is one in place of all of pyproject.toml.
        for group in declared if DEFAULT in written else written.intersection(declared):
            file = declared[group]
            if group == DEFAULT and self._declared is not None and self._declared.built:
                lines.append(Wanted(line="-e ."))
            for line in file.requirements:
                row = where.get(line.requirement.name) if line.requirement.name else None
                text = line.requirement.raw if row is None else _placed(line.requirement, row)
                lines.append(Wanted(line=text, group=group))
                needs = row["needs"] if row is not None and "needs" in row else ()
                lines += [Wanted(line=_line(each, where[each]), group=group) for each in needs]
        return (*lines, *found)


def _placed(asked: Requirement, row: Mapping[str, Any]) -> str:
    """The line for ``asked``, which is at the place that ``row`` names."""
    marker = {"markers": str(asked.marker)} if asked.marker else {}
    spec = {**row, "version": None, "extras": sorted(asked.extras), **marker}
    return _line(asked.spelled or str(asked.name), spec)


def _from_poetry(spec: object) -> object:
    """``spec`` with PEP 440 in place of carets and tildes, and markers in place of pythons."""
    if isinstance(spec, str):
        return _pep440(spec)
    if not isinstance(spec, dict):
        return spec
    markers = [str(spec["markers"])] if spec.get("markers") else []
    for key, name in (("python", "python_version"), ("platform", "sys_platform")):
        value = str(spec.get(key) or "")
        said = _pep440(value) if key == "python" else f"=={value}"
        parts = re.findall(r"(===?|~=|!=|<=?|>=?)\s*([^,\s]+)", said) if value else []
        markers += [f'{name} {operator} "{text}"' for operator, text in parts]
    version = spec.get("version")
    return {
        **spec,
        "version": _pep440(version) if isinstance(version, str) else None,
        "markers": _both(markers),
    }


def _pep440(text: str) -> str:
    """``^1.2`` as ``>=1.2,<2``; what has an alternative (``||``) is left to the pin."""
    if "|" in text:
        return "*"
    found = []
    for part in filter(None, re.split(r"\s*,\s*|\s+(?=[<>=!~^])", text.strip())):
        match = re.fullmatch(r"([\^~]|[<>=!~]=?=?)?\s*(.+)", part)
        operator, version = (match[1] or "", match[2]) if match else ("", part)
        numbers = [int(each) for each in re.match(r"[\d.]*", version)[0].split(".") if each]  # type: ignore[index]
        if operator in {"^", "~"} and numbers:
            raised = 0
            if operator == "~":
                raised = min(len(numbers) - 1, 1)
            elif any(numbers):
                raised = next(i for i, each in enumerate(numbers) if each)
            else:
                raised = len(numbers) - 1
            above = [*numbers[:raised], numbers[raised] + 1]
            found.append(f">={version},<{'.'.join(map(str, above))}")
        elif version == "*":
            continue
        else:
            found.append(f"{operator or '=='}{version}")
    return ",".join(found) or "*"


# ---- uv and PDM ----------------------------------------------------------------------------


def uv(root: Path) -> Taken:
    """``uv.lock``, whose requirements stand in pyproject.toml."""
    project = _Project(root)
    said = table(project.document, "tool", "uv")
    sources = _uv_sources(root, {**_workspace(root), **_members(root)})
    text = text_of(root, PYPROJECT) if project.document else ""
    left = [
        Left(
            what=f"[tool.uv.sources] {name} = {spec}",
            why="A package of one index is named in `sources` of [tool.venvman], one of a place in "
            "[project]: `NAME @ URL`.",
            path=PYPROJECT,
            line=origin_in(text.splitlines(), "", key_pattern(canonical(name))).line,
        )
        for name, spec in table(said, "sources").items()
        if not (isinstance(spec, dict) and canonical(name) in sources)
    ]
    left += [
        Left(what=f"[tool.uv] {key} = {said[key]}", why=OF_UV[key], path=PYPROJECT, line=at.line)
        for key, at in project.passed_over.items()
    ]
    dev = said.get("dev-dependencies")
    wanted = [Wanted(line=str(each), group=DEV) for each in dev] if isinstance(dev, list) else []
    return _in_pyproject("uv", root, "uv.lock", project, wanted, sources, left)


def _uv_sources(root: Path, members: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """``[tool.uv.sources]`` of the project, and of the folders that it leads to, seen from there.

    ``needs`` of a folder are those that it asks for in turn.
    """
    found: dict[str, dict[str, Any]] = {}
    pending: list[tuple[str, str | None]] = [(".", None)]
    while pending:
        folder, whose = pending.pop()
        document = tables_of(root / folder, PYPROJECT)
        rows = table(document, "tool", "uv", "sources")
        asked = table(document, "project").get("dependencies", [])
        needed = {canonical(re.split(r"[^\w.-]", str(each).strip())[0]) for each in asked}
        for name, row in rows.items():
            key = canonical(name)
            spec = _seen_from(folder, row, members.get(key))
            if spec is None:
                continue
            if key not in found:
                found[key] = {**spec, "needs": []}
                if (root / str(spec.get("path", "pyproject.toml"))).is_dir():
                    pending.append((spec["path"], key))
            if whose is not None and key in needed and key != whose:
                found[whose]["needs"].append(key)
    for row in found.values():
        for name in row["needs"]:  # grows while it is read: what they need, too
            row["needs"] += [each for each in found[name]["needs"] if each not in row["needs"]]
    return found


def _seen_from(folder: str, row: object, member: str | None) -> dict[str, Any] | None:
    """A row of ``[tool.uv.sources]`` in ``folder``; None for an index, or what is none."""
    if not isinstance(row, dict):
        return None
    if row.get("workspace") and member is not None:
        return {"path": member, "editable": True}
    spec = dict(row)
    if "://" not in str(row.get("path", "://")):
        spec["path"] = posixpath.normpath(posixpath.join(folder, str(row["path"])))
    return spec if spec.keys() & {"git", "url", "path"} else None


def _workspace(root: Path) -> dict[str, str]:
    """The folders of the members of the workspace that the project is in, seen from it, by name."""
    for base in (root, *root.parents):
        with suppress(RequirementsError):
            said = table(tables_of(base, PYPROJECT), "tool", "uv", "workspace")
            if said:
                without = {path for glob in said.get("exclude", ()) for path in base.glob(glob)}
                folders = [path for glob in said.get("members", ()) for path in base.glob(glob)]
                named = {
                    table(tables_of(each, PYPROJECT), "project").get("name"): each
                    for each in (base, *sorted(folders))
                    if each not in without
                }
                return {
                    canonical(name): os.path.relpath(folder, root)
                    for name, folder in named.items()
                    if isinstance(name, str)
                }
        if (base / ".git").exists():
            break
    return {}


def _members(root: Path) -> dict[str, str]:
    """The folders of the projects that ``uv.lock`` is for, by their names."""
    found = {}
    for row in packages_of(root, "uv.lock"):
        source = table(row, "source")
        folder = source.get("editable") or source.get("virtual")
        if folder and isinstance(row.get("name"), str):
            found[str(canonical(row["name"]))] = str(folder)
    return found


def pdm(root: Path) -> Taken:
    """``pdm.lock``, whose requirements stand in pyproject.toml."""
    project = _Project(root)
    said = table(project.document, "tool", "pdm")
    wanted = [
        Wanted(line=_of_pdm(str(line)), group=str(canonical(name)))
        for name, lines in table(said, "dev-dependencies").items()
        for line in (lines if isinstance(lines, list) else ())
    ]
    left = [
        Left(
            what=f"[tool.pdm.resolution.overrides] {name} = {value}",
            why=OF_UV["override-dependencies"],
            path=PYPROJECT,
        )
        for name, value in table(said, "resolution", "overrides").items()
    ]
    if said.get("source"):
        left.append(
            Left(what=f"[tool.pdm] source = {said['source']}", why=OF_UV["index"], path=PYPROJECT)
        )
    return _in_pyproject("PDM", root, "pdm.lock", project, wanted, {}, left)


def _of_pdm(line: str) -> str:
    """``line`` with a folder of the project as pip reads it: PDM names its root by a variable."""
    match = re.fullmatch(r"(-e\s+)?(?:.+@\s*)?file:///\$\{PROJECT_ROOT\}/?([^#]*)(?:#.*)?", line)
    return f"{match[1] or ''}{_dotted(match[2] or '.')}" if match else line


def _in_pyproject(
    tool: str,
    root: Path,
    lock: str,
    project: _Project,
    wanted: list[Wanted],
    sources: Mapping[str, object],
    left: list[Left],
) -> Taken:
    return Taken(
        tool=tool,
        files=tuple(each for each in (PYPROJECT, lock) if (root / each).is_file()),
        wanted=project.completed(wanted, sources),
        declared=project.declares,
        pins=tuple(_packages(root, lock)),
        left=tuple(left),
    )


def _packages(root: Path, name: str) -> Iterator[LockEntry]:
    """The pins of the lock called ``name``; none where there is no such file."""
    for row in packages_of(root, name):
        source = table(row, "source") or row
        if not isinstance(row.get("name"), str) or {"virtual", "editable"} & set(source):
            continue
        markers = row.get("markers") or row.get("marker")
        if row.get("resolution-markers"):  # of a fork, as uv calls it
            markers = " or ".join(f"({each})" for each in row["resolution-markers"])
        if isinstance(markers, dict):  # of poetry's groups
            markers = None
        pin = _pin(row["name"], str(row.get("version", "")), _source(source), markers)
        if pin is not None:
            yield pin


# ---- what they have in common --------------------------------------------------------------


def _pin(name: str, version: str, source: Source, marker: object) -> LockEntry | None:
    """None for what is neither a version nor a commit: nothing of it can be kept."""
    from packaging.version import InvalidVersion, Version

    try:
        condition = parse_marker(marker) if isinstance(marker, str) and marker else None
    except Malformed:
        condition = None
    key = canonical(name)
    if isinstance(source, VcsSource):
        return LockEntry(name=key, version=None, marker=condition, source=source)
    try:
        return LockEntry(name=key, version=Version(version), marker=condition)
    except InvalidVersion:
        return None


def _source(spec: Mapping[str, Any]) -> Source:
    """Where a lock's row comes from; an index where it names nothing else that can be kept."""
    url, commit, asked = spec.get("git"), spec.get("revision") or spec.get("ref"), spec.get("ref")
    if spec.get("type") == "git":  # poetry
        url, commit, asked = spec.get("url"), spec.get("resolved_reference"), spec.get("reference")
    elif isinstance(url, str) and "#" in url:  # uv: URL?rev=main#commit
        url, _, commit = url.partition("#")
        url, _, query = url.partition("?")
        said = dict(parse_qsl(query))
        asked = said.get("rev") or said.get("tag") or said.get("branch")
        spec = {"subdirectory": said.get("subdirectory")}
    if isinstance(url, str) and isinstance(commit, str):
        found = parse_reference(f"git+{url}")
        if found is not None and isinstance(found.source, VcsSource):
            revision = asked if isinstance(asked, str) else None
            return VcsSource(
                vcs="git",
                url=found.source.url,
                revision=revision,
                commit=commit,
                subdirectory=spec.get("subdirectory"),
            )
    return IndexSource()


def _line(name: str, spec: object) -> str:
    """The line of a requirements file for a table's entry, as Pipenv and Poetry have them."""
    row: dict[str, Any] = spec if isinstance(spec, dict) else {"version": spec}
    extras = f"[{','.join(row['extras'])}]" if row.get("extras") else ""
    marks = [str(row["markers"])] if row.get("markers") else []
    marks += [f"{key} {row[key]}" for key in _MARKERS if row.get(key)]
    after = f" ; {_both(marks)}" if marks else ""
    within = f"#subdirectory={row['subdirectory']}" if row.get("subdirectory") else ""
    if row.get("git"):
        url = re.sub(r"^([\w.-]+@[\w.-]+):", r"ssh://\1/", str(row["git"]))
        at = row.get("ref") or row.get("rev") or row.get("tag") or row.get("branch")
        return f"{name}{extras} @ git+{url}{f'@{at}' if at else ''}{within}{after}"
    if row.get("path") and (row.get("editable") or row.get("develop")):
        return f"-e {_dotted(str(row['path']))}{extras}"
    location = row.get("path") or row.get("file") or row.get("url")
    if location:
        if "://" in str(location):
            return f"{name}{extras} @ {location}{within}{after}"
        return f"{_dotted(str(location))}{extras}{after}"
    version = str(row.get("version") or "*").strip()
    if version == "*":
        version = ""
    elif version[:1].isdigit():
        version = f"=={version}"
    return f"{name}{extras}{version.replace(' ', '')}{after}"


def _both(markers: list[str]) -> str:
    """One marker that holds where all of ``markers`` do."""
    alone = len(markers) == 1
    return " and ".join(each if alone or " or " not in each else f"({each})" for each in markers)


def _dotted(path: str) -> str:
    return path if path.startswith((".", "/")) else f"./{path}"
