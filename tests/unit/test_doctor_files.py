"""VM5: files that are gone, changed, or where no RECORD may reach."""

from __future__ import annotations

import os
import struct
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.examined import World, codes_of
from tests.support.locked import entry
from tests.support.wheels import record_row
from venvman.doctor.libraries import needed_by
from venvman.environment.inspection import Absent

PURELIB = "venv/lib/python3.12/site-packages"


def test_missing_files_are_counted_and_the_first_is_named(world: World) -> None:
    names = {f"a/{leaf}.py": "" for leaf in ("__init__", "one", "two")}
    world.site.dist_info("a", files=names)
    for leaf in ("one", "two"):
        (world.site.folder / "a" / f"{leaf}.py").unlink()
    (found,) = world.findings(entry("a"))
    assert (found.code, found.package) == ("VM501", "a")
    assert found.path == f"{PURELIB}/a/one.py"
    assert found.message == f"2 of the 6 files of a are missing, first {PURELIB}/a/one.py."
    assert str(found.fix) == "venvman sync --reinstall a"


def test_bytecode_may_be_missing(world: World) -> None:
    world.site.dist_info("a", record="a.py,,\n__pycache__/a.cpython-312.pyc,,\n")
    assert world.findings(entry("a")) == ()


def test_scripts_outside_site_packages_are_looked_for(world: World) -> None:
    script = world.root / "venv" / "bin" / "run"
    world.site.dist_info("a", record=f"../../../bin/run,,\n{script}2,,\n", files={})
    (found,) = world.findings(entry("a"))
    assert found.message.startswith("2 of the 3 files")
    script.parent.mkdir()
    script.touch(mode=0o755)
    (found,) = world.findings(entry("a"))
    assert (found.path, found.message.split(",")[0]) == (
        "venv/bin/run2",
        "1 of the 3 files of a is missing",
    )


def test_quoted_names_are_read(world: World) -> None:
    world.site.dist_info("a", files={"a,b.py": ""}, record='"a,b.py",,\n"c,d.py",,\n')
    (found,) = world.findings(entry("a"))
    assert found.path == f"{PURELIB}/c,d.py"


def test_without_a_working_environment_files_are_not_judged(world: World) -> None:
    world.site.dist_info("a", record="gone.py,,\n")
    absent = Absent(path=world.root / "venv")
    assert world.findings(entry("a"), condition=absent, select="VM5") == ()
    assert world.findings(entry("a"), inventory=None, select="VM5") == ()


def test_distributions_without_a_record_are_left_to_other_checks(world: World) -> None:
    world.site.egg_info("a")
    world.site.dist_info("b", without=["RECORD"])
    assert codes_of(world.findings(entry("a"), entry("b"), select="VM5")) == []


