"""What several unit tests stand on: an own cache, this Python, an environment that works."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.examined import World
from tests.support.pythons import OWN_PYTHON, kept_in
from venvman.environment.lifecycle import create
from venvman.python.probe import Interpreter, probe
from venvman.system.directories import Directories


@pytest.fixture
def directories(tmp_path_factory: pytest.TempPathFactory) -> Directories:
    return kept_in(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def own(directories: Directories) -> Interpreter:
    return probe(OWN_PYTHON, directories=directories)


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    """This Python, asked once for a module of tests."""
    return probe(OWN_PYTHON, directories=kept_in(tmp_path_factory.mktemp("kept")))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A project for doctor's checks to look at."""
    return World(tmp_path)


@pytest.fixture
def venv(tmp_path: Path, own: Interpreter, directories: Directories) -> Path:
    """An environment that works, at ``venv`` of a folder of its own."""
    return create(tmp_path / "venv", own, directories=directories).root
