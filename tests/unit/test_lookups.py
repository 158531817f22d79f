"""A host is looked up once per process."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from venvman.index.connections import Connections
from venvman.options import IndexOptions

if TYPE_CHECKING:
    import pytest

    from tests.support.index import Index


def test_many_connections_opened_at_once_look_their_host_up_once(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    genuine = socket.getaddrinfo

    def counted(host: Any, port: Any, *rest: Any) -> Any:
        # Connecting to an address asks no resolver.
        if host != "127.0.0.1":
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
