"""A multi-use pylock.toml (PEP 751), as PDM and Pipenv write it: what is in it are groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import git, versions_in, write_project
from tests.support.wheels import make_wheel, sha256_of

PDM = {
    "head": 'extras = ["socks"]\ndependency-groups = ["default", "lint", "test"]\n'
    'default-groups = ["default"]\ncreated-by = "pdm"',
    "alpha": '"default" in dependency_groups',
    "beta": '"lint" in dependency_groups or "test" in dependency_groups',
    "gamma": '"test" in dependency_groups',
    "delta": '"socks" in extras',
    "other": 'sys_platform == "win32" and "default" in dependency_groups',
}
PIPENV = {
    "head": 'extras = []\nenvironments = []\ndependency-groups = ["dev"]\n'
    'default-groups = ["default"]\ncreated-by = "pipenv"',
    "alpha": "python_version >= '3.9'",
    "beta": "('dev' in dependency_groups) and (python_version >= '3.9')",
}
STANDARD = {
    "head": 'extras = ["test", "fast"]\ndependency-groups = ["test", "Docs"]\n'
    'default-groups = ["main", "docs"]\ncreated-by = "x"',
    "alpha": '"main" in dependency_groups',
    "beta": '"test" in extras',
    "gamma": '"docs" in dependency_groups and "fast" not in extras',
    "delta": '"test" in dependency_groups and "main" in dependency_groups',
}


def of(index: Index, said: dict[str, str]) -> str:
    rows = []
    for name, marker in [each for each in said.items() if each[0] != "head"]:
        wheel = index.folder / f"{name}-1.0-py3-none-any.whl"
        rows.append(
            f'[[packages]]\nname = "{name}"\nversion = "1.0"\nmarker = {_quoted(marker)}\n'
            f'wheels = [{{ name = "{wheel.name}", url = "{index.url}/files/{wheel.name}", '
            f'hashes = {{ sha256 = "{sha256_of(wheel).removeprefix("sha256:")}" }} }}]\n'
        )
    return "\n".join([f'lock-version = "1.0"\n{said["head"]}\n', *rows])


def _quoted(marker: str) -> str:
    return '"' + marker.replace('"', '\\"') + '"'


@pytest.fixture(autouse=True)
def shelf(index: Index) -> None:
    for name in ("alpha", "beta", "gamma", "delta", "other"):
        make_wheel(index.folder, name)


@pytest.mark.parametrize(
    ("said", "words", "expected"),
    [
        (PDM, "", "alpha"),
        (PDM, "--group test", "alpha beta gamma"),
        (PDM, "--only-group lint", "beta"),
        (PDM, "--group socks --no-group default", "delta"),
        (PDM, "--all-groups", "alpha beta delta gamma"),
        (PDM, "--all-groups --no-group test", "alpha beta delta"),
        (PIPENV, "", "alpha"),
        (PIPENV, "--group dev", "alpha beta"),
        (PIPENV, "--all-groups --no-dev", "alpha"),
        (STANDARD, "", "alpha gamma"),
        (STANDARD, "--no-group main", "gamma"),
        (STANDARD, "--group test", "alpha delta gamma"),
        (STANDARD, "--only-group test", ""),
        (STANDARD, "--group extra-test --group fast", "alpha beta"),
    ],
)
def test_what_is_chosen_is_installed_and_followed_by_every_command(
    said: dict[str, str], words: str, expected: str, tmp_path: Path, index: Index
) -> None:
    root = write_project(tmp_path / "p", {"pylock.toml": of(index, said)})
    assert run("sync", "--yes", *words.split(), cwd=root).code == 0
    for look in ("sync --check", "status", "doctor --fail-on warning", "sync --check --frozen"):
        assert run(*look.split(), cwd=root).code == 0, look
    assert run("sync", "--yes", cwd=root).code == 0
    assert " ".join(sorted(versions_in(root))) == expected


def test_the_last_choice_counts_and_rollback_goes_back_to_the_one_before(
    tmp_path: Path, index: Index
) -> None:
    root = write_project(tmp_path / "p", {"pylock.toml": of(index, PDM)})
    for words in ("--group test", "--only-group socks", "--default-groups"):
        assert run("sync", *words.split(), cwd=root).code == 0
    assert [*versions_in(root)] == ["alpha"]
    assert run("rollback", "2", "--yes", cwd=root).code == 0
    assert sorted(versions_in(root)) == ["alpha", "beta", "gamma"]


def test_a_group_that_the_file_does_not_have_is_refused_with_those_that_it_has(
    tmp_path: Path, index: Index
) -> None:
    root = write_project(tmp_path / "p", {"pylock.toml": of(index, STANDARD)})
    refused = run("sync", "--group", "nope", "--format", "json", cwd=root)
    (problem,) = refused.json["problems"]
    assert (refused.code, problem["code"]) == (2, "group-unknown")
    assert "default, docs, extra-test, fast, main, test" in problem["why"]
    assert not (root / "venv").exists()


def test_a_hook_reports_what_is_chosen_and_no_more(tmp_path: Path, index: Index) -> None:
    root = write_project(tmp_path / "p", {"pylock.toml": of(index, PDM)})
    (root / ".git").rmdir()
    git(root, "init", "-q")
    assert run("sync", "--group", "test", cwd=root).code == 0
    assert run("hooks", "run", "post-checkout", "--mode", "report", cwd=root).stdout == ""
    assert run("sync", "--default-groups", cwd=root).code == 0
    assert run("hooks", "run", "post-checkout", "--mode", "report", cwd=root).stdout == ""


def test_looks_see_the_whole_file(tmp_path: Path, index: Index) -> None:
    root = write_project(tmp_path / "p", {"pylock.toml": of(index, PDM)})
    (lock,) = run("scan", "--format", "json", cwd=root).json["data"]["projects"][0]["files"]
    assert [each["name"] for each in lock["requirements"]] == [*PDM][1:]
    assert "lock of default, lint, socks, test" in run("scan", cwd=root).stdout
    exported = run("export", "--all-groups", "--no-hashes", cwd=root).stdout
    assert 'other==1.0 ; sys_platform == "win32"\n' in exported
    assert "dependency_groups" not in exported
    old = tmp_path / "old/pylock.toml"
    write_project(old.parent, {"pylock.toml": of(index, {**PDM, "delta": '"default" in extras'})})
    done = run("diff", old, "pylock.toml", "--format", "json", cwd=root)
    (row,) = done.json["data"]["locks"]
    assert [each["name"] for each in row["added"]] == ["delta"]


def test_a_file_named_after_a_group_holds_it_and_its_own_groups(
    tmp_path: Path, index: Index
) -> None:
    one = {
        "head": 'created-by = "x"\ndependency-groups = ["docs", "web"]\ndefault-groups = ["web"]',
        "beta": '"docs" in dependency_groups',
        "gamma": '"web" in dependency_groups',
    }
    root = write_project(
        tmp_path / "p",
        {
            "pylock.toml": of(index, {"head": 'created-by = "x"', "alpha": 'os_name != ""'}),
            "pylock.docs.toml": of(index, one),
        },
    )
    assert run("sync", cwd=root).code == 0
    assert sorted(versions_in(root)) == ["alpha"]
    assert run("sync", "--group", "docs", cwd=root).code == 0
    assert sorted(versions_in(root)) == ["alpha", "beta", "gamma"]
    assert run("sync", "--group", "docs", "--no-group", "docs-web", cwd=root).code == 0
    assert sorted(versions_in(root)) == ["alpha", "beta"]
