"""What a pyproject.toml declares, by group: PEP 621 dependencies and extras, PEP 735 groups. Pure.

Extras bring the project's own dependencies, as with pip-compile's ``--extra``. What a group says of
the project itself (``shop[test]``) stands for the lines of that extra.
"""

from __future__ import annotations

import re
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from venvman.model.errors import Advice, Command, FileLine, Problem
from venvman.model.frozen import dataclass
from venvman.model.names import canonical
from venvman.requirements.file import ParsedFile, requirement_line
from venvman.requirements.naming import DEFAULT
from venvman.system.reading import read_toml
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvman.model.errors import Fix
    from venvman.model.names import NormalizedName
    from venvman.requirements.file import RequirementLine

PYPROJECT = "pyproject.toml"
OF_UV = {
    "constraint-dependencies": "Write them into a file, and name it in `constraints`.",
    "override-dependencies": "They are `overrides` of [tool.venvman].",
    "index": "Indexes stand in pip's configuration, or as --index-url in a requirements file.",
}
"""What venvman has in place of keys of ``[tool.uv]``."""


class Compiled(NamedTuple):
    """How pip-compile makes the lock of a group: what it calls the project, and its options."""

    project: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The groups in the order of the file; ``dynamic``: only a build tells the dependencies.

    ``compiled`` are those that pip-compile can make a lock of, with the options that it takes;
    ``spelled`` is what it calls the project.
    ``built``: the project is a distribution itself, called ``name``, by what this line says.
    ``passed_over`` are keys of ``[tool.uv]`` that would change what is pinned, each with its line.
    """

    groups: Mapping[str, ParsedFile]
    dynamic: bool = False
    compiled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    name: NormalizedName | None = None
    spelled: str = ""
    built: FileLine | None = None
    passed_over: Mapping[str, FileLine] = field(default_factory=dict)


def read_declared(text: str, *, path: str = PYPROJECT, cwd: str = "/") -> Declared | None:
    """What the text of a pyproject.toml declares; None where it is no TOML, or is for tools only.

    Faults are in the groups that they are in. ``cwd`` is the project's root.
    """
    if "[project" not in text and "dependency-groups" not in text:
        return None
    try:
        document = read_toml(text)
    except ValueError:
        return None  # the settings say what is wrong with it
    project, groups = document.get("project"), document.get("dependency-groups")
    if not isinstance(project, dict) and not isinstance(groups, dict):
        return None
    reader = _Reader(_table(project), _table(groups), text=text, path=path, cwd=cwd)
    tool = _table(document.get("tool"))
    reader.placed = _placed(tool)
    uv, own = _table(tool.get("uv")), _table(tool.get("venvman"))
    passed_over = {
        key: origin_in(text.splitlines(), "", rf"(?:{key}\s*=|\[\[tool\.uv\.{key}\]\])")
        for key in OF_UV
        if uv.get(key) and f"{key.partition('-')[0]}s" not in own  # said in venvman's way, too
    }
    found = reader.read(built=_is_built(document))
    return replace(found, passed_over=passed_over) if passed_over else found


def _placed(tool: Mapping[str, Any]) -> Mapping[NormalizedName, str]:
    """The packages of which a tool's table says where they are, each with that table."""
    tables = {
        "[tool.uv.sources]": _table(_table(tool.get("uv")).get("sources")),
        "[tool.poetry.dependencies]": _table(_table(tool.get("poetry")).get("dependencies")),
    }
    return {
        canonical(name): where
        for where, rows in tables.items()
        for name, said in rows.items()
        for row in (said if isinstance(said, list) else [said])
        if any(_table(row).get(key) for key in ("git", "url", "path", "file", "workspace"))
    }


def _is_built(document: Mapping[str, Any]) -> bool:
    """Whether it is a package, and not a list of dependencies only, as some tools let it say."""
    tool = _table(document.get("tool"))
    said = [
        _table(tool.get(name)).get(key)
        for name, key in (("uv", "package"), ("poetry", "package-mode"), ("pdm", "distribution"))
    ]
    return "build-system" in document and False not in said


