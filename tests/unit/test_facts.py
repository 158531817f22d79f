"""What an interpreter says of itself, asked in this process."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from packaging.markers import default_environment

from venvman.python import facts


def test_everything_said_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(facts.gather())) == facts.gather()


def test_the_markers_are_those_of_pep_508() -> None:
    assert facts.gather()["markers"] == default_environment()


def test_a_pre_release_is_written_as_pep_440_has_it() -> None:
    assert facts._version((3, 15, 0, "alpha", 2)) == "3.15.0a2"
    assert facts._version((3, 15, 0, "candidate", 1)) == "3.15.0c1"
    assert facts._version((3, 15, 1, "final", 0)) == "3.15.1"


def test_a_build_that_declares_nothing_is_judged_by_what_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: None)
    assert facts.gather()["debug"] is hasattr(sys, "gettotalrefcount")


def test_macos_tells_its_version_and_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "mac_ver", lambda: ("13.4.1", ("", "", ""), "arm64"))
    assert facts.gather()["macos"] == [[13, 4], "arm64"]


def test_macos_that_pretends_to_be_old_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "mac_ver", lambda: ("10.16", ("", "", ""), "x86_64"))
    monkeypatch.setattr(subprocess, "check_output", lambda *_, **__: "12.6\n")
    assert facts.gather()["macos"] == [[12, 6], "x86_64"]


def test_a_system_without_confstr_has_no_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "confstr")
    assert facts.gather()["glibc"] is None


def test_musl_is_recognised_by_its_loader_and_asked_for_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = tmp_path / "ld-musl-x86_64.so.1"
    loader.write_text(
        "#!/bin/sh\necho 'musl libc (x86_64)' >&2\necho 'Version 1.2.4' >&2\nexit 1\n"
    )
    loader.chmod(0o755)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "python").write_bytes(b"\x7fELF\0" + os.fsencode(loader) + b"\0more")
    assert facts._musl() == [1, 2]
    loader.unlink()
    assert facts._musl() is None


def test_an_executable_that_cannot_be_read_has_no_elf_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    assert facts.gather()["elf"] == ""


def test_elsewhere_than_on_linux_executables_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert facts._executable_begins_with(64) == b""


def manylinux(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> object:
    (folder / "_manylinux.py").write_text(code)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(facts, "_glibc", lambda: [2, 18])
    return facts.gather()["manylinux_refused"]


def test_a_manylinux_module_may_refuse_versions_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "def manylinux_compatible(major, minor, arch):\n"
        "    return {17: False, 18: None}.get(minor, True)\n"
    )
    assert manylinux(tmp_path, monkeypatch, code) == [[2, 17]]


def test_a_manylinux_module_may_use_the_old_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "manylinux1_compatible = False\nmanylinux2014_compatible = True\n"
    assert manylinux(tmp_path, monkeypatch, code) == [[2, 5]]


def test_an_interpreter_without_ensurepip_has_no_version_of_pip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    pip = facts.gather()["pip"]
    assert isinstance(pip, dict)
    assert pip["version"] is None
    assert "/usr/share/python-wheels" in pip["folders"]
