"""Why a result differs from the one it is compared with: a table beside the script.

``"name" = "one or two sentences"``. A difference without a reason is a failure.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path


def read_reasons(path: Path) -> dict[str, str]:
    """The reasons by name; raises ``ValueError`` where one is not a text."""
    found: dict[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
    if wrong := [name for name, reason in found.items() if not isinstance(reason, str)]:
        raise ValueError(f"{path.name}: {', '.join(wrong)}: a reason is a text")
    return {name: str(reason) for name, reason in found.items()}
