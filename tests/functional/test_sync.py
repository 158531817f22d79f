"""``sync`` end to end: from requirements files to an environment that works, and stays right."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import venvman
from tests.support.cli import PROGRAM, ended, run, run_process
from tests.support.index import Index
from tests.support.projects import (
    HEADER,
    lock_of,
    python_in,
    site_of,
    snapshot,
    versions_in,
    write_project,
)
from tests.support.wheels import make_wheel
from venvman.install.journal import Kind, Step, write_journal
from venvman.model.events import Stage


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A project with two fresh locks; dev adds gamma."""
    alpha = make_wheel(
        index.folder,
        "alpha",
        files={"alpha.py": "def main():\n    print('alpha runs')\n"},
        scripts={"alpha": "alpha:main"},
    )
    beta, gamma = make_wheel(index.folder, "beta"), make_wheel(index.folder, "gamma")
    return write_project(
        tmp_path / "shop",
        {
            "requirements.txt": "alpha\nbeta\n",
            "requirements.lock": lock_of(alpha, beta),
            "requirements-dev.txt": "gamma\n",
            "requirements-dev.lock": lock_of(gamma, via="-r requirements-dev.txt"),
        },
    )


def sync(root: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    """The data that ``sync`` prints as JSON."""
    ran = run("sync", *arguments, "--format", "json", cwd=root)
    assert ran.code == code, ran.stdout
    data: dict[str, Any] = ran.json["data"]
    return data


def names(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows]


class TestTheEnvironment:
    def test_it_holds_what_the_locks_say_and_a_second_sync_changes_nothing(
        self, root: Path
    ) -> None:
        first = sync(root)
        written_down = ["current.json", "log"]  # a state is, once the clock has gone on
        before = snapshot(root, without=written_down)
        second = sync(root)
        assert names(first["installed"]) == ["alpha", "beta", "gamma"]
        assert (first["created"], second["created"]) == (True, False)
        assert second["installed"] == second["removed"] == second["changed"] == []
        assert second["unchanged"] == 3
        assert versions_in(root) == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}
        assert snapshot(root, without=written_down) == before

    def test_console_scripts_run(self, root: Path) -> None:
        sync(root)
        done = subprocess.run([root / "venv" / "bin" / "alpha"], capture_output=True, check=True)
        assert done.stdout == b"alpha runs\n"

    def test_pip_works_inside_and_finds_nothing_missing(self, root: Path) -> None:
        sync(root)
        assert _pip(root, "list", "--format=freeze").split()[:3] == [
            "alpha==1.0",
            "beta==1.0",
            "gamma==1.0",
        ]
        assert "No broken requirements" in _pip(root, "check")

    def test_every_shell_that_venv_serves_has_its_activation_script(
        self, root: Path, tmp_path: Path
    ) -> None:
        sync(root)
        venv.create(tmp_path / "plain", symlinks=True)
        served = {path.name for path in (tmp_path / "plain" / "bin").iterdir()}
        assert served <= {path.name for path in (root / "venv" / "bin").iterdir()}

    def test_what_the_lock_names_is_marked_as_requested_but_pip_is_not(self, root: Path) -> None:
        sync(root)
        requested = {path.parent.name for path in site_of(root).glob("*.dist-info/REQUESTED")}
        assert requested == {f"{name}-1.0.dist-info" for name in ("alpha", "beta", "gamma")}

    def test_a_venv_that_pip_changed_by_hand_is_mended(self, root: Path, index: Index) -> None:
        make_wheel(index.folder, "alpha", "2.0")
        make_wheel(index.folder, "delta")
        sync(root)
        _pip(root, "install", "-q", "-U", "alpha", "delta")
        _pip(root, "uninstall", "-q", "-y", "beta")

        doctor = run("doctor", "--select", "VM4", "--format", "json", cwd=root)
        mended = sync(root)

        findings = doctor.json["data"]["findings"]
        assert doctor.code == 1
        assert {each["package"] for each in findings} == {"alpha", "beta", "delta"}
        assert all(each["fix"] == "venvman sync" for each in findings)
        assert mended["changed"] == [{"name": "alpha", "from": "2.0", "to": "1.0"}]
        assert names(mended["removed"]) == ["delta"]
        assert names(mended["installed"]) == ["beta"]
        assert versions_in(root) == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}
        assert run("doctor", "--select", "VM4", cwd=root).code == 0

    def test_a_lone_dot_venv_is_adopted(self, root: Path) -> None:
        venv.create(root / ".venv", symlinks=True)
        data = sync(root)
        assert (data["environment"], data["created"]) == (".venv", False)
        assert not (root / "venv").exists()
        assert versions_in(root, ".venv") == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}

    def test_the_configuration_names_another_place(self, root: Path) -> None:
        (root / "pyproject.toml").write_text('[tool.venvman]\nvenv = "build/env"\n')
        assert sync(root)["environment"] == "build/env"
        assert versions_in(root, "build/env") != {}


