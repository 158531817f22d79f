"""Looking after the cache folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.wheels import make_wheel, sha256_of
from venvman.model.errors import ConfigurationError
from venvman.store.care import DamagedWheel, Freed, clear, discard, prune, verify
from venvman.store.store import Store, StoredWheel
from venvman.system.files import CACHEDIR_TAG
from venvman.system.locks import using

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


def test_environments_keep_their_files(cache: Path) -> None:
    clear(cache)
    assert (cache.parent / "venv" / "module.py").read_text() == "1234567890"


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


class TestPruningByAgeAndSize:
    def test_an_age_stands_for_both_of_the_usual_ones(self, cache: Path) -> None:
        os.utime(wheel(cache, "ab"), (NOW - DAY, NOW - DAY))
        assert prune(cache, now=NOW, older_than=2 * DAY) == Freed(files=1, bytes=100)
        assert wheel(cache, "ab").exists()
        assert prune(cache, now=NOW, older_than=DAY / 2) == Freed(files=1, bytes=10)

    def test_a_size_removes_the_oldest_first_and_the_linked_last(self, cache: Path) -> None:
        for start, age in (("ab", 2), ("ac", 1)):
            module = wheel(cache, start) / "files" / "module.py"
            module.parent.mkdir(parents=True, exist_ok=True)
            module.write_text("1234567890")
            os.utime(wheel(cache, start), (NOW - age, NOW - age))
        young = {"now": NOW, "older_than": 1000 * DAY}

        assert prune(cache, **young, max_size=130).bytes == 0
        assert prune(cache, **young, max_size=129).bytes == 100
        assert prune(cache, **young, max_size=25).bytes == 10
        assert wheel(cache, "aa").exists()
        assert not wheel(cache, "ab").exists()
        assert prune(cache, **young, max_size=0).bytes == 20
        assert not wheel(cache, "aa").exists()

    def test_a_repository_goes_as_a_whole_or_stays_as_a_whole(self, cache: Path) -> None:
        for name, age in (("old", 100), ("used", 1)):
            head = cache / "git" / name / "HEAD"
            head.parent.mkdir(parents=True)
            head.write_text("x")
            (head.parent / "packed").write_text("y")
            os.utime(head.parent / "packed", (NOW - 365 * DAY, NOW - 365 * DAY))
            os.utime(head, (NOW - age * DAY, NOW - age * DAY))
        prune(cache, now=NOW)
        assert [path.name for path in (cache / "git").iterdir()] == ["used"]
        assert (cache / "git" / "used" / "packed").exists()


class TestVerifying:
    @pytest.fixture
    def stored(self, tmp_path: Path) -> tuple[Path, StoredWheel]:
        """A cache with one real entry."""
        path = make_wheel(tmp_path, "alpha", files={"alpha.py": "1\n", "beta.py": "2\n"})
        cache = tmp_path / "cache"
        sha256 = sha256_of(path).removeprefix("sha256:")
        with Store(cache) as store:
            return cache, store.add(path, sha256=sha256)

    def test_an_edit_of_equal_size_and_time_is_seen(self, stored: tuple[Path, StoredWheel]) -> None:
        cache, wheel = stored
        file = wheel.folder / "alpha.py"
        file.write_text("3\n")
        os.utime(file, ns=(wheel.manifest.mtime_ns, wheel.manifest.mtime_ns))
        (damaged,) = verify(cache).damaged
        assert (damaged.sha256, damaged.paths) == (wheel.sha256, ("alpha.py",))
        assert damaged.filename == "alpha-1.0-py3-none-any.whl"

    @pytest.mark.parametrize("content", [None, b"", b"{", b"[]"])
    def test_an_entry_without_a_readable_manifest_is_damaged(
        self, stored: tuple[Path, StoredWheel], content: bytes | None
    ) -> None:
        cache, wheel = stored
        manifest = wheel.folder.parent / "manifest.json"
        manifest.unlink()
        if content is not None:
            manifest.write_bytes(content)
        (damaged,) = verify(cache).damaged
        assert (damaged.filename, damaged.paths) == (None, ("manifest.json",))

    def test_discarding_takes_out_what_is_damaged_still(
        self, stored: tuple[Path, StoredWheel]
    ) -> None:
        cache, wheel = stored
        (wheel.folder / "alpha.py").unlink()
        damaged = verify(cache).damaged
        (gone,) = discard(cache, damaged)
        (again,) = discard(cache, damaged)
        assert gone.discarded
        assert again.discarded
        assert not wheel.folder.exists()
        assert verify(cache).checked == 0

    def test_what_was_fetched_again_meanwhile_stays(self, stored: tuple[Path, StoredWheel]) -> None:
        cache, wheel = stored
        mine = DamagedWheel(sha256=wheel.sha256, filename=None, paths=())
        (kept,) = discard(cache, [mine])
        assert not kept.discarded
        assert wheel.folder.exists()


class TestTheLock:
    @pytest.mark.parametrize("name", ["none", "file/cache"])
    def test_a_cache_that_cannot_be_written_locks_nobody_out(
        self, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / "file").touch()
        with using(tmp_path / name), using(tmp_path / name, alone=True, waiting=lambda: None):
            pass
