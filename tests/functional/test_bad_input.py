"""What gets bad input: each says what, where, why and what to do, and changes nothing else."""

from __future__ import annotations

import errno
import http
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import PATIENCE, PROGRAM, ended, run, run_process, started
from tests.support.index import Index, Request, Response
from tests.support.projects import lock_of, snapshot, versions_in, write_project
from tests.support.wheels import make_wheel, record_row, sha256_of


@dataclass(frozen=True)
class World:
    """A project whose environment holds alpha 1.0, and whose index also has alpha 2.0."""

    root: Path
    index: Index

    def locks(self, *wheels: Path) -> None:
        (self.root / "requirements.lock").write_text(lock_of(*wheels))

    def wheel(self, name: str, version: str = "1.0", **content: Any) -> Path:
        return make_wheel(self.index.folder, name, version, **content)

    def refusal(self, *arguments: str, code: int = 2, **variables: str) -> dict[str, Any]:
        """The one problem that ``arguments`` end with; nothing in the project has changed."""
        (problem,) = self.refusals(*arguments, code=code, **variables)
        return problem

    def refusals(self, *arguments: str, code: int = 2, **variables: str) -> list[dict[str, Any]]:
        before = snapshot(self.root)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            ran = run(*arguments, "--format", "json", cwd=self.root)
        assert ran.code == code, ran.stdout
        assert snapshot(self.root) == before
        problems: list[dict[str, Any]] = ran.json["problems"]
        return [each for each in problems if each["severity"] == "error"]


@pytest.fixture
def world(tmp_path: Path, index: Index) -> World:
    root = write_project(tmp_path / "shop", {"requirements.txt": "alpha\n"})
    made = World(root, index)
    made.locks(made.wheel("alpha"))
    return made


@pytest.fixture
def synced(world: World) -> World:
    """The same with an environment; the lock asks for what is not there yet."""
    assert run("sync", "--frozen", "-q", cwd=world.root).code == 0
    world.wheel("alpha", "2.0")
    return world


class TestProjects:
    def test_a_folder_without_requirements_says_where_it_looked_and_offers_add(
        self, tmp_path: Path
    ) -> None:
        problem = World(write_project(tmp_path / "bare", {}), None).refusal("sync")  # type: ignore[arg-type]
        assert problem["code"] == "project-not-found"
        assert str(tmp_path / "bare") in problem["message"]
        assert "requirements.in, requirements.txt" in problem["why"]
        assert "venvman add" in problem["advice"]

    @pytest.mark.parametrize("verb", ["sync", "freeze"])
    def test_a_table_alone_gives_nothing_to_work_with(self, tmp_path: Path, verb: str) -> None:
        root = write_project(tmp_path / "bare", {"pyproject.toml": "[tool.venvman]\n"})
        problem = World(root, None).refusal(verb)  # type: ignore[arg-type]
        assert problem["code"] == "requirements-missing"
        assert "venvman add" in problem["advice"]

    def test_faults_in_several_files_are_told_at_once_with_line_and_text(
        self, world: World
    ) -> None:
        (world.root / "requirements.txt").write_text("alpha=>1\nbeta\n\nnot a name\n")
        (world.root / "requirements-dev.txt").write_text("beta; python == \n--no-such-option\n")
        problems = world.refusals("sync")
        assert [(each["path"], each["line"], each["text"]) for each in problems] == [
            ("requirements.txt", 1, "alpha=>1"),
            ("requirements.txt", 4, "not a name"),
            ("requirements-dev.txt", 1, "beta; python =="),
            ("requirements-dev.txt", 2, "--no-such-option"),
        ]

    def test_an_included_file_that_is_missing_is_named_with_the_line_that_includes_it(
        self, world: World
    ) -> None:
        (world.root / "requirements.txt").write_text("alpha\n-r base/common.txt\n")
        problem = world.refusal("sync")
        assert (problem["path"], problem["line"]) == ("requirements.txt", 2)
        assert "base/common.txt" in problem["message"]

    def test_a_file_that_is_no_text_is_named(self, world: World) -> None:
        (world.root / "requirements.txt").write_bytes(b"\xff\xfe\x00\xd8")
        assert world.refusal("freeze")["path"] == "requirements.txt"

    def test_a_group_that_is_not_there_is_answered_with_those_that_are(self, world: World) -> None:
        problem = world.refusal("sync", "--frozen", "--group", "docs")
        assert problem["code"] == "group-unknown"
        assert "default" in problem["why"]

    def test_a_setting_that_cannot_be_used_is_named_with_its_place(self, world: World) -> None:
        (world.root / "pyproject.toml").write_text('[tool.venvman]\nlink = "teleport"\n')
        problem = world.refusal("sync")
        assert "pyproject.toml" in f"{problem['path']} {problem['message']} {problem['why']}"
        assert "teleport" in f"{problem['message']} {problem['why']}"


