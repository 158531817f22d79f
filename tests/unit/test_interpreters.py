"""Finding Pythons on machines made of a few files, and choosing among them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.pythons import EVERY_PYTHON, OWN_PYTHON, fake_python, kept_in
from venvman.model.errors import EnvironmentUnusable
from venvman.python.discover import find_pythons
from venvman.python.interpreters import available, choose, fulfils, is_near, running
from venvman.python.probe import Interpreter, probe
from venvman.python.request import Executable, PythonRequest, Versions, parse_request


class Machine:
    """A pyenv, a search path and a conda of fakes; newer than any real Python."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directories = kept_in(root / "kept")
        self.variables = {
            "HOME": str(root / "home"),
            "PYENV_ROOT": str(root / "pyenv"),
            "PATH": str(root / "bin"),
        }

    def pyenv(self, version: str, *, folder: str = "", **changes: object) -> Path:
        path = self.root / "pyenv" / "versions" / (folder or version) / "bin" / "python"
        return fake_python(path, version=version, notes=self.root / "notes", **changes)

    def on_path(self, name: str, version: str, **changes: object) -> Path:
        path = self.root / "bin" / name
        return fake_python(path, version=version, notes=self.root / "notes", **changes)

    def choose(self, text: str) -> Interpreter:
        wanted = parse_request(text, base=self.root)
        return choose(
            request=PythonRequest(wanted=wanted, text=text, where="--python"),
            directories=self.directories,
            variables=self.variables,
        )

    def available(self) -> tuple[Interpreter, ...]:
        return available(directories=self.directories, variables=self.variables)

    @property
    def starts(self) -> int:
        """How often a fake was started."""
        notes = self.root / "notes"
        return len(notes.read_text().splitlines()) if notes.exists() else 0


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_a_wish_it_is_what_python3_starts(machine: Machine) -> None:
    machine.pyenv("3.99.1")
    machine.on_path("python3", "3.98.2")
    anything = PythonRequest(wanted=Versions())

    def chosen() -> str:
        return choose(
            request=anything, directories=machine.directories, variables=machine.variables
        ).target.python

    assert chosen() == "3.98.2"
    machine.variables["PATH"] = f"{machine.root / 'pyenv' / 'shims'}:{machine.root / 'bin'}"
    shim = machine.root / "pyenv" / "shims" / "python3"
    fake_python(shim, version="3.97.1")  # never to be started
    assert chosen() == running(directories=machine.directories).target.python
    (machine.root / "pyenv" / "version").write_text("3.99.1\n")
    (machine.root / "pyenv" / "versions" / "3.99.1" / "bin" / "python3").symlink_to("python")
    assert chosen() == "3.99.1"


def test_a_python3_that_is_the_one_running_venvman_is_not_asked_as_well(machine: Machine) -> None:
    (machine.root / "bin").mkdir()
    (machine.root / "bin/python3").symlink_to(OWN_PYTHON)
    own = running(directories=machine.directories)
    anything = PythonRequest(wanted=Versions())
    found = choose(request=anything, directories=machine.directories, variables=machine.variables)
    assert found == own
    assert len(list((machine.directories.cache / "interpreters").iterdir())) == 1


def test_without_a_python3_the_python_that_runs_venvman_is_taken(machine: Machine) -> None:
    machine.pyenv("3.99.1")
    chosen = choose(
        request=PythonRequest(wanted=Versions()),
        directories=machine.directories,
        variables=machine.variables,
    )
    assert os.path.realpath(chosen.path) == os.path.realpath(OWN_PYTHON)
    assert chosen == running(directories=machine.directories)
    assert machine.starts == 0


def test_the_python_that_runs_venvman_is_taken_if_it_will_do(machine: Machine) -> None:
    machine.pyenv("3.99.1")
    own = "{}.{}".format(*sys.version_info)
    assert machine.choose(own) == machine.choose(">=3.8")
    assert machine.starts == 0


def test_of_a_minor_version_the_newest_patch_is_taken(machine: Machine) -> None:
    for version in ("3.99.2", "3.99.10", "3.98.20"):
        machine.pyenv(version)
    assert machine.choose("3.99").target.python == "3.99.10"


def test_of_a_range_the_newest_minor_version_is_taken(machine: Machine) -> None:
    for version in ("3.97.9", "3.99.2", "3.98.20"):
        machine.pyenv(version)
    assert machine.choose(">=3.97,<3.99").target.python == "3.98.20"


def test_an_exact_version_is_found_by_its_folder_without_asking_others(machine: Machine) -> None:
    for version in ("3.97.9", "3.99.2", "3.99.3", "3.98.20"):
        machine.pyenv(version)
    assert machine.choose("3.99.2").target.python == "3.99.2"
    assert machine.starts == 1


