"""VM4: drift, duplicates, damage, leftovers; dependencies, extras, Python."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.cli import ended
from tests.support.examined import World, codes_of
from tests.support.locked import entry
from tests.unit.test_doctor_project import requirement, wishes
from venvman.doctor.finding import Finding
from venvman.environment.inspection import Broken
from venvman.model.names import canonical


def only(found: tuple[Finding, ...]) -> Finding:
    (finding,) = found
    return finding


def test_an_extra_is_a_warning_unless_it_is_kept(world: World) -> None:
    world.site.dist_info("a")
    found = only(world.findings())
    assert (found.code, found.severity.value) == ("VM404", "warning")
    assert found.message == "a 1.0 is installed, but no lock in use names it."
    assert world.findings(keep=frozenset([canonical("A")])) == ()


def test_an_egg_link_that_no_lock_names_has_no_version_to_show(world: World) -> None:
    world.site.egg_link("a", "/src/a")
    assert only(world.findings()).message == "a is installed, but no lock in use names it."


def test_a_duplicate_pip_is_mended_by_pip_since_no_lock_names_it(world: World) -> None:
    world.site.dist_info("pip", "1.0")
    world.site.dist_info("pip", "2.0")
    found = only(world.findings())
    assert (
        str(found.fix)
        == f"{world.root}/venv/bin/python -m pip install --force-reinstall --no-deps pip"
    )
    broken = Broken(path=world.root / "venv", reason="Gone.", code="interpreter-gone")
    found = only(world.findings(condition=broken, select="VM4"))
    assert str(found.fix) == "venvman sync --recreate"


# Dependencies


@pytest.mark.parametrize("version", ["2.0rc1", "2.0+cpu"])
def test_a_dependency_is_judged_as_pip_does(world: World, version: str) -> None:
    world.site.dist_info("a", requires=["b>=1.9"])
    world.site.dist_info("b", version)
    assert world.findings(entry("a"), entry("b", version)) == ()


def test_a_dependency_whose_version_cannot_be_known_is_trusted(world: World) -> None:
    world.site.dist_info("a", requires=["b>=2"])
    world.site.egg_link("b", "/src/b")
    assert world.findings(entry("a"), select="VM41") == ()


def test_markers_are_those_of_the_environment(tmp_path: Path) -> None:
    world = World(tmp_path, python="3.9.1", sys_platform="win32")
    requires = ["old; python_version < '3.10'", "new; python_version >= '3.10'"]
    requires += ["colorama; sys_platform == 'win32'", "posix; sys_platform != 'win32'"]
    world.site.dist_info("a", requires=requires)
    found = world.findings(entry("a"))
    assert [each.message.split()[3].rstrip(",") for each in found] == ["colorama", "old"]


EXTRAS = ['b; extra == "X_y"', 'c; python_version > "3" and extra == "z"']


def test_extras_that_nobody_asks_for_need_nothing(world: World) -> None:
    world.site.dist_info("a", requires=EXTRAS, extras=["x-y", "z"])
    assert world.findings(entry("a")) == ()


def test_extras_of_the_lock_count(world: World) -> None:
    world.site.dist_info("a", requires=EXTRAS, extras=["x-y", "z"])
    found = only(world.findings(entry("a", extras=["x.Y"])))
    assert found.message == "a 1.0 needs b, which is not installed."


def test_extras_of_the_requirements_count_where_the_lock_stripped_them(world: World) -> None:
    world.site.dist_info("a", requires=EXTRAS, extras=["x-y", "z"])
    asked = wishes(requirement("a", extras="z"), requirement("b"))
    found = only(world.findings(entry("a"), requirements=asked, select="VM4"))
    assert found.message == "a 1.0 needs c, which is not installed."


def test_extras_that_distributions_ask_of_each_other_are_followed(world: World) -> None:
    world.site.dist_info("top", requires=["a[one]"])
    world.site.dist_info("a", requires=['a[two]; extra == "one"', 'b[deep]; extra == "two"'])
    world.site.dist_info("b", requires=['gone; extra == "deep"', 'top[x]; extra == "deep"'])
    found = world.findings(entry("top"), entry("a"), entry("b"))
    assert [each.message for each in found] == ["b 1.0 needs gone, which is not installed."]


def test_an_extra_in_an_alternative_is_not_taken_for_a_condition(world: World) -> None:
    world.site.dist_info("a", requires=["""b; extra == "x" or sys_platform == "linux" """])
    assert codes_of(world.findings(entry("a"))) == ["VM411"]


def test_egg_info_dependencies_count_too(world: World) -> None:
    world.site.egg_info("a", requires_txt="b\n[x]\nc\n")
    assert codes_of(world.findings(entry("a"))) == ["VM411", "VM416"]


def test_metadata_that_is_gone_needs_nothing(world: World) -> None:
    world.site.dist_info("a", without=["METADATA"])
    assert codes_of(world.findings(entry("a"), select="VM4")) == ["VM406"]


def test_without_an_inventory_or_a_target_dependencies_are_not_judged(world: World) -> None:
    world.site.dist_info("a", requires=["b"], requires_python=">=4")
    assert world.findings(select="VM41", target=None) == ()
    assert world.findings(select="VM4", inventory=None, drift=None) == ()


def test_pip_check_and_doctor_agree_on_what_is_unmet(world: World) -> None:
    site = world.site
    site.dist_info("fine", requires=["low>=1", "none; python_version < '3'"])
    site.dist_info("wants", requires=["absent", "low>=2", "low[x]", 'never; extra == "e"'])
    site.dist_info("low", "1.5")
    code = (
        "import sys; sys.path[:0] = [sys.argv.pop(1)]; sys.argv[0] = 'pip';"
        "from pip._internal.cli.main import main; sys.exit(main(['check']))"
    )
    done = ended([sys.executable, "-c", code, str(site.folder)])
    theirs = {
        line.split()[0] + " " + ("absent" if "absent" in line else "low")
        for line in done.stdout.splitlines()
        if line.startswith(("fine", "wants"))
    }
    ours = {
        f"{each.package} {'absent' if 'absent' in each.message else 'low'}"
        for each in world.findings(select="VM41")
    }
    assert theirs == ours == {"wants absent", "wants low"}
