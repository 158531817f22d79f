"""Overrides, packages in the place of others, and what is left out; where packages come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run
from tests.support.index import Index, serve
from tests.support.projects import versions_in, write_project
from tests.support.wheels import in_tree_backend, make_sdist, make_wheel


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A project that asks for ``vision``, both itself and through ``album``."""
    for name in ("vision", "vision-headless"):
        for version in ("1.0", "2.0"):
            make_wheel(index.folder, name, version)
    make_wheel(index.folder, "album", requires=["vision<2", "extra-heavy"])
    make_wheel(index.folder, "extra-heavy")
    return write_project(tmp_path / "shop", {"requirements.in": "album\nvision>=1\n"})


def configure(root: Path, *lines: str) -> None:
    (root / "pyproject.toml").write_text("\n".join(("[tool.venvman]", *lines, "")))


def installed(root: Path) -> dict[str, str]:
    return {name: each for name, each in versions_in(root).items() if name != "pip"}


def of(root: Path, *words: str) -> Any:
    ran = run(*words, "--format", "json", cwd=root)
    assert ran.code == 0, ran.stdout
    return ran.json["data"]


REPLACED = 'replace = { Vision = "vision-headless" }'


class TestReplaced:
    def test_another_package_takes_its_place_in_the_versions_asked_for(self, root: Path) -> None:
        configure(root, REPLACED)
        of(root, "sync")
        assert installed(root) == {"album": "1.0", "extra-heavy": "1.0", "vision-headless": "1.0"}

    def test_it_may_have_versions_of_its_own(self, root: Path) -> None:
        configure(root, 'replace = { vision = "vision-headless>=2" }')
        of(root, "sync")
        assert installed(root)["vision-headless"] == "2.0"

    def test_everything_that_looks_is_content(self, root: Path) -> None:
        configure(root, REPLACED)
        of(root, "sync")
        assert of(root, "freeze", "--check")["changed"] == []
        assert of(root, "status")
        assert of(root, "doctor", "--select", "VM2,VM3,VM4")["findings"] == []
        assert of(root, "sync", "--check")["installed"] == []

    def test_tree_and_why_show_who_asks_for_what_is_there(self, root: Path) -> None:
        configure(root, REPLACED)
        of(root, "sync")
        told = run("why", "vision-headless", cwd=root).stdout
        assert "album -> vision-headless<2" in told.replace("\u2192", "->")
        assert "requirements.in:2" in told
        assert "vision-headless" in run("tree", cwd=root).stdout

    def test_a_lock_of_before_is_stale_once_a_package_is_replaced(self, root: Path) -> None:
        of(root, "sync")
        configure(root, REPLACED)
        assert run("freeze", "--check", cwd=root).code == 1
        of(root, "sync")
        assert "vision" not in installed(root)


class TestOverridden:
    """What counts in a lock that was made before it counts in one that is made now."""

    @pytest.mark.parametrize("settings", [
        'overrides = ["vision==2.0"]',
        'overrides = ["vision==1.0", "extra-heavy; python_version < \'3\'"]',
        'overrides = ["vision<2; python_version < \'3\'", "vision>=2; python_version >= \'3\'"]',
        'exclude = ["extra-heavy"]',
        'replace = { vision = "vision-headless", extra-heavy = "album" }',
    ])  # fmt: skip
    def test_a_lock_of_before_becomes_what_a_new_one_is(
        self, settings: str, root: Path, tmp_path: Path
    ) -> None:
        of(root, "freeze")
        configure(root, settings)
        of(root, "freeze")
        other = write_project(tmp_path / "new", {"requirements.in": "album\nvision>=1\n"})
        configure(other, settings)
        of(other, "freeze")
        assert (root / "requirements.txt").read_text() == (other / "requirements.txt").read_text()
        assert of(root, "freeze", "--check")["changed"] == []

    @pytest.mark.parametrize("name", ["vision", "extra-heavy"])
    def test_a_url_stands_for_a_line_and_for_what_others_need(
        self, name: str, root: Path, index: Index
    ) -> None:
        of(root, "freeze")
        wheel = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
        url = (index.folder / wheel).as_uri()
        configure(root, f'overrides = ["{name} @ {url}"]')
        of(root, "sync")
        locked = (root / "requirements.txt").read_text()
        assert (wheel in locked, f"\n{name}==" in locked) == (True, False)
        assert of(root, "freeze", "--check")["changed"] == []
        assert of(root, "doctor", "--select", "VM2,VM3,VM4")["findings"] == []
        configure(root)
        of(root, "freeze")
        assert f"\n{name}==1.0" in (root / "requirements.txt").read_text()


