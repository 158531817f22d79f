from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.indexes import linux
from tests.support.solving import World
from tests.support.worlds import TARGET
from venvman.index.candidates import (
    Candidate,
    Candidates,
    Rejection,
    RejectionKind,
    is_pinned,
    project_of,
)
from venvman.index.listing import Listing, ProjectFiles
from venvman.index.page import ProjectPage, SkippedFile
from venvman.model.names import NormalizedName, canonical
from venvman.model.options import IndexOptions
from venvman.model.sources import IndexFile
from venvman.model.target import Target
from venvman.resolve.demand import Demand, specifier_set
from venvman.resolve.misfits import cure_of, reasons_of
from venvman.resolve.solver import Question, contradiction, exclude_each_other

DEMO = NormalizedName("demo")
LINUX = linux()


def wheel(version: str, tag: str = "py3-none-any", **more: Any) -> IndexFile:
    filename = f"demo-{version}-{tag}.whl"
    return IndexFile(filename=filename, url=f"https://x.test/{filename}", **more)


def sdist(version: str, **more: Any) -> IndexFile:
    filename = f"demo-{version}.tar.gz"
    return IndexFile(filename=filename, url=f"https://x.test/{filename}", **more)


class Ranking(NamedTuple):
    """Candidates, best first, and all other files with the reason."""

    candidates: tuple[Candidate, ...]
    rejections: tuple[Rejection, ...]


def rank(
    name: NormalizedName,
    files: Iterable[IndexFile] | ProjectFiles,
    *,
    target: Target,
    options: IndexOptions,
    specifier: SpecifierSet | None = None,
    hashes: tuple[str, ...] = (),
    exclude_newer: datetime | None = None,
) -> Ranking:
    project = files if isinstance(files, ProjectFiles) else project_of(name, files)
    chosen = Candidates(project, target=target, options=options, exclude_newer=exclude_newer)
    wanted = SpecifierSet() if specifier is None else specifier
    return Ranking(
        tuple(chosen.matching(wanted, hashes=hashes)),
        tuple(chosen.rejections(wanted, hashes=hashes)),
    )


def ranked(
    *files: IndexFile, want: str = "", hashes: tuple[str, ...] = (), **options: Any
) -> Ranking:
    return rank(
        DEMO,
        files,
        target=LINUX,
        options=IndexOptions(**options),
        specifier=SpecifierSet(want),
        hashes=hashes,
    )


def order(ranking: Ranking) -> list[str]:
    return [each.file.filename.removeprefix("demo-") for each in ranking.candidates]


def only_refusal(ranking: Ranking) -> tuple[RejectionKind, str]:
    (rejection,) = ranking.rejections
    return rejection.kind, rejection.reason


