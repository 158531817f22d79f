"""``venvman run`` and ``shell``, as real processes."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, Ran, ended, run_process
from tests.support.index import Index
from tests.support.shops import Shop, stock
from venvman.environment.shells import shell_of
from venvman.model.events import Reporter
from venvman.workflow.context import Context, open_context
from venvman.workflow.requests import LockPolicy, SyncRequest
from venvman.workflow.running import prepare_command, prepare_shell

SHOW = "import json, os, sys; print(json.dumps([sys.prefix, dict(os.environ)]))"


@pytest.fixture
def shop(tmp_path: Path, index: Index) -> Shop:
    """A project whose lock holds ``turbo``, which has a script that exits with 3."""
    stock(index.folder)
    (tmp_path / ".git").mkdir()
    shop = Shop(tmp_path)
    shop.write({"requirements.in": "turbo\n"})
    shop.lock("turbo==1.0\n    # via -r requirements.in\n")
    return shop


@pytest.fixture
def synced(shop: Shop) -> Shop:
    assert shop.run("sync", "--frozen").code == 0
    return shop


class TestRun:
    def test_the_command_sees_the_environment(self, synced: Shop) -> None:
        ran = run_process("run", "python", "-c", SHOW, cwd=synced.root)
        prefix, variables = json.loads(ran.stdout)
        assert prefix == variables["VIRTUAL_ENV"] == str(synced.root / "venv")
        assert variables["PATH"].startswith(str(synced.root / "venv" / "bin"))
        assert variables["VIRTUAL_ENV_PROMPT"] == "venv"

    def test_its_options_are_its_own(self, synced: Shop) -> None:
        plain = run_process("run", "python", "--version", cwd=synced.root)
        dashes = run_process("run", "--", "python", "--version", cwd=synced.root)
        assert plain.stdout == dashes.stdout
        assert plain.stdout.startswith("Python 3.")

    def test_its_exit_code_is_passed_on(self, synced: Shop) -> None:
        ran = run_process("run", "turbo", cwd=synced.root)
        assert (ran.code, ran.stdout) == (3, "whoosh\n")

    def test_sync_makes_the_environment_true_first(self, shop: Shop) -> None:
        ran = run_process("run", "--sync", "--frozen", "turbo", cwd=shop.root)
        assert (ran.code, ran.stdout) == (3, "whoosh\n")

    def test_a_command_that_is_not_there_exits_with_127(self, synced: Shop) -> None:
        ran = synced.run("run", "no-such-thing")
        assert ran.code == 127
        assert "no command 'no-such-thing'" in ran.stderr
        assert synced.run("run", "./nothing").code == 127

    def test_a_folder_is_no_program_and_an_empty_name_no_command(self, synced: Shop) -> None:
        folder = synced.run("run", "/tmp")
        empty = synced.run("run", "")
        assert (folder.code, empty.code) == (126, 127)
        assert "/tmp is a folder, no program." in folder.stderr
        assert "The name of the command is empty." in empty.stderr

    def test_a_file_that_is_no_program_exits_with_126(self, synced: Shop) -> None:
        synced.write({"script.py": "print(1)\n"})
        ran = synced.run("run", "./script.py")
        assert ran.code == 126
        assert "venvman run python ./script.py" in ran.stderr

    def test_refusals_can_be_had_as_json(self, synced: Shop) -> None:
        ran = synced.run("run", "--format", "json", "no-such-thing")
        assert ran.json["exit_code"] == 127

    def test_the_commands_own_format_is_not_ours(self, synced: Shop) -> None:
        ran = synced.run("run", "no-such-thing", "--format", "json")
        assert ran.stdout == ""
        assert "command-not-found" in ran.stderr

    def test_without_an_environment_it_says_how_to_get_one(self, shop: Shop) -> None:
        ran = shop.run("run", "python")
        assert ran.code == 2
        assert "error: environment-absent" in ran.stderr

    def test_without_a_command_it_is_a_usage_error(self, synced: Shop) -> None:
        assert synced.run("run").code == 2

    def test_a_python_home_does_not_reach_the_command(self, synced: Shop) -> None:
        code = f"import os; os.environ['PYTHONHOME'] = '/nowhere'\n{PROGRAM}"
        done = ended(
            [sys.executable, "-c", code, "run", "python", "-c", "print(1)"], cwd=synced.root
        )
        assert (done.returncode, done.stdout) == (0, "1\n")


def on_terminal(shop: Shop, shell: str, lines: list[str]) -> Ran:
    """``venvman shell`` on a terminal, with ``lines`` typed into it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "shell"],
        cwd=shop.root,
        env={**os.environ, "SHELL": shell, "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, "".join(f"{line}\n" for line in lines).encode())
    shown = b""
    with contextlib.suppress(OSError):  # what Linux says when the other side is closed
        while chunk := os.read(ours, 65536):
            shown += chunk
    os.close(ours)
    return Ran(process.wait(timeout=20), shown.decode())


def context_of(shop: Shop) -> Context:
    return open_context(
        project=None, flags={}, variables=dict(os.environ), cwd=shop.root, reporter=Reporter()
    )


class TestPreparing:
    def test_a_command_of_the_environment_comes_before_others_of_its_name(
        self, synced: Shop
    ) -> None:
        launch = prepare_command(context_of(synced), None, ["python", "-V"])
        assert launch.argv == (str(synced.root / "venv" / "bin" / "python"), "-V")

    def test_syncing_first_can_make_the_environment(self, shop: Shop) -> None:
        request = SyncRequest(locks=LockPolicy.FROZEN)
        launch = prepare_command(context_of(shop), request, ["turbo"])
        assert launch.argv == (str(shop.root / "venv" / "bin" / "turbo"),)

    def test_an_empty_path_is_no_obstacle(
        self, synced: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PATH")
        launch = prepare_command(context_of(synced), None, ["turbo"])
        assert launch.variables["PATH"] == str(synced.root / "venv" / "bin")

    @pytest.mark.parametrize(
        ("shell", "interactive", "words"),
        [("/bin/bash", True, 4), ("/bin/bash", False, 1), ("/usr/bin/tcsh", True, 1)],
    )
    def test_a_shell_activates_by_its_startup_file_or_by_variables(
        self,
        synced: Shop,
        monkeypatch: pytest.MonkeyPatch,
        shell: str,
        interactive: bool,
        words: int,
    ) -> None:
        monkeypatch.setenv("SHELL", shell)
        launch = prepare_shell(context_of(synced), None, interactive=interactive)
        assert launch.argv[0] == shell
        assert len(launch.argv) == words
        assert ("VIRTUAL_ENV" in launch.variables) == (words == 1)


class TestShell:
    def test_a_script_on_stdin_runs_inside(self, synced: Shop) -> None:
        done = ended(
            [sys.executable, "-c", PROGRAM, "shell"],
            cwd=synced.root,
            input="turbo; echo $VIRTUAL_ENV; exit 4\n",
            env={**os.environ, "SHELL": "/bin/sh"},
        )
        assert done.returncode == 4
        assert done.stdout == f"whoosh\n{synced.root / 'venv'}\n"

    @pytest.mark.parametrize("shell", [s for s in ("bash", "sh", "dash") if shutil.which(s)])
    def test_on_a_terminal_the_environment_comes_after_the_users_own_settings(
        self, synced: Shop, isolated: Path, shell: str
    ) -> None:
        (isolated / ".bashrc").write_text("PS1='mine> '\nalias hello='echo hello-from-me'\n")
        ran = on_terminal(synced, shell, ["turbo; echo in:$VIRTUAL_ENV:", "hello", "exit 5"])
        assert ran.code == 5
        assert "whoosh" in ran.stdout
        assert f"in:{synced.root / 'venv'}:" in ran.stdout
        if shell == "bash":
            assert "(venv) mine> " in ran.stdout
            assert "hello-from-me" in ran.stdout

    def test_the_shell_is_the_users(self) -> None:
        assert shell_of({"SHELL": "/bin/zsh"}) == "/bin/zsh"
        assert shell_of({}) == "/bin/sh"
