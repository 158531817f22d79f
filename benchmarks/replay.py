"""A local index that replays the public one's pages as a well-configured index would serve them.

    python -m benchmarks.replay FOLDER [--port 8899] [--upstream https://pypi.org/simple]
                                [--keep-files] [--delay SECONDS] [--rate BYTES_PER_SECOND]

Answers with ETag, ``Cache-Control: max-age=600`` and ``.metadata`` files (PEP 658), gzip where the
client takes it. What FOLDER does not hold yet is fetched from the upstream index once and kept, so
the first run of anything records and later runs replay. Files themselves are redirected upstream,
unless they are to be kept, too. A link can be slow: so long before an answer, and before the first
byte of a new connection; so many bytes a second, over all connections.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3

from benchmarks.peers import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

JSON_TYPE = "application/vnd.pypi.simple.v1+json"


@dataclass(slots=True)
class Recording:
    """Bodies by path below ``folder``, gzipped; one fetch at a time for each."""

    folder: Path
    upstream: str
    base: str
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=16))
    locks: dict[str, threading.Lock] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def page(self, name: str) -> bytes | None:
        """The JSON page of a project, file URLs pointing here."""
        return self._kept(f"simple/{name}.json.gz", lambda: self._fetch_page(name))

    def metadata(self, path: str) -> bytes | None:
        """The METADATA of the wheel at the upstream ``path``."""
        leaf = hashlib.sha256(path.encode()).hexdigest()
        return self._kept(f"metadata/{leaf}.gz", lambda: self._fetch_metadata(path))

    def file(self, path: str) -> bytes | None:
        """What lies at the upstream ``path``."""
        leaf = hashlib.sha256(path.encode()).hexdigest()
        return self._kept(f"files/{leaf}.gz", lambda: self._fetch(path))

    def _fetch(self, path: str) -> bytes | None:
        answer = self.http.request("GET", f"https://{path}")
        return answer.data if answer.status == 200 else None

    def _kept(self, leaf: str, fetch: Callable[[], bytes | None]) -> bytes | None:
        target = self.folder / leaf
        with self.guard:
            lock = self.locks.setdefault(leaf, threading.Lock())
        with lock:
            if not target.exists():
                body = fetch()
                if body is None:
                    return None
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary = target.with_suffix(".tmp")
                temporary.write_bytes(gzip.compress(body, 6))
                temporary.replace(target)
            return target.read_bytes()

    def _fetch_page(self, name: str) -> bytes | None:
        answer = self.http.request("GET", f"{self.upstream}/{name}/", headers={"Accept": JSON_TYPE})
        if answer.status != 200:
            return None
        page = json.loads(answer.data)
        for file in page["files"]:
            if file["filename"].endswith(".whl"):
                file["core-metadata"] = True
            file["url"] = f"{self.base}/files/{file['url'].split('://', 1)[1]}"
        return json.dumps(page).encode()

    def _fetch_metadata(self, path: str) -> bytes | None:
        import io
        import zipfile

        body = self._fetch(path)
        if body is None:
            return None
        with zipfile.ZipFile(io.BytesIO(body)) as wheel:
            entry = next(
                n for n in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n)
            )
            return wheel.read(entry)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--upstream", default="https://pypi.org/simple")
    parser.add_argument("--keep-files", action="store_true")
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=None)
    options = parser.parse_args(arguments)
    base = f"http://127.0.0.1:{options.port}"
    recording = Recording(options.folder, options.upstream.rstrip("/"), base)

    class Handler(_Handler):
        replayed = recording
        link = Link(options.delay, options.rate)
        keeps_files = options.keep_files

    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.daemon_threads = True
    sys.stdout.write(f"{base}/simple\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        os._exit(0)
    return 0


@contextmanager
def serving(folder: Path, *more: str) -> Iterator[str]:
    """The address of a replay of ``folder``, by a process of its own."""
    words = [sys.executable, "-m", "benchmarks.replay", str(folder), *more]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class Link:
    """A way to the client that is ``delay`` seconds long, and carries ``rate`` bytes a second."""

    def __init__(self, delay: float, rate: float | None) -> None:
        self._delay, self._rate = delay, rate
        self._free = 0.0
        self._guard = threading.Lock()

    def wait(self) -> None:
        time.sleep(self._delay)

    def carry(self, body: bytes, write: Callable[[bytes], object]) -> None:
        step = len(body) if self._rate is None else 16384
        for at in range(0, len(body), max(step, 1)):
            part = body[at : at + step]
            if self._rate is not None:
                with self._guard:
                    self._free = max(self._free, time.monotonic()) + len(part) / self._rate
                    until = self._free
                time.sleep(max(0.0, until - time.monotonic()))
            write(part)


class _Handler(BaseHTTPRequestHandler):
    replayed: Recording
    link: Link
    keeps_files: bool
    protocol_version = "HTTP/1.1"
    # Small writes must not wait for each other's acknowledgement.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.link.wait()

    def do_GET(self) -> None:
        self.link.wait()
        path = self.path.split("?")[0]
        if match := re.fullmatch(r"/simple/([^/]+)/?", path):
            self._answer(self.replayed.page(match[1]), JSON_TYPE)
        elif path.startswith("/files/") and path.endswith(".metadata"):
            wheel = path.removeprefix("/files/").removesuffix(".metadata")
            self._answer(self.replayed.metadata(wheel), "application/octet-stream")
        elif path.startswith("/files/") and self.keeps_files:
            self._answer(self.replayed.file(path.removeprefix("/files/")), "application/zip")
        elif path.startswith("/files/"):
            self.send_response(302)
            self.send_header("Location", "https://" + path.removeprefix("/files/"))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._answer(None, "")

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silence."""

    def _answer(self, packed: bytes | None, kind: str) -> None:
        if packed is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        tag = f'"{hashlib.sha256(packed).hexdigest()[:20]}"'
        same = self.headers.get("If-None-Match") == tag
        # A wheel is sent as it is: it would be no smaller.
        takes_gzip = "gzip" in self.headers.get("Accept-Encoding", "") and kind != "application/zip"
        body = b"" if same else packed if takes_gzip else gzip.decompress(packed)
        self.send_response(304 if same else 200)
        self.send_header("ETag", tag)
        self.send_header("Cache-Control", "max-age=600, public")
        if not same:
            self.send_header("Content-Type", kind)
            if takes_gzip:
                self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.link.carry(body, self.wfile.write)


if __name__ == "__main__":
    sys.exit(main())
