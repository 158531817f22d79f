"""pip's own configuration, read as pip reads it: files by folder, then ``PIP_*`` variables.

Requirements files are written for a pip that is configured: their indexes, proxies and certificates
are in ``pip.conf``. Later folders override earlier ones value by value; nothing accumulates.
"""

from __future__ import annotations

import configparser
import locale
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venvman.model.errors import Advice, ConfigurationError, Problem
from venvman.model.frozen import dataclass
from venvman.model.options import DEFAULT_INDEX, ConstraintsFile, IndexOptions
from venvman.project.settings import parse_toml
from venvman.requirements.options import ExclusiveNames
from venvman.system.secrets import check_url, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

COMMAND = "install"
"""The section that counts besides ``[global]``: venvman does what ``pip install`` would."""

_ALIASES = {"pypi-url": "index-url", "default-timeout": "timeout"}
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})


@dataclass(frozen=True, slots=True)
class _Value:
    """A setting's text; ``where`` is the variable, or the file's path and section."""

    text: str
    where: str
    path: str | None = None
    line: int | None = None


def read_pip_configuration(
    variables: Mapping[str, str],
    *,
    home: Path,
    site: Path | None = None,
    files: Sequence[Path] | None = None,
) -> IndexOptions:
    """What pip would be configured to do; ``origins`` of the result says where each value is from.

    ``site`` is the root of the environment whose own ``pip.conf`` counts, ``files`` replaces the
    folders where pip looks, the least important first.

    Raises:
        ConfigurationError: files that cannot be read and values that make no sense, all at once.
    """
    problems: list[Problem] = []
    merged = _merged(variables, home, site, files, problems)
    options = _options(merged, home, problems)
    if problems:
        raise ConfigurationError.of(problems, code="pip-configuration-invalid")
    return options


def pip_files(variables: Mapping[str, str], *, home: Path, key: str) -> tuple[ConstraintsFile, ...]:
    """The files that pip is configured to use as ``constraint`` or ``build-constraint`` (``key``).

    As written: they count from the working directory, as with pip.
    """
    value = _merged(variables, home, None, None, []).get(key)
    if value is None:
        return ()
    return tuple(ConstraintsFile(each, value.where) for each in value.text.split())


def _merged(
    variables: Mapping[str, str],
    home: Path,
    site: Path | None,
    files: Sequence[Path] | None,
    problems: list[Problem],
) -> Mapping[str, _Value]:
    if files is None:
        files = configuration_files(variables, home=home, site=site)
    layers: dict[str, dict[str, _Value]] = {"global": {}, COMMAND: {}, ":env:": {}}
    for path in files:
        for section, values in _read_file(path, problems).items():
            if section in layers:
                layers[section].update(values)
    layers[":env:"] = {
        _key(name[4:]): _Value(text, name)
        for name, text in variables.items()
        if name.startswith("PIP_")
    }
    merged: dict[str, _Value] = {}
    for layer in layers.values():
        merged.update({key: value for key, value in layer.items() if value.text})
    return merged


def configuration_files(
    variables: Mapping[str, str],
    *,
    home: Path,
    site: Path | None = None,
    platform: str = sys.platform,
) -> tuple[Path, ...]:
    """Where pip looks, whether something is there or not; the least important first.

    ``PIP_CONFIG_FILE`` comes last, silences the user's files where it exists, and all files where
    it is the null device.
    """
    named = variables.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return ()
    leaf = "pip.ini" if platform == "win32" else "pip.conf"
    folders = _global_folders(variables, platform)
    if not (named and Path(named).exists()):
        folders += [home / ("pip" if platform == "win32" else ".pip")]
        folders += [_user_folder(variables, home, platform)]
    folders += [site] if site else []
    return tuple([folder / leaf for folder in folders] + ([Path(named)] if named else []))


def _global_folders(variables: Mapping[str, str], platform: str) -> list[Path]:
    if platform == "win32":
        return [Path(variables.get("PROGRAMDATA", "C:\\ProgramData")) / "pip"]
    if platform == "darwin":
        return [Path("/Library/Application Support/pip")]
    told = variables.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    return [*(Path(each) / "pip" for each in told.split(":") if each), Path("/etc")]


