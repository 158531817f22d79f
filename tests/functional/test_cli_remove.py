"""``venvman remove``: the line, the pins that only it needed, the distributions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.index import Index
from tests.support.shops import Shop, stock

TEXT = "# what we need\ntool  # for work\n\nweb[fast]>=2\n"


@pytest.fixture
def shop(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A project with ``tool`` and ``web``, frozen."""
    stock(index.folder)
    monkeypatch.setenv("VENVMAN_ENGINE", "native")
    (tmp_path / ".git").mkdir()
    shop = Shop(tmp_path)
    shop.write({"requirements.in": TEXT})
    assert shop.run("freeze").code == 0
    return shop


def test_the_line_its_pins_and_its_distributions_go(shop: Shop) -> None:
    assert shop.run("sync").code == 0
    ran = shop.run("remove", "Web")
    assert ran.code == 0, ran.stderr
    assert shop.read("requirements.in") == "# what we need\ntool  # for work\n"
    assert "turbo" not in shop.read("requirements.txt")
    assert "base==" in shop.read("requirements.txt")
    assert "- requirements.in:4  web[fast]>=2" in ran.stdout
    assert "turbo leaves with it" in ran.stdout
    names = {each.name for each in shop.root.glob("venv/lib/python*/site-packages/*.dist-info")}
    assert not any(name.startswith(("web", "turbo")) for name in names)


def test_what_others_need_stays_and_is_named(shop: Shop) -> None:
    shop.write({"requirements.in": "base\ntool\n"})
    shop.run("freeze")
    ran = shop.run("remove", "base", "--no-sync")
    assert ran.code == 0
    assert "base stays: tool needs it." in ran.stdout
    assert "base==" in shop.read("requirements.txt")


def test_several_that_need_it_are_listed(shop: Shop) -> None:
    shop.write({"requirements.in": "base\ntool\nweb\n"})
    shop.run("freeze")
    assert "base stays: tool and web need it." in shop.run("remove", "base", "--frozen").stdout
    shop.run("freeze")
    assert "tool and web bring it (requirements.in:1)" in shop.run("remove", "base").stderr


def test_a_dry_run_says_what_would_leave(shop: Shop) -> None:
    ran = shop.run("remove", "web", "--dry-run")
    assert "-web[fast]>=2" in ran.stdout
    assert "turbo would leave with it" in ran.stdout
    assert shop.read("requirements.in") == TEXT


def test_frozen_leaves_the_lock_alone(shop: Shop) -> None:
    before = shop.read("requirements.txt")
    data = shop.run("remove", "web", "--frozen", "--format", "json").json["data"]
    assert "web" not in shop.read("requirements.in")
    assert shop.read("requirements.txt") == before
    assert data["leaving"] == ["turbo"]


def test_every_group_gives_it_up_unless_one_is_named(shop: Shop) -> None:
    shop.write({"dev.in": "web\nbase\n"})
    shop.run("remove", "web", "--dev", "--frozen")
    assert (shop.read("dev.in"), shop.read("requirements.in")) == ("base\n", TEXT)
    shop.write({"dev.in": "web\nbase\n"})
    shop.run("remove", "web", "--frozen")
    assert "web" not in shop.read("dev.in") + shop.read("requirements.in")


def test_what_only_packages_bring_is_explained(shop: Shop) -> None:
    ran = shop.run("remove", "turbo")
    assert ran.code == 2
    assert "web brings it (requirements.in:4)" in ran.stderr
    assert "venvman why turbo" in ran.stderr


def test_an_unknown_name_is_met_with_those_that_are_alike(shop: Shop) -> None:
    ran = shop.run("remove", "tol", "nothing", "--format", "json")
    assert ran.code == 2
    alike, unknown = ran.json["problems"]
    assert "tool" in alike["why"]
    assert unknown["fix"] == "venvman scan"
    assert shop.read("requirements.in") == TEXT


def test_a_specifier_is_more_than_a_name(shop: Shop) -> None:
    ran = shop.run("remove", "web>=2")
    assert ran.code == 2
    assert "venvman remove web" in ran.stderr


def test_an_unknown_group_is_named(shop: Shop) -> None:
    assert "no group 'docs'" in shop.run("remove", "--group", "docs", "web").stderr


def test_a_folder_is_removed_by_its_path_or_its_name(shop: Shop) -> None:
    files = {"lib/pyproject.toml": "[project]\nname = 'mine'\nversion = '1'\n"}
    for word in ("./lib", "mine"):
        shop.write({**files, "requirements.in": "-e ./lib\ntool\n"})
        assert shop.run("remove", word, "--frozen").code == 0
        assert shop.read("requirements.in") == "tool\n"


def test_without_a_lock_lines_can_be_removed_all_the_same(shop: Shop) -> None:
    (shop.root / "requirements.txt").unlink()
    assert shop.run("remove", "web", "--frozen").code == 0
    assert "web" not in shop.read("requirements.in")


def test_the_last_requirement_can_be_removed_without_a_question(shop: Shop) -> None:
    shop.write({"requirements.in": "tool\n"})
    assert shop.run("sync").code == 0
    ran = shop.run("remove", "tool")
    assert ran.code == 0, ran.stderr
    assert shop.read("requirements.in") == ""
    assert shop.run("sync", "--check").code == 0


def test_if_freezing_fails_the_line_stays(shop: Shop) -> None:
    shop.write({"requirements.in": "web>9\ntool\n"})
    assert shop.run("remove", "tool").code == 2
    assert shop.read("requirements.in") == "web>9\ntool\n"