class _Reader:
    """One file's tables."""

    def __init__(
        self, project: dict[str, Any], groups: dict[str, Any], *, text: str, path: str, cwd: str
    ) -> None:
        self._dynamic = "dependencies" in _list(project.get("dynamic"))
        self._spelled = str(project.get("name", ""))
        self._name = canonical(self._spelled)
        self._has_project = bool(project)
        self._own = project.get("dependencies", [])
        extras = _table(project.get("optional-dependencies"))
        self._extras = {canonical(name): some for name, some in extras.items()}
        self._groups = {canonical(name): some for name, some in groups.items()}
        self._spellings = {"extra": [*extras], "dependency group": [*groups]}
        self._lines = text.splitlines()
        self._path = path
        self._cwd = cwd
        self._errors: list[Problem] = []
        self.placed: Mapping[NormalizedName, str] = {}

    def read(self, *, built: bool) -> Declared:
        """Every group; ``built``: the project is a distribution."""
        found: dict[str, ParsedFile] = {}
        compiled: dict[str, tuple[str, ...]] = {}
        if self._has_project and not self._dynamic:
            found[DEFAULT] = self._file(self._dependencies(()))
            if not self._names_itself(self._own):
                compiled[DEFAULT] = ()
        for name in self._groups:
            shown = f"group-{name}" if name == DEFAULT and name in found else name
            found[shown] = self._file(self._group(name, ()), ("dependency group", name))
        for name in self._extras:
            shown = f"extra-{name}" if name in found else name
            found[shown] = self._file(self._extra(name, ()), ("extra", name))
            if DEFAULT in compiled and not self._names_itself(self._extras[name]):
                compiled[shown] = (f"--extra={name}",)
        is_built = built and DEFAULT in found and bool(self._name)
        return Declared(
            groups=found,
            dynamic=self._dynamic,
            compiled=compiled if self._name else {},
            spelled=self._spelled,
            name=self._name or None,
            built=self._origin("", r"\[build-system\]") if is_built else None,
        )

    def _names_itself(self, said: object) -> bool:
        """Whether an entry stands for an extra of the project, which only some tools look up."""
        from venvman.requirements.spec import SpecificationFault, read_requirement

        for entry in _list(said):
            try:
                found = read_requirement(str(entry), cwd=self._cwd)
            except SpecificationFault:
                return True
            if found.name is not None and canonical(found.name) == self._name:
                return True
        return False

    def _check_names(self, kind: str, group: NormalizedName) -> None:
        """Of names that are one once they are normalized the last would win without a word."""
        names = [name for name in self._spellings[kind] if canonical(name) == group]
        origin = self._origin("", rf"[\"']?{re.escape(names[-1])}[\"']?\s*=")
        if len(names) > 1:
            self._fail(origin, "group-twice", f"{' and '.join(names)} are one {kind}.",
                       f"Each is {group} once normalized.")  # fmt: skip
        if not re.fullmatch(r"(?i)[a-z0-9]([\w.-]*[a-z0-9])?", names[-1], re.ASCII):
            why = "A name has letters, digits and, between them, `-`, `_` and `.`."
            self._fail(origin, "group-name-invalid", f"{names[-1]!r} names no {kind}.", why)

    def _file(
        self, lines: Iterator[RequirementLine], *named: tuple[str, NormalizedName]
    ) -> ParsedFile:
        self._errors = []
        for kind, group in named:
            self._check_names(kind, group)
        once = tuple({(line.origin.line, line.requirement.raw): line for line in lines}.values())
        return ParsedFile(path=self._path, lines=once, errors=tuple(dict.fromkeys(self._errors)))

    def _dependencies(self, chain: tuple[str, ...]) -> Iterator[RequirementLine]:
        if "[]" in chain:
            return  # a project that names itself asks for nothing more
        for entry in self._entries(self._own, r"dependencies\s*=", "[project] dependencies"):
            yield from self._line(entry, r"dependencies\s*=", (*chain, "[]"))

    def _extra(self, name: NormalizedName, chain: tuple[str, ...]) -> Iterator[RequirementLine]:
        if f"[{name}]" in chain:
            return  # an extra that names itself asks for nothing more
        yield from self._dependencies((*chain, f"[{name}]"))
        where = key_pattern(name)
        for entry in self._entries(self._extras[name], where, f"The extra {name}"):
            yield from self._line(entry, where, (*chain, f"[{name}]"))

    def _group(self, name: NormalizedName, chain: tuple[str, ...]) -> Iterator[RequirementLine]:
        where = key_pattern(name)
        for entry in self._entries(self._groups[name], where, f"The dependency group {name}"):
            if isinstance(entry, dict):
                yield from self._include(entry, where, (*chain, name))
            else:
                yield from self._line(entry, where, (*chain, name))

    def _include(
        self, entry: dict[str, Any], where: str, chain: tuple[str, ...]
    ) -> Iterator[RequirementLine]:
        said = entry.get("include-group")
        origin = self._origin(str(said), where)
        if not isinstance(said, str) or len(entry) != 1:
            self._fail(origin, "group-entry-invalid", "This is no entry of a dependency group.",
                       'It may be a requirement or {include-group = "NAME"}.')  # fmt: skip
        elif canonical(said) in chain:
            circle = chain[chain.index(canonical(said)) :]
            first = circle.index(min(circle))  # the same circle, whichever group was asked for
            loop = " > ".join((*circle[first:], *circle[: first + 1]))
            origin = self._origin(circle[first - len(circle) + 1], key_pattern(circle[first]))
            self._fail(origin, "group-cycle", "Dependency groups include one another in a circle.",
                       f"The circle is {loop}.")  # fmt: skip
        elif canonical(said) not in self._groups:
            known = ", ".join(sorted(self._groups))
            self._fail(origin, "group-unknown", f"There is no dependency group {said}.",
                       f"[dependency-groups] has {known}.")  # fmt: skip
        else:
            yield from self._group(canonical(said), chain)

    def _line(self, entry: object, where: str, chain: tuple[str, ...]) -> Iterator[RequirementLine]:
        from venvman.requirements.spec import SpecificationFault, read_requirement

        origin = self._origin(str(entry), where)
        try:
            found = read_requirement(str(entry), cwd=self._cwd)
        except SpecificationFault as fault:
            self._fail(origin, fault.code, redact(str(fault)), redact(fault.why or ""))
            return
        if found.name is None or not isinstance(entry, str):
            self._fail(origin, "requirement-invalid", "This is no requirement by name.",
                       "pyproject.toml holds `NAME>=1` or `NAME @ URL` (PEP 508).")  # fmt: skip
            return
        if canonical(found.name) != self._name or not self._name:
            yield requirement_line(found, origin, raw=entry)
            if canonical(found.name) in self.placed and found.source.is_index:
                where = self.placed[canonical(found.name)]
                said = f"{found.name} is not to be looked for on an index."
                self._fail(origin, "requirement-elsewhere", said,
                           f"{where} says where it is, which only its tool reads; an index may "
                           "have a stranger's package of that name.",
                           fix=Command.venvman("adopt", "--yes"))  # fmt: skip
            return
        if not found.extras and not self._dynamic:
            yield from self._dependencies(chain)
        for extra in map(canonical, found.extras):
            if extra in self._extras:
                yield from self._extra(extra, chain)
            else:
                self._fail(origin, "extra-unknown", f"There is no extra {extra}.",
                           "[project.optional-dependencies] has no such entry.")  # fmt: skip

    def _entries(self, said: object, where: str, what: str) -> list[object]:
        if isinstance(said, list):
            return said
        self._fail(self._origin("", where), "pyproject-invalid", f"{what} is no list.",
                   "It has to be a list of requirements.")  # fmt: skip
        return []

    def _origin(self, entry: str, where: str) -> FileLine:
        return origin_in(self._lines, entry, where, path=self._path)

    def _fail(
        self, origin: FileLine, code: str, message: str, why: str, fix: Fix | None = None
    ) -> None:
        self._errors.append(
            Problem(
                code=code, message=message, path=origin.path, line=origin.line, text=origin.text,
                why=why or None, fix=fix or Advice(f"Correct line {origin.line} of {origin.path}."),
            )
        )  # fmt: skip


def origin_in(lines: list[str], entry: str, where: str, *, path: str = PYPROJECT) -> FileLine:
    """The line of ``lines`` that holds ``entry``, looked for from the key ``where`` on."""
    keys = (i for i, line in enumerate(lines) if re.match(rf"\s*(?:[\w.-]+\.)?{where}", line))
    start = next(keys, 0)
    if not entry:
        return FileLine(path=path, line=start + 1, text=redact(lines[start].strip()))
    escaped = entry.replace('"', '\\"')
    quoted = (f'"{entry}"', f"'{entry}'", f'"{escaped}"')
    rest = range(start, len(lines))
    at = next((i for i in rest if any(each in lines[i] for each in quoted)), start)
    return FileLine(path=path, line=at + 1, text=redact(lines[at].strip()))


def key_pattern(name: str) -> str:
    """What a line matches that gives the list ``name``, however that is spelled."""
    spelled = re.sub("-+", "[-_.]+", re.escape(name).replace("\\-", "-"))
    return rf"(?i:[\"']?{spelled}[\"']?\s*=)"


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
