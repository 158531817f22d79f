"""The hooks of ``.pre-commit-hooks.yaml``, run by the real pre-commit and prek over real projects.

They are fetched from a repository that holds the file, as users do. Only where venvman itself comes
from is another place: building an environment for it would need an index.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.advisories import serving
from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import git
from tests.support.wheels import make_wheel

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PROJECTS = (".", "a", "svc/b c")
CONFIG = """\
repos:
  - repo: {source}
    rev: v1
    hooks:
      - id: venvman-lock
        language: system
      - id: {after}
        language: system
"""
AUDIT = """\
      - id: venvman-audit
        language: system
        args: [--advisories, {service}]
"""


@dataclass
class Repository:
    """A repository with a project in its root and in two folders, its hooks installed."""

    root: Path
    manager: str

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        home = str(self.root.parent / "framework")
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            words,
            cwd=self.root,
            env={**os.environ, "PATH": path, "PRE_COMMIT_HOME": home, "PREK_HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def configure(self, after: str, *, service: str = "") -> None:
        source = self.root.parent / "source"
        config = CONFIG.format(source=source, after=after)
        config += AUDIT.format(service=service) if service else ""
        (self.root / ".pre-commit-config.yaml").write_text(config)
        git(self.root, "add", ".")
        git(self.root, "commit", "-qm", "configuration")

    def install(self) -> None:
        stages = [part for each in ("pre-commit", "post-checkout") for part in ("-t", each)]
        done = self.run(str(BIN / self.manager), "install", *stages)
        assert done.returncode == 0, done.stdout


@pytest.fixture(params=["pre-commit", "prek"])
def repository(request: pytest.FixtureRequest, tmp_path: Path, index: Index) -> Repository:
    for name in ("alpha", "beta"):
        make_wheel(index.folder, name)
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", source)
    root = tmp_path / "work"
    for project in PROJECTS:
        (root / project).mkdir(parents=True, exist_ok=True)
        (root / project / "requirements.in").write_text("alpha\n")
    (root / ".gitignore").write_text("venv/\n")
    for folder in (source, root):
        git(folder, "init", "-q")
    git(source, "add", ".")
    git(source, "commit", "-qm", "hooks")
    git(source, "tag", "v1")
    assert run("sync", "--all", cwd=root).code == 0
    git(root, "add", ".")
    git(root, "commit", "-qm", "fresh")
    return Repository(root, request.param)


@pytest.mark.parametrize("project", [".", pytest.param("a", marks=pytest.mark.slow), "svc/b c"])
def test_a_stale_lock_of_any_project_is_refused_and_a_fresh_one_passes(
    repository: Repository, project: str
) -> None:
    repository.configure("venvman-drift")
    repository.install()
    folder = repository.root / project
    (folder / "requirements.in").write_text("alpha\nbeta\n")
    refused = repository.run("git", "commit", "-qam", "stale")
    assert refused.returncode == 1
    assert "beta" in refused.stdout
    if project != ".":
        assert project in refused.stdout
    assert run("freeze", cwd=folder).code == 0
    passed = repository.run("git", "commit", "-qam", "fresh")
    assert passed.returncode == 0, passed.stdout


def test_a_commit_of_other_files_starts_nothing(repository: Repository) -> None:
    repository.configure("venvman-drift")
    repository.install()
    (repository.root / "notes.md").write_text("n\n")
    git(repository.root, "add", ".")
    done = repository.run("git", "commit", "-qm", "notes")
    assert done.returncode == 0
    assert "no files to check" in done.stdout


def test_a_commit_that_locks_what_is_known_to_be_vulnerable_is_refused(
    repository: Repository,
) -> None:
    with serving() as service:
        repository.configure("venvman-drift", service=service.url)
        repository.install()
        folder = repository.root / "svc/b c"
        (repository.root / "notes.md").write_text("n\n")
        git(repository.root, "add", ".")
        assert repository.run("git", "commit", "-qm", "notes").returncode == 0
        assert service.asked == []
        (folder / "requirements.in").write_text("alpha\nbeta\n")
        assert run("freeze", cwd=folder).code == 0

        refused = repository.run("git", "commit", "-qam", "vulnerable")

    assert refused.returncode == 1
    assert "PYSEC-1" in refused.stdout
    assert "svc/b c" in refused.stdout


def with_another_branch(repository: Repository) -> None:
    """``more`` has one package more in every project than ``main``, which is checked out."""
    git(repository.root, "checkout", "-qb", "more")
    for project in PROJECTS:
        (repository.root / project / "requirements.in").write_text("alpha\nbeta\n")
        assert run("freeze", cwd=repository.root / project).code == 0
    git(repository.root, "commit", "-qam", "more")
    git(repository.root, "checkout", "-q", "main")


def test_drift_of_every_project_is_told_after_a_checkout(repository: Repository) -> None:
    repository.configure("venvman-drift")
    with_another_branch(repository)
    repository.install()
    done = repository.run("git", "checkout", "-q", "more")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("1 package in venv differs") == len(PROJECTS), done.stdout
    for project in ("a", "svc/b c"):
        assert f"({project})" in done.stdout


def test_sync_follows_a_checkout_in_every_project(repository: Repository) -> None:
    repository.configure("venvman-sync")
    with_another_branch(repository)
    repository.install()
    for branch in ("more", "main", "more"):
        done = repository.run("git", "checkout", "-q", branch)
        assert done.returncode == 0, done.stdout
        for project in PROJECTS:
            assert run("sync", "--check", cwd=repository.root / project).code == 0
