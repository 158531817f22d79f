"""``doctor --audit``: advisories of a service or of a copy, faults told, nobody asked unasked."""

from __future__ import annotations

import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cli import run
from tests.support.projects import HEADER, lock_of, write_project
from tests.support.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.cli import Ran
    from tests.support.index import Index


def advisory(name: str, package: str, *, fixed: str | None = "2.0", **more: Any) -> dict[str, Any]:
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


@pytest.fixture
def service() -> Iterator[Service]:
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
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture
def root(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    monkeypatch.setenv("PIP_RETRIES", "0")
    wheels = [
        make_wheel(index.folder, "alpha", requires=["beta"]),
        make_wheel(index.folder, "beta"),
    ]
    make_wheel(index.folder, "beta", "2.0")
    lock = HEADER + lock_of(wheels[0]) + lock_of(wheels[1], via="alpha")
    files = {"requirements.txt": "alpha\n", "requirements.lock": lock}
    root = write_project(tmp_path / "p", files)
    assert run("sync", "-q", cwd=root).code == 0
    return root


@pytest.fixture(params=["folder", "zip"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "osv"
    folder.mkdir()
    for each in ADVISORIES:
        (folder / f"{each['id']}.json").write_text(json.dumps(each))
    if request.param == "folder":
        return folder
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    return tmp_path / "all.zip"


def audit(root: Path, where: Path | str, *flags: str) -> Ran:
    words = ("--audit", "--advisories", str(where), "--select", "VM311,VM7", "--format", "json")
    return run("doctor", *words, *flags, cwd=root)


def findings(ran: Ran) -> list[tuple[str, str | None, int | None]]:
    rows = ran.json["data"]["findings"]
    return [(each["code"], each["package"], each["line"]) for each in rows]


def test_a_copy_of_the_database_tells_each_vulnerability_once(root: Path, database: Path) -> None:
    ran = audit(root, database, "--offline")
    assert ran.code == 1
    assert findings(ran) == [("VM705", "beta", 10)]
    (found,) = ran.json["data"]["findings"]
    assert found["message"].startswith("beta 1.0 has GHSA-1 (CVE-1, PYSEC-1): Worse.")
    assert "2.0 has it no more" in found["message"]
    assert found["fix"] == "venvman upgrade beta && venvman sync"


def test_what_is_told_is_mended_by_upgrading(root: Path, database: Path) -> None:
    ran = audit(root, database, "--fix", "--freeze")
    assert (ran.code, ran.json["data"]["findings"]) == (0, [])
    assert "beta==2.0" in (root / "requirements.lock").read_text()


@pytest.mark.parametrize("fault", ["", "pages"])
def test_a_service_is_asked_for_all_at_once_and_its_advisories_are_kept(
    fault: str, root: Path, service: Service
) -> None:
    service.fault = fault
    ran = audit(root, service.url)
    assert findings(ran) == [("VM705", "beta", 10)]
    assert service.asked.count("/v1/querybatch") == (2 if fault else 1)
    service.asked.clear()
    assert findings(audit(root, service.url)) == [("VM705", "beta", 10)]
    assert "/v1/vulns/PYSEC-1" not in service.asked


@pytest.mark.parametrize("fault", ["500", "half", "strange", "path"])
def test_a_service_that_fails_is_a_finding_and_no_all_clear(
    fault: str, root: Path, service: Service
) -> None:
    service.fault = fault
    ran = audit(root, service.url)
    assert ran.code == 1
    assert [code for code, _, _ in findings(ran)] == ["VM706"]


def test_an_advisory_that_the_service_lacks_is_told_by_its_name(
    root: Path, service: Service
) -> None:
    service.fault = "unknown"
    (found,) = audit(root, service.url).json["data"]["findings"]
    assert found["message"].startswith("beta 1.0 has PYSEC-1: no summary")
    assert found["fix"] is None


@pytest.mark.parametrize("name", ["nowhere", "requirements.txt", "empty"])
def test_a_copy_that_is_none_is_a_finding(name: str, root: Path) -> None:
    (root / "empty").mkdir()
    ran = audit(root, root / name, "--offline")
    assert [code for code, _, _ in findings(ran)] == ["VM706"]


def test_offline_without_a_copy_is_no_all_clear(root: Path) -> None:
    ran = run("doctor", "--audit", "--offline", "--format", "json", cwd=root)
    assert "VM706" in [code for code, _, _ in findings(ran)]


@pytest.mark.parametrize(
    ("until", "codes"), [("9999-01-01", []), ("", []), ("2000-01-01", ["VM705"])]
)
def test_what_a_project_lives_with_is_told_again_when_that_ends(
    until: str, codes: list[str], root: Path, database: Path
) -> None:
    settings = (
        f'[tool.venvman.doctor]\nadvisories = "{database}"\naccepted = {{ CVE-1 = "{until}" }}\n'
    )
    (root / "pyproject.toml").write_text(settings)
    words = ("--audit", "--offline", "--select", "VM705", "--format", "json")
    assert [code for code, _, _ in findings(run("doctor", *words, cwd=root))] == codes


def test_a_yanked_pin_is_told_with_the_reason(root: Path, index: Index, database: Path) -> None:
    index.yanked["beta-1.0-py3-none-any.whl"] = "Broken build"
    ran = audit(root, database, "--select", "VM311")
    assert ("VM311", "beta", 10) in findings(ran)
    assert "was yanked: Broken build." in ran.stdout


def test_nobody_is_asked_unasked(root: Path, service: Service) -> None:
    (root / "pyproject.toml").write_text(f'[tool.venvman.doctor]\nadvisories = "{service.url}"\n')
    run("doctor", cwd=root)
    assert service.asked == []


def test_the_command_says_what_doctor_says_of_this_alone(root: Path, database: Path) -> None:
    (root / "venv/bin/activate").unlink()
    ran = run("audit", "--advisories", str(database), "--offline", "--format", "json", cwd=root)
    assert (ran.code, findings(ran)) == (1, [("VM705", "beta", 10)])
