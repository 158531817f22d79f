"""Locks of the native engine: pip-compile's own bytes, sources in every form, faults of indexes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import ended
from tests.support.groups import freeze_request, write_files
from tests.support.index import Index, Request, Response
from tests.support.indexes import Memory
from tests.support.wheels import in_tree_backend, make_sdist, make_wheel, sha256_of
from venvman.engines import native as native_engine
from venvman.engines import piptools
from venvman.lock.file import Lock, LockEntry
from venvman.lock.parse import parse_lock
from venvman.lock.render import render_lock
from venvman.model.errors import FreezeError, IndexFault, UnsatisfiableError, VenvmanError
from venvman.model.events import Reporter
from venvman.model.sources import ArchiveSource, DirectorySource, VcsSource
from venvman.model.target import Target
from venvman.python.probe import probe
from venvman.system.directories import Directories


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """The Python that runs the tests, with its tags."""
    folder = tmp_path_factory.mktemp("probe")
    return probe(Path(sys.executable), directories=Directories(cache=folder, state=folder)).target


def native(
    root: Path, files: dict[str, str], index: Index, target: Target, **changes: Any
) -> dict[str, Lock]:
    request = freeze_request(root, files, index=index.simple, target=target, **changes)
    return dict(native_engine.freeze(request, changes.pop("reporter", None) or Reporter()).locks)


def pip_compile(root: Path, arguments: list[str], index: Index) -> None:
    """Runs the real one over what is there."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    environment = {
        **kept,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": index.simple,
        "PIP_TOOLS_CACHE_DIR": str(root.parent / "pip-tools"),
        "PIP_CACHE_DIR": str(root.parent / "pip"),
    }
    subprocess.run(
        [sys.executable, "-m", "piptools", "compile", "--quiet", *arguments],
        cwd=root, env=environment, check=True, capture_output=True,
    )  # fmt: skip


def stocked(index: Index) -> None:
    """A small stack with extras, a marker, an unsafe package and two files of one release."""
    folder = index.folder
    make_wheel(folder, "Flask", "2.0", requires=["Jinja2>=3", "click"], extras={"a": ["asgi"]})
    make_wheel(folder, "Jinja2", "3.1", requires=["MarkupSafe"])
    make_wheel(folder, "markupsafe", "2.1")
    make_sdist(folder, "markupsafe", "2.1")
    make_wheel(folder, "click", "8.1", requires=["colorama; sys_platform == 'win32'"])
    make_wheel(folder, "asgi", "1.0", requires=["setuptools"])
    make_wheel(folder, "setuptools", "70.0")
    make_wheel(folder, "pytest", "8.0", requires=["click>=8"])


PROJECT = {
    "requirements.in": "flask[a]\nclick ; python_version > '3'\n",
    "dev.in": "-c requirements.txt\n-c limits.txt\npytest\njinja2\n",
    "limits.txt": "click<9\nmarkupsafe\n",
}


@pytest.mark.parametrize("hashes", [True, False])
def test_pip_compile_changes_no_byte_of_a_native_lock(
    tmp_path: Path, index: Index, here: Target, *, hashes: bool
) -> None:
    stocked(index)
    root = tmp_path / "project"
    locks = native(root, PROJECT, index, here, hashes=hashes)
    texts = {"requirements": render_lock(locks["default"]), "dev": render_lock(locks["dev"])}
    for name, text in texts.items():
        (root / f"{name}.txt").write_text(text)
    for name, text in texts.items():
        command = parse_lock(text, path=name).header.command
        assert command is not None
        pip_compile(root, command.split()[1:], index)
        assert (root / f"{name}.txt").read_text() == text


@pytest.mark.parametrize(
    "header",
    [
        "pip-compile requirements.in",
        "pip-compile --annotation-style=line --generate-hashes requirements.in",
        "pip-compile --generate-hashes --no-annotate --strip-extras requirements.in",
        "pip-compile --allow-unsafe --no-strip-extras requirements.in",
    ],
)
def test_an_existing_header_is_kept_and_obeyed(
    tmp_path: Path, index: Index, here: Target, header: str
) -> None:
    stocked(index)
    root = write_files(tmp_path / "project", {"requirements.in": PROJECT["requirements.in"]})
    pip_compile(root, [*header.split()[1:], "--no-emit-index-url"], index)
    existing = (root / "requirements.txt").read_text()
    lock = parse_lock(existing, path="requirements.txt")
    locks = native(root, {}, index, here, locks={"default": lock})
    assert render_lock(locks["default"]) == existing


def test_both_engines_write_the_same_lock(tmp_path: Path, index: Index, here: Target) -> None:
    stocked(index)
    files = {
        "requirements/base.in": "flask\n",
        "requirements/dev.in": "-r base.in\n-c ../limits.txt\npytest\n",
        "limits.txt": "click<9\n",
    }
    request = freeze_request(tmp_path / "project", files, index=index.simple, target=here)
    ours = native_engine.freeze(request, Reporter()).locks
    theirs = piptools.freeze(request, Reporter()).locks
    assert {name: render_lock(lock) for name, lock in ours.items()} == {
        name: render_lock(lock) for name, lock in theirs.items()
    }


