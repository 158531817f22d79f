"""Several syncs at once, of one environment and of many; and a store that cannot be poisoned."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.cli import Ran, ended, run, run_process
from tests.support.index import Index
from tests.support.projects import lock_of, python_in, site_of, versions_in, write_project
from tests.support.wheels import make_wheel
from venvman.system.directories import Directories
from venvman.system.locks import held


@pytest.fixture
def wheels(index: Index) -> dict[str, Path]:
    """Six packages in two versions, on an index."""
    return {
        f"{name}-{version}": make_wheel(
            index.folder, name, version, files={f"{name}/__init__.py": f"V = {version!r}\n"}
        )
        for name in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
        for version in ("1.0", "2.0")
    }


def project(root: Path, wheels: dict[str, Path], *names: str) -> Path:
    chosen = [wheels[name] for name in names]
    return write_project(
        root, {"requirements.txt": "alpha\n", "requirements.lock": lock_of(*chosen)}
    )


ONE = ("alpha-1.0", "beta-1.0", "gamma-1.0")
TWO = ("alpha-2.0", "beta-1.0", "delta-1.0")


def test_eight_syncs_of_one_environment_to_two_locks_in_turn(
    tmp_path: Path, wheels: dict[str, Path]
) -> None:
    """Two projects share the environment; whoever comes last decides."""
    projects = [project(tmp_path / "one", wheels, *ONE), project(tmp_path / "two", wheels, *TWO)]
    for root in projects:
        (root / "pyproject.toml").write_text('[tool.venvman]\nvenv = "../venv"\n')

    def sync(number: int) -> Ran:
        return run_process("sync", "--frozen", "--yes", cwd=projects[number % 2])

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(sync, range(8)))

    assert [each.code for each in done] == [0] * 8, [each.stderr for each in done]
    found = python_in(tmp_path, "import alpha, beta; print(alpha.V, beta.V)")
    assert found in ("1.0 1.0", "2.0 1.0")
    names = sorted(versions_in(tmp_path))
    assert names == ["alpha", "beta", "gamma" if found.startswith("1") else "delta"]
    for root in projects:
        assert run("sync", "--frozen", "--yes", cwd=root).code == 0
        assert run("sync", "--frozen", "--check", cwd=root).code == 0


def test_eight_projects_at_once_download_every_wheel_once(
    tmp_path: Path, wheels: dict[str, Path], index: Index
) -> None:
    def slowly(_request: object) -> None:
        time.sleep(0.02)

    index.intercept = slowly
    names = [name for name in wheels if name.endswith("1.0")]
    projects = [project(tmp_path / str(number), wheels, *names) for number in range(8)]

    def sync(root: Path) -> Ran:
        return run_process("sync", "--frozen", cwd=root)

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(sync, projects))

    assert [each.code for each in done] == [0] * 8, [each.stderr for each in done]
    asked = sorted(request.path.rpartition("/")[2] for request in index.asked_for(".whl"))
    assert asked == sorted(wheels[name].name for name in names)
    for root in projects:
        assert len(list(site_of(root).glob("*-1.0.dist-info"))) == 6


def test_who_will_not_wait_is_told_who_is_at_work(
    tmp_path: Path, wheels: dict[str, Path], index: Index
) -> None:
    root = project(tmp_path / "one", wheels, *ONE)
    lock = Directories.of(os.environ).environment_lock(root / "venv")
    with held(lock):
        lock.with_suffix(".owner").write_text("process 4711 (venvman sync)")
        ran = run("sync", "--frozen", "--no-wait", cwd=root)
    assert ran.code == 2
    assert "process 4711" in " ".join(ran.stderr.split())
    assert index.requests == []
    assert run("sync", "--frozen", "--no-wait", cwd=root).code == 0


class TestTheStore:
    def test_a_file_edited_through_one_environment_never_reaches_another(
        self, tmp_path: Path, wheels: dict[str, Path], index: Index
    ) -> None:
        first, second = (project(tmp_path / name, wheels, *ONE) for name in ("first", "second"))
        assert run("sync", "--frozen", cwd=first).code == 0
        edited = site_of(first) / "alpha/__init__.py"
        with edited.open("a") as stream:
            stream.write("V = 'edited'\n")
        ran = run("sync", "--frozen", cwd=second)
        assert ran.code == 0, ran.stderr
        assert python_in(second, "import alpha; print(alpha.V)") == "1.0"
        # The damaged entry was fetched again, just that one.
        asked = [request.path.rpartition("/")[2] for request in index.asked_for(".whl")]
        assert sorted(asked).count(wheels["alpha-1.0"].name) == 2
        assert len(asked) == 4

    @pytest.mark.parametrize("damage", ["truncated", "missing", "no manifest", "half a manifest"])
    def test_what_a_power_cut_left_of_an_entry_is_fetched_again(
        self, tmp_path: Path, wheels: dict[str, Path], damage: str
    ) -> None:
        first, second = (project(tmp_path / name, wheels, *ONE) for name in ("first", "second"))
        assert run("sync", "--frozen", "--link", "copy", cwd=first).code == 0
        cache = Path(os.environ["VENVMAN_CACHE_DIR"])
        (file,) = cache.glob("wheels-v1/*/*/files/alpha/__init__.py")
        manifest = file.parents[2] / "manifest.json"
        if damage == "truncated":
            time_ns = file.stat().st_mtime_ns
            os.truncate(file, 0)
            os.utime(file, ns=(time_ns, time_ns))
        elif damage == "missing":
            file.unlink()
        elif damage == "no manifest":
            manifest.unlink()
        else:
            manifest.write_bytes(manifest.read_bytes()[:100])
        ran = run("sync", "--frozen", cwd=second)
        assert ran.code == 0, ran.stderr
        assert python_in(second, "import alpha; print(alpha.V)") == "1.0"

    @pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no second filesystem here")
    def test_on_another_filesystem_it_serves_copies(
        self, tmp_path: Path, wheels: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        elsewhere = Path("/dev/shm") / f"venvman-test-{os.getpid()}"
        monkeypatch.setenv("VENVMAN_CACHE_DIR", str(elsewhere))
        root = project(tmp_path / "one", wheels, *ONE)
        try:
            assert run("sync", "--frozen", cwd=root).code == 0
        finally:
            shutil.rmtree(elsewhere)
        file = site_of(root) / "alpha/__init__.py"
        assert file.stat().st_nlink == 1
        assert python_in(root, "import alpha; print(alpha.V)") == "1.0"


def test_every_tool_sees_the_same_after_a_sync_mends_what_was_done_by_hand(
    tmp_path: Path, wheels: dict[str, Path]
) -> None:
    root = project(tmp_path / "one", wheels, *ONE)
    assert run("sync", "--frozen", cwd=root).code == 0
    for words in (
        ["uninstall", "-y", "alpha"],
        ["install", "--no-index", "--no-deps", str(wheels["beta-2.0"]), str(wheels["zeta-1.0"])],
        ["install", "--no-index", "--no-deps", "--force-reinstall", str(wheels["gamma-1.0"])],
    ):
        pip = [str(root / "venv/bin/python"), "-m", "pip", "--quiet", *words]
        subprocess.run(pip, check=True, capture_output=True)
    _all_see(root, ("beta-2.0", "gamma-1.0", "zeta-1.0"))

    ran = run("sync", "--frozen", "--format", "json", cwd=root)

    assert {each["name"] for each in ran.json["data"]["installed"]} == {"alpha"}
    assert {each["name"] for each in ran.json["data"]["removed"]} == {"zeta"}
    assert "beta" in {each["name"] for each in ran.json["data"]["changed"]}
    _all_see(root, ONE)
    assert run("doctor", "--verify", "--select", "VM1,VM4,VM5", cwd=root).code == 0
    assert run("sync", "--frozen", "--check", cwd=root).code == 0


def _all_see(root: Path, names: Sequence[str]) -> None:
    """pip, uv where there is one, and the standard library see just ``names`` besides pip."""
    expected = {tuple(name.split("-")) for name in names}
    site = str(site_of(root))
    seen = {(each.name, each.version) for each in importlib.metadata.distributions(path=[site])}
    assert {each for each in seen if each[0] != "pip"} == expected
    for argv in _listers(root):
        done = ended(argv, check=True, cwd=root)
        listed = {(each["name"], each["version"]) for each in json.loads(done.stdout)}
        assert {each for each in listed if each[0] != "pip"} == expected


def _listers(root: Path) -> list[list[str]]:
    python = str(root / "venv" / "bin" / "python")
    listers = [[python, "-m", "pip", "list", "--format=json"]]
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv is not None:
        listers.append([uv, "pip", "list", "--python", python, "--format=json", "--offline"])
    return listers
