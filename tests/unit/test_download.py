from __future__ import annotations

import hashlib
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.index import Index as Served
from tests.support.index import Request, Response
from tests.support.indexes import Memory, client
from tests.support.wheels import make_wheel, sha256_of
from venvman.index.download import safe_leaf
from venvman.index.pace import SLOWEST, Pace, TooSlow
from venvman.model.errors import IndexFault, InstallError
from venvman.model.names import canonical

BODY = bytes(range(256)) * 2000
SHA256 = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
LEAF = "demo-1.0-py3-none-any.whl"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "downloads"
    path.mkdir()
    return path


def error_of(index: Served, folder: Path, *hashes: str, size: int | None = None) -> InstallError:
    with pytest.raises(InstallError) as caught:
        client(folder.parent).download(
            f"{index.url}/f/{LEAF}", folder, hashes=hashes, label="demo 1.0", size=size
        )
    assert list(folder.iterdir()) == []
    return caught.value


def serving(body: bytes = BODY) -> Response:
    return Response(200, body)


def test_a_file_arrives_whole_and_hashed(index: Served, tmp_path: Path, folder: Path) -> None:
    wheel = make_wheel(index.folder, "demo")
    memory = Memory()
    done = client(tmp_path, reporter=memory).download(
        f"{index.url}/files/{wheel.name}", folder, hashes=(sha256_of(wheel),), label="demo 1.0"
    )
    assert done.path == folder / wheel.name
    assert done.path.read_bytes() == wheel.read_bytes()
    assert f"sha256:{done.sha256}" == sha256_of(wheel)
    assert memory.received == {"demo 1.0": done.size}


def test_a_local_file_is_copied_and_hashed(tmp_path: Path, folder: Path) -> None:
    wheel = make_wheel(tmp_path, "demo")
    done = client(tmp_path, offline=True).download(wheel.as_uri(), folder, label="demo 1.0")
    assert done.path.read_bytes() == wheel.read_bytes()
    assert f"sha256:{done.sha256}" == sha256_of(wheel)


def test_a_local_file_that_is_gone_is_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InstallError, match=r"demo 1\.0") as caught:
        client(tmp_path).download((tmp_path / "x.whl").as_uri(), folder, label="demo 1.0")
    assert caught.value.code == "file-missing"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_any_strong_hash_will_do(index: Served, folder: Path, algorithm: str) -> None:
    index.intercept = lambda _: serving()
    fitting = f"{algorithm}:{hashlib.new(algorithm, BODY).hexdigest()}"
    done = client(folder.parent).download(
        f"{index.url}/{LEAF}", folder, hashes=("sha256:" + "0" * 64, fitting), label="demo"
    )
    assert f"sha256:{done.sha256}" == SHA256


def test_many_expected_hashes_are_not_all_listed(index: Served, folder: Path) -> None:
    index.intercept = lambda _: serving()
    error = error_of(index, folder, *(f"sha256:{digit * 64}" for digit in "01234"))
    assert "or 2 others" in (error.why or "")


def test_md5_is_never_believed(index: Served, folder: Path) -> None:
    index.intercept = lambda _: serving()
    error = error_of(index, folder, f"md5:{hashlib.md5(BODY).hexdigest()}")
    assert error.code == "hash-weak"
    assert index.requests == []


def test_without_hashes_the_size_is_checked(index: Served, folder: Path) -> None:
    index.intercept = lambda _: serving()
    assert error_of(index, folder, size=7).code == "size-mismatch"


def test_with_the_right_hash_a_lie_about_the_size_is_harmless(index: Served, folder: Path) -> None:
    index.intercept = lambda _: serving()
    done = client(folder.parent).download(
        f"{index.url}/{LEAF}", folder, hashes=(SHA256,), label="demo", size=7
    )
    assert done.size == len(BODY)


@pytest.mark.parametrize("etag", ['"one"', 'W/"one"', ""])
def test_a_cut_download_goes_on_or_starts_again(index: Served, folder: Path, etag: str) -> None:
    def answer(request: Request) -> Response:
        headers = {"ETag": etag} if etag else {}
        if len(index.requests) == 1:
            return Response(200, BODY, headers, cut=300_000)
        start = int(request.headers.get("range", "bytes=0-")[6:-1])
        if not start:
            return Response(200, BODY, headers)
        headers["Content-Range"] = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
        return Response(206, BODY[start:], headers)

    index.intercept = answer

    client(folder.parent).download(f"{index.url}/{LEAF}", folder, hashes=(SHA256,), label="demo")

    # Only a strong validator lets two halves be put together.
    assert ("range" in index.requests[1].headers) == etag.startswith('"')


