from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.wheels import make_sdist, sha256_of
from venvman.build.backend import BuildContext, BuildSettings
from venvman.engines.buildrequirements import supply
from venvman.index.client import Index
from venvman.model.errors import InstallError
from venvman.model.events import Reporter
from venvman.model.metadata import parse_metadata
from venvman.model.options import IndexOptions
from venvman.model.sources import ArchiveSource, DirectorySource, VcsSource
from venvman.obtain.describe import metadata_of_source, static_project_metadata
from venvman.obtain.sources import unpack_sdist
from venvman.python.probe import Interpreter
from venvman.system.directories import Directories
from venvman.system.git import git

FAILING = "import nowhere"


def described(
    source: ArchiveSource | VcsSource | DirectorySource,
    interpreter: Interpreter,
    tmp_path: Path,
    hashes: tuple[str, ...] = (),
) -> tuple[bytes, ArchiveSource | VcsSource | DirectorySource]:
    cache = tmp_path / "cache"
    options = IndexOptions(index_urls=())
    client = Index(options, directories=Directories(cache=cache, state=cache), variables=os.environ)
    with closing(client) as index:
        context = BuildContext(
            interpreter=interpreter,
            options=options,
            settings=BuildSettings(cache=cache, variables=dict(os.environ), supply=supply),
            reporter=Reporter(),
        )
        return metadata_of_source(source, context, index=index, root=tmp_path, hashes=hashes)


def test_a_final_pkg_info_is_believed_without_a_build(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    final = "Metadata-Version: 2.2\nName: a\nVersion: 1.0\nRequires-Dist: b\n"
    path = make_sdist(tmp_path, "a", backend=FAILING, files={"PKG-INFO": final})
    content, exact = described(ArchiveSource(url=path.as_uri()), interpreter, tmp_path)
    assert content.decode() == final
    assert exact == ArchiveSource(url=path.as_uri(), hashes=(sha256_of(path),))


def test_a_pkg_info_that_is_not_final_gives_way_to_the_project_table(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    path = make_sdist(tmp_path, "a", backend=FAILING, requires=["b>1"])
    content, _ = described(ArchiveSource(url=path.as_uri()), interpreter, tmp_path)
    assert parse_metadata(content).requires == ("b>1",)


def test_what_is_dynamic_is_asked_of_the_backend(interpreter: Interpreter, tmp_path: Path) -> None:
    dynamic = (
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        "[project]\nname = 'a'\nversion = '1.0'\ndynamic = ['dependencies']\n"
    )
    files = {"pyproject.toml": dynamic}
    folder = unpack_sdist(
        make_sdist(tmp_path, "a", requires=["c"], files=files), tmp_path / "source"
    )
    source = DirectorySource(path=str(folder))
    content, exact = described(source, interpreter, tmp_path)
    assert parse_metadata(content).requires == ("c",)
    assert exact is source


def test_a_repository_is_described_with_its_commit(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    folder = unpack_sdist(make_sdist(tmp_path, "a"), tmp_path / "source")

    def run(*arguments: str) -> str:
        return git(*arguments, cwd=folder, variables=os.environ).strip()

    run("init", "-q")
    run("add", "-A")
    run("commit", "-qm", "one")
    source = VcsSource(vcs="git", url=folder.as_uri())
    content, exact = described(source, interpreter, tmp_path)
    assert parse_metadata(content).name == "a"
    assert isinstance(exact, VcsSource)
    assert exact.commit == run("rev-parse", "HEAD")


def test_an_archive_with_another_hash_is_not_described(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    source = ArchiveSource(url=make_sdist(tmp_path, "a").as_uri())
    with pytest.raises(InstallError) as caught:
        described(source, interpreter, tmp_path, hashes=("sha256:" + "0" * 64,))
    assert caught.value.code == "hash-mismatch"


def test_a_folder_without_metadata_of_its_own_is_built(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InstallError) as caught:
        described(DirectorySource(path="empty"), interpreter, tmp_path)
    assert caught.value.code == "build-invalid"


def test_a_project_table_becomes_metadata_with_its_extras() -> None:
    content = static_project_metadata(
        "[project]\nname = 'A.b'\nversion = '2'\nrequires-python = '>=3.9'\n"
        "dependencies = ['x>1']\n"
        "[project.optional-dependencies]\nweb = ['y', 'z; os_name == \"nt\" or os_name == \"a\"']\n"
    )
    assert content is not None
    found = parse_metadata(content)
    assert (found.name, found.version, found.requires_python) == ("A.b", "2", ">=3.9")
    assert found.extras == ("web",)
    assert found.requires == (
        "x>1",
        'y; extra == "web"',
        'z; (os_name == "nt" or os_name == "a") and extra == "web"',
    )


@pytest.mark.parametrize(
    "pyproject",
    [
        "[",
        "",
        "project = 1",
        "[project]\nversion = '1'",
        "[project]\nname = 'a'",
        "[project]\nname = 'a'\nversion = '1'\ndynamic = ['requires-python']",
        "[project]\nname = 'a'\nversion = '1'\ndependencies = 7",
        "[project]\nname = 'a'\nversion = '1'\noptional-dependencies = {x = ['not valid!']}",
    ],
)
def test_a_project_table_that_does_not_tell_all_is_not_used(pyproject: str) -> None:
    assert static_project_metadata(pyproject) is None
