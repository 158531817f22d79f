from __future__ import annotations

import io
import os
import stat
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from tests.support.wheels import make_sdist
from venvman.model.errors import InstallError
from venvman.obtain.sources import unpack_sdist


def tar_of(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            body = b"body" if member.isfile() else b""
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return path


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644
) -> tarfile.TarInfo:
    information = tarfile.TarInfo(name)
    information.type, information.linkname, information.mode = kind, link, mode
    return information


def zip_of(path: Path, **content: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in content.items():
            archive.writestr(name, body)
    return path


def test_the_only_top_folder_is_the_projects_root(tmp_path: Path) -> None:
    root = unpack_sdist(make_sdist(tmp_path, "a", "1.0"), tmp_path / "out")
    assert root == tmp_path / "out" / "a-1.0"
    assert (root / "a.py").is_file()


def test_an_archive_without_a_top_folder_is_its_own_root(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", **{"setup.py": "", "a.py": ""})
    assert unpack_sdist(archive, tmp_path / "out") == tmp_path / "out"


def test_a_zip_keeps_folders_and_executable_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a/empty/", "")
        information = zipfile.ZipInfo("a/configure")
        information.external_attr = 0o755 << 16
        archive.writestr(information, "#!/bin/sh\n")
        archive.writestr("a/plain", "")
    root = unpack_sdist(tmp_path / "a.zip", tmp_path / "out")
    assert (root / "empty").is_dir()
    assert (root / "configure").stat().st_mode & stat.S_IXUSR
    assert not (root / "plain").stat().st_mode & stat.S_IXUSR


def test_a_tar_keeps_executable_files_and_drops_other_rights(tmp_path: Path) -> None:
    archive = tar_of(
        tmp_path / "a.tar.gz", member("a/run", mode=0o4711), member("a/secret", mode=0o000)
    )
    root = unpack_sdist(archive, tmp_path / "out")
    assert stat.S_IMODE((root / "run").stat().st_mode) == 0o755
    assert (root / "secret").read_bytes() == b"body"


def test_unpacked_files_bear_the_time_of_unpacking(tmp_path: Path) -> None:
    before = time.time() - 2
    root = unpack_sdist(make_sdist(tmp_path, "a"), tmp_path / "out")
    assert (root / "a.py").stat().st_mtime > before


def test_links_that_stay_inside_are_kept(tmp_path: Path) -> None:
    archive = tar_of(
        tmp_path / "a.tar.gz",
        member("a/src/real"),
        member("a/docs/link", tarfile.SYMTYPE, "../src/real"),
        member("a/hard", tarfile.LNKTYPE, "a/src/real"),
    )
    root = unpack_sdist(archive, tmp_path / "out")
    assert (root / "docs" / "link").read_bytes() == b"body"
    assert (root / "hard").read_bytes() == b"body"


@pytest.mark.parametrize(
    "bad",
    [
        member("../out"),
        member("a/../../out"),
        member("/etc/out"),
        member("a/link", tarfile.SYMTYPE, "/etc/passwd"),
        member("a/link", tarfile.SYMTYPE, "../../out"),
        member("a/link", tarfile.SYMTYPE, "sub/../../../out"),
        member("a/link", tarfile.LNKTYPE, "../out"),
        member("a/pipe", tarfile.FIFOTYPE),
        member("a/device", tarfile.CHRTYPE),
    ],
    ids=lambda information: f"{information.name}-{information.linkname}",
)
def test_a_member_that_leads_out_is_refused_before_anything_is_written(
    tmp_path: Path, bad: tarfile.TarInfo
) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("a/good"), bad)
    with pytest.raises(InstallError) as caught:
        unpack_sdist(archive, tmp_path / "deep" / "out")
    assert caught.value.code == "archive-unsafe"
    assert bad.name in (caught.value.why or "")
    assert list((tmp_path / "deep" / "out").iterdir()) == []


def test_a_member_beneath_a_link_is_refused(tmp_path: Path) -> None:
    archive = tar_of(
        tmp_path / "a.tar.gz", member("a/here", tarfile.SYMTYPE, "."), member("a/here/file")
    )
    with pytest.raises(InstallError, match="not safe to unpack") as caught:
        unpack_sdist(archive, tmp_path / "out")
    assert "through a link" in (caught.value.why or "")


def test_a_zip_that_leads_out_is_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", **{"../out": "x"})
    with pytest.raises(InstallError, match="not safe to unpack"):
        unpack_sdist(archive, tmp_path / "folder")
    assert not (tmp_path / "out").exists()


def test_all_bad_members_are_named_at_once(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("../one"), member("/two"))
    with pytest.raises(InstallError) as caught:
        unpack_sdist(archive, tmp_path / "out")
    assert [problem.why for problem in caught.value.problems] == [
        "../one would be written outside of the folder.",
        "/two would be written outside of the folder.",
    ]


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00cut"])
def test_a_damaged_archive_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(content)
    with pytest.raises(InstallError) as caught:
        unpack_sdist(path, tmp_path / "out")
    assert caught.value.code == "archive-damaged"
    assert caught.value.message == "a.tar.gz could not be unpacked."


def test_a_truncated_archive_is_named(tmp_path: Path) -> None:
    path = make_sdist(tmp_path, "a", files={"big.bin": os.urandom(20_000).hex()})
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(InstallError, match="could not be unpacked"):
        unpack_sdist(path, tmp_path / "out")


@pytest.mark.parametrize(("system", "stays"), [("posix", True), ("nt", False)])
def test_backslashes_and_drives_count_on_windows_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, stays: bool
) -> None:
    from venvman.obtain import sources

    monkeypatch.setattr(os, "name", system)
    assert (list(sources._faults_of_names(["..\\out", "C:out"], set())) == []) is stays


def test_without_the_data_filter_members_are_judged_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    # What was done before there were filters; from Python 3.12 on, silently only if asked for.
    trusted = staticmethod(getattr(tarfile, "fully_trusted_filter", str))
    monkeypatch.setattr(tarfile.TarFile, "extraction_filter", trusted, raising=False)
    root = unpack_sdist(make_sdist(tmp_path, "a"), tmp_path / "out")
    assert (root / "pyproject.toml").is_file()