def test_the_order_of_lines_makes_no_difference(tmp_path: Path, index: Index, here: Target) -> None:
    stocked(index)
    lines = ["flask[a]", "pytest", "jinja2<4"]
    texts = {
        render_lock(
            native(tmp_path / str(number), {"requirements.in": "\n".join(order)}, index, here)[
                "default"
            ]
        )
        for number, order in enumerate([lines, lines[::-1], sorted(lines)])
    }
    assert len(texts) == 1


def test_every_form_of_direct_reference_is_locked_portably(
    tmp_path: Path, index: Index, here: Target
) -> None:
    make_wheel(index.folder, "dep", "1.0")
    wheel = make_wheel(tmp_path / "other", "remote", requires=["dep"])
    (index.folder / wheel.name).write_bytes(wheel.read_bytes())
    repository = write_files(
        tmp_path / "repository",
        {"pyproject.toml": "[project]\nname = 'repo'\nversion = '1'\ndependencies = ['dep']\n"},
    )
    for words in (["init"], ["add", "."], ["commit", "-m", "one"]):
        subprocess.run(["git", *words], cwd=repository, check=True, capture_output=True)
    head = ended(["git", "rev-parse", "HEAD"], cwd=repository, check=True).stdout.strip()
    backend = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    root = write_files(
        tmp_path / "project",
        {
            "lib/pyproject.toml": backend,
            "lib/backend.py": in_tree_backend("lib", "3.0", ["dep"]),
            "requirements.txt": f"-e ./lib\nremote @ {index.url}/files/{wheel.name}\n"
            f"repo @ git+{repository.as_uri()}@main\n./vendor/local-2.0.tar.gz\n",
        },
    )
    make_sdist(root / "vendor", "local", "2.0", requires=["dep"])
    lock = native(root, {}, index, here)["default"]
    found: dict[str, LockEntry] = {entry.name: entry for entry in lock.entries}
    assert found["lib"].source == DirectorySource(path="lib", editable=True)
    assert found["remote"].source == ArchiveSource(url=f"{index.url}/files/{wheel.name}")
    assert found["remote"].hashes == (sha256_of(wheel),)
    source = found["repo"].source
    assert isinstance(source, VcsSource)
    assert (source.revision, source.commit) == ("main", head)
    assert found["local"].source == ArchiveSource(url="file:vendor/local-2.0.tar.gz")
    assert found["local"].hashes == (sha256_of(root / "vendor" / "local-2.0.tar.gz"),)
    assert found["dep"].via == ("lib", "local", "remote", "repo")
    assert str(tmp_path) not in render_lock(lock).replace(repository.as_uri(), "")


def test_an_sdist_is_built_once_and_remembered_by_its_hash(
    tmp_path: Path, index: Index, here: Target
) -> None:
    make_sdist(index.folder, "a", requires=["b"], files={"PKG-INFO": "Metadata-Version: 1.0\n"})
    make_wheel(index.folder, "b")
    built: list[str] = []

    class Listening(Reporter):
        def build_started(self, label: str) -> None:
            built.append(label)

    backend = in_tree_backend("a", "1.0", ["b"])
    pyproject = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    make_sdist(
        index.folder, "a", requires=["b"], backend=backend,
        files={"PKG-INFO": "Metadata-Version: 1.0\n", "pyproject.toml": pyproject},
    )  # fmt: skip
    request = freeze_request(
        tmp_path / "project", {"requirements.in": "a\n"}, index=index.simple, target=here
    )
    for _ in range(2):
        lock = native_engine.freeze(request, Listening()).locks["default"]
        assert [entry.name for entry in lock.entries] == ["a", "b"]
    assert len(built) == 1


def test_a_setup_py_that_looks_around_is_believed_only_after_a_build(
    tmp_path: Path, index: Index, here: Target
) -> None:
    make_wheel(index.folder, "right")
    make_wheel(index.folder, "wrong")
    pyproject = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    make_sdist(
        index.folder,
        "a",
        backend=in_tree_backend("a", "1.0", ["right"]),
        files={
            "PKG-INFO": "Metadata-Version: 1.0\nName: a\nVersion: 1.0\n",
            "pyproject.toml": pyproject,
            "setup.py": "import sys\nprint(sys.version_info)\n",
            "a.egg-info/requires.txt": "wrong\n",
        },
    )
    lock = native(tmp_path / "project", {"requirements.in": "a\n"}, index, here)["default"]
    assert [entry.name for entry in lock.entries] == ["a", "right"]


def test_a_wheel_that_lies_about_its_name_is_passed_over(
    tmp_path: Path, index: Index, here: Target
) -> None:
    make_wheel(index.folder, "a", "1.0")
    liar = make_wheel(tmp_path / "elsewhere", "b", "2.0")
    (index.folder / "a-2.0-py3-none-any.whl").write_bytes(liar.read_bytes())
    lock = native(tmp_path / "project", {"requirements.in": "a\n"}, index, here)["default"]
    assert [str(entry.version) for entry in lock.entries] == ["1.0"]


