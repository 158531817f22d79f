"""What is released, as users meet it: the tests in the sdist, the installers, the zipapp.

Most of this needs a package index, and is left to `make slow`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

from tests.functional.test_distribution import ROOT, built
from tests.support.cli import ended
from tests.support.pythons import EVERY_PYTHON
from tools.sbom import bill, installed, packed
from venvman.version import __version__

CERTIFICATES = {
    name: value
    for name, value in os.environ.items()
    if name in {"PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
}
"""Of the machine's configuration the one thing without which an index may not be reached."""

PYTHONS = [path for path in EVERY_PYTHON if not path.parts[-3].startswith(("3.8", "3.9"))]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return built(tmp_path_factory.mktemp("released"))


def bare(home: Path) -> dict[str, str]:
    """The variables of somebody with an empty home and no configuration."""
    home.mkdir(exist_ok=True)
    folders = {"HOME": home, "PIPX_HOME": home / "pipx"}
    return {
        **CERTIFICATES,
        **{name: str(folder) for name, folder in folders.items()},
        "PATH": os.defpath,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def ran(words: Sequence[str | Path], variables: Mapping[str, str], cwd: Path) -> str:
    """What a command that succeeds prints; skips the test where no index can be reached."""
    done = ended(words, cwd=cwd, env=variables, timeout=900)
    said = done.stdout + done.stderr
    if done.returncode and any(
        words in said for words in ("Failed to establish a new connection", "dns error")
    ):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, said
    return done.stdout


@cache
def with_pipx(folder: Path) -> Path:
    """An environment that has pipx."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    ran(
        [folder / "bin/python", "-m", "pip", "install", "-q", "pipx"], bare(folder / "home"), folder
    )
    return folder / "bin/pipx"


def pip(python: Path, file: Path, home: Path) -> Path:
    variables = bare(home)
    ran([python, "-m", "venv", home / "env"], variables, home)
    ran([home / "env/bin/python", "-m", "pip", "install", "-q", file], variables, home)
    return home / "env/bin/venvman"


def pipx(python: Path, file: Path, home: Path) -> Path:
    program = with_pipx(home.parent.parent / "with-pipx")
    ran([program, "install", "--python", python, file], bare(home), home)
    return home / ".local/bin/venvman"


def uv_tool(python: Path, file: Path, home: Path) -> Path:
    uv = Path(sysconfig.get_path("scripts"), "uv")
    ran([uv, "tool", "install", "--python", python, file], bare(home), home)
    return home / ".local/bin/venvman"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".whl", ".gz"])
@pytest.mark.parametrize("install", [pip, pipx, uv_tool])
@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: path.parts[-3])
def test_each_installer_makes_a_program_that_syncs(
    python: Path, install: object, suffix: str, released: dict[str, Path], tmp_path: Path
) -> None:
    assert callable(install)
    program = install(python, released[suffix], tmp_path / "home")
    project = tmp_path / "project"
    project.mkdir()
    (project / "requirements.in").write_text("# nothing yet\n")
    variables = bare(tmp_path / "home")
    assert ran([program, "--version"], variables, project).split()[1] == __version__
    ran([program, "sync", "--python", python], variables, project)
    assert "Nothing to do" in ran([program, "sync"], variables, project)


def unpacked(released: dict[str, Path], folder: Path) -> tuple[Path, Path]:
    """The sdist's folder, and a Python that has the wheel, and what its tests need from here."""
    with tarfile.open(released[".gz"]) as archive:
        archive.extractall(folder, filter="data")
    python = folder / "env/bin/python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    to = ended(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True
    ).stdout.strip()
    with_venvman = (sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps")
    subprocess.run([*with_venvman, "--no-index", released[".whl"]], check=True)
    Path(to, "tools.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder / f"venvman-{__version__}", python


@pytest.mark.parametrize(
    "tests",
    [
        ("-k", "not word_by_word", "tests/unit/test_tools.py", "tests/functional/test_pages.py"),
        pytest.param(("tests/unit", "tests/resolver", "tests/property"), marks=pytest.mark.slow),
    ],
    ids=["what reads the repository", "unit, resolver, property"],
)
def test_the_tests_pass_from_the_sdist(
    tests: tuple[str, ...], released: dict[str, Path], tmp_path: Path
) -> None:
    folder, python = unpacked(released, tmp_path)
    done = ended(
        [python, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *tests], cwd=folder
    )
    assert done.returncode == 0, done.stdout


def test_a_bill_of_materials_names_each_part_once_and_refers_to_parts_that_there_are(
    released: dict[str, Path],
) -> None:
    document = bill(installed(), released.values())
    parts = [document["metadata"]["component"], *document["components"]]
    refs = [part["bom-ref"] for part in parts]
    assert len(set(refs)) == len(refs)
    assert {"pkg:pypi/" + part["name"] + "@" + part["version"] for part in parts} == set(refs)
    assert [each["ref"] for each in document["dependencies"]] == refs
    told = {each["ref"]: each["dependsOn"] for each in document["dependencies"]}
    assert {ref for needs in told.values() for ref in needs} == set(refs[1:])
    assert document == bill(installed(), released.values())
    locked = (ROOT / "requirements-dev.txt").read_text()
    assert [p for p in parts[1:] if f"\n{p['name']}=={p['version']} " not in locked] == []


@pytest.mark.slow
def test_a_bill_of_materials_is_valid(released: dict[str, Path], tmp_path: Path) -> None:
    file = tmp_path / "bill.json"
    file.write_text(json.dumps(bill(installed(), released.values())))
    check = (
        "import sys; from pathlib import Path; from cyclonedx.schema import SchemaVersion as V;"
        "from cyclonedx.validation.json import JsonStrictValidator as Validator;"
        "sys.exit(Validator(V.V1_6).validate_str(Path(sys.argv[1]).read_text()))"
    )
    uv = Path(sysconfig.get_path("scripts"), "uv")
    library = "cyclonedx-python-lib[json-validation]"

    ran(
        [uv, "run", "--no-project", "--python", sys.executable, "--with", library,
         "python", "-c", check, file],
        bare(tmp_path / "home"), tmp_path,
    )  # fmt: skip


@pytest.mark.slow
def test_hooks_that_a_zipapp_installed_start_it(released: dict[str, Path], tmp_path: Path) -> None:
    site = tmp_path / "site"
    for name in installed().keys() - {"venvman"}:
        distribution = metadata.distribution(name)
        for file in distribution.files or ():
            there = str(distribution.locate_file(file))
            # Bytecode that pip's RECORD names may be gone.
            if not file.as_posix().startswith("..") and os.path.exists(there):  # noqa: PTH110
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(there, site / file)
    with_venvman = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index")
    subprocess.run([*with_venvman, "--target", site, released[".whl"]], check=True)
    app = tmp_path / "venvman.pyz"
    shiv = (Path(sysconfig.get_path("scripts"), "shiv"), "--extend-pythonpath", "-c", "venvman")
    subprocess.run([*shiv, "--site-packages", site, "-o", app], check=True, capture_output=True)
    assert set(packed(app)) == set(installed())
    variables = {**bare(tmp_path / "home"), "SHIV_ROOT": str(tmp_path / "shiv")}
    project = tmp_path / "project"
    project.mkdir()

    def typed(command: str) -> str:
        git = "export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org"
        also = "GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org"
        done = subprocess.run(
            ["sh", "-c", f"{git} {also}; {command}"], cwd=project, env=variables,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    typed("git init -q -b main && printf '# nothing\\n' > requirements.in")
    typed(f"{sys.executable} {app} sync && {sys.executable} {app} hooks install")
    typed("git add requirements.* && git commit -qm one && git switch -qc other")
    typed("printf 'venv-is-not-there\\n' > requirements.in && git commit -qam two --no-verify")

    assert "requirements" in typed("git switch main && git switch other")
