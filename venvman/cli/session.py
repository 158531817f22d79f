"""One run of one command: its terminal, its progress, and the way from a result to an exit code."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeAlias

from venvman.cli.console import Printer, Transcript, display_of
from venvman.cli.faults import NAME, Interrupted, told_of
from venvman.cli.read import Line, choosing
from venvman.cli.remembered import inside, nothing_to_do, question_of
from venvman.cli.streams import write
from venvman.model.errors import Advice, ExitCode, OutputFault, ProjectNotFound, VenvmanError, at
from venvman.model.errors import Command as Fix
from venvman.report.drawing import Text
from venvman.report.fixes import Standing, nearest_project
from venvman.report.result import Result, Screen, Status
from venvman.system.memo import FILE, Memo, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from venvman.cli.progress import TerminalReporter
    from venvman.cli.table import Command, Common, Workspace
    from venvman.project.project import Project
    from venvman.report.several import Part
    from venvman.system.directories import Directories
    from venvman.workflow.context import Context
    from venvman.workflow.projects import Found
    from venvman.workflow.running import Launch
    from venvman.workflow.watching import Facts

    Said: TypeAlias = tuple[str, str, str]


class Session:
    """What a command's function works with: what is common to all of them.

    Reads the process's environment, working directory and streams: below ``cli`` nobody does.
    """

    def __init__(self, common: Common, words: Sequence[str] = (), line: Line | None = None) -> None:
        self.started_ns = time.time_ns()
        self.common = common
        self.named = None if common.project is None else Path(common.project)
        self._words = words
        self._line = line
        self._opened: list[Context] = []
        self._facts: list[Facts | None] = []
        self._said: Said | None = None
        self._worked = False
        self._cut_off = False
        self.transcript = Transcript()
        self.variables: Mapping[str, str] = dict(os.environ)
        self.reporter = self._make_reporter()

    def context(self, **flags: object) -> Context:
        """The project's :class:`~venvman.workflow.Context`; ``flags`` are settings given here."""
        from venvman.project.find import find_project
        from venvman.workflow.context import home_of

        home = home_of(self.variables)
        return self._open(find_project(self.cwd, home=home, explicit=self.named), flags)

    def context_or_new(self, **flags: object) -> Context:
        """The same; where there is no project yet, one in the folder that was named, or here.

        Nothing is written: its first requirements file makes it one.
        """
        try:
            return self.context(**flags)
        except ProjectNotFound as error:
            if error.code != "project-not-found":
                raise
        return self.context_here(**flags)

    def context_here(self, **flags: object) -> Context:
        """That of a project in the folder that was named, or here, whatever is in it yet."""
        from venvman.project.project import project_at

        folder = (self.cwd / (self.named or ".")).absolute()
        return self._open(project_at(folder), flags)

    def found(self, *, workspace: bool = False) -> Found:
        """The project here, or every one with ``workspace`` or where only folders below are some.

        Raises:
            ProjectNotFound: there is none.
        """
        from venvman.workflow.projects import find_projects

        return find_projects(
            top=self.named, variables=self.variables, cwd=self.cwd, workspace=workspace
        )

    def contexts(self, *, workspace: bool) -> tuple[Context, ...]:
        """Those of :meth:`found`."""
        found = self.found(workspace=workspace)
        return tuple(self._open(project, {}, walked=found.walked) for project in found.projects)

    def each(self, do: Callable[[Context], Result], given: Workspace, **flags: object) -> Result:
        """What ``do`` says of each project; one that fails, or is interrupted, hides no other.

        ``flags`` are settings given here. An error's commands are for the project that met it.

        Raises:
            VenvmanError: what ``do`` raises, where there is one project.
        """
        from venvman.report.several import several_result, shown_from

        found = self.found(workspace=given.all_projects or given.changed_since is not None)
        projects = found.projects
        if given.changed_since is not None:
            from venvman.workflow.projects import changed_since

            projects = changed_since(
                projects,
                given.changed_since,
                variables=self.variables,
                opens=partial(self._open, flags={}, walked=found.walked),
            )
        elif len(projects) == 1 and not found.instead:
            try:
                return do(self._open(projects[0], flags, walked=found.walked))
            except VenvmanError as error:
                raise error.at(projects[0].root)  # noqa: B904 - it is the same one
        parts: list[Part] = []
        opens = partial(self._open, flags=flags, walked=found.walked, several=True)
        self.reporter.several([shown_from(each.root, self.cwd) for each in projects])
        for project in projects:
            parts.append(self._part(project, lambda project: do(opens(project))))
            if parts[-1].result.exit_code is ExitCode.INTERRUPTED:
                break
        return several_result(parts, command=self._named)

    def _part(self, project: Project, do: Callable[[Project], Result]) -> Part:
        from venvman.report.several import Part, came_out, placed, shown_from

        root, name = project.root, shown_from(project.root, self.cwd)
        self.reporter.begin(name, lambda problem: placed(problem, root, self.cwd))
        try:
            result = do(project)
        except (BrokenPipeError, OutputFault):
            raise
        except KeyboardInterrupt:
            result = self._failed(Interrupted("Interrupted.", code="interrupted"))
        except VenvmanError as error:
            result = self._failed(error)
        except Exception as fault:  # noqa: BLE001 - the other projects have nothing to do with it
            result = self._failed(told_of(fault, verbose=self.common.verbose))
        told = tuple(placed(each, root, self.cwd) for each in result.problems)
        result = replace(result, problems=told, next=at(result.next, root))
        self.reporter.ended(came_out(result))
        return Part(root=root, name=name, result=result)

    def _failed(self, error: VenvmanError) -> Result:
        self._cut_off = True
        return Result.of_error(error, command=self._named)

    @property
    def _named(self) -> str:
        return "" if self._line is None else self._line.command.name

    def _open(
        self,
        project: Project,
        flags: Mapping[str, object],
        *,
        walked: tuple[Path, ...] = (),
        several: bool = False,
    ) -> Context:
        from venvman.workflow.context import context_of

        given = {} if self._line is None else self._line.values
        common = {
            "offline": self.common.offline or None,
            "exclude_newer": given.get("exclude_newer"),
        }
        opened = context_of(
            project,
            flags={**common, **flags},
            variables=self.variables,
            cwd=self.cwd,
            reporter=self.reporter,
            directories=self.directories,
            walked=walked,
            several=several,
        )
        self._opened.append(opened)
        return opened

    def say(self, given: Mapping[str, object]) -> None:
        """Sets the variables that something is ``given`` for, for this session."""
        said = {
            name: ",".join(value) if isinstance(value, tuple) else str(value)
            for name, value in given.items()
            if value
        }
        if said:
            self.variables = {**self.variables, **said}

    @property
    def chosen(self) -> str:
        """What the command line chooses."""
        return "" if self._line is None else choosing(self._line)

    @cached_property
    def question(self) -> str | None:
        """What is asked, for the answer to be remembered; None where it is not to be."""
        try:
            return None if self._line is None else question_of(self._line, self.variables)
        except FileNotFoundError:
            return None  # asked from a working directory that is gone

    def rest(
        self, on: Iterable[Facts | None], *, said: Said | None = None, worked: bool = False
    ) -> None:
        """What the answer rests on, for each project; None where it is not to be remembered.

        ``said`` is the sentence for there being nothing to do, also where something ``worked``: the
        next time there is not.
        """
        self._facts, self._said, self._worked = list(on), said, worked

    def remember(self, result: Result) -> None:
        """Keeps what was shown for the next time, where that would be the same."""
        if self.question is None or self._cut_off:
            return
        if result.exit_code not in (ExitCode.OK, ExitCode.DRIFT):
            return
        reach = self._line.command.remembered if self._line is not None else None
        if reach != "own":
            from venvman.workflow.watching import Reach, facts_of_look

            look = partial(facts_of_look, since_ns=self.started_ns, reach=Reach(reach))
            try:
                self.rest(map(look, self._opened))
            except (OSError, VenvmanError):
                return  # what cannot be looked at is told each time
        facts = [each for each in self._facts if each is not None]
        if not facts or len(facts) < len(self._facts):
            return
        known = Memo(int(result.exit_code), result.answers, self.transcript.shown)
        if self._worked or self.common.quiet:
            if self._said is None or result.problems or not self._is_short:
                return
            known = nothing_to_do(self._said)
        names = sorted({name for each in facts for name in each.names})
        since: dict[tuple[str, str], int] = {}
        # What several projects rest on, the folders that were walked say, is looked at once.
        for kind, path, since_ns in (fact for each in facts for fact in each.watched):
            since[kind, path] = min(since_ns, since.get((kind, path), since_ns))
        watched = [(kind, path, since_ns) for (kind, path), since_ns in since.items()]
        watched += [(FILE, str(self.cwd / word), self.started_ns) for word in self._arguments()]
        keep(self.question, known, self.variables, names=names, watched=watched)

    def remember_launch(self, context: Context, launch: Launch) -> None:
        """Keeps where programs are run, so that the next one is started at once."""
        if self.question is None:
            return
        from venvman.workflow.watching import facts_of_run

        facts = facts_of_run(context, launch.environment, since_ns=self.started_ns)
        if facts is not None and not self.reporter.problems:
            known = inside(str(launch.environment.root), str(launch.environment.paths.scripts))
            keep(self.question, known, self.variables, names=(), watched=facts.watched)

    @property
    def _is_short(self) -> bool:
        """Whether a sentence is all that there is to say."""
        talks = self.common.verbose or self.common.format == "json"
        return not (talks or self.reporter.problems)

    def _arguments(self) -> tuple[str, ...]:
        """The words that are no options: some commands take them for files."""
        argument = None if self._line is None else self._line.command.argument
        given = None if self._line is None or argument is None else self._line.values[argument.name]
        return given if isinstance(given, tuple) else ()

    @cached_property
    def cwd(self) -> Path:
        """The working directory.

        Raises:
            ProjectNotFound: it was deleted.
        """
        try:
            return Path.cwd()
        except OSError as error:
            raise ProjectNotFound(
                "The working directory is not there any more.",
                code="working-directory-gone",
                why=f"{error.strerror}.",
                fix=Advice("Change to a folder that exists."),
            ) from error

    @cached_property
    def here(self) -> Standing:
        """Where the user stands, for the commands that are printed."""
        # Git runs hooks at the top of the work tree, and says below which folder somebody stood.
        inside = self.variables.get("GIT_PREFIX", "") if self._words[:1] == ["hooks"] else ""
        home = Path(self.variables.get("HOME") or Path.home())
        try:
            cwd = self.cwd / inside
        except ProjectNotFound:
            cwd = home
        root: Path | None = None
        if self.named is not None:
            named = Path(os.path.abspath(cwd / self.named))  # noqa: PTH100 - keeps links
            root = nearest_project(named, home) or named
        cache = self._cache
        options = () if cache is None else ("--cache-dir", str(cache))
        return Standing(cwd=cwd, home=home, root=root, options=options)

    @property
    def directories(self) -> Directories:
        """The folders outside projects, for the commands that need no project."""
        from venvman.system.directories import Directories

        return Directories.of(self.variables, cache=self._cache)

    @property
    def _cache(self) -> Path | None:
        return None if self.common.cache_dir is None else Path(self.common.cache_dir)

    @property
    def confirm(self) -> Callable[[str], bool] | None:
        """Asks the person at the terminal; None where there is none, or JSON is wanted."""
        interactive = sys.stdin.isatty() and sys.stderr.isatty()
        return self._ask if interactive and self.common.format != "json" else None

    def show(self, result: Result) -> ExitCode:
        """Prints ``result`` in the wanted format and returns its exit code."""
        self.reporter.close()
        if self.common.format == "json":
            from venvman.report.as_json import render

            told = [each for each in self.reporter.problems if each not in result.problems]
            whole = replace(result, problems=(*result.problems, *told))
            self._write(render(whole, self.here))
        else:
            self._show_text(result)
        return result.exit_code

    def fail(self, error: VenvmanError, *, command: str) -> ExitCode:
        """Tells ``error`` as a panel on stderr, or as the JSON envelope on stdout."""
        result = Result.of_error(error, command=command)
        if self.common.format == "json" and not isinstance(error, OutputFault):
            return self.show(result)
        self.reporter.close()
        from venvman.report.as_text import error_panel

        printer = self._printer(sys.stderr)
        if result.exit_code is ExitCode.INTERRUPTED:
            printer.print(Text(error.message))
        else:
            drift = result.status is Status.DRIFT
            printer.print(error_panel(error, self.here, width=printer.width, drift=drift))
        return result.exit_code

    def _show_text(self, result: Result) -> None:
        from venvman.report.as_text import render

        if result.verbatim is not None:
            self._write(result.verbatim)
        elif not self.common.quiet or result.answers or result.exit_code is not ExitCode.OK:
            # Of several programs only what they say themselves is data.
            printer = self._printer(sys.stderr if result.command == "run" else sys.stdout)
            screen = Screen(
                verbose=self.common.verbose,
                quiet=self.common.quiet,
                height=printer.height,
                here=self.here,
            )
            printer.print(render(self._with_next(result), screen))
        self._show_problems(result)

    def _write(self, text: str) -> None:
        self.transcript.add(text, error=False)
        write(sys.stdout, text)

    def _with_next(self, result: Result) -> Result:
        """What a dry run or check would do is done by the same command line without that."""
        looks, silent = {"--check", "--dry-run"}, {"-q", "--quiet"}
        if result.status is not Status.DRIFT or looks.isdisjoint(self._words):
            return result
        own = [word for word in self._words if word not in looks | silent]
        return replace(result, next=Fix.of(NAME, *own))

    def _show_problems(self, result: Result) -> None:
        """Those of ``result`` that were not already told while it was made."""
        from venvman.report.as_text import problem_line, problems_panel

        printer = self._printer(sys.stderr)
        untold = [each for each in result.problems if each not in self.reporter.problems]
        if result.status is Status.ERROR:
            printer.print(problems_panel(result.problems, self.here, width=printer.width))
            return
        for problem in () if result.tells else untold:
            printer.print(problem_line(problem, self.here), wrap=not printer.off_terminal)

    def _make_reporter(self) -> TerminalReporter:
        from venvman.cli import progress

        display = display_of(sys.stderr, color=self.common.color, variables=self.variables)
        silent_json = self.common.format == "json" and not display.animation
        if self.common.quiet or silent_json:
            return progress.SilentReporter()
        printer = Printer(sys.stderr, display, self.transcript)
        if display.animation:
            return progress.LiveReporter(
                printer.console,
                verbose=self.common.verbose,
                here=lambda: self.here,
                transcript=self.transcript,
            )
        return progress.LineReporter(printer, verbose=self.common.verbose, here=lambda: self.here)

    def _printer(self, stream: TextIO) -> Printer:
        display = display_of(stream, color=self.common.color, variables=self.variables)
        return Printer(stream, display, self.transcript)

    def _ask(self, question: str) -> bool:
        import typer

        with self.reporter.paused():
            return typer.confirm(question, err=True)


def perform(line: Line, words: Sequence[str]) -> ExitCode:
    """Runs the command that ``words`` mean, shows its result, and returns its exit code.

    Errors pass through: ``app.main`` is the one boundary.
    """
    session = Session(line.given, words, line)
    try:
        result = call(line, session)
        code = session.show(result)
        session.remember(result)
        return code
    finally:
        session.reporter.close()


def call(line: Line, session: Session) -> Result:
    """What the function of the command answers that ``line`` means; nothing is shown."""
    session.say(
        {each.variable: line.values[each.name] for each in line.command.options if each.variable}
    )
    return function_of(line.command)(session, line.given)


def function_of(command: Command) -> Callable[..., Result]:
    """The function that does it."""
    module, _, name = command.function.partition(":")
    found: Callable[..., Result] = getattr(import_module(f"venvman.cli.commands.{module}"), name)
    return found
