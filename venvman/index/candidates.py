"""Which files of a project can be installed on a target, best first, and why the others cannot.

The order is pip's: hashes that were asked for, then (with ``--prefer-binary``) wheels, then the
version, then the wheel whose tag the target likes best, then its build tag; an sdist comes after
every wheel of its version. Releases are looked at one by one, newest first, when somebody asks.
"""

from __future__ import annotations

from datetime import datetime, timezone
from enum import Enum
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin

from packaging.version import Version

from venvman.index.filenames import Compatibility, parse_wheel_name
from venvman.index.listing import Listing, ProjectFiles
from venvman.index.page import FileRow, ProjectPage
from venvman.model.frozen import dataclass
from venvman.model.sources import IndexFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.specifiers import SpecifierSet

    from venvman.model.names import NormalizedName
    from venvman.model.options import IndexOptions
    from venvman.model.target import Target

    _Preference = tuple[int, tuple[()] | tuple[int, str]]


class RejectionKind(str, Enum):
    """Why a file is not taken."""

    NOT_A_DISTRIBUTION = "not-a-distribution"
    VERSION_INVALID = "version-invalid"
    BINARY_FORBIDDEN = "binary-forbidden"
    SOURCE_FORBIDDEN = "source-forbidden"
    PLATFORM = "platform"
    TAGS = "tags"  # the system fits, the Python does not
    PYTHON = "python"
    TOO_NEW = "too-new"
    SPECIFIER = "specifier"
    PRE_RELEASE = "pre-release"
    YANKED = "yanked"
    HASH = "hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A file that is not taken; ``reason`` is a sentence, ``version`` None if it makes no sense."""

    file: IndexFile
    kind: RejectionKind
    reason: str
    version: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that the target can install; a higher ``preference`` is better within a version."""

    name: NormalizedName
    version: Version
    file: IndexFile
    preference: _Preference

    @property
    def is_wheel(self) -> bool:
        """Whether it can be installed without building."""
        return self.file.is_wheel


class _Refused(NamedTuple):
    """Why a file is not taken: ``reason`` goes on after its name."""

    kind: RejectionKind
    reason: str


def is_pinned(specifier: SpecifierSet) -> bool:
    """Whether it names one version: PEP 592 lets only such a requirement reach a yanked file."""
    return any(
        each.operator == "===" or (each.operator == "==" and not each.version.endswith(".*"))
        for each in specifier
    )


class Candidates:
    """One project's files as one target sees them. Assessed lazily; safe to share by threads.

    ``exclude_newer`` (aware) leaves out what was uploaded at that time or later, and what an index
    gives no upload time for; local files always count.
    """

    def __init__(
        self,
        project: ProjectFiles,
        *,
        target: Target,
        options: IndexOptions,
        exclude_newer: datetime | None = None,
    ) -> None:
        self.name = project.name
        self._project = project
        self._python = target.python
        self._compatibility = Compatibility.of(target)
        self._prefer_binary = options.prefer_binary
        self._binary, self._source = _formats(project.name, options)
        self._prereleases = _prereleases(project.name, options)
        self._exclude_newer = exclude_newer
        self._invalid: list[str] = []
        self._spellings = _by_version(project.versions, self._invalid)
        self._assessed: dict[Version, tuple[Candidate, ...]] = {}

    @property
    def versions(self) -> tuple[Version, ...]:
        """Every version of which there is a file, usable or not, newest first."""
        return tuple(self._spellings)

    def files(self, version: Version) -> tuple[IndexFile, ...]:
        """Every file of ``version``, for whatever target: what a lock lists the hashes of."""
        spellings = self._spellings.get(version, ())
        return tuple(chain.from_iterable(map(self._project.files, spellings)))

    def hashes(self, version: Version) -> tuple[frozenset[str], tuple[IndexFile, ...]]:
        """The ``sha256:<hex>`` of those of :meth:`files` that options and ``exclude_newer`` allow.

        Those that the index tells, and the files that it tells none of.
        """
        told: set[str] = set()
        untold: list[IndexFile] = []
        for row, base in self._rows(version):
            allowed = self._binary if row.filename.endswith(".whl") else self._source
            if not allowed or self._too_new(row, base) is not None:
                continue
            digest = row.hashes.get("sha256")
            if digest:
                told.add(f"sha256:{digest.lower()}")
            else:
                untold.append(row.resolved(base))
        return frozenset(told), tuple(untold)

    def at(self, version: Version) -> tuple[Candidate, ...]:
        """What the target can install of ``version``, best first, yanked files included."""
        known = self._assessed.get(version)
        if known is None:
            known = self._assessed[version] = self._assess(version)
        return known

    def matching(
        self, specifier: SpecifierSet, *, hashes: tuple[str, ...] = ()
    ) -> Iterator[Candidate]:
        """What fits, best first, found as it is asked for.

        Pre-releases count where options or ``specifier`` allow them, else only if nothing else
        fits. Yanked files count only if ``specifier`` names one version and nothing else fits.
        With ``hashes``, files that have one of them or tell none count.
        """
        allowed = self._prereleases
        if allowed is None:
            # PEP 440: pre-releases are better than nothing; a yanked final release is something.
            allowed = bool(specifier.prereleases) or all(
                version.is_prerelease or not self.at(version)
                for version in self._fitting(specifier)
            )
        found = self._filtered(specifier, hashes, prereleases=allowed)
        if hashes or self._prefer_binary:
            # Files with a hash that was asked for, then wheels, before newer versions.
            def handicap(each: Candidate) -> tuple[bool, bool]:
                no_hash = bool(hashes) and not _fits(each.file, hashes)
                return no_hash, self._prefer_binary and not each.is_wheel

            return iter(sorted(found, key=handicap))
        return found

    def rejections(
        self, specifier: SpecifierSet, *, hashes: tuple[str, ...] = ()
    ) -> Iterator[Rejection]:
        """Every file that :meth:`matching` does not give, and why: the first reason that holds."""
        taken = {id(each.file) for each in self.matching(specifier, hashes=hashes)}
        for listing in self._project.listings:
            for skipped in listing.skipped:
                file = IndexFile(filename=skipped.filename, url="")
                reason = f"{skipped.filename} is of no use: {skipped.reason}."
                kind = RejectionKind.NOT_A_DISTRIBUTION
                yield Rejection(file=file, kind=kind, reason=reason)
        for spelled in self._invalid:
            for file in self._project.files(spelled):
                reason = f"{file.filename} has the version {spelled}, which is none (PEP 440)."
                yield Rejection(file=file, kind=RejectionKind.VERSION_INVALID, reason=reason)
        for version in self._spellings:
            for row, base in self._rows(version):
                judged = self._judge(row, base)
                if isinstance(judged, _Refused):
                    reason, file = f"{row.filename} {judged.reason}.", row.resolved(base)
                    yield Rejection(file=file, kind=judged.kind, reason=reason, version=version)
            for candidate in self.at(version):
                if id(candidate.file) not in taken:
                    yield _declined(candidate, specifier, hashes)

    def _filtered(
        self, specifier: SpecifierSet, hashes: tuple[str, ...], *, prereleases: bool
    ) -> Iterator[Candidate]:
        """Candidates by version, newest first, whose version fits."""
        pinned = is_pinned(specifier)
        yanked: list[Candidate] = []
        none_else = True
        for version in self._fitting(specifier):
            if version.is_prerelease and not prereleases:
                continue
            for candidate in self.at(version):
                known = candidate.file.hashes
                if hashes and known and not _fits(candidate.file, hashes):
                    continue
                if candidate.file.yanked is not None:
                    yanked.append(candidate)
                else:
                    none_else = False
                    yield candidate
        if pinned and none_else:
            yield from yanked  # PEP 592

    def _fitting(self, specifier: SpecifierSet) -> Iterator[Version]:
        """Versions that fit, newest first, pre-releases among them."""
        return specifier.filter(self._spellings, prereleases=True)

    def _rows(self, version: Version) -> Iterator[tuple[FileRow, str]]:
        for spelled in self._spellings.get(version, ()):
            yield from self._project.rows(spelled)

    def _assess(self, version: Version) -> tuple[Candidate, ...]:
        candidates: list[Candidate] = []
        for row, base in self._rows(version):
            judged = self._judge(row, base)
            if not isinstance(judged, _Refused):
                file = row.resolved(base)
                candidate = Candidate(name=self.name, version=version, file=file, preference=judged)
                candidates.append(candidate)
        # pip lets the later of two equally good files win; a stable sort of the reverse does that.
        candidates.reverse()
        candidates.sort(key=lambda each: each.preference, reverse=True)
        return tuple(candidates)

    def _judge(self, row: FileRow, base: str) -> _Preference | _Refused:
        preference: _Preference = (-self._compatibility.count, ())
        if row.filename.endswith(".whl"):
            if not self._binary:
                why = "is a wheel, and --no-binary says no"
                return _Refused(RejectionKind.BINARY_FORBIDDEN, why)
            wheel = parse_wheel_name(row.filename)
            if wheel is None:
                return _Refused(RejectionKind.NOT_A_DISTRIBUTION, "is not a wheel's name")
            rank = self._compatibility.rank(wheel.tags)
            if rank is None:
                here = self._compatibility.suits_system(wheel.tags)
                kind = RejectionKind.TAGS if here else RejectionKind.PLATFORM
                return _Refused(kind, self._compatibility.reason(wheel.tags))
            preference = (-rank, wheel.build)
        elif not self._source:
            why = "is an sdist, and --only-binary says no"
            return _Refused(RejectionKind.SOURCE_FORBIDDEN, why)
        late = self._too_new(row, base)
        if late:
            return _Refused(RejectionKind.TOO_NEW, late)
        if row.requires_python and not self._compatibility.allows(row.requires_python):
            reason = f"needs Python {row.requires_python}, and the target is {self._python}"
            return _Refused(RejectionKind.PYTHON, reason)
        return preference

    def _too_new(self, row: FileRow, base: str) -> str | None:
        limit = self._exclude_newer
        if limit is None or urljoin(base, row.url).startswith("file:"):
            return None
        if row.upload_time is None:
            return f"has no upload time, and only files from before {limit:%Y-%m-%d} count"
        if instant(row.upload_time) < limit:
            return None
        return f"was uploaded on {row.upload_time[:10]}, and only files from before {limit} count"


def _by_version(spellings: Iterable[str], invalid: list[str]) -> dict[Version, tuple[str, ...]]:
    """Spellings in file names by what they mean: ``1.0`` and ``1.0.0`` are one version."""
    grouped: dict[Version, tuple[str, ...]] = {}
    for spelled in spellings:
        version = _version(spelled)
        if version is None:
            invalid.append(spelled)
        else:
            grouped[version] = (*grouped.get(version, ()), spelled)
    return {version: grouped[version] for version in sorted(grouped, key=_ORDER, reverse=True)}


def project_of(name: NormalizedName, files: Iterable[IndexFile]) -> ProjectFiles:
    """``files`` as if an index listed them."""
    rows = tuple(
        FileRow(
            file.filename,
            file.url,
            dict(each.split(":", 1) for each in file.hashes),
            file.requires_python,
            file.yanked,
            file.size,
            file.upload_time,
            None
            if file.metadata_hash is None
            else dict([file.metadata_hash.split(":", 1)])
            if file.metadata_hash
            else True,
        )
        for file in files
    )
    return ProjectFiles(name, (Listing.of(ProjectPage(url="", rows=rows), name),))


def _formats(name: NormalizedName, options: IndexOptions) -> tuple[bool, bool]:
    """Whether wheels and whether sdists may be taken; a project's own name beats ``:all:``."""
    if name in options.no_binary:
        return False, True
    if name in options.only_binary:
        return True, False
    return ":all:" not in options.no_binary, ":all:" not in options.only_binary


