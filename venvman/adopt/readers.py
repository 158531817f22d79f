"""Which tool's files a project has: one row for each, the first that is there is taken."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from venvman.adopt import lists, locks
from venvman.adopt.taken import table, tables_of, text_of
from venvman.model.errors import RequirementsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from venvman.adopt.taken import Taken


class Reader(NamedTuple):
    """``read`` is given the root, and of ``names`` (globs) the file that is there.

    Files of the globs that say no more than an ending are read only where somebody names them.
    """

    names: tuple[str, ...]
    read: Callable[[Path, str], Taken]
    is_one: Callable[[Path], bool] = lambda _: True


def _has_poetry(path: Path) -> bool:
    with suppress(RequirementsError):
        said = table(tables_of(path.parent, path.name), "tool", "poetry")
        return any(key in said for key in ("dependencies", "group", "dev-dependencies"))
    return False


def _has_sources_of_uv(path: Path) -> bool:
    with suppress(RequirementsError):
        return bool(table(tables_of(path.parent, path.name), "tool", "uv", "sources"))
    return False


def _is_conda_list(path: Path) -> bool:
    with suppress(RequirementsError):
        return lists.is_conda_list(text_of(path.parent, path.name))
    return False


READERS = (
    Reader(("Pipfile", "Pipfile.lock"), lambda root, _: locks.pipenv(root)),
    Reader(("poetry.lock",), lambda root, _: locks.poetry(root)),
    Reader(("uv.lock",), lambda root, _: locks.uv(root)),
    Reader(("pdm.lock",), lambda root, _: locks.pdm(root)),
    Reader(("pyproject.toml",), lambda root, _: locks.poetry(root), _has_poetry),
    Reader(("pyproject.toml",), lambda root, _: locks.uv(root), _has_sources_of_uv),
    Reader(
        ("environment.yml", "environment.yaml", "environment*.y*ml", "*.yml", "*.yaml"),
        lists.conda_environment,
    ),
    Reader(("[!.]*.txt",), lists.conda_list, _is_conda_list),
)  # fmt: skip


def readable(root: Path, name: str | None = None) -> Iterator[tuple[Reader, str]]:
    """The readers that know the file ``name``, or any file in ``root``, each with that file."""
    for reader in READERS:
        for glob in reader.names:
            if name is None and glob.startswith("*"):
                continue
            for path in sorted(root.glob(glob)):
                if (name is None or path.name == name) and path.is_file() and reader.is_one(path):
                    yield reader, path.name
