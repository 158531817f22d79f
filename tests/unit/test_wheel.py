"""What one wheel becomes in an environment, compared with what pip makes of it."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.cli import ended
from tests.support.wheels import make_wheel
from venvman.environment.record import encode_digest, parse_record
from venvman.install.layout import (
    Site,
    relative_to,
    rewritten,
    script_file,
    shebang,
    with_versioned_names,
)
from venvman.install.link import Linker
from venvman.install.wheel import Staged, stage_wheel, write_record
from venvman.model.errors import InstallError
from venvman.model.metadata import EntryPoint
from venvman.project.settings import Link
from venvman.store.store import Store, StoredWheel

SITE = "lib/python3.11/site-packages"


def site_for(root: Path, *, python: str | None = None, platlib: str = SITE) -> Site:
    return Site(
        root=str(root),
        named=str(root),
        python=python or f"{root}/bin/python",
        purelib=SITE,
        platlib=platlib,
        scripts="bin",
        data="",
        headers="include/site/python3.11",
        minor=(3, 11),
    )


def stored(tmp_path: Path, wheel: Path) -> StoredWheel:
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return Store(tmp_path / "cache").add(wheel, sha256=sha256)


def staged(
    tmp_path: Path,
    wheel: Path,
    *,
    site: Site | None = None,
    requested: bool = False,
    direct_url: bytes | None = None,
) -> Staged:
    result = stage_wheel(
        stored(tmp_path, wheel),
        site or site_for(tmp_path / "venv"),
        stage=str(tmp_path),
        number=0,
        linker=Linker(Link.AUTO),
        requested=requested,
        direct_url=direct_url,
    )
    assert isinstance(result, Staged)
    write_record(result)
    return result


def listed(tmp_path: Path) -> dict[str, tuple[str | None, int | None]]:
    (record,) = (tmp_path / "new-0").glob("*.dist-info/RECORD")
    return {row.path: (row.hash, row.size) for row in parse_record(record.read_text()).rows}


def test_every_scheme_of_data_goes_where_it_belongs(tmp_path: Path) -> None:
    files = {
        "demo/__init__.py": "",
        "demo-1.0.data/purelib/pure.py": "pure",
        "demo-1.0.data/platlib/plat.py": "plat",
        "demo-1.0.data/headers/demo.h": "header",
        "demo-1.0.data/data/share/demo/readme": "data",
        "demo-1.0.data/scripts/tool": "#!python\nprint('tool')\n",
    }
    staged(tmp_path, make_wheel(tmp_path, "demo", files=files))
    assert (tmp_path / "new-0/pure.py").read_text() == "pure"
    assert (tmp_path / "new-0/plat.py").read_text() == "plat"
    prefix_folder = tmp_path / "prefix-0"
    assert (prefix_folder / "include/site/python3.11/demo/demo.h").read_text() == "header"
    assert (prefix_folder / "share/demo/readme").read_text() == "data"
    expected = f"#!{tmp_path}/venv/bin/python\nprint('tool')\n"
    assert (prefix_folder / "bin/tool").read_text() == expected
    rows = listed(tmp_path)
    assert rows["../../../bin/tool"] == (
        encode_digest(hashlib.sha256(expected.encode()).digest()),
        len(expected),
    )
    assert "../../../share/demo/readme" in rows
    assert "../../../include/site/python3.11/demo/demo.h" in rows


def test_a_wheel_that_is_not_pure_goes_to_platlib(tmp_path: Path) -> None:
    site = site_for(tmp_path / "venv", platlib="lib64/python3.11/site-packages")
    files = {"demo.py": "", "demo-1.0.data/purelib/pure.py": ""}
    result = staged(tmp_path, make_wheel(tmp_path, "demo", files=files, purelib=False), site=site)
    assert result.base == "lib64/python3.11/site-packages"
    assert (tmp_path / "prefix-0" / SITE / "pure.py").exists()
    assert "../../../lib/python3.11/site-packages/pure.py" in listed(tmp_path)


def test_an_unknown_scheme_is_refused_by_name(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo", files={"demo-1.0.data/secret/x": ""})
    with pytest.raises(InstallError, match=r"demo-1\.0\.data/secret/x") as caught:
        staged(tmp_path, wheel)
    assert caught.value.code == "wheel-data-scheme"


def test_metadata_says_who_installed_it_and_why(tmp_path: Path) -> None:
    staged(tmp_path, make_wheel(tmp_path, "demo"), requested=True, direct_url=b'{"url": "x"}')
    info = tmp_path / "new-0/demo-1.0.dist-info"
    assert (info / "INSTALLER").read_text() == "venvman\n"
    assert (info / "REQUESTED").read_bytes() == b""
    assert (info / "direct_url.json").read_bytes() == b'{"url": "x"}'
    rows = listed(tmp_path)
    assert {"INSTALLER", "REQUESTED", "direct_url.json", "RECORD"} <= {
        Path(path).name for path in rows
    }
    assert rows["demo-1.0.dist-info/RECORD"] == (None, None)


def test_what_a_wheel_says_of_its_installation_is_not_believed(tmp_path: Path) -> None:
    info = "demo-1.0.dist-info"
    raw = {f"{info}/{leaf}": b"lie" for leaf in ("INSTALLER", "REQUESTED", "direct_url.json")}
    staged(tmp_path, make_wheel(tmp_path, "demo", raw=raw))
    assert (tmp_path / "new-0" / info / "INSTALLER").read_text() == "venvman\n"
    assert not (tmp_path / "new-0" / info / "REQUESTED").exists()
    assert not (tmp_path / "new-0" / info / "direct_url.json").exists()


def test_all_files_of_a_distribution_bear_one_time(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo", scripts={"demo": "demo:main"})
    staged(tmp_path, wheel, requested=True)
    times = {
        path.stat().st_mtime_ns
        for part in ("new-0", "prefix-0")
        for path in (tmp_path / part).rglob("*")
        if path.is_file()
    }
    assert len(times) == 1


def test_executable_files_of_scripts_are_linked_as_they_are(tmp_path: Path) -> None:
    import zipfile

    wheel = make_wheel(tmp_path, "demo")
    with zipfile.ZipFile(wheel, "a") as archive:
        for name, mode, body in (
            ("binary", 0o100755, b"\x7fELF"),
            ("plain", 0o100644, b"#!/bin/sh\n"),
        ):
            info = zipfile.ZipInfo(f"demo-1.0.data/scripts/{name}")
            info.external_attr = mode << 16
            archive.writestr(info, body)
    result = staged(tmp_path, wheel)
    source = result.wheel.folder / "demo-1.0.data/scripts"
    assert (tmp_path / "prefix-0/bin/binary").samefile(source / "binary")
    assert not (tmp_path / "prefix-0/bin/plain").samefile(source / "plain")
    assert os.access(tmp_path / "prefix-0/bin/plain", os.X_OK)


def test_a_wrapper_in_the_wheel_gives_way_to_the_generated_one(tmp_path: Path) -> None:
    files = {"demo.py": "", "demo-1.0.data/scripts/demo": "#!python\nold\n"}
    staged(tmp_path, make_wheel(tmp_path, "demo", files=files, scripts={"demo": "demo:main"}))
    assert "from demo import main" in (tmp_path / "prefix-0/bin/demo").read_text()


def test_a_damaged_script_in_the_store_is_not_spread(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo", files={"demo-1.0.data/scripts/tool": "#!python\ngood\n"})
    unpacked = stored(tmp_path, wheel)
    (unpacked.folder / "demo-1.0.data/scripts/tool").write_text("#!python\nevil\n")
    result = stage_wheel(
        unpacked,
        site_for(tmp_path / "venv"),
        stage=str(tmp_path),
        number=0,
        linker=Linker(Link.COPY),
        requested=False,
        direct_url=None,
    )
    assert result == "demo-1.0.data/scripts/tool"


@pytest.mark.parametrize("folder", ["short", "with space", "long" * 50, "quo'te and space"])
def test_scripts_run_from_any_folder(tmp_path: Path, folder: str) -> None:
    python = tmp_path / folder / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    for attribute in ("main", "Tool.run"):
        name, content = script_file(
            EntryPoint("demo", "demo", attribute, "console"), python=str(python)
        )
        script = tmp_path / folder / name
        script.write_bytes(content)
        script.chmod(0o755)
        (tmp_path / folder / "demo.py").write_text(
            "import sys\ndef main():\n    print(sys.argv[1:])\n    return 7\n"
            "class Tool:\n    run = staticmethod(main)\n"
        )
        done = ended([script, "a b"])
        assert (done.returncode, done.stdout) == (7, "['a b']\n"), done.stderr


def test_the_line_of_a_script_is_rewritten_only_where_it_asks_for_it() -> None:
    assert rewritten(b"#!python -u\r\nx", python="/v/python") == b"#!/v/python\nx"
    assert rewritten(b"#!pythonw", python="/v/python") == b"#!/v/python\n"
    assert rewritten(b"#!/bin/sh\n", python="/v/python") == b"#!/bin/sh\n"


def test_long_lines_are_handed_to_the_shell() -> None:
    assert shebang("/v/" + "x" * 120).startswith(b"#!/v/")
    assert shebang("/v/" + "x" * 122).startswith(b"#!/bin/sh\n")


def test_windows_gets_launchers() -> None:
    point = EntryPoint("demo", "demo", "main", "gui")
    name, content = script_file(point, python=r"C:\v\python.exe", windows=True)
    assert name == "demo.exe"
    assert content.startswith(b"MZ")
    assert b"pythonw" in content


def test_pip_gets_the_names_of_the_environments_python() -> None:
    points = [
        EntryPoint(name, "pip", "main", "console") for name in ("pip", "pip3", "pip3.7", "pipx")
    ]
    names = [point.name for point in with_versioned_names(points, minor=(3, 11))]
    assert names == ["pip", "pip3", "pip3.11", "pipx"]


def test_a_folder_that_leads_out_of_the_environment_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "venv"
    root.mkdir()
    (root / "lib").symlink_to(tmp_path)
    with pytest.raises(InstallError, match="outside") as caught:
        relative_to(str(root), root / "lib" / "site-packages")
    assert caught.value.code == "environment-outside"


def test_the_same_files_as_pip_installs(tmp_path: Path) -> None:
    """All but script templates, INSTALLER and the order of RECORD."""
    files = {
        "demo/__init__.py": "x = 1\n",
        "demo/odd name.txt": "odd",
        "demo-1.0.data/scripts/tool": "#!python\nprint('tool')\n",
        "demo-1.0.data/data/share/demo.txt": "shared",
        "demo-1.0.data/headers/demo.h": "header",
    }
    wheel = make_wheel(tmp_path, "demo", files=files, scripts={"demo": "demo:main"})
    root = tmp_path / "venv"
    venv.create(root, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(root), "install", "--no-deps", "-q"]
    subprocess.run([*pip, "--no-index", "--no-compile", str(wheel)], check=True)
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    base = f"lib/python{minor}/site-packages"
    site = Site(
        root=str(root),
        named=str(root),
        python=f"{root}/bin/python",
        purelib=base,
        platlib=base,
        scripts="bin",
        data="",
        headers=f"include/site/python{minor}",
        minor=(sys.version_info[0], sys.version_info[1]),
    )
    direct_url = (root / base / "demo-1.0.dist-info/direct_url.json").read_bytes()
    result = staged(tmp_path, wheel, site=site, requested=True, direct_url=direct_url)
    theirs = _rows(root / base / "demo-1.0.dist-info/RECORD")
    ours = _rows(Path(result.site_folder) / "demo-1.0.dist-info/RECORD")
    assert ours.keys() == theirs.keys()
    differing = {path for path, row in ours.items() if row != theirs[path]}
    assert differing == {"../../../bin/demo", "demo-1.0.dist-info/INSTALLER"}
    for path in ours.keys() - differing - {"demo-1.0.dist-info/RECORD"}:
        target = os.path.normpath(f"{base}/{path}")
        assert Path(result.path_of(target)).read_bytes() == (root / target).read_bytes(), path
        # The specification lets installers make scripts executable that came from Windows.
        executable = target == "bin/tool" or os.access(root / target, os.X_OK)
        assert os.access(result.path_of(target), os.X_OK) == executable, path


def _rows(record: Path) -> dict[str, list[str]]:
    with record.open(newline="") as stream:
        return {row[0]: row[1:] for row in csv.reader(stream)}
