"""Freezing from an index that misbehaves: a clear error or a named fallback, no lock written."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import Ran, run
from tests.support.index import JSON_TYPE, Index, Request, Response
from tests.support.wheels import make_wheel, sha256_of


@pytest.fixture
def project(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Asks for alpha, which needs beta; the index may do as it likes, but is tried only once."""
    monkeypatch.setenv("PIP_TIMEOUT", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    make_wheel(index.folder, "alpha", requires=["beta"])
    make_wheel(index.folder, "beta")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.in").write_text("alpha\n")
    return folder


def freeze(project: Path) -> Ran:
    return run("freeze", "--format", "json", cwd=project)


def check_refused(project: Path, done: Ran, code: str) -> str:
    """The message of the one error; nothing was written."""
    assert done.code == 2
    assert sorted(path.name for path in project.iterdir()) == ["requirements.in"]
    [problem] = [each for each in done.json["problems"] if each["severity"] == "error"]
    assert problem["code"] == code
    return str(problem["message"])


@pytest.fixture
def patience() -> Iterator[threading.Event]:
    """Set at the end, so that a stalled server thread does not outlive the test."""
    over = threading.Event()
    yield over
    over.set()


def test_an_index_that_hangs_is_named(
    project: Path, index: Index, patience: threading.Event
) -> None:
    def hang(request: Request) -> Response | None:
        patience.wait(20)
        return None

    index.intercept = hang
    message = check_refused(project, freeze(project), "index-timeout")
    assert index.simple in message


def test_a_page_that_is_cut_is_named(project: Path, index: Index) -> None:
    def cut(request: Request) -> Response | None:
        if request.path.startswith("/simple/beta"):
            return Response(200, b'{"files": []}' * 100, {"Content-Type": JSON_TYPE}, cut=40)
        return None

    index.intercept = cut
    message = check_refused(project, freeze(project), "index-truncated")
    assert "/simple/beta/" in message


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><body>Please sign in to the network.</body></html>", JSON_TYPE),
        (b"\x00\x01\x02", JSON_TYPE),
        (b'{"files": 3}', JSON_TYPE),
    ],
)
def test_what_is_no_page_is_named(project: Path, index: Index, body: bytes, kind: str) -> None:
    index.intercept = lambda _: Response(200, body, {"Content-Type": kind})
    message = check_refused(project, freeze(project), "index-page-invalid")
    assert "/simple/alpha/" in message


def test_html_where_json_was_asked_for_is_read_as_html(project: Path, index: Index) -> None:
    index.html_only = True
    assert freeze(project).code == 0
    assert "beta==1.0" in (project / "requirements.txt").read_text()


def test_a_metadata_file_with_a_wrong_hash_is_a_named_fallback(project: Path, index: Index) -> None:
    index.metadata_files = True

    def lie(request: Request) -> Response | None:
        if request.path.endswith("alpha-1.0-py3-none-any.whl.metadata"):
            return Response(200, b"Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\n")
        return None

    index.intercept = lie
    done = freeze(project)
    assert done.code == 0
    assert "beta==1.0" in (project / "requirements.txt").read_text()
    [note] = done.json["problems"]
    assert (note["code"], note["severity"]) == ("metadata-hash-mismatch", "note")
    assert "alpha-1.0-py3-none-any.whl" in note["message"]


def test_a_wheel_whose_directory_is_damaged_is_named(project: Path, index: Index) -> None:
    wheel = index.folder / "alpha-1.0-py3-none-any.whl"
    content = wheel.read_bytes()
    wheel.write_bytes(content[: len(content) // 2])
    message = check_refused(project, freeze(project), "wheel-damaged")
    assert wheel.name in message


@pytest.mark.parametrize("size", [7, 10**9], ids=["too small", "too large"])
def test_an_index_that_lies_about_a_size_changes_nothing(
    project: Path, index: Index, size: int
) -> None:
    wheel = index.folder / "alpha-1.0-py3-none-any.whl"
    row = {
        "filename": wheel.name,
        "url": f"{index.url}/files/{wheel.name}",
        "hashes": {"sha256": sha256_of(wheel).removeprefix("sha256:")},
        "size": size,
    }
    page = {"meta": {"api-version": "1.1"}, "name": "alpha", "files": [row]}

    def lie(request: Request) -> Response | None:
        if request.path.startswith("/simple/alpha"):
            return Response(200, json.dumps(page).encode(), {"Content-Type": JSON_TYPE})
        if "range" in {name.lower() for name in request.headers} and size > 7:
            return Response(416, b"")
        return None

    index.intercept = lie
    assert freeze(project).code == 0
    assert "beta==1.0" in (project / "requirements.txt").read_text()


def test_a_page_of_fifty_megabytes_is_read(project: Path, index: Index) -> None:
    wheel = index.folder / "alpha-1.0-py3-none-any.whl"
    digest = sha256_of(wheel).removeprefix("sha256:")
    rows = ",".join(
        f'{{"filename":"alpha-0.{number}-py3-none-any.whl","url":"../../files/x{number}.whl",'
        f'"hashes":{{"sha256":"{digest}"}},"size":1,"yanked":false,"padding":"{"x" * 400}"}}'
        for number in range(90_000)
    )
    file = {
        "filename": wheel.name,
        "url": f"../../files/{wheel.name}",
        "hashes": {"sha256": digest},
    }
    last = json.dumps(file)
    body = f'{{"meta":{{"api-version":"1.1"}},"name":"alpha","files":[{rows},{last}]}}'.encode()
    assert len(body) > 50_000_000

    def large(request: Request) -> Response | None:
        if request.path.startswith("/simple/alpha"):
            return Response(200, body, {"Content-Type": JSON_TYPE})
        return None

    index.intercept = large
    assert freeze(project).code == 0
    assert "alpha==1.0" in (project / "requirements.txt").read_text()
