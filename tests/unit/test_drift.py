from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.locked import entry, installed
from venvman.drift import (
    Damaged,
    Difference,
    Drift,
    Duplicate,
    Extra,
    Missing,
    OtherSource,
    OtherVersion,
    compare,
)
from venvman.environment.inventory import Installed, Inventory, MetadataKind
from venvman.lock.file import LockEntry
from venvman.model.names import canonical
from venvman.model.sources import ArchiveSource, DirectorySource, IndexSource, Source, VcsSource
from venvman.plan import Add, Plan, Remove, Replace, Step, make_plan

ROOT = Path("/project")
COMMIT, OTHER_COMMIT = "a" * 40, "b" * 40


def drift_of(entries: list[LockEntry], found: list[Installed]) -> Drift:
    return compare(entries, Inventory(distributions=tuple(found)), root=ROOT)


def only(entries: list[LockEntry], found: list[Installed]) -> Difference:
    (difference,) = drift_of(entries, found).differences
    return difference


def sources_differ(wanted: Source, found: Source, *, hashes: tuple[str, ...] = ()) -> str | None:
    locked = entry("a", "1.0", source=wanted, hashes=hashes)
    drift = drift_of([locked], [installed("a", "1.0", source=found)])
    if not drift:
        return None
    (difference,) = drift.differences
    assert isinstance(difference, OtherSource)
    return difference.because


def test_what_is_locked_and_installed_is_unchanged() -> None:
    drift = drift_of([entry("A.b"), entry("c", "1.0.0")], [installed("a-b"), installed("c", "1")])
    assert not drift
    assert drift.unchanged == 2


def test_differences_come_sorted_by_name() -> None:
    drift = drift_of([entry("z"), entry("b")], [installed("m")])
    assert drift.differences == (
        Missing(entry=entry("b")),
        Extra(installed=installed("m")),
        Missing(entry=entry("z")),
    )


@pytest.mark.parametrize(("locked", "found"), [("2.0", "1.0"), ("1.0", "1.0+cpu"), ("1+a", "1")])
def test_another_version_or_local_part_is_drift(locked: str, found: str) -> None:
    pin, there = entry("torch", locked), installed("torch", found)
    assert only([pin], [there]) == OtherVersion(entry=pin, installed=there)


@pytest.mark.parametrize("name", ["pip", "setuptools", "wheel"])
def test_the_installers_own_tools_are_drift_only_when_a_lock_names_them(name: str) -> None:
    there = installed(name, "1.0")
    assert not drift_of([], [there])
    assert not drift_of([], [there, installed(name, "2.0")])
    assert not drift_of([], [installed(name, damage="RECORD is missing")])
    assert isinstance(only([entry(name, "2.0")], [there]), OtherVersion)
    assert isinstance(only([entry(name)], []), Missing)


def test_two_metadata_folders_of_one_name_are_a_duplicate_locked_or_not() -> None:
    both = [installed("a", "1.0"), installed("a", "2.0")]
    pin = entry("a", "2.0")
    assert only([pin], both) == Duplicate(name=pin.name, entry=pin, installed=tuple(both))
    assert only([], both) == Duplicate(name=pin.name, entry=None, installed=tuple(both))


def test_damaged_metadata_of_a_locked_distribution_is_drift() -> None:
    broken = installed("a", damage="RECORD is missing")
    pin = entry("a")
    assert only([pin], [broken]) == Damaged(entry=pin, installed=broken)
    assert only([], [broken]) == Extra(installed=broken)


def test_a_url_entry_without_a_version_takes_any_version() -> None:
    url = ArchiveSource(url="https://e.org/a.zip")
    assert not drift_of([entry("a", None, source=url)], [installed("a", "7", source=url)])


