"""The repository's own files obey what its pre-commit hooks ask."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.hygiene import main, syntax_faults, whitespace_faults

ROOT = Path(__file__).parents[2]


def test_a_trailing_blank_and_a_missing_newline_are_faults(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"good\nbad \nlast")
    assert whitespace_faults(file) == [
        "line 2 ends in a blank",
        "does not end in exactly one newline",
    ]


def test_broken_toml_and_yaml_are_faults(tmp_path: Path) -> None:
    toml = tmp_path / "a.toml"
    toml.write_text("a = \n")
    yaml = tmp_path / "a.yaml"
    yaml.write_text("a: [1\n")
    assert syntax_faults(toml)
    assert syntax_faults(yaml)


def test_main_prints_each_fault_and_answers_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"x \n")
    assert main(["whitespace", str(file)]) == 1
    assert capsys.readouterr().out == f"{file}: line 1 ends in a blank\n"


@pytest.mark.parametrize(
    "name",
    [
        *(".pre-commit-config.yaml", ".pre-commit-hooks.yaml", "action.yml"),
        *("pyproject.toml", "mkdocs.yml"),
    ],
)
def test_the_configuration_files_parse_and_are_clean(name: str) -> None:
    path = ROOT / name
    assert syntax_faults(path) == []
    assert whitespace_faults(path) == []


def test_every_place_that_the_guide_for_contributors_names_is_there() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`((?:venvman|tests|benchmarks)/[\w/.]*)`", guide)
    assert len(named) > 30
    assert [each for each in named if not (ROOT / each).exists()] == []
