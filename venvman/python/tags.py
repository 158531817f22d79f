"""The wheel tags of an interpreter, worked out from its facts instead of inside it.

The order is that of :func:`packaging.tags.sys_tags` run by that interpreter: what the standard
library cannot tell about *another* interpreter comes from :mod:`venvman.python.facts`. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

# PEP 600: the names that glibc versions had before they were written out.
_LEGACY_MANYLINUX = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
_MANYLINUX_ARCHITECTURES = frozenset(
    {"x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64"}
)
_ELF_ARM, _ELF_I386 = 40, 3
_ARM_ABI_5, _ARM_HARD_FLOAT = 0x05000000, 0x00000400


def tags_of(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The wheel tags that the CPython with these facts supports, best first (PEP 425)."""
    from packaging.tags import compatible_tags, cpython_tags

    major, minor = map(int, facts["version"].split(".")[:2])
    version = (major, minor)
    interpreter = f"cp{major}{minor}"
    platforms = platforms_of(facts)
    threads = "t" if facts["free_threaded"] and version >= (3, 13) else ""
    plain = f"{interpreter}{threads}"
    # Debug builds load the extension modules of ordinary ones too.
    abis = [f"{plain}d", plain] if facts["debug"] else [plain]
    own = cpython_tags(version, abis=abis, platforms=platforms)
    pure = compatible_tags(version, interpreter=interpreter, platforms=platforms)
    return tuple(dict.fromkeys(str(tag) for tags in (own, pure) for tag in tags))


def platforms_of(facts: Mapping[str, Any]) -> list[str]:
    """The platform part of its tags, best first."""
    system = facts["markers"]["platform_system"]
    own = facts["platform"].replace(".", "_").replace("-", "_").replace(" ", "_")
    if system == "Darwin":
        from packaging.tags import mac_platforms

        (major, minor), machine = facts["macos"]
        return list(mac_platforms((major, minor), machine))
    if system == "Linux" and own.startswith("linux_"):
        return list(_linux_platforms(own.removeprefix("linux_"), facts))
    return [own]


def _linux_platforms(machine: str, facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["bits"] == 32:
        # A 32-bit Python on a 64-bit kernel is told the kernel's architecture.
        machine = {"x86_64": "i686", "aarch64": "armv8l"}.get(machine, machine)
    machines = ["armv8l", "armv7l"] if machine == "armv8l" else [machine]
    for each in machines:
        yield f"linux_{each}"
    if facts["glibc"] and _has_manylinux_abi(machines, bytes.fromhex(facts["elf"])):
        refused = {(major, minor) for major, minor in facts["manylinux_refused"]}
        for each in machines:
            yield from _manylinux(each, facts["glibc"], refused)
    if facts["musl"]:
        major, newest = facts["musl"]
        for each in machines:
            yield from (f"musllinux_{major}_{minor}_{each}" for minor in range(newest, -1, -1))


def _manylinux(machine: str, glibc: Sequence[int], refused: set[tuple[int, int]]) -> Iterator[str]:
    # PEP 600: everything since glibc 2.17; on the two that had manylinux1, since 2.5.
    oldest = 5 if machine in {"x86_64", "i686"} else 17
    for minor in range(glibc[1], oldest - 1, -1):
        version = (glibc[0], minor)
        if version in refused:
            continue
        yield "manylinux_{}_{}_{}".format(*version, machine)
        if version in _LEGACY_MANYLINUX:
            yield f"{_LEGACY_MANYLINUX[version]}_{machine}"


def _has_manylinux_abi(machines: Sequence[str], elf: bytes) -> bool:
    """PEP 600 says "x86_64" or "armv7l" and means one calling convention of it."""
    if "armv7l" in machines:
        hard_float = _ARM_ABI_5 | _ARM_HARD_FLOAT
        return (
            _elf_machine(elf) == _ELF_ARM
            and int.from_bytes(elf[36:40], "little") & 0xFF000400 == hard_float
        )
    if "i686" in machines:
        return _elf_machine(elf) == _ELF_I386
    return any(machine in _MANYLINUX_ARCHITECTURES for machine in machines)


def _elf_machine(elf: bytes) -> int | None:
    """``e_machine`` of a 32-bit little-endian ELF header, None for any other."""
    if elf[:6] != b"\x7fELF\x01\x01" or len(elf) < 40:
        return None
    return int.from_bytes(elf[18:20], "little")