def _user_folder(variables: Mapping[str, str], home: Path, platform: str) -> Path:
    if platform == "win32":
        told = variables.get("APPDATA")
        return (Path(told) if told else home / "AppData" / "Roaming") / "pip"
    if platform == "darwin":
        support = home / "Library" / "Application Support" / "pip"
        return support if support.is_dir() else home / ".config" / "pip"
    told = variables.get("XDG_CONFIG_HOME")
    return (Path(told) if told else home / ".config") / "pip"


class _Parser(configparser.RawConfigParser):
    """Keys may be written as options or variables are: ``--index-url``, ``INDEX_URL``."""

    def optionxform(self, optionstr: str) -> str:
        return _key(optionstr)


def _key(text: str) -> str:
    key = text.lower().replace("_", "-").removeprefix("--")
    return _ALIASES.get(key, key)


def _read_file(path: Path, problems: list[Problem]) -> dict[str, dict[str, _Value]]:
    parser = _Parser()
    try:
        content = _decoded(path.read_bytes())
        parser.read_string(content, source=str(path))
    except OSError:
        # pip goes on without a file that it may not read; so does everything that it configures.
        return {}
    except (configparser.Error, UnicodeDecodeError) as error:
        problems.append(
            Problem(
                code="pip-configuration-unreadable",
                message=f"pip's configuration file {path} could not be understood.",
                path=str(path),
                line=_line_of(error),
                why=redact(str(error).splitlines()[0]),
                fix=Advice("Correct the file; `pip config debug` shows all that pip reads."),
            )
        )
        return {}
    found: dict[str, dict[str, _Value]] = {}
    for section in parser.sections():
        for key, text in parser.items(section):
            where, line = f"{path} [{section}] {key}", _line_in(content, section, key)
            found.setdefault(section, {})[key] = _Value(text, where, str(path), line)
    return found


def _line_in(content: str, section: str, key: str) -> int | None:
    """Where ``key`` of ``section`` stands (1-based); the parser does not tell."""
    inside = ""
    for number, line in enumerate(content.splitlines(), start=1):
        if line.startswith("["):
            inside = line[1:].partition("]")[0]
        elif inside == section and _key(re.split("[=:]", line, maxsplit=1)[0].strip()) == key:
            return number
    return None


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(locale.getpreferredencoding(do_setlocale=False))


def _line_of(error: Exception) -> int | None:
    line = getattr(error, "lineno", None)
    faults = getattr(error, "errors", None)
    return line if line is not None or not faults else int(faults[0][0])


def _options(merged: Mapping[str, _Value], home: Path, problems: list[Problem]) -> IndexOptions:
    readers = _readers(home)
    chosen: dict[str, Any] = {}
    for key, (name, read) in readers.items():
        if key not in merged:
            continue
        try:
            chosen[name] = read(merged[key].text)
        except ValueError as error:
            problems.append(_invalid(merged[key], str(error)))
    indexes = (chosen.pop("index_url", DEFAULT_INDEX), *chosen.pop("extra_index_urls", ()))
    if chosen.pop("no_index", False):
        indexes = ()
    # Of two controls of which a project can have only one the second's word counts.
    for pair in (("no_binary", "only_binary"), ("all_releases", "only_final")):
        names = ExclusiveNames(*pair)
        for name in pair:
            names.add(name, chosen.get(name, ""))
        chosen |= dict(zip(pair, map(frozenset, (names.first, names.second)), strict=True))
    return IndexOptions(
        **chosen,
        index_urls=tuple(dict.fromkeys(indexes)),
        origins=tuple((readers[key][0], merged[key].where) for key in readers if key in merged),
    )


