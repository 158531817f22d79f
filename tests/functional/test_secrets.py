"""What came out of a variable, a userinfo or a configuration is shown nowhere, and kept nowhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run
from tests.support.index import Index, Response
from tests.support.projects import write_project
from tests.support.wheels import make_wheel

SHARP = ["hunter2/x", "hunter2#x", "hunter2?x", "hun ter2", "hunt[er2", "hun'ter2"]
FORMS = [
    "--index-url http://me:${IP}@127.0.0.1:1/simple",
    "--extra-index-url=http://me:${IP}@127.0.0.1:1/simple",
    "-f http://${IP}@127.0.0.1:1/links",
    "alpha @ http://me:${IP}@127.0.0.1:1/alpha-1.0-py3-none-any.whl",
    "http://me:${IP}@127.0.0.1:1/alpha-1.0-py3-none-any.whl",
    "-e git+http://me:${IP}@127.0.0.1:1/r#egg=alpha",
    "-r http://me:${IP}@127.0.0.1:1/more.txt",
]


def told(ran: Any) -> str:
    """Everything that was printed, in one line, no part of the secret in it."""
    text = " ".join((ran.stdout + ran.stderr).replace("│", " ").split())
    for part in ("hun", "ter2", "er2", "defect", "Traceback"):
        assert part not in text
    return text


@pytest.mark.parametrize("value", SHARP)
@pytest.mark.parametrize("form", FORMS)
def test_a_value_that_ought_to_be_encoded_is_told_with_its_line_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, value: str
) -> None:
    monkeypatch.setenv("IP", value)
    root = write_project(tmp_path / "shop", {"requirements.in": f"beta\n{form}\n"})
    for command in ("freeze", "scan", "status"):
        text = told(run(command, cwd=root))
        assert "requirements.in:2" in text
        assert f"2 | {form}" in text
        assert "value of IP must be percent-encoded" in text
    ran = run("freeze", "--format", "json", cwd=root)
    told(ran)
    [problem] = ran.json["problems"]
    assert (problem["path"], problem["line"], problem["text"]) == ("requirements.in", 2, form)


@pytest.mark.parametrize("value", SHARP)
@pytest.mark.parametrize(
    "name", ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_PROXY", "HTTPS_PROXY"]
)
def test_an_unreadable_url_of_the_machine_is_told_by_its_name_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://127.0.0.1:1/simple")
    monkeypatch.setenv(name, f"http://me:{value}@127.0.0.1:1/simple")
    root = write_project(tmp_path / "shop", {"requirements.in": "alpha\n"})
    text = told(run("freeze", cwd=root))
    assert "must be percent-encoded" in text
    assert name.startswith("HTTPS") or name in text


@pytest.mark.parametrize("value", SHARP)
def test_an_unreadable_url_in_pip_conf_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text(f"[global]\ntimeout = 3\nindex-url = http://me:{value}@127.0.0.1:1/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(conf))
    root = write_project(tmp_path / "shop", {"requirements.in": "alpha\n"})
    text = told(run("freeze", cwd=root))
    assert f"{conf}:3" in text
    assert "must be percent-encoded" in text


def test_an_unreadable_url_in_the_settings_is_told_with_its_line(tmp_path: Path) -> None:
    table = '[tool.venvman.sources]\nalpha = "http://me:hunter2/x@127.0.0.1:1/simple"\n'
    files = {"requirements.in": "alpha\n", "pyproject.toml": table}
    root = write_project(tmp_path / "shop", files)
    text = told(run("status", cwd=root))
    assert "pyproject.toml:1" in text
    assert "must be percent-encoded" in text


@pytest.mark.parametrize(
    "form",
    [
        "--index-url http://127.0.0.1:1/${IP}/simple",
        "--index-url http://${IP}@127.0.0.1:1/simple",
        "--index-url http://me:${IP}@127.0.0.1:1/simple",
        "alpha @ http://127.0.0.1:1/alpha-1.0-py3-none-any.whl?token=${IP}",
        "alpha @ http://127.0.0.1:1/${IP}/alpha-1.0-py3-none-any.whl#x=${IP}",
        "alpha @ git+http://me:${IP}@127.0.0.1:1/r",
        "-r http://127.0.0.1:1/${IP}/more.txt",
    ],
)
@pytest.mark.parametrize("value", ["hunter2", "hunter2%2Fter2"])
def test_what_a_variable_brings_into_a_url_is_shown_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, value: str
) -> None:
    monkeypatch.setenv("IP", value)
    monkeypatch.setenv("PIP_RETRIES", "0")
    root = write_project(tmp_path / "shop", {"requirements.in": f"alpha\n{form}\n"})
    ran = run("freeze", "-v", cwd=root)
    assert ran.code == 2
    assert "${IP}" in told(ran)
    told(run("freeze", "--format", "json", cwd=root))
    told(run("scan", "--format", "json", cwd=root))


WRITTEN = [
    "--index-url https://joe:hunter2@example.invalid/simple",
    "--extra-index-url https://joe:hunter2@example.invalid/simple",
    "--find-links https://joe:hunter2@example.invalid/links",
    "six @ https://joe:hunter2@example.invalid/six-1.0-py3-none-any.whl",
    "-e git+https://joe:hunter2@example.invalid/r#egg=six",
    "--index-url https://hunter2@example.invalid/simple",
    "six @ git+https://hunter2@example.invalid/r@main",
    "# once: --index-url https://joe:hunter2@example.invalid/simple",
]


@pytest.mark.parametrize("name", ["requirements.in", "requirements.txt", "requirements-dev.txt"])
@pytest.mark.parametrize("line", WRITTEN)
def test_credentials_in_a_source_are_found_at_their_line_and_not_repeated(
    tmp_path: Path, line: str, name: str
) -> None:
    files = {"requirements.txt": "beta\n"} | {name: f"alpha\n{line}\n"}
    if name == "requirements.in":
        del files["requirements.txt"]
    root = write_project(tmp_path / "shop", files)
    ran = run("doctor", "--select", "VM701", "--format", "json", cwd=root)
    told(ran)
    [finding] = ran.json["data"]["findings"]
    assert (finding["code"], finding["path"], finding["line"]) == ("VM701", name, 2)
    told(run("doctor", "--select", "VM701", cwd=root))


@pytest.mark.parametrize("line", [WRITTEN[0], WRITTEN[2], WRITTEN[3], WRITTEN[7]])
def test_credentials_in_a_lock_are_found_at_their_line_and_not_repeated(
    tmp_path: Path, line: str
) -> None:
    lock = f"# made by hand\n{line}\nbeta==1.0\n    # via -r requirements.in\n"
    files = {"requirements.in": "beta\n", "requirements.txt": lock}
    root = write_project(tmp_path / "shop", files)
    ran = run("doctor", "--select", "VM701", "--format", "json", cwd=root)
    told(ran)
    [finding] = ran.json["data"]["findings"]
    assert (finding["code"], finding["path"], finding["line"]) == ("VM701", "requirements.txt", 2)


def test_references_are_no_credentials(tmp_path: Path) -> None:
    text = (
        "--index-url https://joe:${TOKEN}@example.invalid/simple\nsix @ https://${T}@h/six-1.whl\n"
    )
    root = write_project(tmp_path / "shop", {"requirements.in": text})
    assert run("doctor", "--select", "VM701", "--format", "json", cwd=root).code == 0


@pytest.fixture
def shop(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A frozen project whose index and direct URL have secrets of variables; nothing is cached."""
    make_wheel(index.folder, "alpha")
    beta = make_wheel(index.folder, "beta")
    monkeypatch.setenv("IP", "hunter2%2Fter2")
    monkeypatch.setenv("TOKEN", "hunter2-token")
    host = index.url.removeprefix("http://")
    text = (
        f"--index-url http://me:${{IP}}@{host}/simple\nalpha\n"
        f"beta @ {index.url}/files/{beta.name}?token=${{TOKEN}}\n"
    )
    return write_project(tmp_path / "shop", {"requirements.in": text})


