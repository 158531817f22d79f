"""Progress on stderr: live bars on a terminal, one line per stage everywhere else.

Both are :class:`venvman.model.events.Reporter`; the core knows neither.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from venvman.model.events import Reporter, Stage
from venvman.report.fixes import AT_ROOT, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console
    from rich.progress import Progress, Task, TaskID

    from venvman.cli.console import Printer, Transcript
    from venvman.model.errors import Problem
    from venvman.report.drawing import Text

_TITLES = {
    Stage.SCAN: "Reading requirements",
    Stage.FREEZE: "Freezing",
    Stage.CREATE: "Creating the environment",
    Stage.PLAN: "Comparing",
    Stage.FETCH: "Fetching",
    Stage.BUILD: "Building",
    Stage.INSTALL: "Installing",
    Stage.VERIFY: "Verifying",
}

# These end before anybody has read that they began.
_BRIEF = frozenset({Stage.SCAN, Stage.PLAN, Stage.VERIFY})

# More rows than these would push the stage itself off a small terminal.
_MOST_DOWNLOADS = 5

# What stays free below a table: the cursor, and a blank line.
_BELOW_ROWS = 2
_ROW: dict[str, Any] = {
    "kind": "project",
    "bytes": 0,
    "item": "",
    "stage": "",
    "outcome": None,
    "is_active": False,
    "visible": False,
}

_UNPACKING = "unpacking "

# Bars redraw ten times a second anyway; telling rich of every chunk only takes its lock.
_CHUNK = 64 * 1024


class TerminalReporter(Reporter):
    """What both kinds share: problems are remembered, for the result, and details may be shown."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.project = ""
        self._placed: Callable[[Problem], Problem] = lambda problem: problem

    def several(self, projects: Sequence[str]) -> None:
        """All of these will be worked on: to be overridden by those who show them together."""

    def begin(self, project: str, placed: Callable[[Problem], Problem]) -> None:
        """What follows is about one of several projects; ``placed`` says so of its problems."""
        self.project, self._placed = project, placed

    def ended(self, outcome: Text) -> None:
        """That project is done with: what came out."""

    def problem(self, problem: Problem) -> None:
        """Remembers ``problem`` once, however many threads meet it."""
        problem = self._placed(problem)
        if problem not in self.problems:
            self.problems.append(problem)
            self.told(problem)

    def told(self, problem: Problem) -> None:
        """``problem`` was met for the first time: to be overridden by those who speak."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leaves the terminal alone inside, so that a question can be asked."""
        yield

    def close(self) -> None:
        """Leaves nothing moving on the terminal."""


class SilentReporter(TerminalReporter):
    """For ``--quiet`` and for JSON off a terminal: problems are still remembered."""


class LineReporter(TerminalReporter):
    """For pipes, logs and CI: a line when a stage that takes its time begins; no control codes."""

    def __init__(
        self,
        printer: Printer,
        *,
        verbose: bool = False,
        here: Callable[[], Standing] = lambda: AT_ROOT,
    ) -> None:
        super().__init__()
        self._printer = printer
        self._here = here
        self._verbose = verbose

    def stage_started(self, stage: Stage, *, total: int | None) -> None:
        """``Fetching 34 files``."""
        if stage not in _BRIEF or self._verbose:
            self._print(_TITLES[stage] if total is None else f"{_TITLES[stage]} ({total})")

    def download_started(self, label: str, *, size: int | None) -> None:
        """With ``--verbose``: which file, and how large."""
        if self._verbose:
            from venvman.report.words import size as sized

            self._print(f"  {label}" + (f" ({sized(size)})" if size else ""))

    def build_started(self, label: str) -> None:
        """With ``--verbose``: what is built."""
        if self._verbose:
            self._print(f"  building {label}")

    def detail(self, text: str) -> None:
        """With ``--verbose``."""
        if self._verbose:
            self._print(f"  {text}")

    def told(self, problem: Problem) -> None:
        """One line, at once."""
        from venvman.report.as_text import problem_line

        self._printer.print(
            problem_line(problem, self._here()), wrap=not self._printer.off_terminal
        )

    def _print(self, text: str) -> None:
        from venvman.report.words import plain

        project = f"{self.project}: " if self.project else ""
        self._printer.print(plain(f"{project}{text}"), wrap=False)


