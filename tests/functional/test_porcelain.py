"""``status --porcelain``: five words that prompts read, and the documented prompts that do."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.support.cli import ended
from tests.support.index import Index
from tests.support.shops import Shop, stock
from venvman.cli.remembered import tell

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "shells.md").read_text()


@pytest.fixture
def shop(tmp_path: Path, index: Index) -> Shop:
    """A synced project with one package."""
    stock(index.folder)
    (tmp_path / ".git").mkdir()
    shop = Shop(tmp_path)
    shop.write({"requirements.in": "turbo\n"})
    assert shop.run("sync").code == 0
    return shop


def line(shop: Shop) -> tuple[int, str]:
    ran = shop.run("status", "--porcelain")
    return ran.code, ran.stdout


def test_all_is_well(shop: Shop) -> None:
    assert line(shop) == (0, "ok fresh +0 -0 ~0\n")


def test_the_lock_is_out_of_date(shop: Shop) -> None:
    shop.write({"requirements.in": "turbo\nmissing-one\n"})
    assert line(shop) == (1, "ok stale +0 -0 ~0\n")


def test_a_package_is_gone(shop: Shop) -> None:
    (info,) = (shop.root / "venv").glob("lib/*/site-packages/turbo-*.dist-info")
    shutil.rmtree(info)
    assert line(shop) == (1, "drift fresh +1 -0 ~0\n")


def test_there_is_no_lock(shop: Shop) -> None:
    (shop.root / "requirements.txt").unlink()
    assert line(shop) == (1, "drift missing +0 -0 ~0\n")


def test_there_is_no_environment(shop: Shop) -> None:
    shutil.rmtree(shop.root / "venv")
    code, said = line(shop)
    assert code == 1
    assert said.startswith("absent fresh +")


def test_the_environment_is_none(shop: Shop) -> None:
    (shop.root / "venv" / "bin" / "python").unlink()
    assert line(shop)[1].startswith("broken fresh ")


def test_outside_a_project_there_is_no_line(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    ran = Shop(tmp_path).run("status", "--porcelain")
    assert (ran.code, ran.stdout) == (2, "")


def test_the_answer_is_remembered(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    time.sleep(0.05)  # what was written this very moment is not relied on
    line(shop)
    monkeypatch.chdir(shop.root)
    assert tell(["status", "--porcelain"], os.environ) == 0
    assert capsys.readouterr().out == "ok fresh +0 -0 ~0\n"


def shown_by(shop: Shop, shell: str, script: str) -> str:
    (shop.root / "bin").mkdir(exist_ok=True)
    program = shop.root / "bin" / "venvman"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m venvman "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = ended([shell, "-c", script], cwd=shop.root, env={**os.environ, "PATH": path})
    assert done.stderr == ""
    return done.stdout


STARSHIP = re.findall(r'^command = "(.*)"$', PAGE, re.MULTILINE)[0]
POWERLEVEL = re.findall(r"```zsh\n(function prompt_venvman.*?)```", PAGE, re.DOTALL)[0]
PROMPTS = [("sh", STARSHIP)]
if shutil.which("zsh"):
    stub = 'p10k() { print -r -- "${@[-1]}"; }\n'
    PROMPTS.append(("zsh", f"{stub}{POWERLEVEL}prompt_venvman"))


@pytest.mark.parametrize(("shell", "script"), PROMPTS, ids=[shell for shell, _ in PROMPTS])
def test_the_documented_prompts_show_what_is_not_well(shop: Shop, shell: str, script: str) -> None:
    assert shown_by(shop, shell, script) == ""
    shop.write({"requirements.in": "turbo\nmissing-one\n"})
    assert shown_by(shop, shell, script) == "ok stale +0 -0 ~0\n"
