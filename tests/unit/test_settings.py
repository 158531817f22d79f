"""Settings: four layers, each value remembers its own; all faults at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from venvman.model.errors import ConfigurationError
from venvman.project.settings import Link, Origin, Setting, Settings, read_settings
from venvman.system.directories import Directories

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def read(
    root: Path,
    toml: str = "",
    *,
    variables: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Settings:
    if toml:
        (root / "pyproject.toml").write_text(toml)
    return read_settings(root, variables=variables or {}, flags=flags)


def refused(root: Path, toml: str, **rest: Mapping[str, str]) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        read(root, toml, **rest)
    return caught.value


def test_without_a_file_every_setting_is_its_default(tmp_path: Path) -> None:
    assert read(tmp_path) == Settings()
    assert read(tmp_path).link == Setting(value=Link.AUTO)


def test_a_flag_beats_a_variable_beats_the_file_beats_the_default(tmp_path: Path) -> None:
    toml = "[tool.venvman]\nvenv = 'file'\n"
    variables = {"VENVMAN_VENV": "variable"}
    assert read(tmp_path).venv.origin is Origin.DEFAULT
    assert read(tmp_path, toml).venv == Setting(
        value="file", origin=Origin.FILE, where="[tool.venvman] venv"
    )
    assert read(tmp_path, toml, variables=variables).venv == Setting(
        value="variable", origin=Origin.VARIABLE, where="VENVMAN_VENV"
    )
    assert read(tmp_path, toml, variables=variables, flags={"venv": "flag"}).venv == Setting(
        value="flag", origin=Origin.FLAG, where="--venv"
    )


def test_a_flag_that_was_not_given_and_an_empty_variable_count_as_nothing(tmp_path: Path) -> None:
    settings = read(tmp_path, variables={"VENVMAN_VENV": ""}, flags={"venv": None})
    assert settings.venv.origin is Origin.DEFAULT


def test_keys_are_written_with_dashes_or_underscores(tmp_path: Path) -> None:
    for key in ("build-constraints", "build_constraints"):
        settings = read(tmp_path, f"[tool.venvman]\n{key} = ['setuptools<70']\n")
        assert settings.build_constraints.value == ("setuptools<70",)


@pytest.mark.parametrize(
    ("name", "toml", "variable", "value"),
    [
        ("keep", "['a', 'b']", "a, b", ("a", "b")),
        ("compile", "true", "yes", True),
        ("offline", "false", "off", False),
        ("link", "'copy'", "copy", Link.COPY),
        ("attic", "10", "10", "10"),
        ("attic", "'1 GiB'", "1 GiB", "1 GiB"),
        ("exclude_newer", "2024-05-01", "2024-05-01", "2024-05-01"),
        ("exclude_newer", "2024-05-01T10:00:00Z", "2024-05-01T10:00:00+00:00", None),
        ("conflicts", "[['cpu', 'cuda']]", "cpu cuda", (("cpu", "cuda"),)),
        ("overrides", "['a>=1,<2']", "a>=1,<2", ("a>=1,<2",)),
        ("overrides", "['a>=1', 'b']", "a>=1\nb\n", ("a>=1", "b")),
        ("python", "'3.12'", "3.12", "3.12"),
    ],
)
def test_the_file_and_a_variable_mean_the_same(
    tmp_path: Path, name: str, toml: str, variable: str, value: object
) -> None:
    in_file = read(tmp_path, f"[tool.venvman]\n{name} = {toml}\n")
    (tmp_path / "pyproject.toml").unlink()
    in_variable = read(tmp_path, variables={f"VENVMAN_{name.upper()}": variable})
    assert getattr(in_file, name).value == getattr(in_variable, name).value
    if value is not None:
        assert getattr(in_file, name).value == value


def test_sources_are_a_table_of_package_and_index(tmp_path: Path) -> None:
    settings = read(tmp_path, "[tool.venvman.sources]\ntorch = 'https://example.org/simple'\n")
    assert settings.sources.value == (("torch", "https://example.org/simple"),)


def test_requires_python_comes_from_the_project_table(tmp_path: Path) -> None:
    settings = read(tmp_path, "[project]\nname = 'x'\nrequires-python = '>=3.10'\n")
    assert settings.requires_python == Setting(
        value=">=3.10", origin=Origin.FILE, where="[project] requires-python"
    )


def test_requires_python_of_venvmans_own_table_wins(tmp_path: Path) -> None:
    toml = "[project]\nrequires-python = '>=3.8'\n[tool.venvman]\nrequires-python = '>=3.10'\n"
    assert read(tmp_path, toml).requires_python.value == ">=3.10"


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    toml = (
        "[project]\nname = 'x'\n"
        "[tool.venvman]\nvnev = 'x'\ncompile = 'perhaps'\n"
        "[tool.other]\nlink = 'x'\n"
    )
    error = refused(tmp_path, toml, variables={"VENVMAN_LINK": "symlink"})
    assert [(each.code, each.path, each.line) for each in error.problems] == [
        ("setting-unknown", "pyproject.toml", 4),
        ("setting-invalid", "pyproject.toml", 5),
        ("setting-invalid", None, None),
    ]
    assert error.problems[0].why == "Did you mean 'venv'?"
    assert error.problems[1].text == "compile = 'perhaps'"
    assert "VENVMAN_LINK cannot be 'symlink': one of auto, " in error.problems[2].message


def test_an_unknown_key_that_resembles_none_gets_no_suggestion(tmp_path: Path) -> None:
    assert refused(tmp_path, "[tool.venvman]\nqqqqqq = 1\n").problems[0].why is None


def test_a_key_in_a_table_of_its_own_has_its_line_too(tmp_path: Path) -> None:
    error = refused(tmp_path, "[tool.venvman.sources]\ntorch = 3\n")
    assert error.problems[0].line == 1


def test_a_key_written_inline_has_no_line_but_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, "tool = {venvman = {compile = 3}}\n")
    assert (error.problems[0].code, error.problems[0].line) == ("setting-invalid", None)


@pytest.mark.parametrize(
    "line",
    [
        "venv = ''",
        "venv = 3",
        "keep = [1]",
        "keep = 1",
        "conflicts = 1",
        "attic = -1",
        "attic = true",
        "sources = 'x'",
        "link = 3",
        "exclude-newer = 3",
        "compile = 1",
        "exclude-newer = 'some day'",
        "attic = 'lots'",
        "overrides = ['a>>1']",
        "build-constraints = ['a>>1']",
        "extra-build-requires = { a = ['b>>1'] }",
        "sources = { a = 'no-url' }",
        "sources = { 'a b' = 'https://index.test/simple' }",
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(tmp_path: Path, line: str) -> None:
    error = refused(tmp_path, f"[tool.venvman]\n{line}\n")
    assert [each.code for each in error.problems] == ["setting-invalid"]


def test_a_version_without_quotes_is_explained(tmp_path: Path) -> None:
    error = refused(tmp_path, "[tool.venvman]\npython = 3.10\n")
    assert "3.10 as a number is 3.1" in error.message


def test_a_password_in_a_faulty_value_is_not_repeated(tmp_path: Path) -> None:
    error = refused(tmp_path, "[tool.venvman]\nlink = 'https://me:hunter2@example.org'\n")
    assert "hunter2" not in repr(error.problems)


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "not a table" in refused(tmp_path, "[tool]\nvenvman = 3\n").message


def test_a_tool_entry_that_is_no_table_is_nobodys_business(tmp_path: Path) -> None:
    assert read(tmp_path, "tool = 3  # venvman\n") == Settings()


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    error = refused(tmp_path, "[tool.venvman]\nvenv = \n")
    problem = error.problems[0]
    assert (problem.code, problem.line, problem.text) == ("pyproject-invalid", 2, "venv = ")


def test_broken_toml_of_a_project_without_settings_is_not_venvmans_concern(tmp_path: Path) -> None:
    assert read(tmp_path, "[tool.other\n") == Settings()


def test_toml_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.venvman]\nvenv = '\xff'\n")
    problem = refused(tmp_path, "").problems[0]
    assert (problem.code, problem.line) == ("pyproject-invalid", 2)


def test_a_folder_named_pyproject_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    assert refused(tmp_path, "").code == "pyproject-unreadable"


def test_the_reference_lists_every_setting_with_its_variable() -> None:
    rows = re.findall(
        r"^\| `([a-z-]+)` \|.*`(VENVMAN_[A-Z_]+)`", REFERENCE.read_text(), re.MULTILINE
    )
    expected = [
        (each.name.replace("_", "-"), f"VENVMAN_{each.name.upper()}") for each in fields(Settings)
    ]
    assert sorted(rows) == sorted(expected)


# ---- where venvman keeps things ----


def test_a_flag_beats_the_variable(tmp_path: Path) -> None:
    variables = {"VENVMAN_CACHE_DIR": str(tmp_path / "c")}
    assert Directories.of(variables, cache=tmp_path / "f").cache == tmp_path / "f"


def test_a_relative_folder_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Directories.of({"VENVMAN_CACHE_DIR": "c"}).cache == tmp_path / "c"


def test_without_variables_both_are_below_the_home_folder(isolated: Path) -> None:
    directories = Directories.of({})
    assert directories.cache.is_relative_to(isolated)
    assert directories.state.is_relative_to(isolated)
    assert directories.cache != directories.state
