"""Every verb from the command line: what it prints, as text and as JSON, and what it exits with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import run, run_on_terminal, run_process
from tests.support.index import Index
from tests.support.wheels import make_wheel, sha256_of


@pytest.fixture
def project(tmp_path: Path, index: Index) -> Path:
    """A project whose lock pins alpha and beta; both are on the index."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / ".git").mkdir()
    (root / "requirements.txt").write_text("alpha\nbeta>=1\n")
    pins = []
    for name in ("alpha", "beta"):
        wheel = make_wheel(index.folder, name)
        pins.append(
            f"{name}==1.0 \\\n    --hash={sha256_of(wheel)}\n    # via -r requirements.txt\n"
        )
    (root / "requirements.lock").write_text("".join(pins))
    return root


@pytest.fixture
def synced(project: Path) -> Path:
    """The same with an environment that is as the lock says."""
    assert run("sync", "--frozen", "-q", cwd=project).code == 0
    return project


class TestSync:
    def test_the_summary_says_what_was_created_and_installed(self, project: Path) -> None:
        ran = run("sync", "--frozen", cwd=project)
        lines = ran.stdout.splitlines()
        assert ran.code == 0
        assert lines[0].startswith("+ venv created with Python 3.")
        assert [line.split() for line in lines[1:3]] == [
            ["+", "alpha", "1.0"],
            ["+", "beta", "1.0"],
        ]
        assert lines[3].startswith("Done in ")
        assert lines[3].endswith(": 2 installed.")

    @pytest.mark.parametrize(
        ("shell", "said"),
        [
            ("/bin/bash", "Activate: source venv/bin/activate"),
            ("/usr/bin/fish", "Activate: source venv/bin/activate.fish"),
            ("/bin/dash", "Activate: . venv/bin/activate"),
            ("/bin/csh", None),
        ],
    )
    def test_the_first_time_it_says_how_to_activate(
        self, project: Path, monkeypatch: pytest.MonkeyPatch, shell: str, said: str | None
    ) -> None:
        monkeypatch.setenv("SHELL", shell)
        first = run("sync", "--frozen", cwd=project).stdout.splitlines()
        assert [line for line in first if line.startswith("Activate")] == [said] * bool(said)
        (project / "sub").mkdir()
        again = run("sync", "--frozen", "--recreate", cwd=project / "sub").stdout
        assert said is None or said.replace("venv/", "../venv/") in again or str(project) in again
        assert "Activate" not in run("sync", "--frozen", "--reinstall", "alpha", cwd=project).stdout

    def test_progress_goes_to_stderr_and_leaves_stdout_alone(self, project: Path) -> None:
        ran = run("sync", "--frozen", cwd=project)
        assert "Fetching" in ran.stderr
        assert "Fetching" not in ran.stdout

    def test_the_second_time_there_is_nothing_to_do(self, synced: Path) -> None:
        ran = run("sync", "--frozen", cwd=synced)
        assert ran.stdout == "Nothing to do: venv holds the 2 packages of default.\n"

    def test_quiet_says_nothing_at_all(self, project: Path) -> None:
        ran = run("sync", "--frozen", "-q", cwd=project)
        assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")

    def test_json_has_the_agreed_shape_and_nothing_beside_it(self, project: Path) -> None:
        ran = run("sync", "--frozen", "--format", "json", cwd=project)
        data = ran.json["data"]
        assert ran.stderr == ""
        assert (ran.json["status"], ran.json["exit_code"]) == ("ok", 0)
        assert data["project"] == project.as_posix()
        assert (data["environment"], data["created"], data["unchanged"]) == ("venv", True, 0)
        assert data["installed"] == [
            {"name": "alpha", "version": "1.0", "source": "index"},
            {"name": "beta", "version": "1.0", "source": "index"},
        ]

    def test_a_dry_run_changes_nothing_and_exits_with_0(self, project: Path) -> None:
        text = run("sync", "--frozen", "--dry-run", cwd=project)
        json = run("sync", "--frozen", "--dry-run", "--format", "json", cwd=project)
        assert text.code == json.code == 0
        assert "Not yet done: 2 to install." in text.stdout
        assert (json.json["status"], json.json["exit_code"]) == ("drift", 0)
        assert not (project / "venv").exists()

    def test_a_check_exits_with_1_until_it_was_done(self, project: Path) -> None:
        before = run("sync", "--frozen", "--check", cwd=project)
        run("sync", "--frozen", cwd=project)
        after = run("sync", "--frozen", "--check", cwd=project)
        assert (before.code, after.code) == (1, 0)

    def test_locked_meets_a_stale_lock_with_1_and_a_panel_that_calls_it_drift(
        self, project: Path
    ) -> None:
        (project / "requirements.txt").write_text("alpha>=2\nbeta\n")
        ran = run("sync", "--locked", cwd=project)
        assert ran.code == 1
        assert "drift: " in ran.stderr
        assert "error" not in ran.stderr
        assert "requirements.txt:1" in ran.stderr

    def test_where_ci_is_set_sync_is_locked_unless_told_otherwise(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CI", "true")
        (project / "requirements.txt").write_text("alpha>=2\nbeta\n")
        assert run("sync", cwd=project).code == 1
        assert run("sync", "--frozen", cwd=project).code == 0

    def test_a_pipe_sees_no_animation_and_no_colour(self, project: Path) -> None:
        ran = run_process("sync", "--frozen", cwd=project)
        assert ran.code == 0
        assert "\x1b" not in ran.stdout + ran.stderr
        assert "\r" not in ran.stdout + ran.stderr

    def test_a_terminal_sees_progress_that_is_wiped_before_the_summary(self, project: Path) -> None:
        ran = run_on_terminal("sync", "--frozen", cwd=project)
        wiped, summary = ran.stdout.rsplit("\x1b[2K", 1)
        assert "\x1b[?25l" in wiped
        assert "Done in" in summary
        assert "Fetching" not in summary

    def test_a_terminal_in_ci_sees_no_animation(self, project: Path) -> None:
        ran = run_on_terminal("sync", "--frozen", cwd=project, env={"CI": "1", "NO_COLOR": "1"})
        assert "\x1b" not in ran.stdout


class TestLooking:
    def test_status_is_clean_after_sync(self, synced: Path) -> None:
        text, json = run("status", cwd=synced), run("status", "--format", "json", cwd=synced)
        assert text.code == 0
        assert "none, 2 packages as locked" in text.stdout
        assert json.json["data"]["environment"]["state"] == "ok"
        assert json.json["data"]["locks"][0]["state"] == "fresh"

    def test_status_tells_of_the_last_sync(self, synced: Path) -> None:
        text, json = run("status", cwd=synced), run("status", "--format", "json", cwd=synced)
        (state,) = run("history", "--format", "json", cwd=synced).json["data"]["states"]
        last = json.json["data"]["last_sync"]
        assert last == {key: state[key] for key in ("when", "by", "lock", "on_disk", "revision")}
        assert last["on_disk"] is True
        assert f"from lock {last['lock'][:7]}" in text.stdout
        assert "as it is now" not in text.stdout

    def test_status_exits_with_1_before_the_first_sync(self, project: Path) -> None:
        ran = run("status", cwd=project)
        assert run("status", "--format", "json", cwd=project).json["data"]["last_sync"] is None
        assert "Last sync" not in ran.stdout
        assert ran.code == 1
        assert "venv missing" in ran.stdout
        assert "Next: venvman sync" in ran.stdout

    def test_quiet_status_is_an_answer_all_the_same(self, synced: Path) -> None:
        assert "requirements.lock fresh" in run("status", "-q", cwd=synced).stdout

    def test_doctor_is_content_after_sync_and_names_what_was_removed_by_hand(
        self, synced: Path
    ) -> None:
        healthy = run("doctor", "--ignore", "VM6,VM7", cwd=synced)
        (info,) = synced.glob("venv/lib/python3*/site-packages/beta-1.0.dist-info")
        info.rename(info.with_name("gone"))
        ill = run("doctor", "--select", "VM4", "--format", "json", cwd=synced)
        assert healthy.code == 0, healthy.stdout
        assert "Healthy" in healthy.stdout
        assert (ill.code, ill.json["status"]) == (1, "drift")
        assert "beta" in {finding["package"] for finding in ill.json["data"]["findings"]}

    def test_doctor_refuses_a_code_that_no_finding_can_have(self, project: Path) -> None:
        assert run("doctor", "--select", "XX9", cwd=project).code == 2

    def test_scan_shows_the_tree_and_the_json(self, project: Path) -> None:
        text, json = run("scan", cwd=project), run("scan", "--format", "json", cwd=project)
        assert "requirements.txt  source of default, frozen into requirements.lock" in text.stdout
        assert "1: alpha" in text.stdout
        (found,) = json.json["data"]["projects"]
        assert [file["path"] for file in found["files"]] == [
            "requirements.txt",
            "requirements.lock",
        ]

    def test_scan_of_a_faulty_file_shows_what_was_understood_and_exits_with_2(
        self, project: Path
    ) -> None:
        (project / "requirements.txt").write_text("alpha\nalso bad\n")
        text, json = run("scan", cwd=project), run("scan", "--format", "json", cwd=project)
        assert text.code == json.code == 2
        assert "1: alpha" in text.stdout
        assert "2 | also bad" in text.stderr
        assert json.json["status"] == "error"
        assert json.json["data"]["projects"]

    def test_scan_walks_down_a_workspace(self, project: Path) -> None:
        inner = project / "services" / "api"
        inner.mkdir(parents=True)
        (inner / "requirements.txt").touch()
        assert "2 projects" in run("scan", cwd=project).stdout

    def test_project_names_the_folder_from_elsewhere(self, synced: Path, tmp_path: Path) -> None:
        ran = run("status", "--project", synced, "--format", "json", cwd=tmp_path)
        assert ran.json["data"]["project"] == synced.as_posix()


class TestFreeze:
    def test_a_check_of_a_fresh_lock_exits_with_0(self, project: Path) -> None:
        assert run("freeze", "--check", cwd=project).code == 0

    def test_lock_is_another_word_for_it(self, project: Path) -> None:
        ran = run("lock", "--check", "--format", "json", cwd=project)
        assert ran.json["command"] == "freeze"
        assert ran.json["data"]["locks"] == ["requirements.lock"]
        assert [each["name"] for each in ran.json["data"]["packages"]] == ["alpha", "beta"]


class TestClean:
    def test_it_removes_the_environment_and_says_so(self, synced: Path) -> None:
        first, second = run("clean", cwd=synced), run("clean", cwd=synced)
        assert first.stdout == "- venv removed\n"
        assert second.stdout == "Nothing to do: there is no venv.\n"
        assert not (synced / "venv").exists()


class TestQuestions:
    @pytest.fixture
    def foreign(self, project: Path) -> Path:
        """The project with an environment that somebody else made, and one package too many."""
        base = Path(sys.executable).resolve()
        words: list[str | Path] = [base, "-m", "venv", "--without-pip", project / "venv"]
        subprocess.run(words, check=True)
        (site,) = (project / "venv").glob("lib/python3*/site-packages")
        info = site / "gamma-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gamma\nVersion: 1.0\n")
        (info / "RECORD").write_text(
            "gamma-1.0.dist-info/METADATA,,\ngamma-1.0.dist-info/RECORD,,\n"
        )
        return project

    @pytest.mark.parametrize(("answer", "removed"), [("y\n", True), ("n\n", False)])
    def test_on_a_terminal_the_person_is_asked(
        self, foreign: Path, answer: str, removed: bool
    ) -> None:
        ran = run_on_terminal("sync", "--frozen", cwd=foreign, typed=answer)
        assert "[y/N]" in ran.stdout
        assert (ran.code == 0) is removed
        left = list(foreign.glob("venv/lib/python3*/site-packages/gamma-*"))
        assert (not left) is removed


class TestHooks:
    @pytest.fixture
    def repository(self, project: Path) -> Path:
        (project / ".git").rmdir()
        subprocess.run(["git", "init", "-q", project], check=True)
        return project

    def test_they_are_installed_shown_and_removed(self, repository: Path) -> None:
        before = run("hooks", "status", cwd=repository)
        installed = run("hooks", "install", "--sync", "--format", "json", cwd=repository)
        after = run("hooks", "status", cwd=repository)
        removed = run("hooks", "uninstall", "--format", "json", cwd=repository)
        assert "Next: venvman hooks install" in before.stdout
        assert {hook["state"] for hook in installed.json["data"]["hooks"]} == {"installed"}
        assert "repairs what has drifted" in after.stdout
        assert {hook["state"] for hook in removed.json["data"]["hooks"]} == {"absent"}

    def test_outside_git_there_are_none(self, project: Path) -> None:
        (project / ".git").rmdir()
        assert run("hooks", "status", cwd=project).code == 2
