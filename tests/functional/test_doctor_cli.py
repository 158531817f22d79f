"""``doctor`` end to end: what was done by hand is found, told with its cure, and the cure works."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.broken import add_a_distribution
from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import HEADER, lock_of, site_of, write_project
from tests.support.wheels import make_wheel
from venvman.doctor.codes import CODES


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A synced project: alpha, which needs beta."""
    wheels = [
        make_wheel(index.folder, "alpha", requires=["beta"]),
        make_wheel(index.folder, "beta"),
    ]
    lock = HEADER + lock_of(wheels[0]) + lock_of(wheels[1], via="alpha")
    root = write_project(
        tmp_path / "shop", {"requirements.txt": "alpha\n", "requirements.lock": lock}
    )
    assert run("sync", "-q", cwd=root).code == 0
    return root


def doctor(root: Path, *flags: str, code: int) -> list[dict[str, Any]]:
    """The findings but for git's and security's, of which this project is not about."""
    ran = run("doctor", "--ignore", "VM6,VM7", *flags, "--format", "json", cwd=root)
    assert ran.code == code, ran.stdout
    findings: list[dict[str, Any]] = ran.json["data"]["findings"]
    return findings


def remove_a_distribution(root: Path) -> None:
    for path in site_of(root).glob("beta*"):
        if path.is_dir():
            for inner in path.iterdir():
                inner.unlink()
            path.rmdir()
        else:
            path.unlink()


def remove_the_lock(root: Path) -> None:
    (root / "requirements.lock").unlink()


def test_a_synced_project_is_healthy(root: Path) -> None:
    assert doctor(root, code=0) == []
    assert "Healthy" in run("doctor", "--ignore", "VM6,VM7", cwd=root).stdout


def test_a_file_that_was_edited_is_found_when_files_are_verified(root: Path) -> None:
    module = site_of(root) / "alpha.py"
    content = module.read_text()
    module.unlink()  # else the cache would be edited too
    module.write_text(content + "# debugging\n")
    findings = doctor(root, "--verify", code=1)
    assert {each["code"][:3] for each in findings} == {"VM5"}
    assert "alpha.py" in str(findings)


def test_a_dependency_that_no_lock_has_is_unmet(root: Path, index: Index) -> None:
    (root / "requirements.lock").write_text(
        HEADER + lock_of(index.folder / "alpha-1.0-py3-none-any.whl")
    )
    run("sync", "--frozen", "--recreate", "-q", cwd=root)  # it would keep what is needed
    findings = doctor(root, "--select", "VM4", code=1)
    assert "beta" in str(findings)


def test_select_and_ignore_take_the_beginning_of_a_code(root: Path) -> None:
    remove_a_distribution(root)
    remove_the_lock(root)
    assert {each["code"][:3] for each in doctor(root, "--select", "VM3", code=1)} == {"VM3"}
    assert doctor(root, "--ignore", "VM3,VM4", code=0) == []


def test_a_faulty_requirements_file_does_not_hide_other_findings(root: Path) -> None:
    (root / "requirements.txt").write_text("alpha\nnot a name\n")
    add_a_distribution(root)
    findings = doctor(root, code=1)
    assert {each["code"][:3] for each in findings} >= {"VM2", "VM4"}
    (faulty,) = [each for each in findings if each["code"].startswith("VM2")]
    assert (faulty["path"], faulty["line"]) == ("requirements.txt", 2)


def test_text_and_json_tell_the_same_findings(root: Path) -> None:
    add_a_distribution(root)
    text = run("doctor", "--ignore", "VM6,VM7", cwd=root)
    assert text.code == 1
    for finding in doctor(root, code=1):
        assert finding["code"] in text.stdout


def test_the_catalogue_needs_no_project(tmp_path: Path) -> None:
    rows = run("doctor", "--list", "--format", "json", cwd=tmp_path).json["data"]["codes"]
    assert [row["code"] for row in rows] == [each.code for each in CODES]
    assert "VM404  distribution-extra" in run("doctor", "--list", cwd=tmp_path).stdout
    told = run("doctor", "--explain", "VM404", cwd=tmp_path)
    assert told.code == 0
    assert "works here and nowhere else" in told.stdout
    assert "Fix: `venvman sync` removes it" in told.stdout


def test_the_exit_code_is_that_of_the_severity_that_is_asked_for(root: Path) -> None:
    (root / "venv/bin/activate").unlink()  # a warning
    assert run("doctor", cwd=root).code == 1
    assert run("doctor", "--fail-on", "error", cwd=root).code == 0
    assert run("doctor", "--exit-zero", cwd=root).code == 0
    write_project(root, {"pyproject.toml": '[tool.venvman.doctor]\nseverity.VM1 = "error"\n'})
    assert run("doctor", "--fail-on", "error", cwd=root).code == 1


def test_a_project_and_a_line_of_it_say_what_they_excuse(root: Path) -> None:
    line = "--find-links http://a.invalid/simple"
    (root / "requirements.txt").write_text(f"alpha\n{line}\n")
    found = run("doctor", "--select", "VM7", "--format", "json", cwd=root).json["data"]["findings"]
    assert [(each["code"], each["line"]) for each in found] == [("VM702", 2)]
    (root / "requirements.txt").write_text(f"alpha\n{line}  # venvman: ignore[VM1, VM702]\n")
    assert run("doctor", "--select", "VM7", cwd=root).code == 0
    (root / "requirements.txt").write_text(f"alpha\n{line}  # venvman: ignore[VM1]\n")
    assert run("doctor", "--select", "VM7", cwd=root).code == 1
    write_project(root, {"pyproject.toml": '[tool.venvman.doctor]\nignore = ["VM7"]\n'})
    assert "VM702" not in run("doctor", cwd=root).stdout


