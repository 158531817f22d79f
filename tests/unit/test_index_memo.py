"""Answers kept for as long as index pages say the same: what is recalled, and what is not."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from venvman.index import memo

QUESTION = "ab" * 32
TEXTS = {"default": "flask==1.0\n", "dev": "é\n", "empty": ""}


def recall(cache: str, question: str, *, offline: bool = False, now: float | None = None) -> object:
    """The texts alone."""
    found = memo.recall(cache, question, offline=offline, now=now)
    return None if found is None else found[0]


def page(cache: Path, key: str = "cd" * 32, *, digest: str = "1" * 32, fresh: int = 600) -> Path:
    """A page's file, as the cache writes it."""
    path = cache / memo.PAGES / memo.entry_path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(memo.page_head(digest, fresh) + b"content")
    temporary.replace(path)
    return path


def rests_on(path: Path, digest: str = "1" * 32, fresh: int = 600) -> memo.Page:
    return memo.page_of(path.parent.name + path.name, digest, fresh, path.stat())


def kept(cache: Path) -> Path:
    """A page, and an answer that rests on it."""
    path = page(cache)
    assert memo.keep(str(cache), QUESTION, TEXTS, [rests_on(path)])
    return path


def test_a_page_that_is_gone_ends_it(tmp_path: Path) -> None:
    kept(tmp_path).unlink()
    assert recall(str(tmp_path), QUESTION) is None


def test_a_page_that_cannot_be_read_ends_it(tmp_path: Path) -> None:
    kept(tmp_path).write_bytes(b"venvman-index-2\n")
    assert recall(str(tmp_path), QUESTION) is None


def test_a_clock_that_went_back_ends_it(tmp_path: Path) -> None:
    kept(tmp_path)
    assert recall(str(tmp_path), QUESTION, now=time.time() - 5) is None


def test_a_page_fetched_again_and_unchanged_is_taken_and_noted(tmp_path: Path) -> None:
    path = kept(tmp_path)
    os.utime(path, (time.time() - 601,) * 2)
    assert recall(str(tmp_path), QUESTION) is None
    page(tmp_path, fresh=900)
    assert recall(str(tmp_path), QUESTION, now=time.time() + 800) == TEXTS
    # It is recognised by its facts from now on: what is in it is not looked at.
    facts = path.stat()
    path.write_bytes(b"x" * facts.st_size)
    os.utime(path, ns=(facts.st_mtime_ns, facts.st_mtime_ns))
    assert recall(str(tmp_path), QUESTION) == TEXTS


def test_how_long_a_page_is_fresh_now_counts(tmp_path: Path) -> None:
    kept(tmp_path)
    page(tmp_path, fresh=0)
    assert recall(str(tmp_path), QUESTION) is None


@pytest.mark.parametrize("place", [0, 20, 30, 60, -1])
def test_a_damaged_answer_counts_as_none(tmp_path: Path, place: int) -> None:
    kept(tmp_path)
    entry = tmp_path / memo.FOLDER / QUESTION
    content = bytearray(entry.read_bytes())
    content[place] ^= 1
    entry.write_bytes(content)
    assert recall(str(tmp_path), QUESTION) is None


@pytest.mark.parametrize("size", [0, 5, 40, -2])
def test_a_torn_answer_counts_as_none(tmp_path: Path, size: int) -> None:
    kept(tmp_path)
    entry = tmp_path / memo.FOLDER / QUESTION
    entry.write_bytes(entry.read_bytes()[:size])
    assert recall(str(tmp_path), QUESTION) is None


def test_answers_are_private_and_leave_nothing_behind(tmp_path: Path) -> None:
    kept(tmp_path)
    folder = tmp_path / memo.FOLDER
    assert [path.name for path in folder.iterdir()] == [QUESTION]
    assert stat.S_IMODE((folder / QUESTION).stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0


def test_the_oldest_answers_make_room(tmp_path: Path) -> None:
    rest = [rests_on(page(tmp_path))]
    for number in range(memo.LIMIT + 3):
        assert memo.keep(str(tmp_path), f"{number:064x}", TEXTS, rest)
        os.utime(tmp_path / memo.FOLDER / f"{number:064x}", (number, number))
    names = sorted(path.name for path in (tmp_path / memo.FOLDER).iterdir())
    assert names == [f"{number:064x}" for number in range(3, memo.LIMIT + 3)]


def test_a_cache_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    assert not memo.keep(str(tmp_path / "cache"), QUESTION, TEXTS, [])
    assert recall(str(tmp_path / "cache"), QUESTION) is None


def test_a_page_head_reads_back() -> None:
    digest = "0123456789abcdef" * 2
    assert memo.read_page_head(memo.page_head(digest, 10**12)) == (digest, 10**10 - 1)


class TestEvidence:
    def test_it_is_every_page_once(self, tmp_path: Path) -> None:
        one, two = (rests_on(page(tmp_path, each * 32)) for each in ("ab", "cd"))
        evidence = memo.Evidence()
        for each in (two, one, two):
            evidence.rest_on(each)
        assert evidence.pages == (one, two)

    def test_a_page_outside_the_cache_spoils_it(self) -> None:
        evidence = memo.Evidence()
        evidence.rest_on(None)
        assert evidence.pages is None

    def test_two_states_of_a_page_spoil_it(self, tmp_path: Path) -> None:
        evidence = memo.Evidence()
        evidence.rest_on(rests_on(page(tmp_path)))
        evidence.rest_on(rests_on(page(tmp_path), digest="2" * 32))
        assert evidence.pages is None
