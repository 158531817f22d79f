"""Files are whole or absent, folders private, locks exclusive."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from venvman.system.files import make_private_folder, remove_tree, write_atomically


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_file_holds_what_was_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / "lock", b"one\r\n\0")
    assert (tmp_path / "lock").read_bytes() == b"one\r\n\0"


def test_a_reader_that_has_the_old_file_open_keeps_the_old_content(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    file.write_bytes(b"old")
    with file.open("rb") as reader:
        write_atomically(file, b"new")
        assert reader.read() == b"old"
    assert file.read_bytes() == b"new"


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "lock", b"")
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "lock") == 0o640


def test_an_existing_files_mode_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    file.write_bytes(b"")
    file.chmod(0o604)
    write_atomically(file, b"new")
    assert mode_of(file) == 0o604


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_name_as_long_as_names_can_be_is_written(tmp_path: Path) -> None:
    file = tmp_path / ("n" * 255)
    write_atomically(file, b"new")
    assert file.read_bytes() == b"new"


def test_a_failed_write_leaves_nothing_over(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_atomically(tmp_path / "folder", b"a file cannot replace a folder")
    assert os.listdir(tmp_path) == ["folder"]  # noqa: PTH208 - hidden files count


def test_a_new_private_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    assert mode_of(make_private_folder(tmp_path / "a" / "b")) == 0o700


def test_an_existing_folder_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o755)
    (tmp_path / "a").chmod(0o755)
    assert mode_of(make_private_folder(tmp_path / "a")) == 0o755


def test_a_tree_is_deleted_with_everything_in_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").touch()
    remove_tree(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_what_a_link_points_to_survives(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link").symlink_to(tmp_path / "precious")
    remove_tree(tmp_path / "a")
    (tmp_path / "top").symlink_to(tmp_path / "precious")
    remove_tree(tmp_path / "top")
    assert (tmp_path / "precious" / "file").exists()
    assert not (tmp_path / "top").is_symlink()


def test_deleting_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    remove_tree(tmp_path / "a")


def test_a_tree_that_somebody_else_deletes_too_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.rmtree

    def vanish(path: Path) -> None:
        real(path)
        raise FileNotFoundError

    (tmp_path / "a").mkdir()
    monkeypatch.setattr(shutil, "rmtree", vanish)
    remove_tree(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_read_only_folders_are_deleted_and_links_in_them_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # root may delete from read-only folders, so the first refusal is played.
    (tmp_path / "outside").mkdir(mode=0o755)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").touch()
    (tmp_path / "a" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "a" / "b").chmod(0o555)
    real, calls = shutil.rmtree, []

    def refuse_once(path: Path) -> None:
        calls.append(path)
        if len(calls) == 1:
            raise PermissionError
        assert mode_of(path / "b") == 0o700
        real(path)

    monkeypatch.setattr(shutil, "rmtree", refuse_once)
    remove_tree(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    assert mode_of(tmp_path / "outside") == 0o755
