"""Bytecode that is run and is not its source's is found by ``doctor --verify``, and goes."""

from __future__ import annotations

import importlib.util
import marshal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import run
from tests.support.projects import site_of
from tests.support.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.index import Index


@pytest.fixture
def root(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A synced project whose module was compiled."""
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
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