class TestOrder:
    def test_the_newest_version_comes_first(self) -> None:
        assert order(ranked(sdist("1.9"), sdist("1.10"), sdist("1.2"))) == [
            "1.10.tar.gz",
            "1.9.tar.gz",
            "1.2.tar.gz",
        ]

    def test_a_wheel_comes_before_the_sdist_of_its_version(self) -> None:
        assert order(ranked(sdist("1.0"), wheel("1.0"), sdist("2.0"))) == [
            "2.0.tar.gz",
            "1.0-py3-none-any.whl",
            "1.0.tar.gz",
        ]

    def test_the_tag_that_the_target_likes_best_wins(self) -> None:
        tags = ["py3-none-any", "cp311-cp311-manylinux_2_17_x86_64", "cp311-abi3-linux_x86_64"]
        assert order(ranked(*(wheel("1.0", tag) for tag in tags))) == [
            "1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
            "1.0-cp311-abi3-linux_x86_64.whl",
            "1.0-py3-none-any.whl",
        ]

    def test_a_set_of_tags_is_as_good_as_its_best(self) -> None:
        tag = "cp311-cp311-manylinux_2_17_x86_64.manylinux1_x86_64"
        assert order(ranked(wheel("1.0"), wheel("1.0", tag)))[0] == f"1.0-{tag}.whl"

    def test_the_higher_build_tag_wins(self) -> None:
        files = [wheel("1.0", f"{build}py3-none-any") for build in ("2-", "10-", "")]
        assert order(ranked(*files)) == [
            "1.0-10-py3-none-any.whl",
            "1.0-2-py3-none-any.whl",
            "1.0-py3-none-any.whl",
        ]

    def test_of_equally_good_files_the_last_index_wins_as_with_pip(self) -> None:
        first = IndexFile(filename="demo-1.0-py3-none-any.whl", url="https://first.test/d.whl")
        last = IndexFile(filename="demo-1.0-py3-none-any.whl", url="https://last.test/d.whl")
        assert ranked(first, last).candidates[0].file.url == last.url

    def test_spellings_of_one_version_are_one_version(self) -> None:
        assert order(ranked(sdist("1.0.0"), wheel("1.0"))) == [
            "1.0-py3-none-any.whl",
            "1.0.0.tar.gz",
        ]

    def test_local_versions_sort_and_match(self) -> None:
        files = [wheel("1.0"), wheel("1.0+cpu"), wheel("1.0+cu12_1")]
        assert order(ranked(*files, want="==1.0"))[0] == "1.0+cu12_1-py3-none-any.whl"
        assert order(ranked(*files, want="==1.0+cpu")) == ["1.0+cpu-py3-none-any.whl"]

    def test_prefer_binary_takes_an_older_wheel(self) -> None:
        files = [sdist("2.0"), wheel("1.0"), wheel("0.9")]
        assert order(ranked(*files, prefer_binary=True)) == [
            "1.0-py3-none-any.whl",
            "0.9-py3-none-any.whl",
            "2.0.tar.gz",
        ]

    def test_arbitrary_equality_is_by_text(self) -> None:
        assert order(ranked(sdist("1.0"), sdist("2.0"), want="===1.0")) == ["1.0.tar.gz"]

    @given(st.permutations(["1.0", "1.1", "2.0a1", "2.0", "2.0.post1", "3!0.1"]))
    def test_the_order_of_the_page_decides_nothing(self, versions: list[str]) -> None:
        found = ranked(*(sdist(each) for each in versions), pre=True)
        assert [str(each.version) for each in found.candidates] == [
            "3!0.1",
            "2.0.post1",
            "2.0",
            "2.0a1",
            "1.1",
            "1.0",
        ]