class TestLocks:
    def test_conflict_markers_are_shown_with_the_way_out(self, synced: World) -> None:
        text = "<<<<<<< HEAD\nalpha==1.0\n=======\nalpha==2.0\n>>>>>>> theirs\n"
        (synced.root / "requirements.lock").write_text(text)
        for verb in (("sync",), ("sync", "--frozen"), ("freeze",)):
            problem = synced.refusal(*verb)
            assert problem["code"] == "lock-conflict-markers"
            assert (problem["path"], problem["line"]) == ("requirements.lock", 1)
            assert problem["text"] == "<<<<<<< HEAD"
            assert problem["fix"] == "venvman freeze --yes"

    def test_status_and_doctor_name_a_lock_that_cannot_be_read(self, synced: World) -> None:
        (synced.root / "requirements.lock").write_text("alpha==1.0\nalpha >= 2\n")
        status = run("status", "--format", "json", cwd=synced.root)
        doctor = run("doctor", "--select", "VM3", "--format", "json", cwd=synced.root)
        assert (status.code, status.json["status"]) == (2, "error")
        (finding,) = doctor.json["data"]["findings"]
        assert (doctor.code, finding["path"], finding["line"]) == (1, "requirements.lock", 2)

    def test_an_empty_lock_does_not_empty_an_environment_unasked(self, synced: World) -> None:
        (synced.root / "requirements.lock").write_text("")
        problem = synced.refusal("sync", "--frozen")
        assert problem["code"] == "sync-removes-all"
        assert "alpha" in problem["message"]
        assert problem["fix"] == "venvman sync --yes"
        assert run("sync", "--frozen", "--yes", "-q", cwd=synced.root).code == 0
        assert versions_in(synced.root) == {}

    def test_two_locks_that_disagree_are_both_named(self, world: World) -> None:
        (world.root / "requirements-dev.txt").write_text("alpha\n")
        (world.root / "requirements-dev.lock").write_text(
            lock_of(world.wheel("alpha", "2.0"), via="-r requirements-dev.txt")
        )
        problem = world.refusal("sync", "--frozen")
        told = str(problem)
        assert "requirements.lock" in told
        assert "requirements-dev.lock" in told


class TestEnvironments:
    def test_a_file_named_venv_is_left_alone(self, world: World) -> None:
        (world.root / "venv").write_text("thesis")
        problem = world.refusal("sync", "--frozen")
        assert problem["code"] == "not-an-environment"
        assert problem["why"].startswith("A file is in the way.")
        assert problem["fix"] == "mv venv venv.aside && venvman sync"

    @pytest.mark.parametrize("flags", [(), ("--recreate", "--yes")])
    def test_a_folder_named_venv_is_left_alone(self, world: World, flags: tuple[str, ...]) -> None:
        (world.root / "venv").mkdir()
        (world.root / "venv" / "thesis.txt").write_text("thesis")
        problem = world.refusal("sync", "--frozen", *flags)
        assert problem["code"] == "not-an-environment"
        assert "pyvenv.cfg" in problem["why"]

    def test_a_dangling_interpreter_is_named_with_recreate(self, synced: World) -> None:
        for name in ("python", "python3", *_minor_names()):
            link = synced.root / "venv" / "bin" / name
            link.unlink(missing_ok=True)
            link.symlink_to("/nowhere/python3")
        problem = synced.refusal("sync", "--frozen")
        assert problem["code"] == "environment-interpreter-gone"
        assert problem["message"] == "The environment venv is broken."
        assert "/nowhere/python3" in problem["why"]
        assert problem["fix"] == "venvman sync --recreate"
        assert run("sync", "--frozen", "--recreate", "-q", cwd=synced.root).code == 0
        assert versions_in(synced.root) == {"alpha": "1.0"}

    def test_an_unknown_python_is_answered_with_those_that_are_there(self, world: World) -> None:
        problem = world.refusal("sync", "--frozen", "--python", "3.77")
        assert problem["code"] == "interpreter-not-found"
        assert "3.77" in problem["message"]
        assert "{}.{}.{}".format(*sys.version_info[:3]) in problem["why"]

    def test_an_unknown_python_is_not_answered_with_recreate(self, synced: World) -> None:
        assert synced.refusal("sync", "--frozen", "--python", "3.77")["code"] == (
            "interpreter-not-found"
        )

    def test_what_is_no_version_is_no_python(self, world: World) -> None:
        assert world.refusal("sync", "--python", "nonsense")["code"] == "python-wish-invalid"


