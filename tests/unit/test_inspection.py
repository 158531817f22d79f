"""What is at the place of an environment is told from outside, in every layout."""

from __future__ import annotations

import errno
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.pythons import fake_python
from venvman.environment.inspection import (
    Broken,
    Environment,
    NotAnEnvironment,
    conflict,
    inspect,
    usable,
)
from venvman.model.errors import Advice, EnvironmentUnusable
from venvman.python.probe import Interpreter
from venvman.python.request import PythonRequest, parse_request
from venvman.system.directories import Directories


def broken(path: Path, directories: Directories) -> Broken:
    found = inspect(path, directories=directories)
    assert isinstance(found, Broken), found
    assert str(found.fix) == "venvman sync --recreate"
    return found


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


@pytest.mark.parametrize(
    ("marker", "reason"),
    [
        ("os.py", "It is a Python itself"),
        ("EXTERNALLY-MANAGED", "whose packages the system itself manages"),
    ],
)
def test_a_python_itself_is_refused_and_nobody_is_told_to_move_it_away(
    tmp_path: Path, directories: Directories, marker: str, reason: str
) -> None:
    library = tmp_path / "usr" / "lib" / "python3.12"
    library.mkdir(parents=True)
    for name in {"os.py", marker}:
        (library / name).touch()
    with pytest.raises(EnvironmentUnusable, match="is not a virtual environment") as caught:
        usable(tmp_path / "usr", directories=directories)
    assert reason in str(caught.value.why)
    assert isinstance(caught.value.fix, Advice)


def test_a_second_look_at_an_environment_starts_no_process(
    venv: Path, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspect(venv, directories=directories)
    monkeypatch.setattr("venvman.system.process.run", lambda *_, **__: pytest.fail("a process"))
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


def test_a_configuration_that_cannot_be_read_is_named(
    venv: Path, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    # root may read everything
    monkeypatch.setattr("venvman.environment.inspection.read_regular", refuse)
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


def test_an_environment_is_kept_while_it_serves_the_wish(
    base: Path, tmp_path: Path, directories: Directories
) -> None:
    venv = made_by_hand(tmp_path / "venv", base, config=f"home = {base.parent}\n")
    environment = usable(venv, directories=directories)
    assert environment is not None

    def conflicts(text: str, *, binding: bool) -> bool:
        wanted = parse_request(text, base=tmp_path)
        request = PythonRequest(wanted=wanted, text=text, where="x", binding=binding)
        return conflict(environment, request, directories=directories) is not None

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
    wanted = parse_request("3.99", base=venv)
    request = PythonRequest(wanted=wanted, text="3.99", where=".python-version:1")
    assert conflict(environment, request, directories=directories) == (
        f"The environment {venv} is of Python {own.target.python}, but .python-version:1 asks for "
        "3.99."
    )
