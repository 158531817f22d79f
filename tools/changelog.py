"""The changelog: a file of `changes/` for each change, joined into CHANGELOG.md at a release.

    python -m tools.changelog 1.2.0    write the section of 1.2.0 and remove what it is made of

Two people who note their changes write two files, so that no merge meets a conflict.
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADING = "## Unreleased\n"


def fragments(root: Path = ROOT) -> list[Path]:
    """The files of changes not yet released, by name."""
    return sorted(path for path in (root / "changes").glob("*.md") if path.name != "README.md")


def joined(changelog: str, changes: list[str], version: str, day: str) -> str:
    """``changelog`` with what was unreleased, and ``changes``, as a section of their own."""
    before, _, rest = changelog.partition(HEADING)
    if f"\n## {version} " in changelog:
        raise ValueError(f"{version} has a section already")
    unreleased, found, released = rest.partition("\n## ")
    lines = "".join(f"{change.strip()}\n" for change in changes)
    text = f"{unreleased.rstrip()}\n{lines}".strip("\n")
    return f"{before}{HEADING}\n## {version} ({day})\n\n{text}\n{found}{released}"


def main(version: str) -> int:
    """Writes the section of ``version``."""
    path = ROOT / "CHANGELOG.md"
    taken = fragments()
    day = datetime.now(timezone.utc).date().isoformat()
    changes = [each.read_text(encoding="utf-8") for each in taken]
    text = joined(path.read_text(encoding="utf-8"), changes, version, day)
    path.write_text(text, encoding="utf-8")
    for each in taken:
        each.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
