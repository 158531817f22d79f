"""What trickles is given up, however often a byte comes; what is only slow is waited for."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.indexes import client
from venvman.index.pace import SLOWEST, Pace, TooSlow
from venvman.model.errors import IndexFault
from venvman.model.names import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
