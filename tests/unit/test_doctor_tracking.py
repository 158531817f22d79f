from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from venvman.doctor.examination import LockTracking
from venvman.doctor.repository import tracking_of
from venvman.git import git

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git("init", "-q", cwd=tmp_path, variables=os.environ)
    (tmp_path / "app").mkdir()
    (tmp_path / ".gitignore").write_text("*.ignored.lock\n")
    for name in ("known.lock", "new.lock", "my.ignored.lock"):
        (tmp_path / "app" / name).touch()
    git("add", "app/known.lock", cwd=tmp_path, variables=os.environ)
    return tmp_path


def test_each_lock_is_tracked_untracked_or_ignored(repository: Path) -> None:
    root = repository / "app"
    paths = [root / name for name in ("known.lock", "new.lock", "my.ignored.lock")]
    assert tracking_of(paths, root=root, variables=os.environ) == {
        paths[0]: LockTracking.TRACKED,
        paths[1]: LockTracking.UNTRACKED,
        paths[2]: LockTracking.IGNORED,
    }


def test_a_lock_that_is_tracked_although_ignored_is_tracked(repository: Path) -> None:
    path = repository / "app" / "my.ignored.lock"
    git("add", "-f", str(path), cwd=repository, variables=os.environ)
    found = tracking_of([path], root=repository, variables=os.environ)
    assert found == {path: LockTracking.TRACKED}


def test_outside_git_nothing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert tracking_of([path], root=tmp_path, variables=os.environ) == {}
    assert tracking_of([], root=tmp_path, variables=os.environ) == {}
