"""Connections: a host is looked up once per process, however many are opened to it at once.

Resolvers lose answers where many threads ask together, and each lost one costs five seconds.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from venvman.index.once import Once
from venvman.index.pace import PacedResponse

if TYPE_CHECKING:
    from urllib3 import PoolManager

__all__ = ["addresses_of", "looked_up_once"]

_addresses: Once[str, tuple[str, ...]] = Once()


def looked_up_once(pools: PoolManager) -> PoolManager:
    """``pools``, whose connections share one look-up of each host."""
    pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return pools


def addresses_of(host: str) -> tuple[str, ...]:
    """The addresses of ``host``, in the order in which to try them."""
    try:
        return _addresses.get(host, lambda: _look_up(host))
    except OSError:
        # A lost answer is worth asking again.
        _addresses.forget(host)
        raise


def _look_up(host: str) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, None, allowed_gai_family(), socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class _Connection(HTTPConnection):
    response_class = PacedResponse

    def _new_conn(self) -> socket.socket:
        host = self._dns_host
        try:
            addresses = addresses_of(host.strip("[]"))
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(self.host, self, failure) from error
        try:
            # The name stays what certificates and headers are about.
            for address in addresses[:-1]:
                self._dns_host = address
                try:
                    return super()._new_conn()
                except NewConnectionError:
                    continue
            self._dns_host = addresses[-1]
            return super()._new_conn()
        finally:
            self._dns_host = host


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
