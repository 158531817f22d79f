"""Environments: located, inspected from outside, made, replaced and removed whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.pythons import EVERY_PYTHON, OWN_PYTHON, fake_python, kept_in
from venvman import environment as environments
from venvman.environment import (
    Absent,
    Broken,
    Environment,
    NotAnEnvironment,
    conflict,
    create,
    inspect,
    locate,
    recover_replaced,
    remove,
    replaced,
    usable,
)
from venvman.errors import ConfigurationError, EnvironmentUnusable
from venvman.files import CACHEDIR_TAG, inter_process_lock
from venvman.probe import Interpreter, probe
from venvman.project import Project
from venvman.pythonwish import PythonWish, parse_wish
from venvman.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from venvman.directories import Directories


@pytest.fixture
def directories(tmp_path_factory: pytest.TempPathFactory) -> Directories:
    return kept_in(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def own(directories: Directories) -> Interpreter:
    return probe(OWN_PYTHON, directories=directories)


@pytest.fixture
def venv(tmp_path: Path, own: Interpreter, directories: Directories) -> Path:
    """An environment that works, at ``venv`` of a folder of its own."""
    return create(tmp_path / "venv", own, directories=directories).root


def broken(path: Path, directories: Directories) -> Broken:
    found = inspect(path, directories=directories)
    assert isinstance(found, Broken), found
    assert found.fix == "venvman sync --recreate"
    return found


# --- create


@pytest.mark.parametrize("python", EVERY_PYTHON, ids=str)
def test_an_environment_of_every_python_is_what_that_python_believes_it_to_be(
    python: Path, tmp_path: Path, directories: Directories
) -> None:
    made = create(
        tmp_path / "venv", probe(python, directories=directories), directories=directories
    )
    code = "import json, sys, sysconfig; print(json.dumps([sys.prefix, sysconfig.get_paths()]))"
    told = subprocess.run([made.python, "-c", code], capture_output=True, text=True, check=True)
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


def test_every_shell_that_the_venv_module_serves_can_activate_it(venv: Path) -> None:
    assert {each.name for each in (venv / "bin").iterdir()} >= {
        "activate",
        "activate.csh",
        "activate.fish",
        "Activate.ps1",
    }


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


def test_a_folder_with_something_in_it_is_refused_and_not_touched(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "thesis.txt").write_text("x")
    with pytest.raises(EnvironmentUnusable) as caught:
        create(tmp_path / "venv", own, directories=directories)
    assert caught.value.code == "not-an-environment"
    assert [each.name for each in (tmp_path / "venv").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space left")])
def test_what_was_half_made_goes_again(
    fault: BaseException | type[BaseException],
    tmp_path: Path,
    own: Interpreter,
    directories: Directories,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(place: Path) -> None:
        assert (place / "pyvenv.cfg").exists()
        raise fault

    monkeypatch.setattr(environments, "_write_marks", fail)
    expected = KeyboardInterrupt if fault is KeyboardInterrupt else EnvironmentUnusable
    with pytest.raises(expected):
        create(tmp_path / "venv", own, directories=directories)
    assert not (tmp_path / "venv").exists()


def test_what_a_killed_making_left_counts_as_nothing_and_is_made_anew(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    (tmp_path / "venv" / ".venvman").mkdir(parents=True)
    (tmp_path / "venv" / ".venvman" / "unfinished").touch()
    (tmp_path / "venv" / "bin").mkdir()
    path = tmp_path / "venv"
    assert inspect(path, directories=directories) == Absent(path=path)
    create(path, own, directories=directories)
    assert isinstance(inspect(path, directories=directories), Environment)


def test_an_interpreter_without_the_venv_module_says_what_to_install(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    with pytest.raises(EnvironmentUnusable, match="has no venv module") as caught:
        create(tmp_path / "venv", replace(own, has_venv=False), directories=directories)
    assert caught.value.fix == "apt install python{}.{}-venv".format(*own.minor)


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


# --- inspect


def test_nothing_is_absent(tmp_path: Path, directories: Directories) -> None:
    path = tmp_path / "venv"
    assert inspect(path, directories=directories) == Absent(path=path)
    assert usable(path, directories=directories) is None


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_text("x"), "A file is in the way."),
        (lambda path: (path / "src").mkdir(parents=True), "The folder has no pyvenv.cfg."),
        (lambda path: (path / "conda-meta").mkdir(parents=True), "It is a conda environment."),
        (
            lambda path: (path.mkdir(), (path / "pyvenv.cfg").touch()),
            "It has pyvenv.cfg, but no interpreter.",
        ),
    ],
)
def test_anything_else_is_named_as_no_environment(
    make: Callable[[Path], object], reason: str, tmp_path: Path, directories: Directories
) -> None:
    path = tmp_path / "venv"
    make(path)
    assert inspect(path, directories=directories) == NotAnEnvironment(path=path, reason=reason)
    with pytest.raises(EnvironmentUnusable, match="is not a virtual environment") as caught:
        usable(path, directories=directories)
    assert caught.value.why == reason


def test_a_second_look_at_an_environment_starts_no_process(
    venv: Path, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspect(venv, directories=directories)
    monkeypatch.setattr("venvman.process.run", lambda *_, **__: pytest.fail("a process"))
    assert isinstance(inspect(venv, directories=directories), Environment)


def test_a_moved_environment_is_named_as_broken(
    venv: Path, tmp_path: Path, directories: Directories
) -> None:
    venv.rename(tmp_path / "moved")
    found = broken(tmp_path / "moved", directories)
    assert found.code == "moved"
    assert f"It was made at {venv} and moved" in found.reason
    with pytest.raises(EnvironmentUnusable, match="is broken") as caught:
        usable(tmp_path / "moved", directories=directories)
    assert (caught.value.code, caught.value.fix) == ("environment-moved", found.fix)


@pytest.mark.parametrize(
    "line",
    [
        'VIRTUAL_ENV="{made}"',
        "VIRTUAL_ENV='{made}'",
        "export VIRTUAL_ENV={made}",
        '        VIRTUAL_ENV="$CURRENT"\n    export VIRTUAL_ENV="{made}"',
        "    export VIRTUAL_ENV=$(cygpath {made})\n    export VIRTUAL_ENV={made}",
    ],
)
def test_every_layouts_activate_tells_where_it_was_made(
    line: str, venv: Path, directories: Directories
) -> None:
    (venv / "bin" / "activate").write_text(line.format(made=venv) + "\nunset VIRTUAL_ENV\n")
    assert isinstance(inspect(venv, directories=directories), Environment)
    (venv / "bin" / "activate").write_text(line.format(made="/elsewhere/venv") + "\n")
    assert broken(venv, directories).code == "moved"


@pytest.mark.parametrize(
    "shebang",
    [
        "#!{made}/bin/python3.11\n",
        "#!/bin/sh\n'''exec' \"{made}/bin/python\" \"$0\" \"$@\"\n' '''\n",
    ],
)
def test_without_activate_pips_shebang_tells_where_it_was_made(
    shebang: str, venv: Path, directories: Directories
) -> None:
    (venv / "bin" / "activate").unlink()
    assert isinstance(inspect(venv, directories=directories), Environment)
    (venv / "bin" / "pip3").mkdir()  # what cannot be read is passed over
    (venv / "bin" / "pip").write_text(shebang.format(made=venv))
    assert isinstance(inspect(venv, directories=directories), Environment)
    (venv / "bin" / "pip").write_text(shebang.format(made="/elsewhere"))
    assert broken(venv, directories).code == "moved"


@pytest.mark.parametrize("value", ["'unclosed", '"$(dirname "$0")"', "relative"])
def test_an_activate_that_computes_its_place_is_relocatable(
    value: str, venv: Path, tmp_path: Path, directories: Directories
) -> None:
    (venv / "bin" / "activate").write_text(f"VIRTUAL_ENV={value}\n")
    venv.rename(tmp_path / "moved")
    assert isinstance(inspect(tmp_path / "moved", directories=directories), Environment)


def test_an_environment_reached_through_a_link_is_not_moved(
    venv: Path, tmp_path: Path, directories: Directories
) -> None:
    (tmp_path / "link").symlink_to(venv)
    found = inspect(tmp_path / "link", directories=directories)
    assert isinstance(found, Environment)
    assert found.root == tmp_path / "link"


@pytest.fixture
def base(tmp_path: Path, directories: Directories) -> Path:
    """An installation that can be taken away: a fake whose environments are plain files."""
    return fake_python(tmp_path / "base" / "bin" / "python3", version="3.11.1")


def made_by_hand(root: Path, base: Path, *, config: str) -> Path:
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "python3").symlink_to("python")
    (root / "bin" / "python").symlink_to(base)
    version = "{}.{}".format(*sys.version_info)
    for each in ("3.11", version):
        (root / "lib" / f"python{each}" / "site-packages").mkdir(parents=True, exist_ok=True)
    (root / "pyvenv.cfg").write_text(config)
    return root


def test_a_dangling_interpreter_is_named_with_where_it_was(
    base: Path, tmp_path: Path, directories: Directories
) -> None:
    venv = made_by_hand(tmp_path / "venv", base, config=f"home = {base.parent}\nversion = 3.11.1\n")
    assert isinstance(inspect(venv, directories=directories), Environment)
    shutil.rmtree(tmp_path / "base")
    found = broken(venv, directories)
    assert (found.code, found.reason) == ("interpreter-gone", f"Its interpreter {base} is gone.")


def test_an_interpreter_missing_altogether_is_named(
    base: Path, tmp_path: Path, directories: Directories
) -> None:
    venv = made_by_hand(tmp_path / "venv", base, config=f"home = {base.parent}\n")
    (venv / "bin" / "python").unlink()
    assert broken(venv, directories).reason == "It has no bin/python."


def test_an_environment_of_copies_whose_base_is_gone_is_named(
    base: Path, tmp_path: Path, directories: Directories
) -> None:
    venv = made_by_hand(tmp_path / "venv", base, config=f"home = {base.parent}\nversion = 3.11.1\n")
    (venv / "bin" / "python").unlink()
    shutil.copy(base, venv / "bin" / "python")
    assert isinstance(inspect(venv, directories=directories), Environment)
    base.unlink()
    assert broken(venv, directories).code == "interpreter-gone"
    base.parent.rmdir()
    assert (
        broken(venv, directories).reason == f"The folder {base.parent} of its interpreter is gone."
    )


def test_a_base_that_no_longer_runs_is_named(
    base: Path, tmp_path: Path, directories: Directories
) -> None:
    venv = made_by_hand(tmp_path / "venv", base, config=f"home = {base.parent}\n")
    base.write_text("#!/bin/sh\nexit 1\n")
    assert broken(venv, directories).code == "interpreter-broken"


def test_a_base_upgraded_to_another_minor_version_is_named(
    base: Path, tmp_path: Path, directories: Directories
) -> None:
    venv = made_by_hand(tmp_path / "venv", base, config=f"home = {base.parent}\nversion = 3.11.1\n")
    paths = {"scripts": "bin", "data": ""}
    paths |= dict.fromkeys(("purelib", "platlib"), "lib/python3.99/site-packages")
    fake_python(base, version="3.99.0", paths=paths)
    found = broken(venv, directories)
    assert found.code == "interpreter-changed"
    assert found.reason.startswith(f"Its interpreter {base} is Python 3.99 now, but ")


def test_a_base_upgraded_by_a_patch_is_no_harm(
    base: Path, tmp_path: Path, directories: Directories
) -> None:
    venv = made_by_hand(tmp_path / "venv", base, config=f"home = {base.parent}\nversion = 3.11.1\n")
    fake_python(base, version="3.11.9")
    found = inspect(venv, directories=directories)
    assert isinstance(found, Environment)
    assert found.interpreter.target.python == "3.11.9"


def test_packages_of_another_version_are_noticed_without_a_version_in_the_file(
    base: Path, tmp_path: Path, directories: Directories
) -> None:
    venv = made_by_hand(tmp_path / "venv", base, config=f"home = {base.parent}\n")
    shutil.rmtree(venv / "lib")
    (venv / "lib" / "python3.7").mkdir(parents=True)
    assert broken(venv, directories).reason.endswith("installed for 3.7.")


@pytest.mark.parametrize(
    "config",
    [
        (
            "home = {home}\nimplementation = CPython\nuv = 0.9\nversion_info = 3.11.1\n"
            "include-system-site-packages = false\nprompt = x\n"
        ),
        (
            "home = {home}\nimplementation = CPython\nversion_info = 3.11.1.final.0\n"
            "virtualenv = 21.0\ninclude-system-site-packages = false\nversion = 3.11.1\n"
        ),
        "HOME={home}\n# a comment\nversion = 3.11.1\n",
    ],
)
def test_environments_of_other_makers_are_understood(
    config: str, base: Path, tmp_path: Path, directories: Directories
) -> None:
    venv = made_by_hand(tmp_path / "venv", base, config=config.format(home=base.parent))
    found = inspect(venv, directories=directories)
    assert isinstance(found, Environment)
    assert not found.made_by_venvman
    assert found.interpreter.path == base


def test_system_site_packages_are_refused(venv: Path, directories: Directories) -> None:
    config = venv / "pyvenv.cfg"
    config.write_text(config.read_text().replace("packages = false", "packages = true"))
    assert broken(venv, directories).code == "system-site-packages"


def test_a_configuration_without_a_home_is_named(venv: Path, directories: Directories) -> None:
    (venv / "pyvenv.cfg").write_text("nothing\n")
    assert broken(venv, directories).code == "config-unreadable"


def test_a_configuration_that_cannot_be_read_is_named(
    venv: Path, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)  # root may read everything
    assert broken(venv, directories).reason == "pyvenv.cfg cannot be read: Permission denied."


def test_a_link_from_lib64_to_lib_is_one_folder(venv: Path, directories: Directories) -> None:
    found = inspect(venv, directories=directories)
    assert isinstance(found, Environment)
    assert found.site_folders == (found.paths.purelib,)
    linked = venv / "lib64" / found.paths.purelib.parent.name / "site-packages"
    assert replace(found, paths=replace(found.paths, platlib=linked)).site_folders == (
        found.paths.purelib,
    )
    other = venv / "other"
    assert len(replace(found, paths=replace(found.paths, platlib=other)).site_folders) == 2


# --- conflict


def test_an_environment_is_kept_while_it_serves_the_wish(
    base: Path, tmp_path: Path, directories: Directories
) -> None:
    venv = made_by_hand(tmp_path / "venv", base, config=f"home = {base.parent}\n")
    environment = usable(venv, directories=directories)
    assert environment is not None

    def conflicts(text: str, *, binding: bool) -> bool:
        wanted = parse_wish(text, base=tmp_path)
        wish = PythonWish(wanted=wanted, text=text, where="x", binding=binding)
        return conflict(environment, wish, directories=directories) is not None

    for text in ("3.11", ">=3.8", "3.11.1", "./venv", str(base)):
        assert not conflicts(text, binding=True)
    assert conflicts("3.11.2", binding=True)
    assert not conflicts("3.11.2", binding=False)
    for text in ("3.12", ">=3.11.2", "3.11t"):
        assert conflicts(text, binding=False)


def test_a_conflict_names_both_versions_and_who_asks(
    venv: Path, own: Interpreter, directories: Directories
) -> None:
    environment = usable(venv, directories=directories)
    assert environment is not None
    wanted = parse_wish("3.99", base=venv)
    wish = PythonWish(wanted=wanted, text="3.99", where=".python-version:1")
    assert conflict(environment, wish, directories=directories) == (
        f"The environment {venv} is of Python {own.target.python}, but .python-version:1 asks for "
        "3.99."
    )


# --- locate


def located(root: Path, toml: str = "") -> Path:
    (root / "pyproject.toml").write_text(toml)
    return locate(Project(root=root), read_settings(root, variables={}))


def looks_like_environment(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "pyvenv.cfg").touch()
    return path


def test_an_environment_is_at_venv_by_default(tmp_path: Path) -> None:
    assert located(tmp_path) == tmp_path / "venv"


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


# --- replaced, recover_replaced


def fail_while_replacing(
    path: Path, fault: BaseException, step: Callable[[], object] = lambda: None
) -> None:
    with replaced(path):
        step()
        raise fault


def tree(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


@pytest.fixture
def marked(venv: Path) -> Path:
    """An environment that can be told from another one."""
    (venv / "old").touch()
    return venv


def test_after_success_the_old_environment_is_gone(
    marked: Path, own: Interpreter, directories: Directories
) -> None:
    with replaced(marked):
        assert not marked.exists()
        create(marked, own, directories=directories)
    assert not (marked / "old").exists()
    assert tree(marked.parent) == ["venv"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("is_made", [True, False])
def test_after_a_failure_the_old_environment_is_back(
    fault: type[BaseException],
    is_made: bool,
    marked: Path,
    own: Interpreter,
    directories: Directories,
) -> None:
    with pytest.raises(fault):
        fail_while_replacing(
            marked,
            fault(),
            lambda: is_made and create(marked, own, directories=directories),
        )
    assert (marked / "old").exists()
    assert tree(marked.parent) == ["venv"]
    assert isinstance(inspect(marked, directories=directories), Environment)


def test_where_nothing_was_nothing_is_after_a_failure(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    path = tmp_path / "venv"
    with pytest.raises(KeyboardInterrupt):
        fail_while_replacing(
            path, KeyboardInterrupt(), lambda: create(path, own, directories=directories)
        )
    assert tree(tmp_path) == []


def test_a_linked_environment_is_replaced_where_it_is(
    marked: Path, tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    link = tmp_path / "link"
    link.symlink_to(marked)
    with replaced(link):
        create(link, own, directories=directories)
    assert link.is_symlink()
    assert not (marked / "old").exists()
    assert isinstance(inspect(link, directories=directories), Environment)


def test_what_is_no_environment_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "thesis.txt").touch()
    with pytest.raises(EnvironmentUnusable), replaced(tmp_path / "venv"):
        pytest.fail("entered")
    assert tree(tmp_path / "venv") == ["thesis.txt"]


def unmovable(monkeypatch: pytest.MonkeyPatch, path: Path, code: int) -> None:
    """``path`` cannot be renamed, as a folder in a lower overlay layer or a mount point cannot."""
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self == path:
            raise OSError(code, os.strerror(code))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EBUSY])
def test_an_environment_that_cannot_be_renamed_is_copied_aside(
    code: int,
    marked: Path,
    own: Interpreter,
    directories: Directories,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unmovable(monkeypatch, marked, code)
    with pytest.raises(KeyboardInterrupt):
        fail_while_replacing(
            marked, KeyboardInterrupt(), lambda: create(marked, own, directories=directories)
        )
    assert (marked / "old").exists()
    assert (marked / "bin" / "python").is_symlink()
    with replaced(marked):
        create(marked, own, directories=directories)
    assert not (marked / "old").exists()
    assert tree(marked.parent) == ["venv"]


def test_another_reason_not_to_rename_is_told(
    marked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmovable(monkeypatch, marked, errno.EACCES)
    with pytest.raises(PermissionError), replaced(marked):
        pytest.fail("entered")
    with pytest.raises(PermissionError):
        remove(marked)
    assert (marked / "old").exists()


def test_a_mount_point_gets_its_content_back(marked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unmovable(monkeypatch, marked, errno.EBUSY)
    rmdir = Path.rmdir

    def refuse(self: Path) -> None:
        if self == marked:
            raise OSError(errno.EBUSY, "busy")
        rmdir(self)

    monkeypatch.setattr(Path, "rmdir", refuse)
    emptied: list[list[str]] = []
    with pytest.raises(KeyboardInterrupt):
        fail_while_replacing(marked, KeyboardInterrupt(), lambda: emptied.append(tree(marked)))
    assert emptied == [[]]
    assert (marked / "old").exists()
    remove(marked)
    assert tree(marked) == []


class Killed(BaseException):
    """Stands for SIGKILL: nothing that would clean up runs."""


def killed_while_replacing(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: Callable[[], object] = lambda: None
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(environments, "_put_back", lambda _: None)
        with pytest.raises(Killed):
            fail_while_replacing(path, Killed(), step)


def test_a_kill_with_nothing_made_yet_brings_the_old_one_back(
    marked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_replacing(marked, monkeypatch)
    assert not marked.exists()
    (marked.parent / ".venv.venvman-replaced" / ".venvman-claim").touch()
    assert recover_replaced(marked)
    assert (marked / "old").exists()
    assert not (marked / ".venvman-claim").exists()
    assert tree(marked.parent) == ["venv"]
    assert not recover_replaced(marked)


def test_a_kill_while_the_new_one_is_filled_brings_the_old_one_back(
    marked: Path, own: Interpreter, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_replacing(
        marked, monkeypatch, lambda: create(marked, own, directories=directories)
    )
    assert recover_replaced(marked)
    assert (marked / "old").exists()


def test_an_environment_made_by_hand_after_a_kill_is_kept(
    marked: Path, own: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_replacing(marked, monkeypatch)
    subprocess.run([own.path, "-m", "venv", "--without-pip", marked], check=True)
    assert recover_replaced(marked)
    assert not (marked / "old").exists()
    assert tree(marked.parent) == ["venv"]


def test_a_kill_after_the_commit_lets_the_new_one_be(
    marked: Path, own: Interpreter, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(path: Path) -> None:
        if path.name.endswith("discarded") and path.exists():
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(environments, "remove_tree", die)
        with pytest.raises(Killed), replaced(marked):
            create(marked, own, directories=directories)
    assert recover_replaced(marked)
    assert not (marked / "old").exists()
    assert isinstance(inspect(marked, directories=directories), Environment)
    assert tree(marked.parent) == ["venv"]


def test_what_somebody_put_in_the_place_meanwhile_is_never_deleted(marked: Path) -> None:
    def write() -> None:
        marked.mkdir()
        (marked / "thesis.txt").touch()

    with pytest.raises(OSError, match="not empty"):
        fail_while_replacing(marked, KeyboardInterrupt(), write)
    assert tree(marked) == ["thesis.txt"]
    assert len(tree(marked.parent)) == 2  # the old one is still there too


def test_another_process_does_not_take_work_in_progress_for_leftovers(
    marked: Path, own: Interpreter, directories: Directories
) -> None:
    with replaced(marked):
        assert not recover_replaced(marked)
        create(marked, own, directories=directories)
        assert not recover_replaced(marked)
    assert isinstance(inspect(marked, directories=directories), Environment)
    assert tree(marked.parent) == ["venv"]


def test_an_environment_that_another_process_is_making_is_not_made_by_two(
    tmp_path: Path, own: Interpreter, directories: Directories
) -> None:
    path = tmp_path / "venv"
    mark = path / ".venvman" / "unfinished"
    with inter_process_lock(mark):
        (path / "bin").mkdir()
        with pytest.raises(EnvironmentUnusable) as caught:
            create(path, own, directories=directories)
        assert caught.value.code == "environment-busy"
        assert tree(path) == [".venvman", "bin"]


# --- remove


def test_an_environment_is_removed_and_nothing_else(venv: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (venv / "lib" / "link").symlink_to(tmp_path / "precious")
    remove(venv)
    assert tree(tmp_path) == ["precious"]
    assert tree(tmp_path / "precious") == ["file"]


def test_a_broken_environment_can_be_removed(venv: Path) -> None:
    (venv / "bin" / "python").unlink()
    (venv / "bin" / "python").symlink_to("/gone/python")
    remove(venv)
    assert not venv.exists()


def test_of_a_link_only_the_link_is_removed(venv: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(venv)
    remove(tmp_path / "link")
    assert tree(tmp_path) == ["venv"]
    assert (venv / "pyvenv.cfg").exists()


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
