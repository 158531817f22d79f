"""Progress: bars on a terminal, a line per stage elsewhere, nothing with ``--quiet``."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator

import pytest

from venvman.cli.console import Display, Printer, display_of, make_console
from venvman.cli.progress import LineReporter, LiveReporter, SilentReporter, TerminalReporter
from venvman.model.errors import Problem, Severity
from venvman.model.events import Stage
from venvman.report.drawing import Text

STARTED: list[LiveReporter] = []
WARNING = Problem(code="cache", message="The cache is read-only.", severity=Severity.WARNING)


def lines(*, verbose: bool = False) -> tuple[LineReporter, io.StringIO]:
    stream = io.StringIO()
    printer = Printer(stream, Display(color=False, animation=False, width=80))
    return LineReporter(printer, verbose=verbose), stream


def live(*, verbose: bool = False, width: int = 80) -> tuple[LiveReporter, io.StringIO]:
    stream = io.StringIO()
    console = make_console(stream, Display(color=False, animation=True, width=width))
    reporter = LiveReporter(console, verbose=verbose)
    STARTED.append(reporter)
    return reporter, stream


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    """No bar outlives its test."""
    yield
    while STARTED:
        STARTED.pop().close()


def work(reporter: TerminalReporter) -> None:
    """A sync as the core tells of it."""
    with reporter.stage(Stage.PLAN):
        reporter.detail("34 distributions")
    with reporter.stage(Stage.FETCH, total=2):
        reporter.download_started("flask-3.0.3-py3-none-any.whl", size=101_000)
        reporter.download_advanced("flask-3.0.3-py3-none-any.whl", received=101_000)
        reporter.download_finished("flask-3.0.3-py3-none-any.whl")
        reporter.advanced(Stage.FETCH, item="flask")
        reporter.build_started("docopt-0.6.2.tar.gz")
        reporter.build_finished("docopt-0.6.2.tar.gz")
        reporter.advanced(Stage.FETCH, item="docopt")
    reporter.problem(WARNING)
    reporter.problem(WARNING)


class TestLines:
    def test_a_stage_that_takes_its_time_is_one_line(self) -> None:
        reporter, stream = lines()
        work(reporter)
        assert stream.getvalue() == "Fetching (2)\nwarning: The cache is read-only.\n"

    def test_verbose_tells_of_everything(self) -> None:
        reporter, stream = lines(verbose=True)
        work(reporter)
        assert stream.getvalue().splitlines() == [
            "Comparing",
            "  34 distributions",
            "Fetching (2)",
            "  flask-3.0.3-py3-none-any.whl (101.0 kB)",
            "  building docopt-0.6.2.tar.gz",
            "warning: The cache is read-only.",
        ]

    def test_there_are_no_control_codes(self) -> None:
        reporter, stream = lines(verbose=True)
        work(reporter)
        reporter.detail("\x1b[2Jgone")
        reporter.close()
        assert "\x1b" not in stream.getvalue()


class TestSilence:
    def test_nothing_is_written_but_problems_are_kept(self) -> None:
        reporter = SilentReporter()
        work(reporter)
        assert reporter.problems == [WARNING]


class TestLive:
    def test_downloads_show_their_name_amount_and_rate(self) -> None:
        reporter, _ = live()
        reporter.stage_started(Stage.FETCH, total=34)
        reporter.download_started(
            "numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.whl", size=16_300_000
        )
        reporter.download_advanced(
            "numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.whl", received=6_100_000
        )
        reporter.advanced(Stage.FETCH, item="flask")

        shown = drawn(reporter)

        assert "Fetching" in shown
        assert "1/34  6.1 MB  " in shown
        assert "MB/s" in shown
        assert "numpy-2.1.0 " in shown
        assert "6.1 MB of 16.3 MB" in shown

    def test_a_download_of_unknown_size_shows_what_arrived(self) -> None:
        reporter, _ = live()
        reporter.download_started("x.zip", size=None)
        reporter.download_advanced("x.zip", received=70_000)
        assert "70.0 kB" in drawn(reporter)

    def test_a_build_shows_what_is_built(self) -> None:
        reporter, _ = live()
        reporter.build_started("docopt-0.6.2.tar.gz")
        assert "building docopt-0.6.2.tar.gz" in drawn(reporter)

    def test_what_has_arrived_is_unpacked_under_its_own_name(self) -> None:
        reporter, _ = live()
        wheel = "numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
        reporter.stage_started(Stage.FETCH, total=2)
        reporter.download_started(wheel, size=10)
        reporter.unpack_started(wheel)
        while_it_arrives = drawn(reporter)
        reporter.download_finished(wheel)
        afterwards = drawn(reporter)
        reporter.download_started("other-1.0-py3-none-any.whl", size=10)
        again = drawn(reporter)
        reporter.download_finished("other-1.0-py3-none-any.whl")
        reporter.unpack_finished(wheel)

        assert "Fetching" in while_it_arrives
        assert "Unpacking" in afterwards
        assert "Fetching" not in afterwards
        assert "unpacking numpy-2.1.0 " in afterwards
        assert "Fetching" in again
        assert "unpacking numpy" not in drawn(reporter)

    def test_only_a_few_downloads_are_shown_and_others_follow(self) -> None:
        reporter, _ = live()
        for number in range(8):
            reporter.download_started(f"file-{number}", size=10)
        before = drawn(reporter)
        reporter.download_finished("file-0")
        after = drawn(reporter)
        assert "file-4" in before
        assert "file-5" not in before
        assert "file-0" not in after
        assert "file-5" in after

    def test_finished_stages_leave_nothing(self) -> None:
        reporter, _ = live()
        work(reporter)
        assert drawn(reporter).strip() == ""

    def test_closing_wipes_the_screen_and_may_be_done_twice(self) -> None:
        reporter, stream = live()
        reporter.stage_started(Stage.INSTALL, total=3)
        reporter.close()
        reporter.close()
        assert stream.getvalue().endswith(("\x1b[2K", "\x1b[?25h"))

    def test_what_comes_after_closing_is_harmless(self) -> None:
        reporter, _ = live()
        reporter.stage_started(Stage.FETCH, total=3)
        reporter.download_started("x", size=1)
        reporter.close()
        reporter.advanced(Stage.FETCH, item="x")
        reporter.download_advanced("x", received=1_000_000)
        reporter.download_finished("x")
        reporter.unpack_started("x")
        reporter.unpack_finished("x")
        reporter.stage_finished(Stage.FETCH)

    def test_a_warning_is_told_once_above_the_bars(self) -> None:
        reporter, stream = live()
        work(reporter)
        reporter.close()
        assert stream.getvalue().count("warning: The cache is read-only.") == 1

    def test_several_projects_are_a_row_each(self) -> None:
        reporter, _ = live()
        reporter.several(["api", "jobs", "web"])
        reporter.begin("api", lambda problem: problem)
        work(reporter)
        reporter.ended(Text("2 installed"))
        reporter.begin("jobs", lambda problem: problem)
        reporter.stage_started(Stage.FETCH, total=3)
        reporter.download_started("flask-3.0.3-py3-none-any.whl", size=101_000)
        reporter.download_advanced("flask-3.0.3-py3-none-any.whl", received=101_000)
        reporter.advanced(Stage.FETCH, item="flask")

        api, jobs, web = drawn(reporter).strip("\n").splitlines()

        assert api.split() == ["api", "2", "installed"]
        assert jobs.split()[1:5] == ["jobs", "Fetching", "1/3", "101.0"]
        assert web.split() == ["web"]

    def test_of_many_projects_those_around_the_one_at_work_are_shown(self) -> None:
        reporter, _ = live()
        reporter.several([f"p{number}" for number in range(200)])
        for number in range(100):
            reporter.begin(f"p{number}", lambda problem: problem)
            reporter.ended(Text("fine"))
        shown = drawn(reporter).split()
        assert {"p99", "p95", "p103"} <= {*shown}
        assert {"p0", "p199"}.isdisjoint(shown)

    def test_details_are_for_the_verbose(self) -> None:
        quiet, said_little = live()
        talkative, said_more = live(verbose=True)
        quiet.detail("chatter")
        talkative.detail("chatter")
        assert "chatter" not in said_little.getvalue()
        assert "chatter" in said_more.getvalue()

    def test_a_question_is_asked_on_a_still_screen(self) -> None:
        reporter, stream = live()
        reporter.stage_started(Stage.PLAN, total=None)
        with reporter.paused():
            before = len(stream.getvalue())
            threading.Event().wait(0.2)
            assert len(stream.getvalue()) == before
        reporter.close()

    def test_pausing_before_anything_moves_is_harmless(self) -> None:
        reporter, _ = live()
        with reporter.paused():
            pass

    @pytest.mark.parametrize("width", [40, 60])
    def test_bars_stay_on_their_lines_on_narrow_terminals(self, width: int) -> None:
        reporter, _ = live(width=width)
        reporter.stage_started(Stage.FETCH, total=340)
        name = "a_very_long_distribution_name-2024.12.31-cp311-cp311-manylinux_2_17_x86_64.whl"
        reporter.download_started(name, size=16_300_000)
        reporter.download_advanced(name, received=6_100_000)
        shown = drawn(reporter).splitlines()
        assert len(shown) == 2
        assert max(len(line) for line in shown) <= width
        assert "6.1 MB of 16.3 MB" in shown[1]

    def test_many_threads_may_report_at_once(self) -> None:
        reporter, _ = live()
        reporter.stage_started(Stage.FETCH, total=80)

        def fetch(number: int) -> None:
            for part in range(10):
                label = f"{number}-{part}"
                reporter.download_started(label, size=100_000)
                reporter.download_advanced(label, received=100_000)
                reporter.download_finished(label)
                reporter.advanced(Stage.FETCH, item=label)

        threads = [threading.Thread(target=fetch, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert "80/80  8.0 MB" in drawn(reporter)


def drawn(reporter: LiveReporter) -> str:
    """What the bars show now; the reporter goes on."""
    progress = reporter._progress
    assert progress is not None
    console = make_console(
        io.StringIO(), Display(color=False, animation=False, width=progress.console.width)
    )
    with console.capture() as capture:
        console.print(progress.get_renderable())
    return capture.get()


class Stream(io.StringIO):
    """A stream that is a terminal, or is not."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def display(
    variables: dict[str, str] | None = None, *, terminal: bool = True, color: str = "auto"
) -> Display:
    return display_of(
        Stream(terminal=terminal), color=color, variables={"TERM": "xterm", **(variables or {})}
    )


