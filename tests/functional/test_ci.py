"""``action.yml`` and the snippets of the pages on CI, step by step in clean folders."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cli import ended, run
from tests.support.index import Index
from tests.support.projects import git
from tests.support.wheels import make_wheel

ROOT = Path(__file__).parents[2]
PAGE = "".join(
    (ROOT / "docs" / "how-to" / f"{name}.md").read_text()
    for name in ("github-actions", "gitlab", "docker")
)


def snippet(heading: str, language: str) -> str:
    found = re.search(rf"## {heading}\n.*?```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@dataclass
class Machine:
    """A fresh machine of a CI with venvman on PATH, a checkout, and what is kept between runs."""

    root: Path
    checkout: Path
    kept: dict[str, Path] = field(default_factory=dict)

    def sh(self, script: str, shell: str = "sh", **variables: str) -> None:
        """One step, as CI runs it; an error ends the job."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = ended(
            [shell, *(["-eo", "pipefail"] if shell == "bash" else ["-e"]), "-c", script],
            cwd=self.checkout,
            env={**os.environ, "PATH": path, "CI": "true", **variables},
        )
        if done.returncode:
            raise StepFailed(script, done.stdout + done.stderr)


class StepFailed(Exception):
    """A step of a job that did not exit with 0."""


@pytest.fixture
def project(tmp_path: Path, index: Index) -> Path:
    """A committed project: ``app`` by ``alpha``, and ``pytest`` for developing it."""
    make_wheel(index.folder, "alpha", files={"alpha.py": "A = 1\n"})
    make_wheel(
        index.folder,
        "pytest",
        files={"pytest_stub.py": "def main():\n    import alpha\n    print('tested')\n"},
        scripts={"pytest": "pytest_stub:main"},
    )
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q")
    (root / "requirements.in").write_text("alpha\n")
    (root / "requirements-dev.in").write_text("pytest\n")
    (root / "app.py").write_text("import alpha\nprint('app', alpha.A)\n")
    assert run("freeze", cwd=root).code == 0
    git(root, "add", ".")
    git(root, "commit", "-qm", "all")
    return root


def machine(project: Path, name: str) -> Machine:
    root = project.parent / name
    root.mkdir()
    subprocess.run(["git", "clone", "-q", project, root / "checkout"], check=True)
    return Machine(root, root / "checkout")


def filled_in(text: str, outputs: Mapping[str, str], inputs: Mapping[str, str]) -> str:
    """``${{ ... }}`` as GitHub replaces it."""

    def value(found: re.Match[str]) -> str:
        kind, _, rest = found[1].partition(".")
        return inputs[rest] if kind == "inputs" else outputs[rest.replace(".outputs", "")]

    return re.sub(r"\$\{\{ (.*?) \}\}", value, text)


