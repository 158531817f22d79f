from __future__ import annotations

import csv
import hashlib
import os
import shutil
import sys
import time
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cli import ended
from tests.support.sites import Site
from tests.support.wheels import make_wheel, record_row
from venvman.environment import inventory
from venvman.environment.inventory import (
    Installed,
    Inventory,
    MetadataKind,
    Seen,
    metadata_of,
    read_site_packages,
)
from venvman.environment.record import (
    RecordRow,
    encode_digest,
    locate,
    parse_record,
    record_path,
    render_record,
)
from venvman.model.metadata import name_and_version, parse_metadata, parse_requires_txt
from venvman.model.sources import ArchiveSource, DirectorySource, IndexSource, VcsSource


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site-packages")


def read(site: Site) -> Inventory:
    return read_site_packages([site.folder])


def only(site: Site) -> Installed:
    (installed,) = read(site).distributions
    return installed


def test_a_distribution_is_read_with_everything_it_says(site: Site) -> None:
    info = site.dist_info("Foo.Bar", "1.2", stem="foo_bar-1.2", requested=True)
    found = only(site)
    assert (found.name, found.spelled, str(found.version)) == ("foo-bar", "Foo.Bar", "1.2")
    assert found.metadata == info
    assert (found.kind, found.source) == (MetadataKind.DIST_INFO, IndexSource())
    assert (found.installer, found.requested, found.damage) == ("pip", True, None)


def test_the_metadata_is_right_where_the_folder_name_differs(site: Site) -> None:
    site.dist_info("foo", "2.0", stem="foo-1.0")
    assert str(only(site).version) == "2.0"


def test_names_sort_the_distributions_and_folders_break_ties(site: Site) -> None:
    for name, version in (("b", "1"), ("a", "2"), ("a", "1")):
        site.dist_info(name, version)
    found = [(each.name, str(each.version)) for each in read(site).distributions]
    assert found == [("a", "1"), ("a", "2"), ("b", "1")]


def test_a_linked_lib64_is_read_once(site: Site) -> None:
    site.dist_info("foo")
    link = site.folder.with_name("lib64")
    link.symlink_to(site.folder)
    (found,) = read_site_packages([site.folder, link]).distributions
    assert found.metadata.parent == site.folder


def test_pure_and_platform_folders_are_both_read(site: Site) -> None:
    other = Site(site.folder.with_name("platlib"))
    site.dist_info("foo")
    other.dist_info("bar")
    found = read_site_packages([site.folder, other.folder])
    assert [each.name for each in found.distributions] == ["bar", "foo"]


def test_a_missing_folder_holds_nothing(tmp_path: Path) -> None:
    assert read_site_packages([tmp_path / "nowhere"]) == Inventory(distributions=())


@pytest.mark.parametrize(
    ("direct_url", "source"),
    [
        (
            {"url": "https://e.org/a.git", "vcs_info": {"vcs": "git", "commit_id": "c" * 40}},
            VcsSource(vcs="git", url="https://e.org/a.git", commit="c" * 40),
        ),
        (
            {"url": "https://e.org/a.whl", "archive_info": {"hashes": {"sha256": "ab"}}},
            ArchiveSource(url="https://e.org/a.whl", hashes=("sha256:ab",)),
        ),
        (
            {"url": "file:///src/a", "dir_info": {"editable": True}},
            DirectorySource(path="/src/a", editable=True),
        ),
    ],
)
def test_the_source_is_what_direct_url_says(
    site: Site, direct_url: dict[str, object], source: object
) -> None:
    site.dist_info("a", direct_url=direct_url)
    assert only(site).source == source


@pytest.mark.parametrize(
    ("arguments", "damage"),
    [
        ({"without": ["METADATA"]}, "METADATA is missing"),
        ({"without": ["RECORD"]}, "RECORD is missing"),
        ({"without": ["METADATA", "RECORD", "INSTALLER"]}, "its metadata folder is empty"),
        ({"metadata": "Name: foo\n"}, "METADATA has no version"),
        ({"metadata": "Version: 1.0\n"}, "METADATA has no valid name"),
        ({"metadata": "Name: -foo\nVersion: 1.0\n"}, "METADATA has no valid name"),
        ({"direct_url": "{"}, "its direct_url.json is not valid JSON"),
    ],
)
def test_damaged_metadata_is_named_and_the_folder_name_stands_in(
    site: Site, arguments: dict[str, list[str]], damage: str
) -> None:
    site.dist_info("foo", "1.0", **arguments)  # type: ignore[arg-type]
    found = only(site)
    assert found.damage == damage
    assert (found.name, str(found.version)) == ("foo", "1.0")


