"""Keeping credentials out of everything that is written or printed.

Two nets. The first looks at the shape of URLs, and fails closed: what cannot be taken apart is
hidden up to its last ``@``. The second knows values: what came out of a variable, a userinfo, netrc
or the keyring is told to :func:`remember`, and hidden wherever :func:`redact` meets it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from venvman.model.errors import FileLine

REFERENCE = re.compile(r"\$\{([A-Z0-9_]+)\}")
"""``${VAR}``: a reference, not a secret."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*$")
_WORD = re.compile(r"[^\s'\"<>`]*")
_AUTHORITY = re.compile(r"[^/?#]*")
_PORT = r"(?::(?:\d|\$\{[A-Z0-9_]+\})*)?"
_HOST = re.compile(rf"(?:\[[0-9A-Za-z:.%]*\]|[^\[\]:@\\]*){_PORT}")
# scp's `host:folder` is what many write behind ssh:// too.
_SSH_HOST = re.compile(r"(?:\[[0-9A-Za-z:.%]*\]|[^\[\]:@\\]*)(?::[^\[\]@\\]*)?")
_SSH = ("ssh", "sftp")
_PUNCTUATION = ").,;:!}"


def redact(text: str) -> str:
    """``text`` with the credentials of every URL in it, and every value that is known, hidden.

    A user name alone is hidden too, since tokens are given as user names, but not in URLs of ssh.
    ``git@`` and ``${VAR}`` references stay, as does a name before a reference.
    """
    everywhere, in_urls = _patterns
    if everywhere is not None:
        text = everywhere.sub(lambda match: _everywhere[match[0]], text)
    if in_urls is not None and "://" in text:
        known = in_urls
        text = _URL.sub(lambda url: known.sub(lambda match: _in_urls[match[0]], url[0]), text)
    return _rewritten(text, lambda url: url.masked)


class Where(TypedDict):
    """Fields of :class:`venvman.model.errors.Problem`."""

    path: str | None
    line: int | None
    text: str | None


def line_of(origin: FileLine | None) -> Where:
    """The line of a file that a problem is about, as it may be shown; nothing for None."""
    if origin is None:
        return Where(path=None, line=None, text=None)
    return Where(path=origin.path, line=origin.line, text=redact(origin.text))


def has_secret(text: str) -> bool:
    """Whether a URL in ``text``, as somebody wrote it, has credentials that are no references."""
    return _rewritten(text, lambda url: url.masked) != text


def without_secret(url: str) -> str:
    """``url`` with its credentials left out altogether, for what is kept or compared.

    The user of ssh stays: it says whose repository is meant.
    """
    return _rewritten(url, lambda url: url.kept)


def is_broken(text: str) -> bool:
    """Whether a URL in ``text`` cannot be taken apart: its host cannot be told from the rest."""
    return any(url.is_broken for url in _urls(text))


def check_url(*urls: str) -> None:
    """Refuses URLs that cannot be taken apart, without showing them.

    Raises:
        ValueError: how the end of a sentence says it.
    """
    if any(is_broken(url) for url in urls):
        raise ValueError(
            "what is no letter or digit in a user name or password must be percent-encoded, and "
            "a port be a number"
        )


class _Url(NamedTuple):
    """What stands between ``://`` and the path of one URL in a text.

    ``end`` is where that ends, ``last`` where the last ``@`` of its word or line ends, if any.
    """

    text: str
    scheme: str
    start: int
    end: int
    last: int | None
    word: str

    @property
    def authority(self) -> str:
        """``user:password@host:port``, as far as that can be told."""
        return self.text[self.start : self.end]

    @property
    def userinfo(self) -> str:
        return self.authority.rpartition("@")[0]

    @property
    def is_ssh(self) -> bool:
        return self.scheme.rpartition("+")[2].lower() in _SSH

    @property
    def has_host(self) -> bool:
        """Whether what follows the userinfo is a host, and a port if any."""
        host = self.authority.rpartition("@")[2]
        if self.authority == self.word:  # it may be the end of a sentence
            host = host.rstrip(_PUNCTUATION)
        return bool((_SSH_HOST if self.is_ssh else _HOST).fullmatch(host))

    @property
    def is_broken(self) -> bool:
        if self.has_host:
            from urllib.parse import urlsplit

            try:
                urlsplit(f"{self.scheme}://{self.authority}")
            except ValueError:
                return True
            return False
        # pip leaves the port of a repository to git; nobody's password is in question.
        return "+" not in self.scheme or self.last is not None

    @property
    def is_public(self) -> bool:
        """Whether the userinfo is none, or nothing that has to be hidden."""
        user, colon, password = self.userinfo.partition(":")
        if not colon:
            return self.is_ssh or user in ("", "git") or not REFERENCE.sub("", user)
        return bool(password) and not REFERENCE.sub("", password)

    @property
    def kept(self) -> str:
        """What is kept of the secret part."""
        user = self.userinfo.partition(":")[0]
        if self.is_ssh and user and self.has_host:
            return f"{user}@"
        return "" if self.ends_with_at else self.authority

    @property
    def masked(self) -> str:
        """What is shown for the secret part."""
        return "****@" if self.ends_with_at else "****"

    @property
    def ends_with_at(self) -> bool:
        return self.secret is not None and self.text[self.secret - 1] == "@"

    @property
    def secret(self) -> int | None:
        """Where the part that has to be hidden ends, its ``@`` included; None if there is none."""
        if not self.has_host:
            if self.last is not None:
                return self.last
            return self.end if self.is_broken else None
        if self.is_public:
            return None
        host = self.authority.rpartition("@")[2]
        # `user:pa@ss/word@host`: what looks like a host is one only if it is written as one.
        if self.last is not None and not re.search(r"[.:\[$]|^localhost$", host):
            return self.last
        return self.start + len(self.userinfo) + 1


