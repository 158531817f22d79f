"""The table: which checks there are, which run, in which order their findings come."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.examined import World, codes_of
from tests.support.locked import entry
from venvman.doctor.codes import CODES
from venvman.doctor.finding import Code
from venvman.doctor.table import CHECKS, Selection, examine, explained
from venvman.model.errors import ConfigurationError, Severity
from venvman.project.settings import DoctorSettings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "doctor.md"


def test_every_code_belongs_to_exactly_one_check() -> None:
    given = [code.code for check in CHECKS for code in check.codes]
    assert sorted([*given, "VM001"]) == [code.code for code in CODES]


def test_codes_and_names_are_unique_and_well_formed() -> None:
    assert len({code.name for code in CODES}) == len(CODES)
    assert all(re.fullmatch(r"VM[0-7]\d\d", code.code) for code in CODES)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code.name) for code in CODES)


def test_the_reference_has_every_code_with_the_words_of_the_table() -> None:
    page = re.sub(r"\[(`.*?`)\]\(.*?\)", r"\1", REFERENCE.read_text(encoding="utf-8"))
    entries = re.findall(r"^### (VM.*)\n((?:.+\n)+)", page, re.MULTILINE)
    assert [(head, " ".join(text.split())) for head, text in entries] == [
        (
            f"{each.code} `{each.name}` ({each.severity.value})",
            f"{each.wrong} {each.why} Fix: {each.fix} {each.by_fix.sentence}".rstrip(),
        )
        for each in CODES
    ]


def test_a_code_is_explained_by_its_beginning_or_its_name() -> None:
    assert [each.code for each in explained(["vm60"])] == [f"VM60{n}" for n in range(1, 7)]
    assert [each.code for each in explained(["distribution-extra"])] == ["VM404"]
    assert explained([]) == CODES
    with pytest.raises(ConfigurationError, match="--explain VM999"):
        explained(["VM999"])


def test_the_longest_beginning_says_how_severe_a_finding_is(world: World) -> None:
    world.site.dist_info("z")
    chosen = DoctorSettings(severity=(("VM404", Severity.ERROR), ("VM", Severity.NOTE)))
    found = examine(world.examination([entry("a")]), Selection().over(chosen))
    assert [(each.code, each.severity) for each in found] == [
        ("VM401", Severity.NOTE),
        ("VM404", Severity.ERROR),
    ]


def test_what_a_project_chooses_gives_way_to_what_is_given() -> None:
    chosen = DoctorSettings(select=("VM4",), ignore=("VM404",))
    assert Selection().over(chosen) == Selection(select=("VM4",), ignore=("VM404",))
    given = Selection.of(select=["VM3"]).over(chosen)
    assert given == Selection(select=("VM3",), ignore=("VM404",))


def test_codes_in_the_file_that_there_are_not_are_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Selection().over(DoctorSettings(severity=(("VM9", Severity.NOTE),)))
    (problem,) = caught.value.problems
    assert problem.message.startswith("[tool.venvman.doctor] severity VM9")
    assert problem.path == "pyproject.toml"


def test_findings_come_by_code_then_package(world: World) -> None:
    world.site.dist_info("z")
    found = world.findings(entry("c"), entry("b"), entry("a"))
    assert [(each.code, each.package) for each in found] == [
        ("VM401", "a"),
        ("VM401", "b"),
        ("VM401", "c"),
        ("VM404", "z"),
    ]


@pytest.mark.parametrize(
    ("select", "ignore", "codes"),
    [
        ([], [], ["VM401", "VM404"]),
        (["VM4"], ["VM404"], ["VM401"]),
        (["vm401,VM1"], [], ["VM401"]),
        (["VM5"], [], []),
        ([], ["VM"], []),
    ],
)
def test_a_code_or_its_beginning_selects_and_ignores(
    world: World, select: list[str], ignore: list[str], codes: list[str]
) -> None:
    world.site.dist_info("z")
    selection = Selection.of(select=select, ignore=ignore)
    assert codes_of(examine(world.examination([entry("a")]), selection)) == codes


def test_words_that_no_code_begins_with_are_all_refused_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Selection.of(select=["VM9"], ignore=["files,VM4"])
    messages = [problem.message for problem in caught.value.problems]
    assert messages == [
        "--select VM9: no code begins with that.",
        "--ignore FILES: no code begins with that.",
    ]


def test_checks_that_nobody_asked_for_do_not_run(world: World) -> None:
    world.site.dist_info("a", requires=["b"])

    def forbidden(_: object) -> None:
        raise AssertionError

    examination = replace(world.examination([entry("a")]), metadata=forbidden)
    assert examine(examination, Selection.of(select=["VM401"])) == ()


def test_credentials_never_reach_a_finding() -> None:
    code = Code("VM999", "test", Severity.NOTE, wrong="", why="", fix="")
    assert code("see https://me:secret@e.org/").message == "see https://****@e.org/"
