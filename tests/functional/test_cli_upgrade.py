"""``venvman upgrade`` and ``outdated``: what could move, and moving it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.index import Index
from tests.support.shops import Shop, stock
from tests.support.wheels import make_wheel

PINS = """\
base==1.0
    # via
    #   tool
    #   web
tool==1.0
    # via -r requirements.in
web==1.0
    # via -r requirements.in
"""


@pytest.fixture
def shop(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A lock that is behind: ``web`` may move, ``base`` as far as ``web`` lets it."""
    stock(index.folder)
    monkeypatch.setenv("VENVMAN_ENGINE", "native")
    (tmp_path / ".git").mkdir()
    shop = Shop(tmp_path)
    shop.write({"requirements.in": "tool\nweb>=1\n"})
    shop.lock(PINS)
    return shop


def rows(shop: Shop, *words: str) -> dict[str, Any]:
    data = shop.run("outdated", *words, "--format", "json").json["data"]
    return {each["name"]: each for each in data["packages"]}


class TestUpgrade:
    def test_everything_moves_as_far_as_it_may(self, shop: Shop) -> None:
        ran = shop.run("upgrade")
        assert ran.code == 0, ran.stderr
        lock = shop.read("requirements.txt")
        assert "web==2.0" in lock
        assert "base==1.1" in lock
        assert shop.run("sync", "--check").code == 0

    def test_only_the_named_one_moves(self, shop: Shop) -> None:
        assert shop.run("upgrade", "Base", "--no-sync").code == 0
        lock = shop.read("requirements.txt")
        assert "base==1.1" in lock
        assert "web==1.0" in lock
        assert not (shop.root / "venv").exists()

    def test_what_a_named_one_needs_gives_way_and_nothing_else_moves(
        self, shop: Shop, index: Index
    ) -> None:
        # Lock-step families: each release needs the other's release of the same moment.
        for version in ("1.0", "1.1", "2.0"):
            make_wheel(index.folder, "model", version, requires=[f"model-core=={version}"])
            make_wheel(index.folder, "model-core", version, requires=["base"])
        shop.write({"requirements.in": "tool\nweb>=1\nmodel<2\n"})
        shop.lock(PINS.replace("tool==", "model==1.0\nmodel-core==1.0\n    # via model\ntool==", 1))
        for command in ("upgrade --no-sync --dry-run model", "freeze --dry-run -P model"):
            data = shop.run(*command.split(), "--format", "json").json["data"]
            changed = (data.get("freeze") or data)["changed"]
            assert changed == [
                {"name": "model", "from": "1.0", "to": "1.1"},
                {"name": "model-core", "from": "1.0", "to": "1.1"},
            ]

    @pytest.mark.parametrize("command", ["upgrade --no-sync", "freeze -P"])
    @pytest.mark.parametrize(
        ("asked", "expected"),
        [("web==1.5", "1.5"), ("web<2", "1.5"), ("web", "2.0"), ("web~=1.0,!=1.5", "1.0")],
    )
    def test_versions_that_are_named_count(
        self, shop: Shop, index: Index, command: str, asked: str, expected: str
    ) -> None:
        make_wheel(index.folder, "web", "1.5", requires=["base"])
        assert shop.run(*command.split(), asked).code == 0
        assert f"web=={expected}\n" in re.sub(r" \\\n.*", "", shop.read("requirements.txt"))

    @pytest.mark.parametrize("asked", ["wbe", "./web", "web @ file:///web", "web; os_name == 'x'"])
    def test_both_commands_refuse_alike(self, shop: Shop, asked: str) -> None:
        said = [
            shop.run(*command.split(), asked, "--format", "json")
            for command in ("upgrade", "freeze -P")
        ]
        assert [ran.code for ran in said] == [2, 2]
        assert said[0].json["problems"] == said[1].json["problems"]

    @pytest.mark.parametrize("command", ["upgrade --no-sync", "freeze -P"])
    @pytest.mark.parametrize(
        ("lines", "holder"),
        [("tool\nweb<2\n", "requirements.in:2 asks for <2"), ("tool\nweb\n", None)],
    )
    def test_what_stays_is_told_with_what_holds_it(
        self, shop: Shop, command: str, lines: str, holder: str | None
    ) -> None:
        shop.write({"requirements.in": lines})
        name = "web" if holder else "tool"
        (note,) = shop.run(*command.split(), name, "--format", "json").json["problems"]
        assert (note["code"], note["severity"]) == ("package-stays", "note")
        assert holder is None or holder in note["why"]

    def test_another_package_that_holds_it_is_named(self, shop: Shop, index: Index) -> None:
        make_wheel(index.folder, "tool", "0.9", requires=["base<1.1"])
        shop.write({"requirements.in": "tool==0.9\nweb>=1\n"})
        shop.lock(PINS.replace("tool==1.0", "tool==0.9"))
        (note,) = shop.run("freeze", "-P", "base", "--format", "json").json["problems"]
        assert "tool asks for <1.1" in note["why"]

    def test_a_dry_run_shows_what_would_move(self, shop: Shop) -> None:
        before = shop.read("requirements.txt")
        ran = shop.run("upgrade", "--dry-run", "--format", "json")
        assert (ran.code, ran.json["status"]) == (0, "drift")
        assert {"name": "web", "from": "1.0", "to": "2.0"} in ran.json["data"]["freeze"]["changed"]
        assert ran.json["data"]["sync"] is None
        assert shop.read("requirements.txt") == before
        assert "Not yet written" in shop.run("upgrade", "--dry-run").stdout

    def test_an_unknown_name_is_met_with_those_that_are_alike(self, shop: Shop) -> None:
        ran = shop.run("upgrade", "wbe", "nothing", "--format", "json")
        assert ran.code == 2
        assert "web" in ran.json["problems"][1]["why"]
        assert ran.json["problems"][0]["fix"] == "venvman add nothing"

    def test_nothing_to_move_is_one_sentence(self, shop: Shop) -> None:
        shop.run("upgrade")
        ran = shop.run("upgrade")
        assert ran.code == 0
        assert "Nothing to do" in ran.stdout


