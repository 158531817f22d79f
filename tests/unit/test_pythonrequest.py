"""Which Python is wished for: the forms, and who is listened to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from venvman.model.errors import ConfigurationError
from venvman.project.project import Project
from venvman.project.python import request_of
from venvman.project.settings import read_settings
from venvman.python.request import Executable, PythonRequest, Versions, parse_request


@pytest.mark.parametrize(
    ("text", "specifier"),
    [
        ("3", "==3.*"),
        ("3.11", "==3.11.*"),
        ("3.11.7", "==3.11.7"),
        ("3.15.0a2", "==3.15.0a2"),
        ("python3.12", "==3.12.*"),
        ("cpython-3.11", "==3.11.*"),
        ("cpython@3.11.4", "==3.11.4"),
        ("cpython-3.11.7-linux-x86_64-gnu", "==3.11.7"),
        ("3.15-dev", "==3.15.*"),
    ],
)
def test_a_version_asks_for_itself_and_what_it_leaves_open(text: str, specifier: str) -> None:
    wanted = parse_request(text, base=Path("/nowhere"))
    assert wanted == Versions(specifier=specifier, free_threaded=False)


def test_a_t_asks_for_the_free_threaded_build() -> None:
    assert parse_request("3.13t", base=Path("/")) == Versions(
        specifier="==3.13.*", free_threaded=True
    )


def test_a_specifier_is_taken_as_it_is_and_leaves_the_build_open() -> None:
    assert parse_request(">=3.10,<3.13", base=Path("/")) == Versions(specifier="<3.13,>=3.10")


def test_any_python_will_do_for_the_bare_name(tmp_path: Path) -> None:
    assert parse_request("python", base=tmp_path) == Versions()


def test_a_path_starts_at_the_given_folder(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    for text in ("env", "./env", str(tmp_path / "env"), "x/../env"):
        assert parse_request(text, base=tmp_path) == Executable(path=tmp_path / "env")


def test_a_tilde_is_the_home_folder(isolated: Path) -> None:
    assert parse_request("~/py", base=Path("/")) == Executable(path=isolated / "py")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("pypy3.9", "not CPython"),
        ("graalpy", "not CPython"),
        (">=three", "not a version specifier"),
        ("latest", "neither a version"),
        ("3.11.7.1", "neither a version"),
    ],
)
def test_anything_else_is_refused_with_a_reason(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_request(text, base=tmp_path)


def request(
    root: Path,
    *,
    toml: str = "",
    pin: str | None = None,
    git_root: Path | None = None,
    flag: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> PythonRequest:
    root.mkdir(exist_ok=True)
    (root / "pyproject.toml").write_text(toml)
    if pin is not None:
        (root / ".python-version").write_text(pin)
    settings = read_settings(root, variables=variables or {}, flags={"python": flag})
    return request_of(Project(root=root, git_root=git_root), settings, cwd=root / "sub")


CONFIGURED = "[project]\nrequires-python = '>=3.8'\n[tool.venvman]\npython = '3.10'\n"
REQUIRED = "[project]\nrequires-python = '>=3.8'\n"


def test_the_flag_is_heard_before_everyone_else(tmp_path: Path) -> None:
    heard = request(tmp_path, toml=CONFIGURED, pin="3.9", flag="3.11")
    assert (heard.text, heard.where, heard.binding) == ("3.11", "--python", True)


def test_the_configuration_is_heard_before_python_version(tmp_path: Path) -> None:
    heard = request(tmp_path, toml=CONFIGURED, pin="3.9")
    assert (heard.text, heard.where, heard.binding) == ("3.10", "[tool.venvman] python", False)


def test_python_version_is_heard_before_requires_python(tmp_path: Path) -> None:
    heard = request(tmp_path, toml=REQUIRED, pin="3.9\n")
    assert (heard.text, heard.where) == ("3.9", ".python-version:1")


def test_requires_python_is_heard_last(tmp_path: Path) -> None:
    heard = request(tmp_path, toml=REQUIRED)
    assert heard == PythonRequest(
        wanted=Versions(specifier=">=3.8"), text=">=3.8", where="[project] requires-python"
    )


def test_nobody_wishing_leaves_every_version_open(tmp_path: Path) -> None:
    assert request(tmp_path) == PythonRequest(wanted=Versions())


def test_the_first_line_that_names_a_cpython_counts(tmp_path: Path) -> None:
    pin = "\ufeff# comment\n\nsystem\npypy3.9-7.3\nmyproject\n>=oops\n3.12.1  # the one\n3.8\n"
    heard = request(tmp_path, pin=pin)
    assert heard.wanted == Versions(specifier="==3.12.1", free_threaded=False)
    assert heard.origin is not None
    assert (heard.origin.path, heard.origin.line) == (".python-version", 7)


def test_a_specifier_in_python_version_counts_too(tmp_path: Path) -> None:
    assert request(tmp_path, pin=">=3.11").wanted == Versions(specifier=">=3.11")


def test_a_python_version_that_names_no_cpython_is_passed_over(tmp_path: Path) -> None:
    assert request(tmp_path, pin="pypy3.9\n", toml=REQUIRED).text == ">=3.8"


def test_an_unreadable_python_version_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_bytes(b"\xff\xfe3")
    assert request(tmp_path).text == ""


def test_python_version_is_looked_for_up_to_the_git_root_and_no_further(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("3.8")
    repository = tmp_path / "repository"
    repository.mkdir()
    assert request(repository / "project", git_root=repository).text == ""
    (repository / ".python-version").write_text("3.9")
    assert request(repository / "project", git_root=repository).text == "3.9"
    assert request(repository / "project", git_root=None).text == ""


def test_a_relative_path_starts_at_the_project_in_the_file_and_at_cwd_in_a_flag(
    tmp_path: Path,
) -> None:
    in_file = request(tmp_path, toml="[tool.venvman]\npython = './py'\n")
    assert in_file.wanted == Executable(path=tmp_path / "py")
    assert request(tmp_path, flag="./py").wanted == Executable(path=tmp_path / "sub" / "py")
    by_variable = request(tmp_path, variables={"VENVMAN_PYTHON": "./py"})
    assert by_variable.wanted == Executable(path=tmp_path / "sub" / "py")
    assert by_variable.binding


def test_a_wish_that_cannot_be_understood_names_who_wrote_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--python cannot be 'latest'") as caught:
        request(tmp_path, flag="latest")
    assert caught.value.code == "python-wish-invalid"
    with pytest.raises(ConfigurationError, match="requires-python cannot be") as caught:
        request(tmp_path, toml="[project]\nrequires-python = 'three'\n")
    assert caught.value.code == "requires-python-invalid"