class TestRefusals:
    @pytest.mark.parametrize(
        ("file", "kind", "words"),
        [
            (wheel("1.0", "cp311-cp311-win_amd64"), "platform", "for win_amd64, and the target is"),
            (wheel("1.0", "cp39-cp39-linux_x86_64"), "tags", "for cp39, and the target is"),
            (sdist("1.0", requires_python=">=3.12"), "python", "needs Python >=3.12"),
            (sdist("1.0", yanked="broken"), "yanked", "was yanked: broken"),
            (sdist("1.0", yanked=""), "yanked", "without a reason"),
            (sdist("one"), "version-invalid", "PEP 440"),
            (wheel("1.0", "none-any"), "not-a-distribution", "not a wheel's name"),
        ],
    )
    def test_a_refused_file_has_a_reason(self, file: IndexFile, kind: str, words: str) -> None:
        ranking = ranked(file)
        assert not ranking.candidates
        found, reason = only_refusal(ranking)
        assert found.value == kind
        assert words in reason
        assert reason.endswith(".")

    def test_a_version_that_does_not_fit_is_named(self) -> None:
        kind, reason = only_refusal(ranked(sdist("1.0"), want=">=2"))
        assert kind is RejectionKind.SPECIFIER
        assert "1.0, which is not >=2" in reason

    def test_another_hash_is_named(self) -> None:
        kind, reason = only_refusal(
            ranked(sdist("1.0", hashes=("sha256:a",)), hashes=("sha256:b",))
        )
        assert kind is RejectionKind.HASH
        assert "not among those locked" in reason

    def test_files_of_other_projects_are_named(self) -> None:
        other = IndexFile(filename="other-1.0.tar.gz", url="https://x.test/o")
        assert only_refusal(ranked(other))[0] is RejectionKind.NOT_A_DISTRIBUTION

    def test_what_the_page_skipped_is_named(self) -> None:
        skipped = (SkippedFile(filename="demo.rpm", reason="it is neither"),)
        listing = Listing.of(ProjectPage(url="", rows=(), skipped=skipped), DEMO)
        found = rank(DEMO, ProjectFiles(DEMO, (listing,)), target=LINUX, options=IndexOptions())
        assert found.rejections[0].reason == "demo.rpm is of no use: it is neither."

    def test_every_file_is_a_candidate_or_a_refusal(self) -> None:
        files = [wheel("1.0"), sdist("1.0", yanked=""), sdist("2.0a1"), sdist("x"), wheel("3.0")]
        found = ranked(*files, want="<3")
        assert len(found.candidates) + len(found.rejections) == len(files)

    def test_a_python_wish_that_makes_no_sense_is_none(self) -> None:
        assert ranked(sdist("1.0", requires_python="what?")).candidates

    def test_a_prerelease_of_python_counts_as_python(self) -> None:
        found = rank(
            DEMO,
            [sdist("1.0", requires_python=">=3.8")],
            target=linux("3.14.0rc1"),
            options=IndexOptions(),
        )
        assert found.candidates


class TestFormats:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"no_binary": frozenset({"demo"})}, ["1.0.tar.gz"]),
            ({"no_binary": frozenset({":all:"})}, ["1.0.tar.gz"]),
            ({"only_binary": frozenset({"demo"})}, ["1.0-py3-none-any.whl"]),
            ({"only_binary": frozenset({":all:"})}, ["1.0-py3-none-any.whl"]),
            (
                {"only_binary": frozenset({":all:"}), "no_binary": frozenset({"demo"})},
                ["1.0.tar.gz"],
            ),
            (
                {"no_binary": frozenset({":all:"}), "only_binary": frozenset({"demo"})},
                ["1.0-py3-none-any.whl"],
            ),
            ({"no_binary": frozenset({"other"})}, ["1.0-py3-none-any.whl", "1.0.tar.gz"]),
        ],
    )
    def test_options_forbid_wheels_or_sdists(
        self, options: dict[str, Any], expected: list[str]
    ) -> None:
        assert order(ranked(wheel("1.0"), sdist("1.0"), **options)) == expected

    def test_the_option_is_named(self) -> None:
        wheels = ranked(wheel("1.0"), no_binary=frozenset({"demo"}))
        sdists = ranked(sdist("1.0"), only_binary=frozenset({"demo"}))
        assert "--no-binary" in only_refusal(wheels)[1]
        assert "--only-binary" in only_refusal(sdists)[1]


class TestPreReleases:
    FILES = (sdist("2.0rc1"), sdist("1.0"))

    @pytest.mark.parametrize(
        ("options", "want", "expected"),
        [
            ({}, "", ["1.0"]),
            ({"pre": True}, "", ["2.0rc1", "1.0"]),
            ({}, ">=1.0a1", ["2.0rc1", "1.0"]),
            ({}, ">1.0", ["2.0rc1"]),
            ({"all_releases": frozenset({"demo"})}, "", ["2.0rc1", "1.0"]),
            ({"all_releases": frozenset({":all:"})}, "", ["2.0rc1", "1.0"]),
            ({"only_final": frozenset({"demo"}), "pre": True}, "", ["1.0"]),
            ({"only_final": frozenset({":all:"})}, ">1.0", []),
            ({"only_final": frozenset({":all:"})}, ">=2.0rc1", []),
        ],
    )
    def test_they_count_where_somebody_allows_them(
        self, options: dict[str, Any], want: str, expected: list[str]
    ) -> None:
        found = ranked(*self.FILES, want=want, **options)
        assert [str(each.version) for each in found.candidates] == expected

    def test_a_final_release_for_another_platform_does_not_count(self) -> None:
        found = ranked(sdist("2.0rc1"), wheel("1.0", "cp311-cp311-win_amd64"))
        assert order(found) == ["2.0rc1.tar.gz"]

    def test_a_yanked_final_release_still_hides_them(self) -> None:
        assert order(ranked(sdist("2.0rc1"), sdist("1.0", yanked=""))) == []

    def test_the_reason_says_so(self) -> None:
        assert only_refusal(ranked(*self.FILES))[0] is RejectionKind.PRE_RELEASE


