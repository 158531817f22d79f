"""``venvman cache`` end to end: what it shows, what it removes, and who it waits for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import PATIENCE, PROGRAM, run, started
from tests.support.index import Index
from tests.support.projects import lock_of, snapshot, versions_in, write_project
from tests.support.wheels import make_wheel
from venvman.system.locks import using


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A synced project with alpha 2.0; alpha 1.0 is in its attic."""
    root = write_project(tmp_path / "shop", {"requirements.txt": "alpha\n"})
    for version in ("1.0", "2.0"):
        wheel = make_wheel(index.folder, "alpha", version, files={"alpha.py": f"# {version}\n"})
        (root / "requirements.lock").write_text(lock_of(wheel))
        assert run("sync", "--frozen", "-q", cwd=root).code == 0
    return root


@pytest.fixture
def cache(isolated: Path) -> Path:
    return isolated / "cache"


def data(root: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    ran = run("cache", *arguments, "--format", "json", cwd=root)
    assert ran.code == code, ran.stdout
    found: dict[str, Any] = ran.json["data"]
    return found


def modules(cache: Path) -> dict[str, Path]:
    """The stored ``alpha.py`` by what it says."""
    return {path.read_text(): path for path in (cache / "wheels-v1").glob("??/*/files/alpha.py")}


class TestSize:
    def test_it_names_the_kinds_and_the_attic_of_this_project(self, root: Path) -> None:
        found = data(root, "size")
        kinds = {part["name"]: part["kind"] for part in found["parts"]}
        assert kinds["wheels-v1"] == "store"
        assert kinds["index-v1"] == "index pages"
        assert kinds["interpreters"] == "interpreters"
        assert found["bytes"] == sum(part["bytes"] for part in found["parts"])
        (entry,) = found["attic"]["entries"]
        assert (entry["name"], entry["version"]) == ("alpha", "1.0")
        assert found["attic"]["bytes"] == entry["bytes"] > 0
        assert found["attic"]["limit"] == {"setting": "2 GiB", "bytes": 2 * 1024**3, "count": None}

    def test_the_text_shows_both_with_the_limit(self, root: Path) -> None:
        (root / "pyproject.toml").write_text("[tool.venvman]\nattic = 20\n")
        said = run("cache", "size", cwd=root).stdout
        assert "store" in said
        assert "1 package out of use in venv, at most 20 packages" in said
        assert "alpha 1.0" in said

    def test_outside_of_projects_there_is_no_attic(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        assert data(tmp_path, "size")["attic"] is None

    def test_a_project_without_environment_has_no_attic(self, tmp_path: Path) -> None:
        root = write_project(tmp_path / "new", {"requirements.txt": "alpha\n"})
        assert data(root, "size")["attic"] is None

    def test_a_project_that_was_named_has_to_be_there(self, tmp_path: Path) -> None:
        assert run("cache", "size", "--project", tmp_path / "none", cwd=tmp_path).code == 2


class TestPrune:
    def test_it_keeps_what_environment_and_attic_link_to(self, root: Path, cache: Path) -> None:
        for path in (cache / "wheels-v1").glob("??/*"):
            os.utime(path, (0, 0))
        data(root, "prune")
        assert len(modules(cache)) == 2

    def test_without_the_attic_only_what_is_installed_is_linked(
        self, root: Path, cache: Path
    ) -> None:
        data(root, "clean", "--attic")
        data(root, "prune", "--older-than", "0s")
        assert list(modules(cache)) == ["# 2.0\n"]

    def test_a_size_is_kept_to(self, root: Path, cache: Path) -> None:
        assert data(root, "prune", "--max-size", "1 GiB")["files"] == 0
        data(root, "prune", "--max-size", "0B")
        assert modules(cache) == {}
        assert versions_in(root) == {"alpha": "2.0"}

    @pytest.mark.parametrize(
        "option", [("--older-than", "soon"), ("--older-than", "30"), ("--max-size", "5")]
    )
    def test_what_is_no_age_or_size_is_a_usage_error(
        self, root: Path, option: tuple[str, str]
    ) -> None:
        before = snapshot(root)
        ran = run("cache", "prune", *option, "--format", "json", cwd=root)
        assert ran.code == 2
        assert "such as" in ran.json["problems"][0]["message"]
        assert snapshot(root) == before

    @pytest.mark.parametrize("age", ["30d", "2 weeks", "12h", "90 min"])
    def test_ages_are_written_in_these_ways(self, root: Path, age: str) -> None:
        assert data(root, "prune", "--older-than", age)["files"] == 0


class TestVerify:
    def test_a_cache_as_it_was_unpacked_is_clean(self, root: Path) -> None:
        found = data(root, "verify")
        assert (found["checked"] >= 2, found["damaged"]) == (True, [])
        assert "all are as they were unpacked" in run("cache", "verify", cwd=root).stdout

    def test_a_damaged_wheel_is_discarded_and_fetched_again(self, root: Path, cache: Path) -> None:
        path = modules(cache)["# 2.0\n"]
        path.write_text("# 6.6\n")
        (damaged,) = data(root, "verify", code=1)["damaged"]
        assert damaged["filename"] == "alpha-2.0-py3-none-any.whl"
        assert (damaged["paths"], damaged["discarded"]) == (["alpha.py"], True)
        assert data(root, "verify")["damaged"] == []
        assert run("sync", "--frozen", "--recreate", "-q", cwd=root).code == 0
        assert "# 2.0\n" in modules(cache)

    def test_the_text_names_wheel_and_files(self, root: Path, cache: Path) -> None:
        modules(cache)["# 2.0\n"].unlink()
        ran = run("cache", "verify", cwd=root)
        assert ran.code == 1
        assert "- alpha-2.0-py3-none-any.whl discarded: alpha.py" in ran.stdout

    def test_where_there_is_no_cache_nothing_is_damaged(self, tmp_path: Path) -> None:
        assert data(tmp_path, "verify")["checked"] == 0


class TestClean:
    def test_the_attic_is_emptied_and_nothing_else(self, root: Path, cache: Path) -> None:
        freed = data(root, "clean", "--attic")
        assert freed["folder"] == str(root / "venv" / ".venvman" / "attic")
        assert freed["bytes"] > 0
        assert data(root, "size")["attic"]["entries"] == []
        assert len(modules(cache)) == 2
        assert versions_in(root) == {"alpha": "2.0"}
        assert not (root / "venv" / ".venvman" / "stage").exists()
        assert run("rollback", "-q", cwd=root).code == 0
        assert versions_in(root) == {"alpha": "1.0"}

    def test_an_empty_attic_stays_empty(self, root: Path) -> None:
        data(root, "clean", "--attic")
        assert data(root, "clean", "--attic")["files"] == 0

    def test_without_an_environment_there_is_nothing_to_empty(self, tmp_path: Path) -> None:
        root = write_project(tmp_path / "new", {"requirements.txt": "alpha\n"})
        assert data(root, "clean", "--attic")["files"] == 0

    def test_the_cache_goes_and_the_attic_stays(self, root: Path, cache: Path) -> None:
        data(root, "clean")
        assert modules(cache) == {}
        assert len(data(root, "size")["attic"]["entries"]) == 1


class TestConcurrency:
    @pytest.mark.parametrize("verb", [("prune", "--max-size", "0B"), ("clean",)])
    def test_it_waits_for_commands_that_use_the_cache_and_says_so(
        self, root: Path, cache: Path, verb: tuple[str, ...]
    ) -> None:
        with started("-c", PROGRAM, "cache", *verb, cwd=root) as process:
            with using(cache):
                assert process.stderr is not None
                first = process.stderr.readline()
                assert process.poll() is None
                assert len(modules(cache)) == 2
            rest = process.communicate(timeout=PATIENCE)[1]
        assert "Waiting for the commands that use the cache" in first + rest
        assert process.returncode == 0
        assert modules(cache) == {}

    def test_a_sync_waits_until_the_cache_is_emptied(self, root: Path, cache: Path) -> None:
        words = [sys.executable, "-c", PROGRAM, "sync", "--frozen", "--recreate"]
        with using(cache, alone=True, waiting=lambda: None):
            process = subprocess.Popen(words, cwd=root, stderr=subprocess.DEVNULL)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1.5)
        assert process.wait(60) == 0

    def test_syncs_and_prunes_at_once_leave_every_environment_right(
        self, root: Path, index: Index, tmp_path: Path
    ) -> None:
        projects = []
        for number in range(3):
            wheels = [make_wheel(index.folder, f"part{number}-{each}") for each in range(8)]
            text = "".join(f"part{number}-{each}\n" for each in range(8))
            files = {"requirements.txt": text, "requirements.lock": lock_of(*wheels)}
            projects.append(write_project(tmp_path / f"p{number}", files))
        start = [sys.executable, "-c", PROGRAM]
        syncs = [
            subprocess.Popen([*start, "sync", "--frozen", "-q"], cwd=project)
            for project in projects
        ]
        while any(each.poll() is None for each in syncs):
            for verb in (("prune", "--older-than", "0s"), ("clean",), ("verify",)):
                assert run("cache", *verb, "-q", cwd=root).code == 0

        assert [each.returncode for each in syncs] == [0, 0, 0]
        assert [len(versions_in(project)) for project in projects] == [8, 8, 8]
