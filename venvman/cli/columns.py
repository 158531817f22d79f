"""The columns of the live progress that rich does not have: titles that fit, amounts in words."""

from __future__ import annotations

from rich.progress import ProgressColumn, Task
from rich.table import Column
from rich.text import Text

from venvman.report.as_text.words import Style, duration, plain, size

__all__ = ["AmountColumn", "TitleColumn"]


class TitleColumn(ProgressColumn):
    """The stage in bold; a file or build below it indented, cut in the middle of nowhere else."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True, overflow="ellipsis", ratio=1))

    def render(self, task: Task) -> Text:
        """One task's title."""
        match task.fields["kind"]:
            case "download":
                return plain(f"  {task.description}")
            case "build":
                return plain(f"  building {task.description}")
            case _:
                return plain(task.description, Style.NAME)


class AmountColumn(ProgressColumn):
    """``12/34  18.3 MB  4.2 MB/s  0.3 s`` for a stage, ``1.2/16.3 MB`` for a file."""

    max_refresh = 0.1

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True, overflow="ellipsis"))

    def render(self, task: Task) -> Text:
        """One task's amounts."""
        if task.fields["kind"] == "download":
            return Text(_file_amount(task), style=Style.FAINT)
        parts = [_steps(task), *_bytes(task), duration(task.elapsed or 0)]
        return Text("  ".join(part for part in parts if part))


def _steps(task: Task) -> str:
    return "" if task.total is None else f"{task.completed:.0f}/{task.total:.0f}"


def _bytes(task: Task) -> list[str]:
    received = task.fields["bytes"]
    if not received:
        return []
    return [size(received), f"{size(received / max(task.elapsed or 0, 0.1))}/s"]


def _file_amount(task: Task) -> str:
    done = size(task.completed)
    return done if task.total is None else f"{done} of {size(task.total)}"