class TestAdoption:
    @pytest.fixture
    def foreign(self, root: Path) -> Path:
        """The project with an environment made by somebody else."""
        venv.create(root / "venv", with_pip=False, symlinks=True)
        return root

    def test_a_foreign_environment_that_loses_nothing_needs_no_yes(self, foreign: Path) -> None:
        assert names(sync(foreign)["installed"]) == ["alpha", "beta", "gamma"]

    def test_after_the_first_sync_it_is_kept_like_our_own(
        self, foreign: Path, index: Index
    ) -> None:
        _unzip(make_wheel(index.folder, "delta"), site_of(foreign))
        assert run("sync", "-q", cwd=foreign).code == 2
        sync(foreign, "--yes")
        _unzip(index.folder / "delta-1.0-py3-none-any.whl", site_of(foreign))
        assert names(sync(foreign)["removed"]) == ["delta"]

    def test_an_inexact_sync_adopts_nothing(self, foreign: Path, index: Index) -> None:
        _unzip(make_wheel(index.folder, "delta"), site_of(foreign))
        sync(foreign, "--inexact")
        assert run("sync", "-q", cwd=foreign).code == 2
        assert "delta" in versions_in(foreign)

    @pytest.mark.parametrize("answer", [True, False])
    def test_whoever_can_be_asked_is_asked(
        self, foreign: Path, index: Index, *, answer: bool
    ) -> None:
        _unzip(make_wheel(index.folder, "delta"), site_of(foreign))
        questions = []

        def confirm(question: str) -> bool:
            questions.append(question)
            return answer

        with contextlib.nullcontext() if answer else pytest.raises(venvman.VenvmanError):
            venvman.sync(venvman.find_project(foreign), venvman.SyncRequest(confirm=confirm))
        assert len(questions) == 1
        assert "Remove delta from venv?" in questions[0]
        assert ("delta" in versions_in(foreign)) is not answer

    def test_looking_needs_no_yes(self, foreign: Path, index: Index) -> None:
        _unzip(make_wheel(index.folder, "delta"), site_of(foreign))
        assert names(sync(foreign, "--dry-run")["removed"]) == ["delta"]
        assert names(sync(foreign, "--check", code=1)["removed"]) == ["delta"]


class TestExtras:
    def test_inexact_leaves_what_no_lock_names(self, root: Path, index: Index) -> None:
        sync(root)
        _unzip(make_wheel(index.folder, "delta"), site_of(root))
        assert sync(root, "--inexact")["removed"] == []
        assert names(sync(root)["removed"]) == ["delta"]

    def test_keep_names_packages_that_stay(self, root: Path, index: Index) -> None:
        (root / "pyproject.toml").write_text('[tool.venvman]\nkeep = ["Delta"]\n')
        sync(root)
        for name in ("delta", "epsilon"):
            _unzip(make_wheel(index.folder, name), site_of(root))
        assert names(sync(root)["removed"]) == ["epsilon"]
        assert "delta" in versions_in(root)

    def test_pip_is_nobodys_drift_and_is_not_taken_away(self, root: Path) -> None:
        sync(root)
        assert "pip" in {path.name for path in site_of(root).iterdir()}
        assert sync(root, "--check")["removed"] == []


