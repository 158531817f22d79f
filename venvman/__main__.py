"""The entry point: ``venvman`` and ``python -m venvman``.

A ``sync`` that finds everything as the last one left it is answered before anything is imported.
"""

from __future__ import annotations

import os
import sys

from venvman import stamp

__all__ = ["main"]


def main() -> int:
    """Runs the command line of this process and returns its exit code."""
    said = _said_at_once()
    if said is not None:
        sys.stdout.write(said)
        return 0
    from venvman.cli.app import main as run

    return run()


def _said_at_once() -> str | None:
    try:
        return stamp.answer(sys.argv[1:], os.environ, os.getcwd())
    except (OSError, ValueError):
        # A folder that is gone, a stamp that is damaged: the thorough way says what is wrong.
        return None


if __name__ == "__main__":
    sys.exit(main())
