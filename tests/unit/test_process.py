"""Processes: started without a shell, waited for, never left behind."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from venvman.system.process import (
    ProcessFault,
    ending_streams,
    replace_process,
    run,
    stream,
    without_python_variables,
)


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def test_output_that_is_not_utf_8_does_not_stop_anything() -> None:
    done = run(python("import sys; sys.stdout.buffer.write(bytes([97, 255]))"))
    assert done.stdout == "a\N{REPLACEMENT CHARACTER}"


def test_a_program_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    for start in (run, lambda argv: stream(argv, on_line=print)):
        with pytest.raises(ProcessFault, match=r"^Could not start .*nope: No such file") as caught:
            start([tmp_path / "nope"])
        assert caught.value.code == "process-not-started"


def test_a_program_that_takes_too_long_is_stopped() -> None:
    begin = time.monotonic()
    with pytest.raises(ProcessFault, match=r"did not end within 0\.2 seconds") as caught:
        run(python("import time; time.sleep(60)"), timeout=0.2)
    assert caught.value.code == "process-timeout"
    assert time.monotonic() - begin < 30


def test_a_listener_that_fails_takes_the_process_with_it(tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        (tmp_path / "pid").write_text(line)
        raise KeyboardInterrupt

    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        stream(python(code), on_line=interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_variables_that_bend_a_python_are_left_out() -> None:
    variables = {"PYTHONPATH": "x", "PYTHONHOME": "y", "__PYVENV_LAUNCHER__": "z", "PATH": "/bin"}
    assert without_python_variables(variables) == {"PATH": "/bin"}


def test_this_process_becomes_the_program(tmp_path: Path) -> None:
    code = (
        "from venvman.system.process import replace_process; import os\n"
        "print(os.getpid(), flush=True)\n"
        "replace_process(['/bin/sh', '-c', 'echo $$ $GIVEN; exit 7'], env={'GIVEN': 'x'})"
    )
    done = run([sys.executable, "-c", code], cwd=tmp_path)
    first, second = done.stdout.splitlines()
    assert second == f"{first} x"
    assert done.code == 7


def test_a_program_that_cannot_replace_this_one_is_a_sentence() -> None:
    with pytest.raises(ProcessFault, match="Could not start /nope"):
        replace_process(["/nope"], env={})


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_a_program_that_takes_over_is_ended_by_a_closed_pipe_as_anywhere() -> None:
    program = (
        "import os; from venvman.system.process import replace_process\n"
        "replace_process(['bash', '-c', 'yes | head -1; echo ${PIPESTATUS[*]}'], env=os.environ)"
    )
    done = run([sys.executable, "-c", program])
    assert (done.stdout, done.stderr) == ("y\n141 0\n", "")


def test_what_threads_stream_is_killed_where_the_block_ends_by_an_error() -> None:
    begun, ended = threading.Event(), threading.Event()

    def follow() -> None:
        done = stream(
            [sys.executable, "-c", "print(1, flush=True); import time; time.sleep(600)"],
            on_line=lambda _: begun.set(),
        )
        if done.code < 0:
            ended.set()

    def interrupted() -> None:
        with ending_streams() as task:
            threading.Thread(target=task(follow), daemon=True).start()
            assert begun.wait(60)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ended.wait(60)