class TestAgainAndForward:
    def test_reinstall_without_a_name_installs_everything_again(self, root: Path) -> None:
        sync(root)
        (site_of(root) / "alpha.py").write_text("changed\n")
        changed = names(sync(root, "--reinstall", "--yes")["changed"])
        assert changed == ["alpha", "beta", "gamma"]
        assert "alpha runs" in (site_of(root) / "alpha.py").read_text()

    def test_reinstall_with_a_name_only_that(self, root: Path) -> None:
        sync(root)
        assert names(sync(root, "--reinstall", "Beta")["changed"]) == ["beta"]
        assert names(sync(root, "--reinstall=beta")["changed"]) == ["beta"]

    def test_a_mistake_elsewhere_in_the_line_is_what_is_told(self, root: Path) -> None:
        ran = run("sync", "--reinstall", "--bogus", cwd=root)
        assert (ran.code, "--bogus" in ran.stderr) == (2, True)

    def test_upgrade_moves_pins_first_in_a_dry_run_too(self, root: Path, index: Index) -> None:
        for name in ("alpha", "beta"):
            make_wheel(index.folder, name, "2.0")
        sync(root)
        told = sync(root, "--upgrade", "--dry-run")
        assert names(told["changed"]) == ["alpha", "beta"]
        assert versions_in(root)["alpha"] == "1.0"
        assert names(sync(root, "-P", "beta")["changed"]) == ["beta"]
        assert names(sync(root, "-U")["changed"]) == ["alpha"]
        assert versions_in(root) == {"alpha": "2.0", "beta": "2.0", "gamma": "1.0"}

    def test_upgrade_contradicts_a_lock_that_is_not_to_move(self, root: Path) -> None:
        assert run("sync", "--upgrade", "--frozen", cwd=root).code == 2


class TestGroups:
    @pytest.mark.parametrize(
        ("flags", "held"),
        [
            ((), "alpha beta gamma"),
            (("--no-dev",), "alpha beta"),
            (("--only-group", "dev"), "gamma"),
            (("--group", "docs"), "alpha beta delta gamma"),
            (("--no-dev", "--group", "docs"), "alpha beta delta"),
            (("--all-groups",), "alpha beta delta gamma"),
        ],
    )
    def test_the_flags_choose(
        self, root: Path, index: Index, flags: tuple[str, ...], held: str
    ) -> None:
        delta = make_wheel(index.folder, "delta")
        (root / "requirements-docs.txt").write_text("delta\n")
        (root / "requirements-docs.lock").write_text(lock_of(delta, via="-r requirements-docs.txt"))
        assert names(sync(root, "--dry-run", *flags)["installed"]) == held.split()

    def test_a_group_that_is_not_wanted_needs_no_lock_when_frozen(self, root: Path) -> None:
        (root / "requirements-docs.txt").write_text("delta\n")
        assert names(sync(root, "--frozen")["installed"]) == ["alpha", "beta", "gamma"]

    def test_leaving_a_group_out_removes_what_only_it_wanted(self, root: Path) -> None:
        sync(root)
        assert names(sync(root, "--no-dev")["removed"]) == ["gamma"]


class TestPythons:
    def test_recreate_makes_it_again_from_nothing(self, root: Path) -> None:
        sync(root)
        (root / "venv" / "left-over").touch()
        data = sync(root, "--recreate")
        assert (data["created"], len(data["installed"])) == (True, 3)
        assert not (root / "venv" / "left-over").exists()
        assert versions_in(root) == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}

    def test_recreate_that_fails_leaves_the_old_one_as_it_was(
        self, root: Path, index: Index
    ) -> None:
        sync(root)
        before = snapshot(root)
        (index.folder / "alpha-1.0-py3-none-any.whl").unlink()
        ran = run("sync", "--recreate", "--cache-dir", root.parent / "cold", cwd=root)
        assert ran.code == 2
        assert snapshot(root) == before

    def test_a_python_can_be_named_by_version_and_by_path(self, root: Path) -> None:
        version = "{}.{}".format(*sys.version_info)
        assert sync(root, "--python", version)["created"] is True
        assert sync(root, "--python", sys.executable)["created"] is False
        assert python_in(root, "import sys; print('%d.%d' % sys.version_info[:2])") == version