def test_an_exact_version_is_found_under_a_name_that_tells_only_the_minor(machine: Machine) -> None:
    machine.on_path("python3.99", "3.99.4")
    assert machine.choose("3.99.4").path.name == "python3.99"


def test_a_second_search_starts_no_process(machine: Machine) -> None:
    machine.pyenv("3.99.1")
    machine.on_path("python3", "3.98.1")
    first = machine.available()
    starts = machine.starts
    assert machine.available() == first
    assert machine.starts == starts == 2


def test_a_name_that_tells_nothing_is_asked_last(machine: Machine) -> None:
    machine.on_path("python", "3.99.1")
    assert machine.choose("3.99").target.python == "3.99.1"
    machine.pyenv("3.99.0")
    assert machine.choose("3.99").target.python == "3.99.0"


def test_pre_releases_come_after_every_final_version(machine: Machine) -> None:
    machine.pyenv("3.99.0a1", folder="3.99-dev")
    machine.pyenv("3.98.1")
    assert machine.choose(">=3.98").target.python == "3.98.1"
    assert machine.choose("3.99").target.python == "3.99.0a1"
    assert machine.choose("3.99.0a1").target.python == "3.99.0a1"


def test_a_free_threaded_build_is_taken_only_where_it_is_asked_for(machine: Machine) -> None:
    machine.pyenv("3.99.1", folder="3.99.1t", free_threaded=True)
    machine.pyenv("3.99.0")
    assert machine.choose("3.99").target.python == "3.99.0"
    assert machine.choose(">=3.99").target.python == "3.99.0"
    chosen = machine.choose("3.99t")
    assert (chosen.target.python, str(chosen)[:14]) == ("3.99.1", "Python 3.99.1t")


def test_a_broken_python_is_passed_over(machine: Machine) -> None:
    broken = machine.pyenv("3.99.5")
    broken.write_text("#!/bin/sh\nexit 1\n")
    machine.pyenv("3.99.1")
    assert machine.choose("3.99").target.python == "3.99.1"


def test_an_unknown_version_names_those_found_and_the_way_to_get_it(machine: Machine) -> None:
    python = machine.pyenv("3.98.1")
    with pytest.raises(EnvironmentUnusable, match=r"^No Python 3\.99 was found\.$") as caught:
        machine.choose("3.99")
    assert caught.value.code == "interpreter-not-found"
    assert caught.value.why is not None
    assert f"--python asks for it. Found: 3.98.1 ({python}), " in caught.value.why
    here = "Ask for one that is here, 3.98 say, or let `pyenv install 3.99` bring it."
    assert str(caught.value.fix) == here


def test_without_pyenv_the_newest_version_found_is_offered(machine: Machine) -> None:
    machine.on_path("python3.98", "3.98.1")
    with pytest.raises(EnvironmentUnusable) as caught:
        machine.choose("3.99")
    assert str(caught.value.fix) == "Ask for one that is here, 3.98 say, or install it."


def test_a_version_that_is_too_old_is_not_offered_for_installation(machine: Machine) -> None:
    machine.pyenv("3.98.1")
    with pytest.raises(EnvironmentUnusable, match=r"No Python 2\.7") as caught:
        machine.choose("2.7")
    assert str(caught.value.fix) == "Ask for one that is here, 3.98 say, or install it."
    assert "venvman manages 3.8 and newer" in str(caught.value.why)


def test_the_place_of_a_wish_that_cannot_be_met_is_named(machine: Machine) -> None:
    from venvman.model.errors import FileLine

    place = FileLine(path=".python-version", line=3, text="3.99")
    request = PythonRequest(wanted=Versions(specifier="==3.99.*"), text="3.99", origin=place)
    with pytest.raises(EnvironmentUnusable) as caught:
        choose(request=request, directories=machine.directories, variables=machine.variables)
    (problem,) = caught.value.problems
    assert (problem.path, problem.line, problem.text) == (".python-version", 3, "3.99")


def test_a_path_is_taken_at_its_word(machine: Machine) -> None:
    python = machine.on_path("mine", "3.99.1")
    assert machine.choose(str(python)).path == python


def test_the_folder_of_an_environment_or_installation_names_its_python(machine: Machine) -> None:
    python = machine.pyenv("3.99.1")
    assert machine.choose(str(python.parent.parent)).path == python
    environment = Path(sys.prefix)
    chosen = machine.choose(str(environment))
    assert os.path.realpath(chosen.path) == os.path.realpath(OWN_PYTHON)


def test_a_folder_without_a_python_is_a_sentence(machine: Machine) -> None:
    (machine.root / "empty").mkdir()
    with pytest.raises(EnvironmentUnusable, match="has no Python in it"):
        machine.choose("./empty")