def test_no_file_holds_what_a_variable_brought_into_a_url(
    shop: Path, isolated: Path, tmp_path: Path
) -> None:
    told(run("sync", "-v", cwd=shop))
    assert run("sync", "--check", cwd=shop).code == 0
    for top in (isolated, tmp_path):
        for path in top.rglob("*"):
            if path.is_file() and path.name != "requirements.in":
                assert b"hunter2" not in path.read_bytes(), path


def test_a_lock_whose_variable_ought_to_be_encoded_is_told_with_its_line(
    shop: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(run("freeze", cwd=shop))
    shutil.rmtree(isolated / "cache")
    monkeypatch.setenv("IP", "hunter2/x")
    ran = run("sync", "--frozen", cwd=shop)
    text = told(ran)
    lines = (shop / "requirements.txt").read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if line.startswith("--index-url"))
    assert ran.code == 2
    assert f"requirements.txt:{number}" in text
    assert "must be percent-encoded" in text


def test_a_url_of_metadata_that_cannot_be_taken_apart_is_told_with_who_has_it(
    tmp_path: Path, index: Index
) -> None:
    url = "http://me:hunter2/x@127.0.0.1:1/gamma-1.0-py3-none-any.whl"
    make_wheel(index.folder, "alpha", requires=[f"gamma @ {url}"])
    root = write_project(tmp_path / "shop", {"requirements.in": "alpha\n"})
    text = told(run("freeze", cwd=root))
    assert "alpha 1.0 has faulty metadata" in text
    assert "must be percent-encoded" in text


@pytest.mark.parametrize("location", ["http://me:hunter2/x@[bad/", "http://me:hunter2/x@h/"])
def test_a_redirect_to_what_is_no_url_is_a_fault_that_shows_nothing(
    tmp_path: Path, index: Index, location: str
) -> None:
    index.intercept = lambda _: Response(302, b"", {"Location": location})
    root = write_project(tmp_path / "shop", {"requirements.in": "alpha\n"})
    ran = run("freeze", cwd=root)
    assert ran.code == 2
    assert "cannot be taken apart" in told(ran)


def test_an_unreadable_url_of_constraints_is_told_by_who_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONSTRAINT", "http://me:hunter2/x@127.0.0.1:1/c.txt")
    root = write_project(tmp_path / "shop", {"requirements.in": "alpha\n"})
    text = told(run("freeze", cwd=root))
    assert "PIP_CONSTRAINT names it" in text
    assert "percent-encoded" in text


def test_what_is_typed_is_told_like_what_is_written(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", {"requirements.in": "alpha\n"})
    url = "http://me:hunter2/x@127.0.0.1:1/gamma-1.0-py3-none-any.whl"
    text = told(run("add", f"gamma @ {url}", cwd=root))
    assert "must be percent-encoded" in text
    assert (root / "requirements.in").read_text() == "alpha\n"


def test_a_defect_shows_no_secret_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("no way to http://me:hunter2/x@127.0.0.1:1/simple")

    monkeypatch.setattr("venvman.workflow.projects.find_projects", breaks)
    for flags in ((), ("-v",), ("--format", "json")):
        ran = run("status", *flags, cwd=tmp_path)
        assert "hunter2" not in ran.stdout + ran.stderr
        assert "http://****@127.0.0.1:1/simple" in ran.stdout + ran.stderr
