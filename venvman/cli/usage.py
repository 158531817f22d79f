"""A command line that contradicts itself, or that cannot be understood."""

from __future__ import annotations

from venvman.errors import Fix, VenvmanError

__all__ = ["NAME", "UsageFault"]

NAME = "venvman"
"""What people type."""


class UsageFault(VenvmanError):
    """``message`` says what is wrong with the line.

    ``misspelled`` where the command's help shows how it should be; ``fix`` is the line to ask for
    it, which only the one boundary knows (``app``).
    """

    def __init__(self, message: str, *, misspelled: bool = True, fix: Fix | None = None) -> None:
        super().__init__(message, code="usage", fix=fix)
        self.misspelled = misspelled
