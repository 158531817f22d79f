"""A package index over real HTTP, from a folder of wheels and sdists, and its misbehaviours."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from venvman.model.names import canonical

JSON_TYPE = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True)
class Request:
    """What a client asked: method, path and headers (lower-case names)."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Response:
    """What the index answers; ``stall`` seconds pass before, ``cut`` truncates the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


@dataclass
class Index:
    """A served folder. ``requests`` logs every request; the rest changes how it behaves.

    ``folder`` may gain files at any time: pages are made when asked for. ``intercept`` sees every
    request first and may answer it instead. ``yanked`` maps file names to a reason.
    """

    folder: Path
    url: str = ""
    html_only: bool = False
    metadata_files: bool = False
    ranges: bool = True
    etags: bool = False
    max_age: int | None = None
    hashes: bool = True
    password: str | None = None
    yanked: dict[str, str] = field(default_factory=dict)
    requires_python: dict[str, str] = field(default_factory=dict)
    upload_times: dict[str, str] = field(default_factory=dict)
    intercept: Callable[[Request], Response | None] | None = None
    requests: list[Request] = field(default_factory=list)

    @property
    def simple(self) -> str:
        """The simple API's root, to be used as an index URL."""
        return f"{self.url}/simple"

    @property
    def simple_with_password(self) -> str:
        """The same, with user ``me`` and the password in it."""
        return self.simple.replace("://", f"://me:{self.password}@")

    def asked_for(self, suffix: str) -> list[Request]:
        """The logged requests whose path ends with ``suffix``."""
        return [request for request in self.requests if request.path.endswith(suffix)]


@contextmanager
def serve(folder: Path) -> Iterator[Index]:
    """Serves ``folder`` on a free loopback port until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    index = Index(folder)

    class Handler(_Handler):
        served = index

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    index.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    served: Index
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        """As the base class does; a client that hangs up is no error of the server's."""
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        request = Request(
            self.command, self.path, {key.lower(): value for key, value in self.headers.items()}
        )
        self.served.requests.append(request)
        answer = self.served.intercept(request) if self.served.intercept else None
        self._send(answer or _answer(self.served, request), request)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silence."""

    def _send(self, response: Response, request: Request) -> None:
        try:
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if request.method != "HEAD":
                self.wfile.write(response.body[: response.cut])
            if response.cut is not None:
                self.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


def _answer(index: Index, request: Request) -> Response:
    if index.password is not None and not _authorised(index, request):
        return Response(401, b"who are you?", {"WWW-Authenticate": 'Basic realm="index"'})
    path = unquote(request.path.split("?")[0])
    if path.rstrip("/") == "/simple":
        return _project_list(index)
    if match := re.fullmatch(r"/simple/([^/]+)/?", path):
        return _page(index, match[1], request)
    if match := re.fullmatch(r"/files/([^/]+)", path):
        return _file(index, match[1], request)
    return Response(404, b"not found")


def _authorised(index: Index, request: Request) -> bool:
    import base64

    expected = base64.b64encode(f"me:{index.password}".encode()).decode()
    return request.headers.get("authorization") == f"Basic {expected}"


def _distribution(leaf: str) -> str | None:
    if leaf.endswith(".whl"):
        return canonical(leaf.split("-", maxsplit=1)[0])
    if leaf.endswith((".tar.gz", ".zip")):
        return canonical(leaf.rsplit("-", 1)[0])
    return None


def _project_list(index: Index) -> Response:
    names = sorted({name for path in index.folder.iterdir() if (name := _distribution(path.name))})
    body = {"meta": {"api-version": "1.1"}, "projects": [{"name": name} for name in names]}
    return Response(200, json.dumps(body).encode(), {"Content-Type": JSON_TYPE})


def _page(index: Index, name: str, request: Request) -> Response:
    paths = [
        path
        for path in sorted(index.folder.iterdir())
        if _distribution(path.name) == canonical(name)
    ]
    if not paths:
        return Response(404, b"no such project")
    html = index.html_only or "json" not in request.headers.get("accept", "")
    body = _html(index, paths) if html else _json(index, name, paths)
    headers = {"Content-Type": "text/html; charset=utf-8" if html else JSON_TYPE}
    return _cacheable(index, request, Response(200, body, headers))


def _cacheable(index: Index, request: Request, response: Response) -> Response:
    if index.max_age is not None:
        response.headers["Cache-Control"] = f"max-age={index.max_age}"
    if index.etags:
        tag = f'"{hashlib.sha256(response.body).hexdigest()[:16]}"'
        response.headers["ETag"] = tag
        if request.headers.get("if-none-match") == tag:
            return Response(HTTPStatus.NOT_MODIFIED, b"", response.headers)
    return response


def _json(index: Index, name: str, paths: list[Path]) -> bytes:
    files = []
    for path in paths:
        row: dict[str, object] = {
            "filename": path.name,
            "url": f"../../files/{path.name}",
            "hashes": {"sha256": _sha256(path)} if index.hashes else {},
            "size": path.stat().st_size,
            "yanked": index.yanked.get(path.name, False),
            "upload-time": index.upload_times.get(path.name, "2020-01-01T00:00:00.000000Z"),
        }
        if python := _requires_python(index, path):
            row["requires-python"] = python
        if index.metadata_files and path.suffix == ".whl":
            row["core-metadata"] = {"sha256": hashlib.sha256(_metadata(path)).hexdigest()}
        files.append(row)
    versions = sorted({path.name.split("-")[1] for path in paths})
    meta = {"api-version": "1.1"}
    return json.dumps({"meta": meta, "name": name, "versions": versions, "files": files}).encode()


def _html(index: Index, paths: list[Path]) -> bytes:
    from html import escape

    rows = []
    for path in paths:
        fragment = f"#sha256={_sha256(path)}" if index.hashes else ""
        attributes = ""
        if path.name in index.yanked:
            attributes += f' data-yanked="{escape(index.yanked[path.name])}"'
        if python := _requires_python(index, path):
            attributes += f' data-requires-python="{escape(python)}"'
        rows.append(
            f'<a href="../../files/{escape(path.name)}{fragment}"{attributes}>{path.name}</a><br>'
        )
    return ("<!DOCTYPE html><html><body>\n" + "\n".join(rows) + "\n</body></html>").encode()


def _file(index: Index, leaf: str, request: Request) -> Response:
    wants_metadata = leaf.endswith(".metadata")
    path = index.folder / leaf.removesuffix(".metadata")
    if not path.is_file() or (wants_metadata and not index.metadata_files):
        return Response(404, b"no such file")
    body = _metadata(path) if wants_metadata else path.read_bytes()
    headers = {"Content-Type": "application/octet-stream"}
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    if not (index.ranges and wanted):
        return Response(200, body, headers)
    if wanted[1]:
        start, stop = int(wanted[1]), int(wanted[2]) + 1 if wanted[2] else len(body)
    else:
        start, stop = max(0, len(body) - int(wanted[2])), len(body)
    headers["Content-Range"] = f"bytes {start}-{min(stop, len(body)) - 1}/{len(body)}"
    return Response(HTTPStatus.PARTIAL_CONTENT, body[start:stop], headers)


def _requires_python(index: Index, path: Path) -> str | None:
    if path.name in index.requires_python:
        return index.requires_python[path.name]
    if path.suffix != ".whl":
        return None
    try:
        text = _metadata(path).decode()
    except (zipfile.BadZipFile, StopIteration):
        return None
    match = re.search(r"^Requires-Python: (.+)$", text, re.MULTILINE)
    return match[1] if match else None


def _metadata(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        entry = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(entry)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
