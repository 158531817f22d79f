"""What was solved once is not solved again while nothing has changed, and only then."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.groups import freeze_request, write_files
from tests.support.index import Index, serve
from tests.support.indexes import Memory, linux
from tests.support.wheels import make_sdist, make_wheel
from tests.support.worlds import TARGET
from venvman.engines import FreezeRequest, Keep, Resolution, UpgradeAll, UpgradeSome, native
from venvman.engines.native import question_of
from venvman.index import memo
from venvman.index.client import Index as Client
from venvman.lock.file import Lock
from venvman.lock.parse import parse_lock
from venvman.lock.render import render_lock
from venvman.model.events import Reporter
from venvman.model.names import canonical
from venvman.system.directories import Directories


@dataclass
class Desk:
    """Freezes one project again and again, and counts how often it was solved."""

    index: Index
    folder: Path
    files: dict[str, str] = field(default_factory=lambda: {"requirements.in": "flask\n"})
    changes: dict[str, Any] = field(default_factory=dict)
    solved: int = 0

    def request(self, cache: str = "cache") -> FreezeRequest:
        base = freeze_request(
            self.folder / "project", self.files, index=self.index.simple, target=TARGET
        )
        place = Directories(cache=self.folder / cache, state=self.folder / "state")
        return replace(base, directories=place, **self.changes)

    def freeze(self, cache: str = "cache", reporter: Reporter | None = None) -> dict[str, str]:
        found = native.freeze(self.request(cache), reporter or Reporter())
        return {name: render_lock(lock) for name, lock in found.locks.items()}

    def asks_again(self) -> bool:
        """Whether freezing now solves."""
        before = self.solved
        self.freeze()
        return self.solved > before

    def age(self, seconds: int = 3600) -> None:
        """Makes every page stale."""
        then = time.time() - seconds
        for path in (self.folder / "cache" / memo.PAGES).glob("*/*"):
            os.utime(path, (then, then))


@pytest.fixture
def desk(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    make_wheel(index.folder, "flask", "1.0", requires=["click"])
    make_wheel(index.folder, "click", "7.0")
    made = Desk(index, tmp_path)
    solve = native._solve

    def counting(request: FreezeRequest, reporter: Reporter) -> Resolution:
        made.solved += 1
        return solve(request, reporter)

    monkeypatch.setattr(native, "_solve", counting)
    return made


def test_the_same_question_is_solved_once_with_the_same_bytes(desk: Desk) -> None:
    first = desk.freeze()
    assert desk.freeze() == first
    assert desk.solved == 1


def test_another_checkout_of_the_project_asks_the_same(desk: Desk) -> None:
    first = desk.freeze()
    write_files(desk.folder / "other" / "project", desk.files)
    request = replace(
        freeze_request(desk.folder / "other" / "project", index=desk.index.simple, target=TARGET),
        directories=desk.request().directories,
    )
    (lock,) = native.freeze(request, Reporter()).locks.values()
    assert render_lock(lock) == first["default"]
    assert desk.solved == 1


def test_a_new_release_is_seen_once_pages_are_stale(desk: Desk) -> None:
    desk.freeze()
    make_wheel(desk.index.folder, "click", "8.0")
    assert not desk.asks_again()
    desk.age()
    assert "click==8.0" in desk.freeze()["default"]


def test_a_page_that_another_command_fetched_and_that_changed_counts(desk: Desk) -> None:
    desk.freeze()
    make_wheel(desk.index.folder, "click", "8.0")
    refetch(desk, "click")
    assert "click==8.0" in desk.freeze()["default"]


def test_a_yanked_file_counts(desk: Desk) -> None:
    make_wheel(desk.index.folder, "click", "8.0")
    desk.freeze()
    (wheel,) = desk.index.folder.glob("click-8.0*")
    desk.index.yanked[wheel.name] = "broken"
    refetch(desk, "click")
    assert "click==7.0" in desk.freeze()["default"]


def test_pages_that_are_fetched_again_and_unchanged_do_not_count(desk: Desk) -> None:
    desk.freeze()
    desk.age()
    for name in ("flask", "click"):
        refetch(desk, name)
    assert not desk.asks_again()


def test_a_stale_page_is_asked_for_again(desk: Desk) -> None:
    desk.index.etags = True
    desk.freeze()
    desk.age()
    assert desk.asks_again()
    assert not desk.asks_again()


def test_offline_takes_pages_of_any_age(desk: Desk) -> None:
    desk.freeze()
    desk.changes["index"] = replace(desk.request().index, offline=True)
    first = desk.freeze()
    desk.age()
    assert desk.freeze() == first
    assert desk.solved == 2


def changes() -> dict[str, Any]:
    """By name, what makes another question of the desk's."""
    other = parse_lock("flask==1.0\n", path="other")
    return {
        "another line": {"requirements.in": "flask\n# why\n"},
        "a constraint": {"requirements.in": "flask\n-c limits.txt\n", "limits.txt": "click<8\n"},
        "another group": {"requirements.in": "flask\n", "dev.in": "click\n"},
        "another Python": {"target": linux("3.12.1")},
        "another target": {"target": replace(TARGET, tags=TARGET.tags[:-1])},
        "an existing pin": {"locks": {"default": other}},
        "an upgrade": {"upgrade": UpgradeAll()},
        "no hashes": {"hashes": False},
        "an override": {"overrides": ("click<9",)},
        "a cut-off": {"exclude_newer": "2024-01-01"},
        "what was installed": {"installed": other.entries},
        "more for a build": {"extra_build_requires": {canonical("click"): ("setuptools",)}},
        "a conflict": {"conflicts": (frozenset({"default", "dev"}),)},
        "a constraint for builds": {"build_constraints": ("setuptools<80",)},
    }