class TestColor:
    @pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"CLICOLOR": "0"}, {"TERM": "dumb"}])
    def test_a_terminal_without_colour(self, variables: dict[str, str]) -> None:
        assert not display(variables).color

    def test_an_empty_no_color_counts_as_absent(self) -> None:
        assert display({"NO_COLOR": ""}).color

    @pytest.mark.parametrize("name", ["FORCE_COLOR", "CLICOLOR_FORCE"])
    def test_colour_can_be_forced_into_a_pipe(self, name: str) -> None:
        assert display({name: "1"}, terminal=False).color
        assert not display({name: "0"}, terminal=True).color

    def test_no_color_beats_force_color(self) -> None:
        assert not display({"NO_COLOR": "1", "FORCE_COLOR": "1"}).color

    def test_a_console_without_colour_writes_no_escape_at_all(self) -> None:
        stream = Stream(terminal=True)
        make_console(stream, display({"NO_COLOR": "1"})).print("hello", style="bold red")
        assert stream.getvalue() == "hello\n"

    def test_a_console_with_colour_does(self) -> None:
        stream = Stream(terminal=False)
        make_console(stream, display({"FORCE_COLOR": "1"}, terminal=False)).print("x", style="red")
        assert stream.getvalue() == "\x1b[31mx\x1b[0m\n"


class TestAnimation:
    def test_forced_colour_moves_nothing(self) -> None:
        assert not display({"FORCE_COLOR": "1"}, terminal=False).animation

    def test_a_terminal_without_colour_still_moves(self) -> None:
        assert display({"NO_COLOR": "1"}).animation


class TestWidth:
    def test_columns_is_obeyed_everywhere(self) -> None:
        assert display({"COLUMNS": "60"}).width == 60
        assert display({"COLUMNS": "60"}, terminal=False).width == 60

    @pytest.mark.parametrize("nonsense", ["", "0", "wide", "-3"])
    def test_a_nonsensical_columns_is_not(self, nonsense: str) -> None:
        assert display({"COLUMNS": nonsense}).width is None

    def test_a_terminal_is_asked_and_a_pipe_is_wide(self) -> None:
        assert display().width is None
        assert display(terminal=False).width == 120


def test_markup_in_data_is_data() -> None:
    stream = Stream(terminal=False)
    Printer(stream, display(terminal=False)).print(Text("requests[security] :smile:"))
    assert stream.getvalue() == "requests[security] :smile:\n"
