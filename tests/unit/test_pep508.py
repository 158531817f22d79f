"""What packaging reads but cannot evaluate is no requirement, marker or specifier to us."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.shops import Shop
from tests.support.solving import World
from venvman.model.pep508 import Malformed, parse_marker, parse_requirement, parse_specifier

HUGE = "9" * 5000
UNDEFINED = [
    'python_version ~= "3"',
    'os_name ~= "posix"',
    'sys_platform === "linux"',
    'python_version ~= "fred"',
    '"3" ~= python_version',
    'sys_platform == "linux" or platform_release ~= "x"',
    'extra ~= "test"',
    '"test" in extras',
    f'python_full_version < "{HUGE}"',
]


@pytest.mark.parametrize("text", UNDEFINED)
def test_a_marker_that_cannot_be_evaluated_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse_marker(text)
    with pytest.raises(Malformed):
        parse_requirement(f"x; {text}")


@pytest.mark.parametrize("text", [f">={HUGE}", f"=={HUGE}.*", f"<1,!={HUGE}", "=>1"])
def test_a_specifier_that_no_version_can_be_compared_with_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse_specifier(text)
    with pytest.raises(Malformed):
        parse_requirement(f"x{text}")


@pytest.mark.parametrize(
    "text",
    ['python_version == "3.*"', 'platform_release >= "5-x"', 'extra == "a"', '"3" in os_name'],
)
def test_what_can_be_evaluated_is_read(text: str) -> None:
    assert str(parse_marker(text)) == text


@pytest.mark.parametrize("fault", [*(f"c; {text}" for text in UNDEFINED), f"c>={HUGE}"])
def test_a_version_with_such_a_dependency_is_passed_over(fault: str) -> None:
    world = World({"a": {"1": [], "2": [fault]}, "c": {"1": []}})
    assert world.pins("a") == {"a": "1"}


def test_where_every_version_has_one_the_package_is_named() -> None:
    said = World({"a": {"1": ['c; python_version ~= "3"']}, "c": {"1": []}}).explained("a")
    assert "a 1 has faulty metadata: 'python_version ~= \"3\"'" in said.problems[0].message


class TestProject:
    @pytest.mark.parametrize("text", UNDEFINED)
    def test_such_a_line_is_an_error_with_its_place_from_scan_on(
        self, tmp_path: Path, text: str
    ) -> None:
        shop = Shop(tmp_path)
        shop.write({"requirements.in": f"# first\nidna==3.10 ; {text}\n"})
        for command in ("scan", "freeze", "status"):
            ran = shop.run(command, "--format", "json")
            assert ran.code == 2
            (problem,) = ran.json["problems"]
            assert (problem["path"], problem["line"]) == ("requirements.in", 2)
            assert problem["code"] == "marker-invalid"

    def test_such_a_pin_is_an_error_with_its_place(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path)
        shop.write({"requirements.in": "idna\n"})
        shop.lock('idna==3.10 ; python_version ~= "3"\n    # via -r requirements.in\n')
        for command in ("status", "tree", "sync --frozen", "doctor"):
            document = shop.run(*command.split(), "--format", "json").json
            found = document["problems"] or document["data"]["findings"]
            assert any(each["path"] == "requirements.txt" and each["line"] for each in found)
