"""Files called constraints: those that are compiled, those that nothing uses; copies of locks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import snapshot, write_project
from tests.support.wheels import make_wheel


@pytest.fixture(autouse=True)
def stocked(index: Index) -> Index:
    """alpha and beta, each 1.0 and 2.0; beta needs alpha."""
    for version in ("1.0", "2.0"):
        make_wheel(index.folder, "alpha", version)
        make_wheel(index.folder, "beta", version, requires=["alpha"])
    return index


def pins(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    return [line.partition(" ")[0] for line in lines if "==" in line]


LAYOUTS = {
    "root": {"constraints.in": "alpha<2\n", "requirements.in": "-c constraints.txt\nbeta\n"},
    "folder": {
        "requirements/constraints.in": "-r base.in\n-r dev.in\n",
        "requirements/base.in": "-c constraints.txt\nbeta\n",
        "requirements/dev.in": "-c constraints.txt\nalpha<2\n",
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("verb", ["freeze", "sync"])
def test_constraints_that_are_compiled_are_a_source_like_others(
    tmp_path: Path, layout: str, verb: str
) -> None:
    root = write_project(tmp_path / "shop", LAYOUTS[layout])
    assert run("scan", cwd=root).code == 0
    found = run("doctor", "--select", "VM2", "--format", "json", cwd=root)
    assert found.json["data"]["findings"] == []
    ran = run(verb, cwd=root)
    assert ran.code == 0, ran.stderr
    (limits,) = root.rglob("constraints.txt")
    assert "alpha==1.0" in pins(limits)
    lock = root / ("requirements.txt" if layout == "root" else "requirements/base.txt")
    assert pins(lock) == ["alpha==1.0", "beta==2.0"]
    assert f"-c {limits.relative_to(root).as_posix()}" in lock.read_text()
    assert run("freeze", "--check", cwd=root).code == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_its_pins_do_not_block_an_upgrade(tmp_path: Path, layout: str) -> None:
    root = write_project(tmp_path / "shop", LAYOUTS[layout])
    assert run("sync", cwd=root).code == 0
    source = next(path for path in root.rglob("*.in") if "alpha<2" in path.read_text())
    source.write_text(source.read_text().replace("alpha<2", "alpha"))
    assert run("freeze", "--check", cwd=root).code == 0
    assert run("upgrade", cwd=root).code == 0
    for lock in root.glob("**/*.txt"):
        if "venv" not in lock.parts and "alpha" in lock.read_text():
            assert "alpha==2.0" in pins(lock)


def test_what_constraints_include_brings_nothing_into_the_lock_that_they_limit(
    tmp_path: Path,
) -> None:
    """`-r` in the source of a lock that `-c` names: the lock would have limited only."""
    files = {
        "requirements.in": "-r shared.txt\n",
        "shared.txt": "beta<2\n",
        "requirements-dev.in": "-c requirements.txt\nalpha\n",
    }
    root = write_project(tmp_path / "shop", files)
    assert run("freeze", cwd=root).code == 0
    assert pins(root / "requirements-dev.txt") == ["alpha==2.0"]


def unused(root: Path) -> list[dict[str, Any]]:
    ran = run("doctor", "--select", "VM204", "--format", "json", cwd=root)
    assert ran.code == 0
    found: list[dict[str, Any]] = ran.json["data"]["findings"]
    return found


@pytest.mark.parametrize(
    "name",
    [
        "constraints.txt",
        "constraints.in",
        "dev-constraints.txt",
        "constraints-3.11.txt",
        "requirements/constraints.txt",
    ],
)
def test_constraints_that_nothing_names_are_a_note(tmp_path: Path, name: str) -> None:
    root = write_project(tmp_path / "shop", {"requirements.txt": "beta\n", name: "alpha<2\n"})
    [found] = unused(root)
    assert (found["severity"], found["path"]) == ("note", name)
    assert found["advice"] is not None


@pytest.mark.parametrize("way", ["-c", "-r", "setting", "variable", "gathered", "through another"])
def test_constraints_that_somebody_names_are_none(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"requirements.txt": "beta\n", "constraints.txt": "alpha<2\n"}
    if way in {"-c", "-r"}:
        files["requirements.txt"] = f"{way} constraints.txt\nbeta\n"
    elif way == "setting":
        files["pyproject.toml"] = "[tool.venvman]\nconstraints = ['constraints.txt']\n"
    elif way == "gathered":
        files["requirements.txt"] = "-r requirements/web.in\n-c constraints.txt\n"
        files["requirements/web.in"] = "beta\n"
    elif way == "through another":
        files |= {"limits.txt": "-c constraints.txt\n"}
        files["pyproject.toml"] = "[tool.venvman]\nconstraints = ['limits.txt']\n"
    else:
        monkeypatch.setenv("PIP_CONSTRAINT", "constraints.txt")
    assert unused(write_project(tmp_path / "shop", files)) == []


def test_a_copy_of_a_lock_changes_nothing(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", {"requirements.in": "beta\n"})
    assert run("sync", cwd=root).code == 0
    looks = (["scan"], ["tree"], ["why", "alpha"], ["status"], ["sync", "--all-groups", "--check"])
    before = [run(*look, "--format", "json", cwd=root).json["data"] for look in looks]
    text = (root / "requirements.txt").read_text()
    (root / "backup.txt").write_text(text.replace("alpha==2.0", "alpha==1.0"))
    after = [run(*look, "--format", "json", cwd=root).json["data"] for look in looks]
    for was, now in zip(before, after, strict=True):
        was.pop("seconds", None)
        now.pop("seconds", None)
    assert after == before
    (root / "requirements.in").write_text("beta<2\n")
    kept = snapshot(root, without=["venv"])["backup.txt"]
    assert run("sync", "--all-groups", cwd=root).code == 0
    assert snapshot(root, without=["venv"])["backup.txt"] == kept
