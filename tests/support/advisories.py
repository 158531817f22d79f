"""A service that answers as OSV does, of advisories of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def advisory(name: str, package: str, *, fixed: str | None = "2.0", **more: Any) -> dict[str, Any]:
    """An advisory in OSV's format: all versions of ``package`` before ``fixed``."""
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    affected = [{"package": {"ecosystem": "PyPI", "name": package}, "ranges": ranges}]
    return {"id": name, "modified": "2026-01-01", "affected": affected, "summary": "Bad."} | more


ADVISORIES = (
    advisory("PYSEC-1", "Beta", aliases=["CVE-1"]),
    advisory("GHSA-1", "beta", aliases=["CVE-1"], summary="Worse."),
    advisory("PYSEC-2", "beta", fixed="0.9"),
    advisory("PYSEC-3", "beta", withdrawn="2026-02-02"),
    advisory("PYSEC-4", "other"),
)


class Service:
    """OSV's protocol over ``ADVISORIES``; ``fault`` is what it does wrong."""

    def __init__(self) -> None:
        self.fault = ""
        self.asked: list[str] = []
        self.url = ""

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        """Status and document."""
        self.asked.append(path)
        if self.fault == "500":
            return 500, {}
        if path == "/v1/querybatch":
            return 200, self._batch(json.loads(body)["queries"])
        name = path.removeprefix("/v1/vulns/")
        found = next((each for each in ADVISORIES if each["id"] == name), None)
        return (404, {}) if found is None or self.fault == "unknown" else (200, found)

    def _batch(self, queries: list[dict[str, Any]]) -> Any:
        results: list[dict[str, Any]] = []
        for query in queries:
            if query["package"]["name"] != "beta":
                results.append({})
            elif self.fault == "pages" and "page_token" not in query:
                results.append({"next_page_token": "more"})
            else:
                results.append({"vulns": [{"id": "PYSEC-1", "modified": "2026-01-01"}]})
        match self.fault:
            case "half":
                return {"results": results[:-1]}
            case "strange":
                return ["?"]
            case "path":
                return {"results": [{"vulns": [{"id": "../../x"}]} for _ in queries]}
            case _:
                return {"results": results}


@contextmanager
def serving() -> Iterator[Service]:
    """The service, for as long as the context lasts."""
    served = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            status, document = served.answer(self.path, self.rfile.read(length))
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the library asks for it by this name

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
