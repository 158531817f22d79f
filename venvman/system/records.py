"""Records: the private files that venvman keeps, each a value with its kind, as JSON.

A kind is a name and the number of its version. What is damaged, is of another kind or of another
version counts as absent, and is replaced without a word. Tuples come back as tuples, so that named
ones are made of what is read. Records inside an environment bear a seal
(:mod:`venvman.system.seal`), others lie in folders that nobody else can write to.
"""

# The standard library's json: importing a faster one takes longer than all that is read here.
from __future__ import annotations

import json
from typing import TYPE_CHECKING

from venvman.system import seal
from venvman.system.reading import read_regular
from venvman.system.writing import replace

if TYPE_CHECKING:
    import os
    from typing import Any


def load(path: str | os.PathLike[str], kind: str) -> Any:  # noqa: ANN401 - the caller knows it
    """What the file ``path`` holds, or None."""
    try:
        return decoded(read_regular(path), kind)
    except OSError:
        return None


def save(path: str | os.PathLike[str], kind: str, value: object) -> None:
    """Puts ``value`` into the file ``path`` in one step.

    Raises:
        OSError: it cannot be written.
    """
    replace(str(path), encoded(kind, value))


def read(root: str, name: str, kind: str) -> Any:  # noqa: ANN401 - the caller knows it
    """What the record ``name`` of the environment ``root`` holds, or None."""
    try:
        content = seal.read(root, name)
    except OSError:
        return None
    return None if content is None else decoded(content, kind)


def opened(root: str, name: str, kind: str, found: bytes) -> Any:  # noqa: ANN401
    """The same of what :func:`sealed` made."""
    content = seal.open_sealed(root, name, found)
    return None if content is None else decoded(content, kind)


def sealed(root: str, name: str, kind: str, value: object) -> bytes:
    """What the record ``name`` holds for ``value``.

    Raises:
        OSError: the environment's state cannot be written.
    """
    return seal.sealed(root, name, encoded(kind, value))


def write(root: str, name: str, kind: str, value: object) -> None:
    """Puts ``value`` into the record ``name`` in one step.

    Raises:
        OSError: it cannot be written.
    """
    seal.write(root, name, encoded(kind, value))


def encoded(kind: str, value: object) -> bytes:
    """``value`` as it is written, on one line."""
    return json.dumps([kind, value], separators=(",", ":")).encode()


def decoded(content: bytes, kind: str) -> Any:  # noqa: ANN401 - the caller knows it
    """The value that :func:`encoded` was given, or None."""
    try:
        found, value = json.loads(content)
    except (ValueError, TypeError, RecursionError):
        return None
    return _as_tuples(value) if found == kind else None


def _as_tuples(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return tuple(map(_as_tuples, value))
    if isinstance(value, dict):
        return {key: _as_tuples(each) for key, each in value.items()}
    return value
