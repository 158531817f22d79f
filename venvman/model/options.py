"""Global options of requirements files, and what they amount to once layered.

``FileOptions`` is what one file says, in the order it says it; :func:`layer` puts files on top of
this machine's pip configuration the way pip does.
"""

from __future__ import annotations

import re
from dataclasses import field, replace
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.model.names import canonical

if TYPE_CHECKING:
    from venvman.model.names import NormalizedName

DEFAULT_INDEX = "https://pypi.org/simple"


@dataclass(frozen=True, slots=True)
class ConstraintsFile:
    """A file of constraints that no requirements file names: its path or URL, and who does.

    ``where`` is a flag, a variable, or a setting of a configuration file.
    """

    location: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """The global options found in one requirements file (named as by pip's finder).

    ``index_url`` is None where the file has none. URLs are as written, ``${VAR}`` expanded by the
    parser's caller. ``find_links`` folders given relative to the file are absolute.
    ``no_binary`` and ``only_binary`` hold canonical names or ``:all:``.
    """

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    trusted_hosts: tuple[str, ...] = ()
    no_binary: frozenset[str] = frozenset()
    only_binary: frozenset[str] = frozenset()
    prefer_binary: bool = False
    pre: bool = False
    all_releases: frozenset[str] = frozenset()
    only_final: frozenset[str] = frozenset()
    require_hashes: bool = False
    no_require_hashes: bool = False
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """Everything the index client needs to know; the result of layering.

    ``index_urls`` are simple-API roots in pip's order (first the main one; empty with
    ``--no-index``); they may hold credentials. ``timeout`` is seconds, ``cert`` and ``client_cert``
    are paths or None, ``proxy`` is a URL or None (the environment's then count).
    """

    index_urls: tuple[str, ...] = (DEFAULT_INDEX,)
    find_links: tuple[str, ...] = ()
    trusted_hosts: frozenset[str] = frozenset()
    no_binary: frozenset[str] = frozenset()
    only_binary: frozenset[str] = frozenset()
    prefer_binary: bool = False
    pre: bool = False
    all_releases: frozenset[str] = frozenset()
    only_final: frozenset[str] = frozenset()
    require_hashes: bool = False
    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = None
    timeout: float = 15.0
    retries: int = 5
    offline: bool = False
    sources: tuple[tuple[str, str], ...] = ()
    """Names and globs of them, each with the one index that is asked for what fits; in order."""
    preferred: tuple[str, ...] = ()
    """Indexes and folders: what one of them has is looked for nowhere else; in order."""
    keyring_provider: str = "auto"
    """pip's: ``auto``, ``disabled``, ``import`` or ``subprocess``."""
    origins: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """Option name and where pip's configuration has it, such as ``("cert", "PIP_CERT")``."""


def source_of(name: NormalizedName, options: IndexOptions) -> str | None:
    """The one index that is asked for ``name``, where ``options`` say so: by name, else by glob."""
    from fnmatch import fnmatchcase

    patterns = [(canonical(pattern), url) for pattern, url in options.sources]
    fitting = [each for each in patterns if fnmatchcase(name, each[0])]
    exact = [each for each in fitting if each[0] == name]
    return next((url for _, url in (*exact, *fitting)), None)


def layer(base: IndexOptions, files: tuple[FileOptions, ...]) -> IndexOptions:
    """``base`` (this machine's configuration, flags) with ``files`` applied in order, as pip does.

    A file's ``--index-url`` replaces what came before it except extra indexes added by files,
    ``--no-index`` drops every index, all else accumulates.
    """
    result = base
    for options in files:
        indexes = result.index_urls
        if options.no_index or not indexes:
            indexes = ()  # once forbidden, no file allows an index again
        elif options.index_url is not None:
            indexes = (options.index_url,)
        result = replace(
            result,
            index_urls=_unique(indexes + (options.extra_index_urls if indexes else ())),
            find_links=_unique(result.find_links + options.find_links),
            trusted_hosts=result.trusted_hosts | frozenset(options.trusted_hosts),
            no_binary=result.no_binary | options.no_binary,
            only_binary=result.only_binary | options.only_binary,
            prefer_binary=result.prefer_binary or options.prefer_binary,
            pre=result.pre or options.pre,
            all_releases=result.all_releases | options.all_releases,
            only_final=result.only_final | options.only_final,
            require_hashes=result.require_hashes or options.require_hashes,
        )
    return result


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmgt]?)(i?)b)?", re.IGNORECASE)
"""A size such as ``2 GiB``, or a bare number."""
_AGE = re.compile(r"(\d+)\s*(minute|hour|day|week|month|year)s?(?:\s+ago)?", re.IGNORECASE)
_ISO_AGE = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", re.IGNORECASE)
_SPANS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}


def cutoff(text: str, *, now: datetime) -> datetime:
    """The moment (aware) from which on uploads do not count; ``now`` is aware.

    ``2025-06-30`` counts that whole day (UTC) in, ``2025-06-30T12:00:00Z`` is exact, ``3 days``,
    ``36 hours`` and ``P3D`` count back from ``now``.

    Raises:
        ValueError: it is none of these, with a sentence that says so.
    """
    words = text.strip()
    if age := _AGE.fullmatch(words):
        return now - int(age[1]) * _SPANS[age[2].lower()]
    if len(words) > 2 and (age := _ISO_AGE.fullmatch(words)):
        weeks, days, hours, minutes = (int(part or 0) for part in age.groups())
        return now - timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", words):
            following = date.fromisoformat(words) + timedelta(days=1)
            return datetime.combine(following, time(), tzinfo=timezone.utc)
        # Python 3.10 does not read a final Z.
        moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", words))
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a date (2025-06-30), a time (2025-06-30T12:00:00Z) nor an age "
            "(3 days)"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
