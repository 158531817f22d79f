"""Running the command line: in this process, as a real process, and on a real terminal."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema.protocols import Validator

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"
PATIENCE = 120
"""Seconds after which a process is believed to hang: far more than a machine under load needs."""
PROGRAM = "import sys; from venvman.cli.app import main; sys.exit(main())"


@dataclass(frozen=True)
class Ran:
    """What a command line came to."""

    code: int
    stdout: str
    stderr: str = ""

    @property
    def json(self) -> Any:
        """The envelope on stdout, which fits its published schema."""
        envelope = json.loads(self.stdout)
        check_schema(envelope)
        return envelope


def run(*arguments: str | Path, cwd: Path | None = None) -> Ran:
    """One command line in this process; neither stream is a terminal."""
    from venvman.cli.app import main

    out, err = _stream(), _stream()
    with inside(cwd), redirect_stdout(out), redirect_stderr(err):
        code = main([str(each) for each in arguments])
    return Ran(code, _text(out), _text(err))


def run_process(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Ran:
    """One command line as a process of its own, its streams pipes."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def ended(words: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """A process that has ended, with what it said; ``options`` as of ``subprocess.run``."""
    check = options.pop("check", False)
    done: subprocess.CompletedProcess[str] = subprocess.run(
        words, capture_output=True, text=True, check=check, **options
    )
    return done


@contextmanager
def started(
    *words: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Python with ``words``, output in pipes; in the end killed and closed, even if it hangs."""
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run_on_terminal(
    *arguments: str | Path,
    program: str = PROGRAM,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    columns: int = 80,
    typed: str = "",
) -> Ran:
    """One command line on a terminal of ``columns`` by 24: stdout is everything it was sent.

    ``typed`` is what somebody types, before anybody asks.
    """
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = {**os.environ, "TERM": "xterm-256color", **(env or {})}
    variables.pop("COLUMNS", None)
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=cwd,
        env=variables,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    with os.fdopen(ours, "rb", buffering=0) as screen:
        shown = b"".join(_until_hung_up(screen))
    return Ran(process.wait(), shown.decode())


def check_schema(envelope: Mapping[str, Any]) -> None:
    """Raises unless ``envelope`` fits the schema that is published for its command."""
    _validator(_schema_name(envelope["command"])).validate(envelope)


def _schema_name(command: str) -> str:
    shared = {"cache clean": "cache-prune", "venvman": "envelope", "hooks": "envelope"}
    hooks = command.startswith("hooks ") and command != "hooks run"
    group = "hooks" if hooks else command.replace(" ", "-")
    name = shared.get(command, group)
    return name if (SCHEMAS / f"{name}.json").exists() else "envelope"


@cache
def _validator(name: str) -> Validator:
    import jsonschema
    from referencing import Registry, Resource

    documents = [json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")]
    registry: Any = Registry().with_resources(
        (document["$id"], Resource.from_contents(document)) for document in documents
    )
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    return jsonschema.Draft202012Validator(schema, registry=registry)


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


def _until_hung_up(screen: io.RawIOBase | io.FileIO) -> Iterator[bytes]:
    while True:
        try:
            chunk = screen.read(65536)
        except OSError as error:  # what Linux says when the other side is closed
            if error.errno == errno.EIO:
                return
            raise
        if not chunk:
            return
        yield chunk


@contextmanager
def inside(folder: Path | None) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder or before)
    try:
        yield
    finally:
        os.chdir(before)
