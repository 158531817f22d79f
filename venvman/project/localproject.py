"""Local project folders: their name, what their build metadata is made from, and its digest.

Nothing is built or run here: only what the files say literally counts.
"""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venvman.model.names import NormalizedName, canonical
from venvman.system.reading import read_regular, read_toml
from venvman.system.repository import head_of, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvman.model.sources import DirectorySource

METADATA_FILES = ("pyproject.toml", "setup.cfg", "setup.py", "PKG-INFO")
"""What every project may have: its name, version and dependencies come from here first."""

# Back ends and plugins that take the version from git.
_FROM_GIT = re.compile(
    r"setuptools[-_]scm|hatch-vcs|versioningit|dunamai|dynamic-versioning|setuptools-git-versioning"
    r"|versioneer|use_scm_version|source\s*=\s*[\"'](?:scm|vcs)[\"']"
)
_PROSE = re.compile(r"(?i)(?:.*/)?(?:readme|change(?:s|log)|history|licen[cs]e|authors)\b.*")
_CFG_FILE = re.compile(r"(?m)^\s*[\w.-]+\s*=\s*file:\s*(.+)$")
_CFG_ATTR = re.compile(r"(?m)^\s*version\s*=\s*attr:\s*([\w.]+)")
_MANIFEST = re.compile(r"(?m)^\s*include\s+(.+)$")
_MOST = 1000


def project_name(folder: Path) -> NormalizedName | None:
    """The name that ``folder``'s files state; None where only building would tell it."""
    for find in (_from_pyproject, _from_setup_cfg, _from_setup_py, _from_metadata):
        name = find(folder)
        if name:
            return canonical(name)
    return None


def metadata_digest(folder: Path) -> str:
    """``sha256:<hex>`` over :func:`inputs_of`; a missing file counts as missing."""
    digest = hashlib.sha256()
    for leaf in inputs_of(folder):
        try:
            text = read_regular(folder / leaf).decode("utf-8", errors="replace")
            digest.update(f"{leaf}:{len(text)}\n{text}".encode())
        except OSError:
            digest.update(f"{leaf}:-1\n".encode())
    return f"sha256:{digest.hexdigest()}"


def described(source: DirectorySource) -> str:
    """What the metadata of ``source`` (absolute) is made from, by digest; empty if it is gone.

    Besides :func:`metadata_digest` this is git's commit and tags, where they give the version.
    """
    folder = Path(source.folder)
    if not folder.is_dir():
        return ""
    digest, versions = metadata_digest(folder), versions_of(folder)
    if not versions:
        return digest
    return f"sha256:{hashlib.sha256(f'{digest}{versions}'.encode()).hexdigest()}"


def inputs_of(folder: Path) -> tuple[str, ...]:
    """Paths relative to ``folder``: :data:`METADATA_FILES`, and what they name; sorted.

    Of what is named by a pattern or in ``setup.py`` only what is there.
    """
    table = _table(_read(folder / "pyproject.toml"))
    found = {*METADATA_FILES, *_of_pyproject(table), *_of_setup_cfg(folder)}
    keys = _at(table, "tool", "venvman", "cache-keys")
    patterns = [each for each in keys if isinstance(each, str)] if isinstance(keys, list) else []
    if (folder / "setup.py").is_file():
        found.update(_of_setup_py(folder))
        patterns += [
            word
            for line in _MANIFEST.findall(_read(folder / "MANIFEST.in"))
            for word in line.split()
            if "requirements" in word
        ]
    for pattern in patterns:
        found.update(_matching(folder, pattern))
    inside = (each for each in found if not each.startswith(("/", "../")) and "\0" not in each)
    return tuple(sorted(inside))


def versions_of(folder: Path) -> str:
    """What git says of the commit and the tags, where the version comes from them; else empty."""
    text = "".join(_read(folder / name) for name in ("pyproject.toml", "setup.py", "setup.cfg"))
    if not _FROM_GIT.search(text):
        return ""
    head = head_of(str(folder))
    return "\n".join([head.commit if head else "", *tags_of(str(folder))])


def _of_pyproject(table: Mapping[str, Any]) -> Iterator[str]:
    tool = table.get("tool", {})
    yield from _values(_at(tool, "setuptools", "dynamic"), {"file"})
    for value in _values(_at(tool, "setuptools", "dynamic"), {"attr"}):
        yield from _modules(value, _strings(_at(tool, "setuptools", "package-dir")))
    # hatch: the version's file, and those of metadata hooks, whatever their plugins call them.
    hatch = {"path", "file", "files", "filename", "filenames"}
    yield from _values(_at(tool, "hatch", "version"), hatch)
    yield from _values(_at(tool, "hatch", "metadata", "hooks"), hatch | {"*"})
    hooks = _at(tool, "hatch", "metadata", "hooks")
    if isinstance(hooks, dict) and "custom" in hooks:
        yield "hatch_build.py"
    yield from _values(_at(tool, "pdm", "version"), {"path", "write_to"})
    for getter in _values(_at(tool, "pdm", "version"), {"getter"}):
        yield from _modules(getter.partition(":")[0] + ".x", ())
    yield from _values(_at(tool, "flit", "metadata"), {"requires-file"})
    dynamic = _at(table, "project", "dynamic")
    module = _at(tool, "flit", "module", "name") or _at(tool, "flit", "metadata", "module")
    flit = "flit" in str(table.get("build-system"))
    if flit and isinstance(dynamic, list) and "version" in dynamic:
        module = module or _at(table, "project", "name")
    if isinstance(module, str):
        yield from _modules(f"{module.replace('-', '_')}.__version__", ())


