"""After a sync every locked distribution has its files, whatever had become of them."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import run
from tests.support.projects import site_of
from tests.support.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.index import Index

    Break = Callable[[Path], object]

BREAKS: dict[str, Break] = {
    "a module is lost": lambda site: (site / "deep/inner.py").unlink(),
    "a module is cut off": lambda site: os.truncate(site / "deep/inner.py", 3),
    "a module is empty": lambda site: (site / "deep/inner.py").write_text(""),
    "a data file is lost": lambda site: (site / "deep/data.bin").unlink(),
    "the license is lost": lambda site: (site / "deep-1.0.dist-info/WHEEL").unlink(),
    "a script is lost": lambda site: (site.parents[2] / "bin/deep").unlink(),
}


@pytest.fixture
def root(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    files = {"deep/__init__.py": "", "deep/inner.py": "def main(): ...\n", "deep/data.bin": "12345"}
    make_wheel(index.folder, "deep", files=files, scripts={"deep": "deep.inner:main"})
    make_wheel(index.folder, "other")
    root = tmp_path / "p"
    root.mkdir()
    (root / "requirements.txt").write_text("deep\nother\n")
    assert run("sync", cwd=root).code == 0
    return root


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("break_it", BREAKS.values(), ids=BREAKS)
def test_a_plain_sync_brings_back_what_is_lost_or_cut_off(
    break_it: Break, remembered: bool, root: Path
) -> None:
    for _ in range(2 if remembered else 0):
        assert "Nothing to do" in run("sync", cwd=root).stdout
    break_it(site_of(root))
    assert run("sync", "--check", cwd=root).code == 1
    ran = run("sync", "--format", "json", cwd=root)
    assert [each["name"] for each in ran.json["data"]["changed"]] == ["deep"]
    python = root / "venv/bin/python"
    code = "import deep.inner; deep.inner.main()"
    assert subprocess.run([python, "-c", code], check=False).returncode == 0
    assert run("doctor", "--verify", "--select", "VM4,VM5", cwd=root).code == 0
    assert "Nothing to do" in run("sync", cwd=root).stdout


def test_running_the_modules_is_no_reason_to_sync_again(root: Path) -> None:
    subprocess.run([root / "venv/bin/python", "-c", "import deep.inner, other"], check=True)
    assert run("sync", "--check", cwd=root).code == 0


def test_files_of_two_owners_are_no_reason_to_sync_again(root: Path, index: Index) -> None:
    for name, text in (("left", "1"), ("right", "12")):
        make_wheel(index.folder, name, files={"shared/__init__.py": f"x = {text}\n"})
    (root / "requirements.txt").write_text("deep\nother\nleft\nright\n")
    assert run("sync", cwd=root).code == 0
    assert run("sync", "--check", cwd=root).code == 0


def aged(folder: Path) -> None:
    """Old enough for what is seen there to be trusted the next time."""
    old = time.time_ns() - 3600 * 10**9
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, ns=(old, old))
    time.sleep(2.1)  # the time of the last change of an inode cannot be set


def test_what_was_verified_is_read_again_only_where_something_changed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from venvman.doctor import files

    read: list[str] = []
    verified = files._verified

    def counted(each: files.Recorded) -> Any:
        read.append(each.installed.name)
        return verified(each)

    monkeypatch.setattr(files, "_verified", counted)
    aged(site_of(root))
    assert run("doctor", "--verify", "--select", "VM5", cwd=root).code == 0
    assert read.count("deep") == 1
    read.clear()
    assert run("doctor", "--verify", "--select", "VM5", cwd=root).code == 0
    assert read == []
    module = site_of(root) / "deep/inner.py"
    before = module.stat()
    module.write_text("def main(): ,,,\n")
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))
    ran = run("doctor", "--verify", "--select", "VM502", "--format", "json", cwd=root)
    assert [each["package"] for each in ran.json["data"]["findings"]] == ["deep"]
    assert read == ["deep"]
