"""What ``outdated`` says may move is what ``upgrade`` moves."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cli import ended
from tests.support.shops import Shop, commit
from tests.support.wheels import make_wheel

World = dict[str, dict[str, tuple[str, ...]]]
"""Names to versions to what these ask for."""

NAMES = ("app", "lib", "base")

WORLDS: dict[str, tuple[World, str, dict[str, str]]] = {
    "one that holds another back moves itself": (
        {"app": {"1": ("lib<2",), "2": ("lib>=2",)}, "lib": {"1": (), "2": ()}},
        "app\nlib\n",
        {"app": "1", "lib": "1"},
    ),
    "the newest needs what a line shuts out": (
        {"app": {"1": (), "2": ("lib>=2",)}, "lib": {"1": (), "2": ()}},
        "app\nlib<2\n",
        {"app": "1", "lib": "1"},
    ),
    "two that cannot both move": (
        {
            "app": {"1": ("base",), "2": ("base<2",)},
            "lib": {"1": ("base",), "2": ("base>=2",)},
            "base": {"1": (), "2": ()},
        },
        "app\nlib\n",
        {"app": "1", "lib": "1", "base": "1"},
    ),
    "one moves back as another moves on": (
        {"app": {"1": ("lib",), "2": ("lib<2",)}, "lib": {"1": (), "2": ()}},
        "app\n",
        {"app": "1", "lib": "2"},
    ),
    "one leaves": (
        {"app": {"1": ("lib",), "2": ()}, "lib": {"1": (), "2": ()}},
        "app\n",
        {"app": "1", "lib": "1"},
    ),
    "nothing moves": (
        {"app": {"1": ("lib",)}, "lib": {"1": ()}},
        "app\n",
        {"app": "1", "lib": "1"},
    ),
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("VENVMAN_ENGINE", "native")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "w").mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "w"))
    (tmp_path / "p" / ".git").mkdir(parents=True)
    return Shop(tmp_path / "p")


def fill(shop: Shop, world: World, lines: str, pins: Mapping[str, str]) -> None:
    folder = shop.root.parent / "w"
    for old in folder.iterdir():
        old.unlink()
    for name, versions in world.items():
        for version, requires in versions.items():
            make_wheel(folder, name, version, requires=list(requires))
    shop.write({"requirements.in": lines})
    shop.lock("".join(f"{name}=={pins[name]}\n" for name in sorted(pins)))


def said(shop: Shop, names: Sequence[str] = ()) -> dict[str, tuple[str, str]]:
    """What may move, as ``outdated`` has it."""
    rows = shop.run("outdated", *names, "--format", "json").json["data"]["packages"]
    for row in rows:
        assert row["held_by"] or row["wanted"] == row["latest"]
    return {
        each["name"]: (each["current"], each["wanted"])
        for each in rows
        if each["wanted"] != each["current"]
    }


def moved(shop: Shop, names: Sequence[str] = ()) -> dict[str, tuple[str, str]]:
    """What ``upgrade`` moves of the pins that it keeps."""
    words = ("upgrade", "--dry-run", "--no-sync", *names, "--format", "json")
    changed = shop.run(*words).json["data"]["freeze"]["changed"]
    return {
        each["name"]: (each["from"], each["to"])
        for each in changed
        if not names or each["name"] in names
    }


@pytest.mark.parametrize("label", WORLDS)
def test_outdated_says_what_upgrade_moves(shop: Shop, label: str) -> None:
    fill(shop, *WORLDS[label])
    assert said(shop) == moved(shop)
    for name in WORLDS[label][2]:
        assert said(shop, [name]) == moved(shop, [name])


def test_a_package_that_moves_itself_holds_nothing_back(shop: Shop) -> None:
    fill(shop, *WORLDS["one that holds another back moves itself"])
    assert said(shop) == {"app": ("1", "2"), "lib": ("1", "2")}


LIMITS = st.sampled_from(["", "<2", ">=2", "<3", ">=3"])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, str, dict[str, str]]:
    world: World = {}
    for place, name in enumerate(NAMES):
        world[name] = {
            version: tuple(
                f"{other}{draw(LIMITS)}" for other in NAMES[place + 1 :] if draw(st.booleans())
            )
            for version in ("1", "2", "3")
        }
    lines = "".join(f"{name}{draw(LIMITS)}\n" for name in NAMES)
    return world, lines, {name: draw(st.sampled_from("123")) for name in NAMES}


@pytest.mark.slow
def test_outdated_says_what_upgrade_moves_in_any_small_world(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    @given(worlds())
    def check(world: tuple[World, str, dict[str, str]]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            folder = tmp_path_factory.mktemp("world")
            patch.setenv("VENVMAN_ENGINE", "native")
            patch.setenv("PIP_NO_INDEX", "1")
            patch.setenv("PIP_FIND_LINKS", str(folder / "w"))
            (folder / "w").mkdir()
            (folder / "p" / ".git").mkdir(parents=True)
            shop = Shop(folder / "p")
            fill(shop, *world)
            if shop.run("upgrade", "--dry-run", "--no-sync").code == 0:
                assert said(shop) == moved(shop)

    check()


def test_a_branch_that_moved_may_move(shop: Shop, tmp_path: Path) -> None:
    origin = Shop(tmp_path / "lib")
    origin.write({
        "pyproject.toml": "[project]\nname = 'lib'\nversion = '1'\ndependencies = []\n"
        "[build-system]\nrequires = []\nbuild-backend = 'nothing'\n"
    })  # fmt: skip
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=origin.root, check=True)
    commit(origin.root)
    shop.write({"requirements.in": f"lib @ git+file://{origin.root}@main\n"})
    frozen = shop.run("freeze")
    assert frozen.code == 0, frozen.stderr
    assert said(shop) == {}
    assert shop.run("outdated").stdout.startswith("Nothing to do: the one pin is")

    origin.write({"more.py": ""})
    commit(origin.root, "two")
    [(before, after)] = said(shop).values()
    head = ended(["git", "rev-parse", "HEAD"], cwd=origin.root, check=True).stdout
    assert head.startswith(after)
    assert before != after
    assert "Next: venvman upgrade" in shop.run("outdated").stdout
    assert shop.run("upgrade", "--no-sync").code == 0
    assert said(shop) == {}
