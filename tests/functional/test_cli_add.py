"""``venvman add``: one line in the file, then the lock, then the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.index import Index
from tests.support.projects import snapshot
from tests.support.shops import Shop, stock
from tests.support.wheels import in_tree_backend


@pytest.fixture
def shop(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A project that asks for ``tool``, its index at hand."""
    stock(index.folder)
    monkeypatch.setenv("VENVMAN_ENGINE", "native")
    root = tmp_path / "shop"
    (root / ".git").mkdir(parents=True)
    shop = Shop(root)
    shop.write({"requirements.in": "# what we need\ntool  # for work\n"})
    return shop


def installed(shop: Shop) -> set[str]:
    folders = shop.root.glob("venv/lib/python*/site-packages/*.dist-info")
    return {each.name.partition("-")[0] for each in folders} - {"pip", "setuptools"}


class TestAdding:
    def test_the_file_the_lock_and_the_environment_follow(self, shop: Shop) -> None:
        ran = shop.run("add", "web<2", "turbo")
        assert ran.code == 0, ran.stderr
        assert shop.read("requirements.in") == "# what we need\ntool  # for work\nturbo\nweb<2\n"
        assert "web==1.0" in shop.read("requirements.txt")
        assert installed(shop) == {"tool", "base", "web", "turbo"}
        assert "+ requirements.in:3  turbo" in ran.stdout
        assert shop.run("sync", "--check").code == 0

    def test_a_specifier_of_a_line_that_is_there_is_replaced(self, shop: Shop) -> None:
        ran = shop.run("add", "Tool>=1", "--no-sync")
        assert shop.read("requirements.in") == "# what we need\ntool>=1  # for work\n"
        assert "~ requirements.in:2  tool>=1  # for work" in ran.stdout
        assert "was tool  # for work" in ran.stdout

    def test_what_is_asked_for_already_changes_nothing(self, shop: Shop) -> None:
        before = shop.read("requirements.in")
        ran = shop.run("add", "tool", "--no-sync")
        assert ran.code == 0
        assert shop.read("requirements.in") == before
        assert "= requirements.in:2 already says tool" in ran.stdout

    def test_no_sync_stops_after_the_lock(self, shop: Shop) -> None:
        assert shop.run("add", "turbo", "--no-sync").code == 0
        assert "turbo==1.0" in shop.read("requirements.txt")
        assert not (shop.root / "venv").exists()

    def test_frozen_only_edits(self, shop: Shop) -> None:
        ran = shop.run("add", "not-on-any-index", "--frozen", "--format", "json")
        assert ran.code == 0
        assert "not-on-any-index" in shop.read("requirements.in")
        assert not (shop.root / "requirements.txt").exists()
        assert ran.json["data"]["freeze"] is None

    def test_a_dry_run_shows_a_diff_and_does_nothing(self, shop: Shop) -> None:
        before = shop.read("requirements.in")
        ran = shop.run("add", "turbo", "--dry-run")
        assert ran.code == 0
        assert ran.stdout.splitlines()[:2] == ["--- a/requirements.in", "+++ b/requirements.in"]
        assert "+turbo" in ran.stdout
        assert shop.read("requirements.in") == before
        assert not (shop.root / "requirements.txt").exists()

    def test_a_dry_run_in_json_is_drift_with_exit_code_0(self, shop: Shop) -> None:
        ran = shop.run("add", "turbo", "--dry-run", "--format", "json")
        assert (ran.code, ran.json["status"]) == (0, "drift")
        [file] = ran.json["data"]["files"]
        assert file["edits"] == [
            {"action": "added", "name": "turbo", "line": 3, "before": None, "after": "turbo"}
        ]

    def test_json_tells_edit_lock_and_environment(self, shop: Shop) -> None:
        data = shop.run("add", "turbo", "--format", "json").json["data"]
        assert [each["name"] for each in data["freeze"]["added"]] == ["base", "tool", "turbo"]
        assert [each["name"] for each in data["sync"]["installed"]] == ["base", "tool", "turbo"]

    def test_encoding_mark_and_newlines_are_kept(self, shop: Shop) -> None:
        path = shop.root / "requirements.in"
        path.write_bytes("\ufeff# für uns\r\ntool\r\n".encode("utf-16-le"))
        assert shop.run("add", "turbo", "--frozen").code == 0
        assert path.read_bytes() == "\ufeff# für uns\r\ntool\r\nturbo\r\n".encode("utf-16-le")

    def test_a_coding_comment_is_obeyed(self, shop: Shop) -> None:
        path = shop.root / "requirements.in"
        path.write_bytes("# coding: latin-1\n# für uns\ntool\n".encode("latin-1"))
        assert shop.run("add", "turbo", "--frozen").code == 0
        assert path.read_bytes() == "# coding: latin-1\n# für uns\ntool\nturbo\n".encode("latin-1")


