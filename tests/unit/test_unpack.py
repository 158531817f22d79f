"""Unpacking: what a good wheel becomes, and every way in which a bad one is refused."""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.wheels import make_wheel, record_row
from venvman.environment.record import encode_digest
from venvman.model.errors import InstallError
from venvman.model.metadata import EntryPoint, EntryPointInvalid, parse_scripts
from venvman.store.manifest import Manifest, ManifestInvalid, read_manifest, write_manifest
from venvman.store.unpack import unpack_wheel

TIME = 1_700_000_000 * 10**9
INFO = "demo-1.0.dist-info"


def unpack(wheel: Path, folder: Path) -> Manifest:
    return unpack_wheel(str(wheel), str(folder), mtime_ns=TIME)


def refused(wheel: Path, tmp_path: Path) -> InstallError:
    """The error that unpacking ends with; it names the file and says what to do."""
    with pytest.raises(InstallError) as caught:
        unpack(wheel, tmp_path / "unpacked")
    error = caught.value
    assert wheel.name in error.message
    assert all(problem.fix for problem in error.problems)
    return error


def written(folder: Path, members: dict[str, bytes], *, mode: int = 0o644) -> Path:
    """A wheel with exactly ``members``, names unchecked; ``mode`` is that of ``odd``."""
    path = folder / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (mode if "odd" in name else 0o644) << 16
            archive.writestr(info, body)
    return path


def patched(wheel: Path, change: Callable[[bytearray], None]) -> Path:
    content = bytearray(wheel.read_bytes())
    change(content)
    wheel.write_bytes(content)
    return wheel


def test_the_files_are_there_with_the_given_time_and_their_hashes(tmp_path: Path) -> None:
    body = b"x = 1\n" * 400_000
    wheel = make_wheel(tmp_path, "demo", files={"pkg/big.py": body, "pkg/sub/empty.py": b""})
    manifest = unpack(wheel, tmp_path / "unpacked")
    big = tmp_path / "unpacked/pkg/big.py"
    assert big.read_bytes() == body
    assert big.stat().st_mtime_ns == TIME
    rows = dict(zip(manifest.paths, zip(manifest.sizes, manifest.hashes, strict=True), strict=True))
    assert rows["pkg/big.py"] == (len(body), encode_digest(hashlib.sha256(body).digest()))
    assert rows["pkg/sub/empty.py"][0] == 0
    assert f"{INFO}/RECORD" not in rows
    assert not (tmp_path / "unpacked" / INFO / "RECORD").exists()
    assert (manifest.name, manifest.version, manifest.info) == ("demo", "1.0", INFO)
    assert manifest.root_is_purelib
    assert manifest.size == sum(manifest.sizes)


def test_stored_and_deflated_archives_hold_the_same(tmp_path: Path) -> None:
    files = {"a.py": b"a" * 3_000_000, "b.bin": os.urandom(2_500_000)}
    one = make_wheel(tmp_path / "1", "demo", files=files, compress=True)
    two = make_wheel(tmp_path / "2", "demo", files=files, compress=False)
    first, second = unpack(one, tmp_path / "one"), unpack(two, tmp_path / "two")
    assert first.hashes == second.hashes


