"""Direct references in locks: ``name @ url``, ``-e ./folder``, bare URLs and paths. Pure."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from venvman.model.frozen import dataclass
from venvman.model.names import canonical
from venvman.model.sources import ArchiveSource, DirectorySource, Source, VcsSource

if TYPE_CHECKING:
    from venvman.model.names import NormalizedName

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""A full git commit id, SHA-1 or SHA-256."""

ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz")

_NAMED = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[^\]]*)\])?\s*@\s*(?P<url>\S+)$"
)
_VCS = re.compile(r"(?P<vcs>git|hg|svn|bzr)\+(?P<url>.+)$", re.IGNORECASE)
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://[^/]*)?/")
_EXTRAS = re.compile(r"(?P<path>.+?)\[(?P<extras>[^\[\]]*)\]$")
_UNREADABLE = re.compile(r"[\s#]")
_DIGEST = re.compile(r"(?:sha(?:1|224|256|384|512)|md5)=[0-9a-fA-F]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What one direct reference says; ``name`` is None where only building would tell it."""

    name: NormalizedName | None
    extras: frozenset[str]
    source: Source


def parse_reference(text: str, *, editable: bool = False) -> Reference | None:
    """The reference that ``text`` (without marker and options) is; None if it is none.

    The name is taken from ``name @``, else ``#egg=``, else an archive's file name.
    """
    named = _NAMED.match(text)
    if named:
        source, _, extras = _source(named["url"], editable=editable)
        given = frozenset(_words(named["extras"] or ""))
        return Reference(name=canonical(named["name"]), extras=given | extras, source=source)
    plain = text.partition("#")[0].lower()
    looks_direct = (
        "://" in text
        or text.startswith((".", "/", "${"))
        or plain.startswith("file:")
        or plain.endswith(ARCHIVES)
        or ("/" in plain and not re.search(r"[=<>~!\s]", plain))
    )
    if not editable and not looks_direct:
        return None
    source, egg, extras = _source(text, editable=editable)
    name = egg or (_file_name(source.url) if isinstance(source, ArchiveSource) else None)
    return Reference(name=canonical(name) if name else None, extras=extras, source=source)


def reference_text(source: Source) -> str:
    """The URL or path of ``source`` as a lock writes it, with fragment, without ``-e`` and name.

    A repository is written at its commit where that is known.
    """
    if isinstance(source, VcsSource):
        at = source.commit or source.revision
        url = f"{source.vcs}+{source.url}" + (f"@{at}" if at else "")
        return url + _fragment(source.subdirectory, ())
    if isinstance(source, ArchiveSource):
        url = source.url
        if url.startswith("file:") and not url.startswith("file:/"):
            return _path_text(unquote(url.removeprefix("file:")))
        return url + _fragment(source.subdirectory, source.hashes)
    if isinstance(source, DirectorySource):
        return _path_text(source.path) + _fragment(source.subdirectory, ())
    return ""


def split_revision(url: str) -> tuple[str, str | None]:
    """A repository's URL and the revision after its last ``@``, None where it names none."""
    authority = _AUTHORITY.match(url)
    start = authority.end() if authority else 0
    path, at, revision = url[start:].rpartition("@")
    if not at or (not path and not authority):
        return url, None
    return url[:start] + path, revision or None


def _source(text: str, *, editable: bool) -> tuple[Source, str | None, frozenset[str]]:
    """The source, the name in its ``#egg=``, and the extras at its end or in the egg."""
    url, _, fragment = text.partition("#")
    egg, subdirectory, hashes = _parts(fragment)
    extras: frozenset[str] = frozenset()
    egg = re.split(r"[=<>!~]", egg)[0] if egg else None  # pip of old took `#egg=name==1.0`
    if egg and (match := _EXTRAS.match(egg)):
        egg, extras = match["path"], frozenset(_words(match["extras"]))
    if vcs := _VCS.match(url):
        plain, revision = split_revision(vcs["url"])
        commit = revision if revision and COMMIT.fullmatch(revision) else None
        kind = vcs["vcs"].lower()
        repository = VcsSource(
            vcs=kind, url=plain, revision=revision, commit=commit, subdirectory=subdirectory
        )
        return repository, egg, extras
    scheme = _SCHEME.match(url)
    remote = scheme and scheme["scheme"].lower() != "file" and len(scheme["scheme"]) > 1
    if remote or (url.startswith("${") and url.lower().endswith(ARCHIVES)):
        return ArchiveSource(url=url, hashes=hashes, subdirectory=subdirectory), egg, extras
    path = url.replace("\\", "/")
    if url.lower().startswith("file:"):
        path = unquote(url[len("file:") :])
        path = "/" + path.lstrip("/") if path.startswith("/") else path
    if match := _EXTRAS.match(path):
        path, extras = match["path"], frozenset(_words(match["extras"]))
    if path.lower().endswith(ARCHIVES):
        location = quote(path) if path.startswith("/") else quote(posixpath.normpath(path))
        prefix = "file://" if path.startswith("/") else "file:"
        archive = ArchiveSource(url=prefix + location, hashes=hashes, subdirectory=subdirectory)
        return archive, egg, extras
    folder = DirectorySource(
        path=posixpath.normpath(path), editable=editable, subdirectory=subdirectory
    )
    return folder, egg, extras


def _parts(fragment: str) -> tuple[str | None, str | None, tuple[str, ...]]:
    egg = subdirectory = None
    hashes = []
    for part in fragment.split("&"):
        key, _, value = part.partition("=")
        if key == "egg":
            egg = unquote(value) or None
        elif key == "subdirectory":
            subdirectory = value or None
        elif _DIGEST.match(part):
            hashes.append(f"{key}:{value}")
    return egg, subdirectory, tuple(hashes)


def _fragment(subdirectory: str | None, hashes: tuple[str, ...]) -> str:
    parts = [f"subdirectory={subdirectory}"] if subdirectory else []
    parts += [value.replace(":", "=", 1) for value in hashes]
    return f"#{'&'.join(parts)}" if parts else ""


def _path_text(path: str) -> str:
    """``./path``; as a ``file:`` URL where pip would not read the path back."""
    free = path in {".", ".."} or path.startswith(("/", "../", "${"))
    dotted = path if free else f"./{path}"
    if not _UNREADABLE.search(path):
        return dotted
    return ("file://" if path.startswith("/") else "file:") + quote(dotted, safe="/${}")


def _file_name(url: str) -> str | None:
    leaf = unquote(posixpath.basename(url.removeprefix("file:")))
    if leaf.lower().endswith(".whl"):
        return leaf.partition("-")[0]
    stem = re.sub(r"(?i)(\.tar)?\.[a-z0-9]+$", "", leaf)
    name, _, version = stem.rpartition("-")
    return name if name and version[:1].isdigit() else None


def _words(extras: str) -> list[str]:
    return [canonical(extra.strip()) for extra in extras.split(",") if extra.strip()]
