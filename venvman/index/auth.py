"""Which credentials go with which URL: its own, the index's, netrc's, the keyring's; in this order.

Credentials belong to an origin (scheme, host, port): they are sent to no other one, so a redirect
to another host is followed without them.
"""

from __future__ import annotations

import json
import threading
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from venvman.model.errors import Advice, ConfigurationError, Problem, Severity
from venvman.model.frozen import dataclass
from venvman.system.secrets import is_broken, redact, remember

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvman.model.events import Reporter

KEYRING_SECONDS = 30.0
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password; never shown, not even in a traceback."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(****)"

    def __post_init__(self) -> None:
        """What was learned is hidden from now on, wherever it may be repeated."""
        remember(self.password or self.user)

    @property
    def header(self) -> str:
        """The value of an Authorization header (RFC 7617, UTF-8)."""
        import base64

        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of ``url``, defaults filled in."""
    if is_broken(url):
        split(url)  # tells the whole of it
    return _origin("/".join(url.split("/", 3)[:3]))


@lru_cache(maxsize=256)
def _origin(url: str) -> tuple[str, str, int]:
    parts = split(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(scheme, 0)


def split(url: str) -> SplitResult:
    """The parts of ``url``.

    Raises:
        ConfigurationError: it cannot be taken apart, as where a password was not percent-encoded.
    """
    try:
        parts = urlsplit(url)
        broken = is_broken(url) or parts.port == 0
    except ValueError:
        broken = True
    if broken:
        raise ConfigurationError(
            f"{redact(url)} cannot be taken apart as a URL.",
            code="url-invalid",
            why="A user name or password must be percent-encoded, a port be a number.",
            fix=Advice(
                "Percent-encode what is no letter or digit: / is %2F, # is %23, ? is %3F, @ is %40."
            ),
        )
    return parts


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """``url`` without its credentials, and them; a user alone has an empty password."""
    if "@" not in url:
        return url, None
    parts = split(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, _, password = userinfo.partition(":")
    clean = urlunsplit(parts._replace(netloc=host))
    return clean, Credentials(unquote(user), unquote(password)) if userinfo else None


class Authenticator:
    """Answers what to send before a request, and what to try after a 401. Thread-safe.

    ``provider`` is pip's ``keyring-provider``: ``auto``, ``disabled``, ``import`` or
    ``subprocess``. The keyring is asked once for each origin, and never prompts.
    """

    def __init__(
        self,
        index_urls: Sequence[str],
        *,
        variables: Mapping[str, str],
        home: Path,
        reporter: Reporter,
        provider: str = "auto",
    ) -> None:
        self._indexes = [split_credentials(url) for url in index_urls]
        self._variables = variables
        self._home = home
        self._reporter = reporter
        self._provider = provider
        self._lock = threading.Lock()
        self._asked: dict[tuple[str, str, int], Credentials | None] = {}
        self._netrc: Mapping[str, Credentials] | None = None

    @property
    def has_asked(self) -> bool:
        """Whether the keyring was asked, which decides what an index shows from then on."""
        return bool(self._asked)

    def before(self, url: str) -> Credentials | None:
        """What to send with the first request for ``url`` (which may hold its own)."""
        clean, own = split_credentials(url)
        if own and own.password:
            return own
        asked = self._asked.get(origin_of(clean))
        if asked:
            return asked
        user = own.user if own else None
        return self._of_index(clean, user) or self._of_netrc(clean, user) or own

    def after_rejection(self, url: str, tried: Credentials | None) -> Credentials | None:
        """What to try after a 401 for ``url``, given what was sent; None to give up."""
        clean, own = split_credentials(url)
        index = self._index_of(clean)
        user = (own.user if own else None) or (index[1].user if index and index[1] else None)
        origin = origin_of(clean)
        with self._lock:
            if origin not in self._asked:
                services = [index[0]] if index else []
                services.append(urlsplit(clean).netloc)
                self._asked[origin] = self._of_keyring(services, user)
        found = self._asked[origin]
        return None if found == tried else found

    def _index_of(self, url: str) -> tuple[str, Credentials | None] | None:
        """The index of the same origin whose path has most in common with ``url``'s."""
        origin = origin_of(url)
        own = [index for index in self._indexes if origin_of(index[0]) == origin]
        if len(own) < 2:
            return own[0] if own else None
        path = urlsplit(url).path.strip("/").split("/")

        def common(index: tuple[str, Credentials | None]) -> int:
            """How many leading segments its path shares with ``url``'s."""
            own = urlsplit(index[0]).path.strip("/").split("/")
            return len([*takewhile(lambda pair: pair[0] == pair[1], zip(own, path, strict=False))])

        return max(own, key=common, default=None)

    def _of_index(self, url: str, user: str | None) -> Credentials | None:
        index = self._index_of(url)
        if index is None or index[1] is None:
            return None
        found = index[1]
        if not found.password:
            return self._of_netrc(url, found.user) or found
        return found if user in (None, found.user) else None

    def _of_netrc(self, url: str, user: str | None) -> Credentials | None:
        with self._lock:
            if self._netrc is None:
                self._netrc = _read_netrc(self._variables, self._home, self._reporter)
        found = self._netrc.get(urlsplit(url).hostname or "") or self._netrc.get("default")
        return found if found and user in (None, "", found.user) else None

    def _of_keyring(self, services: Sequence[str], user: str | None) -> Credentials | None:
        asks = {"import": (_import_keyring,), "subprocess": (self._keyring_program,)}
        both = (_import_keyring, self._keyring_program)
        for ask in asks.get(self._provider, both if self._provider == "auto" else ()):
            for service in services:
                try:
                    found = ask(service, user)
                except Exception as error:  # noqa: BLE001 - a broken backend must not stop a sync
                    problem = Problem(
                        code="keyring-failed",
                        message="The keyring could not be asked for the index's password.",
                        severity=Severity.WARNING,
                        why=redact(str(error) or type(error).__name__),
                        fix=Advice("Set PIP_KEYRING_PROVIDER=disabled to do without it."),
                    )
                    self._reporter.problem(problem)
                    break
                if found:
                    return found
        return None

    def _keyring_program(self, service: str, user: str | None) -> Credentials | None:
        """The ``keyring`` command found on PATH, as pip asks it."""
        import shutil

        from venvman.system.process import run

        program = shutil.which("keyring", path=self._variables.get("PATH"))
        if program is None:
            return None
        argv = [program, "--mode=creds", "--output=json", "get", service]
        env = {**self._variables, "PYTHONIOENCODING": "utf-8"}
        answer = run([*argv, *([user] if user else [])], env=env, timeout=KEYRING_SECONDS)
        if answer.ok:
            try:
                found = json.loads(answer.stdout)
                return Credentials(found["username"], found["password"])
            except (ValueError, KeyError, TypeError):
                return None
        if not user:
            return None
        answer = run([program, "get", service, user], env=env, timeout=KEYRING_SECONDS)
        password = answer.stdout.rstrip("\r\n")
        return Credentials(user, password) if answer.ok and password else None


