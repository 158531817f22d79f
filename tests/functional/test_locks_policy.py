"""When ``sync`` freezes, when it refuses, and when it does not even look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import HEADER, lock_of, snapshot, versions_in, write_project
from tests.support.wheels import make_wheel


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A project whose lock pins alpha 1.0; the index has 2.0 too."""
    first = make_wheel(index.folder, "alpha", "1.0")
    make_wheel(index.folder, "alpha", "2.0")
    return write_project(
        tmp_path / "shop",
        {"requirements.txt": "alpha\n", "requirements.lock": HEADER + lock_of(first)},
    )


@pytest.fixture
def stale(root: Path) -> Path:
    """The same with a requirement that the lock does not answer."""
    (root / "requirements.txt").write_text("alpha>=2\n")
    return root


def sync(root: Path, *flags: str, code: int) -> dict[str, Any]:
    ran = run("sync", *flags, "--format", "json", cwd=root)
    assert ran.code == code, ran.stdout
    envelope: dict[str, Any] = ran.json
    return envelope


class TestFreezing:
    def test_a_stale_lock_is_frozen_first_and_the_reason_told(self, stale: Path) -> None:
        ran = run("sync", cwd=stale)
        assert ran.code == 0, ran.stderr
        assert "requirements.lock" in ran.stdout
        assert "requirements.txt:1 asks for alpha>=2" in ran.stdout
        assert versions_in(stale) == {"alpha": "2.0"}

    def test_a_missing_lock_is_made(self, root: Path) -> None:
        (root / "requirements.lock").unlink()
        sync(root, code=0)
        assert (root / "requirements.lock").is_file()
        assert versions_in(root) == {"alpha": "2.0"}

    def test_a_fresh_lock_keeps_its_pins_and_its_bytes(self, root: Path) -> None:
        before = (root / "requirements.lock").read_bytes()
        sync(root, code=0)
        assert (root / "requirements.lock").read_bytes() == before
        assert versions_in(root) == {"alpha": "1.0"}

    @pytest.mark.parametrize(("flag", "code"), [("--dry-run", 0), ("--check", 1)])
    def test_looking_shows_what_freezing_would_give_and_writes_nothing(
        self, stale: Path, flag: str, code: int
    ) -> None:
        before = snapshot(stale)
        envelope = sync(stale, flag, code=code)
        assert (envelope["status"], envelope["exit_code"]) == ("drift", code)
        assert envelope["data"]["installed"] == [
            {"name": "alpha", "version": "2.0", "source": "index"}
        ]
        assert snapshot(stale) == before

    def test_a_lock_that_is_stale_is_something_to_do_even_if_the_environment_is_right(
        self, root: Path, index: Index
    ) -> None:
        second = index.folder / "alpha-2.0-py3-none-any.whl"
        (root / "requirements.lock").write_text(HEADER + lock_of(second))
        sync(root, code=0)
        (root / "requirements.lock").write_text(
            HEADER + lock_of(second) + lock_of(make_wheel(index.folder, "beta"), via="nobody")
        )
        assert sync(root, "--frozen", "--check", code=1)["data"]["installed"] != []
        assert sync(root, "--check", code=1)["data"]["installed"] == []

    def test_no_solution_names_the_line_and_changes_nothing(self, root: Path) -> None:
        sync(root, code=0)
        (root / "requirements.txt").write_text("alpha>=3\n")
        before = snapshot(root)
        envelope = sync(root, code=2)
        assert "alpha>=3" in str(envelope["problems"])
        assert "requirements.txt" in str(envelope["problems"])
        assert snapshot(root) == before


