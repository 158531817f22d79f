"""The requirement part of a line: a PEP 508 requirement, a URL, a path. Pure.

pip looks at the disk to tell a folder from a name; this module looks at the text alone, so that a
file means the same everywhere: ``./x``, ``a/b`` and what follows ``-e`` are folders, ``x.whl`` and
``x.tar.gz`` are files, whether they exist or not.
"""

from __future__ import annotations

import os.path
import re
from contextlib import suppress
from dataclasses import field
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, unquote, urlsplit

from venvman.model.errors import Advice, Fix
from venvman.model.frozen import dataclass
from venvman.model.pep508 import Malformed, parse_marker, parse_requirement, parse_specifier
from venvman.model.sources import ArchiveSource, DirectorySource, IndexSource, Source, VcsSource

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.requirements import Requirement as Pep508
    from packaging.specifiers import SpecifierSet


class SpecificationFault(Exception):
    """Why a requirement cannot be understood; the message is a sentence."""

    def __init__(
        self, message: str, *, code: str = "requirement-invalid", why: str | None = None,
        fix: Fix | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.code = code
        self.why = why
        self.fix = fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """What one line asks for.

    ``name`` and ``extras`` are as written; ``name`` is None where only a build can tell it. ``url``
    is the direct URL as pip prints it (with its fragment; ``file:`` for paths), None for an index.
    """

    name: str | None
    extras: frozenset[str]
    specifier: SpecifierSet
    marker: Marker | None
    url: str | None = None
    source: Source = field(default_factory=IndexSource)


def read_requirement(text: str, *, cwd: str) -> Specification:
    """Reads a line's requirement; ``cwd`` is the absolute folder that relative paths count from.

    Raises:
        SpecificationFault: it is none of the forms that pip takes.
    """
    is_url = _is_url(text)
    body, separator, marker_text = text.partition("; " if is_url else ";")
    body = body.strip()
    marker = _marker(marker_text.strip()) if separator and marker_text.strip() else None
    if is_url:
        return _direct(body, marker=marker, cwd=cwd)
    path, bracket = _without_extras(body)
    before, at, _ = body.partition("@")
    # `name @ https://host/x.zip` is a direct reference, `./name@1.zip` a file.
    is_path = not at or "/" in before or before.startswith(".")
    if is_path and path.lower().endswith(_ARCHIVES):
        return _direct(_path_url(path, cwd), marker=marker, cwd=cwd, extras=_lowered(bracket))
    try:
        requirement = _pep508(body)
    except SpecificationFault:
        # `name @ https://...` has a slash too; only what is no PEP 508 requirement is a path.
        may_be = body.startswith(".") or "/" in body
        if not (may_be and _PLAUSIBLE.fullmatch(path) and _plausible_folder(path)):
            raise
        url = _path_url(path, cwd)
        return _direct(url, marker=marker, cwd=cwd, extras=_lowered(bracket))
    return _from_pep508(requirement, marker=marker, extras=_lowered(bracket), cwd=cwd)


def read_editable(text: str, *, cwd: str) -> Specification:
    """Reads what ``-e`` was given: a folder, or a repository.

    Raises:
        SpecificationFault: it is neither, or a repository without a name.
    """
    if "@" in text:
        with suppress(Malformed):
            reference = parse_requirement(text)
            if reference.url:
                return _editable_reference(reference, cwd=cwd)
    path, bracket = _without_extras(text)
    if path.startswith("file:") or _plausible_folder(path):
        url = path if path.startswith("file:") else _path_url(path, cwd)
        return _direct(url, marker=None, cwd=cwd, extras=_lowered(bracket), editable=True)
    repository = _VCS_SHORTHAND.match(text)
    url = f"{repository[1].lower()}+{text}" if repository else text
    if _split(url).scheme not in _VCS_SCHEMES:
        raise _not_editable(text)
    if _egg(url) is None:
        raise SpecificationFault(
            f"The editable requirement {text!r} does not say its name.",
            code="editable-nameless",
            fix=Advice(f"Give its name: -e '{url}#egg=<its name>'."),
        )
    return _direct(url, marker=None, cwd=cwd, editable=True)


def file_url(path: str) -> str:
    """The ``file:`` URL of the absolute ``path``."""
    return "file://" + quote(path)


_VCS_SCHEMES = frozenset(
    f"{vcs}+{transport}"
    for vcs, transports in {
        "bzr": ("http", "https", "ssh", "sftp", "ftp", "lp", "file"),
        "git": ("http", "https", "ssh", "git", "file"),
        "hg": ("file", "http", "https", "ssh", "static-http"),
        "svn": ("ssh", "http", "https", "svn", "file"),
    }.items()
    for transport in transports
)
_SCHEMES = _VCS_SCHEMES | {"http", "https", "file", "ftp"}
_VCS_SHORTHAND = re.compile(r"(git|hg|svn|bzr):", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_EXTRAS = re.compile(r"(.+)(\[[^\]]+\])")
_EGG = re.compile(r"[#&]egg=([^&]*)")
_EGG_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?", re.IGNORECASE)
_SUBDIRECTORY = re.compile(r"[#&]subdirectory=([^&]*)")
_URL_HASH = re.compile(r"[#&](sha512|sha384|sha256|sha224|sha1|md5)=([^&]*)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ARCHIVES = tuple(
    ".whl .zip .tar.gz .tgz .tar .tar.bz2 .tbz .tar.xz .txz .tlz .tar.lz .tar.lzma".split()  # noqa: SIM905 - reads as a list of endings
)
# What a folder's name in a requirements file never holds, but prose, templates, version
# specifiers and misspelt URLs do.
_NOT_IN_PATHS = re.compile(r"[<>=!;{}|*?\"'#:%\[\]]")
_PLAUSIBLE = re.compile(r"\.[\w.-]*|\S*[/\\]\S*|\.{1,2}[/\\].*")
_DOTTED = re.compile(r"\.{1,2}[/\\]")


def _direct(
    url: str, *, marker: Marker | None, cwd: str, extras: frozenset[str] = frozenset(),
    editable: bool = False, name: str | None = None,
) -> Specification:  # fmt: skip
    """A requirement that is a URL; the name comes from the wheel's file name or ``#egg=``."""
    split = _split(url)
    egg = _egg(url)
    if split.scheme == "file" and "../" in url and not editable:
        # Only the path survives, as in pip: fragments of such URLs are lost.
        url, egg = _path_url(unquote(split.path), cwd), None
        split = _split(url)
    source = _source(url, cwd=cwd, editable=editable)
    filename = unquote(split.path).rstrip("/").rpartition("/")[2]
    specifier = ""
    if name is None and filename.endswith(".whl") and not editable:
        from packaging.utils import InvalidWheelFilename, parse_wheel_filename

        try:
            name, version, _, _ = parse_wheel_filename(filename)
        except InvalidWheelFilename as error:
            message = f"{filename!r} is not the file name of a wheel."
            raise SpecificationFault(message, code="wheel-name-invalid", why=str(error)) from None
        specifier = f"=={version}"
    return Specification(
        name=name or egg,
        extras=extras,
        specifier=parse_specifier(specifier),
        marker=marker,
        url=url,
        source=source,
    )


def _from_pep508(
    requirement: Pep508, *, marker: Marker | None, extras: frozenset[str], cwd: str
) -> Specification:
    url = requirement.url
    if url is not None:
        _egg(url)  # pip refuses a bad #egg= even where it is not the name's source
    return Specification(
        name=requirement.name,
        extras=extras or frozenset(requirement.extras),
        specifier=requirement.specifier,
        marker=marker or requirement.marker,
        url=url,
        source=IndexSource() if url is None else _source(url, cwd=cwd, editable=False),
    )


def _editable_reference(reference: Pep508, *, cwd: str) -> Specification:
    """``-e 'NAME[extra] @ git+https://... ; marker'``."""
    url = reference.url or ""
    if _split(url).scheme not in _VCS_SCHEMES and not url.startswith("file:"):
        raise _not_editable(str(reference))
    return _direct(
        url,
        marker=reference.marker,
        cwd=cwd,
        extras=frozenset(reference.extras),
        editable=True,
        name=reference.name,
    )


def _source(url: str, *, cwd: str, editable: bool) -> Source:
    split = _split(url)
    subdirectory = _SUBDIRECTORY.search(url)
    folder = subdirectory[1] if subdirectory else None
    if split.scheme in _VCS_SCHEMES:
        return _repository(url, subdirectory=folder)
    vcs, plus, transport = split.scheme.partition("+")
    if plus and any(each.startswith(f"{vcs}+") for each in _VCS_SCHEMES):
        known = sorted(each for each in _VCS_SCHEMES if each.startswith(f"{vcs}+"))
        raise SpecificationFault(
            f"{vcs} repositories are not read over {transport!r}.",
            code="url-invalid",
            why=f"pip and venvman know {', '.join(known)}.",
        )
    bare = url.partition("#")[0]
    digest = _URL_HASH.search(url)
    hashes = (f"{digest[1]}:{digest[2]}",) if digest else ()
    if split.scheme not in {"file", ""}:
        return ArchiveSource(url=bare, hashes=hashes, subdirectory=folder)
    if split.netloc not in {"", "localhost"}:
        raise SpecificationFault(
            f"{url!r} names a file on another machine ({split.netloc!r}).",
            code="url-invalid",
            why="A file: URL with three slashes means this machine.",
        )
    path = _absolute(unquote(split.path) if split.scheme else bare, cwd)
    if path.lower().endswith(_ARCHIVES) and not editable:
        return ArchiveSource(url=file_url(path), hashes=hashes, subdirectory=folder)
    return DirectorySource(path=path, editable=editable, subdirectory=folder)


def _repository(url: str, *, subdirectory: str | None) -> VcsSource:
    vcs, _, rest = url.partition("#")[0].partition("+")
    if vcs == "svn" and rest.startswith("ssh:"):
        rest = f"svn+{rest}"  # Subversion's own name for that transport
    at = rest.rfind("@")
    path = rest.find("/", rest.find("://") + 3)
    has_revision = path != -1 and at > path  # an earlier @ belongs to the user name
    revision = rest[at + 1 :] if has_revision else None
    return VcsSource(
        vcs=vcs,
        url=rest[:at] if has_revision else rest,
        revision=revision or None,
        commit=revision if vcs == "git" and revision and _COMMIT.fullmatch(revision) else None,
        subdirectory=subdirectory,
    )


def _egg(url: str) -> str | None:
    match = _EGG.search(url)
    if match is None:
        return None
    if not _EGG_NAME.fullmatch(match[1]):
        raise SpecificationFault(
            f"#egg={match[1]} is not a name.",
            code="egg-invalid",
            why="After #egg= pip takes a bare name: no version, no extras.",
            fix=Advice("Write extras in front of the URL: its name, [extra] and @."),
        )
    return match[1]


def _pep508(text: str) -> Pep508:
    try:
        return parse_requirement(text)
    except Malformed as error:
        message = f"{text!r} is not a requirement: {error}."
        raise SpecificationFault(message, fix=_advice(text)) from None


def _advice(text: str) -> Advice | None:
    if text.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
        return Advice("Resolve the merge conflict, then try again.")
    if re.fullmatch(r"[A-Za-z0-9._-]+\s*=\s*[^=\s]+", text):
        name, _, version = text.partition("=")
        return Advice(f"Write it as {name.strip()}=={version.strip()}.")
    if re.fullmatch(r"[A-Za-z0-9._-]+=[^=\s]+=[^=\s]+", text):
        name, version, _ = text.split("=")
        return Advice(f"This is conda's format; pip's is {name}=={version}.")
    if re.match(r"[A-Za-z0-9._\[\]-]+#", text):
        return Advice("A comment needs a blank before its #.")
    if "${" in text:
        return Advice("Set the variable that it names, in capitals, before running venvman.")
    return None


@lru_cache(maxsize=1024)
def _marker(text: str) -> Marker:
    try:
        return parse_marker(text)
    except Malformed as error:
        message = f"{text!r} is not an environment marker: {error}."
        raise SpecificationFault(message, code="marker-invalid") from None


def _lowered(bracket: str) -> frozenset[str]:
    """The names in ``[a, B]``, in lower case: how pip reads extras at the end of a line."""
    return frozenset(_pep508(f"placeholder{bracket.lower()}").extras) if bracket else frozenset()


def _without_extras(text: str) -> tuple[str, str]:
    match = _EXTRAS.fullmatch(text)
    return (match[1].rstrip(), match[2]) if match else (text, "")


def _plausible_folder(path: str) -> bool:
    # Where it can be nothing but a path, `#` is a letter like others (` #` began a comment).
    name = path.replace("#", "") if _DOTTED.match(path) else path
    return bool(path) and not _NOT_IN_PATHS.search(name) and not _SCHEME.match(path)


def _not_editable(text: str) -> SpecificationFault:
    return SpecificationFault(
        f"{text!r} cannot be installed editable: it is neither a folder nor a repository's URL.",
        code="editable-invalid",
        why="A repository's URL begins with git+https:, git+ssh:, git+file:, hg+, svn+ or bzr+.",
    )


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise SpecificationFault(f"{url!r} is not a URL: {error}.", code="url-invalid") from None


def _is_url(text: str) -> bool:
    match = _SCHEME.match(text)
    return match is not None and match[0][:-1].lower() in _SCHEMES and bool(_split(text).scheme)


def _path_url(path: str, cwd: str) -> str:
    return file_url(_absolute(path, cwd))


def _absolute(path: str, cwd: str) -> str:
    return os.path.normpath(os.path.join(cwd, path))  # noqa: PTH118 - text, not a path on this disk