@pytest.mark.parametrize("change", changes())
def test_whatever_the_answer_depends_on_makes_another_question(desk: Desk, change: str) -> None:
    before = question_of("native", desk.request())
    made = changes()[change]
    if any(name.endswith(".in") for name in made):
        desk.files = made
    else:
        desk.changes = made
    after = question_of("native", desk.request())
    assert None not in (before, after)
    assert before != after


@pytest.mark.parametrize(
    "option",
    ["pre", "prefer_binary", "no_binary", "only_binary", "only_final", "index_urls", "sources"],
)
def test_options_make_another_question(desk: Desk, option: str) -> None:
    base = desk.request()
    value: Any = True if option in ("pre", "prefer_binary") else frozenset({"click"})
    value = ("https://x.invalid/simple",) if option == "index_urls" else value
    value = (("click", "https://x.invalid/simple"),) if option == "sources" else value
    changed = replace(base, index=replace(base.index, **{option: value}))
    assert question_of("native", changed) != question_of("native", base)


def test_credentials_make_another_question(desk: Desk) -> None:
    base = desk.request()
    home = desk.folder / "home"
    write_files(home, {".netrc": "machine x login me password you\n"})
    known_there = replace(base, variables={**base.variables, "HOME": str(home)})
    before = question_of("native", known_there)
    write_files(home, {".netrc": "machine x login me password somebody\n"})
    assert question_of("native", known_there) != before
    told = replace(base, variables={**base.variables, "NETRC": str(home / ".netrc")})
    assert question_of("native", told) not in (before, question_of("native", base))


def test_a_named_upgrade_fetches_pages_again(desk: Desk) -> None:
    desk.freeze()
    make_wheel(desk.index.folder, "click", "8.0")
    desk.changes["upgrade"] = UpgradeSome(names=frozenset({canonical("click")}))
    assert "click==8.0" in desk.freeze()["default"]
    assert question_of("native", desk.request()) is None


@pytest.mark.parametrize(
    "line", ["-e ./pkg", "./pkg", "x @ https://x.invalid/x-1-py3-none-any.whl", "--find-links ."]
)
def test_what_pages_do_not_tell_is_no_question(desk: Desk, line: str) -> None:
    desk.files = {"requirements.in": f"flask\n{line}\n", "pkg/pyproject.toml": "[project]\n"}
    assert question_of("native", desk.request()) is None


@pytest.mark.parametrize("text", ["3 days", "P3D", "soon"])
def test_an_age_counts_from_now_and_is_no_question(desk: Desk, text: str) -> None:
    desk.changes["exclude_newer"] = text
    assert question_of("native", desk.request()) is None


def test_a_file_that_is_gone_is_no_question(desk: Desk) -> None:
    request = desk.request()
    (desk.folder / "project" / "requirements.in").unlink()
    assert question_of("native", request) is None


def test_an_index_without_hashes_is_asked_every_time(desk: Desk) -> None:
    desk.index.hashes = False
    desk.freeze()
    assert desk.asks_again()


def test_a_dependency_with_a_url_is_looked_at_every_time(desk: Desk) -> None:
    make_wheel(desk.folder / "elsewhere", "click", "9.0")
    (wheel,) = (desk.folder / "elsewhere").iterdir()
    make_wheel(desk.index.folder, "flask", "2.0", requires=[f"click @ {wheel.as_uri()}"])
    desk.freeze()
    assert desk.asks_again()