class LiveReporter(TerminalReporter):
    """For a terminal: a bar for each stage under way, below it downloads and builds.

    Of several projects a table instead: a row for each, with its stage, then what came out.

    Everything vanishes when :meth:`close` is called: the summary says what is worth keeping.
    """

    def __init__(
        self,
        console: Console,
        *,
        verbose: bool = False,
        here: Callable[[], Standing] = lambda: AT_ROOT,
        transcript: Transcript | None = None,
    ) -> None:
        super().__init__()
        self._transcript = transcript
        self._console = console
        self._here = here
        self._verbose = verbose
        self._lock = threading.RLock()
        self._progress: Progress | None = None
        self._stages: dict[Stage, TaskID] = {}
        self._rows: dict[str, TaskID] = {}
        self._items: dict[str, TaskID] = {}
        self._waiting: dict[str, int] = {}

    def several(self, projects: Sequence[str]) -> None:
        """A row for each."""
        with self._lock:
            table = self._progress = _make_table(self._console)
            self._rows = {each: table.add_task(each, total=None, **_ROW) for each in projects}
            table.start()

    def begin(self, project: str, placed: Callable[[Problem], Problem]) -> None:
        """Its row has its turn; those around it are shown, as many as there is room for."""
        super().begin(project, placed)
        with self._lock:
            if self._progress is None or project not in self._rows:
                return
            rows, room = [*self._rows], max(self._console.height - _BELOW_ROWS, 1)
            first = max(0, min(rows.index(project) - room // 2, len(rows) - room))
            for place, row in enumerate(self._rows.values()):
                self._progress.update(row, visible=first <= place < first + room)
            self._progress.update(self._rows[project], is_active=True)

    def ended(self, outcome: Text) -> None:
        """What came out stands in its row."""
        with self._lock:
            if self._progress is not None and self.project in self._rows:
                row = self._rows[self.project]
                self._progress.update(row, is_active=False, stage="", outcome=outcome)

    def stage_started(self, stage: Stage, *, total: int | None) -> None:
        """A bar with ``total`` steps, or a pulse where nobody knows how many there will be."""
        with self._lock:
            progress = self._started()
            row = self._rows.get(self.project)
            if row is not None:
                progress.reset(row, total=total)
                progress.update(row, bytes=0, stage=_TITLES[stage])
                self._stages[stage] = row
                return
            self._stages[stage] = progress.add_task(
                _TITLES[stage], total=total, kind="stage", bytes=0, item=""
            )

    def stage_finished(self, stage: Stage) -> None:
        """The bar goes; a row stays."""
        with self._lock:
            task = self._stages.pop(stage, None)
            if not self._rows:
                self._drop(task)

    def advanced(self, stage: Stage, *, item: str) -> None:
        """The bar grows; ``item`` stands behind it."""
        with self._lock:
            if self._progress is not None and stage in self._stages:
                self._progress.update(self._stages[stage], advance=1, item=item)

    def download_started(self, label: str, *, size: int | None) -> None:
        """A bar of its own, shown while there is room."""
        with self._lock:
            self._item_started(label, kind="download", total=size)
            self._name_stage()

    def download_advanced(self, label: str, *, received: int) -> None:
        """The file's bar grows, and the bytes of the stage."""
        with self._lock:
            waiting = self._waiting.get(label, 0) + received
            self._waiting[label] = 0 if waiting >= _CHUNK else waiting
            if waiting >= _CHUNK:
                self._received(label, waiting)

    def download_finished(self, label: str) -> None:
        """The file's bar goes."""
        with self._lock:
            self._received(label, self._waiting.pop(label, 0))
            self._item_finished(label)
            self._name_stage()

    def unpack_started(self, label: str) -> None:
        """A pulse; the stage is called by it while nothing is being downloaded."""
        with self._lock:
            if self._progress is not None:
                self._item_started(_unpacking(label), kind="unpack", total=None)
                self._name_stage()

    def unpack_finished(self, label: str) -> None:
        """The pulse goes."""
        with self._lock:
            self._item_finished(_unpacking(label))

    def build_started(self, label: str) -> None:
        """A pulse, for nobody knows how long a build takes."""
        self._item_started(label, kind="build", total=None)

    def build_finished(self, label: str) -> None:
        """The pulse goes."""
        with self._lock:
            self._item_finished(label)

    def detail(self, text: str) -> None:
        """With ``--verbose``, above the bars."""
        if self._verbose:
            from venvman.report.words import Style, plain

            self._print(plain(text, Style.FAINT), wrap=False)

    def told(self, problem: Problem) -> None:
        """One line above the bars, at once."""
        from venvman.report.as_text import problem_line

        self._print(problem_line(problem, self._here()), wrap=True)

    def _print(self, line: Text, *, wrap: bool) -> None:
        from venvman.cli.columns import for_rich

        if self._transcript is not None:
            self._transcript.add(line, error=True, wrap=wrap)
        self._console.print(for_rich(line), soft_wrap=not wrap)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stops drawing inside."""
        if self._progress is not None:
            self._progress.stop()
        try:
            yield
        finally:
            if self._progress is not None:
                self._progress.start()

    def close(self) -> None:
        """Wipes the bars."""
        with self._lock:
            if self._progress is not None:
                self._progress.stop()
                self._progress, self._rows = None, {}

    def _started(self) -> Progress:
        if self._progress is None:
            self._progress = _make_progress(self._console)
            self._progress.start()
        return self._progress

    def _item_started(self, label: str, *, kind: str, total: int | None) -> None:
        with self._lock:
            self._items[label] = self._started().add_task(
                label.removeprefix(_UNPACKING),
                total=total,
                kind=kind,
                bytes=0,
                item="",
                visible=self._has_room(),
            )

    def _item_finished(self, label: str) -> None:
        self._drop(self._items.pop(label, None))
        hidden = self._first_hidden()
        if hidden is not None and self._progress is not None:
            self._progress.update(hidden, visible=True)

    def _name_stage(self) -> None:
        """Fetching ends in unpacking: whoever waits for that is not to look for a slow network."""
        if self._progress is None or Stage.FETCH not in self._stages:
            return
        kinds = {self._task(each).fields["kind"] for each in self._items.values()}
        if "download" in kinds:
            title = _TITLES[Stage.FETCH]
        elif "unpack" in kinds:
            title = "Unpacking"
        else:
            return
        task = self._stages[Stage.FETCH]
        if self._rows:
            self._progress.update(task, stage=title)
        else:
            self._progress.update(task, description=title)

    def _received(self, label: str, received: int) -> None:
        if self._progress is None or label not in self._items:
            return
        self._progress.update(self._items[label], advance=received)
        if Stage.FETCH in self._stages:
            fetching = self._task(self._stages[Stage.FETCH])
            self._progress.update(fetching.id, bytes=fetching.fields["bytes"] + received)

    def _drop(self, task: TaskID | None) -> None:
        if self._progress is not None and task is not None:
            self._progress.remove_task(task)

    def _has_room(self) -> bool:
        return (
            not self._rows
            and sum(self._task(each).visible for each in self._items.values()) < _MOST_DOWNLOADS
        )

    def _first_hidden(self) -> TaskID | None:
        if self._rows:
            return None
        return next((each for each in self._items.values() if not self._task(each).visible), None)

    def _task(self, identity: TaskID) -> Task:
        tasks = () if self._progress is None else self._progress.tasks
        return next(task for task in tasks if task.id == identity)


def _unpacking(label: str) -> str:
    """The key of an unpacking: its download has the same label, and may not have ended."""
    return f"{_UNPACKING}{label}"


def _make_progress(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress

    from venvman.cli.columns import AmountColumn, StageSpinner, TitleColumn, widths

    title, bar = widths(console.width)
    columns = [StageSpinner(), TitleColumn(title), BarColumn(bar_width=bar), AmountColumn()]
    return Progress(*columns, console=console, transient=True, expand=False)


def _make_table(console: Console) -> Progress:
    from rich.progress import Progress

    from venvman.cli.columns import RowColumn, StageSpinner, TitleColumn, widths

    title, _ = widths(console.width)
    columns = [StageSpinner(), TitleColumn(title), RowColumn()]
    return Progress(*columns, console=console, transient=True, expand=False)
