"""Files from an index onto the disk: hashed while streaming, resumed when cut, whole or absent."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from venvman.index.page import STRONG_HASHES, leaf_of
from venvman.model.errors import Advice, InstallError
from venvman.model.frozen import dataclass
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from venvman.index.session import Session
    from venvman.model.events import Reporter

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """A file on disk: ``sha256`` is hex digits, ``size`` bytes."""

    path: Path
    sha256: str
    size: int


class Downloader:
    """Fetches files through a session. Thread-safe."""

    def __init__(self, session: Session, *, reporter: Reporter) -> None:
        self._session = session
        self._reporter = reporter

    def fetch(
        self,
        url: str,
        folder: Path,
        *,
        hashes: tuple[str, ...] = (),
        label: str,
        size: int | None = None,
    ) -> Downloaded:
        """Puts the file at ``url`` (``http:``, ``https:`` or ``file:``) into ``folder``.

        ``hashes`` are ``<algorithm>:<hex>``, of which one must fit; with none nothing is checked
        but ``size``. ``label`` names the file to people and the reporter.

        Raises:
            InstallError: ``hash-mismatch``, ``hash-weak``, ``size-mismatch``, ``file-missing`` or
                ``download-unwritable``; nothing is left in ``folder``.
            IndexFault: the server did not give the file.
        """
        wanted = _strong_only(hashes, label)
        leaf = safe_leaf(url)
        try:
            descriptor, name = tempfile.mkstemp(prefix=f".{leaf[:80]}.", suffix=".part", dir=folder)
        except OSError as error:
            raise _unwritable(folder, error) from error
        self._reporter.download_started(label, size=size)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                part = _Part(stream, {each.partition(":")[0] for each in wanted})
                local = local_path(url)
                if local is not None:
                    self._copy(part, local, label)
                else:
                    self._session.repeatedly(lambda: self._attempt(part, url, label))
            _verify(part, url, wanted, label=label, size=size)
            path = folder / leaf
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except OSError as error:
            # The network's own errors are faults by now; what is left is the disk's.
            Path(name).unlink(missing_ok=True)
            raise _unwritable(folder, error) from error
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        finally:
            self._reporter.download_finished(label)
        return Downloaded(path=path, sha256=part.digest("sha256"), size=part.received)

    def sha256(self, url: str, *, hashes: tuple[str, ...] = (), label: str) -> str:
        """The hex digits of the file at ``url``; one on this machine is read where it lies.

        Raises:
            InstallError, IndexFault: as :meth:`fetch`.
        """
        local = local_path(url)
        if local is None:
            with tempfile.TemporaryDirectory(prefix="venvman-") as folder:
                return self.fetch(url, Path(folder), hashes=hashes, label=label).sha256
        wanted = _strong_only(hashes, label)
        part = _Part(_Nowhere(), {each.partition(":")[0] for each in wanted})
        self._copy(part, local, label)
        _verify(part, url, wanted, label=label, size=None)
        return part.digest("sha256")

    def _copy(self, part: _Part, path: Path, label: str) -> None:
        try:
            source = path.open("rb")
        except OSError as error:
            raise InstallError(
                f"{label} could not be read.",
                code="file-missing",
                path=str(path),
                why=f"{error.strerror or error}.",
                fix=Advice("Check the folder that --find-links or the requirement names."),
            ) from error
        with source:
            while chunk := source.read(_CHUNK):
                self._take(part, chunk, label)

    def _attempt(self, part: _Part, url: str, label: str) -> None:
        """Goes on where the last attempt stopped, if the server can; else from the start."""
        headers = {"Accept-Encoding": "identity"}
        if part.received and part.etag:
            headers |= {"Range": f"bytes={part.received}-", "If-Range": part.etag}
        with self._session.open(url, headers=headers) as (response, _):
            resumed = response.headers.get("Content-Range", "").startswith(
                f"bytes {part.received}-"
            )
            if response.status != 206 or not resumed:
                part.restart()
            # Only a strong validator promises the same bytes (RFC 9110, 13.1.5).
            etag = response.headers.get("ETag", "")
            part.etag = etag if etag.startswith('"') else None
            for chunk in response.stream(_CHUNK, decode_content=False):
                self._take(part, chunk, label)

    def _take(self, part: _Part, chunk: bytes, label: str) -> None:
        part.take(chunk)
        self._reporter.download_advanced(label, received=len(chunk))


class _Nowhere(BytesIO):
    """Where bytes go of which only the hash is wanted."""

    def write(self, chunk: object, /) -> int:  # noqa: ARG002 - the signature of a stream
        return 0


class _Part:
    """A file being written and hashed."""

    def __init__(self, stream: BinaryIO, algorithms: Iterable[str]) -> None:
        self._stream = stream
        self._algorithms = {"sha256", *algorithms}
        self.etag: str | None = None
        self.restart()

    def restart(self) -> None:
        self._stream.seek(0)
        self._stream.truncate()
        self._hashers = {each: hashlib.new(each) for each in self._algorithms}
        self.received = 0

    def take(self, chunk: bytes) -> None:
        self._stream.write(chunk)
        for hasher in self._hashers.values():
            hasher.update(chunk)
        self.received += len(chunk)

    def digest(self, algorithm: str) -> str:
        return self._hashers[algorithm].hexdigest()


@lru_cache(maxsize=16_384)
def local_path(url: str) -> Path | None:
    """The path of a ``file:`` URL, else None."""
    if not url.startswith("file:"):
        return None
    from urllib.request import url2pathname

    return Path(url2pathname(urlsplit(url).path))


def safe_leaf(url: str) -> str:
    """The file name of ``url``, never one that leaves its folder."""
    leaf = leaf_of(url).replace("\\", "/").rpartition("/")[2]
    return leaf.replace("\0", "") if leaf.strip(". ") else "download"


def _strong_only(hashes: tuple[str, ...], label: str) -> tuple[str, ...]:
    kept = tuple(each for each in hashes if each.partition(":")[0] in STRONG_HASHES)
    if hashes and not kept:
        raise InstallError(
            f"{label} was not fetched: it has no hash that can be relied on.",
            code="hash-weak",
            why=f"{hashes[0].partition(':')[0]} can be forged; sha256, sha384 and sha512 cannot.",
            fix=Advice("Give it a sha256 where it is asked for, or have the index give one."),
        )
    return kept


def _verify(
    part: _Part, url: str, wanted: tuple[str, ...], *, label: str, size: int | None
) -> None:
    algorithms = dict.fromkeys(each.partition(":")[0] for each in wanted)
    found = [f"{each}:{part.digest(each)}" for each in algorithms]
    more = f" or {len(wanted) - 3} others" if len(wanted) > 3 else ""
    if wanted and not set(found) & {each.lower() for each in wanted}:
        raise InstallError(
            f"{label} has another hash than expected, so it was not used.",
            code="hash-mismatch",
            text=redact(url),
            why=f"Expected {' or '.join(wanted[:3])}{more}; got {', '.join(found)}.",
            fix=Advice(
                "Where the new file is meant to be there, have the lock made again, by `venvman "
                "freeze` or by what made it; else tell the index's owner."
            ),
        )
    if not wanted and size is not None and size != part.received:
        raise InstallError(
            f"{label} has {part.received} bytes where the index says {size}, so it was not used.",
            code="size-mismatch",
            text=redact(url),
            fix=Advice("Try again; if it stays so, tell the index's owner."),
        )


def _unwritable(folder: Path, error: OSError) -> InstallError:
    # Downloads go to the temporary folder if not to the cache.
    temporary = folder.is_relative_to(tempfile.gettempdir())
    variable = "TMPDIR" if temporary else "VENVMAN_CACHE_DIR"
    return InstallError(
        f"A download could not be written into {folder}.",
        code="download-unwritable",
        path=str(folder),
        why=f"{error.strerror or error}.",
        fix=Advice(f"Free some space there, or name another folder in {variable}."),
    )