class TestOutdated:
    def test_locked_allowed_and_newest_are_told(self, shop: Shop) -> None:
        web = rows(shop)["web"]
        assert (web["current"], web["wanted"], web["latest"]) == ("1.0", "2.0", "2.0")
        assert web["held_by"] == []
        assert web["direct"] is True

    def test_a_package_that_holds_another_back_is_named(self, shop: Shop) -> None:
        base = rows(shop)["base"]
        assert (base["current"], base["wanted"], base["latest"]) == ("1.0", "1.1", "2.0")
        assert base["held_by"] == [
            {"specifier": ">=1.1,<2", "path": None, "line": None, "package": "web", "reason": None}
        ]

    def test_a_line_that_holds_back_is_named(self, shop: Shop) -> None:
        shop.write({"requirements.in": "tool\nweb<2\n"})
        [hold] = rows(shop)["web"]["held_by"]
        assert (hold["path"], hold["line"], hold["specifier"]) == ("requirements.in", 2, "<2")

    def test_a_constraint_that_holds_back_is_named(self, shop: Shop) -> None:
        shop.write({"requirements.in": "-c limits.txt\ntool\nweb>=1\n", "limits.txt": "web<2\n"})
        assert rows(shop)["web"]["held_by"][0]["path"] == "limits.txt"

    def test_a_version_for_other_pythons_says_so(self, shop: Shop, index: Index) -> None:
        make_wheel(index.folder, "tool", "9.0", requires_python=">=9")
        index.requires_python["tool-9.0-py3-none-any.whl"] = ">=9"
        tool = rows(shop)["tool"]
        assert (tool["wanted"], tool["latest"]) == ("1.0", "9.0")
        assert "needs Python >=9" in tool["held_by"][0]["reason"]

    def test_yanked_files_and_pre_releases_do_not_count(self, shop: Shop, index: Index) -> None:
        make_wheel(index.folder, "tool", "3.0")
        index.yanked["tool-3.0-py3-none-any.whl"] = "broken"
        make_wheel(index.folder, "tool", "4.0rc1")
        assert "tool" not in rows(shop)

    def test_only_the_named_ones_are_told(self, shop: Shop) -> None:
        assert list(rows(shop, "web")) == ["web"]

    def test_the_text_is_a_table_with_the_next_command(self, shop: Shop) -> None:
        ran = shop.run("outdated")
        assert ran.code == 0
        assert "web asks for >=1.1,<2" in ran.stdout
        assert "2 of 3 pins are behind; the requirements let 2 move." in ran.stdout
        assert "Next: venvman upgrade" in ran.stdout

    def test_check_exits_with_1_only_if_something_may_move(self, shop: Shop) -> None:
        assert shop.run("outdated", "--check").code == 1
        shop.run("upgrade", "--no-sync")
        assert shop.run("outdated", "--check").code == 0

    def test_all_up_to_date_is_one_sentence(self, shop: Shop) -> None:
        shop.lock("tool==1.0\n    # via -r requirements.in\n")
        shop.write({"requirements.in": "tool\n"})
        assert shop.run("outdated").stdout.startswith("Nothing to do: the one pin is")

    def test_a_package_that_left_the_index_is_a_warning(self, shop: Shop, index: Index) -> None:
        (index.folder / "tool-1.0-py3-none-any.whl").unlink()
        ran = shop.run("outdated")
        assert ran.code == 0
        assert "No index has tool any more" in ran.stderr

    def test_an_index_that_does_not_answer_is_an_error(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        monkeypatch.setenv("PIP_RETRIES", "0")
        assert shop.run("outdated").code == 2

    def test_a_name_that_is_not_locked_is_refused(self, shop: Shop) -> None:
        assert "not locked" in shop.run("outdated", "nothing").stderr


@pytest.mark.parametrize("quiet", ["-q", "--quiet"])
@pytest.mark.parametrize("words", ["freeze --check", "freeze --dry-run", "sync --check"])
def test_the_next_command_is_the_one_that_speaks(shop: Shop, words: str, quiet: str) -> None:
    shop.write({"requirements.in": "tool\nweb>=1\nturbo\n"})
    verb = words.partition(" ")[0]
    told = [shop.run(*words.split(), *more).stdout for more in ((), (quiet,))]
    assert f"Next: venvman {verb}\n" in told[0]
    assert all("-q" not in each for each in told)
    assert words.endswith("--dry-run") or f"Next: venvman {verb}\n" in told[1]


def test_a_freeze_that_left_its_lock_stale_says_so(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What an engine forgets is a defect that no input is known for.
    from venvman.lock.io import write_locks

    def forgetful(project: Any, locks: Any) -> bool:
        return write_locks(
            project, {path: replace(each, entries=()) for path, each in locks.items()}
        )

    monkeypatch.setattr("venvman.workflow.freezing.write_locks", forgetful)
    ran = shop.run("freeze", "--format", "json")
    assert ran.code != 0
    assert "does not match its requirements" in shop.run("freeze").stderr