class TestOffline:
    def test_a_warm_cache_is_enough(self, root: Path, index: Index) -> None:
        sync(root)
        run("clean", cwd=root)
        index.requests.clear()
        assert len(sync(root, "--offline")["installed"]) == 3
        assert index.requests == []

    def test_nothing_is_asked_for_twice(self, root: Path, index: Index) -> None:
        sync(root)
        run("clean", cwd=root)
        index.requests.clear()
        sync(root)
        assert index.asked_for(".whl") == []


def test_where_no_group_is_chosen_those_that_there_are_are_named(
    tmp_path: Path, index: Index
) -> None:
    alpha = make_wheel(index.folder, "alpha")
    lock = lock_of(alpha, via="-r requirements-test.in")
    project = {"requirements-test.in": "alpha\n", "requirements-test.txt": HEADER + lock}
    root = write_project(tmp_path / "library", project)
    ran = run("sync", cwd=root)
    assert (ran.code, versions_in(root)) == (0, {})
    assert "there are: test." in ran.stderr
    assert "Next: venvman sync --group test" in ran.stderr
    assert run("sync", "--group", "test", cwd=root).code == 0
    assert versions_in(root) == {"alpha": "1.0"}


class TestWorkspaces:
    def test_all_syncs_every_project_below(self, root: Path, index: Index) -> None:
        alpha = index.folder / "alpha-1.0-py3-none-any.whl"
        for name in ("api", "jobs"):
            inner = root / "services" / name
            inner.mkdir(parents=True)
            (inner / "requirements.txt").write_text("alpha\n")
            (inner / "requirements.lock").write_text(lock_of(alpha))

        data = sync(root, "--all")

        assert [each["project"] for each in data["projects"]] == [
            str(root),
            str(root / "services" / "api"),
            str(root / "services" / "jobs"),
        ]
        assert versions_in(root / "services" / "jobs") == {"alpha": "1.0"}
        assert sync(root, "--all", "--check")["projects"][2]["unchanged"] == 1


class TestConcurrency:
    @pytest.mark.parametrize("flags", [(), ("--recreate",)])
    def test_two_at_once_take_turns_and_both_succeed(
        self, root: Path, flags: tuple[str, ...]
    ) -> None:
        words = [sys.executable, "-c", PROGRAM, "sync", *flags]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        started = [
            subprocess.Popen(words, cwd=root, **pipes)  # type: ignore[call-overload]
            for _ in range(3)
        ]
        said = [each.communicate()[0] for each in started]
        assert [each.returncode for each in started] == [0, 0, 0], said
        assert versions_in(root) == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}
        assert run("sync", "--check", cwd=root).code == 0
        assert {path.name for path in root.iterdir() if "venvman" in path.name} == set()

    def test_what_was_done_is_compared_before_anybody_else_may_change_it(self, root: Path) -> None:
        from venvman.install.environmentlock import locked
        from venvman.system.directories import Directories

        codes: list[str] = []

        class Intruder(venvman.Reporter):
            """Wants the environment while the sync compares it."""

            def stage_started(self, stage: Stage, *, total: int | None) -> None:  # noqa: ARG002
                if stage is Stage.VERIFY:
                    here = Directories.of(os.environ)
                    try:
                        with locked(root / "venv", here, wait=0, reporter=venvman.Reporter()):
                            codes.append("free")
                    except venvman.InstallError as error:
                        codes.append(error.code)

        made = venvman.sync(venvman.find_project(root), reporter=Intruder())
        venvman.sync(made.project, venvman.SyncRequest(recreate=True), reporter=Intruder())

        assert codes == ["environment-locked", "environment-locked"]

    def test_whoever_waits_says_for_whom(self, root: Path) -> None:
        from venvman.install.environmentlock import locked
        from venvman.model.events import Reporter
        from venvman.system.directories import Directories

        with locked(root / "venv", Directories.of(os.environ), reporter=Reporter()):
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, "sync"], cwd=root, stderr=subprocess.PIPE, text=True
            )
            assert process.stderr is not None
            told = next(line for line in process.stderr if "is being changed by" in line)
        _, rest = process.communicate()

        assert f"process {os.getpid()}" in told
        assert "Next: venvman sync" not in told + rest  # it is waiting already
        assert process.returncode == 0

    def test_what_another_sync_installed_meanwhile_is_not_installed_again(
        self, root: Path, index: Index
    ) -> None:
        from venvman.install.environmentlock import locked
        from venvman.model.events import Reporter
        from venvman.system.directories import Directories

        sync(root)
        run("clean", cwd=root)
        with locked(root / "venv", Directories.of(os.environ), reporter=Reporter()):
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, "sync", "--format", "json"],
                cwd=root,
                stdout=subprocess.PIPE,
                text=True,
            )
            venv.create(root / "venv", symlinks=True)
            for wheel in ("alpha", "beta", "gamma"):
                _unzip(index.folder / f"{wheel}-1.0-py3-none-any.whl", site_of(root))
        out, _ = process.communicate()

        assert process.returncode == 0, out
        assert '"installed": []' in out
        assert '"created": false' in out


