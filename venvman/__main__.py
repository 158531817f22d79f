"""The entry point: ``venvman`` and ``python -m venvman``.

A command that finds everything as it was the last time is answered before anything heavy is
imported.
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn


def program() -> NoReturn:
    """What the shell starts: :func:`main`, and out without taking the interpreter apart.

    Nobody needs it whole any more, and taking it apart takes longer than many an answer.
    """
    _fill_descriptors()
    try:
        code = main()
    except KeyboardInterrupt:
        code = 130  # told to end once more while it said so
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # main has told of what cannot be written
    os._exit(code)


def _fill_descriptors() -> None:
    """Puts something in the place of standard streams that this process was started without.

    Their descriptors would be those of the next files that are opened, and whoever writes to stderr
    would write into these. Nothing can be read from what stands in, nor written to it.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDONLY)
            if opened == number:
                os.set_inheritable(opened, True)
            setattr(sys, name, open(opened, mode, closefd=False))  # noqa: SIM115 - for good


def main() -> int:
    """Runs the command line of this process and returns its exit code."""
    try:
        import gc

        # What imports and parsing leave behind is used to the end: looking for garbage among it is
        # a tenth of a short command's time.
        gc.set_threshold(100_000)
        told = _told_at_once()
        if told is not None:
            return told
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
    from _thread import get_ident, start_new_thread
    from time import monotonic, sleep

    last = -_TOGETHER
    numbers: list[int] = []

    def interrupted(_number: int, frame: FrameType | None) -> None:
        nonlocal last
        if _is_at_lock(frame):
            return  # it is told again
        before, last = last, monotonic()
        # `timeout` tells the process and its group, a terminal that is closed the shell, too:
        # the second must not cut short how the first is dealt with.
        if last - before >= _TOGETHER:
            raise KeyboardInterrupt

    def tell_again() -> None:
        # A signal that comes just before the main thread begins to wait for a lock wakes nobody.
        while told := os.read(arrived, 1):
            sleep(_AGAIN)
            if told[0] in numbers and monotonic() - last >= _TOGETHER:
                signal.pthread_kill(main, told[0])

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name)
        # A program that was told to ignore it, as by nohup, goes on doing so.
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, interrupted)
            numbers.append(number)
    main = get_ident()
    arrived, written = os.pipe()
    os.set_blocking(written, False)
    signal.set_wakeup_fd(written, warn_on_full_buffer=False)
    start_new_thread(tell_again, ())


_TOGETHER, _AGAIN = 0.5, 0.05


def _is_at_lock(frame: FrameType | None) -> bool:
    """Whether a lock is being taken or given back by ``with``, in Python: by a queue, by a pool.

    An exception that is raised there leaves it taken by nobody, and who cleans up waits for ever.
    """
    return (
        frame is not None
        and frame.f_globals.get("__name__") == "threading"
        and frame.f_code.co_name in ("__enter__", "__exit__")
    )


def _told_at_once() -> int | None:
    """The exit code where the answer is known; None where there is more to do than to print it.

    What cannot be read or written is left to the command line, which says why.
    """
    try:
        from venvman.cli.streams import tell_version

        words = sys.argv[1:]
        if tell_version(words):
            return 0
        from venvman.cli import help as asked
        from venvman.cli import remembered

        told = asked.tell(words, os.environ)
        return remembered.tell(words, os.environ) if told is None else told
    except Exception:  # noqa: BLE001 - the command line meets it again
        return None


if __name__ == "__main__":
    program()
