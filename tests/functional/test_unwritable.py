"""Files that cannot be written: one sentence that names them, exit code 2, and all as it was."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from tests.support.cli import ended, run
from tests.support.index import Index
from tests.support.projects import snapshot, write_project
from tests.support.wheels import make_wheel
from venvman.system import files, writing

WAYS = {
    "freeze": (["freeze"], "requirements.txt"),
    "sync": (["sync"], "requirements.txt"),
    "add": (["add", "other"], "requirements.in"),
    "add to a new group": (["add", "--group", "docs", "other"], "requirements-docs.in"),
    "add without freezing": (["add", "--frozen", "other"], "requirements.in"),
    "remove": (["remove", "more"], "requirements.in"),
    "upgrade": (["upgrade"], "requirements.txt"),
    "freeze --installed": (["freeze", "--installed"], "requirements.txt"),
}
LIMITED = """
import resource
import sys
sys.dont_write_bytecode = True  # else a module of ours would be cut off, and stay so
resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))
from venvman.__main__ import program
program()
"""


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A project whose lock is out of date and whose environment is there."""
    for name in ("demo", "more", "other"):
        make_wheel(index.folder, name)
    root = write_project(tmp_path / "shop", {"requirements.in": "demo\n"})
    assert run("sync", cwd=root).code == 0
    make_wheel(index.folder, "demo", "2.0")
    (root / "requirements.in").write_text("demo\nmore\n")
    return root


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_file_of_the_project_that_cannot_be_written_is_named(
    root: Path, monkeypatch: pytest.MonkeyPatch, way: str, code: int
) -> None:
    words, name = WAYS[way]
    if "--installed" in words:
        (root / name).unlink()
    before = snapshot(root)
    write = writing.write_new
    written: list[Path] = []

    def refusing(path: Path, parts: list[bytes], *, synced: bool) -> os.stat_result:
        if path.parent == root:
            written.append(path)
            raise OSError(code, os.strerror(code), str(path))
        return write(path, parts, synced=synced)

    monkeypatch.setattr(files, "write_new", refusing)

    ran = run(*words, "--format", "json", cwd=root)

    (problem,) = ran.json["problems"]
    assert (ran.code, problem["code"], problem["path"]) == (2, "file-unwritable", name)
    assert os.strerror(code) in problem["why"]
    assert written
    assert snapshot(root) == before


def test_a_lock_that_cannot_be_written_keeps_the_edited_file_from_being_written(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(root)
    write = writing.write_new
    sizes: list[int] = []

    def full_later(path: Path, parts: list[bytes], *, synced: bool) -> os.stat_result:
        if path.parent == root:
            sizes.append(len(parts[0]))
            if len(sizes) == 2:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, parts, synced=synced)

    monkeypatch.setattr(files, "write_new", full_later)

    ran = run("add", "other", cwd=root)

    assert (ran.code, len(sizes)) == (2, 2)
    assert "requirements.txt could not be written" in ran.stderr
    assert snapshot(root) == before


@pytest.mark.skipif(os.name == "nt", reason="limits as POSIX has them")
@pytest.mark.parametrize("way", ["freeze", "add", "upgrade"])
def test_a_limit_on_the_size_of_files_is_told_like_a_full_disk(root: Path, way: str) -> None:
    before = snapshot(root)
    done = ended([sys.executable, "-c", LIMITED, *WAYS[way][0]], cwd=root, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "requirements.txt could not be written" in done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert snapshot(root) == before


def test_what_the_machine_refuses_anywhere_else_is_no_defect(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), "/some/file")

    monkeypatch.setattr("venvman.cli.commands.looks.status", refused)
    ran = run("status", "--format", "json", cwd=root)
    (problem,) = ran.json["problems"]
    assert (ran.code, problem["code"], problem["path"]) == (2, "file-unusable", "/some/file")
    assert problem["message"] == "/some/file could not be used: Too many open files."