def git(
    url: str = "https://e.org/a.git",
    *,
    commit: str | None = COMMIT,
    revision: str | None = None,
    subdirectory: str | None = None,
    vcs: str = "git",
) -> VcsSource:
    return VcsSource(vcs=vcs, url=url, commit=commit, revision=revision, subdirectory=subdirectory)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (git(), git(revision="main")),
        (git(commit=None, revision=COMMIT), git()),
        (git("https://${TOKEN}@e.org/a.git"), git("https://e.org/a.git")),
        (git("https://user:secret@e.org/a.git/"), git("https://e.org/a.git")),
        (git("ssh://git@e.org/a.git"), git("ssh://git@e.org/a.git")),
        (git("https://${HOST}/a.git"), git("https://e.org/a.git")),
        (git(commit=None, revision="v1"), git(revision="v1")),
        (git(commit=None, revision="v1"), git(commit="v1")),
        (git(commit=None), git()),
    ],
)
def test_the_same_commit_of_the_same_repository_is_no_drift(
    wanted: VcsSource, found: VcsSource
) -> None:
    assert sources_differ(wanted, found) is None


@pytest.mark.parametrize(
    ("wanted", "found", "because"),
    [
        (git(), git(commit=OTHER_COMMIT), "installed at bbbbbbbbbbbb, locked at aaaaaaaaaaaa"),
        (git(commit=None, revision="v2"), git(revision="v1"), "installed at v1, locked at v2"),
        (git(commit=None, revision="v2"), git(), "installed at the default branch, locked at v2"),
        (
            git("https://e.org/b.git"),
            git(),
            (
                f"installed from git+https://e.org/a.git@{COMMIT}, "
                f"locked from git+https://e.org/b.git@{COMMIT}"
            ),
        ),
        (
            git(vcs="hg"),
            git(),
            (
                f"installed from git+https://e.org/a.git@{COMMIT}, "
                f"locked from hg+https://e.org/a.git@{COMMIT}"
            ),
        ),
        (git(subdirectory="x"), git(), "installed from its folder ., locked from x"),
        (
            git(),
            IndexSource(),
            f"installed from an index, locked from git+https://e.org/a.git@{COMMIT}",
        ),
        (
            IndexSource(),
            git("https://me:secret@e.org/a"),
            f"installed from git+https://****@e.org/a@{COMMIT}, locked from an index",
        ),
    ],
)
def test_another_commit_or_repository_is_drift_and_says_so(
    wanted: Source, found: Source, because: str
) -> None:
    assert sources_differ(wanted, found) == because


def archive(url: str = "https://e.org/a.whl", *hashes: str, folder: str | None = None) -> Source:
    return ArchiveSource(url=url, hashes=hashes, subdirectory=folder)


@pytest.mark.parametrize(
    ("wanted", "found", "hashes"),
    [
        (archive(), archive(), ()),
        (archive(), archive("https://e.org/a.whl", "sha256:aa"), ()),
        (archive(), archive("https://e.org/a.whl", "sha256:aa"), ("sha256:aa", "sha256:bb")),
        (archive("https://e.org/a.whl", "sha256:aa"), archive(), ()),
        (archive(), archive("https://e.org/a.whl", "md5:cc"), ("sha256:aa",)),
        (archive("file:wheels/a b.whl"), archive("file:///project/wheels/a%20b.whl"), ()),
    ],
)
def test_the_same_archive_is_no_drift(
    wanted: Source, found: Source, hashes: tuple[str, ...]
) -> None:
    assert sources_differ(wanted, found, hashes=hashes) is None


@pytest.mark.parametrize(
    ("wanted", "found", "hashes"),
    [
        (archive("https://e.org/b.whl"), archive(), ()),
        (archive(), archive("https://e.org/a.whl", "sha256:cc"), ("sha256:aa",)),
        (
            archive("https://e.org/a.whl", "sha256:aa"),
            archive("https://e.org/a.whl", "sha256:b"),
            (),
        ),
        (archive(folder="x"), archive(), ()),
        (IndexSource(), archive("file:///tmp/a.whl", "sha256:cc"), ("sha256:aa",)),
        (IndexSource(), archive("file:///tmp/a.whl"), ("sha256:aa",)),
        (archive(), IndexSource(), ()),
    ],
)
def test_another_archive_is_drift(wanted: Source, found: Source, hashes: tuple[str, ...]) -> None:
    assert sources_differ(wanted, found, hashes=hashes)


def test_an_archive_that_changed_behind_its_url_is_told_by_its_hash() -> None:
    because = sources_differ(
        archive(), archive("https://e.org/a.whl", "sha256:c"), hashes=("sha256:a",)
    )
    assert because == "the file at its URL had another hash when it was installed"


def folder(path: str, *, editable: bool = False, subdirectory: str | None = None) -> Source:
    return DirectorySource(path=path, editable=editable, subdirectory=subdirectory)