def test_a_version_that_is_none_is_damage(site: Site) -> None:
    site.dist_info("pytz", "2004d-x")
    found = only(site)
    assert found.version is None
    assert found.damage == "its version '2004d-x' is not one (PEP 440)"


def test_no_version_anywhere_is_damage(site: Site) -> None:
    site.dist_info("foo", stem="foo", metadata="Name: foo\n")
    assert only(site).damage == "METADATA has no version"
    (only(site).metadata / "METADATA").unlink()
    (only(site).metadata / "RECORD").unlink()
    assert only(site).version is None
    assert only(site).damage == "METADATA is missing"


def test_headers_after_a_long_field_are_still_found(site: Site) -> None:
    site.dist_info("foo", metadata=f"License: {'x' * 5000}\nName: Foo\nVersion: 7\n")
    assert (only(site).spelled, str(only(site).version)) == ("Foo", "7")


@pytest.mark.skipif(os.name == "nt", reason="a folder in place of a file reads as no permission")
def test_metadata_that_cannot_be_read_is_damage(site: Site) -> None:
    info = site.dist_info("foo", without=["METADATA", "INSTALLER"], direct_url="{}")
    (info / "direct_url.json").unlink()
    for leaf in ("METADATA", "INSTALLER", "direct_url.json"):
        (info / leaf).mkdir()
    assert only(site).damage == "METADATA cannot be read (Is a directory)"
    assert only(site).installer is None
    (info / "METADATA").rmdir()
    (info / "METADATA").write_text("Name: foo\nVersion: 1.0\n")
    assert only(site).damage == "its direct_url.json cannot be read (Is a directory)"


def test_a_folder_that_vanishes_while_it_is_read_is_damage(tmp_path: Path) -> None:
    present, damage = inventory._listed(str(tmp_path / "gone-1.0.dist-info"))
    assert not present
    assert damage == "its metadata folder cannot be read (No such file or directory)"


def test_halves_that_pip_left_are_leftovers_and_no_distributions(site: Site) -> None:
    expected = [site.leftover("-ip-23.0.dist-info"), site.leftover("~ip")]
    expected.append(site.dist_info("~ip", "23.0", files={}))
    (site.folder / "~note.txt").touch()
    assert read(site) == Inventory(distributions=(), leftovers=tuple(sorted(expected)))


def test_setuptools_and_distutils_metadata_are_told_apart(site: Site) -> None:
    site.egg_info("Old_One", "0.5")
    site.egg_info_file("older", "0.1")
    (site.folder / "not.dist-info").touch()
    kinds = {each.name: (each.kind, str(each.version)) for each in read(site).distributions}
    assert kinds == {
        "old-one": (MetadataKind.EGG_INFO_FOLDER, "0.5"),
        "older": (MetadataKind.EGG_INFO_FILE, "0.1"),
        "not": (MetadataKind.DIST_INFO, "None"),
    }


def test_an_egg_link_is_an_editable_whose_folder_is_not_entered(site: Site) -> None:
    site.egg_link("My_Project", "/somewhere/else")
    found = only(site)
    assert (found.name, found.version, found.damage) == ("my-project", None, None)
    assert found.source == DirectorySource(path="/somewhere/else", editable=True)
    assert metadata_of(found) is None


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_egg_link_is_damage(site: Site, content: str) -> None:
    site.egg_link("a", "/x").write_text(content)
    assert only(site).damage == "the egg-link names no folder"


def test_metadata_of_each_kind_is_read(site: Site) -> None:
    site.dist_info("a", requires=["b>=1"], requires_python=">=3.8", extras=["x"])
    site.egg_info("b", requires_txt="c\n[x]\nd\n")
    site.egg_info("c")
    site.egg_info_file("d")
    found = {str(each.name): metadata_of(each) for each in read(site).distributions}
    requires = {name: each.requires for name, each in found.items() if each is not None}
    assert requires == {"a": ("b>=1",), "b": ("c", 'd; extra == "x"'), "c": (), "d": ()}
    assert found["a"] is not None
    assert (found["a"].requires_python, found["a"].extras) == (">=3.8", ("x",))