def test_files_are_looked_for_where_folders_cannot_be_opened(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.site.dist_info("a", record="a.py,,\ngone.py,,\n")
    monkeypatch.setattr(os, "supports_dir_fd", set())  # as on Windows
    assert codes_of(world.findings(entry("a"))) == ["VM501"]


def test_a_missing_file_is_not_also_a_changed_one(world: World) -> None:
    world.site.dist_info("a")
    (world.site.folder / "a.py").unlink()
    assert codes_of(world.findings(entry("a"), verify_files=True)) == ["VM501"]


@pytest.mark.parametrize(
    ("first", "codes"), [("#!/usr/bin/python3", []), ("#!/bin/sh", []), ("x", ["VM502"])]
)
def test_only_the_first_line_of_a_script_may_differ(
    world: World, first: str, codes: list[str]
) -> None:
    row = record_row("../../../bin/run", b"#!python\nprint(1)\n")
    world.site.dist_info("a", record=f"{row}\n", files={})
    script = world.root / "venv" / "bin" / "run"
    script.parent.mkdir()
    script.write_text(f"{first}\nprint(1)\n")
    script.chmod(0o755)
    assert codes_of(world.findings(entry("a"), verify_files=True)) == codes
    script.write_text(f"{first}\nprint(2)\n")
    assert codes_of(world.findings(entry("a"), verify_files=True)) == ["VM502"]


def test_hashes_that_cannot_be_computed_are_believed(world: World) -> None:
    world.site.dist_info("a", record="a.py,tiger=abc,3\na.py,shake_128=abc,3\n")
    assert world.findings(entry("a"), verify_files=True) == ()


def test_bad_lines_of_a_record_are_named_with_their_number(world: World) -> None:
    world.site.dist_info("a", record="a.py,,\na.py,nonsense,\n")
    (found,) = world.findings(entry("a"), verify_files=True)
    assert (found.code, found.line) == ("VM504", 2)
    assert found.path == f"{PURELIB}/a-1.0.dist-info/RECORD"


def test_other_algorithms_than_sha256_are_checked(world: World) -> None:
    import base64
    import hashlib

    digest = base64.urlsafe_b64encode(hashlib.sha384(b"right").digest()).decode().rstrip("=")
    world.site.dist_info("a", files={"a.py": "right"}, record=f"a.py,sha384={digest},5\n")
    assert world.findings(entry("a"), verify_files=True) == ()
    (world.site.folder / "a.py").write_text("wrong")
    assert codes_of(world.findings(entry("a"), verify_files=True)) == ["VM502"]


def elf(needed: Sequence[str], *, runpath: str = "", order: str = "<") -> bytes:
    """A shared object of one segment, which holds nothing but what it needs."""
    names = [*needed, *([runpath] if runpath else [])]
    text, offsets = b"\0", []
    for name in names:
        offsets.append(len(text))
        text += name.encode() + b"\0"
    tags = [(1, offset) for offset in offsets[: len(needed)]]
    tags += [(29, offset) for offset in offsets[len(needed) :]]
    at = 64 + 2 * 56
    tags += [(5, at + 16 * (len(tags) + 3)), (10, len(text)), (0, 0)]
    dynamic = b"".join(struct.pack(f"{order}qQ", *tag) for tag in tags)
    size = at + len(dynamic) + len(text)
    ident = b"\x7fELF\x02" + (b"\x01" if order == "<" else b"\x02") + b"\x01" + bytes(9)
    rest = struct.pack(f"{order}HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack(f"{order}IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 4096)
    dyn = struct.pack(f"{order}IIQQQQQQ", 2, 6, at, at, at, len(dynamic), len(dynamic), 8)
    return ident + rest + load + dyn + dynamic + text


def mach(needed: Sequence[str], rpaths: Sequence[str] = (), *, order: str = "<") -> bytes:
    """A library of macOS: a header and the commands that say what it needs."""
    commands = b""
    said = [(0xC, name) for name in needed] + [(0x8000001C, path) for path in rpaths]
    for kind, text in [(0x80000018, "weak.dylib"), *said]:
        start = 24 if kind != 0x8000001C else 12
        body = text.encode() + b"\0" * (8 - (start + len(text)) % 8)
        fixed = struct.pack(f"{order}III", kind, start + len(body), start)
        commands += fixed + bytes(start - len(fixed)) + body
    head = struct.pack(
        f"{order}IiiIIIII", 0xFEEDFACF, 0x1000007, 3, 8, len(said) + 1, len(commands), 0, 0
    )
    return head + commands


NEEDED = (
    "@rpath/libone.dylib",
    "@loader_path/../.dylibs/libtwo.dylib",
    "/usr/lib/libSystem.B.dylib",
)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("fat", [False, True])
def test_what_a_mach_o_file_needs_is_read(order: str, fat: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.so"
    thin = mach(NEEDED, ["@loader_path/lib", "/opt/lib"], order=order)
    several = struct.pack(">IIiiIII", 0xCAFEBABE, 1, 0x1000007, 3, 4096, len(thin), 12)
    path.write_bytes(several.ljust(4096, b"\0") + thin if fat else thin)
    names = ("libone.dylib", "$ORIGIN/../.dylibs/libtwo.dylib")
    assert needed_by(path) == (names, ("$ORIGIN/lib", "/opt/lib"))


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_an_elf_file_needs_is_read(order: str, tmp_path: Path) -> None:
    path = tmp_path / "a.so"
    path.write_bytes(elf(["libone.so.1", "libtwo.so"], runpath="$ORIGIN/../x:/opt", order=order))
    assert needed_by(path) == (("libone.so.1", "libtwo.so"), ("$ORIGIN/../x", "/opt"))


def test_what_is_no_elf_file_or_cut_off_needs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.so"
    for whole in (elf(["libone.so.1"]), mach(NEEDED)):
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            assert needed_by(path) == ((), ())
    path.write_bytes(bytes(range(256)) * 8)
    assert needed_by(path) == ((), ())


def test_every_extension_module_of_this_python_finds_what_it_needs(tmp_path: Path) -> None:
    folder = Path(sysconfig.get_path("platstdlib")) / "lib-dynload"
    found = [needed_by(path)[0] for path in folder.glob("*.so")]
    assert not found or any("libc.so.6" in names for names in found)


def install(world: World, content: bytes, more: str = "a.py") -> None:
    world.site.dist_info("a", files={"a/x.so": "", more: ""})
    (world.site.folder / "a/x.so").write_bytes(content)


def test_a_library_that_is_nowhere_is_a_finding_where_contents_are_asked_for(world: World) -> None:
    install(world, elf(["libnowhere.so.9", "libc.so.6"]))
    assert world.findings(entry("a"), select="VM513") == ()
    (found,) = world.findings(entry("a"), select="VM513", verify_files=True)
    assert "needs libnowhere.so.9," in found.message
    assert found.package == "a"


def test_a_library_of_macos_that_is_nowhere_is_a_finding(world: World) -> None:
    install(world, mach(NEEDED))
    (found,) = world.findings(entry("a"), select="VM513", verify_files=True)
    assert "needs libone.dylib, $ORIGIN/../.dylibs/libtwo.dylib," in found.message
    install(world, mach(NEEDED[1:]), more=".dylibs/libtwo.dylib")
    assert world.findings(entry("a"), select="VM513", verify_files=True) == ()


def test_libraries_beside_in_runpath_or_named_by_the_shell_are_found(
    world: World, tmp_path: Path
) -> None:
    install(world, elf(["libnowhere.so.9"]), more="a.libs/libnowhere.so.9")
    assert world.findings(entry("a"), select="VM513", verify_files=True) == ()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/libother.so").write_bytes(b"")
    install(world, elf(["libother.so"], runpath=str(tmp_path / "lib")))
    assert world.findings(entry("a"), select="VM513", verify_files=True) == ()
    install(world, elf(["libother.so"]))
    folders = (str(tmp_path / "lib"),)
    found = world.findings(entry("a"), select="VM513", verify_files=True, library_folders=folders)
    assert codes_of(found) == []