class TestGroups:
    def test_dev_gets_a_file_of_its_own(self, shop: Shop) -> None:
        ran = shop.run("add", "--dev", "turbo")
        assert ran.code == 0, ran.stderr
        assert shop.read("requirements-dev.in") == "turbo\n"
        assert "requirements-dev.in created" in ran.stdout
        assert "turbo==1.0" in shop.read("requirements-dev.txt")
        assert "turbo" in installed(shop)

    def test_another_group_is_installed_with_what_is_usual(self, shop: Shop) -> None:
        shop.write({"test.in": "base\n"})
        assert shop.run("add", "--group", "test", "turbo").code == 0
        assert shop.read("test.in") == "base\nturbo\n"
        assert installed(shop) == {"tool", "base", "turbo"}

    def test_names_follow_the_projects_own(self, shop: Shop) -> None:
        (shop.root / "requirements.in").unlink()
        shop.write({"requirements/base.txt": "tool\n"})
        shop.run("add", "--group", "docs", "turbo", "--frozen")
        assert shop.read("requirements/docs.txt") == "turbo\n"

    def test_dev_in_makes_others_short_too(self, shop: Shop) -> None:
        shop.write({"dev.in": "base\n"})
        shop.run("add", "--group", "docs", "turbo", "--frozen")
        assert shop.read("docs.in") == "turbo\n"

    def test_a_line_in_a_file_that_the_source_includes_is_changed_there(self, shop: Shop) -> None:
        shop.write({"requirements.in": "-r parts/core.in\n", "parts/core.in": "tool\n"})
        shop.run("add", "tool>=1", "--frozen")
        assert shop.read("parts/core.in") == "tool>=1\n"
        assert shop.read("requirements.in") == "-r parts/core.in\n"

    def test_a_group_made_from_pyproject_is_refused(self, shop: Shop) -> None:
        (shop.root / "requirements.in").unlink()
        header = "# This file is autogenerated by pip-compile with Python 3.11\n"
        command = "# by the following command:\n#\n#    pip-compile pyproject.toml\n#\n"
        shop.write({"requirements.txt": f"{header}{command}tool==1.0\n"})
        ran = shop.run("add", "turbo")
        assert ran.code == 2
        assert "error: lock-of-another-source" in ran.stderr

    def test_dev_and_another_group_contradict(self, shop: Shop) -> None:
        assert shop.run("add", "--dev", "--group", "docs", "turbo").code == 2


class TestNewProjects:
    def test_the_first_requirement_makes_the_project(self, shop: Shop) -> None:
        (shop.root / "requirements.in").unlink()
        ran = shop.run("add", "turbo")
        assert ran.code == 0, ran.stderr
        assert shop.read("requirements.in") == "turbo\n"
        assert "turbo==1.0" in shop.read("requirements.txt")
        assert "turbo" in installed(shop)

    def test_a_failure_leaves_no_file_behind(self, shop: Shop) -> None:
        (shop.root / "requirements.in").unlink()
        assert shop.run("add", "not-on-any-index").code == 2
        assert [each.name for each in shop.root.iterdir()] == [".git"]

    def test_a_folder_that_is_not_there_is_refused(self, shop: Shop) -> None:
        assert shop.run("add", "turbo", "--project", "nowhere").code == 2


class TestFoldersAndAddresses:
    def test_a_folder_counts_from_where_one_stands(self, shop: Shop) -> None:
        shop.write(
            {
                "libs/mine/pyproject.toml": "[build-system]\nrequires = []\n"
                "build-backend = 'backend'\nbackend-path = ['.']\n"
                "[project]\nname = 'mine'\nversion = '1.0'\n",
                "libs/mine/backend.py": in_tree_backend("mine", "1.0"),
            }
        )
        ran = shop.run("add", "-e", "./mine", cwd=shop.root / "libs")
        assert ran.code == 0, ran.stderr
        assert shop.read("requirements.in").endswith("tool  # for work\n-e ./libs/mine\n")
        assert "mine" in installed(shop)

    def test_the_same_folder_is_not_added_twice(self, shop: Shop) -> None:
        shop.write({"requirements.in": "-e ./mine\n", "mine/setup.py": ""})
        shop.run("add", "-e", "mine", "--frozen")
        assert shop.read("requirements.in") == "-e ./mine\n"

    def test_an_address_is_written_as_it_was_given(self, shop: Shop, index: Index) -> None:
        url = f"turbo @ {index.url}/files/turbo-1.0-py3-none-any.whl"
        assert shop.run("add", url, "--no-sync").code == 0
        assert url in shop.read("requirements.in")


