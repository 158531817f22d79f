"""What extension modules need, read from ELF files that are made here by hand."""

from __future__ import annotations

import struct
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.examined import World, codes_of
from tests.support.locked import entry
from venvman.doctor.built import needed_by

if TYPE_CHECKING:
    from collections.abc import Sequence


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


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_an_elf_file_needs_is_read(order: str, tmp_path: Path) -> None:
    path = tmp_path / "a.so"
    path.write_bytes(elf(["libone.so.1", "libtwo.so"], runpath="$ORIGIN/../x:/opt", order=order))
    assert needed_by(path) == (("libone.so.1", "libtwo.so"), ("$ORIGIN/../x", "/opt"))


def test_what_is_no_elf_file_or_cut_off_needs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.so"
    whole = elf(["libone.so.1"])
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert needed_by(path) == ((), ())
    path.write_bytes(bytes(range(256)) * 8)
    assert needed_by(path) == ((), ())


def test_every_extension_module_of_this_python_finds_what_it_needs(tmp_path: Path) -> None:
    folder = Path(sysconfig.get_path("platstdlib")) / "lib-dynload"
    found = [needed_by(path)[0] for path in folder.glob("*.so")]
    assert not found or any("libc.so.6" in names for names in found)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def install(world: World, content: bytes, more: str = "a.py") -> None:
    world.site.dist_info("a", files={"a/x.so": "", more: ""})
    (world.site.folder / "a/x.so").write_bytes(content)


def test_a_library_that_is_nowhere_is_a_finding_where_contents_are_asked_for(world: World) -> None:
    install(world, elf(["libnowhere.so.9", "libc.so.6"]))
    assert world.findings(entry("a"), select="VM513") == ()
    (found,) = world.findings(entry("a"), select="VM513", verify_files=True)
    assert "needs libnowhere.so.9," in found.message
    assert found.package == "a"


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
