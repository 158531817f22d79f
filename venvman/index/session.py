"""Requests over HTTP: redirects, credentials, retries. Knows nothing about packages."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

from venvman.index.auth import Authenticator, origin_of, split, split_credentials
from venvman.index.connections import Connections
from venvman.index.errors import Transient, fault_of_error, fault_of_status
from venvman.model.errors import Advice, IndexFault, Problem, Severity
from venvman.model.frozen import dataclass
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from urllib3 import BaseHTTPResponse

    from venvman.model.events import Reporter
    from venvman.model.options import IndexOptions

T = TypeVar("T")

REDIRECTS = 10
BACKOFF = 0.1  # seconds before the first repetition; doubled each time
LONGEST_WAIT = 30.0
WORTH_TELLING = 2.0  # a longer silence looks like a hang
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429, 500, 502, 503, 504, 520, 522, 524)
_LARGEST_DOCUMENT = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer: ``url`` is where it came from in the end, header names are lower case."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes


class Session:
    """Fetches URLs, which may hold credentials. Thread-safe; ``offline`` refuses every request.

    ``known`` are URLs whose credentials count for everything of their origin.
    """

    def __init__(
        self,
        options: IndexOptions,
        *,
        variables: Mapping[str, str],
        home: Path,
        reporter: Reporter,
        known: Sequence[str] = (),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._options = options
        self._reporter = reporter
        self._sleep = sleep
        self._connections = Connections(options, variables=variables)
        self.authenticator = Authenticator(
            known,
            variables=variables,
            home=home,
            reporter=reporter,
            provider=options.keyring_provider,
        )

    def close(self) -> None:
        """Closes every connection."""
        self._connections.close()

    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """A document, whole; statuses 200, 206 and 304 count as answers. ``body`` is posted.

        Raises:
            Refused: another status.
            IndexFault: no answer, a broken one, or one above 256 MiB.
        """

        def attempt() -> Answer:
            with self.open(url, headers=headers, body=body) as (response, final):
                content = response.read(_LARGEST_DOCUMENT + 1, decode_content=True)
                if len(content) > _LARGEST_DOCUMENT:
                    raise IndexFault(
                        f"{redact(final)} is larger than 256 MiB, so it was not read.",
                        code="index-page-too-large",
                        fix=Advice("Check that the URL is that of a package index."),
                    )
                response.release_conn()
                lowered = {name.lower(): value for name, value in response.headers.items()}
                return Answer(status=response.status, url=final, headers=lowered, body=content)

        return self.repeatedly(attempt)

    def repeatedly(self, attempt: Callable[[], T]) -> T:
        """Calls ``attempt`` until it raises no :class:`Transient`, as often as options allow."""
        number = 0
        while True:
            try:
                return attempt()
            except Transient as failure:
                if number == self._options.retries:
                    raise failure.fault from failure
                self._wait(failure, number)
            number += 1

    def _wait(self, failure: Transient, number: int) -> None:
        wait = failure.wait
        if wait is None:
            # Jitter, so that sixteen threads do not come back all at once.
            wait = BACKOFF * 2**number * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        wait = min(wait, LONGEST_WAIT)
        said = f"{failure.fault.message} Trying again in {wait:.1f} s."
        if wait < WORTH_TELLING:
            self._reporter.detail(said)
        else:
            note = Problem(code="index-asks-to-wait", message=said, severity=Severity.NOTE)
            self._reporter.problem(note)
        self._sleep(wait)

    @contextmanager
    def open(
        self, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Iterator[tuple[BaseHTTPResponse, str]]:
        """One attempt: the response, unread, and the URL (no credentials) it came from.

        Raises:
            Refused: a status that is no success and will not pass.
            Transient: a failure that may pass, while connecting or while the body is read.
            IndexFault: one that will not.
        """
        import socket
        import ssl

        import urllib3

        if self._options.offline:
            raise IndexFault(
                f"{redact(url)} is needed, and --offline forbids to fetch it.",
                code="index-offline",
                fix=Advice("Run the command again without --offline."),
            )
        response: BaseHTTPResponse | None = None
        try:
            response, final = self._follow(url, headers or {}, body)
            yield response, final
        except (urllib3.exceptions.HTTPError, OSError) as error:
            network = (ConnectionError, TimeoutError, socket.gaierror, ssl.SSLError)
            if isinstance(error, OSError) and not isinstance(error, network):
                raise  # the caller's disk, not the network
            fault, may_pass = fault_of_error(error, url, timeout=self._options.timeout)
            if may_pass:
                raise Transient(fault) from error
            raise fault from error
        finally:
            if response is not None:
                _put_back(response)

    def _follow(
        self, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[BaseHTTPResponse, str]:
        for _ in range(REDIRECTS + 1):
            response = self._ask(url, headers, body)
            target = response.headers.get("Location")
            if response.status not in _REDIRECTS or not target:
                return response, split_credentials(url)[0]
            response.drain_conn()
            response.release_conn()
            url = self._redirected(url, target)
        raise IndexFault(
            f"{redact(url)} could not be read: it redirects in circles.",
            code="index-redirects",
            why=f"There were more than {REDIRECTS} redirects.",
            fix=Advice("Check the URL."),
        )

    def _redirected(self, url: str, target: str) -> str:
        clean, own = split_credentials(url)
        try:
            following = urljoin(clean, target)
        except ValueError:
            following = target
        if split(following).scheme not in ("http", "https"):
            raise IndexFault(
                f"{redact(url)} redirects to {redact(following)}, which is not fetched.",
                code="index-redirects",
                fix=Advice("Check the URL."),
            )
        # Credentials stay on their origin: another host gets none of this one's.
        if own is None or origin_of(clean) != origin_of(following):
            return following
        userinfo, parts = urlsplit(url).netloc.rpartition("@")[0], urlsplit(following)
        return parts._replace(netloc=f"{userinfo}@{parts.netloc}").geturl()

    def _ask(self, url: str, headers: Mapping[str, str], body: bytes | None) -> BaseHTTPResponse:
        """One request, repeated once with the keyring's credentials after a 401."""
        credentials = self.authenticator.before(url)
        response = self._send(url, headers, credentials.header if credentials else None, body)
        if response.status == 401:
            other = self.authenticator.after_rejection(url, credentials)
            if other is not None:
                response.drain_conn()
                response.release_conn()
                credentials = other
                response = self._send(url, headers, other.header, body)
        if response.status < 400:
            return response
        _put_back(response)
        fault = fault_of_status(
            response.status, response.reason or "", url, sent_credentials=credentials is not None
        )
        if response.status in _PASSING:
            raise Transient(fault, wait=_retry_after(response.headers.get("Retry-After")))
        raise fault

    def _send(
        self, url: str, headers: Mapping[str, str], authorization: str | None, body: bytes | None
    ) -> BaseHTTPResponse:
        import urllib3

        from venvman.version import __version__

        clean = split_credentials(url)[0]
        sent = {"User-Agent": f"venvman/{__version__}", **headers}
        if authorization is not None:
            sent["Authorization"] = authorization
        timeout = self._options.timeout
        return self._connections.pool_for(clean).urlopen(
            "GET" if body is None else "POST",
            clean,
            body=body,
            headers=sent,
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=timeout, read=timeout),
        )


def _put_back(response: BaseHTTPResponse) -> None:
    """Returns the connection for use by others if the body was read, else closes it."""
    if getattr(response, "length_remaining", 0) == 0:
        response.drain_conn()  # an empty body is over only when it was read, too
        response.release_conn()
    else:
        response.close()


def _retry_after(text: str | None) -> float | None:
    """Seconds, or an HTTP date (RFC 9110); None where it is neither."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    try:
        return Retry().parse_retry_after(text) if text else None
    except InvalidHeader:
        return None