def act(on: Machine, kept: Path, variables: Mapping[str, str], **given: str) -> dict[str, str]:
    """Runs ``action.yml``: its steps by bash, the cache's by folders below ``kept``."""
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    inputs = {name: given.get(name, each["default"]) for name, each in action["inputs"].items()}
    outputs: dict[str, str] = {}
    save: tuple[Path, Path] | None = None
    for step in action["runs"]["steps"]:
        if "uses" in step:
            assert step["uses"].startswith("actions/cache@")
            wanted = {name: filled_in(text, outputs, inputs) for name, text in step["with"].items()}
            save = (Path(wanted["path"]), kept / wanted["key"])
            found = [save[1]] if save[1].exists() else [*kept.glob(f"{wanted['restore-keys']}*")]
            if found:
                shutil.copytree(found[0], save[0], symlinks=True, dirs_exist_ok=True)
            continue
        assert "${{" not in step["run"], "what is given must not become a script's text"
        if "pip install" in step["run"]:
            continue  # it is installed already: an index would be needed
        output = on.root / "output"
        output.write_text("")
        env = {name: filled_in(text, outputs, inputs) for name, text in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_PATH": str(on.root / "path")}
        on.sh(step["run"], step["shell"], **variables, **env, **files)
        for line in output.read_text().splitlines():
            name, _, text = line.partition("=")
            outputs[f"{step['id']}.{name}"] = text
    assert save is not None
    if not save[1].exists():
        shutil.copytree(save[0], save[1], symlinks=True)
    return outputs


class TestAction:
    def test_it_makes_the_environment_and_a_second_machine_needs_no_index(
        self, project: Path
    ) -> None:
        kept = project.parent / "kept"
        kept.mkdir()
        first, second = machine(project, "first"), machine(project, "second")
        act(first, kept, {"VENVMAN_CACHE_DIR": str(first.root / "cache")})
        places = {"VENVMAN_CACHE_DIR": str(second.root / "cache"), "VENVMAN_OFFLINE": "1"}
        outputs = act(second, kept, places)
        assert outputs["sync.environment"] == str(second.checkout / "venv")
        front = (second.root / "path").read_text().strip()
        second.sh(f'PATH="{front}:$PATH"; pytest')

    def test_options_and_a_folder_with_blanks_are_passed_on(self, project: Path) -> None:
        kept = project.parent / "kept"
        kept.mkdir()
        one = machine(project, "one")
        below = one.checkout / "in a folder"
        below.mkdir()
        for name in ("requirements.in", "requirements.txt"):
            shutil.copy(one.checkout / name, below)
        places = {"VENVMAN_CACHE_DIR": str(one.root / "cache")}
        outputs = act(one, kept, places, project="in a folder", arguments="--no-dev --compile")
        assert outputs["sync.environment"] == str(below / "venv")

    def test_a_stale_lock_ends_the_job(self, project: Path) -> None:
        one = machine(project, "one")
        (one.checkout / "requirements.in").write_text("alpha>=1\nbeta\n")
        with pytest.raises(StepFailed, match="beta"):
            act(one, one.root / "kept", {"VENVMAN_CACHE_DIR": str(one.root / "cache")})


class TestKey:
    def test_it_is_another_one_as_soon_as_a_lock_is(self, project: Path) -> None:
        first = run("cache", "key", cwd=project).stdout
        again = run("cache", "key", cwd=project).stdout
        (project / "requirements.in").write_text("# a comment\nalpha\n")
        commented = run("cache", "key", cwd=project).stdout
        lock = project / "requirements-dev.txt"
        lock.write_text(lock.read_text().replace("1.0", "1.1"))
        changed = run("cache", "key", cwd=project).stdout
        assert first == again == commented != changed
        assert first.rpartition("-")[0] == changed.rpartition("-")[0]
        assert re.fullmatch(r"venvman-1-[a-z0-9_]+-[a-z0-9_]+-[0-9a-f]{20}\n", first)

    def test_it_is_the_same_in_another_folder_and_after_a_sync(self, project: Path) -> None:
        here = run("cache", "key", cwd=project).stdout
        other = machine(project, "other").checkout
        assert run("sync", cwd=other).code == 0
        assert run("cache", "key", cwd=other).stdout == here

    def test_without_a_lock_the_sources_count(self, project: Path) -> None:
        for lock in project.glob("requirements*.txt"):
            lock.unlink()
        before = run("cache", "key", cwd=project).stdout
        (project / "requirements.in").write_text("alpha==1.0\n")
        assert run("cache", "key", cwd=project).stdout != before


class TestGitLab:
    def test_the_snippet_s_lines_work_one_by_one(self, project: Path) -> None:
        job: dict[str, Any] = yaml.safe_load(snippet("A job", "yaml"))["test"]
        one = machine(project, "one")
        own = {"CI_PROJECT_DIR": str(one.checkout)}
        cache = job["variables"]["VENVMAN_CACHE_DIR"].replace("$CI_PROJECT_DIR", str(one.checkout))
        for line in [*job["before_script"], *job["script"]]:
            if not line.startswith("pip install"):
                one.sh(line, VENVMAN_CACHE_DIR=cache, **own)
        (kept,) = job["cache"]["paths"]
        assert (one.checkout / kept / "wheels-v1").is_dir()
        assert all((one.checkout / each).is_file() for each in job["cache"]["key"]["files"])


class TestImage:
    def test_the_stages_lines_make_an_environment_that_runs_alone(self, project: Path) -> None:
        """Each COPY and RUN in a folder that stands for the image's root."""
        build, final = snippet("A multi-stage Dockerfile", "dockerfile").strip().split("\n\n")
        image = project.parent / "image"
        work = image / "app"
        work.mkdir(parents=True)
        one = Machine(image, work)
        variables: dict[str, str] = {}
        for line in re.sub("/(?=(opt|var)/)", f"{image}/", build).splitlines():
            word, _, rest = line.partition(" ")
            if word == "ENV":
                variables |= dict(each.split("=", 1) for each in rest.split())
            elif word == "COPY":
                pattern, _ = rest.split()
                for file in project.glob(pattern):
                    shutil.copy(file, work)
            elif word == "RUN" and "pip install" not in rest:
                one.sh(re.sub(r"--mount=\S+ ", "", rest), **variables)

        shutil.rmtree(image / "var")
        shutil.rmtree(work)
        assert "COPY --from=build /opt/venv /opt/venv" in final
        shutil.copytree(project, work)
        path = f"{image}/opt/venv/bin:{os.environ['PATH']}"
        done = ended(
            ["python", "-m", "app"],
            cwd=work,
            env={**os.environ, "PATH": path},
            executable=f"{image}/opt/venv/bin/python",
            check=True,
        )
        assert done.stdout == "app 1\n"
        site = next((image / "opt" / "venv").glob("lib/*/site-packages"))
        assert (site / "alpha.py").stat().st_nlink == 1
        assert not (site / "pytest_stub.py").exists()
        assert list((site / "__pycache__").glob("alpha.*.pyc"))

    def test_an_active_environment_that_is_named_is_made_equal_to_the_lock(
        self, project: Path
    ) -> None:
        active = project.parent / "active"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", active], check=True)
        site = next(active.glob("lib/*/site-packages"))
        foreign = site / "foreign-1.0.dist-info"
        foreign.mkdir()
        (foreign / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
        (foreign / "RECORD").write_text("foreign-1.0.dist-info/METADATA,,\n")
        (line,) = re.findall(r"^(VENVMAN_VENV=.*)$", PAGE, re.MULTILINE)
        one = machine(project, "one")

        one.sh(line, VIRTUAL_ENV=str(active), VENVMAN_CACHE_DIR=str(one.root / "cache"))

        assert (site / "alpha.py").is_file()
        assert not foreign.exists()
        assert not (one.checkout / "venv").exists()
