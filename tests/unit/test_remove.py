"""What leaves with a distribution, whoever installed it, and what never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from venvman.environment.inventory import Installed, read_site_packages
from venvman.install.layout import Site
from venvman.install.remove import removals, units_of
from venvman.model.errors import InstallError

SITE = "lib/python3.11/site-packages"


class Place:
    """A site-packages folder written by hand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.site = root / SITE
        self.site.mkdir(parents=True)
        (root / "bin").mkdir()
        self.facts = Site(
            root=str(root),
            named=str(root),
            python=f"{root}/bin/python",
            purelib=SITE,
            platlib=SITE,
            scripts="bin",
            data="",
            headers="include/site/python3.11",
            minor=(3, 11),
        )

    def files(self, *paths: str) -> None:
        for path in paths:
            target = self.site / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("")

    def dist_info(self, name: str, *paths: str, record: str | None = None) -> None:
        self.files(*paths)
        info = self.site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        rows = [*paths, f"{info.name}/METADATA", f"{info.name}/RECORD"]
        (info / "RECORD").write_text(record or "".join(f"{path},,\n" for path in rows))

    def egg_info(self, name: str, **leaves: str) -> None:
        info = self.site / f"{name}-1.0.egg-info"
        info.mkdir()
        (info / "PKG-INFO").write_text(f"Metadata-Version: 1.0\nName: {name}\nVersion: 1.0\n")
        for leaf, text in leaves.items():
            (info / f"{leaf}.txt").write_text(text)

    def leaving(self, *names: str) -> tuple[list[str], list[str], list[str]]:
        """What moves (by shortest path), what is emptied, and the codes of warnings."""
        chosen = [each for each in self.installed() if each.name in names]
        found, warnings = removals(chosen, self.facts)
        units = units_of(found, self.facts)
        moves = [unit.path.removeprefix(f"{SITE}/") for unit in units.moves]
        emptied = [path.removeprefix(f"{SITE}/") for path in units.emptied]
        return moves, emptied, [problem.code for problem in warnings]

    def installed(self) -> list[Installed]:
        return list(read_site_packages([self.site]).distributions)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "venv")


def test_a_tree_of_one_distribution_leaves_as_one(place: Place) -> None:
    place.dist_info("demo", "demo/__init__.py", "demo/deep/er/x.py")
    assert place.leaving("demo") == (["demo", "demo-1.0.dist-info"], [], [])


def test_a_namespace_of_two_that_both_leave_is_split_between_them(place: Place) -> None:
    place.dist_info("one", "ns/one/a.py", "ns/one.py")
    place.dist_info("two", "ns/two/b.py")
    moves, emptied, _ = place.leaving("one", "two")
    assert {"ns/one", "ns/one.py", "ns/two"} < set(moves)
    assert emptied == ["ns"]


def test_a_file_that_another_claims_stays(place: Place) -> None:
    place.dist_info("one", "ns/__init__.py", "ns/one.py")
    place.dist_info("two", "ns/__init__.py", "ns/two.py")
    assert place.leaving("one") == (["ns/one.py", "one-1.0.dist-info"], [], [])


def test_a_script_that_another_claims_stays(place: Place) -> None:
    place.dist_info("one", "../../../bin/tool", "one.py")
    place.dist_info("two", "../../../bin/tool")
    moves, _, _ = place.leaving("one")
    assert moves == ["one-1.0.dist-info", "one.py"]


