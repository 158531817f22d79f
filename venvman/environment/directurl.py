"""``direct_url.json`` (PEP 610): a :class:`Source` written down beside an installed distribution.

:func:`write_direct_url` and :func:`read_direct_url` are inverse: what one writes, the other reads
back as the same value, as long as the source's URL holds no credentials (those are not written).
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

from venvman.model.sources import ArchiveSource, DirectorySource, IndexSource, Source, VcsSource
from venvman.system.secrets import without_secret

T = TypeVar("T")


class DirectUrlInvalid(ValueError):
    """The text is no ``direct_url.json``; the message is the end of a sentence ("it ...")."""


def write_direct_url(source: Source) -> bytes | None:
    """The content of ``direct_url.json`` for ``source``; None for an index, which has none.

    Credentials are left out, ``${VAR}`` and the ``git@`` of ssh stay (PEP 610, "Specification").
    Of several hashes with the same algorithm the last one is written.

    Raises:
        ValueError: a :class:`VcsSource` without a commit: the specification demands one.
    """
    if isinstance(source, IndexSource):
        return None
    document: dict[str, Any]
    if isinstance(source, ArchiveSource):
        hashes = dict(text.split(":", 1) for text in sorted(source.hashes))
        archive = {"hashes": hashes} if hashes else {}
        document = {"url": without_secret(source.url), "archive_info": archive}
    elif isinstance(source, VcsSource):
        if source.commit is None:
            raise ValueError(f"{source.vcs} source without a commit")
        vcs = {"vcs": source.vcs, "commit_id": source.commit}
        if source.revision is not None:
            vcs["requested_revision"] = source.revision
        document = {"url": without_secret(source.url), "vcs_info": vcs}
    else:
        folder = {"editable": True} if source.editable else {}
        document = {"url": file_url(source.path), "dir_info": folder}
    if source.subdirectory:
        document["subdirectory"] = source.subdirectory
    return json.dumps(document, sort_keys=True).encode()


def read_direct_url(content: bytes) -> Source:
    """The source that ``content`` describes; keys the specification does not know are ignored.

    Raises:
        DirectUrlInvalid: no JSON object, no ``url``, or not exactly one of ``archive_info``,
            ``vcs_info`` and ``dir_info``.
    """
    try:
        document = json.loads(content)
    except ValueError as error:
        raise DirectUrlInvalid("is not valid JSON") from error
    if not isinstance(document, dict):
        raise DirectUrlInvalid("holds no JSON object")
    url = _required(document, "url", str)
    subdirectory = _optional(document, "subdirectory", str) or None
    kinds = [kind for kind in ("archive_info", "vcs_info", "dir_info") if kind in document]
    if len(kinds) != 1:
        raise DirectUrlInvalid("needs exactly one of archive_info, vcs_info and dir_info")
    info = _required(document, kinds[0], dict)
    if kinds == ["vcs_info"]:
        return VcsSource(
            vcs=_required(info, "vcs", str),
            url=url,
            revision=_optional(info, "requested_revision", str),
            commit=_required(info, "commit_id", str),
            subdirectory=subdirectory,
        )
    if kinds == ["archive_info"]:
        return ArchiveSource(url=url, hashes=_hashes(info), subdirectory=subdirectory)
    return DirectorySource(
        path=path_of_file_url(url),
        editable=bool(_optional(info, "editable", bool)),
        subdirectory=subdirectory,
    )


def file_url(path: str) -> str:
    """The ``file:`` URL of an absolute path with POSIX separators (RFC 8089)."""
    if path.startswith("//"):  # a share on Windows: //server/share
        return "file:" + quote(path)
    return "file:///" + quote(path.lstrip("/"), safe="/:")


def path_of_file_url(url: str) -> str:
    """The absolute path (POSIX separators) that a ``file:`` URL means.

    Raises:
        DirectUrlInvalid: the URL has another scheme.
    """
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise DirectUrlInvalid("names a folder by a URL that is not a file: URL")
    # `#` and `?` cannot be meant as fragment and query: file_url quotes them, and so does pip.
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost"):
        return f"//{parts.netloc}{path}"
    if os.name == "nt" and re.match(r"/[A-Za-z]:", path):
        return path[1:]
    return path


def _hashes(info: dict[str, Any]) -> tuple[str, ...]:
    """From ``hashes``, else the older ``hash`` (``sha256=...``), as ``sha256:...``, sorted."""
    table = _optional(info, "hashes", dict)
    if table:
        return tuple(sorted(f"{algorithm}:{digest}" for algorithm, digest in table.items()))
    legacy = _optional(info, "hash", str)
    return (legacy.replace("=", ":", 1),) if legacy else ()


def _required(table: dict[str, Any], key: str, kind: type[T]) -> T:
    value = _optional(table, key, kind)
    if value is None:
        raise DirectUrlInvalid(f"has no {key}")
    return value


def _optional(table: dict[str, Any], key: str, kind: type[T]) -> T | None:
    value = table.get(key)
    if value is None or isinstance(value, kind):
        return value
    raise DirectUrlInvalid(f"has a {key} of the wrong kind")
