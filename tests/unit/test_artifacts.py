from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from packaging.version import Version

from tests.support.cli import PATIENCE
from tests.support.index import Index, Request, Response
from tests.support.wheels import in_tree_backend, large, make_sdist, make_wheel, sha256_of
from venvman.build.backend import BuildContext, BuildSettings
from venvman.engines.buildrequirements import supply
from venvman.index.candidates import Candidate
from venvman.index.client import Index as Client
from venvman.index.download import Downloaded
from venvman.lock.file import LockEntry
from venvman.model.errors import FileLine, InstallError
from venvman.model.events import Reporter, Stage
from venvman.model.names import canonical
from venvman.model.options import IndexOptions
from venvman.model.sources import ArchiveSource, DirectorySource, IndexSource, Source, VcsSource
from venvman.obtain.artifacts import Obtained, obtain
from venvman.obtain.sources import unpack_sdist
from venvman.obtain.unpackers import Unpackers
from venvman.python.probe import Interpreter
from venvman.store.store import Store
from venvman.system.directories import Directories
from venvman.system.git import git


class Listener(Reporter):
    def __init__(self) -> None:
        self.items: list[str] = []
        self.builds: list[str] = []
        self.unpacked: list[str] = []

    def advanced(self, stage: Stage, *, item: str) -> None:
        assert stage is Stage.FETCH
        self.items.append(item)

    def build_started(self, label: str) -> None:
        self.builds.append(label)

    def unpack_started(self, label: str) -> None:
        self.unpacked.append(f"begin {label}")

    def unpack_finished(self, label: str) -> None:
        self.unpacked.append(f"end {label}")


@dataclass
class World:
    """An index, a store and everything else that :func:`obtain` wants."""

    index: Index
    interpreter: Interpreter
    root: Path
    options: IndexOptions
    settings: BuildSettings
    listener: Listener

    def obtain(
        self, *entries: LockEntry, unpack: Callable[[str, str, str], None] | None = None
    ) -> dict[str, Obtained]:
        cache = self.settings.cache
        with (
            closing(
                Client(
                    self.options,
                    directories=Directories(cache=cache, state=cache),
                    variables=self.settings.variables,
                )
            ) as client,
            Store(cache) as store,
        ):
            self.listener.items.clear()
            context = BuildContext(
                interpreter=self.interpreter,
                options=self.options,
                settings=self.settings,
                reporter=self.listener,
            )
            result = obtain(
                entries, context, index=lambda: client, store=store, root=self.root, unpack=unpack
            )
        return {str(name): each for name, each in result.items()}

    def rejection(self, *entries: LockEntry) -> InstallError:
        with pytest.raises(InstallError) as caught:
            self.obtain(*entries)
        return caught.value

    def wheel(self, name: str, version: str = "1.0", **more: str) -> Path:
        return make_wheel(self.index.folder, name, version, **more)  # type: ignore[arg-type]

    def forget(self) -> None:
        """The requests and builds so far."""
        self.index.requests.clear()
        self.listener.builds.clear()


@pytest.fixture
def world(index: Index, interpreter: Interpreter, tmp_path: Path) -> World:
    return World(
        index=index,
        interpreter=interpreter,
        root=tmp_path,
        options=IndexOptions(index_urls=(index.simple,), retries=0),
        settings=BuildSettings(cache=tmp_path / "cache", variables=dict(os.environ), supply=supply),
        listener=Listener(),
    )


def pin(
    name: str,
    version: str | None = "1.0",
    *hashes: str,
    source: Source | None = None,
    line: int = 7,
    path: str = "requirements.lock",
) -> LockEntry:
    return LockEntry(
        name=canonical(name),
        version=None if version is None else Version(version),
        source=source or IndexSource(),
        hashes=hashes,
        origin=FileLine(path=path, line=line, text=f"{name}=={version} \\\n    --hash=..."),
    )


