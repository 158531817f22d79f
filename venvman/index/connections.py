"""Connection pools: trust, client certificates, proxies. One pool for each way to a host."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from venvman.index.auth import split, split_credentials
from venvman.model.errors import Advice, ConfigurationError
from venvman.system.secrets import redact

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from urllib3 import PoolManager

    from venvman.model.options import IndexOptions

POOL_SIZE = 32
"""Connections kept open to one host; callers' threads are the real bound."""


class Connections:
    """Gives the pool that a URL is to be fetched through. Thread-safe."""

    def __init__(self, options: IndexOptions, *, variables: Mapping[str, str]) -> None:
        self._options = options
        self._variables = variables
        self._lock = threading.Lock()
        self._pools: dict[tuple[str | None, bool, bool], PoolManager] = {}
        self._ways: dict[str, PoolManager] = {}

    def pool_for(self, url: str) -> PoolManager:
        """The pool for ``url``: verified unless its host is a trusted one, proxied if need be.

        Raises:
            ConfigurationError: a certificate file or proxy that cannot be used.
        """
        host = "/".join(url.split("/", 3)[:3])
        known = self._ways.get(host)
        if known is not None:
            return known
        proxy = self._options.proxy or proxy_for(url, self._variables)
        verified = not is_trusted(url, self._options.trusted_hosts)
        # Reading the authorities takes 20 ms, which nobody needs for plain HTTP.
        secure = proxy is not None or not url.startswith("http://")
        key = (proxy, verified, secure)
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._make(proxy, verified=verified, secure=secure)
                self._pools[key] = pool
            self._ways[host] = pool
        return pool

    def close(self) -> None:
        """Closes every connection."""
        with self._lock:
            pools, self._pools, self._ways = self._pools, {}, {}
        for pool in pools.values():
            pool.clear()

    def _make(self, proxy: str | None, *, verified: bool, secure: bool) -> PoolManager:
        # Loaded with the first request: what is known, or lies here, takes none.
        import urllib3

        from venvman.index.lookups import looked_up_once

        context = self._context(verified=verified) if secure else None
        if proxy is None:
            return looked_up_once(urllib3.PoolManager(maxsize=POOL_SIZE, ssl_context=context))
        address, credentials = split_credentials(proxy if "//" in proxy else f"http://{proxy}")
        headers = {"Proxy-Authorization": credentials.header} if credentials else {}
        try:
            return looked_up_once(
                urllib3.ProxyManager(
                    address, maxsize=POOL_SIZE, ssl_context=context, proxy_headers=headers
                )
            )
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise ConfigurationError(
                f"The proxy {redact(proxy)} cannot be used.",
                code="proxy-unusable",
                why=str(error),
                fix=Advice(
                    "Name an http:// or https:// proxy in HTTPS_PROXY or pip's `proxy` setting."
                ),
            ) from error

    def _context(self, *, verified: bool) -> ssl.SSLContext:
        import ssl

        import urllib3

        # The authorities to trust instead of the system's, as pip and its HTTP library look.
        names = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
        told = (self._options.cert, *(self._variables.get(name) for name in names))
        bundle = next((Path(each) for each in told if each), None)
        try:
            if not verified:
                # Asked for by --trusted-host: saying so on every request helps nobody.
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
                context = ssl.create_default_context()
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            elif bundle is None:
                import truststore

                context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            elif bundle.is_dir():
                context = ssl.create_default_context(capath=str(bundle))
            else:
                context = ssl.create_default_context(cafile=str(bundle))
            if self._options.client_cert:
                context.load_cert_chain(self._options.client_cert)
        except (OSError, ssl.SSLError) as error:
            named = self._options.client_cert if bundle is None else bundle
            raise ConfigurationError(
                f"The certificate file {named} cannot be used.",
                code="certificate-unusable",
                path=str(named),
                why=str(error),
                fix=Advice(
                    "Correct PIP_CERT, REQUESTS_CA_BUNDLE, SSL_CERT_FILE or pip's configuration."
                ),
            ) from error
        return context


def is_trusted(url: str, trusted_hosts: frozenset[str]) -> bool:
    """Whether ``--trusted-host`` names the host of ``url``, with its port or without."""
    parts = split(url)
    host = (parts.hostname or "").lower()
    named = {each.lower() for each in trusted_hosts}
    return host in named or (parts.port is not None and f"{host}:{parts.port}" in named)


def is_secure(url: str, trusted_hosts: frozenset[str]) -> bool:
    """Whether pip would take files from ``url``: HTTPS, this machine, or a trusted host."""
    parts = split(url)
    host = (parts.hostname or "").lower()
    local = host in ("localhost", "::1") or host.startswith("127.")
    return parts.scheme in ("https", "file") or local or is_trusted(url, trusted_hosts)


def proxy_for(url: str, variables: Mapping[str, str]) -> str | None:
    """The proxy that the environment names for ``url``; lower-case variables count first."""
    parts = split(url)
    if _bypassed(parts.hostname or "", parts.port, _variable(variables, "no_proxy") or ""):
        return None
    return _variable(variables, f"{parts.scheme}_proxy") or _variable(variables, "all_proxy")


def _variable(variables: Mapping[str, str], name: str) -> str | None:
    if name == "http_proxy" and "REQUEST_METHOD" in variables:
        # A CGI script's HTTP_PROXY is the client's Proxy header, not a setting (httpoxy).
        return variables.get(name) or None
    return variables.get(name) or variables.get(name.upper()) or None


def _bypassed(host: str, port: int | None, entries: str) -> bool:
    """NO_PROXY: host names and their subdomains, ``*``, optional ports, address ranges."""
    for entry in (each.strip().lower() for each in entries.split(",")):
        if entry == "*":
            return True
        name, colon, entry_port = entry.rpartition(":")
        if colon and entry_port.isdigit() and "]" not in entry_port and name.count(":") == 0:
            if str(port) != entry_port:
                continue
            entry = name  # noqa: PLW2901 - the port has matched and goes
        bare = entry.removeprefix("*").lstrip(".")
        if bare and (host.lower() == bare or host.lower().endswith(f".{bare}")):
            return True
        if _in_range(host, bare):
            return True
    return False


def _in_range(host: str, entry: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(unquote(host)) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
