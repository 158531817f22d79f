"""``venvman shell``, ``activate`` and ``shell-hook`` in the shells that this machine has."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, Ran, ended
from tests.support.index import Index
from tests.support.shops import Shop, stock
from venvman.environment.shells import activating, activation, kind_of, moved

INTERACTIVE = [each for each in ("bash", "zsh", "fish") if shutil.which(each)]
POSIX = [each for each in ("bash", "dash", "zsh") if shutil.which(each)]
HOSTILE = "p $(touch INJECTED)`touch INJECTED`'\"; touch INJECTED #\\"


@pytest.fixture
def shop(tmp_path: Path, index: Index) -> Shop:
    """A synced project in a folder whose name every shell would stumble over."""
    stock(index.folder)
    (tmp_path / ".git").mkdir()
    (tmp_path / HOSTILE).mkdir()
    shop = Shop(tmp_path / HOSTILE)
    shop.write({"requirements.in": "turbo\n"})
    shop.lock("turbo==1.0\n    # via -r requirements.in\n")
    assert shop.run("sync", "--frozen").code == 0
    return shop


@pytest.fixture
def startup(isolated: Path, tmp_path: Path) -> None:
    """Startup files that put a ``python`` of their own first, as pyenv, Homebrew and conda do."""
    front = tmp_path / "front"
    front.mkdir()
    (front / "python").write_text("#!/bin/sh\necho the wrong python\n")
    (front / "python").chmod(0o755)
    rc = f"export PATH='{front}':\"$PATH\"\nPS1='mine> '\nalias hello='echo hello-from-me'\n"
    for name in (".bashrc", ".zshrc"):
        (isolated / name).write_text(rc)
    (isolated / ".zshenv").write_text("export FROM_ZSHENV=seen\n")
    fish = isolated / ".config" / "fish"
    fish.mkdir(parents=True)
    (fish / "config.fish").write_text(
        f"set -gx PATH '{front}' $PATH\nalias hello='echo hello-from-me'\n"
        "function fish_prompt; printf 'mine> '; end\n"
    )


# fish starts only where the terminal is its own.
_OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


def on_terminal(argv: list[str], cwd: Path, lines: list[str], **variables: str) -> Ran:
    """``argv`` on a terminal, with ``lines`` typed into it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _OWN_TERMINAL, *argv],
        cwd=cwd,
        env={**os.environ, "TERM": "dumb", **variables},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, "".join(f"{line}\n" for line in lines).encode())
    shown = b""
    with contextlib.suppress(OSError):  # what Linux says when the other side is closed
        while select.select([ours], [], [], 60)[0] and (chunk := os.read(ours, 65536)):
            shown += chunk
    os.close(ours)
    return Ran(process.wait(timeout=20), shown.decode(errors="replace"))


def printed(*words: str, cwd: Path, **variables: str) -> str:
    done = ended(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=cwd,
        env={**os.environ, **variables},
        check=True,
    )
    return done.stdout


class TestShell:
    @pytest.mark.usefixtures("startup")
    @pytest.mark.parametrize("shell", INTERACTIVE)
    def test_the_environment_is_first_though_startup_files_put_others_first(
        self, shop: Shop, shell: str
    ) -> None:
        ran = on_terminal(
            [sys.executable, "-c", PROGRAM, "shell"],
            shop.root,
            ["command -v python >which.txt", "echo $FROM_ZSHENV >zshenv.txt", "hello", "exit 5"],
            SHELL=str(shutil.which(shell)),
        )

        assert ran.code == 5
        which = (shop.root / "which.txt").read_text()
        assert which == f"{shop.root / 'venv' / 'bin' / 'python'}\n"
        assert "(venv) mine> " in ran.stdout
        assert "hello-from-me" in ran.stdout
        if shell == "zsh":
            assert (shop.root / "zshenv.txt").read_text() == "seen\n"
        assert not (shop.root / "INJECTED").exists()

    @pytest.mark.parametrize("shell", INTERACTIVE)
    @pytest.mark.usefixtures("startup")
    def test_deactivate_leaves_what_the_startup_files_made(self, shop: Shop, shell: str) -> None:
        ran = on_terminal(
            [sys.executable, "-c", PROGRAM, "shell"],
            shop.root,
            ["deactivate", "python >python.txt", 'echo "in:$VIRTUAL_ENV:" >in.txt', "exit"],
            SHELL=str(shutil.which(shell)),
        )
        assert ran.code == 0
        assert (shop.root / "python.txt").read_text() == "the wrong python\n"
        assert (shop.root / "in.txt").read_text() == "in::\n"

    @pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
    def test_zsh_reads_its_files_from_where_the_user_has_them(
        self, shop: Shop, tmp_path: Path
    ) -> None:
        own = tmp_path / "dots"
        own.mkdir()
        (own / ".zshrc").write_text("OWN=$ZDOTDIR\n")
        on_terminal(
            [sys.executable, "-c", PROGRAM, "shell"],
            shop.root,
            ["echo $OWN $ZDOTDIR ${VENVMAN_ACTIVATE-none} >dots.txt", "exit"],
            SHELL=str(shutil.which("zsh")),
            ZDOTDIR=str(own),
        )
        assert (shop.root / "dots.txt").read_text() == f"{own} {own} none\n"

    def test_a_folder_that_cannot_be_written_leaves_the_variables(self, tmp_path: Path) -> None:
        (tmp_path / "state").touch()
        assert activating("bash", "", startup=tmp_path / "state" / "s", variables={}) is None


