"""What sources that an index does not describe depend on: sdists, archives, repositories, folders.

Read where it is promised, else asked of the build backend in isolation; kept by hash or commit.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from venvman.index.cache import Entries
from venvman.index.filenames import version_of
from venvman.index.page import leaf_of
from venvman.model.errors import Advice, FreezeError, InstallError, UnsatisfiableError
from venvman.model.metadata import CoreMetadata, parse_metadata
from venvman.model.names import canonical
from venvman.model.sources import ArchiveSource, DirectorySource, IndexFile, VcsSource
from venvman.obtain.describe import metadata_unbuilt
from venvman.obtain.sources import working_folder
from venvman.system import records
from venvman.system.secrets import line_of, redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.build.backend import BuildContext, ConfigSettings
    from venvman.engines import FreezeRequest
    from venvman.index.client import Index
    from venvman.model.events import Reporter
    from venvman.model.names import NormalizedName
    from venvman.model.options import IndexOptions
    from venvman.python.probe import Interpreter

DirectSource = ArchiveSource | VcsSource | DirectorySource


class Describer:
    """Thread-safe as far as one source is asked for once; callers see to that."""

    def __init__(
        self,
        request: FreezeRequest,
        *,
        index: Index,
        options: IndexOptions,
        config_settings: Mapping[NormalizedName, ConfigSettings],
        reporter: Reporter,
    ) -> None:
        self._request = request
        self._index = index
        self._options = options
        self._config_settings = config_settings
        self._reporter = reporter
        self._kept = Entries(request.directories.cache / "built-metadata-v1", reporter=reporter)

    def guess(self, file: IndexFile) -> tuple[CoreMetadata, bool] | None:
        """What an sdist of an index says without being built, and whether that is final.

        Raises:
            IndexFault, InstallError: it could not be had, or has another hash.
        """
        key = self._key("guess", file.hashes) if file.hashes else None
        kept = self._kept.read(key) if key else None
        known = kept and records.decoded(kept[0], _GUESS)
        if known:
            return None if known[0] is None else (CoreMetadata(*known[0]), known[1])
        with working_folder(self._request.directories.cache) as folder:
            done = self._index.download(
                file.url, folder, hashes=file.hashes, label=file.filename, size=file.size
            )
            found = metadata_unbuilt(done.path)
        if key:
            self._kept.write(key, records.encoded(_GUESS, found or (None, False)))
        return found

    def sdist(self, name: NormalizedName, file: IndexFile) -> CoreMetadata:
        """The metadata of an sdist of an index.

        Raises:
            IndexFault, InstallError: it could not be had or built.
        """
        source = ArchiveSource(url=file.url, hashes=file.hashes)
        config = self._config_settings.get(name, ())
        key = self._key("sdist", file.hashes, config) if file.hashes else None
        label = f"{name} {version_of(file.filename, name)}"
        return self._described(source, config, key, name=name, label=label)[0]

    def direct(
        self, source: DirectSource, config: ConfigSettings, hashes: tuple[str, ...] = ()
    ) -> tuple[CoreMetadata, DirectSource]:
        """The metadata of a direct reference, and the source made exact.

        Raises:
            IndexFault, InstallError, GitError: it could not be had or built.
            UnsatisfiableError: a wheel for another target.
        """
        self._index.evidence.mark_uncacheable()  # no page says what is in it
        if isinstance(source, ArchiveSource) and leaf_of(source.url).endswith(".whl"):
            return self._wheel(source, hashes), source
        key = None
        if isinstance(source, VcsSource) and source.commit:
            key = self._key("commit", source.url, source.commit, source.subdirectory, config)
        return self._described(source, config, key, hashes, named=True)

    @cached_property
    def _context(self) -> BuildContext:
        from venvman.build.backend import BuildContext, BuildSettings

        request = self._request
        settings = BuildSettings(
            cache=request.directories.cache,
            variables=request.variables,
            supply=request.supply,
            constraints=request.build_constraints,
            config_settings=self._config_settings,
            extra=request.extra_build_requires,
            unisolated=request.unisolated,
            python=request.build_python,
            within=request.building,
        )
        return BuildContext(
            interpreter=self._interpreter,
            options=self._options,
            settings=settings,
            reporter=self._reporter,
        )

    @cached_property
    def _interpreter(self) -> Interpreter:
        from venvman.python.probe import By, probe

        # Whoever made the request has chosen it, and started it before.
        return probe(self._request.python, directories=self._request.directories, by=By.USER)

    def _described(
        self,
        source: DirectSource,
        config: ConfigSettings,
        key: str | None,
        hashes: tuple[str, ...] = (),
        *,
        named: bool = False,
        name: NormalizedName | None = None,
        label: str = "",
    ) -> tuple[CoreMetadata, DirectSource]:
        """``named`` says that the project's own files name the source: no look builds it."""
        kept = self._kept.read(key) if key else None
        if kept is not None and kept[0].startswith(_MAGIC):
            return parse_metadata(kept[0][len(_MAGIC) :]), source
        from venvman.obtain.describe import metadata_of_source

        context = self._context
        forbidden = named and self._request.directories.looks
        try:
            content, exact = metadata_of_source(
                source,
                replace(context, settings=replace(context.settings, forbidden=forbidden)),
                index=self._index,
                root=self._request.project.root,
                hashes=hashes,
                config_settings=config,
                name=name,
                label=label,
            )
        except InstallError as error:
            raise self._where(error, name, source) from error
        if key:
            self._kept.write(key, _MAGIC, content)
        return parse_metadata(content), exact

    def _where(
        self, error: InstallError, name: NormalizedName | None, source: DirectSource
    ) -> InstallError:
        """``error`` with the line that asks for what failed, where a line does."""
        lines = (line for group in self._request.groups for line in group.requirements)
        line = next((each for each in lines if each.name == name or each.source == source), None)
        if line is None or any(each.path for each in error.problems):
            return error
        problems = [replace(each, **line_of(line.origin)) for each in error.problems]
        return InstallError(
            error.message, code=error.code, why=error.why, fix=error.fix, problems=problems
        )

    def _wheel(self, source: ArchiveSource, hashes: tuple[str, ...]) -> CoreMetadata:
        from venvman.index.filenames import Compatibility, parse_wheel_name
        from venvman.system.variables import expand

        leaf = leaf_of(source.url)
        name = parse_wheel_name(leaf)
        if name is None:
            raise InstallError(f"{leaf} is not a wheel's name.", code="wheel-invalid")
        compatibility = Compatibility.of(self._request.target)
        if compatibility.rank(name.tags) is None:
            raise UnsatisfiableError(
                f"{leaf} cannot be installed here.",
                code="wheel-of-another-target",
                why=f"It {compatibility.reason(name.tags)}.",
                fix=Advice("Name a wheel for this platform, or let an index choose one."),
            )
        url = expand(source.url, self._request.variables)
        known = tuple(dict.fromkeys((*hashes, *source.hashes)))
        metadata = self._index.metadata(IndexFile(filename=leaf, url=url, hashes=known))
        if metadata is None:
            raise FreezeError(f"{redact(url)} says nothing of itself.", code="metadata-missing")
        return metadata

    def _key(self, *parts: object) -> str:
        """Everything that decides what a backend answers."""
        target = self._request.built_on or self._request.target
        request = self._request
        facts = [*parts, target.python, target.markers, request.build_constraints]
        if request.extra_build_requires:
            facts.append(sorted(request.extra_build_requires.items()))
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


_MAGIC = b"venvman-metadata-1\n"
_GUESS = "guess 1"


def name_of(metadata: CoreMetadata, source: DirectSource) -> NormalizedName:
    """The name that a source states.

    Raises:
        InstallError: it states none.
    """
    if not metadata.name or not metadata.version:
        raise InstallError(
            f"{redact(str(source))} does not say its name and version.", code="metadata-invalid"
        )
    return canonical(metadata.name)
