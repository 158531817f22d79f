"""Verdicts: what is remembered of locks found fresh, in one small file outside them.

The file lives in the environment's state; it may vanish at any time, which costs one judgement.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from venvman.files import make_private_folder, write_atomically
from venvman.lock.freshness import Record
from venvman.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["read_records", "write_records"]

_SCHEMA = 1


def read_records(path: Path) -> dict[str, Record]:
    """The records by group name; empty where the file is missing, damaged or of another schema."""
    try:
        document = json.loads(read_regular(path))
        if document["schema"] != _SCHEMA:
            return {}
        return {
            name: Record(
                digest=row["digest"],
                extras={key: tuple(values) for key, values in row["extras"].items()},
                folders=dict(row["folders"]),
            )
            for name, row in document["groups"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_records(path: Path, records: Mapping[str, Record]) -> None:
    """Replaces the file; its folder is made if needed.

    Raises:
        OSError: as writing raises.
    """
    make_private_folder(path.parent)
    groups = {
        name: {
            "digest": record.digest,
            "extras": {key: list(values) for key, values in record.extras.items()},
            "folders": dict(record.folders),
        }
        for name, record in sorted(records.items())
    }
    write_atomically(path, json.dumps({"schema": _SCHEMA, "groups": groups}).encode())
