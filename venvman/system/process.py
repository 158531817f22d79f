"""The only door to other processes."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from contextvars import Context, ContextVar
from functools import partial
from typing import TYPE_CHECKING

from venvman.model.errors import VenvmanError
from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import NoReturn, TypeAlias

    Conversation: TypeAlias = "subprocess.Popen[bytes]"


class ProcessFault(VenvmanError):
    """A program could not be started, or did not end in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A finished process: its exit code (negative: the signal) and what it printed, decoded."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether it exited with 0."""
        return self.code == 0

    def check(self) -> None:
        """Raises ``subprocess.CalledProcessError`` where it did not exit with 0."""
        if self.code:
            raise subprocess.CalledProcessError(self.code, self.argv)


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    stdin: str = "",
    inherited: tuple[int, ...] = (),
) -> Completed:
    """Runs ``argv`` without a shell and waits; ``timeout`` is seconds, ``env`` replaces everything.

    The process gets the descriptors ``inherited``, too: locks that it shall hold while it lives.
    Output is read as UTF-8, undecodable bytes replaced. A non-zero exit code is not an error here.

    Raises:
        ProcessFault: the program is not there, may not be run, or took longer than ``timeout``.
    """
    words = tuple(os.fspath(word) for word in argv)
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=None if env is None else dict(env),
            input=stdin,
            pass_fds=inherited,
            capture_output=True,
            timeout=timeout,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise _not_started(words, error) from error
    except subprocess.TimeoutExpired as error:
        raise ProcessFault(
            f"{words[0]} did not end within {timeout:g} seconds.",
            code="process-timeout",
            text=" ".join(words),
        ) from error
    return Completed(argv=words, code=done.returncode, stdout=done.stdout, stderr=done.stderr)


_RUNNING: ContextVar[set[subprocess.Popen[str]] | None] = ContextVar("running", default=None)


@contextmanager
def ending_streams() -> Iterator[Callable[[Callable[[], None]], Callable[[], None]]]:
    """What makes tasks for threads: what they stream is killed where the block ends by an error.

    Ctrl-C reaches the main thread only, which waits for them.
    """
    running = _RUNNING.get()
    running = set() if running is None else running

    def task(do: Callable[[], None]) -> Callable[[], None]:
        def known() -> None:
            _RUNNING.set(running)
            do()

        return partial(Context().run, known)

    try:
        yield task
    except BaseException:
        for process in tuple(running):
            process.kill()
        raise


def stream(
    argv: Sequence[str | Path],
    *,
    on_line: Callable[[str], None],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Completed:
    """Like :func:`run`, but hands every line of stdout and stderr (merged) to ``on_line`` at once.

    The whole output is the result's ``stdout``. On any exception, Ctrl-C included, the process is
    killed before the exception goes on.
    """
    words = tuple(os.fspath(word) for word in argv)
    lines: list[str] = []
    try:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise _not_started(words, error) from error
    known = _RUNNING.get()
    known = set() if known is None else known
    known.add(process)
    with process:
        try:
            for line in process.stdout or ():
                lines.append(line)
                on_line(line.rstrip("\n"))
        except BaseException:
            process.kill()
            raise
        finally:
            known.discard(process)
    return Completed(argv=words, code=process.returncode, stdout="".join(lines), stderr="")


def converse(argv: Sequence[str]) -> Conversation:
    """Starts a process that is talked with over its stdin and stdout; its stderr goes nowhere.

    Raises:
        OSError: it could not be started.
    """
    return subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def replace_process(argv: Sequence[str], *, env: Mapping[str, str]) -> NoReturn:
    """Becomes ``argv``, so that signals and job control just work: it returns only by raising.

    Raises:
        ProcessFault: the program could not be started.
    """
    from venvman.system.launch import become

    try:
        become(argv, env)
    except OSError as error:
        raise _not_started(tuple(argv), error) from error


def run_in_foreground(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> int:
    """Runs ``argv`` in ``cwd`` with this process's terminal; its exit code, as shells give it.

    Raises:
        ProcessFault: the program could not be started.
    """
    try:
        code = subprocess.run(list(argv), env=dict(env), cwd=cwd, check=False).returncode
    except OSError as error:
        raise _not_started(tuple(argv), error) from error
    return code if code >= 0 else 128 - code


def without_python_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """``variables`` less those that would make a Python started with them another one.

    ``PYTHONHOME`` and ``PYTHONPATH`` replace its libraries; ``__PYVENV_LAUNCHER__`` is what macOS
    framework builds set for themselves, and makes children believe to be their parent.
    """
    return {
        name: value
        for name, value in variables.items()
        if not name.startswith("PYTHON") and name != "__PYVENV_LAUNCHER__"
    }


def _not_started(words: tuple[str, ...], error: OSError) -> ProcessFault:
    return ProcessFault(
        f"Could not start {words[0]}: {error.strerror or error}.",
        code="process-not-started",
        text=" ".join(words),
    )