def test_a_damaged_wheel_is_named(tmp_path: Path, index: Index, here: Target) -> None:
    index.folder.joinpath("a-1.0-py3-none-any.whl").write_bytes(b"not a zip at all")
    with pytest.raises(VenvmanError, match=r"a-1.0-py3-none-any.whl"):
        native(tmp_path / "project", {"requirements.in": "a\n"}, index, here)


def test_metadata_with_a_wrong_hash_is_not_believed(
    tmp_path: Path, index: Index, here: Target
) -> None:
    make_wheel(index.folder, "a", requires=["b"])
    make_wheel(index.folder, "b")
    index.metadata_files = True

    def lie(request: Request) -> Response | None:
        return (
            Response(200, b"Name: a\nVersion: 1.0\n")
            if "a-1" in request.path and (request.path.endswith(".metadata"))
            else None
        )

    index.intercept = lie
    request = freeze_request(
        tmp_path / "project", {"requirements.in": "a\n"}, index=index.simple, target=here
    )
    memory = Memory()
    lock = native_engine.freeze(request, memory).locks["default"]
    assert [entry.name for entry in lock.entries] == ["a", "b"]
    assert [each.code for each in memory.problems] == ["metadata-hash-mismatch"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Response(500, b"oops"), "index-"),
        (Response(401, b"who"), "index-"),
        (
            Response(
                200, b"<html><form><input name=pw></form></html>", {"Content-Type": "text/html"}
            ),
            "index-page-invalid",
        ),
        (Response(200, b"{", {"Content-Type": "application/json"}), "index-page-invalid"),
    ],
)
def test_an_index_that_misbehaves_is_an_error_that_says_so(
    tmp_path: Path, index: Index, here: Target, answer: Response, code: str
) -> None:
    index.intercept = lambda _: answer
    with pytest.raises(IndexFault) as raised:
        native(tmp_path / "project", {"requirements.in": "a\n"}, index, here)
    assert raised.value.code.startswith(code)


def test_a_repository_that_is_not_there_names_the_line(
    tmp_path: Path, index: Index, here: Target
) -> None:
    text = f"x @ git+file://{tmp_path}/nowhere@main\n"
    with pytest.raises(FreezeError) as raised:
        native(tmp_path / "project", {"requirements.in": text}, index, here)
    assert raised.value.problems[0].line == 1


def test_a_wheel_for_another_platform_is_refused_by_its_line(
    tmp_path: Path, index: Index, here: Target
) -> None:
    make_wheel(tmp_path / "project" / "w", "a", tag="cp27-none-win32")
    with pytest.raises(UnsatisfiableError, match="cannot be installed here") as raised:
        native(
            tmp_path / "project",
            {"requirements.in": "\n./w/a-1.0-cp27-none-win32.whl\n"},
            index,
            here,
        )
    assert raised.value.problems[0].line == 2


def test_existing_hashes_stay_and_files_without_one_are_hashed(
    tmp_path: Path, index: Index, here: Target
) -> None:
    wheel = make_wheel(index.folder, "a")
    index.hashes = False
    root, files = tmp_path / "project", {"requirements.in": "a\n"}
    lock = native(root, files, index, here)["default"]
    assert lock.entries[0].hashes == (sha256_of(wheel),)
    other = parse_lock("a==1.0 --hash=sha256:" + "1" * 64 + "\n", path="x")
    locks = native(root, files, index, here, locks={"default": other}, hashes=True)
    lock = locks["default"]
    assert lock.entries[0].hashes == ("sha256:" + "1" * 64,)


@pytest.mark.parametrize(
    "lines", ["cap", "plain\ncap\nlow", "free\ncap", "BbCc[x]>=1\nfree", "BbCc[x]\ncap", "under"]
)
def test_who_asks_is_told_as_pip_compile_tells_it_whatever_the_spelling(
    tmp_path: Path, index: Index, here: Target, lines: str
) -> None:
    folder = index.folder
    make_wheel(folder, "dd", "1.0")
    make_wheel(folder, "bbcc", "1.0", extras={"x": ["dd"]})
    make_wheel(folder, "cap", "1.0", requires=["BbCc[x]<3,>=1.0"])
    make_wheel(folder, "free", "1.0", requires=["BbCc[x]"])
    make_wheel(folder, "low", "1.0", requires=["bbcc[x]>=1"])
    make_wheel(folder, "plain", "1.0", requires=["BbCc>=1"])
    make_wheel(folder, "under", "1.0", requires=["Bb_Cc[x]>=1"])
    make_wheel(folder, "bb_cc", "1.0", extras={"x": ["dd"]})
    root = tmp_path / "project"
    lock = native(root, {"requirements.in": lines}, index, here)["default"]
    (root / "requirements.txt").write_text(render_lock(lock))
    assert lock.header.command is not None
    pip_compile(root, lock.header.command.split()[1:], index)
    assert (root / "requirements.txt").read_text() == render_lock(lock)
