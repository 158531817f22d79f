"""Disks that are full, forbid, or are not one: the environment is untouched or whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cli import ended, run
from tests.support.index import Index
from tests.transactions.branches import WORDS, Branches
from venvman.environment.history import LOG
from venvman.install.attic import ATTIC


@contextmanager
def mounted(kind: str, place: Path, options: str) -> Iterator[None]:
    """Mounts a filesystem at ``place``; the test is skipped where that is not allowed."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount filesystems")
    argv = ["mount", "-t", kind, "-o", options, kind, str(place)]
    done = ended(argv)
    if done.returncode != 0:
        pytest.skip(f"mount says: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def both_states(branches: Branches) -> tuple[dict[str, str], dict[str, str]]:
    """What ``work`` and ``main`` hold; the environment is left as ``main``, with no way back."""
    found = []
    for branch in ("work", "main"):
        branches.checkout(branch)
        branches.full()
        found.append(branches.contents())
    shutil.rmtree(branches.venv / ATTIC)
    (branches.venv / LOG).unlink()
    branches.full()
    return found[0], found[1]


def test_on_a_disk_that_fills_at_any_moment_the_environment_is_the_old_one_or_the_new(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project is on a small disk of its own, the cache is not: files are copied."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted("tmpfs", disk, "size=40m"):
        branches = Branches(disk / "shop", index.folder)
        new, old = both_states(branches)
        ballast, results = disk / "ballast", set()
        for kilobytes in (0, 4, 8, 16, 24, 32, 40, 48, 64, 96, 128, 256, 512):
            branches.checkout("work")
            _fill(ballast, disk, leaving=kilobytes * 1024)
            ran = run(*WORDS, cwd=branches.root)
            found = branches.contents()
            ballast.unlink()
            assert found == (new if ran.code == 0 else old), kilobytes
            assert branches.left_over() == [], kilobytes
            if ran.code != 0:
                assert ran.code == 2
                # Emptying the cache, on its other disk, would be no help.
                assert "cache prune" not in ran.stderr
                assert "No space left" in " ".join(ran.stderr.split())
            results.add(ran.code)
            both_states(branches)
        assert results == {0, 2}


def _fill(ballast: Path, disk: Path, *, leaving: int) -> None:
    free = shutil.disk_usage(disk).free - leaving
    with ballast.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, max(free, 1))


def test_an_environment_in_a_lower_layer_of_a_real_overlay_is_changed_all_the_same(
    tmp_path: Path, index: Index
) -> None:
    """As in a container image's second layer: its folders cannot be renamed (EXDEV)."""
    lower, layers, merged = (tmp_path / name for name in ("lower", "layers", "merged"))
    for folder in (lower, layers, merged):
        folder.mkdir()
    small = "size=60m"
    with mounted("tmpfs", lower, small), mounted("tmpfs", layers, small):
        # The lower layer is written at the path it will have: environments know where they are.
        with mounted("tmpfs", merged, small):
            branches = Branches(merged / "shop", index.folder)
            new, old = both_states(branches)
            shutil.copytree(merged / "shop", lower / "shop", symlinks=True)
        for name in ("upper", "work"):
            (layers / name).mkdir()
        options = f"lowerdir={lower},upperdir={layers / 'upper'},workdir={layers / 'work'}"
        with mounted("overlay", merged, options):
            assert branches.contents() == old
            for branch, expected in (("work", new), ("main", old), ("work", new)):
                branches.checkout(branch)
                # Its folders have other inodes in here: state counts only where it was written.
                ran = run(*WORDS, "--yes", cwd=branches.root)
                assert ran.code == 0, ran.stderr
                assert branches.contents() == expected
                assert branches.left_over() == []


def test_a_folder_that_may_not_be_written_leaves_everything_as_it_was(
    tmp_path: Path, index: Index
) -> None:
    branches = Branches(tmp_path / "shop", index.folder)
    new, old = both_states(branches)
    for folder in (branches.site, branches.venv / "bin"):
        branches.checkout("work")
        with forbidden(folder):
            ran = run(*WORDS, cwd=branches.root)
            assert ran.code == 2, folder
            assert branches.contents() == old
            assert branches.left_over() == []
            said = " ".join(ran.stderr.replace("│", " ").split())
            assert "not permitted" in said or "Permission denied" in said
    assert branches.switch() is None
    branches.full()
    assert branches.contents() == new


@contextmanager
def forbidden(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be made or removed; for root it takes more than its mode."""
    if os.geteuid() != 0:
        mode = folder.stat().st_mode
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(mode)
        return
    argv = ["chattr", "+i", str(folder)]
    if shutil.which("chattr") is None or subprocess.run(argv, check=False).returncode != 0:
        pytest.skip("root may write everywhere, and this filesystem has no chattr +i")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(folder)], check=True)


def test_a_clock_that_goes_backwards_makes_no_stamp_lie(tmp_path: Path, index: Index) -> None:
    """The lock bears a time that has not come yet; it is changed within that same time."""
    branches = Branches(tmp_path / "shop", index.folder)
    lock = branches.root / "requirements.lock"
    future = 4_000_000_000 * 10**9
    seen = []
    for branch in ("main", "work", "main"):
        branches.checkout(branch)
        os.utime(lock, ns=(future, future))
        assert not branches.sync_as_found()
        seen.append(branches.contents())
    assert seen[0] == seen[2] != seen[1]