def test_paths_outside_are_refused_and_told(place: Place, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("")
    place.dist_info("demo", "demo.py", record=f"demo.py,,\n../../../../precious,,\n{tmp_path},,\n")
    moves, _, warnings = place.leaving("demo")
    assert moves == ["demo-1.0.dist-info", "demo.py"]
    assert warnings == ["record-outside", "record-outside"]


def test_what_makes_an_environment_is_never_removed(place: Place) -> None:
    (place.root / "pyvenv.cfg").write_text("")
    (place.root / ".venvman").mkdir()
    (place.root / ".venvman/x").write_text("")
    record = "../../../pyvenv.cfg,,\n../../../.venvman/x,,\n"
    place.dist_info("demo", record=record)
    assert place.leaving("demo")[0] == ["demo-1.0.dist-info"]


def test_a_link_to_a_folder_is_not_followed(place: Place, tmp_path: Path) -> None:
    place.dist_info("demo", "demo/__init__.py", record="demo/__init__.py,,\ndemo/data/x,,\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/x").write_text("")
    (place.site / "demo/data").symlink_to(tmp_path / "elsewhere")
    moves, _, _ = place.leaving("demo")
    assert moves == ["demo/__init__.py", "demo-1.0.dist-info"]


def test_bytecode_of_what_stays_stays(place: Place) -> None:
    place.dist_info("demo", "demo.py", "a.b.py")
    place.files(
        "__pycache__/demo.cpython-311.pyc",
        "__pycache__/demo.cpython-311.opt-1.pyc",
        "__pycache__/a.b.cpython-311.pyc",
        "__pycache__/mine.cpython-311.pyc",
        "__pycache__/demo.txt",
    )
    moves, emptied, _ = place.leaving("demo")
    assert [path for path in moves if "__pycache__" in path] == [
        "__pycache__/a.b.cpython-311.pyc",
        "__pycache__/demo.cpython-311.opt-1.pyc",
        "__pycache__/demo.cpython-311.pyc",
    ]
    assert emptied == []


def test_folders_that_were_empty_already_go_too(place: Place) -> None:
    place.dist_info("demo", "demo/__init__.py", "demo/sub/x.py")
    (place.site / "demo/sub/x.py").unlink()
    (place.site / "demo/logs").mkdir()
    (place.site / "demo/mine.txt").write_text("")
    moves, emptied, _ = place.leaving("demo")
    assert moves == ["demo/__init__.py", "demo-1.0.dist-info"]
    assert emptied == ["demo/logs", "demo/sub"]


def test_without_record_nothing_is_removed_and_all_are_named(place: Place) -> None:
    for name in ("one", "two"):
        place.dist_info(name, f"{name}.py")
        (place.site / f"{name}-1.0.dist-info/RECORD").unlink()
    with pytest.raises(InstallError) as caught:
        place.leaving("one", "two")
    assert [problem.code for problem in caught.value.problems] == ["record-missing"] * 2
    assert str(caught.value.fix) == "venvman sync --recreate"


def test_a_metadata_folder_without_metadata_is_a_leftover(place: Place) -> None:
    place.dist_info("demo", "demo.py")
    for leaf in ("RECORD", "METADATA"):
        (place.site / f"demo-1.0.dist-info/{leaf}").unlink()
    assert place.leaving("demo")[0] == ["demo-1.0.dist-info"]


def test_distutils_installations_are_refused(place: Place) -> None:
    (place.site / "demo-1.0.egg-info").write_text("Metadata-Version: 1.0\nName: demo\nVersion: 1\n")
    with pytest.raises(InstallError, match="distutils") as caught:
        place.leaving("demo")
    assert caught.value.code == "distutils-installed"


def test_an_egg_info_with_a_list_leaves_by_it(place: Place) -> None:
    place.files("demo/__init__.py", "demo/x.py", "demo/stray.txt")
    place.egg_info("demo", **{"installed-files": "../demo/__init__.py\n../demo/x.py\nPKG-INFO\n"})
    moves, _, _ = place.leaving("demo")
    assert moves == ["demo/__init__.py", "demo/x.py", "demo-1.0.egg-info"]


def test_an_egg_info_without_a_list_leaves_by_its_top_names(place: Place) -> None:
    place.files("demo/__init__.py", "demo/deep/x.py", "single.py", "ns/other.py")
    (place.root / "bin/demo").write_text("")
    place.egg_info(
        "demo",
        top_level="demo\nsingle\nns\n",
        namespace_packages="ns\n",
        entry_points="[console_scripts]\ndemo = demo:main\n",
    )
    moves, _, _ = place.leaving("demo")
    assert moves == ["bin/demo", "demo", "demo-1.0.egg-info", "single.py"]


def test_an_egg_info_that_says_nothing_is_refused(place: Place) -> None:
    place.egg_info("demo", entry_points="[console_scripts]\nbroken\n")
    with pytest.raises(InstallError) as caught:
        place.leaving("demo")
    assert caught.value.code == "record-missing"


@pytest.mark.parametrize("others", ["/somewhere/else\n", ""])
def test_a_development_link_leaves_with_its_line_and_scripts(
    place: Place, tmp_path: Path, others: str
) -> None:
    source = tmp_path / "source"
    metadata = source / "my_demo.egg-info"
    metadata.mkdir(parents=True)
    (metadata / "entry_points.txt").write_text("[console_scripts]\ndemo = demo:main\n")
    (place.root / "bin/demo").write_text("")
    (place.site / "my-demo.egg-link").write_text(f"{source}\n.\n")
    (place.site / "easy-install.pth").write_text(f"{others}{source}\n")
    (installed,) = place.installed()
    (removal,), _ = removals([installed], place.facts)
    assert removal.edits == {f"{SITE}/easy-install.pth": others.encode() or None}
    moves = [unit.path for unit in units_of([removal], place.facts).moves]
    assert moves == ["bin/demo", f"{SITE}/my-demo.egg-link"]


def test_a_development_link_without_source_or_line_still_leaves(place: Place) -> None:
    (place.site / "demo.egg-link").write_text("/gone\n")
    (place.site / "easy-install.pth").write_text("/other\n")
    assert place.leaving("demo")[0] == ["demo.egg-link"]
