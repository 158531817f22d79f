"""The one way to write to stdout and stderr, and what becomes of what cannot be written."""

from __future__ import annotations

import sys

from venvman.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO


def tell_version(words: Sequence[str]) -> bool:
    """Prints the version if that is all that ``words`` ask for; whether it is."""
    if list(words) != ["--version"]:
        return False
    write(sys.stdout, f"venvman {__version__}\n")
    return True


def write(stream: TextIO, text: str) -> None:
    """Writes ``text`` and flushes. What stderr does not take is lost: it is talk, not the answer.

    Raises:
        BrokenPipeError: nobody reads any more.
        OutputFault: stdout does not take it.
    """
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        if stream is not sys.stderr:
            from venvman.model.errors import OutputFault

            reason = getattr(error, "strerror", None) or str(error)
            raise OutputFault(
                f"The output could not be written: {reason}.",
                code="output-unwritable",
                why="What was to be done is done all the same.",
            ) from error
