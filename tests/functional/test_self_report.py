"""``venvman self report``: what a report of a defect needs, and no secret."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.projects import write_project

SECRET = "hunter2"
PLACES = {
    "PIP_INDEX_URL": f"https://me:{SECRET}@127.0.0.1:1/simple",
    "PIP_EXTRA_INDEX_URL": f"https://{SECRET}@127.0.0.1:1/simple https://x:{SECRET}@[::1]/s",
    "PIP_FIND_LINKS": f"https://me:{SECRET}@127.0.0.1:1/links",
    "PIP_PROXY": f"http://me:{SECRET}@127.0.0.1:2",
    "HTTPS_PROXY": f"http://me:{SECRET}@127.0.0.1:3",
    "ALL_PROXY": f"me:{SECRET}@127.0.0.1:3",
    "PIP_PASSWORD": SECRET,
    "VENVMAN_TOKEN": SECRET,
    "VENVMAN_CONSTRAINTS": f"https://me:{SECRET}@127.0.0.1:1/constraints.txt",
    "VENVMAN_OVERRIDES": f"six @ https://me:{SECRET}@127.0.0.1:1/six-1.0-py3-none-any.whl",
}
BARE = f"me:{SECRET}@127.0.0.1:3"
FORMS = (("--format", "json"), (), ("--verbose",))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_project(
        tmp_path / "shop",
        {"requirements.in": "alpha\n", "pyproject.toml": '[tool.venvman]\nkeep = ["black"]\n'},
    )


@pytest.mark.parametrize("name", PLACES)
def test_no_credential_is_shown_wherever_it_was_given(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, PLACES[name])
    for form in FORMS:
        ran = run("self", "report", *form, cwd=root)
        assert ran.code == 0
        assert SECRET not in ran.stdout + ran.stderr
        assert name in ran.stdout


def test_a_proxy_without_a_scheme_is_shown_without_its_user(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_PROXY", BARE)
    ran = run("self", "report", cwd=root)
    assert "****@127.0.0.1:3" in ran.stdout
    assert SECRET not in ran.stdout + ran.stderr


def test_no_credential_of_a_file_is_shown(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    conf = root / "pip.conf"
    conf.write_text(f"[global]\nindex-url = https://me:{SECRET}@127.0.0.1:1/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(conf))
    (root / "pyproject.toml").write_text(
        f'[tool.venvman]\nsources = {{ alpha = "https://me:{SECRET}@127.0.0.1:1/simple" }}\n'
        f'constraints = ["https://{SECRET}@127.0.0.1:1/c.txt"]\n'
    )
    for form in FORMS:
        ran = run("self", "report", *form, cwd=root)
        assert ran.code == 0
        assert SECRET not in ran.stdout + ran.stderr


def test_each_setting_is_told_with_its_source(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENVMAN_LINK", "copy")

    data = run("self", "report", "--format", "json", cwd=root).json["data"]

    told = {each["name"]: each for each in data["settings"]}
    assert (told["link"]["value"], told["link"]["origin"]) == ("copy", "variable")
    assert told["link"]["where"] == "VENVMAN_LINK"
    assert (told["keep"]["value"], told["keep"]["origin"]) == (["black"], "pyproject.toml")
    assert told["offline"] == {
        "name": "offline",
        "value": False,
        "origin": "default",
        "where": None,
    }
    assert data["paths"]["environment"] == (root / "venv").as_posix()
    assert sys.executable == data["python"]["path"]
    assert data["interpreters"]


def test_it_tells_without_a_project_and_of_one_that_cannot_be_read(
    tmp_path: Path, root: Path
) -> None:
    (tmp_path / "empty" / ".git").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.venvman]\nlnk = 1\n")
    nowhere = run("self", "report", "--format", "json", cwd=tmp_path / "empty")
    broken = run("self", "report", "--format", "json", cwd=root)
    assert (nowhere.code, broken.code) == (0, 0)
    assert nowhere.json["data"]["settings"] == broken.json["data"]["settings"] == []
    assert "lnk" in str(broken.json["data"]["faults"])
