"""What is made from a template is what the ``venv`` module makes, byte for byte."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.pythons import EVERY_PYTHON, kept_in
from venvman.environment.lifecycle import create
from venvman.python.probe import Interpreter, probe
from venvman.system import process
from venvman.system.directories import Directories


class Place:
    """A place to make environments at, and how often a process did."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.runs = 0
        plain = process.run

        def counted(*words: object, **rest: object) -> process.Completed:
            self.runs += 1
            return plain(*words, **rest)  # type: ignore[arg-type]

        monkeypatch.setattr("venvman.environment.creating.run", counted)

    def made(self, interpreter: Interpreter, directories: Directories) -> dict[str, object]:
        """All that an environment made there consists of: links, modes and bytes."""
        shutil.rmtree(self.path, ignore_errors=True)
        create(self.path, interpreter, directories=directories)
        return {
            name: os.readlink(path) if path.is_symlink() else _facts(path)  # noqa: PTH115
            for path in sorted(self.path.rglob("*"))
            if not (name := path.relative_to(self.path).as_posix()).startswith(".venvman")
        }


def _facts(path: Path) -> object:
    mode = path.stat().st_mode
    return (mode, "folder") if path.is_dir() else (mode, path.read_bytes())


@pytest.mark.parametrize("python", EVERY_PYTHON)
def test_the_third_environment_is_the_first_one_again_and_starts_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: Path
) -> None:
    directories = kept_in(tmp_path / "kept")
    interpreter = probe(python, directories=directories)
    place = Place(tmp_path / "some" / "env", monkeypatch)
    first = place.made(interpreter, directories)
    assert place.runs == 1
    assert place.made(interpreter, directories) == first
    assert place.runs == 2
    assert place.made(interpreter, directories) == first
    assert place.runs == 2


@pytest.mark.parametrize("name", ["with space", "quo'te", "d$llar"])
def test_what_a_shell_would_have_to_quote_is_left_to_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    directories = kept_in(tmp_path / "kept")
    interpreter = probe(Path(EVERY_PYTHON[0]), directories=directories)
    place = Place(tmp_path / name / "env", monkeypatch)
    for number in range(3):
        place.made(interpreter, directories)
        assert place.runs == number + 1
