"""Settings: flag, ``VENVMAN_*``, ``[tool.venvman]``, the user's, default; each says which.

``docs/reference/configuration.md`` lists them for users; a test keeps the two together.
"""

from __future__ import annotations

from dataclasses import field, fields
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from venvman.model.errors import Advice, ConfigurationError, Problem, Severity
from venvman.model.frozen import dataclass
from venvman.model.names import is_name
from venvman.model.options import SIZE, cutoff
from venvman.system.reading import read_regular, read_toml
from venvman.system.secrets import check_url, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

T = TypeVar("T")


class Origin(str, Enum):
    """Which layer a value comes from."""

    FLAG = "flag"
    VARIABLE = "variable"
    FILE = "pyproject.toml"
    USER = "user"
    DEFAULT = "default"


class Link(str, Enum):
    """How files get from the store into an environment; AUTO tries reflink, hardlink, copy."""

    AUTO = "auto"
    REFLINK = "reflink"
    HARDLINK = "hardlink"
    COPY = "copy"


class LockFormat(str, Enum):
    """What new locks are: requirements files with hashes, or files as PEP 751 has them."""

    REQUIREMENTS = "requirements"
    PYLOCK = "pylock"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorSettings:
    """Which codes of ``doctor`` are wanted, and how severe they are: codes or their beginnings."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: tuple[tuple[str, Severity], ...] = ()
    advisories: str | None = None
    """Where ``--audit`` asks: a URL, or the path of a copy."""
    accepted: tuple[tuple[str, str], ...] = ()
    """Advisories that are lived with, and the day (ISO 8601) on which that ends, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSettings:
    """Which folders hold the projects of a workspace (globs), and what limits all of them (files).

    Seen from its root.
    """

    members: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """A value and the layer that gave it; ``where`` names the flag, variable or table key."""

    value: T
    origin: Origin = Origin.DEFAULT
    where: str = ""


def _text(raw: object) -> str:
    if isinstance(raw, str) and raw.strip():
        return raw.strip()
    raise ValueError("a text is expected")


def _version_text(raw: object) -> str:
    try:
        return _text(raw)
    except ValueError:
        reason = "a text is expected, in quotes, because 3.10 as a number is 3.1"
        raise ValueError(reason) from None


def _text_or_count(raw: object) -> str:
    if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0:
        return str(raw)
    text = _text(raw)
    if SIZE.fullmatch(text) is None:
        raise ValueError("a size such as 2 GiB, or a number of distributions, is expected")
    return text


def _text_or_time(raw: object) -> str:
    """TOML has dates and times of its own; as text they are ISO 8601."""
    from datetime import date, datetime, timezone

    text = raw.isoformat() if isinstance(raw, date) else _text(raw)
    cutoff(text, now=datetime.now(timezone.utc))
    return text


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False}
    words |= {"no": False, "off": False}
    if isinstance(raw, str) and raw.strip().lower() in words:
        return words[raw.strip().lower()]
    raise ValueError("true or false is expected")


def _words(raw: object) -> tuple[str, ...]:
    if isinstance(raw, str):
        return tuple(word for word in raw.replace(",", " ").split() if word)
    if isinstance(raw, (list, tuple)) and all(isinstance(word, str) for word in raw):
        return tuple(raw)
    raise ValueError("a list of texts is expected")


def _targets(raw: object) -> tuple[str, ...]:
    from venvman.python.targets import CURRENT, parse_target

    words = _words(raw)
    for word in words:
        if word != CURRENT:
            parse_target(word)
        elif len(words) > 1:
            raise ValueError(f"{CURRENT!r} stands alone")
    return words


def _each(check: Callable[[str], object]) -> Callable[[object], tuple[str, ...]]:
    """What reads a list of texts of which ``check`` raises a ValueError for a bad one."""

    def read(raw: object) -> tuple[str, ...]:
        words = _words(raw)
        for word in words:
            check(word)
        return words

    return read


def _check_minors(text: str) -> None:
    from venvman.python.targets import parse_minors

    parse_minors(text)


def _check_name(text: str) -> None:
    if not is_name(text):
        raise ValueError(f"{text!r} is no name of a package")


_names = _each(_check_name)


def _requirements(raw: object) -> tuple[str, ...]:
    """A single text is one requirement for each line: commas and spaces belong to them."""
    from venvman.model.pep508 import parse_requirement

    lines = raw.splitlines() if isinstance(raw, str) else _words(raw)
    found = tuple(line.strip() for line in lines if line.strip())
    for line in found:
        parse_requirement(line)
    return found


def _sets_of_words(raw: object) -> tuple[tuple[str, ...], ...]:
    if isinstance(raw, str):
        return tuple(_words(part) for part in raw.split(";") if part.strip())
    if isinstance(raw, (list, tuple)):
        return tuple(_words(part) for part in raw)
    raise ValueError("a list of lists is expected")


