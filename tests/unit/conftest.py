"""What several unit tests stand on: an own cache, this Python, an environment that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pythons import OWN_PYTHON, kept_in
from venvman.environment.lifecycle import (
    create,
)
from venvman.python.probe import Interpreter, probe

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.directories import Directories


@pytest.fixture
def directories(tmp_path_factory: pytest.TempPathFactory) -> Directories:
    return kept_in(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def own(directories: Directories) -> Interpreter:
    return probe(OWN_PYTHON, directories=directories)


@pytest.fixture
def venv(tmp_path: Path, own: Interpreter, directories: Directories) -> Path:
    """An environment that works, at ``venv`` of a folder of its own."""
    return create(tmp_path / "venv", own, directories=directories).root
