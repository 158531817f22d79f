"""A line of history from the switch between known states, which has no time for more.

:mod:`venvman.environment.history` reads it, and takes what it leaves out from the state that held
the same. Imports nothing that the switch has not imported already.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from venvman.names import TOOLS
from venvman.repository import head_of

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = ".venvman/history"
STATES = "states.jsonl"
FORMAT = 1
SWITCH = "switch"


def append_switch(root: str, sequence: int, wheels: Iterable[tuple[str, str]]) -> None:
    """Writes down that the environment at ``root`` has switched to what it held before.

    ``wheels`` are as :func:`fingerprint` takes them.

    Raises:
        OSError: it cannot be written.
    """
    document = {
        "format": FORMAT,
        "sequence": sequence,
        "when": time.time(),
        "by": SWITCH,
        "revision": head_of(os.path.dirname(root)),
        "like": fingerprint(wheels),
    }
    append_line(f"{root}/{FOLDER}/{STATES}", json.dumps(document, separators=(",", ":")))


def fingerprint(wheels: Iterable[tuple[str, str]]) -> str:
    """By what a state is known again: 32 hex digits for names with the sha256 of their wheels.

    Less those that an environment has or has not, whatever its locks say (DESIGN 4.2).
    """
    # hashlib, its public face, takes longer to import than all that is digested here.
    from _blake2 import blake2b

    rows = sorted(f"{name} {wheel}" for name, wheel in wheels if name not in TOOLS)
    return blake2b("\n".join(rows).encode(), digest_size=16).hexdigest()


def append_line(path: str, line: str) -> None:
    """In one write, on a line of its own whatever a crash has left before it.

    Raises:
        OSError: it cannot be written.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
        torn = False
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            torn = os.read(descriptor, 1) != b"\n"
        os.write(descriptor, ("\n" if torn else "").encode() + line.encode() + b"\n")
    finally:
        os.close(descriptor)
