"""Keeping credentials out of everything that is written or printed."""

from __future__ import annotations

import re

__all__ = ["has_secret", "redact", "without_secret"]

# scheme://user:password@host or scheme://token@host. `${VAR}` is a reference, not a secret; `git@`
# is every forge's public user name.
_USERINFO = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<userinfo>[^/?#\s]+)@(?=[^/?#@\s])"
)
_REFERENCE = re.compile(r"\$\{[A-Z0-9_]+\}")


def redact(text: str) -> str:
    """``text`` with the credentials of every URL in it replaced by ``****``.

    A user name alone is hidden too, since tokens are given as user names; ``git@`` and ``${VAR}``
    references stay.
    """
    return _USERINFO.sub(_masked, text)


def has_secret(url: str) -> bool:
    """Whether ``url`` holds credentials that :func:`redact` would hide."""
    return redact(url) != url


def without_secret(url: str) -> str:
    """``url`` with its credentials left out altogether, for what is kept or compared."""
    return redact(url).replace("://****@", "://")


def _masked(match: re.Match[str]) -> str:
    user, colon, password = match["userinfo"].partition(":")
    parts = [user] + ([password] if colon else [])
    if user == "git" and not colon:
        return match[0]
    if all(not _REFERENCE.sub("", part) for part in parts):
        return match[0]
    return f"{match['scheme']}****@"
