"""Environments in order, made by whatever tool, with any Python: doctor has nothing to say."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import site_of
from tests.support.pythons import EVERY_PYTHON, OWN_PYTHON
from tests.support.sites import Site
from tests.support.wheels import make_wheel

PROGRAM = "import plain, tool.part, space.one, space.two.deep, stub\n"


def make_packages(folder: Path) -> None:
    make_wheel(folder, "plain", extras={"more": ["stub"]})
    make_wheel(folder, "stub")
    files = {
        "tool/__init__.py": "",
        "tool/part.py": "def main(): ...\n",
        "tool/data.json": "{}",
        "tool-1.0.data/data/share/tool/read.me": "more",
        "tool-1.0.data/scripts/tool-old": "#!python\nprint(1)\n",
    }
    make_wheel(folder, "tool", files=files, scripts={"tool": "tool.part:main"})
    for name, path in (("space-one", "space/one.py"), ("space-two", "space/two/deep.py")):
        make_wheel(folder, name, files={path: ""})


def pip(root: Path, *words: str) -> None:
    installed = ("install", "-q", "--disable-pip-version-check", "-r", "requirements.lock")
    subprocess.run(
        [root / "venv/bin/python", "-m", "pip", *installed, *words], cwd=root, check=True
    )


def by_venv(root: Path, python: Path) -> None:
    subprocess.run([python, "-m", "venv", "venv"], cwd=root, check=True)
    pip(root)


def by_venv_without_hashes(root: Path, python: Path) -> None:
    subprocess.run([python, "-m", "venv", "--prompt", "it's mine", "venv"], cwd=root, check=True)
    pip(root, "--no-compile")


def by_venv_with_copies(root: Path, python: Path) -> None:
    subprocess.run([python, "-m", "venv", "--copies", "venv"], cwd=root, check=True)
    pip(root)


def by_venvman(root: Path, python: Path) -> None:
    assert run("sync", "-q", "--python", str(python), cwd=root).code == 0


def by_virtualenv(root: Path, python: Path) -> None:
    subprocess.run(["virtualenv", "-q", "-p", python, "venv"], cwd=root, check=True)
    pip(root)


def by_uv(root: Path, python: Path) -> None:
    index = os.environ["PIP_INDEX_URL"]
    subprocess.run(["uv", "venv", "-q", "-p", python, "venv"], cwd=root, check=True)
    words = ("pip", "sync", "-q", "--index-url", index, "requirements.lock")
    environment = {**os.environ, "VIRTUAL_ENV": str(root / "venv")}
    subprocess.run(["uv", *words], cwd=root, env=environment, check=True)


MAKERS: dict[str, Callable[[Path, Path], None]] = {
    "venv": by_venv,
    "venv-prompt": by_venv_without_hashes,
    "venv-copies": by_venv_with_copies,
    "venvman": by_venvman,
    "virtualenv": by_virtualenv,
    "uv": by_uv,
}
OFTEN = ("venv", "venvman")


@pytest.fixture
def root(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    make_packages(index.folder)
    root = tmp_path / "p"
    root.mkdir()
    (root / "requirements.txt").write_text("plain[more]\ntool\nspace-one\nspace-two\n")
    return root


def alarms(root: Path) -> list[str]:
    """All errors and warnings, first as a plain look finds them, then with contents."""
    found: list[str] = []
    for flags in ((), ("--verify",)):
        ran = run("doctor", "--format", "json", *flags, cwd=root)
        rows = ran.json["data"]["findings"]
        found += [
            f"{each['code']} {each['message']}" for each in rows if each["severity"] != "note"
        ]
    return found


def check(root: Path, maker: str, python: Path) -> None:
    assert run("freeze", "-q", "--python", str(python), cwd=root).code == 0
    MAKERS[maker](root, python)
    assert alarms(root) == []
    inner = root / "venv/bin/python"
    subprocess.run([inner, "-c", PROGRAM], check=True)
    subprocess.run([inner, "-m", "compileall", "-q", root / "venv/lib"], check=False)
    (root / "venv/lib/.DS_Store").write_text("")
    (root / "notes.py").write_text("")
    assert alarms(root) == []
    assert run("sync", "--check", cwd=root).code == 0


@pytest.mark.parametrize("maker", OFTEN)
def test_an_environment_in_order_has_no_findings(maker: str, root: Path) -> None:
    check(root, maker, OWN_PYTHON)


@pytest.mark.slow
@pytest.mark.parametrize("python", EVERY_PYTHON, ids=str)
@pytest.mark.parametrize("maker", MAKERS)
def test_every_tool_and_every_python(maker: str, python: Path, root: Path) -> None:
    if maker in ("virtualenv", "uv") and shutil.which(maker) is None:
        pytest.skip(f"{maker} is not here")
    if maker == "virtualenv" and "3.8" in str(python):
        pytest.skip("virtualenv has no pip for Python 3.8 any more")
    check(root, maker, python)


def editable(site: Site, project: Path) -> None:
    """As PEP 660 backends install a folder: a .pth file, or a finder."""
    url = {"url": project.as_uri(), "dir_info": {"editable": True}}
    files = {
        "mine.pth": f"{project / 'src'}\n",
        "mine-1.0.dist-info/entry_points.txt": "[console_scripts]\nmine = mine.cli:main\n",
    }
    site.dist_info("mine", files=files, direct_url=url)


def egg_link(site: Site, project: Path) -> None:
    """As `setup.py develop` did it."""
    (site.folder / "mine.egg-link").write_text(f"{project}\n.")
    (site.folder / "easy-install.pth").write_text(f"{project}\n")


@pytest.mark.parametrize("install", [editable, egg_link])
def test_a_project_installed_in_place_is_no_finding(
    install: Callable[[Site, Path], None], root: Path
) -> None:
    (root / "libs/mine/src/mine").mkdir(parents=True)
    (root / "libs/mine/src/mine/__init__.py").write_text("")
    (root / "libs/mine/src/mine/cli.py").write_text("def main(): ...\n")
    (root / "pyproject.toml").write_text('[tool.venvman]\nkeep = ["mine"]\n')
    by_venvman(root, OWN_PYTHON)
    install(Site(site_of(root)), root / "libs/mine")
    assert alarms(root) == []
