"""Tools of this repository: its changelog, its measurements, its hygiene."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from benchmarks.__main__ import MEASUREMENTS, names
from benchmarks.alternate import Comparison, Timing
from benchmarks.plots import Ratio, ratios, slower
from tests.hygiene import main, syntax_faults, whitespace_faults
from tools.changelog import fragments, joined

BEFORE = "# Changelog\n\n## Unreleased\n\n- Old.\n\n## 0.1.0 (2026-01-01)\n\n- First.\n"


@pytest.mark.parametrize("path", fragments(), ids=lambda path: path.stem)
def test_each_change_is_a_list_of_its_own(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("- ")
    assert all(line.startswith(("- ", "  ")) for line in text.splitlines())


def test_a_release_takes_all_that_was_unreleased() -> None:
    after = joined(BEFORE, ["- New.\n", "- Newer.\n"], "0.2.0", "2026-02-02")
    assert after == (
        "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-02-02)\n\n- Old.\n- New.\n- Newer.\n"
        "\n## 0.1.0 (2026-01-01)\n\n- First.\n"
    )


def test_a_second_release_without_older_notes_has_its_changes_only() -> None:
    once = joined(BEFORE, [], "0.2.0", "2026-02-02")
    assert "## 0.3.0 (2026-03-03)\n\n- New.\n\n## 0.2.0" in joined(
        once, ["- New.\n"], "0.3.0", "2026-03-03"
    )


def test_a_version_is_released_once() -> None:
    with pytest.raises(ValueError, match="has a section already"):
        joined(BEFORE, [], "0.1.0", "2026-02-02")


# ---- what the files of measurements come to, in words ----


RESULTS = {
    "comparisons": [
        Comparison(
            title="nothing to do",
            timings=(
                Timing("venvman sync", [0.02, 0.04, 0.03]),
                Timing("uv sync", [0.04, 0.04, 0.04]),
                Timing("python -c pass", [0.01, 0.01, 0.01]),
            ),
        ).as_json(),
        Comparison(
            title="empty cache",
            timings=(Timing("venvman sync", [1.8]), Timing("uv pip sync", [1.0])),
            size=18,
        ).as_json(),
        Comparison(title="disk", timings=(), notes=("2 MiB",)).as_json(),
    ]
}


def test_each_ratio_is_read_with_what_was_measured() -> None:
    first, *_ = found = ratios(RESULTS)
    assert first == Ratio(what="nothing to do", peer="uv sync", median=0.75, least=0.5, most=1.0)
    assert len(found) == 3


def test_where_venvman_is_slower_is_said_and_no_floor_is_a_peer() -> None:
    said = slower(ratios(RESULTS)).splitlines()
    assert said[2:] == ["- empty cache: 1.80 times uv pip sync"]


def test_a_part_of_the_measurements_is_taken_by_name() -> None:
    assert names("sync, links") == ["sync", "links"]
    assert names("") == list(MEASUREMENTS)
    with pytest.raises(argparse.ArgumentTypeError, match="no speed: sync, "):
        names("sync,speed")


# ---- the repository's own files obey what its pre-commit hooks ask ----


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
