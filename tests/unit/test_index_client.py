from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.index import JSON_TYPE, Request, Response, serve
from tests.support.index import Index as Served
from tests.support.indexes import Memory, client
from tests.support.wheels import make_sdist, make_wheel, sha256_of
from venvman.index.client import Index
from venvman.model.errors import IndexFault
from venvman.model.names import NormalizedName

DEMO = NormalizedName("demo")


def names(index: Index, name: str = "demo", *, refresh: bool = False) -> list[str]:
    return [file.filename for file in index.files(NormalizedName(name), refresh=refresh)]


def fault_of(index: Index) -> IndexFault:
    with pytest.raises(IndexFault) as caught:
        index.files(DEMO)
    return caught.value


def answering(*answers: Response | None) -> Callable[[Request], Response | None]:
    """One answer after the other, then the usual ones."""
    waiting = list(answers)
    return lambda _: waiting.pop(0) if waiting else None


class TestPages:
    @pytest.mark.parametrize("html_only", [False, True])
    def test_both_forms_of_pages_are_read(
        self, index: Served, tmp_path: Path, html_only: bool
    ) -> None:
        wheel = make_wheel(index.folder, "demo", requires_python=">=3.8")
        index.html_only = html_only
        (file,) = client(tmp_path, index.simple).files(DEMO)
        assert file.filename == wheel.name
        assert file.hashes == (sha256_of(wheel),)
        assert file.requires_python == ">=3.8"
        assert file.url == f"{index.url}/files/{wheel.name}"

    def test_an_unknown_project_has_no_files(self, index: Served, tmp_path: Path) -> None:
        assert names(client(tmp_path, index.simple)) == []

    def test_all_indexes_count(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo", "1.0")
        with serve(tmp_path / "other") as other:
            make_wheel(other.folder, "demo", "2.0")
            found = names(client(tmp_path, index.simple, other.simple))
        assert found == ["demo-1.0-py3-none-any.whl", "demo-2.0-py3-none-any.whl"]

    def test_a_project_can_be_bound_to_an_index(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo", "1.0")
        with serve(tmp_path / "other") as other:
            make_wheel(other.folder, "demo", "2.0")
            own = client(tmp_path, index.simple, sources=((DEMO, other.simple),))
            assert names(own) == ["demo-2.0-py3-none-any.whl"]

    def test_many_threads_cause_one_request(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        own = client(tmp_path, index.simple)
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda _: names(own), range(16)))
        assert len(index.requests) == 1
        assert all(each == found[0] for each in found)

    def test_connections_are_kept(self, index: Served, tmp_path: Path) -> None:
        for name in ("one", "two", "three"):
            make_wheel(index.folder, name)
        own = client(tmp_path, index.simple)
        before = threading.active_count()
        found = [names(own, name) for name in ("one", "two", "three")]
        assert all(found)
        assert threading.active_count() - before <= 1  # the server has a thread per connection
        own.close()


class TestFreshness:
    def ask(self, index: Served, home: Path, *, refresh: bool = False) -> int:
        """Files of demo by a client of its own; how many requests that took."""
        before = len(index.requests)
        assert names(client(home, index.simple), refresh=refresh)
        return len(index.requests) - before

    def test_a_page_counts_as_fresh_for_a_while(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        assert [self.ask(index, tmp_path) for _ in range(2)] == [1, 0]

    def test_refresh_asks_again(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        assert [self.ask(index, tmp_path, refresh=True) for _ in range(2)] == [1, 1]

    def test_what_was_refreshed_is_what_others_see(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo", "1.0")
        own = client(tmp_path, index.simple)
        names(own)
        make_wheel(index.folder, "demo", "2.0")
        assert len(names(own)) == 1
        assert len(names(own, refresh=True)) == 2
        assert len(names(own)) == 2

    def test_no_such_project_is_said_only_after_asking(self, index: Served, tmp_path: Path) -> None:
        assert names(client(tmp_path, index.simple)) == []
        make_wheel(index.folder, "demo")
        assert names(client(tmp_path, index.simple)) == ["demo-1.0-py3-none-any.whl"]

    def test_an_index_without_the_project_is_not_asked_each_time(
        self, index: Served, tmp_path: Path
    ) -> None:
        make_wheel(index.folder, "demo")
        with serve(tmp_path / "other") as other:
            for _ in range(2):
                names(client(tmp_path, index.simple, other.simple))
            assert len(other.requests) == 1

    def test_max_age_is_obeyed(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        index.max_age = 0
        assert [self.ask(index, tmp_path) for _ in range(2)] == [1, 1]

    def test_an_unchanged_page_is_confirmed_not_sent(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        index.max_age, index.etags = 0, True
        self.ask(index, tmp_path)
        self.ask(index, tmp_path)
        assert "if-none-match" in index.requests[1].headers

    def test_a_changed_page_is_seen_behind_an_etag(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo", "1.0")
        index.max_age, index.etags = 0, True
        self.ask(index, tmp_path)
        make_wheel(index.folder, "demo", "2.0")
        assert len(names(client(tmp_path, index.simple))) == 2

    def test_offline_an_old_page_is_better_than_none(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        index.max_age = 0
        self.ask(index, tmp_path)
        assert names(client(tmp_path, index.simple, offline=True))
        assert len(index.requests) == 1

    @pytest.mark.parametrize("damage", [b"", b"x" * 400, None])
    def test_a_damaged_entry_counts_as_absent(
        self, index: Served, tmp_path: Path, damage: bytes | None
    ) -> None:
        make_wheel(index.folder, "demo")
        self.ask(index, tmp_path)
        (entry,) = [path for path in tmp_path.glob("cache/index-v1/*/*") if path.is_file()]
        content = entry.read_bytes()
        entry.write_bytes(content[:-3] + b"???" if damage is None else damage)
        assert self.ask(index, tmp_path) == 1

    def test_entries_are_private(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        self.ask(index, tmp_path)
        modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "cache").rglob("*")}
        assert modes == {0}

    def test_a_cache_that_cannot_be_written_is_one_warning(
        self, index: Served, tmp_path: Path
    ) -> None:
        for name in ("one", "two"):
            make_wheel(index.folder, name)
        (tmp_path / "cache").write_text("a file in the way")
        memory = Memory()
        own = client(tmp_path, index.simple, reporter=memory)
        assert names(own, "one")
        assert names(own, "two")
        assert memory.codes == ["cache-unwritable"]

    def test_a_clock_that_went_back_makes_nothing_fresh(
        self, index: Served, tmp_path: Path
    ) -> None:
        make_wheel(index.folder, "demo")
        self.ask(index, tmp_path)
        future = time.time() + 86400
        for entry in tmp_path.glob("cache/index-v1/*/*"):
            os.utime(entry, (future, future))
        assert self.ask(index, tmp_path) == 1

    def test_no_store_keeps_nothing(self, index: Served, tmp_path: Path) -> None:
        body = b'{"files": [{"filename": "demo-1.0.tar.gz", "url": "x", "hashes": {}}]}'
        headers = {"Content-Type": JSON_TYPE, "Cache-Control": "no-store"}
        index.intercept = lambda _: Response(200, body, headers)
        assert [self.ask(index, tmp_path) for _ in range(2)] == [1, 1]


class TestFaults:
    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (401, "index-unauthorised"),
            (403, "index-forbidden"),
            (418, "index-error"),
            (429, "index-rate-limited"),
            (500, "index-error"),
        ],
    )
    def test_a_refusal_names_the_url_the_reason_and_a_way_out(
        self, index: Served, tmp_path: Path, status: int, code: str
    ) -> None:
        index.intercept = lambda _: Response(status, b"no")
        fault = fault_of(client(tmp_path, index.simple, retries=0))
        assert fault.code == code
        assert f"{index.simple}/demo/" in fault.message
        assert str(status) in (fault.why or "")
        assert fault.fix

    def test_a_passing_failure_is_tried_again(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        index.intercept = answering(Response(503, b"busy"))
        memory = Memory()
        assert names(client(tmp_path, index.simple, reporter=memory))
        assert "Trying again" in memory.details[0]

    def test_the_server_may_say_how_long_to_wait(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        index.intercept = answering(Response(429, b"", {"Retry-After": "0"}))
        started = time.monotonic()
        assert names(client(tmp_path, index.simple))
        assert time.monotonic() - started < 5

    def test_a_long_wait_is_told_at_once(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        index.intercept = answering(Response(429, b"", {"Retry-After": "2"}))
        memory = Memory()
        assert names(client(tmp_path, index.simple, reporter=memory))
        assert [each.code for each in memory.problems] == ["index-asks-to-wait"]
        assert memory.problems[0].message.endswith("Trying again in 2.0 s.")

    def test_a_page_that_is_cut_is_asked_for_again(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        index.intercept = answering(Response(200, b'{"files": []}', {}, cut=4))
        assert names(client(tmp_path, index.simple))

    def test_an_unknown_host_is_named(self, tmp_path: Path) -> None:
        fault = fault_of(client(tmp_path, "https://nowhere.invalid/simple", retries=0))
        assert fault.code == "index-unreachable"

    def test_a_dead_index_is_waited_for_once(self, tmp_path: Path) -> None:
        own = client(tmp_path, "http://127.0.0.1:9/simple")
        assert fault_of(own) is fault_of(own)

    def test_a_503_of_a_second_index_is_no_reason_to_go_on_without_it(
        self, index: Served, tmp_path: Path
    ) -> None:
        make_wheel(index.folder, "demo")
        with serve(tmp_path / "other") as other:
            other.intercept = lambda _: Response(503, b"")
            fault = fault_of(client(tmp_path, index.simple, other.simple, retries=0))
        assert other.simple in fault.message

    def test_a_403_beside_another_index_is_a_warning(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        memory = Memory()
        with serve(tmp_path / "other") as other:
            other.intercept = lambda _: Response(403, b"")
            assert names(client(tmp_path, index.simple, other.simple, reporter=memory))
        assert memory.codes == ["index-forbidden"]

    def test_a_403_is_an_error_where_nobody_has_the_project(
        self, index: Served, tmp_path: Path
    ) -> None:
        with serve(tmp_path / "other") as other:
            other.intercept = lambda _: Response(403, b"")
            fault = fault_of(client(tmp_path, index.simple, other.simple))
        assert fault.code == "index-forbidden"

    def test_a_host_that_is_not_trusted_is_left_out(self, tmp_path: Path) -> None:
        memory = Memory()
        near, far = (tmp_path / "simple").as_uri(), "http://mirror.invalid/simple"
        make_wheel(tmp_path / "simple/demo", "demo")
        assert names(client(tmp_path, near, far, reporter=memory))
        assert memory.codes == ["index-insecure"]

    def test_where_no_host_is_trusted_nobody_is_said_to_have_been_asked(
        self, tmp_path: Path
    ) -> None:
        assert fault_of(client(tmp_path, "http://mirror.invalid/simple")).code == "index-insecure"

    def test_redirects_in_circles_end(self, index: Served, tmp_path: Path) -> None:
        index.intercept = lambda request: Response(302, b"", {"Location": request.path})
        assert fault_of(client(tmp_path, index.simple)).code == "index-redirects"

    def test_a_redirect_to_a_file_is_not_followed(self, index: Served, tmp_path: Path) -> None:
        index.intercept = lambda _: Response(302, b"", {"Location": "file:///etc/passwd"})
        assert fault_of(client(tmp_path, index.simple)).code == "index-redirects"


class TestLocal:
    def test_a_folder_of_links_counts(self, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path / "links", "demo")
        make_sdist(tmp_path / "links", "demo", "2.0")
        make_wheel(tmp_path / "links", "other")
        own = client(tmp_path, find_links=(str(tmp_path / "links"),))
        assert own.is_local
        assert not client(tmp_path, "http://localhost/", find_links=(str(tmp_path),)).is_local
        files = own.files(DEMO)
        assert [file.filename for file in files] == [wheel.name, "demo-2.0.tar.gz"]
        assert files[0].url == wheel.as_uri()

    def test_links_come_before_indexes(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo", "1.0")
        make_wheel(tmp_path / "links", "demo", "2.0")
        found = names(client(tmp_path, index.simple, find_links=(str(tmp_path / "links"),)))
        assert found[0].startswith("demo-2.0")

    def test_a_page_of_links_on_disk_counts(self, tmp_path: Path) -> None:
        page = tmp_path / "links.html"
        page.write_text('<a href="files/demo-1.0.tar.gz">x</a><a href="other-1.0.tar.gz">y</a>')
        (file,) = client(tmp_path, find_links=(page.as_uri(),)).files(DEMO)
        assert file.url == (tmp_path / "files/demo-1.0.tar.gz").as_uri()

    def test_a_page_in_a_folder_of_links_counts(self, tmp_path: Path) -> None:
        (tmp_path / "links").mkdir()
        (tmp_path / "links/more.html").write_text('<a href="demo-1.0.tar.gz">x</a>')
        assert names(client(tmp_path, find_links=(str(tmp_path / "links"),)))

    def test_a_page_of_links_on_a_server_counts(self, index: Served, tmp_path: Path) -> None:
        body = b'<a href="/f/demo-1.0.tar.gz">x</a>'
        index.intercept = lambda _: Response(200, body, {"Content-Type": "text/html"})
        (file,) = client(tmp_path, find_links=(f"{index.url}/links",)).files(DEMO)
        assert file.url == f"{index.url}/f/demo-1.0.tar.gz"

    def test_an_archive_itself_may_be_a_link(self, index: Served, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path, "demo")
        remote = f"{index.url}/demo-2.0.tar.gz"
        own = client(tmp_path, find_links=(str(wheel), remote))
        assert [file.url for file in own.files(DEMO)] == [wheel.as_uri(), remote]

    def test_a_missing_folder_is_one_warning(self, tmp_path: Path) -> None:
        memory = Memory()
        own = client(tmp_path, find_links=(str(tmp_path / "none"),), reporter=memory)
        assert names(own, "one") == names(own, "two") == []
        assert memory.codes == ["location-missing"]

    def test_an_insecure_page_of_links_is_left_out(self, tmp_path: Path) -> None:
        memory = Memory()
        links = (str(tmp_path), "http://mirror.invalid/links")
        own = client(tmp_path, find_links=links, reporter=memory)
        assert names(own) == []
        assert memory.codes == ["index-insecure"]

    def test_an_index_may_be_a_folder_of_folders(self, tmp_path: Path) -> None:
        make_wheel(tmp_path / "simple/demo", "demo")
        assert names(client(tmp_path, (tmp_path / "simple").as_uri()))

    def test_an_index_may_be_a_folder_of_pages(self, tmp_path: Path) -> None:
        (tmp_path / "simple/demo").mkdir(parents=True)
        (tmp_path / "simple/demo/index.html").write_text('<a href="../demo-1.0.tar.gz">x</a>')
        (file,) = client(tmp_path, str(tmp_path / "simple")).files(DEMO)
        assert file.url == (tmp_path / "simple/demo-1.0.tar.gz").as_uri()

    def test_a_project_that_a_folder_does_not_have_has_no_files(self, tmp_path: Path) -> None:
        (tmp_path / "simple").mkdir()
        assert names(client(tmp_path, str(tmp_path / "simple"))) == []

    def test_an_index_folder_that_is_not_there_is_one_warning(self, tmp_path: Path) -> None:
        memory = Memory()
        own = client(tmp_path, (tmp_path / "none").as_uri(), reporter=memory)
        assert names(own, "one") == names(own, "two") == []
        assert memory.codes == ["location-missing"]

    def test_a_page_on_disk_that_is_none_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "simple/demo").mkdir(parents=True)
        (tmp_path / "simple/demo/index.json").write_text("{")
        assert fault_of(client(tmp_path, str(tmp_path / "simple"))).code == "index-unreadable"

    def test_a_broken_page_of_links_is_named(self, tmp_path: Path) -> None:
        page = tmp_path / "links.html"
        page.write_text('<meta name="pypi:repository-version" content="9.0">')
        assert fault_of(client(tmp_path, find_links=(str(page),))).code == "index-unreadable"


class TestRead:
    def test_a_missing_document_is_named(self, index: Served, tmp_path: Path) -> None:
        for url in (f"{index.url}/none.txt", (tmp_path / "none.txt").as_uri()):
            with pytest.raises(IndexFault, match=r"none\.txt"):
                client(tmp_path).read(url)