def direct(obtained: Obtained) -> dict[str, object]:
    assert obtained.direct_url is not None
    document = json.loads(obtained.direct_url)
    assert isinstance(document, dict)
    return document


def project(folder: Path, name: str = "local", **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    return unpack_sdist(make_sdist(folder, name, files=files), folder / "source")


# --- index entries


def test_the_unpacking_of_what_has_arrived_is_told(world: World) -> None:
    a = world.wheel("a")
    world.obtain(pin("a", "1.0", sha256_of(a)))
    assert world.listener.unpacked == [f"begin {a.name}", f"end {a.name}"]


def test_another_hash_in_the_lock_is_another_question(world: World) -> None:
    world.obtain(pin("a", "1.0", sha256_of(world.wheel("a"))))
    assert world.rejection(pin("a", "1.0", "sha256:" + "0" * 64)).code == "no-matching-file"


def test_the_wheel_that_fits_the_target_best_is_taken(world: World) -> None:
    world.wheel("a")
    special = world.wheel("a", tag=world.interpreter.target.tags[0])
    assert world.obtain(pin("a"))["a"].wheel.filename == special.name


def test_a_pin_never_stands_for_a_local_version(world: World) -> None:
    world.wheel("a", "1.0+cpu")
    error = world.rejection(pin("a"))
    assert error.code == "version-not-found"
    assert error.why == "They have 1.0+cpu, which is another build."


def test_a_cache_that_is_full_is_done_without(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = world.wheel("a")
    download = Client.download

    def on_a_full_disk(client: Client, url: str, folder: Path, **more: Any) -> Downloaded:
        if folder.is_relative_to(world.settings.cache):
            raise InstallError("Full.", code="download-unwritable")
        return download(client, url, folder, **more)

    monkeypatch.setattr(Client, "download", on_a_full_disk)
    assert world.obtain(pin("a"))["a"].wheel.filename == wheel.name


def test_the_largest_file_is_downloaded_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from venvman.obtain import fetching

    monkeypatch.setattr(fetching, "_DOWNLOADS", 1)
    all_queued, begin, best = Event(), fetching._Download.begin, fetching.Downloads.best

    def queued(download: fetching._Download) -> None:
        begin(download)
        if download.entry.name == "c":
            all_queued.set()

    def best_then(downloads: fetching.Downloads, entry: LockEntry) -> Candidate:
        all_queued.wait(PATIENCE)
        return best(downloads, entry)

    monkeypatch.setattr(fetching._Download, "begin", queued)
    monkeypatch.setattr(fetching.Downloads, "best", best_then)
    for name, size in (("a", 10), ("b", 30_000), ("c", 10_000)):
        make_wheel(world.index.folder, name, files={f"{name}.py": "x" * size}, compress=False)
    world.obtain(pin("a"), pin("b"), pin("c"))
    paths = [request.path for request in world.index.asked_for(".whl")]
    assert [path.rpartition("/")[2][0] for path in paths] == ["b", "c", "a"]


def test_no_fitting_file_says_why_each_one_was_refused(world: World) -> None:
    for tag in ("cp27-cp27m-win32", "cp27-cp27m-win_amd64", "cp39-none-macosx_11_0_arm64"):
        world.wheel("a", tag=tag)
    error = world.rejection(pin("a"))
    assert error.code == "no-matching-file"
    assert error.message.startswith("No file of a 1.0 fits Python 3.")
    assert "a-1.0-cp27-cp27m-win32.whl is for win32" in (error.why or "")
    (problem,) = error.problems
    assert (problem.path, problem.line, problem.text) == ("requirements.lock", 7, "a==1.0")


def test_only_some_of_many_reasons_are_shown(world: World) -> None:
    for minor in range(1, 8):
        world.wheel("a", tag=f"cp2{minor}-none-any")
    assert (world.rejection(pin("a")).why or "").endswith("And 3 more.")


def test_a_version_that_is_gone_is_looked_for_again_before_it_is_missed(world: World) -> None:
    world.wheel("a", "2.0")
    world.obtain(pin("a", "2.0"))
    late = world.wheel("a", "3.0")
    assert world.obtain(pin("a", "3.0"))["a"].wheel.filename == late.name
    error = world.rejection(pin("a", "4.0"))
    assert error.code == "version-not-found"
    assert str(error.fix) == "venvman upgrade a"


def test_a_file_with_another_hash_is_refused_and_not_kept(world: World) -> None:
    wheel = world.wheel("a")
    expected = sha256_of(wheel)
    tampered = make_wheel(world.root, "a", files={"a.py": "evil"}).read_bytes()

    def swap(request: Request) -> Response | None:
        return Response(200, tampered) if request.path.endswith(".whl") else None

    world.index.intercept = swap
    error = world.rejection(pin("a", "1.0", expected))
    assert error.code == "hash-mismatch"
    assert wheel.name in error.message
    assert expected in (error.why or "")
    world.index.intercept = None
    assert (world.obtain(pin("a", "1.0", expected))["a"].wheel.folder / "a.py").is_file()


def test_all_failures_are_reported_at_once_by_name(world: World) -> None:
    world.wheel("good")
    broken = make_wheel(world.index.folder, "broken", raw={"../out": b""})
    entries = [pin("good"), pin("lost", line=1), pin("broken", line=2), pin("absent", line=3)]
    error = world.rejection(*entries)
    assert error.message == "3 packages could not be fetched."
    assert [(each.line, each.code) for each in error.problems] == [
        (3, "version-not-found"),
        (2, "wheel-entry-unsafe"),
        (1, "version-not-found"),
    ]
    assert broken.name in error.problems[1].message
    assert "good 1.0" in world.listener.items


def test_a_host_that_does_not_answer_is_one_problem_for_all_that_is_wanted_from_it(
    world: World,
) -> None:
    world.options = replace(world.options, index_urls=("http://127.0.0.1:9/simple",))
    error = world.rejection(*[pin(f"a{number}", line=number) for number in range(1, 8)])
    assert error.message == "7 packages could not be fetched."
    (problem,) = error.problems
    assert (problem.line, problem.code) == (1, "index-unreachable")
    first, second = (problem.why or "").splitlines()
    assert first == "No connection to 127.0.0.1:9: Connection refused."
    assert second == "The same goes for 6 other packages: a2 1.0, a3 1.0, a4 1.0, a5 1.0, 2 more."


def test_a_file_that_the_index_lists_and_does_not_have_is_its_owners_matter(world: World) -> None:
    world.wheel("a")
    gone = Response(status=404)
    world.index.intercept = lambda asked: gone if asked.path.endswith(".whl") else None
    error = world.rejection(pin("a"))
    assert error.code == "index-not-found"
    assert "lists a file that it does not have" in (error.why or "")
    assert str(error.fix) == "venvman upgrade a"


def test_a_worker_process_unpacks_and_says_why_it_refuses(world: World) -> None:
    world.wheel("good")
    make_wheel(world.index.folder, "broken", files=large("broken"), raw={"../out": b""})
    with Unpackers() as workers:
        with pytest.raises(InstallError) as caught:
            world.obtain(pin("good"), pin("broken"), unpack=workers.unpack)
        assert caught.value.code == "wheel-entry-unsafe"
        assert "good 1.0" in world.listener.items


def test_a_fault_of_venvman_itself_is_not_dressed_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    world.wheel("a")
    monkeypatch.setattr(Store, "add", wrong)
    with pytest.raises(ZeroDivisionError):
        world.obtain(pin("a"))


# --- hashes


def test_hashes_of_one_file_demand_none_of_another(world: World) -> None:
    a = sha256_of(world.wheel("a"))
    world.wheel("b")
    assert len(world.obtain(pin("a", "1.0", a), pin("b", path="dev.lock"))) == 2


def test_require_hashes_demands_them_of_all(world: World) -> None:
    world.options = replace(world.options, require_hashes=True)
    assert world.rejection(pin("a")).code == "hash-missing"


def test_folders_cannot_have_hashes_and_need_none(world: World, tmp_path: Path) -> None:
    a = sha256_of(world.wheel("a"))
    folder = project(tmp_path / "p")
    local = pin("local", None, source=DirectorySource(path=str(folder)))
    assert len(world.obtain(pin("a", "1.0", a), local)) == 2


# --- sdists and archives


def test_other_settings_for_the_build_are_another_wheel(world: World) -> None:
    entry = pin("a", "1.0", sha256_of(make_sdist(world.index.folder, "a")))
    world.obtain(entry)
    world.forget()
    given = {canonical("a"): (("x", "1"),)}
    world.settings = replace(world.settings, config_settings=given)
    world.obtain(entry)
    assert world.listener.builds == ["a 1.0"]


def test_an_sdist_that_builds_something_else_is_refused(world: World) -> None:
    make_sdist(world.index.folder, "a", backend=in_tree_backend("other", "1.0"))
    error = world.rejection(pin("a"))
    assert error.code == "wheel-name"
    assert error.why == "It holds other, not a."


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_an_archive_whose_hash_is_known_is_fetched_once(world: World, kind: str) -> None:
    make = make_wheel if kind == "wheel" else make_sdist
    path = make(world.index.folder, "a")
    url = f"{world.index.url}/files/{path.name}"
    entry = pin("a", "1.0", source=ArchiveSource(url=url, hashes=(sha256_of(path),)))
    first = world.obtain(entry)
    world.forget()
    assert world.obtain(entry) == first
    assert (world.index.requests, world.listener.builds) == ([], [])


def test_an_archive_without_a_hash_is_fetched_again_since_it_may_have_changed(world: World) -> None:
    url = f"{world.index.url}/files/{world.wheel('a').name}"
    entry = pin("a", None, source=ArchiveSource(url=url))
    world.obtain(entry)
    make_wheel(world.index.folder, "a", files={"a.py": "new"})
    got = world.obtain(entry)["a"]
    assert (got.wheel.folder / "a.py").read_text() == "new"


def test_an_archive_that_holds_another_project_is_refused(world: World) -> None:
    url = f"{world.index.url}/files/{world.wheel('other').name}"
    assert world.rejection(pin("a", None, source=ArchiveSource(url=url))).code == "wheel-name"


def test_a_stored_wheel_of_another_name_does_not_answer_for_an_archive(world: World) -> None:
    wheel = world.wheel("other")
    world.obtain(pin("other"))
    source = ArchiveSource(
        url=f"{world.index.url}/files/{wheel.name}", hashes=(sha256_of(wheel), "md5:0")
    )
    assert world.rejection(pin("a", None, source=source)).code == "wheel-name"


def test_a_variable_in_a_url_is_expanded_for_fetching_only(world: World) -> None:
    world.index.password = "s3cret"
    wheel = world.wheel("a")
    url = f"{world.index.url}/files/{wheel.name}".replace("://", "://${NAME}:${PASSWORD}@")
    variables = {**world.settings.variables, "NAME": "me", "PASSWORD": "s3cret"}
    world.settings = replace(world.settings, variables=variables)
    got = world.obtain(pin("a", None, source=ArchiveSource(url=url)))["a"]
    assert direct(got)["url"] == url


def test_a_subdirectory_of_an_archive_is_what_is_built(world: World, tmp_path: Path) -> None:
    import shutil

    folder = project(tmp_path / "p", "a")
    (tmp_path / "tree" / "top").mkdir(parents=True)
    folder.rename(tmp_path / "tree" / "top" / "inner")
    archive = shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "tree")
    source = ArchiveSource(url=Path(archive).as_uri(), subdirectory="inner")
    got = world.obtain(pin("a", None, source=source))["a"]
    assert direct(got)["subdirectory"] == "inner"
    outside = replace(source, subdirectory="../..")
    assert world.rejection(pin("a", None, source=outside)).code == "subdirectory-missing"


def test_an_sdist_that_was_built_for_another_pin_does_not_answer_for_this_one(world: World) -> None:
    path = make_sdist(world.index.folder, "a")
    url = f"{world.index.url}/files/{path.name}"
    world.obtain(pin("a", None, source=ArchiveSource(url=url)))
    assert world.rejection(pin("a", "2.0", source=ArchiveSource(url=url))).why == (
        "It holds version 1.0, not 2.0."
    )


# --- folders and repositories


def test_a_folder_is_built_again_only_after_a_change(world: World, tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    entry = pin("local", None, source=DirectorySource(path=str(folder)))
    got = world.obtain(entry)["local"]
    assert direct(got) == {"url": folder.as_uri(), "dir_info": {}}
    world.forget()
    world.obtain(entry)
    assert world.listener.builds == []
    (folder / "local.py").write_text("changed = True\n")
    again = world.obtain(entry)["local"]
    assert (again.wheel.folder / "local.py").read_text() == "changed = True\n"


def test_an_editable_is_built_again_only_when_its_metadata_may_have_changed(
    world: World, tmp_path: Path
) -> None:
    folder = project(tmp_path / "p")
    entry = pin("local", None, source=DirectorySource(path=str(folder), editable=True))
    got = world.obtain(entry)["local"]
    assert direct(got)["dir_info"] == {"editable": True}
    assert (got.wheel.folder / "__editable__.local-1.0.pth").read_text() == f"{folder}\n"
    world.forget()
    (folder / "local.py").write_text("changed = True\n")
    world.obtain(entry)
    assert world.listener.builds == []
    with (folder / "pyproject.toml").open("a") as stream:
        stream.write("# changed\n")
    world.obtain(entry)
    assert world.listener.builds == ["local"]


def test_a_folder_that_is_gone_is_named(world: World, tmp_path: Path) -> None:
    source = DirectorySource(path=str(tmp_path / "gone"), editable=True)
    error = world.rejection(pin("local", None, source=source))
    assert error.code == "folder-missing"
    assert "gone is not a folder" in error.message


def test_a_commit_is_built_once_and_recorded(world: World, tmp_path: Path) -> None:
    folder = project(tmp_path / "p")

    def run(*arguments: str) -> str:
        return git(*arguments, cwd=folder, variables=os.environ).strip()

    run("init", "-q")
    run("add", "-A")
    run("commit", "-qm", "one")
    commit = run("rev-parse", "HEAD")
    source = VcsSource(vcs="git", url=folder.as_uri(), revision="main")
    got = world.obtain(pin("local", None, source=source))["local"]
    assert direct(got)["vcs_info"] == {
        "vcs": "git",
        "commit_id": commit,
        "requested_revision": "main",
    }
    world.forget()
    # By branch the commit is looked up again, but not built again.
    assert world.obtain(pin("local", None, source=source))["local"] == got
    folder.rename(tmp_path / "away")
    exact = replace(source, commit=commit)
    assert world.obtain(pin("local", None, source=exact))["local"] == got
    assert world.listener.builds == []


def test_a_repository_that_is_gone_is_a_problem_of_its_line(world: World, tmp_path: Path) -> None:
    source = VcsSource(vcs="git", url=(tmp_path / "gone").as_uri())
    error = world.rejection(pin("local", None, source=source))
    assert (error.code, error.problems[0].line) == ("repository-unreachable", 7)


def test_nothing_is_left_in_the_cache_but_what_is_for_keeps(world: World) -> None:
    make_sdist(world.index.folder, "a")
    world.wheel("b")
    world.obtain(pin("a"), pin("b"))
    assert list((world.settings.cache / "working").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_replaced_by_a_temporary_folder(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    world.settings = replace(world.settings, cache=tmp_path / "file" / "cache")
    make_sdist(world.index.folder, "a")
    assert world.obtain(pin("a"))["a"].wheel.manifest.name == "a"
