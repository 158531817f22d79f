"""What must hold of the built site (`make docs`): it fetches nothing, its search finds, pages fit.

python -m tools.site [SITE]
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, AnyStr

if TYPE_CHECKING:
    from _typeshed import SupportsRead, SupportsWrite

QUESTIONS = {
    "install": "",
    "docker": "how-to/docker/",
    "dockerfile": "how-to/docker/",
    "github actions": "how-to/github-actions/",
    "gitlab": "how-to/gitlab/",
    "activate": "how-to/shells/",
    "direnv": "how-to/direnv/",
    "vscode": "how-to/editors/",
    "pycharm": "how-to/editors/",
    "renovate": "how-to/update-bots/",
    "dependabot": "how-to/update-bots/",
    "poetry": "how-to/moving/",
    "pipenv": "how-to/moving/",
    "conda": "how-to/moving/",
    "uv": "explanation/other-tools/",
    "pip-tools": "how-to/moving/",
    "requirements.in": "reference/requirements-files/",
    "hash mismatch": "how-to/when-it-fails/",
    "PEP 668": "how-to/when-it-fails/",
    "externally-managed-environment": "how-to/when-it-fails/",
    "monorepo": "how-to/workspaces/",
    "offline": "how-to/offline/",
    "air-gapped": "how-to/offline/",
    "private index": "how-to/private-index/",
    "keyring": "how-to/private-index/",
    "windows": "how-to/several-systems/",
    "undo": "how-to/roll-back/",
    "upgrade": "how-to/upgrade/",
    "git hook": "how-to/git-hooks/",
    "merge conflict": "how-to/when-it-fails/",
    "python version": "how-to/pythons/",
    "exit code": "reference/exit-codes/",
}
"""What people type into the search, and the page that must be among the first three."""

AXE = "axe-core@4.14.1"
"""A package of npm's; kept in the user's cache."""

FETCHED = re.compile(
    r"<(?:script|link|img|source|iframe)[^>]*(?:src|href|srcset)=\"?(https?://[^\"\s>]+)"
)


def faults(site: Path) -> list[str]:
    """What does not hold of the site in the folder ``site``."""
    pages = sorted(site.rglob("*.html"))
    outside = [
        f"{page.relative_to(site)} fetches {url}"
        for page in pages
        for url in FETCHED.findall(page.read_text(encoding="utf-8"))
    ]
    return [*outside, *_not_found(site), *_ill_fitting(site)]


def _not_found(site: Path) -> list[str]:
    node = shutil.which("node")
    if node is None:
        sys.stderr.write("The search was not tried: there is no node here.\n")
        return []
    script = Path(__file__).with_name("search.js")
    done = subprocess.run(
        [node, script, site, *QUESTIONS], capture_output=True, text=True, check=True
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        f"the search for {question!r} finds {found}, not {page!r}, among the first three"
        for (question, page), found in zip(QUESTIONS.items(), answers, strict=True)
        if page not in found
    ]


def _ill_fitting(site: Path) -> list[str]:
    """What a browser finds of pages that are too wide, and of headings out of order."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.stderr.write("The pages were not looked at: there is no Chromium here.\n")
        return []
    pages = [page.parent.relative_to(site).as_posix() for page in sorted(site.rglob("index.html"))]
    sheet, axe = site / "layout.html", site / "axe.js"
    shutil.copy(Path(__file__).with_name("layout.html"), sheet)
    axe.write_bytes(_axe())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/layout.html"
    try:
        with ThreadPoolExecutor(2) as pool:
            found = pool.map(partial(_looked_at, browser, url), pages)
            return [fault for faults in found for fault in faults]
    finally:
        server.shutdown()
        sheet.unlink()
        axe.unlink()


def _looked_at(browser: str, url: str, page: str) -> list[str]:
    """What is wrong with ``page``; a browser without a screen gets stuck now and then."""
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000")
    named = f"{url}?{'' if page == '.' else f'{page}/'}"
    command = [browser, *flags, "--window-size=1400,1000", "--dump-dom", named]
    for _ in range(3):
        with suppress(subprocess.TimeoutExpired):
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
            said = re.search(r"LOOKED AT\n(.*?)END", done.stdout, re.DOTALL)
            if said is not None:
                return said[1].splitlines()
    return [f"{page}: the browser did not finish"]


def _axe() -> bytes:
    """axe-core's program, from its package; empty, which is told, where that cannot be had."""
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "venvman-docs", AXE)
    program = kept / "package" / "axe.min.js"
    npm = shutil.which("npm")
    if not program.is_file() and npm is not None:
        kept.mkdir(parents=True, exist_ok=True)
        fetched = subprocess.run([npm, "pack", AXE], cwd=kept, capture_output=True, check=False)
        for archive in kept.glob("*.tgz") if fetched.returncode == 0 else ():
            shutil.unpack_archive(archive, kept, filter="data")
    if not program.is_file():
        sys.stderr.write("axe-core was not run: it is not here, nor could npm fetch it.\n")
        return b""
    return program.read_bytes()


class _Quiet(SimpleHTTPRequestHandler):
    def copyfile(self, source: SupportsRead[AnyStr], outputfile: SupportsWrite[AnyStr]) -> None:
        with suppress(ConnectionError):  # a frame that is gone wants its pictures no more
            super().copyfile(source, outputfile)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silence."""


def main() -> int:
    """1 where something does not hold, which is told."""
    found = faults(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
    sys.stderr.write("".join(f"{fault}\n" for fault in found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