def _of_setup_cfg(folder: Path) -> Iterator[str]:
    text = _read(folder / "setup.cfg")
    for names in _CFG_FILE.findall(text):
        yield from (name for each in names.split(",") if not _PROSE.fullmatch(name := each.strip()))
    for value in _CFG_ATTR.findall(text):
        yield from _modules(value, ())


def _of_setup_py(folder: Path) -> Iterator[str]:
    """Every file that a literal of ``setup.py`` names: by ``open``, ``read_text`` or a helper."""
    try:
        tree = ast.parse(_read(folder / "setup.py"))
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        name = "/".join(_literals(node))
        if 0 < len(name) < 200 and "\n" not in name and not _PROSE.fullmatch(name):
            try:
                inside = (folder / name).is_file() and not name.startswith(("/", ".."))
            except (OSError, ValueError):
                continue
            if inside:
                yield name.removeprefix("./")


def _literals(node: ast.AST) -> list[str]:
    """The parts of a path: of a string, of ``a / b``, of ``join(a, b)``; the unknown is nothing."""
    if isinstance(node, ast.Constant):
        return [node.value.strip("/")] if isinstance(node.value, str) and node.value else []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return [*_literals(node.left), *_literals(node.right)]
    if isinstance(node, ast.Call) and _called(node) in {"join", "joinpath", "Path"}:
        return [part for each in node.args for part in _literals(each)]
    return []


def _modules(attribute: str, folders: Iterable[str]) -> Iterator[str]:
    """Where ``package.module.attribute`` may stand, and the packages on the way to it."""
    parts = attribute.split(".")[:-1] or attribute.split(".")
    for top in dict.fromkeys(("", "src/", "lib/", *(f"{each.strip('/')}/" for each in folders))):
        for count in range(1, len(parts) + 1):
            stem = top.lstrip("/") + "/".join(parts[:count])
            yield from (f"{stem}.py", f"{stem}/__init__.py")


def _matching(folder: Path, pattern: str) -> Iterator[str]:
    try:
        for count, path in enumerate(folder.glob(pattern)):
            if count >= _MOST:
                return
            if path.is_file():
                yield path.relative_to(folder).as_posix()
    except (ValueError, NotImplementedError, OSError):
        return


def _values(table: object, keys: set[str]) -> Iterator[str]:
    """The strings below ``table`` under one of ``keys`` (``*``: any that may be a file's name)."""
    if not isinstance(table, dict):
        return
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _values(value, keys)
        elif key in keys:
            yield from (each for each in _strings(value) if not _PROSE.fullmatch(each))
        elif "*" in keys:
            yield from (
                each for each in _strings(value) if re.search(r"\.(?:txt|in|toml|py)$", each)
            )


def _strings(value: object) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


def _at(table: object, *keys: str) -> object:
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def _from_pyproject(folder: Path) -> str | None:
    table = _table(_read(folder / "pyproject.toml"))
    names = (_at(table, "project", "name"), _at(table, "tool", "poetry", "name"))
    return next((name for name in names if isinstance(name, str)), None)


def _from_setup_cfg(folder: Path) -> str | None:
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_read(folder / "setup.cfg"))
    except configparser.Error:
        return None
    return parser.get("metadata", "name", fallback=None)


def _from_setup_py(folder: Path) -> str | None:
    try:
        tree = ast.parse(_read(folder / "setup.py"))
    except (SyntaxError, ValueError, RecursionError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) == "setup":
            for keyword in node.keywords:
                value = keyword.value
                if keyword.arg == "name" and isinstance(value, ast.Constant):
                    return str(value.value)
    return None


def _called(node: ast.Call) -> str:
    """The last part of the name of what is called."""
    name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
    return str(name)


def _from_metadata(folder: Path) -> str | None:
    files = (folder / "PKG-INFO", *folder.glob("*.egg-info/PKG-INFO"))
    found = (re.search(r"^Name:\s*(\S+)\s*$", _read(path), re.MULTILINE) for path in files)
    return next((each[1] for each in found if each), None)


def _table(text: str) -> Mapping[str, Any]:
    try:
        table: dict[str, Any] = read_toml(text)
    except ValueError:
        return {}
    return table


def _read(path: Path) -> str:
    try:
        return read_regular(path).decode("utf-8", errors="replace")
    except (OSError, ValueError):
        return ""
