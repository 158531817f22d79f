"""A host is looked up once per process, and asked for again where the answer is slow."""

from __future__ import annotations

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.support.index import Index
from tests.support.wheels import make_wheel
from venvman.index.connections import Connections
from venvman.model.options import IndexOptions


def test_where_nobody_is_asked_nothing_is_loaded_that_could_ask(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "demo")
    (tmp_path / "requirements.txt").write_text("--no-index\n--find-links wheels\ndemo\n")
    program = (
        "import sys; from venvman.cli.app import main; "
        "sys.exit(main(['sync']) or 'urllib3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_many_connections_opened_at_once_look_their_host_up_once(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    genuine = socket.getaddrinfo

    def counted(host: Any, port: Any, *rest: Any) -> Any:
        asked.append(host)
        return genuine("127.0.0.1" if host == "once.test" else host, port, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    url = index.simple.replace("127.0.0.1", "once.test")
    connections = Connections(IndexOptions(), variables={})
    with ThreadPoolExecutor(8) as threads:
        done = list(
            threads.map(
                lambda _: connections.pool_for(url).request("GET", url, retries=False).status,
                range(16),
            )
        )
    connections.close()
    assert len(done) == 16
    assert asked == ["once.test"]


def test_a_host_whose_answer_is_lost_is_asked_for_again(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    over = Event()
    genuine = socket.getaddrinfo

    def losing(host: Any, port: Any, *rest: Any) -> Any:
        asked.append(host)
        if len(asked) == 1:
            over.wait(60)
            raise socket.gaierror("no answer")
        return genuine("127.0.0.1", port, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", losing)
    url = index.simple.replace("127.0.0.1", "lost.test")
    connections = Connections(IndexOptions(), variables={})
    try:
        assert connections.pool_for(url).request("GET", url, retries=False).status == 200
    finally:
        over.set()
        connections.close()
    assert asked[:2] == ["lost.test", "lost.test"]


@pytest.mark.parametrize("literal", ["127.0.0.1", "[::1]"])
def test_an_address_is_connected_to_as_it_is(literal: str) -> None:
    family = socket.AF_INET6 if ":" in literal else socket.AF_INET
    with socket.create_server((literal.strip("[]"), 0), family=family) as server:
        url = f"http://{literal}:{server.getsockname()[1]}/"
        connections = Connections(IndexOptions(), variables={})
        with ThreadPoolExecutor(1) as threads:
            asked = threads.submit(
                connections.pool_for(url).request, "GET", url, retries=False, timeout=60
            )
            there, _ = server.accept()
            with there:
                there.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                assert asked.result().status == 204
        connections.close()
