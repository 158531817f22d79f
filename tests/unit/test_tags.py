"""Tags worked out from facts: systems that this machine is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from venvman.python.tags import platforms_of, tags_of

ELF_64 = b"\x7fELF\x02\x01" + bytes(58)


def elf_32(*, machine: int, flags: int = 0) -> str:
    header = bytearray(b"\x7fELF\x01\x01" + bytes(58))
    header[18:20] = machine.to_bytes(2, "little")
    header[36:40] = flags.to_bytes(4, "little")
    return header.hex()


def facts(**changes: object) -> Mapping[str, Any]:
    """A CPython 3.12 on x86-64 Linux with glibc 2.17, but for ``changes``."""
    return {
        "version": "3.12.1",
        "markers": {"platform_system": "Linux"},
        "platform": "linux-x86_64",
        "bits": 64,
        "debug": False,
        "free_threaded": False,
        "macos": None,
        "glibc": [2, 17],
        "musl": None,
        "elf": ELF_64.hex(),
        "manylinux_refused": [],
        **changes,
    }


def macos(version: list[int], machine: str) -> Mapping[str, Any]:
    return facts(
        markers={"platform_system": "Darwin"},
        platform="macosx-10.9-universal2",
        macos=[version, machine],
    )


def test_the_interpreters_own_tags_come_first_and_pure_python_last() -> None:
    tags = tags_of(facts())
    assert tags[0] == "cp312-cp312-linux_x86_64"
    assert tags[1] == "cp312-cp312-manylinux_2_17_x86_64"
    assert tags[-1] == "py30-none-any"
    assert len(set(tags)) == len(tags)


def test_the_stable_abi_of_older_versions_is_supported_after_ones_own() -> None:
    tags = tags_of(facts())
    own, older = "cp312-abi3-manylinux_2_17_x86_64", "cp38-abi3-manylinux_2_17_x86_64"
    assert tags.index(own) < tags.index("cp312-none-linux_x86_64") < tags.index(older)
    assert "cp313-abi3-manylinux_2_17_x86_64" not in tags


def test_a_free_threaded_build_has_an_abi_of_its_own_and_no_stable_one() -> None:
    tags = tags_of(facts(version="3.13.0", free_threaded=True))
    assert tags[0] == "cp313-cp313t-linux_x86_64"
    assert not any("-abi3-" in tag or "-cp313-" in tag for tag in tags)


def test_a_debug_build_loads_ordinary_extension_modules_too() -> None:
    tags = tags_of(facts(debug=True))
    assert tags.index("cp312-cp312d-linux_x86_64") < tags.index("cp312-cp312-linux_x86_64")


def test_a_pre_releases_tags_are_those_of_its_minor_version() -> None:
    assert tags_of(facts(version="3.15.0a2"))[0] == "cp315-cp315-linux_x86_64"


def test_glibc_2_17_has_its_old_names_on_x86() -> None:
    platforms = platforms_of(facts())
    assert platforms[:3] == ["linux_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"]
    assert platforms[-2:] == ["manylinux_2_5_x86_64", "manylinux1_x86_64"]
    assert "manylinux2010_x86_64" in platforms


def test_elsewhere_manylinux_begins_with_glibc_2_17() -> None:
    platforms = platforms_of(facts(platform="linux-aarch64", glibc=[2, 18]))
    assert platforms == [
        "linux_aarch64",
        "manylinux_2_18_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux2014_aarch64",
    ]


def test_an_architecture_without_manylinux_has_plain_tags_only() -> None:
    assert platforms_of(facts(platform="linux-mips64")) == ["linux_mips64"]


def test_musl_has_every_older_minor_version() -> None:
    platforms = platforms_of(facts(glibc=None, musl=[1, 2]))
    assert platforms == [
        "linux_x86_64",
        "musllinux_1_2_x86_64",
        "musllinux_1_1_x86_64",
        "musllinux_1_0_x86_64",
    ]


def test_a_32_bit_python_on_a_64_bit_kernel_is_i686() -> None:
    platforms = platforms_of(facts(bits=32, elf=elf_32(machine=3)))
    assert platforms[:2] == ["linux_i686", "manylinux_2_17_i686"]


def test_a_32_bit_python_whose_executable_is_unknown_gets_no_manylinux() -> None:
    assert platforms_of(facts(bits=32, elf="")) == ["linux_i686"]


def test_arm_needs_the_hard_float_convention_for_manylinux() -> None:
    hard, soft = 0x05000400, 0x05000200
    for flags, has_manylinux in ((hard, True), (soft, False)):
        told = facts(platform="linux-armv7l", bits=32, elf=elf_32(machine=40, flags=flags))
        assert ("manylinux_2_17_armv7l" in platforms_of(told)) is has_manylinux


def test_a_32_bit_python_on_64_bit_arm_runs_both_names() -> None:
    told = facts(platform="linux-aarch64", bits=32, elf=elf_32(machine=40, flags=0x05000400))
    assert platforms_of(told)[:3] == ["linux_armv8l", "linux_armv7l", "manylinux_2_17_armv8l"]


def test_what_a_manylinux_module_refuses_is_not_supported() -> None:
    platforms = platforms_of(facts(manylinux_refused=[[2, 17], [2, 5]]))
    assert not {"manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64"} & {*platforms}
    assert "manylinux_2_16_x86_64" in platforms


def test_apple_silicon_runs_universal_wheels_of_older_systems() -> None:
    platforms = platforms_of(macos([13, 4], "arm64"))
    assert platforms[0] == "macosx_13_0_arm64"
    assert "macosx_10_9_universal2" in platforms
    assert "macosx_10_9_x86_64" not in platforms


def test_windows_has_one_platform() -> None:
    told = facts(markers={"platform_system": "Windows"}, platform="win-amd64", glibc=None)
    assert platforms_of(told) == ["win_amd64"]
    assert tags_of(told)[0] == "cp312-cp312-win_amd64"