def test_groups_are_chosen_as_sync_chooses_them(root: Path, index: Index) -> None:
    docs = make_wheel(index.folder, "docs-tool")
    write_project(
        root,
        {"requirements-docs.in": "docs-tool\n", "requirements-docs.txt": HEADER + lock_of(docs)},
    )
    assert not doctor(root, "--select", "VM4", code=0)
    (missing,) = doctor(root, "--select", "VM4", "--group", "docs", code=1)
    assert (missing["code"], missing["package"]) == ("VM401", "docs-tool")


MAKERS = {
    "venv and pip": (["{python}", "-m", "venv", "venv"],),
    "virtualenv": (["{python}", "-m", "virtualenv", "-q", "--no-download", "venv"],),
    "uv": (["{uv}", "venv", "-q", "--offline", "-p", "{python}", "venv"],),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_an_environment_that_another_tool_made_raises_no_alarm(maker: str, tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    names = {"python": sys.executable, "uv": str(uv)}
    for words in MAKERS[maker]:
        done = subprocess.run(
            [word.format(**names) for word in words], cwd=tmp_path, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    write_project(tmp_path, {"requirements.txt": ""})
    found = run("doctor", "--verify", "--select", "VM1,VM4,VM5", "--format", "json", cwd=tmp_path)
    assert [each for each in found.json["data"]["findings"] if each["severity"] != "note"] == []


def test_the_environment_that_the_shell_has_activated_is_compared(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", str(root / "venv"))
    assert doctor(root, code=0) == []
    monkeypatch.setenv("VIRTUAL_ENV", "/somewhere/else")
    (found,) = doctor(root, code=0)
    assert (found["code"], found["severity"]) == ("VM111", "note")
    assert "/somewhere/else" in found["message"]


def test_what_was_looked_for_and_held_is_said_where_it_could_be_looked_for(root: Path) -> None:
    told = " ".join(run("doctor", "--verbose", "--select", "VM1,VM5", cwd=root).stdout.split())
    assert "Looked for and not found Environment environment-absent, not-an-environment," in told
    assert "Files file-missing, file-changed," in told
    assert "distribution-missing" not in told
    assert "library-missing" not in told
    assert "Looked for" not in run("doctor", cwd=root).stdout
    held = run("doctor", "--verify", "--format", "json", cwd=root).json["data"]["held"]
    assert {"VM101", "VM401", "VM513"} <= set(held)
    shutil.rmtree(root / "venv")
    held = run("doctor", "--format", "json", cwd=root).json["data"]["held"]
    assert "VM102" in held
    assert not [code for code in held if code in ("VM101", "VM108") or code[:3] in ("VM4", "VM5")]


def test_several_projects_have_one_table_and_one_verdict(root: Path) -> None:
    shutil.copytree(root, root.parent / "second", symlinks=True)
    remove_a_distribution(root)
    told = run("doctor", "--all", "--select", "VM4", cwd=root.parent).stdout
    assert told.count("VM401") == 1
    assert "Findings" not in told
    assert told.splitlines()[-1].startswith("2 projects: ")


def test_what_follows_from_a_missing_package_is_told_with_it(root: Path) -> None:
    remove_a_distribution(root)
    found = doctor(root, code=1)
    assert [(each["code"], each["package"]) for each in found] == [
        ("VM401", "beta"),
        ("VM411", "alpha"),
    ]
    assert [each["cause"] for each in found] == [None, {"code": "VM401", "package": "beta"}]
    assert [each["related"] for each in found] == [[{"code": "VM411", "package": "alpha"}], []]
    told = run("doctor", "--ignore", "VM6,VM7", cwd=root).stdout
    assert "1 package needs it: alpha." in " ".join(told.split())
    assert "VM411" not in told
    assert "Findings: 1 error." in told
    assert "VM411" in run("doctor", "--select", "VM411", cwd=root).stdout
    annotated = run("doctor", "--format", "github", "--ignore", "VM6,VM7", cwd=root).stdout
    assert annotated.count("::error") == 1
    assert "1 package needs it: alpha." in annotated


@pytest.mark.parametrize("form", ["sarif", "github", "gitlab", "junit", "markdown", "html"])
def test_each_form_is_all_that_stdout_holds_and_is_remembered(form: str, root: Path) -> None:
    remove_a_distribution(root)
    first = run("doctor", "--format", form, "--quiet", cwd=root)
    assert (first.code, first.stderr) == (1, "")
    assert "VM401" in first.stdout
    assert run("doctor", "--format", form, "--quiet", cwd=root) == first
    assert run("doctor", "--format", form, "--exit-zero", cwd=root).stdout == first.stdout


def test_an_error_leaves_stdout_empty_where_another_program_reads(tmp_path: Path) -> None:
    ran = run("doctor", "--format", "sarif", "--project", "nowhere", cwd=tmp_path)
    assert (ran.code, ran.stdout) == (2, "")
    assert "nowhere" in ran.stderr
