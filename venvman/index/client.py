"""The index client: every place that files may come from, behind five questions.

``project`` and ``files`` say what there is, ``metadata`` what it depends on, ``download`` and
``read`` fetch. Locations are merged as pip merges them: all of them count, no index goes first.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from venvman.index.auth import split_credentials
from venvman.index.cache import Entries, PageCache
from venvman.index.connections import is_secure
from venvman.index.download import Downloaded, Downloader, local_path
from venvman.index.errors import Refused
from venvman.index.filenames import version_of
from venvman.index.listing import (
    Listing,
    ProjectFiles,
    as_location,
    folder_pages,
    html_files,
    is_archive,
    local_index_page,
    parse_page,
    read_local_page,
)
from venvman.index.memo import PAGES, Evidence
from venvman.index.metadata import METADATA_FOLDER, MetadataReader, is_static
from venvman.index.once import Once
from venvman.index.page import FileRow, PageInvalid, ProjectPage, leaf_of
from venvman.index.session import Session
from venvman.model.errors import Advice, IndexFault, Problem, Severity
from venvman.model.events import Reporter
from venvman.model.frozen import dataclass
from venvman.model.metadata import CoreMetadata, parse_metadata
from venvman.model.options import source_of
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvman.index.auth import Credentials
    from venvman.index.cache import CachedPage
    from venvman.model.names import NormalizedName
    from venvman.model.options import IndexOptions
    from venvman.model.sources import IndexFile
    from venvman.system.directories import Directories

_ACCEPT = {
    "Accept": "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html; q=0.2, text/html; q=0.1",
    "Accept-Encoding": "gzip",
}
_GONE = (404, 410)
_ON_THE_WAY = "Whoever is on the way could change what is installed."


@dataclass(frozen=True, slots=True)
class _Found:
    """What one index has; ``remembered`` if that is only what it had a while ago."""

    listing: Listing | None
    remembered: bool = False
    rejection: Refused | None = None


class Index:
    """All configured locations. Thread-safe: the caller's threads are the concurrency.

    What one instance has learned stays: nothing is asked twice but on ``refresh``. ``evidence`` is
    what all that it has said so far rests on.
    """

    def __init__(
        self,
        options: IndexOptions,
        *,
        directories: Directories,
        variables: Mapping[str, str],
        reporter: Reporter | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        self.options = options
        self.evidence = evidence or Evidence()
        self._sources = tuple(url for _, url in options.sources)
        self._reporter = reporter or Reporter()
        self._find_links = tuple(as_location(each) for each in options.find_links)
        self._session = Session(
            options,
            variables=variables,
            home=Path(variables.get("HOME") or variables.get("USERPROFILE") or Path.home()),
            reporter=self._reporter,
            known=(*options.index_urls, *self._sources, *options.preferred, *options.find_links),
        )
        self._downloader = Downloader(self._session, reporter=self._reporter)
        self._pages = PageCache(directories.cache / PAGES, reporter=self._reporter)
        self._metadata = MetadataReader(
            self._session,
            self._downloader,
            Entries(directories.cache / METADATA_FOLDER, reporter=self._reporter),
            reporter=self._reporter,
        )
        self._projects: Once[tuple[NormalizedName, bool], ProjectFiles] = Once()
        self._read_metadata: Once[str, CoreMetadata | None] = Once()
        self._folders: Once[Path, Mapping[NormalizedName, ProjectPage]] = Once()
        self._link_pages: Once[str, tuple[ProjectPage, ...]] = Once()
        self._warned: Once[tuple[str, str], None] = Once()

    @property
    def is_local(self) -> bool:
        """Whether everything it offers lies on this machine, so that nothing is ever waited for."""
        everywhere = (*self.options.index_urls, *self._sources, *self.options.preferred)
        return all(
            isinstance(each, Path) for each in (*self._find_links, *map(as_location, everywhere))
        )

    def close(self) -> None:
        """Closes every connection."""
        self._session.close()

    def files(self, name: NormalizedName, *, refresh: bool = False) -> tuple[IndexFile, ...]:
        """Every file of the project ``name``; see :meth:`project`."""
        return self.project(name, refresh=refresh).all_files()

    def project(self, name: NormalizedName, *, refresh: bool = False) -> ProjectFiles:
        """Every file of the project ``name`` by version, decoded only where looked at.

        There are none where no location knows it. ``refresh`` asks the indexes again where an
        answer of an earlier run would do.

        Raises:
            IndexFault: an index did not answer, or not with a list of files.
        """
        if not refresh and self._projects.known((name, True)):
            refresh = True
        return self._projects.get((name, refresh), lambda: self._collect(name, refresh=refresh))

    def at_hand(self, name: NormalizedName) -> bool:
        """Whether :meth:`project` can tell at once what there is, since fresh pages are kept."""
        if self._projects.known((name, True)) or self._projects.known((name, False)):
            return True
        found = self._kept_pages(name)
        if found is None:
            return False
        self._projects.get((name, False), lambda: found)
        return True

    def metadata_at_hand(self, file: IndexFile) -> bool:
        """Whether :meth:`metadata` can tell at once."""
        return self._read_metadata.known(file.url) or self._metadata.at_hand(file)

    def metadata(self, file: IndexFile) -> CoreMetadata | None:
        """What ``file`` depends on; None for an sdist of which only a build can tell.

        Raises:
            IndexFault: the index gave neither the metadata nor the file.
            InstallError: the file has another hash than the index says, or is no wheel.
        """
        if not file.hashes or local_path(file.url) is not None:
            self.evidence.mark_uncacheable()  # no page says what is in it

        def read() -> CoreMetadata | None:
            content = self._metadata.read(file)
            if content is None or not (file.is_wheel or is_static(content)):
                return None
            return parse_metadata(content)

        return self._read_metadata.get(file.url, read)

    def download(
        self,
        url: str,
        folder: Path,
        *,
        hashes: tuple[str, ...] = (),
        label: str,
        size: int | None = None,
    ) -> Downloaded:
        """Fetches a file into ``folder``, checked: see :meth:`Downloader.fetch`."""
        if not hashes:
            self.evidence.mark_uncacheable()
        return self._downloader.fetch(url, folder, hashes=hashes, label=label, size=size)

    def sha256(self, url: str, *, hashes: tuple[str, ...] = (), label: str) -> str:
        """The hex digits of a file: see :meth:`Downloader.sha256`."""
        if not hashes:
            self.evidence.mark_uncacheable()
        return self._downloader.sha256(url, hashes=hashes, label=label)

    def read(self, url: str) -> bytes:
        """A small document, such as a requirements file on a server.

        Raises:
            IndexFault: it could not be had.
        """
        self.evidence.mark_uncacheable()
        local = local_path(url)
        if local is None:
            return self._session.get(url).body
        try:
            return local.read_bytes()
        except OSError as error:
            raise _unreadable(url, error) from error

    def _collect(self, name: NormalizedName, *, refresh: bool) -> ProjectFiles:
        if refresh:
            self.evidence.mark_uncacheable()
        own = source_of(name, self.options)
        for location in () if own else self.options.preferred:
            first = self._of_preferred(location, name, refresh=refresh)
            if first.known:
                return first
        listings = list(self._of_find_links(name, self._find_links))
        urls = (own,) if own else self.options.index_urls
        alone = len(urls) == 1 and not listings
        found = [
            self._of_index_or_rejection(url, name, refresh=refresh, alone=alone) for url in urls
        ]
        result = ProjectFiles(name, (*listings, *(each.listing for each in found if each.listing)))
        if not result.known:
            for each in found:
                if each.rejection:
                    raise each.rejection
            # "No such project" is said only after asking.
            if any(each.remembered for each in found) and not self.options.offline:
                return self._collect(name, refresh=True)
            self._refuse_silence(urls)
        return result

    def _of_preferred(self, url: str, name: NormalizedName, *, refresh: bool) -> ProjectFiles:
        """What one index, or one folder of files or of projects, has."""
        location = as_location(url)
        if isinstance(location, Path):
            flat = list(self._of_find_links(name, (location,)))
            if flat or not (location / name).is_dir():
                return ProjectFiles(name, tuple(flat))
        found = self._of_index_or_rejection(url, name, refresh=refresh, alone=False)
        return ProjectFiles(name, (found.listing,) if found.listing else ())

    def _refuse_silence(self, urls: Iterable[str]) -> None:
        """Nobody was asked where every location is ignored: that no index has a name is not known.

        Raises:
            IndexFault: so it is.
        """
        every = [*map(as_location, urls), *self._find_links]
        ignored = [
            each
            for each in every
            if isinstance(each, str) and not is_secure(each, self.options.trusted_hosts)
        ]
        if ignored and len(ignored) == len(every):
            shown, fix = redact(ignored[0]), _use_https(ignored[0])
            message = f"No index was asked: {shown} is ignored, because it is not read over HTTPS."
            raise IndexFault(message, code="index-insecure", why=_ON_THE_WAY, fix=fix)

    def _kept_pages(self, name: NormalizedName) -> ProjectFiles | None:
        """What fresh pages of every index say, if that is enough to answer."""
        if self._find_links or self.options.preferred:
            return None
        own = source_of(name, self.options)
        used: list[CachedPage] = []
        for url in (own,) if own else self.options.index_urls:
            location = as_location(url)
            if isinstance(location, Path) or not is_secure(location, self.options.trusted_hosts):
                return None
            *_, cached = self._cached(_page_url(location, name))
            if cached is None or not cached.fresh:
                return None
            used.append(cached)
        found = ProjectFiles(name, tuple(each.listing for each in used if each.listing))
        if not found.known:
            return None
        for each in used:
            self.evidence.rest_on(each.proof)
        return found

    def _cached(self, page_url: str) -> tuple[str, Credentials | None, CachedPage | None]:
        """The URL without credentials, those to send, and what is kept of the page."""
        clean, _ = split_credentials(page_url)
        credentials = self._session.authenticator.before(page_url)
        return clean, credentials, self._pages.read(clean, credentials)

    def _of_index_or_rejection(
        self, url: str, name: NormalizedName, *, refresh: bool, alone: bool
    ) -> _Found:
        """Storage services answer 403 for what is not there; with other locations that may be."""
        try:
            return self._of_index(url, name, refresh=refresh)
        except Refused as fault:
            if fault.status != 403 or alone or split_credentials(url)[1]:
                raise
            self.evidence.mark_uncacheable()
            problem = Problem(
                code="index-forbidden",
                message=f"{redact(url)} does not say which projects it has: it answers 403.",
                severity=Severity.WARNING,
                why="Its refusal counts as `no such project` as long as another location has one.",
                fix=Advice("Give credentials for it if it needs some."),
            )
            self._warn(problem, url)
            return _Found(None, rejection=fault)

    def _of_index(self, url: str, name: NormalizedName, *, refresh: bool) -> _Found:
        location = as_location(url)
        if isinstance(location, Path):
            self.evidence.mark_uncacheable()
            return _Found(self._of_local_index(location, name))
        if not is_secure(location, self.options.trusted_hosts):
            self._warn_insecure(location)
            return _Found(None)
        page_url = _page_url(location, name)
        clean, credentials, cached = self._cached(page_url)
        if cached and (self.options.offline or (cached.fresh and not refresh)):
            self.evidence.rest_on(cached.proof)
            return _Found(cached.listing, remembered=True)
        headers = dict(_ACCEPT)
        if cached:
            headers |= cached.conditions
        if refresh:
            headers["Cache-Control"] = "max-age=0"
        try:
            answer = self._session.get(page_url, headers=headers)
        except Refused as fault:
            if fault.status not in _GONE:
                raise
            self.evidence.rest_on(self._pages.write(clean, credentials, None, {}))
            return _Found(None)
        if answer.status == 304 and cached:
            self.evidence.rest_on(self._pages.confirm(cached))
            return _Found(cached.listing)
        if self._session.authenticator.has_asked:
            self.evidence.mark_uncacheable()
        page = _parsed(answer.body, answer.headers.get("content-type", ""), answer.url)
        listing = Listing.of(page, name)
        self.evidence.rest_on(self._pages.write(clean, credentials, listing, answer.headers))
        return _Found(listing)

    def _of_local_index(self, folder: Path, name: NormalizedName) -> Listing | None:
        if not folder.is_dir():
            self._warn_missing(folder)
            return None
        try:
            page = local_index_page(folder, name)
        except (OSError, PageInvalid) as error:
            raise _unreadable((folder / name).as_uri(), error) from error
        return Listing.of(page, name) if page else None

    def _of_find_links(
        self, name: NormalizedName, locations: Iterable[Path | str]
    ) -> Iterable[Listing]:
        for location in locations:
            self.evidence.mark_uncacheable()
            for page in self._find_links_pages(location, name):
                rows = tuple(row for row in page.rows if version_of(row.filename, name))
                if rows:
                    yield Listing.of(ProjectPage(url=page.url, rows=rows), name)

    def _find_links_pages(
        self, location: Path | str, name: NormalizedName
    ) -> tuple[ProjectPage, ...]:
        if isinstance(location, str):
            return self._link_pages.get(location, lambda: self._remote_links(location))
        if location.is_dir():
            own = self._folders.get(location, lambda: folder_pages(location)).get(name)
            pages = self._link_pages.get(
                str(location), lambda: tuple(map(_local_page, html_files(location)))
            )
            return (own, *pages) if own else pages
        if not location.is_file():
            self._warn_missing(location)
            return ()
        if is_archive(location):
            return (_single(location.as_uri(), location.name),)
        return self._link_pages.get(str(location), lambda: (_local_page(location),))

    def _remote_links(self, url: str) -> tuple[ProjectPage, ...]:
        if is_archive(url):
            return (_single(url, leaf_of(url)),)
        if not is_secure(url, self.options.trusted_hosts):
            self._warn_insecure(url)
            return ()
        answer = self._session.get(url, headers=_ACCEPT)
        return (_parsed(answer.body, answer.headers.get("content-type", ""), answer.url),)

    def _warn_insecure(self, url: str) -> None:
        problem = Problem(
            code="index-insecure",
            message=f"{redact(url)} is ignored, because it is not read over HTTPS.",
            severity=Severity.WARNING,
            why=_ON_THE_WAY,
            fix=_use_https(url),
        )
        self._warn(problem, url)

    def _warn_missing(self, path: Path) -> None:
        problem = Problem(
            code="location-missing",
            message=f"{path} is not there, so no files come from it.",
            severity=Severity.WARNING,
            path=str(path),
            fix=Advice("Correct the option or setting that names it, or remove that."),
        )
        self._warn(problem, str(path))

    def _warn(self, problem: Problem, about: str) -> None:
        """Once for each place, whoever meets it first."""
        self._warned.get((problem.code, about), lambda: self._reporter.problem(problem))


def _use_https(url: str) -> Advice:
    host = split_credentials(url)[0].split("/")[2]
    return Advice(f"Use https://, or --trusted-host {host} in the requirements file.")


def _page_url(index: str, name: NormalizedName) -> str:
    return f"{index.rstrip('/')}/{name}/"


def _parsed(body: bytes, content_type: str, url: str) -> ProjectPage:
    try:
        page = parse_page(body, content_type, url)
    except PageInvalid as error:
        raise _not_an_index(url, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    if not page.listing:
        why = "It is a web page without files, such as the log-in page of a network."
        raise _not_an_index(url, why)
    return page


def _not_an_index(url: str, why: str) -> IndexFault:
    return IndexFault(
        f"{redact(url)} is not a page of a package index.",
        code="index-page-invalid",
        why=why,
        fix=Advice("Open it in a browser: the network may want a log-in, or --index-url be wrong."),
    )


def _unreadable(url: str, error: Exception) -> IndexFault:
    return IndexFault(
        f"{redact(url)} could not be read.",
        code="index-unreadable",
        why=f"{getattr(error, 'strerror', None) or error}.",
        fix=Advice("Check --index-url and --find-links."),
    )


def _local_page(path: Path) -> ProjectPage:
    try:
        return read_local_page(path)
    except (OSError, PageInvalid) as error:
        raise _unreadable(path.as_uri(), error) from error


def _single(url: str, filename: str) -> ProjectPage:
    return ProjectPage(url=url, rows=(FileRow(filename, url),))
