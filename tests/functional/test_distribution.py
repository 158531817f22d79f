"""What is released: the same bytes each time, nothing extra, no dead link in the description."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from tools import completions
from tools.hatch_readme import description
from tools.man_page import PAGE, page

ROOT = Path(__file__).parents[2]
MADE = {".git", ".venv", "venv", "site", "build", "dist"}
"""What lies at the top and is not of the project; folders further down may have these names."""


def left_out(folder: str, names: list[str]) -> set[str]:
    of_tools = shutil.ignore_patterns(".*_cache", ".hypothesis", ".cache", "__pycache__")
    return of_tools(folder, names) | (MADE if Path(folder) == ROOT else {"venv"})


def built(folder: Path, **variables: str) -> dict[str, Path]:
    """The sdist and the wheel of a copy of this tree, by suffix."""
    copy = folder / "copy"
    shutil.copytree(ROOT, copy, ignore=left_out)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1_000_000_000 + len(path.name)))
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder / "dist"],
        cwd=copy,
        env={**os.environ, **variables},
        check=True,
        capture_output=True,
    )
    return {path.suffix: path for path in (folder / "dist").iterdir()}


def digests(files: dict[str, Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files.values()}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return built(tmp_path_factory.mktemp("first"), TZ="Asia/Tokyo")


def test_wheel_and_sdist_are_the_same_bytes_wherever_and_whenever_they_are_built(
    released: dict[str, Path], tmp_path: Path
) -> None:
    again = built(tmp_path / "somewhere else", TZ="America/Lima")
    assert sorted(again) == [".gz", ".whl"]
    assert digests(again) == digests(released)


def test_the_wheel_has_the_package_its_metadata_manual_and_completions(
    released: dict[str, Path],
) -> None:
    names = zipfile.ZipFile(released[".whl"]).namelist()
    tops = {re.sub(r"-\d+\.\d+\.\d+", "", name.split("/")[0]) for name in names}
    assert tops == {"venvman", "venvman.data", "venvman.dist-info"}
    assert sorted(name.partition(".data/data/share/")[2] for name in names if ".data/" in name) == [
        "bash-completion/completions/venvman",
        "fish/vendor_completions.d/venvman.fish",
        "man/man1/venvman.1",
        "zsh/site-functions/_venvman",
    ]
    assert not [name for name in names if "__pycache__" in name]


def test_the_sdist_has_what_its_tests_need(released: dict[str, Path]) -> None:
    with tarfile.open(released[".gz"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        ".pre-commit-hooks.yaml",
        "CONTRIBUTING.md",
        "mkdocs.yml",
        "benchmarks/sync.py",
    } <= names
    assert {"docs/screens/sync-dark.svg", "man/venvman.1", "tools/screens.py"} <= names


def test_no_link_of_the_description_is_dead(released: dict[str, Path]) -> None:
    archive = zipfile.ZipFile(released[".whl"])
    metadata = next(name for name in archive.namelist() if name.endswith("/METADATA"))
    text = message_from_bytes(archive.read(metadata)).get_payload()
    assert isinstance(text, str)
    assert "# venvman" in text
    assert re.findall(r"\]\((?!https://)[^)]*\)", text) == []
    assert "<img" not in text


def test_where_the_repository_is_known_links_and_pictures_lead_there() -> None:
    readme = (ROOT / "README.md").read_text()
    text = description(readme, repository="https://example.org/venvman", tag="v1")
    assert "](https://example.org/venvman/blob/v1/docs/reference/cli.md)" in text
    assert 'src="https://example.org/venvman/raw/v1/docs/screens/sync-light.svg"' in text
    assert re.findall(r'\]\((?!https://)[^)]*\)|(?:src|srcset)="(?!https://)', text) == []


def test_the_completions_of_the_package_are_those_that_the_program_prints() -> None:
    kept = {path.name: path.read_text() for path in completions.FOLDER.iterdir()}

    assert kept == completions.scripts(), "run: python -m tools.completions"


def test_the_manual_says_what_the_command_line_does() -> None:
    assert PAGE.read_text() == page(), "run: python -m tools.cli_page"
