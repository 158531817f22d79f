"""Laws of the lock's text: reading undoes writing, and the order of the input does not matter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.version import Version

from venvman.lock.file import Lock, LockEntry, sort_key
from venvman.lock.parse import parse_lock
from venvman.lock.render import render_lock
from venvman.lock.style import own_header
from venvman.model.errors import LockError
from venvman.model.names import canonical
from venvman.model.sources import ArchiveSource, DirectorySource, IndexSource, VcsSource
from venvman.requirements.header import UNSAFE_PACKAGES, Annotations, LockHeader, LockStyle

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3})?", fullmatch=True).map(canonical)
WORDS = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)
HEX = st.text("0123456789abcdef", min_size=40, max_size=40)
HASHES = st.sets(st.text("0123456789abcdef", min_size=64, max_size=64), max_size=3).map(
    lambda values: tuple(sorted(f"sha256:{value}" for value in values))
)
VERSIONS = st.from_regex(
    r"[0-9]{1,2}(\.[0-9]{1,2}){0,3}((a|b|rc)[0-9])?(\.post[0-9])?(\+[a-z]{1,3})?", fullmatch=True
)
MARKERS = st.sampled_from(
    [None, 'python_version < "3.9"', 'sys_platform == "win32" and python_version >= "3.8"']
).map(lambda text: Marker(text) if text else None)
VIA = st.sets(
    st.one_of(NAMES, WORDS.map(lambda w: f"-r {w}/{w}.in"), WORDS.map(lambda w: f"-c {w}.txt")),
    max_size=4,
).map(lambda values: tuple(sorted(values)))


@st.composite
def archives(draw: st.DrawFn) -> ArchiveSource:
    return ArchiveSource(
        url=f"https://example.org/{draw(WORDS)}/x.zip",
        hashes=draw(st.sampled_from([(), ("sha256:00ff",)])),
        subdirectory=draw(st.none() | WORDS),
    )


@st.composite
def repositories(draw: st.DrawFn) -> VcsSource:
    commit = draw(HEX)
    return VcsSource(
        vcs="git",
        url=f"https://example.org/{draw(WORDS)}.git",
        revision=draw(st.sampled_from([None, commit]) | WORDS),
        commit=commit,
        subdirectory=draw(st.none() | WORDS),
    )


FOLDERS = st.builds(
    DirectorySource,
    path=st.one_of(st.just("."), WORDS, WORDS.map(lambda word: f"../{word}/{word}")),
    editable=st.booleans(),
    subdirectory=st.none() | WORDS,
)


@st.composite
def entries(draw: st.DrawFn) -> LockEntry:
    source = draw(st.one_of(st.just(IndexSource()), archives(), repositories(), FOLDERS))
    indexed = isinstance(source, IndexSource)
    return LockEntry(
        name=draw(NAMES.filter(lambda name: name not in UNSAFE_PACKAGES)),
        version=Version(draw(VERSIONS)) if indexed else None,
        exact=indexed and draw(st.booleans()),
        extras=frozenset(draw(st.sets(NAMES, max_size=2))),
        marker=draw(MARKERS),
        source=source,
        hashes=draw(HASHES),
        via=draw(VIA),
    )


OPTIONS = st.lists(
    st.sampled_from(["--index-url https://e.org", "--find-links ./w", "--no-binary a"]), unique=True
).map(tuple)


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    chosen = draw(st.lists(entries(), max_size=6, unique_by=lambda entry: entry.name))
    return Lock(
        entries=tuple(sorted(chosen, key=sort_key)),
        header=own_header(LockStyle(hashes=draw(st.booleans())), python="3.11"),
        options=draw(OPTIONS),
    )


@given(locks())
def test_reading_undoes_writing(lock: Lock) -> None:
    assert parse_lock(render_lock(lock), path="a.lock") == lock


@given(locks(), st.randoms())
def test_the_text_does_not_depend_on_the_order_of_entries(lock: Lock, random: object) -> None:
    shuffled = list(lock.entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    other = Lock(entries=tuple(shuffled), header=lock.header, options=lock.options)
    assert render_lock(other) == render_lock(lock)


@given(locks())
def test_windows_newlines_mean_the_same(lock: Lock) -> None:
    text = render_lock(lock).replace("\n", "\r\n")
    assert parse_lock(text, path="a.lock").entries == lock.entries


@given(st.lists(entries(), max_size=5, unique_by=lambda entry: entry.name))
def test_annotations_on_one_line_hold_the_same_names(chosen: list[LockEntry]) -> None:
    plain = LockHeader(text="")
    ordered = tuple(sorted(chosen, key=sort_key))
    lock = Lock(entries=ordered, header=plain, annotations=Annotations.LINE)
    assert parse_lock(render_lock(lock), path="a.lock").entries == ordered


@given(st.text())
def test_any_text_is_a_lock_or_an_error_with_lines(text: str) -> None:
    try:
        lock = parse_lock(text, path="a.lock")
    except LockError as error:
        lines = [problem.line for problem in error.problems]
        if lines and None not in lines:
            return
        raise
    assert parse_lock(render_lock(lock), path="a.lock").entries == lock.entries
