"""The solver's parts: dependency lines, cut-offs, what is asked of the index, sdists' promises."""

from __future__ import annotations

import io
import tarfile
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.support.solving import World
from tests.support.worlds import TARGET
from venvman.model.errors import FreezeError, InstallError
from venvman.model.names import canonical
from venvman.model.options import cutoff
from venvman.obtain.describe import metadata_unbuilt
from venvman.resolve import solver
from venvman.resolve.demand import (
    Dependencies,
    Dependency,
    DependencyInvalid,
    specifier_set,
)
from venvman.resolve.solver import Unsolvable

NOW = datetime(2025, 6, 15, 12, tzinfo=timezone.utc)


# ---- dependency lines ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a", Dependency(canonical("a"), (), "")),
        ("A.b (>=1.0,<2)", Dependency(canonical("a-b"), (), ">=1.0,<2", None, True)),
        ("a[Y,x]>=1", Dependency(canonical("a"), ("x", "y"), ">=1")),
        ("a >=1 ; python_version >= '3'", Dependency(canonical("a"), (), ">=1")),
        ("a @ https://x.org/a.zip", Dependency(canonical("a"), (), "", "https://x.org/a.zip")),
        ("a===1.0-odd", Dependency(canonical("a"), (), "===1.0-odd")),
    ],
)
def test_a_line_is_read_as_packaging_reads_it(line: str, expected: Dependency) -> None:
    assert Dependencies(TARGET).of([line]) == (expected,)


@pytest.mark.parametrize("line", ["a =>1", "-e x", "a ; nonsense == 1", "a >=", "a[", ""])
def test_a_malformed_line_is_refused(line: str) -> None:
    with pytest.raises(DependencyInvalid):
        Dependencies(TARGET).of([line])


@pytest.mark.parametrize(
    ("marker", "plain", "extra"),
    [
        ("extra == 'x'", False, True),
        ('(extra == "X")', False, True),
        ("extra == 'other'", False, False),
        ("python_version >= '3' and extra == 'x'", False, True),
        ("python_version < '3' and extra == 'x'", False, False),
        ("extra == 'x' or sys_platform == 'linux'", True, True),
        ("sys_platform == 'win32'", False, False),
        ("sys_platform == 'linux'", True, False),
    ],
)
def test_an_extra_adds_the_lines_that_name_it(marker: str, *, plain: bool, extra: bool) -> None:
    reader = Dependencies(TARGET)
    line = f"a ; {marker}"
    assert bool(reader.of([line])) is plain
    assert bool(reader.of([line], extra="x")) is extra


def test_a_specifier_that_is_none_is_refused() -> None:
    with pytest.raises(DependencyInvalid):
        specifier_set("about 2")


# ---- exclude-newer ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-06-10", "2025-06-11T00:00:00+00:00"),
        ("2025-06-10T08:00:00Z", "2025-06-10T08:00:00+00:00"),
        ("2025-06-10T08:00:00", "2025-06-10T08:00:00+00:00"),
        ("2025-06-10T08:00:00+02:00", "2025-06-10T08:00:00+02:00"),
        ("3 days", "2025-06-12T12:00:00+00:00"),
        ("1 week ago", "2025-06-08T12:00:00+00:00"),
        ("36 hours", "2025-06-14T00:00:00+00:00"),
        ("P1DT12H", "2025-06-14T00:00:00+00:00"),
    ],
)
def test_a_date_a_time_or_an_age_is_a_moment(text: str, moment: str) -> None:
    assert cutoff(text, now=NOW) == datetime.fromisoformat(moment)


