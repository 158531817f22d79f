"""Connections: a host is looked up once per process, however many are opened to it at once.

Resolvers lose answers where many threads ask together, and each lost one costs five seconds: so a
question whose answer is slow is asked once more. Loaded with the first request, with urllib3.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from http.client import HTTPResponse
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family
from urllib3.util.timeout import Timeout

from venvman.index.once import Once
from venvman.index.pace import Paced

if TYPE_CHECKING:
    from urllib3 import PoolManager

_PATIENCE = (0.25, 1.0)
"""Seconds after which the next question is asked beside those before it."""

Address = tuple[int, str, tuple[int, ...]]
"""The family of an address, the address, and what else a socket of the family is told of it."""

_addresses: Once[str, tuple[Address, ...]] = Once()


def looked_up_once(pools: PoolManager) -> PoolManager:
    """``pools``, whose connections share one look-up of each host."""
    pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return pools


def addresses_of(host: str) -> tuple[Address, ...]:
    """The addresses of ``host``, in the order in which to try them."""
    try:
        return _addresses.get(host, lambda: _look_up(host))
    except OSError:
        # A lost answer is worth asking again.
        _addresses.forget(host)
        raise


def _look_up(host: str) -> tuple[Address, ...]:
    answers: SimpleQueue[tuple[Address, ...] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, None, allowed_gai_family(), socket.SOCK_STREAM)
            each = ((family, str(told[0]), told[2:]) for family, *_, told in found)
            answers.put(tuple(dict.fromkeys(each)))
        except Exception as error:  # noqa: BLE001 - raised by who waits
            answers.put(error)

    for patience in (*_PATIENCE, None):
        Thread(target=ask, daemon=True).start()
        with suppress(Empty):
            answer = answers.get(timeout=patience)
            break
    if isinstance(answer, Exception):
        raise answer
    return answer


class _Response(HTTPResponse):
    """Its headers and body are read at a pace."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(Paced(sock), *arguments, **options)  # type: ignore[arg-type]


class _Connection(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        try:
            addresses = addresses_of(self._dns_host.strip("[]"))
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(self.host, self, failure) from error
        for address in addresses[:-1]:
            with suppress(OSError):
                return self._connected(address)
        try:
            return self._connected(addresses[-1])
        except TimeoutError as error:
            waited = f"Connection to {self.host} timed out. (connect timeout={self.timeout})"
            raise ConnectTimeoutError(self, waited) from error
        except OSError as error:
            raise NewConnectionError(
                self, f"Failed to establish a new connection: {error}"
            ) from error

    def _connected(self, address: Address) -> socket.socket:
        """A socket connected without asking the resolver again, not even about an address."""
        family, literal, more = address
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            for option in self.socket_options or ():
                made.setsockopt(*option)
            made.settimeout(Timeout.resolve_default_timeout(self.timeout))
            made.connect((literal, self.port, *more))
        except BaseException:
            made.close()
            raise
        return made


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
