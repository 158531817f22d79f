"""The results that are told in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from venvman.report.as_text.facts import fact_grid
from venvman.report.as_text.words import Style, count, plain, size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from venvman.report.result import Result

__all__ = ["render_short"]


def render_short(result: Result) -> RenderableType:
    """``clean`` and the ``cache`` family."""
    data = result.data
    match result.command:
        case "clean":
            return _clean(data)
        case "cache dir":
            return plain(data["folder"])
        case "cache size":
            return _sizes(data)
        case "cache prune" | "cache clean":
            return _removed(data)
        case _:
            raise AssertionError(result.command)


def _clean(data: Mapping[str, Any]) -> Text:
    path = plain(data["environment"], Style.NAME)
    if data["removed"]:
        return Text.assemble(("- ", Style.REMOVED), path, " removed")
    return Text.assemble(("Nothing to do: ", Style.GOOD), "there is no ", path, ".")


def _sizes(data: Mapping[str, Any]) -> RenderableType:
    rows = [
        (part["name"], plain(f"{size(part['bytes'])} in {count(part['files'], 'file')}"))
        for part in data["parts"]
    ]
    return fact_grid([*rows, ("total", plain(size(data["bytes"]), Style.NAME))])


def _removed(data: Mapping[str, Any]) -> Text:
    if not data["files"]:
        return Text.assemble(("Nothing to do: ", Style.GOOD), plain(data["folder"]), " stays.")
    freed = f"{size(data['bytes'])} in {count(data['files'], 'file')}"
    return Text.assemble(("- ", Style.REMOVED), f"{freed} removed from ", plain(data["folder"]))
