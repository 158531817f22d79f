"""Looking after the cache folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from venvman.cachecare import CachePart, Freed, clear, measure, prune
from venvman.errors import ConfigurationError
from venvman.files import CACHEDIR_TAG

if TYPE_CHECKING:
    from pathlib import Path

NOW = 2_000_000_000.0
DAY = 24 * 3600


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache with one page and two unpacked wheels, all a year old; one wheel is in use."""
    folder = tmp_path / "cache"
    page = folder / "index-v1" / "flask.bin"
    page.parent.mkdir(parents=True)
    page.write_bytes(b"x" * 100)
    for sha256 in ("aa" * 32, "ab" * 32):
        module = folder / "wheels-v1" / sha256[:2] / sha256 / "files" / "module.py"
        module.parent.mkdir(parents=True)
        module.write_text("1234567890")
    used = tmp_path / "venv" / "module.py"
    used.parent.mkdir()
    os.link(wheel(folder, "aa") / "files" / "module.py", used)
    (folder / "CACHEDIR.TAG").write_text(CACHEDIR_TAG)
    for path in folder.rglob("*"):
        os.utime(path, (NOW - 365 * DAY, NOW - 365 * DAY))
    return folder


def wheel(cache: Path, start: str) -> Path:
    return cache / "wheels-v1" / start / (start * 32)


def test_each_part_is_measured(cache: Path) -> None:
    assert measure(cache) == (
        CachePart(name="index-v1", files=1, bytes=100),
        CachePart(name="wheels-v1", files=2, bytes=20),
    )


def test_a_cache_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert measure(tmp_path / "none") == ()
    assert clear(tmp_path / "none") == Freed()
    assert prune(tmp_path / "none", now=NOW) == Freed()


def test_clearing_removes_everything_but_the_folder(cache: Path) -> None:
    assert clear(cache) == Freed(files=3, bytes=120)
    assert [path.name for path in cache.iterdir()] == ["CACHEDIR.TAG"]


def test_environments_keep_their_files(cache: Path) -> None:
    clear(cache)

    assert (cache.parent / "venv" / "module.py").read_text() == "1234567890"


def test_pruning_keeps_what_an_environment_is_linked_to(cache: Path) -> None:
    prune(cache, now=NOW)

    assert wheel(cache, "aa").exists()
    assert not wheel(cache, "ab").exists()


def test_pruning_keeps_a_wheel_that_a_sync_may_be_about_to_link(cache: Path) -> None:
    os.utime(wheel(cache, "ab"), (NOW - 60, NOW - 60))

    prune(cache, now=NOW)

    assert wheel(cache, "ab").exists()


def test_pruning_removes_old_pages_and_keeps_young_ones(cache: Path) -> None:
    young = cache / "index-v1" / "young.bin"
    young.touch()
    os.utime(young, (NOW - DAY, NOW - DAY))

    freed = prune(cache, now=NOW)

    assert [path.name for path in (cache / "index-v1").iterdir()] == ["young.bin"]
    assert freed == Freed(files=2, bytes=110)


def test_pruning_keeps_the_tool_environments(cache: Path) -> None:
    tool = cache / "tools" / "pip-tools-3.9" / "file"
    tool.parent.mkdir(parents=True)
    tool.touch()
    os.utime(tool, (0, 0))

    prune(cache, now=NOW)

    assert tool.exists()


@pytest.mark.parametrize("remove", [clear, lambda folder: prune(folder, now=NOW)])
def test_a_folder_that_is_no_cache_is_left_alone(tmp_path: Path, remove: object) -> None:
    precious = tmp_path / "home" / "documents" / "thesis.txt"
    precious.parent.mkdir(parents=True)
    precious.touch()

    with pytest.raises(ConfigurationError) as caught:
        remove(tmp_path / "home")  # type: ignore[operator]

    assert caught.value.code == "cache-not-ours"
    assert precious.exists()


def test_a_link_out_of_the_cache_is_not_followed(cache: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious" / "file"
    precious.parent.mkdir()
    precious.touch()
    (cache / "index-v1" / "link").symlink_to(precious.parent)

    clear(cache)

    assert precious.exists()


def test_a_folder_by_our_own_name_needs_no_tag(cache: Path) -> None:
    ours = cache.rename(cache.parent / "venvman")
    (ours / "CACHEDIR.TAG").unlink()

    assert clear(ours).files == 3