def _import_keyring(service: str, user: str | None) -> Credentials | None:
    try:
        import keyring
    except ImportError:
        return None
    if hasattr(keyring, "get_credential"):
        found = keyring.get_credential(service, user)
        return Credentials(found.username, found.password) if found else None
    password = keyring.get_password(service, user) if user else None
    return Credentials(user, password) if user and password else None


def _read_netrc(
    variables: Mapping[str, str], home: Path, reporter: Reporter
) -> Mapping[str, Credentials]:
    """By host, ``default`` for all others: ``NETRC``, else ``~/.netrc``, else ``~/_netrc``.

    A broken file is a warning.
    """
    import netrc

    told = variables.get("NETRC")
    paths = [Path(told).expanduser()] if told else [home / ".netrc", home / "_netrc"]
    path = next((each for each in paths if each.is_file()), None)
    if path is None:
        return {}
    try:
        entries = netrc.netrc(str(path)).hosts
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError) as error:
        problem = Problem(
            code="netrc-unreadable",
            message="The netrc file could not be read; no credentials come from it.",
            severity=Severity.WARNING,
            path=str(path),
            line=getattr(error, "lineno", None),
            why=error.msg if isinstance(error, netrc.NetrcParseError) else str(error),
        )
        reporter.problem(problem)
        return {}
    return {host: Credentials(row[0], row[2] or "") for host, row in entries.items()}