def _readers(home: Path) -> dict[str, tuple[str, Callable[[str], object]]]:
    """From pip's key to the option's name here, and how its text is read."""

    def path(text: str) -> str:
        return str(home / text[2:]) if text.startswith("~/") else text

    def links(text: str) -> tuple[str, ...]:
        return tuple(path(each) for each in _urls(text))

    return {
        "index-url": ("index_url", _url),
        "extra-index-url": ("extra_index_urls", _urls),
        "no-index": ("no_index", _boolean),
        "find-links": ("find_links", links),
        "trusted-host": ("trusted_hosts", lambda text: frozenset(text.split())),
        "no-binary": ("no_binary", _names),
        "only-binary": ("only_binary", _names),
        "prefer-binary": ("prefer_binary", _boolean),
        "pre": ("pre", _boolean),
        "all-releases": ("all_releases", _names),
        "only-final": ("only_final", _names),
        "require-hashes": ("require_hashes", _boolean),
        "cert": ("cert", path),
        "client-cert": ("client_cert", path),
        "proxy": ("proxy", _proxy),
        "timeout": ("timeout", _seconds),
        "retries": ("retries", _count),
        "keyring-provider": ("keyring_provider", str.strip),
    }


def _url(text: str) -> str:
    check_url(text)
    return text.strip()


def _urls(text: str) -> tuple[str, ...]:
    return tuple(_url(each) for each in text.split())


def _proxy(text: str) -> str:
    check_url(text if "//" in text else f"http://{text.strip()}")
    return text.strip()


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError("yes or no is expected")


def _names(text: str) -> str:
    return ",".join(word for each in text.split(",") if (word := each.strip()))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if seconds <= 0:
        raise ValueError("a number of seconds is expected")
    return seconds


def _count(text: str) -> int:
    if not text.isdigit():
        raise ValueError("a whole number is expected")
    return int(text)


def _invalid(value: _Value, reason: str) -> Problem:
    # A proxy may be written without its scheme.
    bare = "@" in value.text and "://" not in value.text
    shown = redact(f"http://{value.text}" if bare else value.text)
    return Problem(
        code="pip-configuration-invalid",
        message=f"{value.where} cannot be {shown!r}: {reason}.",
        path=value.path,
        line=value.line,
        fix=Advice("Correct it; `pip config debug` shows all that pip reads."),
    )


_FILES = (".pip-tools.toml", "pyproject.toml")
# Their opposite is what pip-compile does of itself.
_USUAL = frozenset(
    {"annotate", "emit-find-links", "emit-index-url", "emit-trusted-host", "strip-extras"}
)
# What no header shows: which run it was, and what there is to say in any case.
_TRANSIENT = frozenset(
    {"upgrade", "upgrade-package", "rebuild", "quiet", "verbose", "dry-run", "output-file"}
    | {"src-files", "header", "no-header", "no-config", "config", "cache-dir", "color"}
)


def configured_words(read: Callable[[str], str | None]) -> tuple[str, ...]:
    """The options, sorted as pip-compile's header has them; ``read`` gives a file's text.

    Like pip-compile, takes the first file that has such a table.
    """
    for name in _FILES:
        text = read(name)
        if text is not None and "pip-tools" in text and (table := _table(text)):
            return tuple(
                sorted(word for key, value in table.items() for word in _words(key, value))
            )
    return ()


def _table(text: str) -> Mapping[str, object]:
    """``[tool.pip-tools]``, that of ``compile`` on top; faults of TOML are told elsewhere."""
    try:
        tools = parse_toml(text.encode()).get("tool", {}).get("pip-tools", {})
    except (ConfigurationError, AttributeError):
        return {}
    if not isinstance(tools, dict):
        return {}
    own = tools.get("compile")
    table = {**tools, **(own if isinstance(own, dict) else {})}
    return {
        key.replace("_", "-"): value for key, value in table.items() if not isinstance(value, dict)
    }


def _words(key: str, value: object) -> Iterator[str]:
    if key in _TRANSIENT:
        return
    if value is True:
        yield f"--{key}"
    elif value is False:
        if key in _USUAL:
            yield f"--no-{key}"
    elif isinstance(value, list):
        yield from (f"--{key}={each}" for each in value)
    else:
        yield f"--{key}={value}"
