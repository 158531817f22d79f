"""Compares the native engine with pip on scenario indexes.

    python benchmarks/packse.py FOLDER [--match TEXT]

FOLDER holds ``scenarios.jsonl``, ``pip.json`` (what pip made of each) and ``serve.py``, which
writes each scenario as a static index. Of every scenario that pip ran: the same packages, or a
refusal where pip refuses. Prints each difference and how many agree.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.native import request_of
from venvman.engines import native
from venvman.model.errors import VenvmanError
from venvman.model.events import Reporter
from venvman.model.options import IndexOptions


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--match", default="")
    parser.add_argument("--python", type=Path, default=Path(sys.executable))
    chosen = parser.parse_args()
    known = json.loads((chosen.folder / "pip.json").read_text())
    results = [each for each in known["results"] if chosen.match in each["id"]]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        serve = [sys.executable, chosen.folder / "serve.py", "--out", work / "worlds", "--py311"]
        subprocess.run(serve, check=True, capture_output=True)
        return compare(results, work, chosen.python)


def compare(results: list[dict[str, object]], work: Path, python: Path) -> int:
    agreed = 0
    begun = time.perf_counter()
    server = serve(work / "worlds")
    for each in results:
        scenario = str(each["id"])
        ours, said = freeze(work, scenario, python, server)
        theirs = each["pip"] if each["rc"] == 0 else None
        if ours == theirs:
            agreed += 1
        else:
            print(f"{scenario}\n  pip:    {theirs}\n  native: {ours}\n  {said}")
    seconds = time.perf_counter() - begun
    print(f"{agreed} of {len(results)} scenarios agree with pip ({seconds:.1f} s)")
    return 0 if agreed == len(results) else 1


def freeze(
    work: Path, scenario: str, python: Path, server: str
) -> tuple[dict[str, str] | None, str]:
    """The pins by name, None for a refusal; and the refusal's words."""
    world = work / "worlds" / scenario
    index = index_of(world, f"{server}/{scenario}/simple")
    request = request_of(world, python, index=index, work=work)
    try:
        locks = native.freeze(request, Reporter()).locks
    except VenvmanError as error:
        return None, "; ".join(problem.message for problem in error.problems)
    return {entry.name: str(entry.version) for entry in locks["default"].entries}, ""


def index_of(world: Path, url: str) -> IndexOptions:
    """With what the scenario was run with: ``{"no_build": ["a"], "prereleases": true}``."""
    said = json.loads((world / "scenario.json").read_text())["options"]
    return IndexOptions(
        index_urls=(url,),
        retries=0,
        only_binary=frozenset(said.get("no_build") or ()),
        no_binary=frozenset(said.get("no_binary") or ()),
        pre=bool(said.get("prereleases")),
    )


class Handler(http.server.SimpleHTTPRequestHandler):
    """Sends ``index.json`` for a project's page."""

    protocol_version = "HTTP/1.1"
    extensions_map = {  # noqa: RUF012 - as the base class has it
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".json": "application/vnd.pypi.simple.v1+json",
    }

    def translate_path(self, path: str) -> str:
        found = super().translate_path(path)
        page = Path(found) / "index.json"
        return str(page) if page.is_file() else found

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class
        """Silence."""


def serve(folder: Path) -> str:
    handler = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


if __name__ == "__main__":
    sys.exit(main())
