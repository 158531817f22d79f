"""Bytecode that is run and is not its source's is found by ``doctor --verify``, and goes."""

from __future__ import annotations

import importlib.util
import marshal
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import site_of
from tests.support.wheels import make_wheel
from venvman.doctor.recorded import Recorded, verify

Break = Callable[[Path], object]


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A synced project whose module was compiled."""
    text = '"""Says what it is."""\nassert True\nNAMES = frozenset({\'a\', \'b\'})\n'
    make_wheel(index.folder, "deep", files={"deep/__init__.py": "", "deep/inner.py": text})
    root = tmp_path / "p"
    root.mkdir()
    (root / "requirements.txt").write_text("deep\n")
    assert run("sync", cwd=root).code == 0
    return root


def compiled(root: Path, *flags: str) -> Path:
    words = ["-m", "compileall", "-q", *flags, str(site_of(root) / "deep")]
    subprocess.run([str(root / "venv/bin/python"), *words], check=True)
    return next((site_of(root) / "deep/__pycache__").glob("inner.*"))


def poison(path: Path) -> None:
    code = compile("raise SystemExit(3)", "inner.py", "exec")
    path.write_bytes(path.read_bytes()[:16] + marshal.dumps(code))


def found(root: Path, *flags: str) -> list[str]:
    ran = run("doctor", "--verify", "--select", "VM514", "--format", "json", *flags, cwd=root)
    return [each["path"] for each in ran.json["data"]["findings"]]


@pytest.mark.parametrize("mode", ["timestamp", "checked-hash", "unchecked-hash"])
def test_bytecode_of_something_else_is_found_and_removed(mode: str, root: Path) -> None:
    path = compiled(root, "--invalidation-mode", mode)
    assert found(root) == []
    poison(path)
    assert found(root) == [path.relative_to(root).as_posix()]
    assert found(root, "--fix") == []
    program = [str(root / "venv/bin/python"), "-c", "import deep.inner"]
    assert subprocess.run(program, check=False).returncode == 0


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_bytecode_of_every_level_is_that_of_its_source(level: str, root: Path) -> None:
    compiled(root, "-o", level)
    assert found(root) == []


def test_bytecode_that_python_makes_anew_is_no_finding(root: Path) -> None:
    path = compiled(root)
    content = bytearray(path.read_bytes())
    content[8] ^= 1  # the time of another source
    path.write_bytes(bytes(content))
    poison(path)
    other = path.with_name("inner.cpython-35.pyc")
    other.write_bytes(bytes(4) + importlib.util.MAGIC_NUMBER)
    rewritten = path.with_name("inner.cpython-311-pytest-8.4.0.pyc")
    rewritten.write_bytes(compiled(root, "-f").read_bytes())
    poison(rewritten)
    assert found(root) == []


def test_bytecode_whose_source_has_changed_and_is_not_asked_for_is_found(root: Path) -> None:
    path = compiled(root, "--invalidation-mode", "unchecked-hash")
    module = site_of(root) / "deep/inner.py"
    text = module.read_text()
    module.unlink()
    module.write_text(text.replace("'a'", "'c'"))
    assert found(root) == [path.relative_to(root).as_posix()]


def test_bytecode_whose_source_is_lost_hides_nothing_else(root: Path) -> None:
    compiled(root)
    (site_of(root) / "deep/inner.py").unlink()
    ran = run("doctor", "--verify", "--select", "VM5,VM0", "--format", "json", cwd=root)
    assert [each["code"] for each in ran.json["data"]["findings"]] == ["VM501"]


BREAKS: dict[str, Break] = {
    "a module is lost": lambda site: (site / "deep/inner.py").unlink(),
    "a module is cut off": lambda site: os.truncate(site / "deep/inner.py", 3),
    "a module is empty": lambda site: (site / "deep/inner.py").write_text(""),
    "a data file is lost": lambda site: (site / "deep/data.bin").unlink(),
    "the license is lost": lambda site: (site / "deep-1.0.dist-info/WHEEL").unlink(),
    "a script is lost": lambda site: (site.parents[2] / "bin/deep").unlink(),
}


@pytest.fixture
def root_of_files(tmp_path: Path, index: Index) -> Path:
    files = {"deep/__init__.py": "", "deep/inner.py": "def main(): ...\n", "deep/data.bin": "12345"}
    make_wheel(index.folder, "deep", files=files, scripts={"deep": "deep.inner:main"})
    make_wheel(index.folder, "other")
    root_of_files = tmp_path / "p"
    root_of_files.mkdir()
    (root_of_files / "requirements.txt").write_text("deep\nother\n")
    assert run("sync", cwd=root_of_files).code == 0
    return root_of_files


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("break_it", BREAKS.values(), ids=BREAKS)
def test_a_plain_sync_brings_back_what_is_lost_or_cut_off(
    break_it: Break, remembered: bool, root_of_files: Path
) -> None:
    for _ in range(2 if remembered else 0):
        assert "Nothing to do" in run("sync", cwd=root_of_files).stdout
    break_it(site_of(root_of_files))
    assert run("sync", "--check", cwd=root_of_files).code == 1
    ran = run("sync", "--format", "json", cwd=root_of_files)
    assert [each["name"] for each in ran.json["data"]["changed"]] == ["deep"]
    python = root_of_files / "venv/bin/python"
    code = "import deep.inner; deep.inner.main()"
    assert subprocess.run([python, "-c", code], check=False).returncode == 0
    assert run("doctor", "--verify", "--select", "VM4,VM5", cwd=root_of_files).code == 0
    assert "Nothing to do" in run("sync", cwd=root_of_files).stdout


def test_running_the_modules_is_no_reason_to_sync_again(root_of_files: Path) -> None:
    subprocess.run(
        [root_of_files / "venv/bin/python", "-c", "import deep.inner, other"], check=True
    )
    assert run("sync", "--check", cwd=root_of_files).code == 0


def test_files_of_two_owners_are_no_reason_to_sync_again(root_of_files: Path, index: Index) -> None:
    for name, text in (("left", "1"), ("right", "12")):
        make_wheel(index.folder, name, files={"shared/__init__.py": f"x = {text}\n"})
    (root_of_files / "requirements.txt").write_text("deep\nother\nleft\nright\n")
    assert run("sync", cwd=root_of_files).code == 0
    assert run("sync", "--check", cwd=root_of_files).code == 0


def aged(folder: Path) -> None:
    """Old enough for what is seen there to be trusted the next time."""
    old = time.time_ns() - 3600 * 10**9
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, ns=(old, old))
    time.sleep(2.1)  # the time of the last change of an inode cannot be set


def test_what_was_verified_is_read_again_only_where_something_changed(
    root_of_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from venvman.doctor import files

    read: list[str] = []

    def counted(each: Recorded) -> Any:
        read.append(each.installed.name)
        return verify(each)

    monkeypatch.setattr(files, "verify", counted)
    aged(site_of(root_of_files))
    assert run("doctor", "--verify", "--select", "VM5", cwd=root_of_files).code == 0
    assert read.count("deep") == 1
    assert run("doctor", "--deep", "--select", "VM5", cwd=root_of_files).code == 0
    assert read.count("deep") == 2
    read.clear()
    assert run("doctor", "--verify", "--select", "VM5", cwd=root_of_files).code == 0
    assert read == []
    module = site_of(root_of_files) / "deep/inner.py"
    before = module.stat()
    module.write_text("def main(): ,,,\n")
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))
    ran = run("doctor", "--verify", "--select", "VM502", "--format", "json", cwd=root_of_files)
    assert [each["package"] for each in ran.json["data"]["findings"]] == ["deep"]
    assert read == ["deep"]
