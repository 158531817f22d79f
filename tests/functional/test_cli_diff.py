"""``venvman diff``: files, revisions, and the environment."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.shops import LOCK, Shop, commit

OLD = "base==1.0\n    # via web\nweb==1.0\n    # via -r requirements.in\n"
NEW = (
    "base==1.1\n    # via web\nturbo==1.0\n    # via -r requirements.in\n"
    "web==1.0\n    # via -r requirements.in\n"
)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """One commit with the old lock; the work tree has the new one."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    shop = Shop(tmp_path)
    shop.write({"requirements.in": "web\n"})
    shop.lock(OLD)
    commit(tmp_path)
    shop.write({"requirements.in": "turbo\nweb\n"})
    shop.lock(NEW)
    return shop


def changes(shop: Shop, *words: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for lock in shop.run("diff", *words, "--format", "json").json["data"]["locks"]:
        for kind in ("added", "removed", "changed"):
            found.setdefault(kind, []).extend(each["name"] for each in lock[kind])
    return found


DIFFERENT = {"added": ["turbo"], "removed": [], "changed": ["base"]}
BACK = {"added": [], "removed": ["turbo"], "changed": ["base"]}
SAME: dict[str, list[str]] = {"added": [], "removed": [], "changed": []}


def test_without_sides_it_is_the_last_commit_against_the_work_tree(shop: Shop) -> None:
    ran = shop.run("diff")
    assert ran.code == 0
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert lines[0] == ["HEAD", "->", "work", "tree"]
    assert ["~", "base", "1.0", "->", "1.1", "web"] in lines
    assert ["+", "turbo", "1.0", "-r", "requirements.in"] in lines


def test_one_revision_is_compared_with_the_work_tree(shop: Shop) -> None:
    assert changes(shop, "HEAD") == DIFFERENT


def test_two_revisions_are_compared_with_each_other(shop: Shop) -> None:
    commit(shop.root, "two")
    assert changes(shop, "HEAD~1", "HEAD") == changes(shop, "HEAD~1..HEAD") == DIFFERENT
    assert changes(shop, "HEAD", "HEAD~1") == BACK
    assert changes(shop) == SAME


def test_two_files_are_compared(shop: Shop) -> None:
    shop.write({"old.txt": LOCK + OLD})
    assert changes(shop, "old.txt", "requirements.txt") == DIFFERENT
    assert changes(shop, "requirements.txt", "old.txt") == BACK


def test_one_file_is_compared_with_the_projects_lock(shop: Shop) -> None:
    shop.write({"kept/old.txt": LOCK + OLD})
    assert changes(shop, "kept/old.txt") == DIFFERENT


def test_the_lock_itself_is_compared_with_the_last_commits(shop: Shop) -> None:
    assert changes(shop, "requirements.txt") == DIFFERENT


def test_a_lock_that_is_new_or_gone_counts(shop: Shop) -> None:
    shop.write({"dev.in": "tool\n"})
    shop.lock("tool==1.0\n    # via -r dev.in\n", "dev.txt")
    assert "tool" in changes(shop)["added"]
    commit(shop.root, "two")
    (shop.root / "dev.in").unlink()
    (shop.root / "dev.txt").unlink()
    assert changes(shop)["removed"] == ["tool"]


def test_a_project_in_a_folder_of_the_repository_compares_its_own_locks(shop: Shop) -> None:
    inner = Shop(shop.root / "inner")
    inner.write({"requirements.in": "web\n"})
    inner.lock(OLD)
    commit(shop.root, "two")
    inner.lock(NEW)
    assert changes(inner) == DIFFERENT


def test_the_environment_is_compared_as_sync_would(shop: Shop) -> None:
    subprocess.run(["git", "checkout", "-q", "--", "."], cwd=shop.root, check=True)
    shop.write({"requirements.in": ""})
    shop.lock("")
    assert shop.run("sync", "--frozen", "--yes").code == 0
    shop.lock(OLD)
    ran = shop.run("diff", "--env", "--format", "json")
    assert [each["name"] for each in ran.json["data"]["locks"][0]["added"]] == ["base", "web"]


def test_check_exits_with_1_if_anything_differs(shop: Shop) -> None:
    assert shop.run("diff", "--check").code == 1
    commit(shop.root, "two")
    assert shop.run("diff", "--check").code == 0


def test_no_difference_is_one_sentence(shop: Shop) -> None:
    commit(shop.root, "two")
    assert shop.run("diff").stdout == "No difference: HEAD -> work tree.\n"


def test_outside_git_only_files_can_be_compared(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write({"requirements.in": "web\n"})
    ran = shop.run("diff", "HEAD")
    assert ran.code == 2
    assert "no git repository" in ran.stderr


def test_before_the_first_commit_it_says_so(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    shop = Shop(tmp_path)
    shop.write({"requirements.in": "web\n"})
    assert "no commit yet" in shop.run("diff").stderr


def test_a_lock_of_a_revision_that_cannot_be_read_is_named_with_it(shop: Shop) -> None:
    shop.lock("<<<<<<< ours\nweb==1.0\n")
    commit(shop.root, "broken")
    shop.lock(NEW)
    assert "HEAD:requirements.txt" in shop.run("diff").stderr