class TestYanked:
    @pytest.mark.parametrize(
        ("want", "expected"),
        [
            ("==1.0", ["1.0.tar.gz"]),
            ("===1.0", ["1.0.tar.gz"]),
            ("==1.*", []),
            ("<=1.0", []),
            ("", []),
        ],
    )
    def test_only_a_pin_reaches_them(self, want: str, expected: list[str]) -> None:
        assert order(ranked(sdist("1.0", yanked="bad"), want=want)) == expected

    def test_not_where_another_file_fits(self) -> None:
        found = ranked(sdist("1.0", yanked="bad"), wheel("1.0"), want="==1.0")
        assert order(found) == ["1.0-py3-none-any.whl"]

    @pytest.mark.parametrize(
        ("text", "expected"), [("==1.0,<2", True), ("==1.*", False), ("===x", True), ("", False)]
    )
    def test_what_counts_as_a_pin(self, text: str, expected: bool) -> None:
        assert is_pinned(SpecifierSet(text)) is expected


class TestHashes:
    def test_a_wished_for_hash_comes_before_a_newer_version_without_one(self) -> None:
        found = ranked(sdist("2.0"), sdist("1.0", hashes=("sha256:a",)), hashes=("sha256:a",))
        assert order(found) == ["1.0.tar.gz", "2.0.tar.gz"]


class TestTime:
    LIMIT = datetime(2024, 6, 1, tzinfo=timezone.utc)

    def taken(self, **more: Any) -> bool:
        found = rank(
            DEMO,
            [sdist("1.0", **more)],
            target=LINUX,
            options=IndexOptions(),
            exclude_newer=self.LIMIT,
        )
        assert found.candidates or found.rejections[0].kind is RejectionKind.TOO_NEW
        return bool(found.candidates)

    @pytest.mark.parametrize(
        ("upload", "expected"),
        [
            ("2024-05-31T23:59:59.123456Z", True),
            ("2024-05-31T23:59:59Z", True),
            ("2024-05-31T23:59:59.1+00:00", True),
            ("2024-05-31T23:59:59", True),
            ("2024-06-01T00:00:00.000000Z", False),
            (None, False),
        ],
    )
    def test_only_what_was_there_before_counts(self, upload: str | None, expected: bool) -> None:
        assert self.taken(upload_time=upload) is expected

    def test_local_files_always_count(self) -> None:
        file = IndexFile(filename="demo-1.0.tar.gz", url="file:///demo-1.0.tar.gz")
        found = rank(DEMO, [file], target=LINUX, options=IndexOptions(), exclude_newer=self.LIMIT)
        assert found.candidates


def test_all_files_of_a_version_are_known_whatever_the_target() -> None:
    files = (wheel("1.0", "cp311-cp311-win_amd64"), sdist("1.0.0"), sdist("2.0"))
    rows = ranked(*files)
    listing_files = Candidates(_project(files), target=LINUX, options=IndexOptions())
    assert listing_files.versions == (Version("2.0"), Version("1.0"))
    assert len(listing_files.files(Version("1.0"))) == 2
    assert listing_files.at(Version("1.0"))[0].is_wheel is False
    assert rows.candidates[0].version == Version("2.0")