class TestAfterAKill:
    def test_the_next_sync_clears_what_a_killed_one_left(self, root: Path) -> None:
        sync(root)
        left = root / "venv" / ".venvman" / "stage"
        left.mkdir()
        (left / "half-a-file").touch()
        run("sync", cwd=root)
        assert not left.exists()

    @pytest.mark.parametrize("verb", ["status", "doctor", "history", "sync --check"])
    def test_whoever_only_looks_tells_of_it_and_the_next_sync_settles_it(
        self, root: Path, verb: str
    ) -> None:
        sync(root)
        (root / "venv").rename(root / ".venv.venvman-replaced")
        ran = run(*verb.split(), cwd=root)
        assert "A command that was making venv was stopped." in ran.stdout + ran.stderr
        assert (root / ".venv.venvman-replaced").exists()
        assert not (root / "venv").exists()
        run("sync", cwd=root)
        assert versions_in(root) == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}
        assert not (root / ".venv.venvman-replaced").exists()

    def test_a_journal_is_told_of_until_a_sync_has_carried_it_out(self, root: Path) -> None:
        sync(root)
        gone = root / "venv/gone"
        (root / "venv/.venvman/stage").mkdir()
        gone.write_text("to be taken")
        write_journal(str(root / "venv"), [Step(Kind.TAKE, "gone", "s0")])

        for words in (("status",), ("doctor",), ("sync", "--check"), ("sync", "--dry-run")):
            ran = run(*words, cwd=root)
            assert "between two states" in " ".join((ran.stdout + ran.stderr).split()), words
            assert ran.code == (0 if "--dry-run" in words else 1), words
        assert gone.exists()
        assert run("sync", cwd=root).code == 0
        assert not gone.exists()
        assert run("doctor", "--select", "VM1", cwd=root).code == 0

    @pytest.mark.parametrize("text", ["{", "[" * 100_000, '["journal 2",[]]'])
    def test_a_journal_that_cannot_be_believed_is_told_of_and_recreating_mends_it(
        self, root: Path, text: str
    ) -> None:
        sync(root)
        (root / "venv/.venvman/journal.json").write_text(text)
        assert "VM107" in run("doctor", cwd=root).stdout
        assert run("status", cwd=root).code == 1
        assert run("sync", cwd=root).code == 2
        assert run("sync", "--recreate", cwd=root).code == 0
        assert run("doctor", "--select", "VM1", cwd=root).code == 0

    def test_looking_does_not_wait_for_a_sync_that_is_at_work(self, root: Path) -> None:
        from venvman.install.environmentlock import locked
        from venvman.model.events import Reporter
        from venvman.system.directories import Directories

        sync(root)
        left = root / "venv" / ".venvman" / "stage"
        left.mkdir()
        with locked(root / "venv", Directories.of(os.environ), reporter=Reporter()):
            ran = run_process("status", cwd=root)
        assert ran.code == 0
        assert left.exists()


def _unzip(wheel: Path, site: Path) -> None:
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)


def _pip(root: Path, *words: str) -> str:
    done = ended([root / "venv" / "bin" / "pip", *words], check=True)
    return done.stdout


def test_the_command_as_a_process_leaves_stdout_to_data(root: Path) -> None:
    ran = run_process("sync", "--format", "json", cwd=root)
    assert ran.json["status"] == "ok"
    assert ran.stderr == ""
