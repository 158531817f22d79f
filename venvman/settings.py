"""Settings: flag, ``VENVMAN_*``, ``[tool.venvman]``, default, in this order; each says which."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from venvman.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Link", "Origin", "Setting", "Settings", "read_settings"]

T = TypeVar("T")


class Origin(str, Enum):
    """Which layer a value comes from."""

    FLAG = "flag"
    VARIABLE = "variable"
    FILE = "pyproject.toml"
    DEFAULT = "default"


class Link(str, Enum):
    """How files get from the store into an environment; AUTO tries reflink, hardlink, copy."""

    AUTO = "auto"
    REFLINK = "reflink"
    HARDLINK = "hardlink"
    COPY = "copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """A value and the layer that gave it; ``where`` names the flag, variable or table key."""

    value: T
    origin: Origin = Origin.DEFAULT
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting there is. Names are those of ``[tool.venvman]`` with ``-`` written ``_``."""

    venv: Setting[str | None] = field(default_factory=lambda: Setting(value=None))
    python: Setting[str | None] = field(default_factory=lambda: Setting(value=None))
    engine: Setting[str] = field(default_factory=lambda: Setting(value="pip-tools"))
    groups: Setting[tuple[str, ...] | None] = field(default_factory=lambda: Setting(value=None))
    conflicts: Setting[tuple[tuple[str, ...], ...]] = field(
        default_factory=lambda: Setting(value=())
    )
    keep: Setting[tuple[str, ...]] = field(default_factory=lambda: Setting(value=()))
    link: Setting[Link] = field(default_factory=lambda: Setting(value=Link.AUTO))
    attic: Setting[str] = field(default_factory=lambda: Setting(value="2 GiB"))
    compile: Setting[bool] = field(default_factory=lambda: Setting(value=False))
    offline: Setting[bool] = field(default_factory=lambda: Setting(value=False))
    exclude_newer: Setting[str | None] = field(default_factory=lambda: Setting(value=None))
    overrides: Setting[tuple[str, ...]] = field(default_factory=lambda: Setting(value=()))
    build_constraints: Setting[tuple[str, ...]] = field(default_factory=lambda: Setting(value=()))
    sources: Setting[tuple[tuple[str, str], ...]] = field(default_factory=lambda: Setting(value=()))
    targets: Setting[tuple[str, ...]] = field(default_factory=lambda: Setting(value=()))
    requires_python: Setting[str | None] = field(default_factory=lambda: Setting(value=None))
    """From ``[project] requires-python`` where ``[tool.venvman]`` has none."""


def read_settings(
    root: Path, *, variables: Mapping[str, str], flags: Mapping[str, object] | None = None
) -> Settings:
    """The settings of the project at ``root``; ``flags`` with the value None count as not given.

    Raises:
        ConfigurationError: unreadable TOML, an unknown key, a value of the wrong kind; all at once.
    """
    table, requires_python = _read_pyproject(root / "pyproject.toml")
    chosen: dict[str, Setting[Any]] = {}
    problems: list[Problem] = []
    if requires_python is not None:
        chosen["requires_python"] = Setting(
            value=requires_python, origin=Origin.FILE, where="[project] requires-python"
        )
    readers = _readers()
    for key, raw in table.items():
        name = key.replace("-", "_")
        if name not in readers:
            problems.append(_unknown_key(key, known=readers))
            continue
        _take(chosen, problems, name, raw, Origin.FILE, f"[tool.venvman] {key}")
    for name in readers:
        variable = f"VENVMAN_{name.upper()}"
        if variables.get(variable):
            _take(chosen, problems, name, variables[variable], Origin.VARIABLE, variable)
        flag = (flags or {}).get(name)
        if flag is not None:
            _take(chosen, problems, name, flag, Origin.FLAG, f"--{name.replace('_', '-')}")
    if problems:
        raise ConfigurationError(
            problems[0].message, code="configuration-invalid", problems=problems
        )
    return Settings(**chosen)


def _read_pyproject(path: Path) -> tuple[dict[str, Any], str | None]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}, None
    except OSError as error:
        raise ConfigurationError(
            f"Could not read pyproject.toml: {error.strerror}.",
            code="pyproject-unreadable",
            path="pyproject.toml",
        ) from error
    # Most pyproject.toml files hold neither table, and tomllib costs 10 ms to import.
    if b"venvman" not in content and b"requires-python" not in content:
        return {}, None
    document = _parse_toml(content)
    table = document.get("tool", {}).get("venvman", {})
    requires = document.get("project", {}).get("requires-python")
    return dict(table), requires if isinstance(requires, str) else None


def _parse_toml(content: bytes) -> dict[str, Any]:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document: dict[str, Any] = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            "pyproject.toml is not valid TOML.",
            code="pyproject-invalid",
            path="pyproject.toml",
            why=str(error),
        ) from error
    return document


def _take(
    chosen: dict[str, Setting[Any]],
    problems: list[Problem],
    name: str,
    raw: object,
    origin: Origin,
    where: str,
) -> None:
    try:
        value = _readers()[name](raw)
    except ValueError as error:
        problems.append(
            Problem(
                code="setting-invalid",
                message=f"{where} cannot be {raw!r}: {error}.",
                path="pyproject.toml" if origin is Origin.FILE else None,
            )
        )
        return
    chosen[name] = Setting(value=value, origin=origin, where=where)


def _unknown_key(key: str, *, known: Mapping[str, object]) -> Problem:
    import difflib

    near = difflib.get_close_matches(key.replace("-", "_"), list(known), n=1)
    return Problem(
        code="setting-unknown",
        message=f"[tool.venvman] has no setting {key!r}.",
        path="pyproject.toml",
        why=f"Did you mean {near[0].replace('_', '-')!r}?" if near else None,
    )


def _readers() -> dict[str, Callable[[Any], object]]:
    special: dict[str, Callable[[Any], object]] = {
        "groups": _words,
        "conflicts": _sets_of_words,
        "keep": _words,
        "link": _link,
        "compile": _boolean,
        "offline": _boolean,
        "overrides": _words,
        "build_constraints": _words,
        "sources": _pairs,
        "targets": _words,
    }
    return {each.name: special.get(each.name, _text) for each in fields(Settings)}


def _text(raw: object) -> str:
    if isinstance(raw, str) and raw.strip():
        return raw.strip()
    raise ValueError("a text is expected")


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


def _sets_of_words(raw: object) -> tuple[tuple[str, ...], ...]:
    if isinstance(raw, str):
        return tuple(_words(part) for part in raw.split(";") if part.strip())
    if isinstance(raw, (list, tuple)):
        return tuple(_words(part) for part in raw)
    raise ValueError("a list of lists is expected")


def _pairs(raw: object) -> tuple[tuple[str, str], ...]:
    if isinstance(raw, dict) and all(isinstance(value, str) for value in raw.values()):
        return tuple(raw.items())
    raise ValueError("a table of package = index URL is expected")


def _link(raw: object) -> Link:
    try:
        return Link(raw)
    except ValueError:
        choices = ", ".join(each.value for each in Link)
        raise ValueError(f"one of {choices} is expected") from None