class TestFailures:
    @pytest.mark.parametrize("wish", ["not-on-any-index", "web>9", "base<1"])
    def test_what_cannot_be_frozen_leaves_everything_as_it_was(self, shop: Shop, wish: str) -> None:
        shop.run("freeze")
        before = shop.read("requirements.in"), shop.read("requirements.txt")
        ran = shop.run("add", wish)
        assert ran.code == 2
        assert (shop.read("requirements.in"), shop.read("requirements.txt")) == before
        assert not (shop.root / "venv").exists()

    def test_every_faulty_word_is_named_at_once(self, shop: Shop) -> None:
        ran = shop.run(
            "add", "web=1", "?!", "turbo", "-e", "http://example.org/x", "--format", "json"
        )
        assert ran.code == 2
        assert len(ran.json["problems"]) == 3
        assert "web==1" in (ran.json["problems"][0]["advice"])
        assert "turbo" not in shop.read("requirements.in")

    @pytest.mark.parametrize("word", ["", "# a comment", "-r other.txt", "--pre"])
    def test_what_is_no_requirement_is_refused(self, shop: Shop, word: str) -> None:
        ran = shop.run("add", "--", word)
        assert ran.code == 2
        assert "is not a requirement" in ran.stderr

    def test_nothing_at_all_is_a_usage_error(self, shop: Shop) -> None:
        assert "at least one" in shop.run("add").stderr

    def test_a_faulty_file_is_not_edited(self, shop: Shop) -> None:
        shop.write({"requirements.in": "tool\n<<<<<<< ours\n"})
        ran = shop.run("add", "turbo")
        assert ran.code == 2
        assert shop.read("requirements.in") == "tool\n<<<<<<< ours\n"
        assert "requirements.in:2" in ran.stderr

    def test_a_sync_that_fails_leaves_file_and_lock_and_says_so(self, shop: Shop) -> None:
        (shop.root / "venv").write_text("in the way")
        ran = shop.run("add", "turbo")
        assert ran.code == 2
        assert "turbo" in shop.read("requirements.txt")
        assert "the environment is not" in ran.stderr


class TestGroupNames:
    @pytest.mark.parametrize(
        "name",
        ["x/../../../evil", "a/b", "..", ".", "", "a b", "a\nb", "-x", "x-", "a\\b", "é", "a\0b"],
    )
    def test_a_group_whose_name_is_no_file_name_is_refused_and_nothing_written(
        self, shop: Shop, name: str
    ) -> None:
        before = snapshot(shop.root.parent)
        ran = shop.run("add", "--frozen", "--group", name, "turbo", "--format", "json")
        assert ran.code == 2
        assert snapshot(shop.root.parent) == before

    @pytest.mark.parametrize(
        ("name", "read_as"), [("tests", "'test'"), ("Docs", "'docs'"), ("uninstall", None)]
    )
    def test_a_group_that_its_own_file_would_not_be_of_is_refused(
        self, shop: Shop, name: str, read_as: str | None
    ) -> None:
        ran = shop.run("add", "--group", name, "turbo", "--format", "json")
        (problem,) = ran.json["problems"]
        assert (ran.code, problem["code"]) == (2, "group-name-invalid")
        assert repr(name) in problem["message"]
        assert read_as is None or read_as in problem["why"]
        assert not list(shop.root.glob(f"*{name}*"))

    @pytest.mark.parametrize("name", ["docs", "py311", "ci-tools"])
    def test_a_new_group_is_frozen_and_synced(self, shop: Shop, name: str) -> None:
        assert shop.run("add", "--group", name, "turbo").code == 0
        assert "turbo==" in shop.read(f"requirements-{name}.txt")


def test_a_package_that_is_asked_for_twice_in_one_command_is_refused(shop: Shop) -> None:
    before = shop.read("requirements.in")
    ran = shop.run("add", "turbo==1", "Turbo==2", "--format", "json")
    (problem,) = ran.json["problems"]
    assert (ran.code, problem["code"]) == (2, "requirement-twice")
    assert shop.read("requirements.in") == before


def test_the_blanks_of_a_line_stay_when_its_specifier_changes(shop: Shop) -> None:
    (shop.root / "requirements.in").write_text("web\nturbo\t\t>=0.1  # fast\n")
    assert shop.run("add", "turbo>=0.5", "--no-sync").code == 0
    assert shop.read("requirements.in") == "web\nturbo\t\t>=0.5  # fast\n"