def test_metadata_that_went_away_is_none(site: Site) -> None:
    site.dist_info("a", without=["METADATA"])
    assert metadata_of(only(site)) is None


def test_a_real_environment_is_read_as_pip_and_importlib_read_it(tmp_path: Path) -> None:
    import json
    import subprocess
    import venv

    venv.create(tmp_path / "venv", with_pip=False)
    (folder,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    wheels = [
        make_wheel(tmp_path, "Plain-Name", "1.0", requires=["dotted.name>=1"]),
        make_wheel(tmp_path, "dotted.name", "2.0rc1", extras={"x": ["plain-name"]}),
        make_wheel(tmp_path, "local", "3.0+cpu", requires_python=">=3.8"),
    ]
    pip = [sys.executable, "-m", "pip", "--python", str(tmp_path / "venv")]
    subprocess.run(
        [*pip, "install", "-q", "--no-index", "--no-deps", *map(str, wheels)], check=True
    )
    listed = ended([*pip, "list", "--format=json"], check=True)
    found = read_site_packages([folder]).distributions
    assert {(each.spelled, str(each.version)) for each in found} == {
        (each["name"], each["version"]) for each in json.loads(listed.stdout)
    }
    for theirs in metadata.distributions(path=[str(folder)]):
        (ours,) = [each for each in found if each.spelled == theirs.metadata["Name"]]
        details = metadata_of(ours)
        assert details is not None
        assert details.requires == tuple(theirs.requires or ())
        assert details.requires_python == theirs.metadata.json.get("requires_python")
        assert isinstance(ours.source, ArchiveSource)
        assert ours.requested


def test_what_was_seen_before_is_not_read_again_and_what_changed_is(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        site.dist_info(name)
    later = time.time_ns() + 3 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: later)
    seen: Seen = {}
    first = read_site_packages([site.folder], seen=seen)
    assert first == read(site)
    one, three, two = first.distributions
    shutil.rmtree(two.metadata)
    (one.metadata / "METADATA").rename(one.metadata / "away")
    again = read_site_packages([site.folder], seen=seen)
    assert again == read(site)
    assert [each is three for each in again.distributions] == [False, True]


def test_what_was_changed_at_the_moment_of_a_look_is_read_at_the_next(site: Site) -> None:
    site.dist_info("one")
    seen: Seen = {}
    (first,) = read_site_packages([site.folder], seen=seen).distributions
    (again,) = read_site_packages([site.folder], seen=seen).distributions
    assert again == first
    assert again is not first


SITE = "lib/python3.11/site-packages"

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), min_size=1)


@given(
    st.lists(
        st.builds(
            RecordRow,
            NAMES,
            st.none() | st.just("sha256=abc_-"),
            st.none() | st.integers(min_value=0),
        ),
        unique_by=lambda row: row.path,
    )
)
def test_rows_written_and_read_again_are_the_same_rows(rows: list[RecordRow]) -> None:
    parsed = parse_record(render_record(rows))
    assert parsed.problems == ()
    assert sorted(parsed.rows) == sorted(rows, key=lambda row: row.path) or set(parsed.rows) == set(
        rows
    )


def test_rows_are_sorted_by_path_and_a_path_is_written_once() -> None:
    rows = [RecordRow("b.py"), RecordRow("a.py", "sha256=x", 1), RecordRow("b.py", "sha256=y", 2)]
    assert render_record(rows) == "a.py,sha256=x,1\nb.py,sha256=y,2\n"


def test_a_path_with_commas_and_quotes_is_what_the_csv_module_reads() -> None:
    text = render_record([RecordRow('a,"b".py', "sha256=x", 3)])
    assert list(csv.reader([text])) == [['a,"b".py', "sha256=x", "3"]]


def test_a_digest_is_written_as_the_specification_says() -> None:
    body = b"import this\n"
    expected = record_row("a.py", body).split(",")[1]
    assert encode_digest(hashlib.sha256(body).digest()) == expected


