"""Readers for tools that keep what is wanted and what it came to in two files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from venvman.adopt.taken import Left, Taken, Wanted, table, tables_of, text_of, unreadable
from venvman.lock.direct import parse_reference
from venvman.lock.file import LockEntry
from venvman.model.names import canonical
from venvman.model.options import DEFAULT_INDEX
from venvman.model.pep508 import Malformed, parse_marker
from venvman.model.sources import IndexSource, VcsSource
from venvman.requirements.naming import DEFAULT, DEV

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from venvman.model.sources import Source

PYPROJECT = "pyproject.toml"


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
    there = (root / "Pipfile").is_file()
    pipfile = tables_of(root / "Pipfile", "Pipfile") if there else {}
    wanted = [
        Wanted(line=_line(name, spec), group=_SECTIONS.get(section, section))
        for section in pipfile
        if section not in _NO_PACKAGES
        for name, spec in table(pipfile, section).items()
    ]
    files, pins = ["Pipfile"] if there else [], []
    if (root / "Pipfile.lock").is_file():
        files.append("Pipfile.lock")
        try:
            lock = json.loads(text_of(root / "Pipfile.lock", "Pipfile.lock"))
        except ValueError as error:
            raise unreadable("Pipfile.lock", str(error)) from None
        for section in lock if isinstance(lock, dict) else ():
            for name, spec in table(lock, section).items() if section != "_meta" else ():
                if isinstance(spec, dict):
                    version = str(spec.get("version", "")).lstrip("=")
                    pins.append(_pin(name, version, _source(spec), spec.get("markers")))
    left = [
        Left(what=f"{key} {value}", why=_PYTHON, path="Pipfile")
        for key, value in table(pipfile, "requires").items()
    ]
    return Taken(
        tool="Pipenv",
        files=tuple(files),
        wanted=tuple(wanted),
        pins=tuple(filter(None, pins)),
        left=tuple(left),
        options=tuple(_indexes(pipfile.get("source", ()))),
    )


_PYTHON = "The Python stands in .python-version, or in requires-python of [tool.venvman]."


def _indexes(sources: Iterable[Any]) -> Iterator[str]:
    """Lines for the indexes, the first of which is asked first; that of everyone needs none."""
    for number, each in enumerate(sources):
        url = str(each.get("url", "")) if isinstance(each, dict) else ""
        if url and url.rstrip("/") != DEFAULT_INDEX:
            yield f"{'--extra-index-url' if number else '--index-url'} {url}"
            if each.get("verify_ssl") is False:
                yield f"--trusted-host {url.partition('://')[2].partition('/')[0].rpartition('@')[2]}"


# ---- Poetry --------------------------------------------------------------------------------


def poetry(root: Path) -> Taken:
    """``[tool.poetry]`` and ``poetry.lock``; where ``[project]`` says what is wanted, it stays."""
    document = tables_of(root / PYPROJECT, PYPROJECT) if (root / PYPROJECT).is_file() else {}
    said = table(document, "tool", "poetry")
    declared = _declares(document)
    extras = {
        canonical(name): canonical(extra)
        for extra, names in table(said, "extras").items()
        for name in names
    }
    groups = [(DEFAULT, table(said, "dependencies")), (DEV, table(said, "dev-dependencies"))]
    groups += [
        (str(canonical(name)), table(group, "dependencies"))
        for name, group in table(said, "group").items()
    ]
    wanted, left = [], []
    for group, rows in groups if not declared else ():
        for name, specs in rows.items():
            for spec in specs if isinstance(specs, list) else [specs]:
                if name == "python":
                    left.append(Left(what=f"python {spec}", why=_PYTHON, path=PYPROJECT))
                    continue
                optional = isinstance(spec, dict) and spec.get("optional")
                extra = extras.get(canonical(name), "optional")
                line = _line(name, _from_poetry(spec))
                wanted.append(Wanted(line=line, group=extra if optional else group))
    pins = _packages(root, "poetry.lock")
    sources = said.get("source", [])
    names = [each for each in (PYPROJECT, "poetry.lock") if (root / each).is_file()]
    return Taken(
        tool="Poetry",
        files=tuple(names),
        wanted=tuple(wanted),
        declared=declared,
        pins=tuple(pins),
        left=tuple(left),
        options=tuple(_indexes(sources if isinstance(sources, list) else ())),
    )


def _declares(document: Mapping[str, Any]) -> bool:
    return "dependencies" in table(document, "project") or bool(
        table(document, "dependency-groups")
    )


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
            place = 0
            if operator == "~":
                place = min(len(numbers) - 1, 1)
            elif any(numbers):
                place = next(i for i, each in enumerate(numbers) if each)
            else:
                place = len(numbers) - 1
            above = [*numbers[:place], numbers[place] + 1]
            found.append(f">={version},<{'.'.join(map(str, above))}")
        elif version == "*":
            continue
        else:
            found.append(f"{operator or '=='}{version}")
    return ",".join(found) or "*"


# ---- uv and PDM ----------------------------------------------------------------------------


def uv(root: Path) -> Taken:
    """``uv.lock``, whose requirements stand in pyproject.toml."""
    document = tables_of(root / PYPROJECT, PYPROJECT) if (root / PYPROJECT).is_file() else {}
    said = table(document, "tool", "uv")
    left = [
        Left(
            what=f"[tool.uv.sources] {name} = {spec}",
            why=f"Name the place in [project]: `{name} @ URL`, or write it into requirements.in.",
            path=PYPROJECT,
        )
        for name, spec in table(said, "sources").items()
    ]
    left += [
        Left(what=f"[tool.uv] {key} = {said[key]}", why=why, path=PYPROJECT)
        for key, why in _OF_UV.items()
        if said.get(key)
    ]
    return _in_pyproject("uv", root, "uv.lock", document, left)


_OF_UV = {
    "dev-dependencies": "The standard's place for it is `dev` of [dependency-groups].",
    "constraint-dependencies": "Write them into a file, and name it in `constraints`.",
    "override-dependencies": "They are `overrides` of [tool.venvman].",
    "index": "Indexes stand in pip's configuration, or as --index-url in a requirements file.",
}


def pdm(root: Path) -> Taken:
    """``pdm.lock``, whose requirements stand in pyproject.toml."""
    document = tables_of(root / PYPROJECT, PYPROJECT) if (root / PYPROJECT).is_file() else {}
    left = [
        Left(
            what=f"[tool.pdm.dev-dependencies] {name} = {lines}",
            why=f"The standard's place for it is `{name}` of [dependency-groups].",
            path=PYPROJECT,
        )
        for name, lines in table(document, "tool", "pdm", "dev-dependencies").items()
    ]
    return _in_pyproject("PDM", root, "pdm.lock", document, left)


def _in_pyproject(
    tool: str, root: Path, lock: str, document: Mapping[str, Any], left: list[Left]
) -> Taken:
    return Taken(
        tool=tool,
        files=(PYPROJECT, lock),
        declared=_declares(document),
        pins=tuple(_packages(root, lock)),
        left=tuple(left),
    )


def _packages(root: Path, name: str) -> Iterator[LockEntry]:
    """The pins of ``[[package]]`` in the lock called ``name``; none where there is no such file."""
    if not (root / name).is_file():
        return
    document = tables_of(root / name, name)
    rows = document.get("package", [])
    for row in rows if isinstance(rows, list) else ():
        source = row.get("source", row)
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
        asked = query.partition("=")[2] or None
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
    place = row.get("path") or row.get("file") or row.get("url")
    if place:
        if "://" in str(place):
            return f"{name}{extras} @ {place}{within}{after}"
        return f"{_dotted(str(place))}{extras}{after}"
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