def _pairs(raw: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise ValueError("a table of package = index URL is expected")
    check_url(*raw.values())
    for name, url in raw.items():
        if not is_name(name.translate(_GLOB)):
            raise ValueError(f"{name!r} is no name of a package, and no glob of names")
        if "://" not in url:
            raise ValueError(f"{url!r} is no URL")
    return tuple(raw.items())


_GLOB = str.maketrans("*?[]!", "xxxxx")


def _replacements(raw: object) -> tuple[tuple[str, str], ...]:
    from venvman.model.pep508 import parse_override

    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise ValueError('a table such as { opencv-python = "opencv-python-headless" } is expected')
    for name, instead in raw.items():
        parse_override(f"{name} -> {instead}")
        if ";" in instead or not instead.strip():
            raise ValueError(f"{name} is replaced by a package, without a marker")
    return tuple(raw.items())


def _lists_by_name(raw: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(raw, dict):
        raise ValueError('a table such as { numba = ["setuptools<70"] } is expected')  # noqa: TRY004
    _names(list(raw))
    return tuple((name, _requirements(each)) for name, each in raw.items())


def _doctor(raw: object) -> DoctorSettings:
    known = {"select", "ignore", "severity", "advisories", "accepted"}
    if not isinstance(raw, dict) or not raw.keys() <= known:
        raise ValueError("a table of select, ignore, severity, advisories and accepted is expected")
    advisories, accepted = raw.get("advisories"), raw.get("accepted", {})
    if not isinstance(advisories, str | None) or not isinstance(accepted, dict):
        raise ValueError("advisories is a URL or a path, accepted a table of NAME = day")  # noqa: TRY004
    try:
        chosen = tuple((code, Severity(value)) for code, value in raw.get("severity", {}).items())
    except AttributeError:
        raise ValueError("severity is a table of code = severity") from None
    except ValueError:
        choices = ", ".join(each.value for each in Severity)
        raise ValueError(f"a severity is one of {choices}") from None
    return DoctorSettings(
        select=_words(raw.get("select", ())),
        ignore=_words(raw.get("ignore", ())),
        severity=chosen,
        advisories=advisories,
        accepted=tuple((name, _day(until)) for name, until in accepted.items()),
    )


def _day(raw: object) -> str:
    from datetime import date

    if raw == "" or isinstance(raw, date):
        return str(raw)[:10]
    try:
        return date.fromisoformat(str(raw)).isoformat()
    except ValueError:
        raise ValueError(f"{raw!r} is no day such as 2027-01-31") from None


def _workspace(raw: object) -> WorkspaceSettings:
    if not isinstance(raw, dict) or not raw.keys() <= {"members", "exclude", "constraints"}:
        raise ValueError("a table of members, exclude and constraints is expected")
    members = _words(raw.get("members", ()))
    for each in members:
        parts = each.split("/")
        if not each.strip() or each.startswith("/") or ".." in parts:
            raise ValueError("members lie below the folder of the pyproject.toml")
        if any("**" in part and part != "**" for part in parts):
            raise ValueError(f"{each!r} is no glob: ** stands for whole folders")
    return WorkspaceSettings(
        members=members,
        exclude=_words(raw.get("exclude", ())),
        constraints=_words(raw.get("constraints", ())),
    )


_E = TypeVar("_E", bound=Enum)


def _choice(of: type[_E], raw: object) -> _E:
    try:
        return of(raw)
    except ValueError:
        choices = ", ".join(each.value for each in of)
        raise ValueError(f"one of {choices} is expected") from None


def _setting(
    default: object, read: Callable[[Any], object] = _text, *, flag: str | None = None
) -> Any:  # noqa: ANN401 - as dataclasses.field
    """A setting: its default, what reads its value, and its flag where that has another name."""
    said = {"read": read, "flag": flag}
    return field(default_factory=lambda: Setting(value=default), metadata=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting there is. Names are those of ``[tool.venvman]`` with ``-`` written ``_``."""

    venv: Setting[str | None] = _setting(None)
    python: Setting[str | None] = _setting(None, _version_text)
    engine: Setting[str] = _setting("native")
    groups: Setting[tuple[str, ...] | None] = _setting(None, _words)
    conflicts: Setting[tuple[tuple[str, ...], ...]] = _setting((), _sets_of_words)
    doctor: Setting[DoctorSettings] = _setting(DoctorSettings(), _doctor)
    exclude: Setting[tuple[str, ...]] = _setting((), _words)
    workspace: Setting[WorkspaceSettings] = _setting(WorkspaceSettings(), _workspace)
    keep: Setting[tuple[str, ...]] = _setting((), _names)
    link: Setting[Link] = _setting(Link.AUTO, partial(_choice, Link))
    lock_format: Setting[LockFormat | None] = _setting(None, partial(_choice, LockFormat))
    attic: Setting[str] = _setting("2 GiB", _text_or_count)
    compile: Setting[bool] = _setting(False, _boolean)
    offline: Setting[bool] = _setting(False, _boolean)
    exclude_newer: Setting[str | None] = _setting(None, _text_or_time)
    overrides: Setting[tuple[str, ...]] = _setting((), _requirements)
    replace: Setting[tuple[tuple[str, str], ...]] = _setting((), _replacements)
    constraints: Setting[tuple[str, ...]] = _setting((), _words, flag="--constraint")
    build_constraints: Setting[tuple[str, ...]] = _setting((), _requirements)
    extra_build_requires: Setting[tuple[tuple[str, tuple[str, ...]], ...]] = _setting(
        (), _lists_by_name
    )
    no_build_isolation: Setting[tuple[str, ...]] = _setting((), _names)
    cache_keys: Setting[tuple[str, ...]] = _setting((), _words)
    """Read by ``localproject`` in the project that is built, wherever it is used."""
    sources: Setting[tuple[tuple[str, str], ...]] = _setting((), _pairs)
    prefer_indexes: Setting[tuple[str, ...]] = _setting((), _each(check_url))
    targets: Setting[tuple[str, ...]] = _setting((), _targets, flag="--target")
    python_versions: Setting[tuple[str, ...]] = _setting(
        (), _each(_check_minors), flag="--python-version"
    )
    project: Setting[bool] = _setting(True, _boolean, flag="--no-project")
    requires_python: Setting[str | None] = _setting(None)
    """From ``[project] requires-python`` where ``[tool.venvman]`` has none."""


_SETTINGS = {each.name: each.metadata for each in fields(Settings)}


def read_settings(
    root: Path, *, variables: Mapping[str, str], flags: Mapping[str, object] | None = None
) -> Settings:
    """The settings of the project at ``root``; ``flags`` with the value None count as not given.

    An empty variable counts as not set.

    Raises:
        ConfigurationError: unreadable TOML, an unknown key, a value of the wrong kind; all at once.
    """
    document = _read_pyproject(root / "pyproject.toml")
    chosen: dict[str, Setting[Any]] = {}
    problems: list[Problem] = []
    if document.requires_python is not None:
        chosen["requires_python"] = Setting(
            value=document.requires_python, origin=Origin.FILE, where="[project] requires-python"
        )
    for each in _given(document, variables, flags or {}):
        taken = _take(each)
        if isinstance(taken, Problem):
            problems.append(taken)
        else:
            chosen[each.name] = taken
    if problems:
        raise ConfigurationError.of(problems, code="configuration-invalid")
    return Settings(**chosen)


def user_file(variables: Mapping[str, str]) -> Path | None:
    """Where a user's own settings for all projects are; None of nobody."""
    home = variables.get("HOME")
    folder = variables.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else None)
    return None if folder is None else Path(folder, "venvman", "venvman.toml")


def refuse_unknown(names: Iterable[str]) -> None:
    """Raises a ConfigurationError unless each of ``names``, given from Python, is a setting's."""
    problems = [
        Problem(
            code="setting-unknown", message=f"There is no setting {name}.", why=_did_you_mean(name)
        )
        for name in names
        if name not in _SETTINGS
    ]
    if problems:
        raise ConfigurationError.of(problems, code="configuration-invalid")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """A value before it is understood; ``line`` and ``text`` for those of the file."""

    name: str
    raw: object
    origin: Origin
    where: str
    line: int | None = None
    text: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    table: Mapping[str, object] = field(default_factory=dict)
    requires_python: str | None = None
    lines: Sequence[str] = ()


def _given(
    document: _Document, variables: Mapping[str, str], flags: Mapping[str, object]
) -> Iterator[_Given]:
    """What any layer says: the least important first."""
    yield from _from_user(variables)
    for key, raw in document.table.items():
        line, text = _line_of(key, document.lines)
        yield _Given(
            name=key.replace("-", "_"),
            raw=raw,
            origin=Origin.FILE,
            file="pyproject.toml",
            where=f"[tool.venvman] {key}",
            line=line,
            text=text,
        )
    for name in _SETTINGS:
        variable = f"VENVMAN_{name.upper()}"
        if raw := variables.get(variable):
            yield _Given(name=name, raw=raw, origin=Origin.VARIABLE, where=variable)
    for name, said in _SETTINGS.items():
        if flags.get(name) is not None:
            where = said["flag"] or f"--{name.replace('_', '-')}"
            yield _Given(name=name, raw=flags[name], origin=Origin.FLAG, where=where)


def _from_user(variables: Mapping[str, str]) -> Iterator[_Given]:
    """The keys of the user's file: those of ``[tool.venvman]``, without that table."""
    path = user_file(variables)
    try:
        content = b"" if path is None else read_regular(path)
    except OSError:
        return
    if not content.strip():
        return
    document = parse_toml(content, path=str(path))
    lines = ["[tool.venvman]", *content.decode().splitlines()]
    for key, raw in document.items():
        line, text = _line_of(key, lines)
        yield _Given(
            name=key.replace("-", "_"),
            raw=raw,
            origin=Origin.USER,
            where=key,
            file=str(path),
            line=None if line is None else line - 1,
            text=text,
        )


def _take(given: _Given) -> Setting[Any] | Problem:
    if given.name not in _SETTINGS:
        message, why = f"There is no setting {given.where}.", _did_you_mean(given.name)
        return _problem(given, code="setting-unknown", message=message, why=why)
    try:
        value = _SETTINGS[given.name]["read"](given.raw)
    except ValueError as error:
        message = f"{given.where} cannot be {given.raw!r}: {error}."
        return _problem(given, code="setting-invalid", message=message)
    return Setting(value=value, origin=given.origin, where=given.where)


def _problem(given: _Given, *, code: str, message: str, why: str | None = None) -> Problem:
    return Problem(
        code=code,
        message=redact(message),
        path=given.file,
        line=given.line,
        text=None if given.text is None else redact(given.text),
        why=why,
    )


def _did_you_mean(name: str) -> str | None:
    import difflib

    near = difflib.get_close_matches(name, list(_SETTINGS), n=1)
    return f"Did you mean {near[0].replace('_', '-')!r}?" if near else None


def _line_of(key: str, lines: Sequence[str]) -> tuple[int | None, str | None]:
    """Where ``key`` of ``[tool.venvman]`` stands (1-based); tomllib does not tell.

    None where it is written in an unusual way, such as ``tool = {venvman = {...}}``.
    """
    import re

    inside = False
    quoted = re.escape(key)
    entry = re.compile(rf"\s*[\"']?{quoted}[\"']?\s*(=|\.)")
    table = re.compile(rf"\s*\[\s*tool\.venvman\.[\"']?{quoted}[\"']?\s*\]")
    for number, line in enumerate(lines, start=1):
        if table.match(line) or (inside and entry.match(line)):
            return number, line
        if re.match(r"\s*\[", line):
            inside = re.match(r"\s*\[\s*tool\.venvman\s*\]", line) is not None
    return None, None


def _read_pyproject(path: Path) -> _Document:
    try:
        content = read_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        return _Document()
    except OSError as error:
        raise ConfigurationError(
            f"Could not read pyproject.toml: {error.strerror}.",
            code="pyproject-unreadable",
            path="pyproject.toml",
        ) from error
    # Most pyproject.toml files hold neither table, and tomllib costs 10 ms to import.
    if b"venvman" not in content and b"requires-python" not in content:
        return _Document()
    document = parse_toml(content)
    requires = _table(document, "project").get("requires-python")
    if not isinstance(requires, (str, type(None))):
        from venvman.requirements.declared import origin_in

        origin = origin_in(content.decode().splitlines(), "", r"requires-python\s*=")
        raise ConfigurationError(
            f"[project] requires-python cannot be {requires!r}: a text is expected.",
            code="requires-python-invalid",
            path="pyproject.toml",
            line=origin.line,
            text=origin.text,
            fix=Advice('Write it in quotes, as in ">=3.10".'),
        )
    tool = _table(document, "tool")
    if not isinstance(tool.get("venvman", {}), dict):
        raise ConfigurationError(
            "[tool.venvman] in pyproject.toml is not a table.",
            code="configuration-invalid",
            path="pyproject.toml",
        )
    return _Document(
        table=_table(tool, "venvman"),
        requires_python=requires,
        lines=content.decode().splitlines(),
    )


def _table(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    table = document.get(key)
    return table if isinstance(table, dict) else {}


def parse_toml(content: bytes, *, path: str = "pyproject.toml") -> dict[str, Any]:
    """The tables of a pyproject.toml, or of the file at ``path``.

    Raises:
        ConfigurationError: it is no UTF-8, or no TOML.
    """
    import re

    try:
        text = content.decode()
        document = read_toml(text)
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path} is not UTF-8, as TOML has to be.",
            code="pyproject-invalid",
            path=path,
            line=content[: error.start].count(b"\n") + 1,
        ) from error
    except ValueError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else None
        raise ConfigurationError(
            f"{path} is not valid TOML.",
            code="pyproject-invalid",
            path=path,
            line=line,
            text=redact(text.splitlines()[line - 1]) if line and text.splitlines() else None,
            why=f"{error}.",
        ) from error
    return document
