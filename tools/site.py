"""What must hold of the built site (`make docs`): it fetches nothing, no link is dead, its search
finds, pages fit, in the light and in the dark.

    python -m tools.site [SITE]

Files of the source that pages link to are put into the site first, each as a page.
"""

from __future__ import annotations

import html
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
    "pip freeze": "how-to/moving/",
    "lock file": "reference/lockfile/",
    "ci cache": "how-to/ci/",
    "proxy": "how-to/private-index/",
    "certificate": "how-to/when-it-fails/",
    "conflict": "how-to/when-it-fails/",
    "pre-commit": "how-to/git-hooks/",
    "rollback": "how-to/roll-back/",
    "delete venv": "how-to/roll-back/",
    "pyenv": "how-to/pythons/",
    "apple silicon": "how-to/several-systems/",
    "docker multi stage": "how-to/docker/",
    "constraints": "reference/requirements-files/",
    "editable install": "reference/requirements-files/",
    "sbom": "how-to/ci/",
    "audit": "reference/doctor/",
    "json output": "reference/json-output/",
    "schema": "reference/json-output/",
    "completion": "how-to/shells/",
    "zipapp": "",
    "changelog": "development/changes/",
    "requirements.txt": "reference/requirements-files/",
    "pyproject.toml": "reference/requirements-files/",
    "pylock.toml": "reference/lockfile/",
    "lock": "reference/lockfile/",
    "extra-index-url": "how-to/private-index/",
    "netrc": "how-to/private-index/",
    "dev dependencies": "tutorial/first-environment/",
    "uninstall": "how-to/add-a-requirement/",
    "remove package": "how-to/add-a-requirement/",
    "outdated": "how-to/upgrade/",
    "slow": "explanation/measurements/",
    "benchmark": "explanation/measurements/",
    "cuda": "how-to/several-systems/",
    "torch": "how-to/several-systems/",
    "zsh": "how-to/shells/",
    "fish": "how-to/shells/",
    "jupyter": "how-to/editors/",
    "sync": "reference/cli/",
    "drift": "explanation/drift/",
    "security": "explanation/trust/",
    "environment variable": "reference/configuration/",
}
"""What people type into the search, and the page that must be among the first three."""

AXE = "axe-core@4.14.1"
"""A package of npm's; kept in the user's cache."""

ROOT = Path(__file__).parents[1]
SOURCE = re.compile(r"href=\"?(?:\.\./)+(venvman/[\w/]+\.py)")
LINK = re.compile(r"<[a-z]+ [^>]*?(?:href|src)=\"?([^\"\s>#?:]+)(?=[\"\s>#?])")
FETCHED = re.compile(
    r"<(?:script|link|img|source|iframe)[^>]*(?:src|href|srcset)=\"?(https?://[^\"\s>]+)"
)


SHOWN = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{name}</title>
<style>pre {{ white-space: pre-wrap; overflow-wrap: anywhere }}</style>
<article><h1>{name}</h1>
<pre>{text}</pre></article>
"""


def show_sources(site: Path) -> None:
    """Makes pages of the files of the source that pages link to, and links lead there."""
    for page in site.rglob("*.html"):
        up = "../" * (len(page.relative_to(site).parents) - 1)
        text = page.read_text(encoding="utf-8")
        for name in set(SOURCE.findall(text)):
            shown = site / name / "index.html"
            shown.parent.mkdir(parents=True, exist_ok=True)
            source = html.escape((ROOT / name).read_text(encoding="utf-8"))
            shown.write_text(SHOWN.format(name=name, text=source), encoding="utf-8")
        led = SOURCE.sub(rf'href="{up}\1/', text)
        if led != text:
            page.write_text(led, encoding="utf-8")


def dead_links(site: Path) -> list[str]:
    """Links that lead to no file of the site, and pages that no link leads to."""
    led_to, dead = {site / "index.html"}, []
    pages = sorted(site.rglob("*.html"))
    for page in pages:
        base = site if page.name == "404.html" else page.parent
        for link in set(LINK.findall(page.read_text(encoding="utf-8"))):
            target = Path(os.path.normpath(site / link[1:] if link[0] == "/" else base / link))
            file = target / "index.html" if target.is_dir() else target
            if not file.is_file() or site not in file.parents:
                dead.append(f"{page.relative_to(site)} links to {link}, which is not there")
            if file != page:
                led_to.add(file)
    lost = (page.relative_to(site) for page in pages if page not in led_to)
    return dead + [f"no page links to {page}" for page in lost if page.name == "index.html"]


def faults(site: Path) -> list[str]:
    """What does not hold of the site in the folder ``site``."""
    pages = sorted(site.rglob("*.html"))
    outside = [
        f"{page.relative_to(site)} fetches {url}"
        for page in pages
        for url in FETCHED.findall(page.read_text(encoding="utf-8"))
    ]
    return [*outside, *dead_links(site), *_not_found(site), *_ill_fitting(site)]


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
    found = [page.parent.relative_to(site).as_posix() for page in sorted(site.rglob("index.html"))]
    sources = [page for page in found if page.endswith(".py")]
    pages = [page for page in found if page not in sources[1:]]  # all sources are shown alike
    sheet, axe = site / "layout.html", site / "axe.js"
    shutil.copy(Path(__file__).with_name("layout.html"), sheet)
    axe.write_bytes(_axe())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/layout.html"
    try:
        with ThreadPoolExecutor(2) as pool:
            looks = pool.map(partial(_looked_at, browser, url), pages)
            return [fault for faults in looks for fault in faults]
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
    site = Path(sys.argv[1] if len(sys.argv) > 1 else "site").resolve()
    show_sources(site)
    found = faults(site)
    sys.stderr.write("".join(f"{fault}\n" for fault in found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
