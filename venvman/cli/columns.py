"""The columns of the live progress that rich does not have: titles that fit, amounts in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import ProgressColumn, SpinnerColumn, Task
from rich.table import Column
from rich.text import Text

from venvman.report.words import Style, duration, plain, size

if TYPE_CHECKING:
    from rich.console import RenderableType

    from venvman.report.drawing import Text as Words

# `123/178  114.8 MB  57.3 MB/s`, the spinner, and a blank between each two columns.
_TAKEN = 33


def widths(columns: int) -> tuple[int, int]:
    """How wide titles and bars may be on a terminal, so that amounts are not cut."""
    room = columns - _TAKEN
    bar = min(max(room // 4, 4), 24)
    return min(max(room - bar, 10), 40), bar


class StageSpinner(SpinnerColumn):
    """Turns before the stage, not before each of its files."""

    def __init__(self) -> None:
        super().__init__("line")

    def render(self, task: Task) -> RenderableType:
        """One task's spinner."""
        turns = task.fields["kind"] == "stage" or task.fields.get("is_active")
        return super().render(task) if turns else " "


class TitleColumn(ProgressColumn):
    """The stage in bold; a file or build below it, indented, without what its wheel runs on."""

    def __init__(self, width: int) -> None:
        super().__init__(Column(no_wrap=True, overflow="ellipsis", max_width=width))

    def render(self, task: Task) -> Text:
        """One task's title."""
        match task.fields["kind"]:
            case "download":
                return for_rich(plain(f"  {_without_tags(task.description)}"))
            case "unpack":
                return for_rich(plain(f"  unpacking {_without_tags(task.description)}"))
            case "build":
                return for_rich(plain(f"  building {task.description}"))
            case _:
                return for_rich(plain(task.description, Style.NAME))


def for_rich(text: Words) -> Text:
    """``text`` as rich has it."""
    return Text.assemble(
        *text.spans, style=text.style, overflow=text.overflow, no_wrap=text.no_wrap
    )


def _without_tags(filename: str) -> str:
    """``numpy-2.1.0`` for ``numpy-2.1.0-cp311-...-x86_64.whl``; other files as they are."""
    return "-".join(filename.split("-")[:2]) if filename.endswith(".whl") else filename


class AmountColumn(ProgressColumn):
    """``12/34  18.3 MB  4.2 MB/s``, ``12/34  0.3 s`` or ``1.2 MB of 16.3 MB``."""

    max_refresh = 0.1

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True, overflow="ellipsis"))

    def render(self, task: Task) -> Text:
        """One task's amounts."""
        if task.fields["kind"] == "download":
            return Text(_file_amount(task), style=Style.FAINT)
        return Text(_amounts(task))


class RowColumn(ProgressColumn):
    """Of one of several projects the stage with its amount, then what came out."""

    def render(self, task: Task) -> Text:
        """One project's."""
        if task.fields["outcome"] is not None:
            return for_rich(task.fields["outcome"])
        stage = task.fields["stage"]
        return Text(f"{stage}  {_amounts(task)}" if stage else "")


def _amounts(task: Task) -> str:
    steps = "" if task.total is None else f"{task.completed:.0f}/{task.total:.0f}"
    parts = [steps, *(_bytes(task) or [duration(task.elapsed or 0)])]
    return "  ".join(part for part in parts if part)


def _bytes(task: Task) -> list[str]:
    received = task.fields["bytes"]
    if not received:
        return []
    return [size(received), f"{size(received / max(task.elapsed or 0, 0.1))}/s"]


def _file_amount(task: Task) -> str:
    done = size(task.completed)
    return done if task.total is None else f"{done} of {size(task.total)}"