def test_what_the_archive_marks_executable_is_executable(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo", files={"plain.sh": "#!/bin/sh\n"})
    with zipfile.ZipFile(wheel, "a") as archive:
        info = zipfile.ZipInfo("tool.sh")
        info.external_attr = 0o100755 << 16
        archive.writestr(info, b"#!/bin/sh\n")
    manifest = unpack(wheel, tmp_path / "unpacked")
    assert [manifest.paths[index] for index in manifest.executable] == ["tool.sh"]
    assert os.access(tmp_path / "unpacked/tool.sh", os.X_OK)
    assert not (tmp_path / "unpacked/plain.sh").stat().st_mode & stat.S_IXUSR


def test_scripts_are_read_from_entry_points(tmp_path: Path) -> None:
    wheel = make_wheel(
        tmp_path,
        "demo",
        scripts={"demo": "demo:main"},
        gui_scripts={"demo-gui": "demo.gui:App.run"},
    )
    manifest = unpack(wheel, tmp_path / "unpacked")
    assert manifest.entry_points == (
        EntryPoint("demo", "demo", "main", "console"),
        EntryPoint("demo-gui", "demo.gui", "App.run", "gui"),
    )


def test_a_manifest_written_and_read_again_is_the_same(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo", scripts={"demo": "demo:main"})
    manifest = unpack(wheel, tmp_path / "unpacked")
    assert read_manifest(write_manifest(manifest)) == manifest


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-20],
        lambda content: content[:0],
        lambda content: b"[" + content + b"]",
        lambda content: content.replace(b'"sizes"', b'"widths"'),
        lambda content: content.replace(b'"sizes":[', b'"sizes":[0,'),
        lambda content: content.replace(b'"info"', b'"other"'),
    ],
)
def test_a_manifest_that_is_not_whole_is_noticed(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    content = write_manifest(unpack(make_wheel(tmp_path, "demo"), tmp_path / "unpacked"))
    with pytest.raises(ManifestInvalid):
        read_manifest(damage(content))


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_file_that_is_not_what_record_says_is_refused(tmp_path: Path, algorithm: str) -> None:
    good, bad = (
        hashlib.new(algorithm, body).digest() for body in (b"__version__ = 1\n", b"tampered")
    )
    for digest, fits in ((good, True), (bad, False)):
        text = algorithm + encode_digest(digest).removeprefix("sha256")
        wheel = make_wheel(
            tmp_path / str(fits),
            "demo",
            files={"demo.py": b"__version__ = 1\n"},
            raw={f"{INFO}/RECORD": f"demo.py,{text},16\n{INFO}/RECORD,,\n".encode()},
        )
        if fits:
            unpack(wheel, tmp_path / "fits")
        else:
            assert refused(wheel, tmp_path).code == "wheel-record"


def test_every_file_that_differs_from_record_is_named(tmp_path: Path) -> None:
    rows = "\n".join(record_row(name, b"other") for name in ("a.py", "b.py"))
    wheel = make_wheel(
        tmp_path, "demo", files={"a.py": "1", "b.py": "2"}, raw={f"{INFO}/RECORD": rows.encode()}
    )
    error = refused(wheel, tmp_path)
    assert [problem.message.split()[0] for problem in error.problems] == ["a.py", "b.py"]


def test_a_file_that_record_does_not_list_is_installed_as_pip_does(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo", raw={f"{INFO}/RECORD": b"demo.py,,\nabsent.py,,\n"})
    assert "demo.py" in unpack(wheel, tmp_path / "unpacked").paths


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../evil.py", "leads out of its folder"),
        ("pkg/../../evil.py", "leads out of its folder"),
        ("/etc/evil.py", "absolute"),
        ("C:/evil.py", "absolute"),
        ("pkg\\evil.py", "not a portable path"),
        ("pkg//evil.py", "not a plain path"),
        ("./evil.py", "not a plain path"),
    ],
)
def test_an_entry_that_would_leave_the_folder_is_refused(
    tmp_path: Path, name: str, words: str
) -> None:
    wheel = written(tmp_path, {"fine.py": b"", name: b""})
    error = refused(wheel, tmp_path)
    assert error.code == "wheel-entry-unsafe"
    assert words in error.message
    assert not (tmp_path / "unpacked").exists()


@pytest.mark.parametrize(("mode", "words"), [(0o120777, "symbolic link"), (0o020666, "device")])
def test_links_and_devices_are_refused(tmp_path: Path, mode: int, words: str) -> None:
    error = refused(written(tmp_path, {"odd": b"/etc/passwd"}, mode=mode), tmp_path)
    assert words in error.message