def test_what_was_told_is_told_again(desk: Desk) -> None:
    desk.changes["locks"] = {"default": parse_lock("click==6.0\nflask==1.0\n", path="x")}
    for _ in range(2):
        memory = Memory()
        desk.freeze(reporter=memory)
        assert memory.details == ["click cannot stay at 6.0."]
    assert desk.solved == 2


def test_an_sdist_that_was_built_is_known_by_its_hash(desk: Desk) -> None:
    make_sdist(desk.index.folder, "click", "8.0")
    first = desk.freeze()
    assert "click==8.0" in first["default"]
    assert desk.freeze() == first


def test_a_damaged_answer_is_worked_out_again(desk: Desk) -> None:
    first = desk.freeze()
    (entry,) = (desk.folder / "cache" / memo.FOLDER).iterdir()
    entry.write_bytes(entry.read_bytes()[:-1])
    assert desk.freeze() == first
    assert desk.solved == 2


def test_several_targets_are_known_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.changes = {"targets": (TARGET, linux("3.12.1"))}
    first = native.freeze(desk.request(), Reporter())

    def never(*_: object) -> Resolution:
        raise AssertionError("it was solved again")

    monkeypatch.setattr("venvman.engines.native._solve", never)
    again = native.freeze(desk.request(), Reporter())
    assert {name: render_lock(lock) for name, lock in again.locks.items()} == {
        name: render_lock(lock) for name, lock in first.locks.items()
    }


def refetch(desk: Desk, name: str) -> None:
    """As `venvman outdated` does."""
    request = desk.request()
    client = Client(request.index, directories=request.directories, variables={})
    try:
        client.project(canonical(name), refresh=True)
    finally:
        client.close()


NAMES = ("a", "b", "c")
_requirement = st.builds(
    lambda name, sign, version: f"{name}{sign}{version}" if sign else name,
    st.sampled_from(NAMES),
    st.sampled_from(["", ">=", "<", "!="]),
    st.sampled_from("123"),
)
_step = st.one_of(
    st.just(("again", "")),
    st.tuples(st.just("release"), st.sampled_from(["a 3", "b 3", "c 3"])),
    st.tuples(st.just("yank"), st.sampled_from(["a-2", "b-2", "c-2"])),
    st.tuples(st.just("ask"), _requirement),
    st.tuples(st.just("limit"), st.sampled_from(["a<3", "b<3", "c<2"])),
    st.tuples(st.just("keep"), st.sampled_from(["", "a==1", "b==1", "c==2"])),
)


@settings(max_examples=10, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([f"{name} {version}" for name in NAMES for version in "12"]),
        st.lists(_requirement, max_size=1),
    ),
    st.lists(_step, min_size=1, max_size=5),
)
def test_whatever_happens_the_answer_is_that_of_solving_again(
    world: dict[str, list[str]], steps: list[tuple[str, str]]
) -> None:
    # What was fetched ahead in vain may still arrive when all is done.
    place = TemporaryDirectory(ignore_cleanup_errors=True)
    with place as name, serve(made(Path(name) / "index")) as index:
        for release in (f"{each} {version}" for each in NAMES for version in "12"):
            make_wheel(index.folder, *release.split(), requires=world.get(release, []))
        desk = Desk(index, Path(name), {"requirements.in": "a\n"}, {"upgrade": Keep()})
        for number, (what, detail) in enumerate([("again", ""), *steps]):
            happen(desk, what, detail)
            assert outcome(desk, "cache") == outcome(desk, f"empty{number}")


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def happen(desk: Desk, what: str, detail: str) -> None:
    text = desk.files["requirements.in"]
    if what == "release":
        name, version = detail.split()
        make_wheel(desk.index.folder, name, version)
        desk.age()
    elif what == "yank":
        desk.index.yanked[f"{detail}-py3-none-any.whl"] = "broken"
        desk.age()
    elif what == "ask":
        desk.files["requirements.in"] = f"{text}{detail}\n"
    elif what == "limit":
        desk.files["requirements.in"] = f"{text}-c limits.txt\n"
        desk.files["limits.txt"] = f"{detail}\n"
    elif what == "keep":
        lock: Lock = parse_lock(f"{detail}\n" if detail else "", path="x")
        desk.changes["locks"] = {"default": lock}


def outcome(desk: Desk, cache: str) -> dict[str, str] | str:
    from venvman.model.errors import VenvmanError

    try:
        return desk.freeze(cache)
    except VenvmanError as error:
        return error.code
