"""Constraints that no file of the project names: pip's own configuration, and the setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index, Response
from tests.support.projects import versions_in, write_project
from tests.support.wheels import make_wheel
from tests.support.worlds import told_by_its_build


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """epsilon needs alpha, of which there are 1.0 and 2.0."""
    make_wheel(index.folder, "epsilon", requires=["alpha"])
    for version in ("1.0", "2.0"):
        make_wheel(index.folder, "alpha", version)
    files = {"requirements.in": "epsilon\n", "limits.txt": "alpha<2\n"}
    return write_project(tmp_path / "shop", files)


def configure(root: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "variable":
        monkeypatch.setenv("PIP_CONSTRAINT", "limits.txt")
    elif way == "pip.conf":
        conf = root.parent / "pip.conf"
        conf.write_text(f"[install]\nconstraint = {root / 'limits.txt'}\n")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(conf))
    else:
        (root / "pyproject.toml").write_text("[tool.venvman]\nconstraints = ['limits.txt']\n")


WAYS = ["variable", "pip.conf", "setting"]


@pytest.mark.parametrize("way", WAYS)
def test_they_limit_what_is_frozen_and_are_not_in_the_lock(
    root: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(root, way, monkeypatch)
    ran = run("sync", cwd=root)
    assert ran.code == 0, ran.stderr
    assert versions_in(root) == {"alpha": "1.0", "epsilon": "1.0"}
    assert "limits" not in (root / "requirements.txt").read_text()
    for verb in ("sync", "freeze"):
        assert run(verb, "--check", cwd=root).code == 0
    (root / "limits.txt").write_text("alpha>=2\n")
    assert run("sync", "--check", cwd=root).code == 1
    assert run("sync", cwd=root).code == 0
    assert versions_in(root)["alpha"] == "2.0"


@pytest.mark.parametrize("way", WAYS)
def test_a_fresh_lock_is_stale_once_one_forbids_a_pin(
    root: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("freeze", cwd=root).code == 0
    configure(root, way, monkeypatch)
    ran = run("freeze", "--check", "--format", "json", cwd=root)
    assert ran.code == 1
    [problem] = ran.json["problems"]
    assert (problem["path"], problem["line"]) == ("limits.txt", 1)
    assert run("freeze", cwd=root).code == 0
    assert "alpha==1.0" in (root / "requirements.txt").read_text()


def source_of(way: str, root: Path) -> str:
    return {
        "variable": "PIP_CONSTRAINT",
        "pip.conf": f"{root.parent / 'pip.conf'} [install] constraint",
        "setting": "[tool.venvman] constraints",
        "flag": "--constraint",
    }[way]


@pytest.mark.parametrize("way", [*WAYS, "flag"])
def test_one_that_is_not_there_is_told_with_who_names_it(
    root: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "limits.txt").unlink()
    words = ["-c", "limits.txt"] if way == "flag" else []
    if not words:
        configure(root, way, monkeypatch)
    for verb in (["freeze"], ["sync"], ["upgrade"], ["add", "alpha"]):
        ran = run(*verb, *words, "--format", "json", cwd=root)
        assert ran.code == 2
        [problem] = ran.json["problems"]
        assert problem["code"] == "constraints-missing"
        assert problem["message"].startswith("limits.txt could not be read")
        assert source_of(way, root) in problem["why"]
        assert source_of(way, root) in problem["advice"]
    assert sorted(each.name for each in root.glob("*.txt")) == []
    assert (root / "requirements.in").read_text() == "epsilon\n"


@pytest.mark.parametrize("verb", [["sync"], ["freeze"], ["upgrade"], ["add", "alpha"]])
def test_the_flag_counts_from_where_one_stands(root: Path, verb: list[str]) -> None:
    (root / "limits.txt").rename(root.parent / "limits.txt")
    inside = root / "src"
    inside.mkdir()
    assert run("freeze", cwd=root).code == 0
    ran = run(*verb, "-c", "../../limits.txt", cwd=inside)
    assert ran.code == 0, ran.stderr
    assert "alpha==1.0" in (root / "requirements.txt").read_text()
    assert "limits" not in (root / "requirements.txt").read_text()


def test_a_flag_replaces_the_setting(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(root, "setting", monkeypatch)
    (root / "none.txt").write_text("")
    assert run("freeze", "-c", "none.txt", cwd=root).code == 0
    assert "alpha==2.0" in (root / "requirements.txt").read_text()


def test_what_they_include_counts_and_is_watched(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "limits.txt").rename(root / "more.txt")
    (root / "limits.txt").write_text("-c more.txt\n")
    configure(root, "setting", monkeypatch)
    assert run("sync", cwd=root).code == 0
    assert versions_in(root)["alpha"] == "1.0"
    assert run("sync", "--check", cwd=root).code == 0
    (root / "more.txt").write_text("alpha>=2\n")
    assert run("sync", "--check", cwd=root).code == 1


def test_they_may_be_on_a_server_and_stand_in_no_lock(root: Path, index: Index) -> None:
    limits = Response(body=b"alpha<2\n")
    index.intercept = lambda request: limits if request.path == "/limits.txt" else None
    setting = f"constraints = ['{index.url}/limits.txt']"
    (root / "pyproject.toml").write_text(f"[tool.venvman]\n{setting}\n")
    ran = run("sync", cwd=root)
    assert ran.code == 0, ran.stderr
    assert versions_in(root)["alpha"] == "1.0"
    assert "limits" not in (root / "requirements.txt").read_text()
    assert run("freeze", "--check", cwd=root).code == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_line_in_pip_conf_or_a_variable_counts_once_it_is_there(
    root: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", str(root.parent / "pip.conf"))
    assert run("sync", cwd=root).code == 0
    assert run("sync", "--check", cwd=root).code == 0
    configure(root, way, monkeypatch)
    assert run("sync", "--check", cwd=root).code == 1


@pytest.mark.parametrize("way", WAYS)
def test_why_and_outdated_name_the_one_that_holds_a_pin(
    root: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(root, way, monkeypatch)
    assert run("freeze", cwd=root).code == 0
    [reason] = run("why", "alpha", "--format", "json", cwd=root).json["data"]["reasons"]
    [limit] = reason["constraints"]
    assert limit == {"path": "limits.txt", "line": 1, "requirement": "alpha<2"}
    assert "limits.txt:1  limits it to alpha<2" in run("why", "alpha", cwd=root).stdout
    [pin] = run("outdated", "--format", "json", cwd=root).json["data"]["packages"]
    assert [(each["path"], each["line"]) for each in pin["held_by"]] == [("limits.txt", 1)]


@pytest.mark.sample(3, "slow")
@pytest.mark.parametrize("way", WAYS)
def test_the_reference_engine_keeps_within_them(
    root: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(root, way, monkeypatch)
    (root / "requirements-dev.in").write_text("alpha\n")
    ran = run("freeze", "--engine", "pip-tools", "--group", "dev", cwd=root)
    assert ran.code == 0, ran.stderr
    for name in ("requirements.txt", "requirements-dev.txt"):
        lock = (root / name).read_text()
        assert "alpha==1.0" in lock
        assert "limits" not in lock
    assert run("freeze", "--check", cwd=root).code == 0


def configure_builds(root: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "limits.txt").write_text("tool<2\n")
    if way == "variable":
        monkeypatch.setenv("PIP_BUILD_CONSTRAINT", "limits.txt")
    elif way == "pip.conf":
        conf = root.parent / "pip.conf"
        conf.write_text(f"[global]\nbuild-constraint = {root / 'limits.txt'}\n")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(conf))
    else:
        (root / "pyproject.toml").write_text("[tool.venvman]\nbuild-constraints = ['tool<2']\n")


@pytest.mark.parametrize(
    ("way", "engine"),
    [
        ("pip.conf", "pip-tools"),
        pytest.param("variable", "native", marks=pytest.mark.slow),
        pytest.param("setting", "native", marks=pytest.mark.slow),
        pytest.param("variable", "pip-tools", marks=pytest.mark.slow),
        pytest.param("pip.conf", "native", marks=pytest.mark.slow),
        pytest.param("setting", "pip-tools", marks=pytest.mark.slow),
    ],
)
def test_builds_keep_within_those_for_builds(
    root: Path, index: Index, way: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("1", "2"):
        make_wheel(index.folder, "tool", version)
        make_wheel(index.folder, "b", version)
    told_by_its_build(index.folder, "dyn", "1", "tool")
    (root / "requirements.in").write_text("dyn\n")
    configure_builds(root, way, monkeypatch)
    ran = run("freeze", "--engine", engine, cwd=root)
    assert ran.code == 0, ran.stderr
    assert "b==1" in (root / "requirements.txt").read_text()
    assert run("sync", cwd=root).code == 0


def test_a_file_for_builds_that_is_not_there_is_told(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_BUILD_CONSTRAINT", "gone.txt")
    ran = run("freeze", cwd=root)
    assert ran.code == 2
    assert "PIP_BUILD_CONSTRAINT" in ran.stderr
