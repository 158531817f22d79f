"""Records: the private files that venvman keeps, each a value with its kind, as JSON.

A kind is a name and the number of its version. What is damaged, is of another kind or of another
version counts as absent, and is replaced without a word. Tuples come back as tuples. Records inside
an environment bear a seal (:mod:`venvman.seal`). Imports next to nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from venvman import seal

if TYPE_CHECKING:
    from typing import Any


def read(root: str, name: str, kind: str) -> Any:  # noqa: ANN401 - the caller knows the kind
    """What the record ``name`` of the environment ``root`` holds, or None."""
    try:
        content = seal.read(root, name)
    except OSError:
        return None
    return None if content is None else _decoded(content, kind)


def opened(root: str, name: str, kind: str, found: bytes) -> Any:  # noqa: ANN401
    """The same of what :func:`sealed` made."""
    content = seal.open_sealed(root, name, found)
    return None if content is None else _decoded(content, kind)


def sealed(root: str, name: str, kind: str, value: object) -> bytes:
    """What the record ``name`` holds for ``value``.

    Raises:
        OSError: the environment's state cannot be written.
    """
    return seal.sealed(root, name, json.dumps([kind, value], separators=(",", ":")).encode())


def write(root: str, name: str, kind: str, value: object) -> None:
    """Puts ``value`` into the record ``name`` in one step.

    Raises:
        OSError: it cannot be written.
    """
    seal.write(root, name, json.dumps([kind, value], separators=(",", ":")).encode())


def _decoded(content: bytes, kind: str) -> Any:  # noqa: ANN401
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