def test_available_are_the_supported_ones_newest_first_each_once(machine: Machine) -> None:
    machine.pyenv("3.99.1")
    machine.pyenv("2.7.18")
    machine.pyenv("3.98.1")
    (machine.root / "bin").mkdir()
    (machine.root / "bin" / "python3").symlink_to(machine.root / "pyenv/versions/3.99.1/bin/python")
    versions = [each.target.python for each in machine.available()]
    own = running(directories=machine.directories).target.python
    assert versions == ["3.99.1", "3.98.1", own]
    assert machine.starts == 2


def test_every_python_of_this_machine_is_available(tmp_path: Path) -> None:
    directories = kept_in(tmp_path)
    found = available(directories=directories, variables=os.environ)
    assert {os.path.realpath(each.path) for each in found} >= {
        os.path.realpath(probe(python, directories=directories).path) for python in EVERY_PYTHON
    }


def hints(machine: Machine) -> dict[str, tuple[int, ...] | None]:
    found = find_pythons(machine.variables)
    return {
        str(each.path.relative_to(machine.root)): each.hint
        for each in found
        if each.path.is_relative_to(machine.root)
    }


def test_of_several_names_the_one_that_tells_most_is_used(machine: Machine) -> None:
    machine.on_path("python3.99", "3.99.1")
    for name in ("python", "python3"):
        (machine.root / "bin" / name).symlink_to("python3.99")
    assert hints(machine) == {"bin/python3.99": (3, 99)}


def test_shims_and_environments_on_the_search_path_are_left_out(machine: Machine) -> None:
    fake_python(machine.root / "shims" / "python3.99")
    fake_python(machine.root / "venv" / "bin" / "python3.99")
    (machine.root / "venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    machine.variables["PATH"] = os.pathsep.join(
        str(machine.root / each) for each in ("shims", "venv/bin")
    )
    assert hints(machine) == {}


def test_other_implementations_and_tools_are_left_out(machine: Machine) -> None:
    for name in ("pypy3.9", "python3.99-config", "pythonw3.99", "ipython3"):
        machine.on_path(name, "3.99.1")
    assert hints(machine) == {}


def test_conda_is_found_by_its_variables_and_its_list(machine: Machine) -> None:
    conda = machine.root / "conda"
    for prefix in (conda, conda / "envs" / "one", machine.root / "elsewhere"):
        fake_python(prefix / "bin" / "python", version="3.99.1")
    (conda / "envs" / "empty").mkdir()
    (conda / "conda-meta").mkdir()
    (conda / "conda-meta" / "python-3.99.7-h1_0.json").touch()
    listed = machine.root / "home" / ".conda" / "environments.txt"
    listed.parent.mkdir(parents=True)
    listed.write_text(f"{machine.root / 'elsewhere'}\n\n{machine.root / 'gone'}\n")
    machine.variables |= {"CONDA_EXE": str(conda / "bin" / "conda"), "CONDA_PREFIX": str(conda)}
    assert hints(machine) == {
        "conda/bin/python": (3, 99, 7),
        "conda/envs/one/bin/python": None,
        "elsewhere/bin/python": None,
    }


def test_an_interpreter_fulfils_its_own_version_and_ranges_around_it(machine: Machine) -> None:
    interpreter = probe(machine.pyenv("3.99.2"), directories=machine.directories)

    def does(text: str) -> bool:
        request = PythonRequest(wanted=parse_request(text, base=machine.root))
        return fulfils(interpreter, request, directories=machine.directories)

    assert [text for text in ("3", "3.99", "3.99.2", ">=3.99", str(interpreter.path)) if does(text)]
    assert not [text for text in ("3.9", "3.99.1", "3.99t", "<3.99", str(OWN_PYTHON)) if does(text)]


def test_another_patch_version_is_near_but_no_other_minor_build_or_range(machine: Machine) -> None:
    interpreter = probe(machine.pyenv("3.99.2"), directories=machine.directories)
    other = machine.on_path("python3.99", "3.99.7")
    threaded = machine.on_path("python3.99t", "3.99.2", free_threaded=True)

    def near(text: str) -> bool:
        request = PythonRequest(wanted=parse_request(text, base=machine.root))
        return is_near(interpreter, request, directories=machine.directories)

    assert all(near(text) for text in ("3.99.1", "3.99", str(other)))
    assert not any(near(text) for text in ("3.98.2", "3.99.1t", ">=3.99.5", str(threaded)))


def test_the_wish_for_a_path_that_is_gone_is_a_sentence(machine: Machine) -> None:
    interpreter = running(directories=machine.directories)
    request = PythonRequest(wanted=Executable(path=machine.root / "gone"))
    with pytest.raises(EnvironmentUnusable, match="There is no Python at"):
        fulfils(interpreter, request, directories=machine.directories)
