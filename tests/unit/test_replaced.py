"""Replacing an environment: the new one, or the old one, whatever happens in between."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from venvman.environment import lifecycle as environments
from venvman.environment.inspection import Environment, inspect
from venvman.environment.lifecycle import create, recover_replaced, remove, replaced
from venvman.model.errors import EnvironmentUnusable
from venvman.python.probe import Interpreter
from venvman.system import seal
from venvman.system.directories import Directories
from venvman.system.locks import held


def fail_while_replacing(
    path: Path, fault: BaseException, step: Callable[[], object] = lambda: None
) -> None:
    with replaced(path):
        step()
        raise fault


def tree(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


@pytest.fixture
def marked(venv: Path) -> Path:
    """An environment that can be told from another one."""
    (venv / "old").touch()
    return venv


def test_after_success_the_old_environment_is_gone(
    marked: Path, own: Interpreter, directories: Directories
) -> None:
    with replaced(marked):
        assert not marked.exists()
        create(marked, own, directories=directories)
    assert not (marked / "old").exists()
    assert tree(marked.parent) == ["venv"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("is_made", [True, False])
def test_after_a_failure_the_old_environment_is_back(
    fault: type[BaseException],
    is_made: bool,
    marked: Path,
    own: Interpreter,
    directories: Directories,
) -> None:
    with pytest.raises(fault):
        fail_while_replacing(
            marked, fault(), lambda: is_made and create(marked, own, directories=directories)
        )
    assert (marked / "old").exists()
    assert tree(marked.parent) == ["venv"]
    assert isinstance(inspect(marked, directories=directories), Environment)


def test_where_nothing_was_nothing_is_after_a_failure(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    path = tmp_path / "venv"
    with pytest.raises(KeyboardInterrupt):
        fail_while_replacing(
            path, KeyboardInterrupt(), lambda: create(path, own, directories=directories)
        )
    assert tree(tmp_path) == []


def test_a_linked_environment_is_replaced_where_it_is(
    marked: Path, tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    link = tmp_path / "link"
    link.symlink_to(marked)
    with replaced(link):
        create(link, own, directories=directories)
    assert link.is_symlink()
    assert not (marked / "old").exists()
    assert isinstance(inspect(link, directories=directories), Environment)


def test_what_is_no_environment_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "thesis.txt").touch()
    with pytest.raises(EnvironmentUnusable), replaced(tmp_path / "venv"):
        pytest.fail("entered")
    assert tree(tmp_path / "venv") == ["thesis.txt"]


def unmovable(monkeypatch: pytest.MonkeyPatch, path: Path, code: int) -> None:
    """``path`` cannot be renamed, as a folder in a lower overlay layer or a mount point cannot."""
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self == path:
            raise OSError(code, os.strerror(code))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EBUSY])
def test_an_environment_that_cannot_be_renamed_is_copied_aside(
    code: int,
    marked: Path,
    own: Interpreter,
    directories: Directories,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unmovable(monkeypatch, marked, code)
    with pytest.raises(KeyboardInterrupt):
        fail_while_replacing(
            marked, KeyboardInterrupt(), lambda: create(marked, own, directories=directories)
        )
    assert (marked / "old").exists()
    assert (marked / "bin" / "python").is_symlink()
    with replaced(marked):
        create(marked, own, directories=directories)
    assert not (marked / "old").exists()
    assert tree(marked.parent) == ["venv"]


def test_another_reason_not_to_rename_is_told(
    marked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmovable(monkeypatch, marked, errno.EACCES)
    with pytest.raises(EnvironmentUnusable, match="made") as made, replaced(marked):
        pytest.fail("entered")
    with pytest.raises(EnvironmentUnusable, match="removed") as removed:
        remove(marked)
    for caught in (made.value, removed.value):
        assert "Permission denied" in (caught.why or "")
        assert str(caught.fix) == f"chmod u+rwx {marked.parent}"
    assert (marked / "old").exists()


def test_a_mount_point_gets_its_content_back(marked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unmovable(monkeypatch, marked, errno.EBUSY)
    rmdir = Path.rmdir

    def refuse(self: Path) -> None:
        if self == marked:
            raise OSError(errno.EBUSY, "busy")
        rmdir(self)

    monkeypatch.setattr(Path, "rmdir", refuse)
    emptied: list[list[str]] = []
    with pytest.raises(KeyboardInterrupt):
        fail_while_replacing(marked, KeyboardInterrupt(), lambda: emptied.append(tree(marked)))
    assert emptied == [[]]
    assert (marked / "old").exists()
    remove(marked)
    assert tree(marked) == []


class Killed(BaseException):
    """Stands for SIGKILL: nothing that would clean up runs."""


def killed_while_replacing(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: Callable[[], object] = lambda: None
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(environments, "_put_back", lambda _: None)
        with pytest.raises(Killed):
            fail_while_replacing(path, Killed(), step)


def test_a_kill_with_nothing_made_yet_brings_the_old_one_back(
    marked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_replacing(marked, monkeypatch)
    assert not marked.exists()
    (marked.parent / ".venv.venvman-replaced" / ".venvman-claim").touch()
    assert recover_replaced(marked)
    assert (marked / "old").exists()
    assert not (marked / ".venvman-claim").exists()
    assert tree(marked.parent) == ["venv"]
    assert not recover_replaced(marked)


def test_a_kill_while_the_new_one_is_filled_brings_the_old_one_back(
    marked: Path, own: Interpreter, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_replacing(
        marked, monkeypatch, lambda: create(marked, own, directories=directories)
    )
    assert recover_replaced(marked)
    assert (marked / "old").exists()


def test_an_environment_made_by_hand_after_a_kill_is_kept(
    marked: Path, own: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_replacing(marked, monkeypatch)
    subprocess.run([own.path, "-m", "venv", "--without-pip", marked], check=True)
    assert recover_replaced(marked)
    assert not (marked / "old").exists()
    assert tree(marked.parent) == ["venv"]


def test_a_kill_after_the_commit_lets_the_new_one_be(
    marked: Path, own: Interpreter, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(path: Path) -> None:
        if path.name.endswith("discarded") and path.exists():
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(environments, "remove_tree", die)
        with pytest.raises(Killed), replaced(marked):
            create(marked, own, directories=directories)
    assert recover_replaced(marked)
    assert not (marked / "old").exists()
    assert isinstance(inspect(marked, directories=directories), Environment)
    assert tree(marked.parent) == ["venv"]


def test_what_somebody_put_in_the_place_meanwhile_is_never_deleted(marked: Path) -> None:
    def write() -> None:
        marked.mkdir()
        (marked / "thesis.txt").touch()

    with pytest.raises(OSError, match="not empty"):
        fail_while_replacing(marked, KeyboardInterrupt(), write)
    assert tree(marked) == ["thesis.txt"]
    assert len(tree(marked.parent)) == 2  # the old one is still there too


def test_another_process_does_not_take_work_in_progress_for_leftovers(
    marked: Path, own: Interpreter, directories: Directories
) -> None:
    with replaced(marked):
        assert not recover_replaced(marked)
        create(marked, own, directories=directories)
        assert not recover_replaced(marked)
    assert isinstance(inspect(marked, directories=directories), Environment)
    assert tree(marked.parent) == ["venv"]


def test_an_environment_that_another_process_is_making_is_not_made_by_two(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    path = tmp_path / "venv"
    mark = path / ".venvman" / "unfinished"
    path.mkdir()
    seal.own(str(path))
    with held(mark):
        (path / "bin").mkdir()
        with pytest.raises(EnvironmentUnusable) as caught:
            create(path, own, directories=directories)
        assert caught.value.code == "environment-busy"
        assert tree(path) == [".venvman", "bin"]
