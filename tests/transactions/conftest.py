"""One environment is made for all these tests; each gets a copy, which costs milliseconds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.transactions.world import World, make_world, open_world, reseal


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    make_world(folder)
    return folder


@pytest.fixture
def world(template: Path, tmp_path: Path) -> World:
    """An empty environment."""
    shutil.copytree(template, tmp_path, symlinks=True, dirs_exist_ok=True)
    for path in (tmp_path / "venv/pyvenv.cfg", *(tmp_path / "venv/bin").glob("[aA]ctivate*")):
        path.write_text(path.read_text().replace(str(template), str(tmp_path)))
    reseal(tmp_path / "venv")
    return open_world(tmp_path)