class TestLeftOut:
    def test_nobody_gets_it(self, root: Path) -> None:
        configure(root, 'exclude = ["extra_heavy"]')
        of(root, "sync")
        assert installed(root) == {"album": "1.0", "vision": "1.0"}
        assert of(root, "freeze", "--check")["changed"] == []
        assert of(root, "doctor", "--select", "VM2,VM3,VM4")["findings"] == []

    def test_a_line_of_ones_own_counts_as_little(self, root: Path) -> None:
        configure(root, 'exclude = ["album"]')
        of(root, "sync")
        assert installed(root) == {"vision": "2.0"}


@pytest.mark.parametrize(
    "line",
    ['replace = ["vision"]', 'replace = { "a b" = "c" }', 'replace = { a = "b; x" }',
     'no-build-isolation = ["a b"]', 'extra-build-requires = ["a"]', 'overrides = ["a>>1"]',
     'overrides = ["-e ."]', 'overrides = ["a -> b"]', 'keep = ["vis*"]'],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_line(root: Path, line: str) -> None:
    configure(root, line)
    ran = run("sync", "--format", "json", cwd=root)
    [problem] = ran.json["problems"]
    assert (ran.code, problem["code"], problem["line"]) == (2, "setting-invalid", 2)


class TestPlaces:
    def test_a_glob_binds_names_to_one_index_and_a_name_beats_it(
        self, root: Path, index: Index, tmp_path: Path
    ) -> None:
        with serve(tmp_path / "second") as second:
            make_wheel(second.folder, "vision", "1.5")
            make_wheel(second.folder, "album", "9.0")
            configure(
                root,
                f'sources = {{ "vis*" = "{second.simple}", vision-headless = "{index.simple}" }}',
            )
            (root / "requirements.in").write_text("album\nvision\nvision-headless\n")
            of(root, "sync")
        assert installed(root)["vision"] == "1.5"
        assert installed(root)["album"] == "1.0"
        assert installed(root)["vision-headless"] == "2.0"

    def test_what_a_preferred_folder_has_is_looked_for_nowhere_else(self, root: Path) -> None:
        make_wheel(root / "wheelhouse", "vision", "1.5")
        configure(root, 'prefer-indexes = ["wheelhouse"]')
        of(root, "sync")
        assert installed(root)["vision"] == "1.5"

    def test_what_a_preferred_index_has_not_comes_from_the_others(
        self, root: Path, tmp_path: Path
    ) -> None:
        with serve(tmp_path / "second") as second:
            make_wheel(second.folder, "vision", "1.5")
            configure(root, f'prefer-indexes = ["{second.simple}"]')
            of(root, "sync")
        assert installed(root) == {"album": "1.0", "extra-heavy": "1.0", "vision": "1.5"}


class TestBuilds:
    def test_extra_build_requires_are_there_when_it_is_built(
        self, root: Path, index: Index
    ) -> None:
        make_wheel(index.folder, "helper", files={"helper.py": ""})
        make_sdist(
            index.folder, "built", backend=f"import helper\n{in_tree_backend('built', '1.0')}"
        )
        (root / "requirements.in").write_text("built\n")
        [problem] = run("sync", "--format", "json", cwd=root).json["problems"]
        assert "No module named 'helper'" in problem["why"]
        assert "extra-build-requires = { built = ['helper'] }" in problem["advice"]
        configure(root, 'extra-build-requires = { built = ["helper"] }')
        of(root, "sync")
        assert installed(root) == {"built": "1.0"}

    def test_without_isolation_it_is_built_with_what_is_locked_beside_it(
        self, root: Path, index: Index
    ) -> None:
        make_wheel(index.folder, "helper", files={"helper.py": ""})
        final = "Metadata-Version: 2.2\nName: built\nVersion: 1.0\n"
        backend = f"import helper\n{in_tree_backend('built', '1.0')}"
        make_sdist(index.folder, "built", backend=backend, files={"PKG-INFO": final})
        (root / "requirements.in").write_text("built\nhelper\n")
        assert run("sync", cwd=root).code == 2
        configure(root, 'no-build-isolation = ["built"]')
        of(root, "sync")
        assert installed(root) == {"built": "1.0", "helper": "1.0"}
        assert of(root, "sync", "--check")["installed"] == []
