"""The entry point: ``venvman`` and ``python -m venvman``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Runs the command line of this process and returns its exit code."""
    from venvman.cli.app import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
