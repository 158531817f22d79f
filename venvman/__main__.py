"""The entry point: ``venvman`` and ``python -m venvman``.

A ``sync`` or ``freeze`` that finds everything as the last one left it is answered before anything
is imported.
"""

from __future__ import annotations

import os
import sys


def _leave_out_work_folder() -> None:
    """`python -m` looks for modules in the working directory first, where anybody's may lie."""
    try:
        first = sys.path[0] or os.getcwd()
        is_work_folder = first == os.getcwd()
    except (OSError, IndexError):
        return
    if is_work_folder and not os.path.isfile(f"{first}/venvman/__main__.py"):
        del sys.path[0]


if __name__ == "__main__":
    _leave_out_work_folder()

from venvman import stamp  # noqa: E402 - what is imported from here on is not theirs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["main", "program"]


def program() -> NoReturn:
    """What the shell starts: :func:`main`, and out without taking the interpreter apart.

    Nobody needs it whole any more, and taking it apart takes longer than many an answer.
    """
    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = 128 + 13  # nobody reads any more, as for the command line itself
    except AttributeError:
        pass  # Python was started without one of them
    os._exit(code)


def main() -> int:
    """Runs the command line of this process and returns its exit code."""
    try:
        said = _said_at_once()
        if said is not None:
            sys.stdout.write(said)
            return 0
        from venvman.cli.help import tell

        told = tell(sys.argv[1:], os.environ)
        if told is not None:
            return told
        import gc

        # What imports and parsing leave behind is used to the end: looking for garbage among it is
        # a tenth of a short command's time.
        gc.set_threshold(100_000)
        from venvman.cli.app import main as run

        _end_in_order()
        return run()
    except KeyboardInterrupt:
        # While the modules above were imported; later ones are told by the command line itself.
        sys.stderr.write("Interrupted.\n")
        return 130


def _end_in_order() -> None:
    """Makes being told to end, or a closed terminal, the same as Ctrl-C: nothing is left behind."""
    import signal

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # A program that was told to ignore it, as by nohup, goes on doing so.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupted)


def _interrupted(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _said_at_once() -> str | None:
    try:
        arguments, cwd = sys.argv[1:], os.getcwd()
        said = stamp.answer(arguments, os.environ, cwd)
        if said is None and stamp.is_answerable(arguments):
            from venvman.install.switch import switch

            said = switch(arguments, os.environ, cwd)
        if said is None and arguments[:1] in (["freeze"], ["lock"]):
            from venvman import freshstamp

            said = freshstamp.answer(arguments, os.environ, cwd)
        return said
    except (OSError, ValueError):
        # A folder that is gone, a stamp that is damaged: the thorough way says what is wrong.
        return None


if __name__ == "__main__":
    program()