class TestActivate:
    SCRIPT = """\
PS1='mine> '
before=$PATH
eval "$ACTIVATE"
command -v python
echo "$PS1"
PATH=/front:$PATH
eval "$ACTIVATE"
echo "$PS1"
deactivate
[ "$PATH" = "/front:$before" ] && echo "PATH is as it was"
echo "$PS1${VIRTUAL_ENV-unset}"
"""

    @pytest.mark.parametrize("shell", POSIX)
    @pytest.mark.parametrize("options", ["", "u"])
    def test_what_is_evaluated_activates_until_deactivate(
        self, shop: Shop, shell: str, options: str
    ) -> None:
        kind = str(kind_of(shell))
        text = printed("activate", "--shell", kind, cwd=shop.root)

        done = ended(
            [shell, f"-{options}c", self.SCRIPT],
            cwd=shop.root,
            env={**os.environ, "ACTIVATE": text},
        )

        assert done.stdout.splitlines() == [
            f"{shop.root / 'venv' / 'bin' / 'python'}",
            "(venv) mine> ",
            "(venv) mine> ",
            "PATH is as it was",
            "mine> unset",
        ]
        assert done.stderr == ""
        assert not (shop.root / "INJECTED").exists()

    @pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
    def test_fish_sources_it(self, shop: Shop) -> None:
        text = printed("activate", "--shell", "fish", cwd=shop.root)
        script = (
            "function fish_prompt; echo 'mine> '; end\n"
            f"{text}command -v python\nfish_prompt\nset -gx PATH /front $PATH\n"
            'deactivate\nfish_prompt\necho "$PATH[1]$VIRTUAL_ENV"\n'
        )

        done = ended(["fish", "-c", script], cwd=shop.root)

        assert done.stdout.splitlines() == [
            f"{shop.root / 'venv' / 'bin' / 'python'}",
            "(venv) mine> ",
            "mine> ",
            "/front",
        ]

    def test_it_takes_over_from_what_python_s_own_script_activated(self, shop: Shop) -> None:
        # Beside the folder with the odd name: what Python 3.12.7 writes there no shell can read.
        other = shop.root.parent / "other"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", other], check=True)
        text = printed("activate", "--shell", "bash", cwd=shop.root)
        script = (
            "PS1='mine> '; before=$PATH; . ../other/bin/activate; eval \"$ACTIVATE\"; "
            'echo "$PS1"; deactivate; [ "$PATH" = "$before" ] && echo "$PS1"'
        )
        done = ended(["bash", "-c", script], cwd=shop.root, env={**os.environ, "ACTIVATE": text})
        assert done.stdout == "(venv) mine> \nmine> \n"

    def test_nothing_of_the_environment_is_run_by_it(self, shop: Shop) -> None:
        for script in (shop.root / "venv" / "bin").glob("[Aa]ctivate*"):
            script.write_text("touch INJECTED\n")
        text = printed("activate", "--shell", "bash", cwd=shop.root)
        subprocess.run(["bash", "-c", text], cwd=shop.root, check=True)
        assert not (shop.root / "INJECTED").exists()

    def test_a_name_that_a_prompt_would_expand_is_shown_without_its_signs(
        self, tmp_path: Path
    ) -> None:
        root = tmp_path / "$(touch INJECTED)%n"
        text = activation("bash", root, root / "bin")
        assert "VIRTUAL_ENV_PROMPT='__touch INJECTED__n'\n" in text

    @pytest.mark.skipif(shutil.which("nu") is None, reason="there is no nushell")
    def test_nushell_sources_it(self, shop: Shop, tmp_path: Path) -> None:
        script = tmp_path / "activate.nu"
        script.write_text(printed("activate", "--shell", "nushell", cwd=shop.root))
        lines = (
            "$env.PROMPT_COMMAND = {|| 'mine> ' }",
            f"source {script}",
            "print (which python | get 0.path)",
            "print (do $env.PROMPT_COMMAND)",
            "$env.PATH = ($env.PATH | prepend '/front')",
            f"source {script}",
            "deactivate",
            "print (do $env.PROMPT_COMMAND)",
            "print ($env.PATH | first) ($env.VIRTUAL_ENV? | default 'unset')",
            f"print ($env.PATH | where $it =~ '{tmp_path}' | length)",
        )

        done = ended(["nu", "-n", "-c", "\n".join(lines)], cwd=shop.root)

        assert done.stdout.splitlines() == [
            f"{shop.root / 'venv' / 'bin' / 'python'}",
            "(venv) mine> ",
            "mine> ",
            "/front",
            "unset",
            "0",
        ]
        assert not (shop.root / "INJECTED").exists()

    def test_powershell_and_nushell_get_names_quoted(self, tmp_path: Path) -> None:
        root = tmp_path / "it's \N{RIGHT SINGLE QUOTATION MARK}$x"
        powershell = activation("powershell", root, root / "bin")
        nushell = activation("nushell", root, root / "bin")
        quoted = str(root).replace("'", "''").replace("\u2019", "\u2019\u2019")
        assert f"$Env:VIRTUAL_ENV = '{quoted}'\n" in powershell
        assert f'"{tmp_path}/it\\u{{27}}s \\u{{2019}}\\u{{24}}x"\n' in nushell

    def test_without_an_environment_it_says_how_to_make_one(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        shop = Shop(tmp_path)
        shop.write({"requirements.in": "turbo\n"})
        ran = shop.run("activate")
        assert (ran.code, ran.stdout) == (2, "")
        assert "venvman sync" in ran.stderr


class TestHook:
    @pytest.mark.usefixtures("startup")
    @pytest.mark.parametrize("shell", INTERACTIVE)
    def test_cd_activates_and_deactivates(self, shop: Shop, isolated: Path, shell: str) -> None:
        text = printed("shell-hook", shell, cwd=shop.root)
        rc = isolated / (".config/fish/config.fish" if shell == "fish" else f".{shell}rc")
        rc.write_text(rc.read_text() + text)
        (shop.root / "below").mkdir()
        told = f"echo \"[$VIRTUAL_ENV]\" >>'{shop.root.parent}/seen.txt'"

        on_terminal(
            [str(shutil.which(shell)), "-i"],
            shop.root.parent,
            [told, "cd p*", told, "cd below", told, "cd /", told, "python", "exit"],
        )

        inside = f"[{shop.root / 'venv'}]"
        out = shop.root.parent / "seen.txt"
        assert out.read_text().splitlines() == ["[]", inside, inside, "[]"]
        assert not list(shop.root.parent.rglob("INJECTED"))

    def test_an_environment_that_came_with_a_repository_is_not_activated(self, shop: Shop) -> None:
        cloned = shop.root.parent / "cloned"
        shutil.copytree(shop.root, cloned, symlinks=True)
        assert printed("shell-hook", "bash", "--here", cwd=cloned) == ""
        assert printed("shell-hook", "bash", "--here", cwd=shop.root) != ""

    def test_another_projects_environment_that_a_file_names_is_not_activated(
        self, shop: Shop
    ) -> None:
        other = shop.root.parent / "other"
        other.mkdir()
        (other / ".git").mkdir()
        (other / "requirements.in").write_text("turbo\n")
        (other / "pyproject.toml").write_text(
            "[tool.venvman]\nvenv = '''" + str(shop.root / "venv") + "'''\n"
        )
        assert printed("shell-hook", "bash", "--here", cwd=other) == ""

    def test_a_project_that_cannot_be_read_says_nothing_at_each_prompt(self, shop: Shop) -> None:
        (shop.root / "pyproject.toml").write_text("[tool.venvman\n")
        assert printed("shell-hook", "bash", "--here", cwd=shop.root) == ""

    @pytest.mark.parametrize(
        ("active", "hooked", "target", "acts"),
        [
            ("", "", "/p/venv", True),
            ("/p/venv", "/p/venv", "/p/venv", False),
            ("/p/venv", "/p/venv", "/q/venv", True),
            ("/p/venv", "/p/venv", None, True),
            ("/mine", "", "/p/venv", False),
            ("/mine", "/p/venv", None, False),
            ("", "/p/venv", "/p/venv", False),
            ("", "", None, False),
        ],
    )
    def test_what_somebody_activated_or_left_by_hand_stays_so(
        self, active: str, hooked: str, target: str | None, acts: bool
    ) -> None:
        variables = {"VIRTUAL_ENV": active, "VENVMAN_HOOKED": hooked}
        assert bool(moved("bash", variables, target)) is acts

    def test_the_layout_for_direnv_activates(self, shop: Shop) -> None:
        layout = printed("shell-hook", "direnv", cwd=shop.root)
        script = f'watch_file() {{ echo "watches $1"; }}\n{layout}layout_venvman\necho $VIRTUAL_ENV'
        done = ended(["bash", "-c", script], cwd=shop.root, check=True)
        venv = shop.root / "venv"
        assert done.stdout.splitlines() == [f"watches {venv}/pyvenv.cfg", f"{venv}"]
