"""What ``export`` gives others: requirements, PEP 751, constraints; nothing is replaced unasked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import python_in, snapshot, write_project
from tests.support.wheels import make_wheel


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    make_wheel(index.folder, "alpha", requires=["beta"])
    make_wheel(index.folder, "beta")
    make_wheel(index.folder, "gamma", requires=["beta"])
    files = {"requirements.in": "alpha\n", "requirements-dev.in": "gamma\n"}
    root = write_project(tmp_path / "p", files)
    assert run("freeze", cwd=root).code == 0
    return root


def pins(text: str) -> list[str]:
    return [line.split(" ")[0] for line in text.splitlines() if "==" in line]


def test_requirements_are_those_of_the_usual_groups_each_once_with_hashes(root: Path) -> None:
    text = run("export", cwd=root).stdout
    assert pins(text) == ["alpha==1.0", "beta==1.0", "gamma==1.0"]
    assert text.count("--hash=sha256:") == 3
    assert pins(run("export", "--no-dev", cwd=root).stdout) == ["alpha==1.0", "beta==1.0"]
    assert "--hash" not in run("export", "--no-hashes", cwd=root).stdout


def test_pip_installs_what_is_exported(root: Path) -> None:
    assert run("export", "-o", "deploy.txt", cwd=root).code == 0
    (root / "requirements.in").write_text("")
    run("sync", "--yes", "--no-dev", cwd=root)
    pip = [str(root / "venv/bin/python"), "-m", "pip", "install", "-q", "--require-hashes"]
    subprocess.run([*pip, "-r", "deploy.txt"], cwd=root, check=True)
    assert python_in(root, "import alpha, beta, gamma; print(alpha.__version__)") == "1.0"


def test_constraints_have_neither_hashes_nor_editables(root: Path) -> None:
    lib = {"lib/pyproject.toml": '[project]\nname = "lib"\nversion = "1"\n'}
    write_project(root, lib)
    (root / "requirements.in").write_text("alpha\n-e ./lib\n")
    assert run("freeze", cwd=root).code == 0
    done = run("export", "--format", "constraints", cwd=root)
    assert pins(done.stdout) == ["alpha==1.0", "beta==1.0", "gamma==1.0"]
    assert not {"--hash", "-e "} & {word for word in ("--hash", "-e ") if word in done.stdout}
    assert "lib" in done.stderr


def test_a_pylock_has_the_files_of_each_release(root: Path, index: Index) -> None:
    text = run("export", "--format", "pylock", cwd=root).stdout
    assert f"{index.url}/files/alpha-1.0-py3-none-any.whl" in text
    assert text.count("[[packages]]") == 3


def test_a_pylock_names_no_folder_of_this_machine_beside_the_index(
    root: Path, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(index.folder, tmp_path / "wheelhouse")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheelhouse"))
    text = run("export", "--format", "pylock", cwd=root).stdout
    assert text.count("/files/alpha-1.0-py3-none-any.whl") == 1
    assert "wheelhouse" not in text


def test_nothing_is_written_without_a_name_and_nothing_replaced_without_yes(root: Path) -> None:
    before = snapshot(root)
    for form in ("requirements", "pylock", "constraints", "json"):
        assert run("export", "--format", form, cwd=root).code == 0
    assert snapshot(root) == before
    refused = run("export", "-o", "requirements.txt", cwd=root)
    assert (refused.code, "export-in-the-way" in refused.stderr) == (2, True)
    assert snapshot(root) == before


@pytest.mark.parametrize("form", ["requirements", "pylock", "constraints"])
def test_what_it_wrote_is_written_again_and_is_no_part_of_the_project(
    form: str, root: Path
) -> None:
    name = "pylock.toml" if form == "pylock" else "requirements-all.txt"
    assert run("export", "--format", form, "-o", name, cwd=root).code == 0
    before = snapshot(root)
    assert run("export", "--format", form, "-o", name, cwd=root).code == 0
    assert snapshot(root) == before
    files = run("scan", "--format", "json", cwd=root).json["data"]["projects"][0]["files"]
    assert name not in [each["path"] for each in files]
    assert run("freeze", "--check", cwd=root).code == 0


def test_a_stale_lock_is_exported_with_a_warning_and_none_is_an_error(root: Path) -> None:
    (root / "requirements.in").write_text("alpha\ngamma\n")
    done = run("export", "--no-dev", cwd=root)
    assert done.code == 0
    assert "gamma" in done.stderr
    (root / "requirements.txt").unlink()
    assert run("export", "--no-dev", cwd=root).code == 2