def _prereleases(name: NormalizedName, options: IndexOptions) -> bool | None:
    """What options say about pre-releases of the project; None: nothing."""
    if name in options.all_releases:
        return True
    if name in options.only_final:
        return False
    if options.pre or ":all:" in options.all_releases:
        return True
    return False if ":all:" in options.only_final else None


def _fits(file: IndexFile, hashes: tuple[str, ...]) -> bool:
    return not set(file.hashes).isdisjoint(hashes)


def _declined(candidate: Candidate, specifier: SpecifierSet, hashes: tuple[str, ...]) -> Rejection:
    """Why a file that the target could install was not taken."""
    file, version = candidate.file, candidate.version
    if not specifier.contains(version, prereleases=True):
        kind, reason = RejectionKind.SPECIFIER, f"is {version}, which is not {specifier}"
    elif hashes and file.hashes and not _fits(file, hashes):
        kind, reason = RejectionKind.HASH, "has a hash that is not among those locked"
    elif file.yanked is not None:
        why = f"yanked: {file.yanked}" if file.yanked else "yanked, without a reason"
        kind, reason = RejectionKind.YANKED, f"was {why}"
    else:
        kind, reason = RejectionKind.PRE_RELEASE, "is a pre-release, which nobody asked for"
    return Rejection(file=file, kind=kind, reason=f"{file.filename} {reason}.", version=version)


_ORDER = attrgetter("_key") if hasattr(Version("0"), "_key") else None
"""What versions are compared by, where it can be had: comparing them by methods takes as long as
parsing them."""


@lru_cache(maxsize=65536)
def _version(spelled: str) -> Version | None:
    try:
        # Wheels write a local version's dash and an epoch's neighbours with underscores.
        return Version(spelled.replace("_", "-") if "_" in spelled else spelled)
    except ValueError:  # InvalidVersion, or a number of too many digits
        return None


def instant(text: str) -> datetime:
    """An upload time, as indexes write it."""
    # Python 3.10 reads no "Z", and of fractions only three or six digits.
    whole, dot, rest = text.replace("Z", "+00:00").partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    fraction = f".{rest[:digits][:6]:0<6}" if dot else ""
    moment = datetime.fromisoformat(f"{whole}{fraction}{rest[digits:]}")
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