def _urls(text: str) -> Iterator[_Url]:
    at = text.find("://")
    while at != -1:
        scheme = _SCHEME.search(text, max(0, at - 32), at)
        start = at + 3
        url = _url_at(text, scheme[0] if scheme else "", start)
        yield url
        at = text.find("://", max(url.secret or 0, url.end))


def _url_at(text: str, scheme: str, start: int) -> _Url:
    match = _WORD.match(text, start)
    word = match[0] if match else ""
    authority = _AUTHORITY.match(word)
    end = start + (authority.end() if authority else 0)
    last = text.rfind("@", end, start + len(word))
    if last == -1 and not _HOST.fullmatch(text[start:end].rpartition("@")[2]):
        # A blank or a quote inside of a password ends the word, but not the secret.
        line = text.find("\n", start)
        last = text.rfind("@", end, len(text) if line == -1 else line)
    return _Url(
        text=text, scheme=scheme, start=start, end=end, word=word,
        last=None if last == -1 else last + 1,
    )  # fmt: skip


def _rewritten(text: str, instead: Callable[[_Url], str]) -> str:
    """``text`` with ``instead`` for the secret part of every URL."""
    if "://" not in text:
        return text
    pieces: list[str] = []
    done = 0
    for url in _urls(text):
        secret = url.secret
        if secret is not None:
            pieces += [text[done : url.start], instead(url)]
            done = secret
    return "".join([*pieces, text[done:]])


_everywhere: dict[str, str] = {}
_in_urls: dict[str, str] = {}
_remembered: set[tuple[str, bool]] = set()
_patterns: list[re.Pattern[str] | None] = [None, None]
_URL = re.compile(r"(?<=://)[^\s'\"<>`]+")
_SHORTEST = 3
_LONG = 12


def remember(value: str, *, shown: str = "****", credential: bool = True) -> None:
    """Has :func:`redact` put ``shown`` for ``value``, in whatever form a URL may have it.

    A ``credential`` is hidden everywhere, if it is no word that sentences are made of; all else,
    and what is short, in URLs only.
    """
    if (value, credential) in _remembered or REFERENCE.search(value):
        return
    from urllib.parse import quote, unquote

    _remembered.add((value, credential))
    forms = {value, unquote(value), quote(value, safe="")}
    if credential:
        parts = {part for form in forms for part in re.split(r"[\s/?#@:\[\]\\'\"]+", form)}
        for form in forms | parts:
            # It has to stand in a text for itself alone, and not for a word of English.
            word = form.isalpha() and (form.islower() or form.istitle())
            if len(form) >= (_LONG if word or form.isdigit() else 6):
                _everywhere.setdefault(form, shown if form in forms else "****")
    for form in forms:
        if len(form) >= _SHORTEST:
            _in_urls.setdefault(form, shown)
    _patterns[:] = [_pattern(_everywhere), _pattern(_in_urls)]


def remember_url(url: str, *, shown: str) -> None:
    """Has :func:`redact` put ``shown`` for the whole of ``url``, and hide its password."""
    for each in _urls(url):
        password = each.userinfo.rpartition(":")[2]
        if password and not each.is_public:
            remember(password)
    for form in (url.rstrip("/"), without_secret(url).rstrip("/")):
        _everywhere.setdefault(form, shown)
    _patterns[:] = [_pattern(_everywhere), _pattern(_in_urls)]


def forget() -> None:
    """Forgets every value, as a new process would."""
    _everywhere.clear()
    _in_urls.clear()
    _remembered.clear()
    _patterns[:] = [None, None]


def _pattern(values: dict[str, str]) -> re.Pattern[str] | None:
    longest_first = sorted(values, key=len, reverse=True)
    either = "|".join(map(re.escape, longest_first))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])") if values else None