class TestLocked:
    @pytest.mark.parametrize("where", ["flag", "CI"])
    def test_a_stale_lock_is_drift(
        self, stale: Path, where: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if where == "CI":
            monkeypatch.setenv("CI", "true")
        before = snapshot(stale)
        envelope = sync(stale, *(["--locked"] if where == "flag" else []), code=1)
        (problem,) = envelope["problems"]
        assert envelope["status"] == "drift"
        assert (problem["path"], problem["line"]) == ("requirements.txt", 1)
        assert problem["fix"] == "venvman freeze"
        assert snapshot(stale) == before

    def test_a_missing_lock_is_drift(self, root: Path) -> None:
        (root / "requirements.lock").unlink()
        assert sync(root, "--locked", code=1)["status"] == "drift"

    def test_a_fresh_lock_is_installed(self, root: Path) -> None:
        sync(root, "--locked", code=0)
        assert versions_in(root) == {"alpha": "1.0"}

    def test_no_locked_freezes_in_ci_too(
        self, stale: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CI", "true")
        sync(stale, "--no-locked", code=0)
        assert versions_in(stale) == {"alpha": "2.0"}


class TestFrozen:
    def test_a_stale_lock_is_used_unjudged(self, stale: Path) -> None:
        sync(stale, "--frozen", code=0)
        assert versions_in(stale) == {"alpha": "1.0"}

    @pytest.mark.parametrize(
        "content", [b"alpha ==== what\n-r gone.txt\n", b"\xff\xfe\x00\xd8", b"--no-such\n"]
    )
    def test_requirements_that_cannot_be_read_are_no_obstacle(
        self, root: Path, content: bytes
    ) -> None:
        (root / "requirements.txt").write_bytes(content)
        sync(root, "--frozen", code=0)
        assert versions_in(root) == {"alpha": "1.0"}

    def test_a_lock_of_pyproject_is_synced_as_it_is_but_never_frozen(
        self, root: Path, index: Index
    ) -> None:
        header = "#\n# This file is autogenerated by pip-compile with Python 3.11\n"
        header += "# by the following command:\n#\n#    pip-compile pyproject.toml\n#\n"
        lock = header + lock_of(index.folder / "alpha-1.0-py3-none-any.whl", via="shop")
        (root / "requirements.lock").unlink()
        (root / "requirements.txt").write_text(lock)
        sync(root, code=0)
        refused = run("freeze", "--format", "json", cwd=root)
        assert versions_in(root) == {"alpha": "1.0"}
        assert refused.code == 2
        assert refused.json["problems"][0]["code"] == "lock-of-another-source"
        assert refused.json["problems"][0]["fix"] == "pip-compile pyproject.toml"


class TestTheFreezeCommand:
    def test_check_tells_stale_from_fresh_without_writing(self, stale: Path) -> None:
        before = snapshot(stale)
        ran = run("freeze", "--check", "--format", "json", cwd=stale)
        assert (ran.code, ran.json["status"]) == (1, "drift")
        assert ran.json["problems"][0]["line"] == 1
        assert snapshot(stale) == before

    def test_upgrade_moves_what_freeze_keeps(self, root: Path) -> None:
        kept = run("freeze", "--format", "json", cwd=root)
        moved = run("freeze", "-P", "alpha", "--format", "json", cwd=root)
        assert kept.json["data"]["changed"] == []
        assert moved.json["data"]["changed"] == [{"name": "alpha", "from": "1.0", "to": "2.0"}]
        assert "alpha==2.0" in (root / "requirements.lock").read_text()

    def test_installed_pins_what_is_there_and_warns_of_what_nothing_asks_for(
        self, root: Path, index: Index
    ) -> None:
        extra = lock_of(make_wheel(index.folder, "beta"), via="nobody")
        with (root / "requirements.lock").open("a") as lock:
            lock.write(extra)
        sync(root, "--frozen", code=0)
        (root / "requirements.lock").unlink()
        ran = run("freeze", "--installed", "--format", "json", cwd=root)
        assert ran.code == 0, ran.stdout
        text = (root / "requirements.lock").read_text()
        assert "alpha==1.0" in text
        assert "sha256:" in text
        assert any("beta" in problem["message"] for problem in ran.json["problems"])

    def test_no_hashes_writes_none(self, root: Path) -> None:
        assert run("freeze", "--no-hashes", "-q", cwd=root).code == 0
        assert "--hash" not in (root / "requirements.lock").read_text()
