"""An interpreter is asked once, and what it says equals what it would work out itself."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import ended
from tests.support.pythons import EVERY_PYTHON, OWN_PYTHON, OWN_SITE_PACKAGES, fake_python, kept_in
from venvman.model.errors import EnvironmentUnusable
from venvman.python.probe import Interpreter, bundled_pip, probe


def ask(python: Path, code: str) -> Any:
    done = ended([python, "-I", "-S", "-c", code], check=True)
    return json.loads(done.stdout)


def place_of_pip(interpreter: Interpreter) -> Path:
    """Where the pip lies that came with ``interpreter``, or else is installed beside it."""
    bundled = bundled_pip(interpreter)
    if bundled is not None:
        return bundled
    # -I without -S: the site-packages of its own, which are not those of the tests.
    done = ended([interpreter.path, "-I", "-c", "import pip; print(pip.__file__)"])
    if done.returncode:
        pytest.skip(f"{interpreter} has no pip to compare with")
    return Path(done.stdout.strip()).parent.parent


# `sys_tags` of pip's packaging lacks one tag that pip itself adds before 23.1.
BY_PIP = """
from pip._internal.utils.compatibility_tags import get_supported as supported
from pip._vendor.packaging.markers import default_environment
"""
BY_PACKAGING = """
from packaging.tags import sys_tags as supported
from packaging.markers import default_environment
"""


def own_answer(python: Path, imports: str, *, packages: Path) -> Any:
    """Tags and markers as they are worked out inside ``python``."""
    return ask(
        python,
        f"import json, sys; sys.path.insert(0, {str(packages)!r}){imports}"
        "print(json.dumps([[str(tag) for tag in supported()], default_environment()]))",
    )


def in_one_order(tags: list[str]) -> list[str]:
    # packaging 26.3 moved linux_* before manylinux_*.
    return sorted(tags, key=lambda tag: ("-linux_" in tag, tags.index(tag)))


def assert_says(interpreter: Interpreter, answer: Any) -> None:
    tags, markers = answer
    assert in_one_order(list(interpreter.target.tags)) == in_one_order(tags)
    assert dict(interpreter.target.markers) == markers


@pytest.mark.parametrize("python", EVERY_PYTHON, ids=str)
def test_tags_and_markers_are_those_that_the_interpreters_own_pip_works_out(
    python: Path, tmp_path: Path
) -> None:
    # Never this environment's packages: they may be too new for that Python.
    interpreter = probe(python, directories=kept_in(tmp_path))
    packages = place_of_pip(interpreter)
    assert_says(interpreter, own_answer(python, BY_PIP, packages=packages))


def test_tags_and_markers_are_those_that_packaging_works_out(tmp_path: Path) -> None:
    interpreter = probe(OWN_PYTHON, directories=kept_in(tmp_path))
    assert_says(interpreter, own_answer(OWN_PYTHON, BY_PACKAGING, packages=OWN_SITE_PACKAGES))


@pytest.mark.parametrize("python", EVERY_PYTHON, ids=str)
def test_version_and_prefix_are_the_interpreters(python: Path, tmp_path: Path) -> None:
    interpreter = probe(python, directories=kept_in(tmp_path))
    version, prefix = ask(
        python,
        "import json, platform, sys; print(json.dumps([platform.python_version(), sys.prefix]))",
    )
    assert (str(interpreter.version), str(interpreter.prefix)) == (version, prefix)
    assert str(interpreter).startswith(f"Python {version}")


def test_the_second_look_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = probe(OWN_PYTHON, directories=kept_in(tmp_path))
    monkeypatch.setattr("venvman.system.process.run", lambda *_, **__: pytest.fail("a process"))
    assert probe(OWN_PYTHON, directories=kept_in(tmp_path)) == first


def test_a_changed_executable_is_asked_again(tmp_path: Path) -> None:
    python, notes = tmp_path / "bin" / "python", tmp_path / "notes"
    directories = kept_in(tmp_path)
    fake_python(python, notes=notes)
    probe(python, directories=directories)
    probe(python, directories=directories)
    assert notes.read_text() == "x\n"
    fake_python(python, version="3.9.1", notes=notes)
    assert probe(python, directories=directories).minor == (3, 9)
    assert notes.read_text() == "x\nx\n"


def test_a_link_turned_to_another_python_is_asked_again(tmp_path: Path) -> None:
    link = tmp_path / "python3"
    for version in ("3.9.1", "3.10.1"):
        real = fake_python(tmp_path / version / "python", version=version)
        link.unlink(missing_ok=True)
        link.symlink_to(real)
        assert probe(link, directories=kept_in(tmp_path)).target.python == version


def test_a_link_keeps_the_name_by_which_it_was_found(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(OWN_PYTHON)
    interpreter = probe(tmp_path / "python3", directories=kept_in(tmp_path))
    assert interpreter.path == tmp_path / "python3"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b'{"version": 3}', b"\xff"])
def test_a_damaged_cache_costs_a_process_and_nothing_else(tmp_path: Path, damage: bytes) -> None:
    directories = kept_in(tmp_path)
    first = probe(OWN_PYTHON, directories=directories)
    (kept,) = (directories.cache / "interpreters").iterdir()
    good = kept.read_bytes()
    kept.write_bytes(damage)
    assert probe(OWN_PYTHON, directories=directories) == first
    assert kept.read_bytes() == good


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file is in the way")
    assert probe(OWN_PYTHON, directories=kept_in(tmp_path)).path == OWN_PYTHON


def test_the_cache_is_private_and_known_as_one(tmp_path: Path) -> None:
    probe(OWN_PYTHON, directories=kept_in(tmp_path))
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    # Without it `cache clean` takes the folder for somebody else's.
    assert (tmp_path / "cache" / "CACHEDIR.TAG").is_file()


def test_the_python_of_an_environment_is_asked_for_its_base(tmp_path: Path) -> None:
    interpreter = probe(Path(sys.executable), directories=kept_in(tmp_path))
    assert os.path.realpath(interpreter.path) == os.path.realpath(OWN_PYTHON)


def test_an_environment_made_of_another_ones_python_has_the_others_base(tmp_path: Path) -> None:
    # As the venv module of Python 3.10 makes it while another environment is active.
    homes = {"first": OWN_PYTHON.parent, "second": tmp_path / "first" / "bin"}
    for name, home in homes.items():
        scripts = tmp_path / name / "bin"
        scripts.mkdir(parents=True)
        (scripts / "python").symlink_to(home / ("python" if name == "second" else OWN_PYTHON.name))
        version = "{}.{}".format(*sys.version_info)
        (tmp_path / name / "pyvenv.cfg").write_text(f"home = {home}\nversion = {version}.0\n")
    interpreter = probe(tmp_path / "second" / "bin" / "python", directories=kept_in(tmp_path))
    assert os.path.realpath(interpreter.path) == os.path.realpath(OWN_PYTHON)


def test_a_shim_leads_to_the_python_it_starts_and_is_asked_every_time(tmp_path: Path) -> None:
    shim = tmp_path / "shims" / "python"
    shim.parent.mkdir()
    other = fake_python(tmp_path / "other" / "python", version="3.9.1")
    for real in (OWN_PYTHON, other):
        shim.write_text(f'#!/bin/sh\nexec "{real}" "$@"\n')
        shim.chmod(0o755)
        os.utime(shim, (0, 0))  # as a shim looks: never changed, whatever it starts
        interpreter = probe(shim, directories=kept_in(tmp_path))
        assert os.path.realpath(interpreter.path) == os.path.realpath(real)


def refusal(path: Path, tmp_path: Path) -> EnvironmentUnusable:
    with pytest.raises(EnvironmentUnusable) as caught:
        probe(path, directories=kept_in(tmp_path))
    return caught.value


def test_a_path_without_a_python_is_a_sentence(tmp_path: Path) -> None:
    error = refusal(tmp_path / "nope", tmp_path)
    assert (error.code, error.message) == (
        "interpreter-missing",
        f"There is no Python at {tmp_path / 'nope'}.",
    )


def test_a_program_that_is_no_python_is_a_sentence(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'cannot find libpython' >&2\nexit 127\n")
    program.chmod(0o755)
    error = refusal(program, tmp_path)
    assert (error.code, error.why) == ("interpreter-broken", "cannot find libpython")


def test_a_file_that_cannot_be_started_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("")
    assert refusal(tmp_path / "python", tmp_path).code == "interpreter-broken"


@pytest.mark.parametrize("version", ["2.7.18", "3.6.15", "3.7.17"])
def test_a_python_that_is_too_old_is_refused_by_its_version(tmp_path: Path, version: str) -> None:
    # 2.7 and 3.6 cannot even parse the facts' script: they answer the second question only.
    python = tmp_path / "python"
    says = json.dumps({"version": version, "implementation": "cpython"})
    python.write_text(f"#!/bin/sh\n[ \"$1\" = -c ] || exit 1\necho '{says}'\n")
    python.chmod(0o755)
    error = refusal(python, tmp_path)
    assert error.code == "interpreter-unsupported"
    assert error.message == f"{python} is Python {version}, and venvman manages 3.8 and newer."


def test_another_implementation_is_refused_by_its_name(tmp_path: Path) -> None:
    python = fake_python(tmp_path / "python", implementation="pypy")
    assert "is pypy, and venvman manages CPython only" in refusal(python, tmp_path).message


def test_an_environment_whose_base_is_gone_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to(tmp_path / "gone" / "python")
    (tmp_path / "venv" / "pyvenv.cfg").write_text(f"home = {tmp_path / 'gone'}\n")
    error = refusal(tmp_path / "venv" / "bin" / "python", tmp_path)
    assert error.code == "interpreter-gone"
    assert error.why == f"pyvenv.cfg says it was in {tmp_path / 'gone'}."


@pytest.mark.parametrize("python", EVERY_PYTHON, ids=str)
def test_the_bundled_pip_is_the_one_that_ensurepip_would_install(
    python: Path, tmp_path: Path
) -> None:
    interpreter = probe(python, directories=kept_in(tmp_path))
    wheel = bundled_pip(interpreter)
    if interpreter.pip_version is None:
        assert wheel is None or wheel.name.startswith("pip-")
    else:
        assert wheel is not None
        assert wheel.name == f"pip-{interpreter.pip_version}-py3-none-any.whl"
        assert wheel.is_file()


def with_wheels(tmp_path: Path, *names: str, version: str | None) -> Path | None:
    from dataclasses import replace

    for name in names:
        (tmp_path / name).touch()
    interpreter = probe(OWN_PYTHON, directories=kept_in(tmp_path))
    return bundled_pip(replace(interpreter, pip_version=version, pip_folders=(tmp_path,)))


def test_of_two_bundled_wheels_ensurepips_word_counts(tmp_path: Path) -> None:
    names = ("pip-23.0.1-py3-none-any.whl", "pip-22.0.4-py3-none-any.whl")
    assert with_wheels(tmp_path, *names, version="22.0.4") == tmp_path / names[1]


def test_without_ensurepip_the_newest_wheel_counts(tmp_path: Path) -> None:
    names = ("pip-9.0.1-py3-none-any.whl", "pip-22.0.4-py3-none-any.whl")
    assert with_wheels(tmp_path, *names, version=None) == tmp_path / names[1]


def test_an_interpreter_without_wheels_bundles_no_pip(tmp_path: Path) -> None:
    assert with_wheels(tmp_path, version=None) is None
    assert with_wheels(tmp_path, version="23.0") is None
