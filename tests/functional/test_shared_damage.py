"""A file edited in place through one environment: who has it too, and how each is mended."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import ended, run
from tests.support.index import Index
from tests.support.projects import lock_of, python_in, site_of, write_project
from tests.support.wheels import make_wheel

SYNC = ("sync", "--frozen", "--link", "hardlink")


@pytest.fixture
def alpha(index: Index) -> Path:
    return make_wheel(index.folder, "alpha", files={"alpha/__init__.py": "V = 'as published'\n"})


def project(root: Path, wheel: Path) -> Path:
    return write_project(root, {"requirements.txt": "alpha\n", "requirements.lock": lock_of(wheel)})


@pytest.fixture
def projects(tmp_path: Path, alpha: Path) -> tuple[Path, Path]:
    """Two that share their files with the store; the first one's is edited."""
    first, second = (project(tmp_path / name, alpha) for name in ("first", "second one"))
    for root in (first, second):
        assert run(*SYNC, cwd=root).code == 0
    return first, second


def edit(root: Path, *, time_kept: bool = False) -> None:
    """In place, as an editor does that writes through links."""
    file = site_of(root) / "alpha/__init__.py"
    status = file.stat()
    with file.open("r+") as stream:
        stream.write("V = 'as I wanted'\n"[: status.st_size])
    if time_kept:
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def finding(root: Path) -> dict[str, Any]:
    ran = run("doctor", "--verify", "--select", "VM5", "--format", "json", cwd=root)
    (found,) = ran.json["data"]["findings"]
    assert (found["code"], found["package"]) == ("VM502", "alpha")
    return dict(found)


def mend(command: str, *, cwd: Path) -> None:
    """As a person does who copies the line into a shell; `;` lets one part fail."""
    for words in command.split("; "):
        program, *arguments = words.split()
        assert program == "venvman"
        run(*arguments, cwd=cwd)


def value(root: Path) -> str:
    return python_in(root, "import alpha; print(alpha.V)")


@pytest.mark.parametrize("time_kept", [False, True])
def test_doctor_in_either_names_the_other_and_its_command_mends(
    projects: tuple[Path, Path], tmp_path: Path, alpha: Path, time_kept: bool
) -> None:
    first, second = projects
    edit(first, time_kept=time_kept)
    said = [finding(root) for root in projects]
    for found, other in zip(said, (second, first), strict=True):
        assert f"in another environment, to be fixed, too: {other / 'venv'}." in found["message"]
    for root, found in zip(projects, said, strict=True):
        mend(found["fix"], cwd=root)
        assert run("doctor", "--verify", "--select", "VM5", cwd=root).code == 0
        assert value(root) == "as published"
    third = project(tmp_path / "third", alpha)
    assert run(*SYNC, cwd=third).code == 0
    assert value(third) == "as published"


def test_what_another_has_in_its_attic_counts(
    projects: tuple[Path, Path], index: Index, alpha: Path
) -> None:
    first, second = projects
    newer = make_wheel(index.folder, "alpha", "2.0", files={"alpha/__init__.py": "V = 2\n"})
    project(second, newer)
    assert run(*SYNC, cwd=second).code == 0
    edit(first)
    assert str(second / "venv") in finding(first)["message"]
    # Its way back does not lead to the edited file.
    project(second, alpha)
    assert run(*SYNC, cwd=second).code == 0
    assert value(second) == "as published"


def test_an_environment_that_is_gone_is_not_named(projects: tuple[Path, Path]) -> None:
    first, second = projects
    edit(first)
    assert run("clean", cwd=second).code == 0
    assert "environment" not in finding(first)["message"].partition("first ")[2]


def test_copies_are_nobody_elses(tmp_path: Path, alpha: Path) -> None:
    roots = [project(tmp_path / name, alpha) for name in ("first", "second")]
    for root in roots:
        assert run("sync", "--frozen", "--link", "copy", cwd=root).code == 0
    edit(roots[0])
    assert "another environment" not in finding(roots[0])["message"]
    assert value(roots[1]) == "as published"


def test_verifying_the_cache_names_all_that_have_the_damage_and_what_mends_them(
    projects: tuple[Path, Path],
) -> None:
    edit(projects[0])
    ran = run("cache", "verify", "--format", "json", cwd=projects[1])
    assert ran.code == 1
    (damaged,) = ran.json["data"]["damaged"]
    assert damaged["environments"] == [str(root / "venv") for root in projects]
    assert [each["code"] for each in ran.json["problems"]] == ["environment-shares-damage"] * 2
    for problem, root in zip(ran.json["problems"], projects, strict=True):
        done = ended(["sh", "-c", f'printf "%s\\n" {problem["fix"]}'], check=True)
        _, *words = done.stdout.splitlines()
        assert run(*words, cwd=projects[1]).code == 0
        assert value(root) == "as published"
    assert run("cache", "verify").code == 0


def test_a_state_folder_that_cannot_be_written_stops_no_sync(
    tmp_path: Path, alpha: Path, isolated: Path
) -> None:
    root = project(tmp_path / "first", alpha)
    (isolated / "state").mkdir(exist_ok=True)
    (isolated / "state/environments").write_text("in the way")
    assert run(*SYNC, cwd=root).code == 0
    edit(root)
    assert "another environment" not in finding(root)["message"]