def _project(files: tuple[IndexFile, ...]) -> ProjectFiles:
    from venvman.index.candidates import project_of

    return project_of(DEMO, files)


SYSTEM = next(tag.rpartition("-")[2] for tag in TARGET.tags if not tag.endswith("-any"))
OLDER, NEWER = ("cp36", "cp38"), ("cp398", "cp399")


def said(specifier: str, *files: tuple[str, dict[str, Any]]) -> tuple[str, str]:
    demand = Demand(canonical("demo"), "", specifier)
    found = rank(
        canonical("demo"),
        [IndexFile(filename=f"demo-{name}", url=f"https://x.test/{name}", **facts)
         for name, facts in files],
        target=TARGET, options=IndexOptions(), specifier=specifier_set(specifier),
    )  # fmt: skip
    assert not found.candidates
    return reasons_of(found.rejections, demand, TARGET), str(
        cure_of(found.rejections, demand, TARGET)
    )


def test_files_of_other_systems_say_nothing_where_this_one_has_some() -> None:
    why, fix = said(
        "==1.0",
        ("1.0-cp36-cp36m-macosx_10_6_x86_64.whl", {}),
        (f"1.0-cp36-cp36m-{SYSTEM}.whl", {}),
        (f"1.0-cp38-cp38-{SYSTEM}.whl", {}),
        ("1.0-cp38-cp38-win_amd64.whl", {}),
    )
    assert "wheels of this system for Python 3.6 and 3.8 only" in why
    assert "macosx" not in why
    assert fix == "venvman freeze --python 3.8"


def test_where_all_are_for_other_systems_the_systems_are_named() -> None:
    why, fix = said("==1.0", ("1.0-cp36-cp36m-win_amd64.whl", {}))
    assert "win_amd64" in why
    assert "keep it off this system" in fix


def test_no_command_names_a_python_that_no_environment_can_have() -> None:
    assert "venvman" not in said("==1.0", (f"1.0-cp27-cp27m-{SYSTEM}.whl", {}))[1]


def test_versions_refused_for_the_same_reason_are_one_sentence() -> None:
    newer = {"requires_python": ">=3.14"}
    files = [(f"6.0.{number}.tar.gz", newer) for number in range(12)]
    why, fix = said("==6.0.*", *files)
    assert why.count("needs Python") == 1
    assert "demo 6.0.11 to 6.0.0 (12 versions)" in why
    assert fix == "venvman freeze --python 3.14"


def test_the_nearest_versions_are_named() -> None:
    files: list[tuple[str, dict[str, Any]]] = [
        (f"0.{number}.tar.gz", {}) for number in range(40) if number != 20
    ]
    why, _ = said("==0.20", *files)
    assert "0.21, 0.19" in why
    assert "newer ones and" in why


@pytest.mark.parametrize(
    ("one", "other"),
    [("==1.0", "==1.1"), ("<2", ">=3"), ("~=2.1", "<2"), ("==1.0", "!=1.0"), ("==2.*", "==1.5")],
)
def test_what_certainly_excludes_each_other_needs_no_index(one: str, other: str) -> None:
    assert exclude_each_other(specifier_set(one), specifier_set(other))
    world = World({})
    roots = tuple(
        Demand(canonical("demo"), extra, text) for extra, text in (("", one), ("x", other))
    )
    failure = contradiction(Question(roots=roots))
    assert failure is not None
    assert [each.requirement for each in failure.causes] == list(roots)
    assert not world.asked


@pytest.mark.parametrize(
    ("one", "other"),
    [("==1.0", "==1.0.0"), ("==1.0", "==1.0+cpu"), ("<2", ">=1"), ("===x", "==1"), ("", "==1")],
)
def test_what_only_versions_can_tell_is_left_to_them(one: str, other: str) -> None:
    assert not exclude_each_other(specifier_set(one), specifier_set(other))
