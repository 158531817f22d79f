"""``doctor --audit``: advisories of a service or of a copy, faults told, nobody asked unasked."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.advisories import ADVISORIES, Service, serving
from tests.support.cli import Ran, run
from tests.support.index import Index
from tests.support.projects import HEADER, lock_of, write_project
from tests.support.wheels import make_wheel


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as served:
        yield served


@pytest.fixture
def root(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
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