def test_a_changed_file_is_fetched_from_the_start(index: Served, folder: Path) -> None:
    def answer(request: Request) -> Response:
        if len(index.requests) == 1:
            return Response(200, b"x" * 400_000, {"ETag": '"old"'}, cut=300_000)
        return Response(200, BODY, {"ETag": '"new"'})

    index.intercept = answer
    done = client(folder.parent).download(
        f"{index.url}/{LEAF}", folder, hashes=(SHA256,), label="demo"
    )
    assert index.requests[1].headers["if-range"] == '"old"'
    assert done.size == len(BODY)


def test_a_file_that_is_gone_is_named(index: Served, folder: Path) -> None:
    with pytest.raises(IndexFault) as caught:
        client(folder.parent).download(f"{index.url}/files/{LEAF}", folder, label="demo")
    assert caught.value.code == "index-not-found"
    assert LEAF in caught.value.message


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InstallError) as caught:
        client(tmp_path).download("https://x.test/a.whl", tmp_path / "none", label="demo")
    assert caught.value.code == "download-unwritable"
    assert "TMPDIR" in str(caught.value.fix)
    folder = type(tmp_path)("/nowhere/cache")
    with pytest.raises(InstallError) as caught:
        client(tmp_path).download("https://x.test/a.whl", folder, label="demo")
    assert "VENVMAN_CACHE_DIR" in str(caught.value.fix)


@pytest.mark.parametrize("size", [2_000_000, 2_000])
def test_a_full_disk_is_no_network_trouble(index: Served, folder: Path, size: int) -> None:
    resource = pytest.importorskip("resource", reason="POSIX can limit the size of files")
    index.intercept = lambda _: serving(b"x" * size)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        error = error_of(index, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.code == "download-unwritable"
    assert error.why == "File too large."


@pytest.mark.parametrize(
    ("url", "leaf"),
    [
        ("https://x.test/a/demo-1.0%2Bcpu.whl#sha256=ab", "demo-1.0+cpu.whl"),
        ("https://x.test/a/%2e%2e%2fevil", "evil"),
        ("https://x.test/a/..%5cevil", "evil"),
        ("https://x.test/a/..", "download"),
        ("https://x.test/", "download"),
    ],
)
def test_a_file_name_never_leaves_its_folder(url: str, leaf: str) -> None:
    assert safe_leaf(url) == leaf


# ---- what trickles is given up; what is only slow is waited for ----


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n"


def test_a_byte_now_and_then_is_too_slow_when_the_window_is_over() -> None:
    pace = Pace(10.0)
    for _ in range(9):
        pace.note(waited=1.0, received=1)
    with pytest.raises(TooSlow):
        pace.note(waited=1.0, received=1)


def test_one_long_wait_among_quick_ones_is_not_too_slow() -> None:
    pace = Pace(10.0)
    for _ in range(100):
        pace.note(waited=9.0, received=0)
        pace.note(waited=1.0, received=10 * SLOWEST)


def test_a_quick_beginning_does_not_pay_for_what_trickles_after_it() -> None:
    pace = Pace(10.0)
    pace.note(waited=10.0, received=1_000_000)
    with pytest.raises(TooSlow):
        pace.note(waited=10.0, received=1)


@contextmanager
def trickling(quick: bytes) -> Iterator[str]:
    """A server that sends ``quick`` at once, and from then on a byte every 20 ms, for ever."""
    stopped = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            try:
                self.request.sendall(quick)
                while not stopped.wait(0.02):
                    self.request.sendall(b"X")
            except OSError:
                pass  # the client has hung up

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            stopped.set()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "quick", [b"HTTP/1.1 200 OK\r\nX-Long: ", HEAD, HEAD + b"<!DOCTYPE html>"], ids=len
)
def test_a_page_that_trickles_is_a_fault_that_says_so(tmp_path: Path, quick: bytes) -> None:
    with trickling(quick) as url, pytest.raises(IndexFault) as caught:
        client(tmp_path, f"{url}/simple", timeout=1.0).files(canonical("alpha"))
    assert caught.value.code == "index-too-slow"
    assert "PIP_DEFAULT_TIMEOUT" in str(caught.value.fix)


def test_a_file_that_trickles_is_a_fault_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "downloads"
    folder.mkdir()
    with trickling(HEAD + b"PK") as url, pytest.raises(IndexFault) as caught:
        client(tmp_path, timeout=1.0).download(f"{url}/a-1.0.tar.gz", folder, label="a 1.0")
    assert caught.value.code == "index-too-slow"
    assert list(folder.iterdir()) == []
