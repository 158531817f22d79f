"""Linking: the best way the filesystem knows, and nothing that was changed."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.pages import PAGES, ROOT
from tests.support.wheels import make_wheel
from venvman.install import link as module
from venvman.install.link import Linker, StoreDamaged, write_file
from venvman.project.settings import Link
from venvman.store.store import Store, StoredWheel


@pytest.fixture(params=[1_000, 2], ids=["one thread", "two threads"])
def wheel(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> StoredWheel:
    monkeypatch.setattr(module, "_MANY", request.param)
    path = make_wheel(tmp_path, "demo", files={"a.py": "a", "pkg/b.py": "b", "pkg/sub/c.py": "c"})
    return Store(tmp_path / "cache").add(path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def link(wheel: StoredWheel, into: Path, how: Link = Link.AUTO) -> Linker:
    into.mkdir(exist_ok=True)
    linker = Linker(how)
    assert linker.link_all(wheel, list(enumerate(wheel.manifest.paths)), str(into)) is None
    return linker


def refuse(monkeypatch: pytest.MonkeyPatch, how: Link, number: int, *, times: int = 10**6) -> None:
    """Makes the way ``how`` fail with ``number`` for its first ``times`` files."""
    real = module._HOW[how]
    asked = count()  # counts in one step: two threads may link

    def failing(source: str, target: str, found: os.stat_result, mode: int) -> None:
        if next(asked) < times:
            raise OSError(number, os.strerror(number), source)
        real(source, target, found, mode)

    monkeypatch.setitem(module._HOW, how, failing)


def same(wheel: StoredWheel, into: Path) -> None:
    for path in wheel.manifest.paths:
        assert (into / path).read_bytes() == (wheel.folder / path).read_bytes()
        assert (into / path).stat().st_mtime_ns == wheel.manifest.mtime_ns


def test_files_are_shared_with_the_store(
    wheel: StoredWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, Link.REFLINK, errno.EOPNOTSUPP)
    assert link(wheel, tmp_path / "into").used is Link.HARDLINK
    assert (tmp_path / "into/pkg/b.py").samefile(wheel.folder / "pkg/b.py")
    same(wheel, tmp_path / "into")


def test_reflinks_work_or_are_given_up_for_good(wheel: StoredWheel, tmp_path: Path) -> None:
    used = link(wheel, tmp_path / "into", Link.REFLINK).used
    assert used in (Link.REFLINK, Link.COPY)
    assert not (tmp_path / "into/a.py").samefile(wheel.folder / "a.py")
    same(wheel, tmp_path / "into")


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.ENOTSUP])
def test_where_links_are_impossible_files_are_copied(
    wheel: StoredWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refuse(monkeypatch, Link.REFLINK, number)
    refuse(monkeypatch, Link.HARDLINK, number)
    assert link(wheel, tmp_path / "into").used is Link.COPY
    assert not (tmp_path / "into/a.py").samefile(wheel.folder / "a.py")
    same(wheel, tmp_path / "into")


def test_a_file_with_too_many_names_is_copied_and_the_others_are_linked(
    wheel: StoredWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, Link.HARDLINK, errno.EMLINK, times=1)
    link(wheel, tmp_path / "into", Link.HARDLINK)
    pairs = [(tmp_path / "into" / path, wheel.folder / path) for path in wheel.manifest.paths]
    assert [ours.samefile(kept) for ours, kept in pairs].count(False) == 1


def test_copies_are_asked_for_and_made(wheel: StoredWheel, tmp_path: Path) -> None:
    link(wheel, tmp_path / "into", Link.COPY)
    (tmp_path / "into/a.py").write_text("edited")
    assert (wheel.folder / "a.py").read_text() == "a"


@pytest.mark.parametrize("how", [Link.AUTO, Link.HARDLINK])
def test_a_full_disk_is_no_reason_to_try_another_way(
    wheel: StoredWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: Link
) -> None:
    refuse(monkeypatch, Link.REFLINK, errno.EOPNOTSUPP)
    refuse(monkeypatch, Link.HARDLINK, errno.ENOSPC)
    with pytest.raises(OSError, match="No space left"):
        link(wheel, tmp_path / "into", how)


def test_copying_that_fails_is_an_error(
    wheel: StoredWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, Link.COPY, errno.EACCES)
    with pytest.raises(PermissionError):
        link(wheel, tmp_path / "into", Link.COPY)


@pytest.mark.parametrize("how", list(Link))
def test_two_files_for_one_place_leave_the_later_one(
    wheel: StoredWheel, tmp_path: Path, how: Link
) -> None:
    (tmp_path / "into").mkdir()
    linker = Linker(how)
    linker.link_all(wheel, [(0, "x.py"), (1, "x.py")], str(tmp_path / "into"))
    later = wheel.folder / wheel.manifest.paths[1]
    assert (tmp_path / "into/x.py").read_bytes() == later.read_bytes()


@pytest.mark.parametrize("edit", ["content", "time", "gone"])
def test_a_file_that_was_changed_in_the_store_is_named(
    wheel: StoredWheel, tmp_path: Path, edit: str
) -> None:
    file = wheel.folder / "pkg/b.py"
    if edit == "content":
        file.write_text("longer than before")
        os.utime(file, ns=(wheel.manifest.mtime_ns, wheel.manifest.mtime_ns))
    elif edit == "time":
        file.write_text("B")
    else:
        file.unlink()
    files: list[Any] = list(enumerate(wheel.manifest.paths))
    (tmp_path / "into").mkdir()
    assert Linker(Link.AUTO).link_all(wheel, files, str(tmp_path / "into")) == "pkg/b.py"
    error = StoreDamaged([(wheel, "pkg/b.py")])
    assert error.wheels == (wheel,)
    assert "pkg/b.py" in error.message


def test_a_generated_file_replaces_a_shared_one_without_touching_it(
    wheel: StoredWheel, tmp_path: Path
) -> None:
    link(wheel, tmp_path / "into", Link.HARDLINK)
    write_file(str(tmp_path / "into/a.py"), b"generated", mtime_ns=10**9)
    assert (wheel.folder / "a.py").read_text() == "a"
    assert (tmp_path / "into/a.py").stat().st_mtime_ns == 10**9


@pytest.mark.parametrize("how", [Link.HARDLINK, Link.REFLINK])
def test_a_way_asked_for_by_name_that_cannot_be_gone_is_told_with_both_folders(
    wheel: StoredWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: Link
) -> None:
    refuse(monkeypatch, how, errno.EXDEV)
    problem = link(wheel, tmp_path / "into", how).given_up("/elsewhere/venv")
    assert problem is not None
    assert how.value in problem.message
    assert f"from {tmp_path / 'cache'} to /elsewhere/venv" in problem.message


def test_a_way_that_venvman_chose_itself_is_given_up_without_a_word(
    wheel: StoredWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, Link.REFLINK, errno.EXDEV)
    refuse(monkeypatch, Link.HARDLINK, errno.EXDEV)
    assert link(wheel, tmp_path / "into").given_up("venv") is None


def test_a_way_that_was_gone_is_not_told_of(wheel: StoredWheel, tmp_path: Path) -> None:
    assert link(wheel, tmp_path / "into", Link.HARDLINK).given_up("venv") is None


@pytest.mark.parametrize("how", [Link.AUTO, Link.HARDLINK, Link.COPY])
def test_modes_are_the_archives_less_the_umask_of_who_links(tmp_path: Path, how: Link) -> None:
    made = make_wheel(tmp_path, "demo", files={"a.py": "a"})
    with umask(0o077):
        wheel = Store(tmp_path / "cache").add(
            made, sha256=hashlib.sha256(made.read_bytes()).hexdigest()
        )
    assert (wheel.folder / "a.py").stat().st_mode & 0o777 == 0o644
    for mask, expected in ((0o022, 0o644), (0o077, 0o600), (0o027, 0o640)):
        with umask(mask):
            link(wheel, tmp_path / f"{mask:o}", how)
        assert (tmp_path / f"{mask:o}/a.py").stat().st_mode & 0o777 == expected
    assert (wheel.folder / "a.py").stat().st_mode & 0o777 == 0o644


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


CODE = re.compile(r"^ *```.*?^ *```$|`[^`\n]*`|<!--.*?-->", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")


def in_menu(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    else:
        for each in entry.values() if isinstance(entry, dict) else entry:
            yield from in_menu(each)


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {
        re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())
        for heading in headings
    }


def test_every_page_has_one_place_in_the_menu() -> None:
    menu = list(in_menu(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    assert sorted(menu) == sorted(
        page.removeprefix("docs/") for page in PAGES if page.startswith("docs/")
    )


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_has_an_end(page: str) -> None:
    path = ROOT / page
    text = CODE.sub("", path.read_text())
    dead = []
    for found in LINK.finditer(text):
        target, _, anchor = (found[1] or found[2]).partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        end = path.parent / target if target else path
        if not end.exists() or (end.suffix == ".md" and anchor and anchor not in anchors(end)):
            dead.append(found[0])
    assert dead == []


def test_the_comparison_is_the_readmes() -> None:
    page = (ROOT / "docs" / "explanation" / "other-tools.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len(rows) == 8
    assert "\n".join(rows) in (ROOT / "README.md").read_text()