@pytest.mark.parametrize("text", ["soon", "", "3 fortnights", "2025-13-40", "P"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a date"):
        cutoff(text, now=NOW)


# ---- the search ------------------------------------------------------------------------------


def test_nothing_is_asked_twice_and_prefetching_changes_nothing() -> None:
    world = World(
        {"a": {"1": ["b", "c"]}, "b": {"1": ["c"], "2": ["c<2"]}, "c": {"1": [], "2": []}}
    )
    assert world.pins("a") == {"a": "1", "b": "2", "c": "1"}
    assert len(world.asked) == len(set(world.asked))
    assert len(world.read) == len(set(world.read))


def test_the_failure_names_the_demands_that_met() -> None:
    world = World({"a": {"1": ["c<2"]}, "b": {"1": ["c>=2"]}, "c": {"1": [], "2": []}})
    with pytest.raises(Unsolvable) as raised:
        world.solve("a", "b")
    assert {str(cause.requirement) for cause in raised.value.causes} == {"c<2", "c>=2"}


def test_a_conflict_is_explained_without_building_what_fewer_lines_would_bring() -> None:
    world = World({"a": {"1": ["b<2"]}, "b": {"1": [], "2": []}, "c": {"1": []}}, sdists=["a"])
    said = world.explained("a", "b>=2", "c")
    assert said.code == "requirements-conflict"
    assert "c" not in {problem.text for problem in said.problems}


def test_a_pin_that_cannot_stay_is_told() -> None:
    world = World({"a": {"1": [], "2": []}, "b": {"1": ["a>=2"]}})
    solution = world.solve("a", "b", kept={"a": "1", "b": "1"})
    assert solution.moved == {"a"}
    assert str(solution.pins["a"].version) == "2"


def test_a_search_without_end_gives_up_and_says_about_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "ENOUGH", 0)
    with pytest.raises(FreezeError, match="reasonable time") as raised:
        World({"a": {"1": []}}).solve("a")
    assert raised.value.code == "resolution-too-hard"


# ---- what does not build ---------------------------------------------------------------------


def test_what_does_not_build_is_no_candidate_while_others_are_left() -> None:
    world = World({"a": {"2": [], "1": []}}, unbuildable=["a 2"])
    assert world.pins("a") == {"a": "1"}


def test_a_chosen_sdist_that_does_not_build_after_all_is_given_up() -> None:
    world = World({"a": {"2": [], "1": []}}, sdists=["a"], unbuildable=["a 2"])
    assert world.pins("a") == {"a": "1"}


def test_where_nothing_that_builds_is_left_the_build_is_told() -> None:
    world = World({"a": {"2": [], "1": []}, "b": {"1": ["a>=2"]}}, unbuildable=["a 2"])
    with pytest.raises(InstallError, match=r"a-2-py3-none-any.whl could not be built") as caught:
        world.solve("b")
    assert caught.value.code == "build-failed"


def test_a_project_of_which_nothing_builds_is_given_up_before_all_was_tried() -> None:
    versions = [str(each) for each in range(30, 0, -1)]
    world = World(
        {"a": {each: [] for each in versions}}, unbuildable=[f"a {each}" for each in versions]
    )
    with pytest.raises(InstallError, match="a-30-"):
        world.solve("a")
    assert len(world.supply.unbuilt[canonical("a")]) < 12


def test_pins_to_keep_give_way_before_a_build_failure_is_told() -> None:
    world = World(
        {"a": {"1": ["c"]}, "c": {"3": ["b>=2"], "2": []}, "b": {"2": [], "1": []}},
        unbuildable=["c 2"],
    )
    assert world.pins("a", kept={"b": "1"}) == {"a": "1", "b": "2", "c": "3"}


def test_pins_to_keep_give_way_where_the_search_is_too_hard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    versions = {str(each): ["c"] for each in range(30, 1, -1)}
    world = World({"a": {**versions, "1": []}, "c": {"1": ["b>=2"]}, "b": {"2": [], "1": []}})
    monkeypatch.setattr(solver, "KEEPING_ROUNDS", 9)
    assert world.pins("a", kept={"b": "1"}) == {"a": "30", "b": "2", "c": "1"}


# ---- what sdists promise ---------------------------------------------------------------------

INFO = "Metadata-Version: 1.2\nName: a\nVersion: 1.0\n"


def archive(folder: Path, files: dict[str, str], *, zipped: bool = False) -> Path:
    if zipped:
        path = folder / "a-1.0.zip"
        with zipfile.ZipFile(path, "w") as opened:
            for name, text in files.items():
                opened.writestr(f"a-1.0/{name}", text)
        return path
    path = folder / "a-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"a-1.0/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize("zipped", [False, True])
def test_setuptools_list_is_final_where_setup_py_looks_at_nothing(
    tmp_path: Path, *, zipped: bool
) -> None:
    files = {
        "PKG-INFO": INFO,
        "setup.py": "from setuptools import setup\nsetup(install_requires=['b'])\n",
        "a.egg-info/requires.txt": "b>=1\n\n[x]\nc\n",
    }
    found = metadata_unbuilt(archive(tmp_path, files, zipped=zipped))
    assert found is not None
    metadata, final = found
    assert (metadata.requires, final) == (("b>=1", 'c; extra == "x"'), True)


@pytest.mark.parametrize(
    "code", ["if sys.version_info < (3,): pass", "import platform", "os.environ['X']", "os.name"]
)
def test_it_is_a_guess_where_setup_py_looks_around(tmp_path: Path, code: str) -> None:
    files = {"PKG-INFO": INFO, "setup.py": code, "a.egg-info/SOURCES.txt": ""}
    found = metadata_unbuilt(archive(tmp_path, files))
    assert found is not None
    assert (found[0].requires, found[1]) == ((), False)


def test_metadata_that_promises_to_be_final_is(tmp_path: Path) -> None:
    info = "Metadata-Version: 2.2\nName: a\nVersion: 1.0\nRequires-Dist: b\n"
    found = metadata_unbuilt(archive(tmp_path, {"PKG-INFO": info}))
    assert found is not None
    assert (found[0].requires, found[1]) == (("b",), True)


def test_a_static_project_table_is_final(tmp_path: Path) -> None:
    text = "[project]\nname = 'a'\nversion = '1.0'\ndependencies = ['b']\n"
    found = metadata_unbuilt(archive(tmp_path, {"PKG-INFO": INFO, "pyproject.toml": text}))
    assert found is not None
    assert (found[0].requires, found[1]) == (("b",), True)


def test_of_anything_else_nothing_can_be_told(tmp_path: Path) -> None:
    assert metadata_unbuilt(archive(tmp_path, {"PKG-INFO": INFO})) is None
    broken = tmp_path / "b-1.0.tar.gz"
    broken.write_bytes(b"nothing")
    assert metadata_unbuilt(broken) is None