@pytest.mark.parametrize("wanted", ["/project/lib", "lib", "./lib/", "/project/x/../lib"])
def test_one_folder_spelled_differently_is_no_drift(wanted: str) -> None:
    assert sources_differ(folder(wanted), folder("/project/lib")) is None


@pytest.mark.parametrize(
    ("wanted", "found", "because"),
    [
        (
            folder("/project/lib"),
            folder("/elsewhere/lib"),
            "installed from /elsewhere/lib, locked from /project/lib",
        ),
        (
            folder("lib", editable=True),
            folder("/project/lib"),
            "installed as a copy, locked as editable",
        ),
        (
            folder("lib"),
            folder("/project/lib", editable=True),
            "installed editable, locked as a copy",
        ),
        (
            folder("lib", subdirectory="a"),
            folder("/project/lib", subdirectory="b"),
            "installed from its folder b, locked from a",
        ),
        (
            folder("lib", editable=True),
            IndexSource(),
            "installed from an index, locked from -e /project/lib",
        ),
    ],
)
def test_another_folder_or_way_of_installing_is_drift(
    wanted: Source, found: Source, because: str
) -> None:
    assert sources_differ(wanted, found) == because


def test_an_egg_link_to_the_locked_folder_is_no_drift() -> None:
    source = DirectorySource(path="/project/lib", editable=True)
    link = installed("a", None, source=source, kind=MetadataKind.EGG_LINK)
    assert not drift_of([entry("a", "1.0", source=source)], [link])


# ---- the plan that mends a drift ----


PIN, THERE, SECOND = entry("a", "2.0"), installed("a", "1.0"), installed("a", "1.5")
NAME = canonical("a")


def plan_of(*differences: Difference, keep: str = "", inexact: bool = False) -> Plan:
    return make_plan(
        Drift(differences=differences, unchanged=3),
        keep=dict.fromkeys(map(canonical, keep.split())),
        inexact=inexact,
    )


@pytest.mark.parametrize(
    ("difference", "step"),
    [
        (Missing(entry=PIN), Add(entry=PIN, because="not installed")),
        (
            OtherVersion(entry=PIN, installed=THERE),
            Replace(entry=PIN, installed=(THERE,), because="1.0 installed, 2.0 locked"),
        ),
        (
            OtherSource(entry=PIN, installed=THERE, because="installed editable"),
            Replace(entry=PIN, installed=(THERE,), because="installed editable"),
        ),
        (
            Damaged(entry=PIN, installed=installed("a", damage="RECORD is missing")),
            Replace(
                entry=PIN,
                installed=(installed("a", damage="RECORD is missing"),),
                because="RECORD is missing",
            ),
        ),
        (
            Duplicate(name=NAME, entry=PIN, installed=(THERE, SECOND)),
            Replace(entry=PIN, installed=(THERE, SECOND), because="installed 2 times"),
        ),
        (
            Duplicate(name=NAME, entry=None, installed=(THERE, SECOND)),
            Remove(installed=(THERE, SECOND), because="no lock in use names it"),
        ),
        (Extra(installed=THERE), Remove(installed=(THERE,), because="no lock in use names it")),
    ],
)
def test_each_difference_has_one_step_that_mends_it(difference: Difference, step: Step) -> None:
    plan = plan_of(difference)
    assert plan.steps == (step,)
    assert plan.steps[0].name == NAME


def test_no_drift_is_an_empty_plan() -> None:
    assert not plan_of()
    assert plan_of().unchanged == 3


def test_steps_are_ordered_by_name() -> None:
    plan = plan_of(Missing(entry=entry("z")), Extra(installed=installed("m")))
    assert [step.name for step in plan.steps] == ["m", "z"]


def test_what_is_kept_is_not_removed_but_put_right_when_locked() -> None:
    extra, wrong = Extra(installed=installed("b")), OtherVersion(entry=PIN, installed=THERE)
    assert [step.name for step in plan_of(wrong, extra, keep="a B").steps] == ["a"]


def test_inexact_removes_nothing() -> None:
    twice = Duplicate(name=NAME, entry=None, installed=(THERE, SECOND))
    assert not plan_of(Extra(installed=installed("b")), twice, inexact=True)