def test_every_faulty_line_is_named_and_its_path_still_used() -> None:
    parsed = parse_record("a.py,plain,1\n,sha256=x,1\nb.py,sha256=x,many\nc.py\n", path="X/RECORD")
    assert parsed.rows == (
        RecordRow("a.py", None, 1),
        RecordRow("b.py", "sha256=x", None),
        RecordRow("c.py"),
    )
    assert [problem.line for problem in parsed.problems] == [1, 2, 3]
    assert {problem.path for problem in parsed.problems} == {"X/RECORD"}


def test_a_line_that_is_no_csv_is_a_problem() -> None:
    parsed = parse_record('a.py,,\n"b\0"x.py' + "y" * 200_000 + ",,\n")
    assert parsed.rows[0] == RecordRow("a.py")
    assert len(parsed.rows) + len(parsed.problems) == 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("pkg/a.py", f"{SITE}/pkg/a.py"),
        ("../../../bin/x", "bin/x"),
        ("./pkg//a.py", f"{SITE}/pkg/a.py"),
        ("pkg/.hidden", f"{SITE}/pkg/.hidden"),
        ("..data/x", f"{SITE}/..data/x"),
        ("../../../../outside", None),
        ("../../..", None),
        ("../../../../env2/x", None),
        ("/etc/passwd", None),
    ],
)
def test_a_path_is_located_inside_the_environment_or_not_at_all(
    path: str, expected: str | None
) -> None:
    assert locate(path, site=SITE, root="/work/env") == expected


def test_an_absolute_path_inside_the_environment_counts_through_symbolic_links(
    tmp_path: Path,
) -> None:
    root = tmp_path / "env"
    (root / "bin").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(root)
    assert locate(f"{link}/bin/x", site=SITE, root=str(root)) == "bin/x"
    assert locate(str(root), site=SITE, root=str(root)) is None


def test_record_paths_are_relative_to_site_packages() -> None:
    assert record_path(f"{SITE}/pkg/a.py", site=SITE) == "pkg/a.py"
    assert record_path("bin/x", site=SITE) == "../../../bin/x"


WHOLE = b"""Metadata-Version: 2.1
Name: Flask
Version: 3.0
requires-python: >=3.8
Requires-Dist: werkzeug (>=3.0)
Requires-Dist: asgiref ; extra == "async"
Provides-Extra: async

Name: not-this
Requires-Dist: described
"""


def test_the_fields_of_the_headers_are_read_whatever_their_case() -> None:
    found = parse_metadata(WHOLE)
    assert (found.name, found.version, found.requires_python) == ("Flask", "3.0", ">=3.8")
    assert found.requires == ("werkzeug (>=3.0)", 'asgiref ; extra == "async"')
    assert found.extras == ("async",)


def test_windows_line_ends_change_nothing() -> None:
    assert parse_metadata(WHOLE.replace(b"\n", b"\r\n")) == parse_metadata(WHOLE)


def test_a_folded_field_is_one_value() -> None:
    assert parse_metadata(b"Requires-Dist: a\n  >=1\n\t,<2\nName: b\n").requires == ("a >=1 ,<2",)


def test_an_empty_field_counts_as_absent() -> None:
    assert parse_metadata(b"Name:\nVersion: 1\n").name is None
    assert name_and_version(b"Name: \nVersion: 1\n") == (None, "1")


def test_the_cheap_look_agrees_with_the_whole_one() -> None:
    whole = parse_metadata(WHOLE)
    assert name_and_version(WHOLE) == (whole.name, whole.version)
    assert name_and_version(b"\n\nName: x\n") == (None, None)


@pytest.mark.parametrize(
    ("text", "requires"),
    [
        ("a>=1\n\n# why\nb\n", ("a>=1", "b")),
        ("[tests]\npytest\n", ('pytest; extra == "tests"',)),
        ('[:python_version<"3"]\nenum34\n', ('enum34; (python_version<"3")',)),
        ('[x:os_name=="nt"]\ncolor\n', ('color; (os_name=="nt") and extra == "x"',)),
        ("[x]\na @ https://e.org/a;b.zip\n", ('a @ https://e.org/a;b.zip ; extra == "x"',)),
    ],
)
def test_sections_of_requires_txt_become_markers(text: str, requires: tuple[str, ...]) -> None:
    assert parse_requires_txt(text) == requires
