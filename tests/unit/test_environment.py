"""Environments: located, made and removed whole or not at all."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import ended
from tests.support.pythons import EVERY_PYTHON
from venvman.environment import lifecycle as environments
from venvman.environment.inspection import Absent, Environment, inspect, usable
from venvman.environment.lifecycle import create, locate, remove
from venvman.model.errors import ConfigurationError, EnvironmentUnusable
from venvman.project.project import Project
from venvman.project.settings import read_settings
from venvman.python.probe import Interpreter, probe
from venvman.system.directories import Directories
from venvman.system.files import CACHEDIR_TAG


def tree(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


@pytest.mark.parametrize("python", EVERY_PYTHON, ids=str)
def test_an_environment_of_every_python_is_what_that_python_believes_it_to_be(
    python: Path, tmp_path: Path, directories: Directories
) -> None:
    made = create(
        tmp_path / "venv", probe(python, directories=directories), directories=directories
    )
    code = "import json, sys, sysconfig; print(json.dumps([sys.prefix, sysconfig.get_paths()]))"
    told = ended([made.python, "-c", code], check=True)
    prefix, paths = json.loads(told.stdout)
    assert prefix == str(made.root)
    for name in ("purelib", "platlib", "scripts", "data"):
        assert str(getattr(made.paths, name)) == paths[name]
    assert inspect(tmp_path / "venv", directories=directories) == made


def test_a_new_environment_is_marked_hidden_from_git_and_backups_and_has_no_pip(
    venv: Path, directories: Directories
) -> None:
    assert (venv / ".gitignore").read_text() == "*\n"
    assert (venv / "CACHEDIR.TAG").read_text() == CACHEDIR_TAG
    made = usable(venv, directories=directories)
    assert made is not None
    assert made.made_by_venvman
    assert list(made.paths.purelib.iterdir()) == []


def test_variables_that_bend_pythons_do_not_reach_the_making(
    tmp_path: Path, own: Interpreter, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("__PYVENV_LAUNCHER__", "/nowhere/python")
    assert create(tmp_path / "venv", own, directories=directories).python.exists()


def test_a_path_with_spaces_and_missing_parents_is_fine(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    path = tmp_path / "a b" / "ü" / "venv"
    create(path, own, directories=directories)
    assert isinstance(inspect(path, directories=directories), Environment)


def test_an_empty_folder_is_filled(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    (tmp_path / "venv").mkdir()
    assert create(tmp_path / "venv", own, directories=directories).root == tmp_path / "venv"


def test_where_a_link_points_to_nothing_the_environment_is_made_there(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    (tmp_path / "venv").symlink_to(tmp_path / "disk" / "env")
    create(tmp_path / "venv", own, directories=directories)
    assert (tmp_path / "venv").is_symlink()
    assert isinstance(inspect(tmp_path / "disk" / "env", directories=directories), Environment)


def test_a_venv_process_that_outlives_a_killed_making_is_waited_for(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    slow, begun, go = (tmp_path / name for name in ("python", "begun", "go"))
    wait = f"until [ -e {go} ]; do sleep 0.01; done"
    slow.write_text(f'#!/bin/sh\ntouch {begun}\n{wait}\nexec {own.path} "$@"\n')
    slow.chmod(0o755)
    path = tmp_path / "venv"
    child = os.fork()
    if child == 0:
        try:
            create(path, replace(own, path=slow), directories=directories)
        finally:
            os._exit(0)
    while not begun.exists():
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

    assert inspect(path, directories=directories) == Absent(path=path)

    def make() -> None:
        environments.recover_replaced(path)
        create(path, own, directories=directories)

    with ThreadPoolExecutor(1) as second:
        made = second.submit(make)
        assert not wait_for([made], timeout=0.3).done
        go.touch()
        made.result()
    assert isinstance(inspect(path, directories=directories), Environment)
    assert {".gitignore", "CACHEDIR.TAG", "pyvenv.cfg"} <= set(tree(path))
    assert tree(path / ".venvman") == ["made-by", "owner"]


def test_an_interpreter_without_the_venv_module_says_what_to_install(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    with pytest.raises(EnvironmentUnusable, match="has no venv module") as caught:
        create(tmp_path / "venv", replace(own, has_venv=False), directories=directories)
    assert "sudo apt install python{}.{}-venv".format(*own.minor) in str(caught.value.fix)


def test_the_last_words_of_a_venv_module_that_fails_are_told(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho first\necho 'Error: too dark' >&2\nexit 1\n")
    program.chmod(0o755)
    for path, why in ((program, "Error: too dark"), (tmp_path / "gone", "Could not start")):
        with pytest.raises(EnvironmentUnusable) as caught:
            create(tmp_path / "venv", replace(own, path=path), directories=directories)
        assert caught.value.code == "environment-not-created"
        assert why in str(caught.value.why)
    assert not (tmp_path / "venv").exists()


def located(root: Path, toml: str = "") -> Path:
    (root / "pyproject.toml").write_text(toml)
    return locate(Project(root=root), read_settings(root, variables={}))


def looks_like_environment(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "pyvenv.cfg").touch()
    return path


def test_a_hidden_environment_alone_is_adopted(tmp_path: Path) -> None:
    hidden = looks_like_environment(tmp_path / ".venv")
    assert located(tmp_path) == hidden
    (tmp_path / "venv").mkdir()  # a package of that name, say
    assert located(tmp_path) == hidden


def test_beside_an_environment_at_venv_the_hidden_one_is_not(tmp_path: Path) -> None:
    looks_like_environment(tmp_path / ".venv")
    looks_like_environment(tmp_path / "venv")
    assert located(tmp_path) == tmp_path / "venv"


def test_a_hidden_folder_that_is_no_environment_is_not_adopted(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    assert located(tmp_path) == tmp_path / "venv"


def test_a_hidden_file_may_name_the_folder_of_the_environment(tmp_path: Path) -> None:
    there = looks_like_environment(tmp_path / "envs" / "one")
    for text in ("envs/one\n", f"{there}"):
        (tmp_path / ".venv").write_text(text)
        assert located(tmp_path) == there


@pytest.mark.parametrize("content", [b"", b"gone\n", b"a\nb\n", b"\xff", b"a\0b"])
def test_a_hidden_file_that_names_nothing_is_passed_over(content: bytes, tmp_path: Path) -> None:
    (tmp_path / ".venv").write_bytes(content)
    assert located(tmp_path) == tmp_path / "venv"


def test_the_configuration_names_any_folder(tmp_path: Path, isolated: Path) -> None:
    for named, path in (
        ("env", tmp_path / "env"),
        ("../env", tmp_path.parent / "env"),
        ("/opt/env", Path("/opt/env")),
        ("~/env", isolated / "env"),
    ):
        assert located(tmp_path, f"[tool.venvman]\nvenv = '{named}'\n") == path


@pytest.mark.parametrize("named", [".", "..", "/", "sub/.."])
def test_the_project_itself_is_no_place_for_an_environment(named: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the project lies in that folder"):
        located(tmp_path, f"[tool.venvman]\nvenv = '{named}'\n")


def test_what_is_no_environment_is_not_removed(tmp_path: Path) -> None:
    for name, make in (("file", Path.touch), ("folder", Path.mkdir)):
        make(tmp_path / name)
    (tmp_path / "folder" / "pyvenv.cfg").touch()
    (tmp_path / "link").symlink_to("folder")
    for name in ("file", "folder", "link", "absent"):
        with pytest.raises(EnvironmentUnusable) as caught:
            remove(tmp_path / name)
        assert caught.value.code == "not-an-environment"
    assert tree(tmp_path) == ["file", "folder", "link"]


@pytest.mark.parametrize("mark", [".git", "pyproject.toml"])
def test_a_project_that_is_its_own_environment_is_not_removed(mark: str, venv: Path) -> None:
    (venv / mark).touch()
    with pytest.raises(EnvironmentUnusable, match=re.escape(f"{venv} is not")) as caught:
        remove(venv)
    assert caught.value.why == f"It also holds {mark}."
    assert (venv / "bin").exists()


def test_the_environment_that_venvman_runs_in_is_not_removed() -> None:
    with pytest.raises(EnvironmentUnusable) as caught:
        remove(Path(sys.prefix))
    assert caught.value.code in {"environment-runs-venvman", "not-an-environment"}
    assert Path(sys.executable).exists()


def test_an_environment_that_contains_the_running_python_is_not_removed(
    venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(venv))
    with pytest.raises(EnvironmentUnusable) as caught:
        remove(venv)
    assert caught.value.code == "environment-runs-venvman"
    assert venv.exists()