def test_an_entry_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo")
    with zipfile.ZipFile(wheel, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("demo.py", "other")
    assert refused(wheel, tmp_path).code == "wheel-entry-twice"


def test_a_file_where_a_folder_must_be_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo", files={"pkg": "a file", "pkg/inside.py": ""})
    assert refused(wheel, tmp_path).code == "wheel-entry-twice"


def test_two_dist_infos_are_refused_by_name(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo", raw={"other-2.0.dist-info/METADATA": b""})
    error = refused(wheel, tmp_path)
    assert error.code == "wheel-dist-info"
    assert "other-2.0.dist-info" in error.message


def test_no_dist_info_is_refused(tmp_path: Path) -> None:
    error = refused(written(tmp_path, {"demo.py": b""}), tmp_path)
    assert "no .dist-info" in error.message


def test_each_missing_part_of_the_dist_info_is_named(tmp_path: Path) -> None:
    error = refused(written(tmp_path, {f"{INFO}/METADATA": b""}), tmp_path)
    assert "no WHEEL and no RECORD" in error.message


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ({f"{INFO}/WHEEL": b"Wheel-Version: 2.0\nRoot-Is-Purelib: true\n"}, "wheel-version"),
        ({f"{INFO}/WHEEL": b"Root-Is-Purelib: true\n"}, "wheel-version"),
        ({f"{INFO}/WHEEL": b"\xff\xfe"}, "wheel-dist-info"),
        ({f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: other\nVersion: 1.0\n"}, "wheel-name"),
        ({f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.1\n"}, "wheel-name"),
        ({f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: ?!\n"}, "wheel-name"),
        ({f"{INFO}/METADATA": b"Metadata-Version: 2.1\n"}, "wheel-dist-info"),
        ({f"{INFO}/entry_points.txt": b"[console_scripts]\nx = demo\n"}, "wheel-entry-points"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(
    tmp_path: Path, raw: dict[str, bytes], code: str
) -> None:
    assert refused(make_wheel(tmp_path, "demo", raw=raw), tmp_path).code == code


def test_a_version_may_be_spelled_differently_in_the_file_name(tmp_path: Path) -> None:
    raw = {f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: Demo\nVersion: 1.0.0\n"}
    assert unpack(make_wheel(tmp_path, "demo", raw=raw), tmp_path / "unpacked").version == "1.0.0"


def test_a_file_that_is_not_named_like_a_wheel_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo").rename(tmp_path / "demo.whl")
    assert refused(wheel, tmp_path).code == "wheel-filename"


def first_member(wheel: Path) -> tuple[int, int]:
    """Where the first member's data starts in the file, and where the directory starts."""
    content = wheel.read_bytes()
    name_length, extra_length = struct.unpack_from("<2H", content, 26)
    return 30 + name_length + extra_length, content.index(b"PK\1\2")


def test_a_cut_archive_is_damaged_wherever_it_was_cut(tmp_path: Path) -> None:
    whole = make_wheel(tmp_path, "demo").read_bytes()
    for length in [0, 1, 21, 22, *range(40, len(whole) - 1, 97), len(whole) - 1]:
        wheel = tmp_path / "cut" / "demo-1.0-py3-none-any.whl"
        wheel.parent.mkdir(exist_ok=True)
        wheel.write_bytes(whole[:length])
        assert refused(wheel, tmp_path).code == "wheel-damaged"


@pytest.mark.parametrize(("field", "value"), [(24, 5), (24, 500), (20, 3), (16, 1), (10, 99)])
def test_an_archive_that_lies_about_a_member_is_damaged(
    tmp_path: Path, field: int, value: int
) -> None:
    """The directory has the size at 24, the packed size at 20, checksum at 16, method at 10."""
    record = {f"{INFO}/RECORD": b"demo.py,,\n"}
    wheel = make_wheel(tmp_path, "demo", files={"demo.py": "x" * 100}, raw=record)
    _, directory = first_member(wheel)
    patched(wheel, lambda content: content.__setitem__(directory + field, value % 256))
    patched(wheel, lambda content: content.__setitem__(directory + field + 1, value // 256))
    assert refused(wheel, tmp_path).code == "wheel-damaged"


def test_a_bomb_is_stopped_at_the_declared_size(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo", files={"demo.py": b"\0" * 50_000_000})
    _, directory = first_member(wheel)
    for at in (22, directory + 24):  # in both places, or readers would differ
        patched(wheel, lambda content, at=at: struct.pack_into("<I", content, at, 1000))  # type: ignore[misc]
    error = refused(wheel, tmp_path)
    assert "larger than the archive declares" in error.message
    assert (tmp_path / "unpacked/demo.py").stat().st_size <= 1000


@pytest.mark.parametrize(
    ("part", "offset", "content"),
    [
        pytest.param("data", 0, b"\xff\xff\xff\xff", id="content"),
        pytest.param("header", 0, b"\0", id="signature of a member"),
        pytest.param("header", 28, b"\xff\xf0", id="length of a member's header"),
        pytest.param("header", 30, b"X", id="name of a member"),
        pytest.param("directory", 0, b"\0", id="signature of the directory"),
        pytest.param("directory", 8, b"\1", id="encryption"),
        pytest.param("directory", 42, b"\xff\xff", id="place of a member"),
        pytest.param("end", 0, b"\0", id="end of the archive"),
        pytest.param("end", 20, b"\1", id="length of the comment"),
    ],
)
def test_a_spoilt_byte_is_noticed(tmp_path: Path, part: str, offset: int, content: bytes) -> None:
    wheel = make_wheel(tmp_path, "demo", files={"demo.py": "x = 1\n" * 50})
    data, directory = first_member(wheel)
    end = wheel.stat().st_size - 22
    at = {"header": 0, "data": data, "directory": directory, "end": end}[part] + offset
    patched(wheel, lambda whole: whole.__setitem__(slice(at, at + len(content)), content))
    assert refused(wheel, tmp_path).code == "wheel-damaged"


def test_a_name_that_is_not_utf8_is_damage(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo", files={"dé.py": ""})
    patched(
        wheel,
        lambda content: content.__setitem__(
            slice(None), content.replace("é".encode(), b"\xff\xff")
        ),
    )
    assert "not UTF-8" in refused(wheel, tmp_path).message


def test_archives_with_64_bit_sizes_are_read(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo")
    content = wheel.read_bytes()
    end = content.index(b"PK\5\6")
    count, size, offset = struct.unpack_from("<H2I", content, end + 10)
    end64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    narrow = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    wheel.write_bytes(content[:end] + end64 + locator + narrow)
    assert "demo.py" in unpack(wheel, tmp_path / "unpacked").paths
    wheel.write_bytes(content[:end] + end64[1:] + locator + narrow)
    assert refused(wheel, tmp_path / "other").code == "wheel-damaged"


def test_members_with_64_bit_fields_are_read(tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    source = make_wheel(tmp_path / "source", "demo")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as archive:
        for name in old.namelist():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as stream:
                stream.write(old.read(name))
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\1\2")
    (size,) = struct.unpack_from("<I", content, directory + 24)
    (name_length,) = struct.unpack_from("<H", content, directory + 28)
    at = directory + 46 + name_length
    struct.pack_into("<I", content, directory + 24, 0xFFFFFFFF)
    struct.pack_into("<H", content, directory + 30, 12)
    content[at:at] = struct.pack("<2HQ", 1, 8, size)
    end = content.index(b"PK\5\6")
    struct.pack_into("<I", content, end + 12, struct.unpack_from("<I", content, end + 12)[0] + 12)
    path.write_bytes(content)
    assert "demo.py" in unpack(path, tmp_path / "unpacked").paths
    struct.pack_into("<H", content, at, 7)
    path.write_bytes(content)
    assert "lacks a size" in refused(path, tmp_path / "other").message


def test_an_error_survives_the_way_from_a_worker_process(tmp_path: Path) -> None:
    error = refused(written(tmp_path, {"../evil.py": b""}), tmp_path)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.code, copy.problems, str(copy)) == (error.code, error.problems, str(error))


def test_comments_and_other_sections_of_entry_points_are_passed_over() -> None:
    text = "# a comment\n[other]\nx = y\n\n[console_scripts]\n; one\na = b : c.d [extra]\n"
    assert parse_scripts(text) == (EntryPoint("a", "b", "c.d", "console"),)


@pytest.mark.parametrize(
    "line", ["../up = a:b", ".. = a:b", "a/b = a:b", "lonely", "= a:b", "a = b"]
)
def test_a_script_that_cannot_be_made_is_named_with_its_line(line: str) -> None:
    with pytest.raises(EntryPointInvalid) as caught:
        parse_scripts(f"[gui_scripts]\n{line}\n")
    assert (caught.value.line, caught.value.text) == (2, line)


FIRST_READ_BY_MANY = """
import importlib, sys, threading
from venvman.model import metadata
from venvman.store import manifest
sys.setswitchinterval(1e-6)
content = sys.argv[1].encode()
for _ in range(300):
    importlib.reload(metadata)
    importlib.reload(manifest)
    together = threading.Barrier(8)
    def read():
        together.wait()
        assert manifest.read_manifest(content).name == "demo"
    threads = [threading.Thread(target=read) for _ in range(8)]
    [each.start() for each in threads]
    [each.join() for each in threads]
"""


def test_the_first_manifest_of_a_process_may_be_read_by_many_threads_at_once(
    tmp_path: Path,
) -> None:
    content = write_manifest(unpack(make_wheel(tmp_path, "demo"), tmp_path / "unpacked"))

    # A crash of the whole process, which is what this is about, ends only a process of its own.
    program = [sys.executable, "-W", "error", "-c", FIRST_READ_BY_MANY, content.decode()]
    subprocess.run(program, check=True, timeout=100)
