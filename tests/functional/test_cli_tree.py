"""``venvman tree`` and ``why``: from the lock alone, in every language."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import write_project
from tests.support.shops import LOCK, Shop, stock
from tests.support.wheels import make_wheel
from venvman.store.store import Store
from venvman.system.directories import Directories

PINS = """\
base==1.1
    # via
    #   tool
    #   web
tool==1.0
    # via -r requirements.in
turbo==1.0
    # via web
web==2.0
    # via -r requirements.in
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    (tmp_path / ".git").mkdir()
    shop = Shop(tmp_path)
    shop.write({"requirements.in": "# what we need\ntool\nweb[fast]>=2,<3\n"})
    shop.lock(PINS)
    return shop


def stored(wheels: Path) -> str:
    """Puts ``web`` 2.0 into the store; its sha256."""
    stock(wheels)
    wheel = wheels / "web-2.0-py3-none-any.whl"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    with Store(Directories.of(os.environ).cache) as store:
        store.add(wheel, sha256=digest)
    return digest


class TestTree:
    def test_every_line_is_a_tree_under_its_file(self, shop: Shop) -> None:
        ran = shop.run("tree")
        assert ran.code == 0
        assert ran.stdout.splitlines() == [
            "requirements.in  default",
            "├── tool 1.0",
            "│   └── base 1.1",
            "└── web 2.0  [fast]>=2,<3",
            "    ├── base 1.1",
            "    └── turbo 1.0",
            "4 packages",
        ]

    def test_what_packages_ask_for_is_told_where_their_metadata_is_known(
        self, shop: Shop, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        digest = stored(tmp_path_factory.mktemp("wheels"))
        shop.lock(PINS.replace("web==2.0\n", f"web==2.0 \\\n    --hash=sha256:{digest}\n"))
        shown = shop.run("tree", "web").stdout
        assert "base 1.1  >=1.1,<2" in shown
        assert "turbo 1.0  with extra fast" in shown

    def test_inverted_it_goes_up_to_the_lines(self, shop: Shop) -> None:
        assert shop.run("tree", "base", "--invert").stdout.splitlines() == [
            "base 1.1",
            "├── tool 1.0",
            "│   └── requirements.in:2  tool",
            "└── web 2.0",
            "    └── requirements.in:3  web[fast]>=2,<3",
            "3 packages",
        ]

    def test_inverted_without_a_name_it_starts_at_what_needs_nothing(self, shop: Shop) -> None:
        shown = shop.run("tree", "--invert").stdout
        assert [line for line in shown.splitlines() if line[0] in "bt"] == ["base 1.1", "turbo 1.0"]

    def test_depth_one_is_what_the_lines_ask_for(self, shop: Shop) -> None:
        assert shop.run("tree", "--depth", "1").stdout.splitlines() == [
            "requirements.in  default",
            "├── tool 1.0 ...",
            "└── web 2.0  [fast]>=2,<3 ...",
            "4 packages",
        ]

    def test_depth_zero_is_refused(self, shop: Shop) -> None:
        assert shop.run("tree", "--depth", "0").code == 2

    def test_a_cycle_ends_where_it_began(self, shop: Shop) -> None:
        shop.lock(
            "base==1.1\n    # via web\n"
            "web==2.0\n    # via\n    #   -r requirements.in\n    #   base\n"
        )
        shown = shop.run("tree").stdout
        assert "    └── web 2.0 (*)" in shown
        assert "(*) its dependencies stand above" in shown

    def test_groups_have_trees_of_their_own(self, shop: Shop) -> None:
        shop.write({"dev.in": "turbo\n"})
        shop.lock("turbo==1.0\n    # via -r dev.in\n", "dev.txt")
        both, one = shop.run("tree").stdout, shop.run("tree", "--only-group", "dev").stdout
        assert "dev.in  dev" in both
        assert "requirements.in  default" in both
        assert one.splitlines() == ["dev.in  dev", "└── turbo 1.0", "1 package"]

    def test_a_lock_without_annotations_lists_what_it_holds(self, shop: Shop) -> None:
        shop.lock("base==1.1\nturbo==1.0\nweb==2.0\n")
        shown = shop.run("tree").stdout
        for name in ("base 1.1", "turbo 1.0", "web 2.0"):
            assert name in shown

    def test_metadata_makes_the_edges_that_annotations_do_not(
        self, shop: Shop, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        digest = stored(tmp_path_factory.mktemp("wheels"))
        hashed = f"web==2.0 \\\n    --hash=sha256:{digest}\n"
        shop.lock(f"base==1.1\nturbo==1.0\n{hashed}")
        shown = shop.run("tree", "web").stdout
        assert "├── base 1.1  >=1.1,<2" in shown
        assert "└── turbo 1.0  with extra fast" in shown

    def test_a_lock_of_pyproject_names_it(self, shop: Shop) -> None:
        (shop.root / "requirements.in").unlink()
        text = LOCK.replace("by venvman", "by pip-compile").replace(
            "venvman freeze", "pip-compile pyproject.toml"
        )
        shop.write({"requirements.txt": f"{text}web==2.0\n    # via shop (pyproject.toml)\n"})
        assert "pyproject.toml  default" in shop.run("tree").stdout

    def test_json_is_the_whole_graph(self, shop: Shop) -> None:
        data = shop.run("tree", "--depth", "1", "--format", "json").json["data"]
        assert [each["name"] for each in data["packages"]] == ["base", "tool", "turbo", "web"]
        assert data["requirements"][1] == {
            "name": "web",
            "path": "requirements.in",
            "line": 3,
            "requirement": "web[fast]>=2,<3",
            "specifier": ">=2,<3",
            "extras": ["fast"],
            "groups": ["default"],
        }
        assert ("web", "turbo") in [(each["from"], each["to"]) for each in data["dependencies"]]

    def test_mermaid_and_dot_draw_the_same(self, shop: Shop) -> None:
        mermaid = shop.run("tree", "--format", "mermaid").stdout
        dot = shop.run("tree", "--format", "dot").stdout
        assert mermaid.startswith("flowchart LR\n")
        assert 'f0 -->|"line 3 [fast]&gt;=2,&lt;3"| p3' in mermaid
        assert dot.startswith("digraph dependencies {\n")
        assert '"requirements.in" -> "web" [label="line 3 [fast]>=2,<3"];' in dot
        assert '"web" -> "turbo";' in dot
        assert dot.endswith("}\n")

    def test_an_unknown_language_is_refused(self, shop: Shop) -> None:
        assert "mermaid" in shop.run("tree", "--format", "svg").stderr

    def test_a_stale_lock_is_drawn_with_a_warning(self, shop: Shop) -> None:
        shop.write({"requirements.in": "tool\nweb[fast]>=2,<3\nnew\n"})
        ran = shop.run("tree")
        assert ran.code == 0
        assert "is out of date with its requirements" in ran.stderr
        assert "new" in ran.stderr

    def test_a_name_that_is_not_locked_is_met_with_those_that_are_alike(self, shop: Shop) -> None:
        ran = shop.run("tree", "tolo")
        assert ran.code == 2
        assert "tolo is not locked" in ran.stderr
        assert "tool" in ran.stderr

    def test_nothing_is_asked_of_the_network_and_no_environment_is_made(self, shop: Shop) -> None:
        assert shop.run("tree", "--offline").code == 0
        assert not (shop.root / "venv").exists()


class TestWhy:
    def test_every_chain_is_told_with_the_line_it_begins_on(self, shop: Shop) -> None:
        assert shop.run("why", "base").stdout.splitlines() == [
            "base 1.1",
            "├── requirements.in:2  tool -> base",
            "└── requirements.in:3  web[fast]>=2,<3 -> base",
        ]

    def test_the_shortest_comes_first(self, shop: Shop) -> None:
        shop.write({"requirements.in": "tool\nweb\nbase\n"})
        chains = shop.run("why", "base", "--format", "json").json["data"]["reasons"][0]["chains"]
        assert [(each["line"], len(each["steps"])) for each in chains] == [(3, 1), (1, 2), (2, 2)]

    def test_several_may_be_asked_for(self, shop: Shop) -> None:
        ran = shop.run("why", "turbo", "Tool", "--format", "json")
        assert [each["name"] for each in ran.json["data"]["reasons"]] == ["turbo", "tool"]

    def test_it_can_be_drawn(self, shop: Shop) -> None:
        dot = shop.run("why", "turbo", "--format", "dot").stdout
        assert '"web" -> "turbo"' in dot
        assert "tool" not in dot

    def test_what_nothing_is_known_to_bring_says_so(self, shop: Shop) -> None:
        shop.lock("lonely==1.0\nweb==2.0\n    # via -r requirements.in\n")
        assert "no requirement is known to bring it" in shop.run("why", "lonely").stdout

    def test_an_unknown_name_exits_with_2(self, shop: Shop) -> None:
        ran = shop.run("why", "nothing-like-it", "--format", "json")
        assert ran.code == 2
        assert ran.json["problems"][0]["code"] == "package-not-locked"

    def test_without_a_name_it_says_what_is_missing(self, shop: Shop) -> None:
        assert "NAME" in shop.run("why").stderr

    def test_many_chains_are_cut_and_the_rest_counted(self, shop: Shop) -> None:
        names = [f"p{number:02d}" for number in range(15)]
        shop.write({"requirements.in": "".join(f"{name}\n" for name in names)})
        pins = "".join(f"{name}==1\n    # via -r requirements.in\n" for name in names)
        vias = "".join(f"    #   {name}\n" for name in names)
        shop.lock(f"base==1.1\n    # via\n{vias}{pins}")
        short, long = shop.run("why", "base").stdout, shop.run("why", "base", "-v").stdout
        assert "... and 5 longer chains (--verbose shows all)" in short
        assert len(long.splitlines()) == 16


# ---- an edge with an extra counts where that extra is asked for ----


@pytest.fixture
def index_of_extras(index: Index) -> Index:
    """fast[standard] and fast[all] need mail, as does model[email]; fast needs plain model."""
    make_wheel(
        index.folder,
        "fast",
        requires=["model"],
        extras={"standard": ["mail>=2"], "all": ["mail>=1"], "more": ["fast[standard]"]},
    )
    make_wheel(index.folder, "model", extras={"email": ["mail"]})
    make_wheel(index.folder, "mail", "2.0")
    make_wheel(index.folder, "user", requires=["model[email]"])
    return index


@pytest.mark.parametrize("asked", ["fast[standard]", "fast[more]"])
@pytest.mark.usefixtures("index_of_extras")
def test_a_chain_goes_only_through_extras_that_it_asks_for(tmp_path: Path, asked: str) -> None:
    root = write_project(tmp_path / "shop", {"requirements.in": f"{asked}\n"})
    assert run("freeze", cwd=root).code == 0
    said = run("why", "mail", cwd=root).stdout
    assert "with extra standard" in said
    assert "with extra all" not in said
    assert "model" not in said
    tree = run("tree", cwd=root).stdout
    assert "with extra standard" in tree
    assert "with extra all" not in tree
    assert "with extra email" not in tree


@pytest.mark.usefixtures("index_of_extras")
def test_each_way_by_its_own_extra_is_a_chain(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", {"requirements.in": "fast[all]\nuser\n"})
    assert run("freeze", cwd=root).code == 0
    said = run("why", "mail", cwd=root).stdout
    assert "with extra all" in said
    assert "with extra email" in said
    assert "with extra standard" not in said


@pytest.mark.usefixtures("index_of_extras")
def test_each_place_in_a_tree_shows_what_its_own_extras_bring(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", {"requirements.in": "user\nfast\n"})
    assert run("freeze", cwd=root).code == 0
    lines = [line.strip("│├└─ ") for line in run("tree", cwd=root).stdout.splitlines()]
    assert lines[1:7] == [
        "user 1.0",
        "model 1.0  [email]",
        "mail 2.0  with extra email",
        "fast 1.0",
        "model 1.0",
        "4 packages",
    ]
    inverted = run("tree", "--invert", "mail", cwd=root).stdout
    assert "user 1.0" in inverted
    assert "fast" not in inverted
    assert "model[email] -> mail with extra email" in run("why", "mail", cwd=root).stdout