class TestIndexes:
    @pytest.fixture(autouse=True)
    def wants_alpha_2(self, synced: World) -> None:
        synced.locks(synced.index.folder / "alpha-2.0-py3-none-any.whl")

    @pytest.mark.parametrize("status", [401, 403, 404, 500])
    def test_an_index_that_answers_with_an_error_is_named_with_it(
        self, synced: World, status: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_RETRIES", "0")
        synced.index.intercept = lambda _request: Response(status, b"no")
        problem = synced.refusal("sync", "--frozen")
        told = f"{problem['message']} {problem['why']} {problem['fix']}"
        assert (problem["path"], problem["line"]) == ("requirements.lock", 1)
        assert "alpha" in told
        assert str(status) in told or status == http.HTTPStatus.NOT_FOUND

    def test_a_password_that_is_refused_appears_nowhere(self, synced: World) -> None:
        synced.index.password = "secret-one"
        wrong = synced.index.simple.replace("://", "://me:secret-two@")
        before = snapshot(synced.root)
        ran = run_process("sync", "--frozen", cwd=synced.root, env={"PIP_INDEX_URL": wrong})
        assert ran.code == 2
        assert "secret" not in ran.stdout + ran.stderr
        assert "401" in ran.stderr
        assert snapshot(synced.root) == before

    def test_an_index_that_cannot_be_reached_is_named(self, synced: World) -> None:
        dead = "http://127.0.0.1:1/simple"
        problem = synced.refusal("sync", "--frozen", PIP_INDEX_URL=dead, PIP_RETRIES="0")
        told = f"{problem['message']} {problem['why']}"
        assert "127.0.0.1:1" in told

    def test_offline_with_a_cold_cache_says_what_is_missing(self, synced: World) -> None:
        problem = synced.refusal("sync", "--frozen", "--offline")
        assert "alpha" in f"{problem['message']} {problem['why']}"
        assert "--offline" in problem["why"]

    def test_two_packages_that_cannot_be_had_are_both_told(self, synced: World) -> None:
        with (synced.root / "requirements.lock").open("a") as lock:
            lock.write(f"beta==1.0 --hash=sha256:{'1' * 64}\n")
        (synced.index.folder / "alpha-2.0-py3-none-any.whl").unlink()
        problems = synced.refusals("sync", "--frozen")
        assert [each["line"] for each in problems] == [1, 4]


class TestCtrlC:
    def test_while_something_is_fetched_nothing_has_changed(self, synced: World) -> None:
        synced.locks(synced.index.folder / "alpha-2.0-py3-none-any.whl")
        before = snapshot(synced.root)
        asked, answered = threading.Event(), threading.Event()

        def stall(_request: Request) -> Response:
            asked.set()
            answered.wait(PATIENCE)
            return Response(500)

        synced.index.intercept = stall
        with started("-m", "venvman", "sync", "--frozen", cwd=synced.root) as process:
            assert asked.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            try:
                _, told = process.communicate(timeout=PATIENCE)
            finally:
                answered.set()

        assert process.returncode == 130
        assert told.splitlines()[-1] == "Interrupted."
        assert snapshot(synced.root) == before


class TestArtifacts:
    def test_a_wrong_hash_names_package_file_expected_and_actual(self, synced: World) -> None:
        wheel = synced.index.folder / "alpha-2.0-py3-none-any.whl"
        synced.locks(wheel)
        expected = sha256_of(wheel).partition(":")[2]
        synced.index.hashes = False
        synced.wheel("alpha", "2.0", files={"alpha.py": "evil = True\n"})
        problem = synced.refusal("sync", "--frozen")
        told = f"{problem['message']} {problem['why']}"
        assert problem["code"] == "hash-mismatch"
        assert wheel.name in told
        assert expected in told
        assert sha256_of(wheel).partition(":")[2] in told

    def test_a_truncated_wheel_is_refused(self, synced: World) -> None:
        wheel = synced.index.folder / "alpha-2.0-py3-none-any.whl"
        wheel.write_bytes(wheel.read_bytes()[:200])
        synced.locks(wheel)
        problem = synced.refusal("sync", "--frozen")
        assert "alpha-2.0-py3-none-any.whl" in f"{problem['message']} {problem['why']}"

    def test_a_transfer_that_breaks_off_is_no_wheel(
        self, synced: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_RETRIES", "0")
        wheel = synced.index.folder / "alpha-2.0-py3-none-any.whl"
        synced.locks(wheel)
        synced.index.intercept = lambda request: (
            Response(200, wheel.read_bytes(), cut=100) if request.path.endswith(".whl") else None
        )
        assert "alpha" in str(synced.refusal("sync", "--frozen"))

    def test_a_wheel_whose_content_was_damaged_is_refused(self, synced: World) -> None:
        wheel = synced.wheel("alpha", "2.0", files={"alpha.py": "x" * 5000}, compress=False)
        body = wheel.read_bytes()
        wheel.write_bytes(body.replace(b"x" * 5000, b"x" * 2500 + b"y" * 2500))
        synced.locks(wheel)
        assert "alpha.py" in str(synced.refusal("sync", "--frozen"))

    @pytest.mark.parametrize("path", ["../evil.py", "/tmp/evil.py", "a/../../evil.py"])
    def test_a_wheel_whose_paths_leave_its_folder_is_refused(
        self, synced: World, path: str
    ) -> None:
        synced.locks(synced.wheel("alpha", "2.0", files={path: "evil = True\n"}))
        assert path in str(synced.refusal("sync", "--frozen"))
        assert not list(synced.root.parent.rglob("evil.py"))

    def test_a_wheel_with_two_metadata_folders_is_refused(self, synced: World) -> None:
        other = {"beta-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: beta\n"}
        synced.locks(synced.wheel("alpha", "2.0", raw=other))
        assert "beta-1.0.dist-info" in str(synced.refusal("sync", "--frozen"))

    def test_a_wheel_that_contradicts_its_record_is_refused(self, synced: World) -> None:
        record = f"{record_row('alpha.py', b'something else')}\nalpha-2.0.dist-info/RECORD,,\n"
        raw = {"alpha-2.0.dist-info/RECORD": record.encode()}
        synced.locks(synced.wheel("alpha", "2.0", raw=raw))
        assert "alpha.py" in str(synced.refusal("sync", "--frozen"))

    def test_a_wheel_that_is_another_package_is_refused(self, synced: World) -> None:
        gamma = make_wheel(synced.root.parent / "other", "gamma", "2.0")
        wheel = synced.index.folder / "alpha-2.0-py3-none-any.whl"
        shutil.copy(gamma, wheel)
        synced.locks(wheel)
        assert "gamma" in str(synced.refusal("sync", "--frozen"))

    def test_an_sdist_whose_build_fails_shows_what_the_backend_said(self, synced: World) -> None:
        from tests.support.wheels import make_sdist

        backend = "raise SystemExit('no compiler today')\n"
        sdist = make_sdist(synced.index.folder, "src", "1.0", backend=backend)
        with (synced.root / "requirements.lock").open("a") as lock:
            lock.write(lock_of(sdist))
        problem = synced.refusal("sync", "--frozen")
        assert "src" in problem["message"]
        assert "no compiler today" in str(problem)


class TestDisks:
    def test_a_full_disk_leaves_the_environment_as_it_was(self, synced: World) -> None:
        big = {"alpha/data.bin": os.urandom(300_000)}
        synced.locks(synced.wheel("alpha", "2.0", files=big))
        before = snapshot(synced.root / "venv")
        # A file may not grow beyond 200 kB: what a full disk looks like to a program.
        limited = (
            "import resource, signal, sys\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n" + PROGRAM
        )

        done = ended([sys.executable, "-c", limited, "sync", "--frozen"], cwd=synced.root)

        assert done.returncode == 2, done.stdout + done.stderr
        assert "defect" not in done.stderr
        assert "alpha" in done.stderr
        assert snapshot(synced.root / "venv") == before

    def test_a_cache_that_cannot_be_written_costs_a_warning(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("VENVMAN_CACHE_DIR", str(tmp_path / "file" / "cache"))
        ran = run("sync", "--frozen", cwd=world.root)
        assert ran.code == 0, ran.stderr
        assert "warning" in ran.stderr
        assert str(tmp_path / "file" / "cache") in ran.stderr.replace("\n", "")
        assert versions_in(world.root) == {"alpha": "1.0"}

    def test_a_warm_cache_on_a_read_only_disk_serves_all_the_same(
        self, synced: World, read_only: ReadOnly
    ) -> None:
        shutil.rmtree(synced.root / "venv")
        with read_only(Path(os.environ["VENVMAN_CACHE_DIR"])):
            ran = run("sync", "--frozen", cwd=synced.root)
        assert ran.code == 0, ran.stderr
        assert versions_in(synced.root) == {"alpha": "1.0"}

    def test_links_asked_for_by_name_across_filesystems_cost_a_warning(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A second filesystem is not at hand: the call itself fails as it would there."""
        from venvman.install import link
        from venvman.project.settings import Link

        def refusing(*_: object) -> None:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

        monkeypatch.setitem(link._HOW, Link.HARDLINK, refusing)

        ran = run("sync", "--frozen", "--link", "hardlink", "--format", "json", cwd=world.root)

        assert ran.code == 0
        told = [each for each in ran.json["problems"] if each["code"] == "link-refused"]
        assert [each["severity"] for each in told] == ["warning"]
        assert versions_in(world.root) == {"alpha": "1.0"}

    def test_a_state_folder_that_cannot_be_written_is_named(
        self, world: World, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("")
        state = str(tmp_path / "file" / "state")
        problem = world.refusal("sync", "--frozen", VENVMAN_STATE_DIR=state)
        assert problem["code"] == "state-unwritable"
        assert "VENVMAN_STATE_DIR" in problem["advice"]
        assert world.index.requests == []

    def test_a_home_that_cannot_be_written_is_worked_around_with_one_note(
        self, homeless: World, tmp_path: Path
    ) -> None:
        ran = run("sync", "--frozen", "--format", "json", cwd=homeless.root)
        assert ran.code == 0, ran.stdout
        assert versions_in(homeless.root) == {"alpha": "1.0"}
        notes = [each for each in ran.json["problems"] if each["code"] == "state-elsewhere"]
        assert [note["severity"] for note in notes] == ["note"]
        (private,) = (tmp_path / "temporary").glob("venvman-[0-9]*")
        assert str(private) in notes[0]["why"]
        assert private.stat().st_mode & 0o777 == 0o700

    def test_a_temporary_folder_that_others_may_write_to_is_not_trusted(
        self, homeless: World, tmp_path: Path
    ) -> None:
        trap = tmp_path / "temporary" / f"venvman-{os.getuid()}"
        trap.mkdir()
        trap.chmod(0o777)
        assert homeless.refusal("sync", "--frozen")["code"] == "state-unwritable"
        assert homeless.index.requests == []

    @pytest.fixture
    def homeless(self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
        """A world whose user has no home to write to, as in many containers."""
        (tmp_path / "file").write_text("")
        (tmp_path / "temporary").mkdir()
        monkeypatch.delenv("VENVMAN_STATE_DIR", raising=False)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file" / "state"))
        monkeypatch.setenv("HOME", str(tmp_path / "file"))
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
        return world


class ReadOnly:
    """Makes folders read-only, as ``root`` too: by a bind mount, or by their modes."""

    def __call__(self, folder: Path) -> ReadOnly:
        self.folder = folder
        return self

    def __enter__(self) -> None:
        if os.geteuid() == 0 and self._mount("--bind", str(self.folder), str(self.folder)):
            self.mounted = self._mount("-o", "remount,bind,ro", str(self.folder))
        else:
            self.mounted = False
            self._chmod(0o555)

    def __exit__(self, *_: object) -> None:
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)
        else:
            self._chmod(0o755)

    def _mount(self, *words: str) -> bool:
        done = subprocess.run(["mount", *words], capture_output=True, check=False)
        return done.returncode == 0

    def _chmod(self, mode: int) -> None:
        for path in [self.folder, *self.folder.rglob("*")]:
            if path.is_dir():
                path.chmod(mode)


@pytest.fixture
def read_only() -> ReadOnly:
    return ReadOnly()


def _minor_names() -> list[str]:
    return ["python{}.{}".format(*sys.version_info)]
