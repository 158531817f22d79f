from __future__ import annotations

import os
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.index import Index
from tests.support.wheels import in_tree_backend, make_sdist, make_wheel
from venvman.build.backend import Build, BuildContext, BuildSettings, build_metadata, build_wheel
from venvman.build.isolation import ENVIRONMENTS, BuildEnvironment
from venvman.engines.buildrequirements import supply
from venvman.model.errors import InstallError
from venvman.model.events import Reporter
from venvman.model.names import canonical
from venvman.model.options import IndexOptions
from venvman.obtain.sources import unpack_sdist
from venvman.obtain.stored import tree_digest
from venvman.python.probe import Interpreter

NOWHERE = IndexOptions(index_urls=())


class Listener(Reporter):
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.details: list[str] = []
        self.builds: list[str] = []

    def detail(self, text: str) -> None:
        self.details.append(text)

    def build_started(self, label: str) -> None:
        self.builds.append(f"started {label}")

    def build_finished(self, label: str) -> None:
        self.builds.append(f"finished {label}")


@pytest.fixture
def settings(tmp_path: Path) -> BuildSettings:
    return BuildSettings(cache=tmp_path / "cache", variables=dict(os.environ), supply=supply)


def project(tmp_path: Path, name: str = "a", backend: str | None = None, **files: str) -> Path:
    archive = make_sdist(tmp_path, name, backend=backend, files=files)
    return unpack_sdist(archive, tmp_path / f"source-{name}")


def built(
    folder: Path,
    interpreter: Interpreter,
    settings: BuildSettings,
    *,
    editable: bool = False,
    config_settings: tuple[tuple[str, str], ...] = (),
    options: IndexOptions = NOWHERE,
    reporter: Reporter | None = None,
) -> Path:
    build = Build(
        project=folder,
        label="a 1.0",
        name=canonical("a"),
        config_settings=config_settings,
        context=BuildContext(
            interpreter=interpreter,
            options=options,
            settings=settings,
            reporter=reporter or Reporter(),
        ),
    )
    return build_wheel(build, settings.cache / "out", editable=editable)


def described(folder: Path, interpreter: Interpreter, settings: BuildSettings) -> bytes:
    context = BuildContext(
        interpreter=interpreter, options=NOWHERE, settings=settings, reporter=Reporter()
    )
    build = Build(project=folder, label="a 1.0", name=None, context=context)
    return build_metadata(build, settings.cache / "out")


def test_metadata_is_prepared_without_building(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings
) -> None:
    backend = in_tree_backend("a", "1.0", ["b>2"]) + "\ndel build_wheel\n"
    assert b"Requires-Dist: b>2" in described(
        project(tmp_path, backend=backend), interpreter, settings
    )


def test_a_backend_that_cannot_prepare_metadata_builds_the_wheel_for_it(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings
) -> None:
    backend = in_tree_backend("a", "1.0") + "\ndel prepare_metadata_for_build_wheel\n"
    assert b"Name: a\n" in described(project(tmp_path, backend=backend), interpreter, settings)


def test_a_built_wheel_without_metadata_is_refused(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings
) -> None:
    backend = in_tree_backend("a", "1.0") + (
        "\ndel prepare_metadata_for_build_wheel\nINFO = 'elsewhere'\n"
    )
    with pytest.raises(InstallError) as caught:
        described(project(tmp_path, backend=backend), interpreter, settings)
    assert caught.value.code == "wheel-invalid"


def test_config_settings_reach_the_backend_and_repeated_ones_are_a_list(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings
) -> None:
    backend = in_tree_backend("a", "1.0") + (
        "\nplain = build_wheel\n"
        "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
        "    print('given', sorted(config_settings.items()))\n"
        "    return plain(folder)\n"
    )
    listener = Listener()
    pairs = (("x", "1"), ("y", "2"), ("x", "3"), ("x", "4"))
    built(
        project(tmp_path, backend=backend), interpreter, settings,
        config_settings=pairs, reporter=listener,
    )  # fmt: skip
    assert "given [('x', ['1', '3', '4']), ('y', '2')]" in listener.details


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("fatal error: Python.h: No such file or directory", "headers of this Python"),
        ("Error: pg_config executable not found.", "PostgreSQL"),
        ("error: command 'gcc' failed: No such file or directory", "C compiler"),
        ("error: can't find Rust compiler", "Rust"),
        ("ModuleNotFoundError: No module named 'distutils'", "older Python"),
        ("AttributeError: 'build_ext' object has no attribute 'cython_sources'", "cython<3"),
        (
            "ModuleNotFoundError: No module named 'numpy'",
            "extra-build-requires = { a = ['numpy'] }",
        ),
        ("xmlsec.c:1: fatal error: libxml/xmlversion.h: No such file or directory", "libxml2-dev"),
        ("a.c:1:10: fatal error: 'openssl/ssl.h' file not found", "libssl-dev"),
        ("a.c:9:1: fatal error: fancy/thing.h: No such file or directory", "fancy/thing.h"),
        (
            "Error: Could not run curl-config: [Errno 2] No such file or directory: 'curl-config'",
            "libcurl4-openssl-dev",
        ),
        ("error: [Errno 2] No such file or directory: 'gcc'", "C compiler"),
        ("unable to execute 'x86_64-linux-gnu-gcc': No such file or directory", "C compiler"),
        ("/bin/sh: 1: pkg-config: not found", "pkg-config"),
        ("/bin/sh: 1: krb5-config: not found", "libkrb5-dev"),
        ("Exception: Specify MYSQLCLIENT_CFLAGS and MYSQLCLIENT_LDFLAGS env vars", "MySQL"),
        ("error: command 'swig' failed: No such file or directory", "Install swig"),
        ("what?", "Run the command again with --verbose"),
    ],
)
def test_a_failing_build_says_what_the_backend_said_and_what_helps(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings, said: str, fix: str
) -> None:
    backend = (
        "import sys\ndef build_wheel(*a, **k):\n"
        f"    print('https://me:s3cret@host/'); print({said!r}); sys.exit(1)\n"
    )
    listener = Listener()
    with pytest.raises(InstallError) as caught:
        built(project(tmp_path, backend=backend), interpreter, settings, reporter=listener)
    assert caught.value.code == "build-failed"
    assert caught.value.message == "a 1.0 could not be built."
    assert said in (caught.value.why or "")
    assert fix in str(caught.value.fix)
    log = Path(str(caught.value.why).rpartition(": ")[2])
    assert said in log.read_text()
    assert "s3cret" not in str(caught.value.why) + "".join(listener.details)
    assert listener.builds[-1] == "finished a 1.0"


def test_a_backend_that_cannot_be_imported_is_a_failed_build(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings
) -> None:
    with pytest.raises(InstallError, match=r"a 1\.0 could not be built\."):
        built(project(tmp_path, backend="import nowhere"), interpreter, settings)


def test_a_backend_without_editables_is_named_as_such(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings
) -> None:
    backend = in_tree_backend("a", "1.0") + "\ndel build_editable\n"
    with pytest.raises(InstallError) as caught:
        built(project(tmp_path, backend=backend), interpreter, settings, editable=True)
    assert caught.value.code == "build-no-editable"


@pytest.mark.parametrize(
    ("pyproject", "why"),
    [
        (None, "does not appear to be a Python project"),
        ("[build-system]\n", "`requires` is a required property"),
        ("[", "Failed to parse"),
    ],
)
def test_a_folder_that_is_no_project_is_named(
    tmp_path: Path,
    interpreter: Interpreter,
    settings: BuildSettings,
    pyproject: str | None,
    why: str,
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    if pyproject is not None:
        (folder / "pyproject.toml").write_text(pyproject)
    with pytest.raises(InstallError) as caught:
        built(folder, interpreter, settings)
    assert caught.value.code == "build-invalid"
    assert why in (caught.value.why or "")


def test_a_likely_typing_error_in_pyproject_is_told_not_raised(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings
) -> None:
    folder = tmp_path / "typo"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[build_system]\nrequires = []\n")
    listener = Listener()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InstallError):  # the default backend is not to be had without an index
            built(folder, interpreter, settings, reporter=listener)
    assert any("did you mean 'build-system'" in line for line in listener.details)


def test_what_a_backend_warns_of_is_told_not_printed_over_the_screen(
    tmp_path: Path,
    interpreter: Interpreter,
    settings: BuildSettings,
    capfd: pytest.CaptureFixture[str],
) -> None:
    hook = "def _build(folder, content):"
    code = in_tree_backend("a", "1.0")
    code = code.replace(hook, f"{hook}\n    import warnings; warnings.warn('of old age')")
    listener = Listener()
    built(project(tmp_path, backend=code), interpreter, settings, reporter=listener)
    assert any("of old age" in line for line in listener.details)
    assert "of old age" not in "".join(capfd.readouterr())


def test_build_requirements_that_cannot_be_had_are_named(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings
) -> None:
    folder = tmp_path / "needy"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[build-system]\nrequires = ['toolkit>=7']\n")
    with pytest.raises(InstallError) as caught:
        built(folder, interpreter, settings, options=replace(NOWHERE, offline=True))
    assert caught.value.code == "build-requirements"
    assert (
        caught.value.message == "a 1.0 could not be built: its build requirements could not be had."
    )
    assert "toolkit>=7" in (caught.value.why or "")
    assert str(caught.value.fix) == "Run the command again without --offline."


def test_an_interpreter_without_pip_will_do(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings, index: Index
) -> None:
    make_wheel(index.folder, "toolkit", files={"toolkit.py": in_tree_backend("a", "1.0")})
    folder = needy(tmp_path, "toolkit")
    options = IndexOptions(index_urls=(index.simple,))
    assert built(folder, replace(interpreter, pip_folders=()), settings, options=options).exists()


def test_a_second_build_with_the_same_requirements_asks_nobody_and_makes_no_environment(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings, index: Index
) -> None:
    make_wheel(index.folder, "toolkit", files={"toolkit.py": in_tree_backend("a", "1.0")})
    folder = needy(tmp_path, "toolkit")
    options = IndexOptions(index_urls=(index.simple,))
    built(folder, interpreter, settings, options=options)
    [made] = (settings.cache / ENVIRONMENTS).iterdir()
    before = made.stat().st_ctime_ns
    index.requests.clear()
    built(folder, interpreter, settings, options=options)
    assert index.requests == []
    assert [each.stat().st_ctime_ns for each in (settings.cache / ENVIRONMENTS).iterdir()] == [
        before
    ]


@pytest.mark.parametrize("left", ["left.py", "other/__init__.py"])
def test_what_a_build_changes_in_its_environment_the_next_one_does_not_see(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings, index: Index, left: str
) -> None:
    code = in_tree_backend("a", "1.0") + (
        "\nimport pathlib, site\n"
        "def get_requires_for_build_wheel(config_settings=None):\n"
        f"    mine = pathlib.Path(site.getsitepackages()[0], {left!r})\n"
        "    print('there', mine.exists() and 'spoilt' in mine.read_text())\n"
        "    mine.write_text('spoilt = 1')\n"
        "    return []\n"
    )
    files = {"toolkit.py": code, "other/__init__.py": "", "other/more.py": ""}
    make_wheel(index.folder, "toolkit", files=files)
    folder = needy(tmp_path, "toolkit")
    options = IndexOptions(index_urls=(index.simple,))
    for _ in range(2):
        listener = Listener()
        built(folder, interpreter, settings, options=options, reporter=listener)
        assert "there False" in listener.details


def test_a_build_requirement_that_needs_itself_to_be_built_is_named(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings, index: Index
) -> None:
    text = "[build-system]\nrequires = ['egg']\nbuild-backend = 'egg'\n"
    make_sdist(index.folder, "egg", files={"pyproject.toml": text})
    with pytest.raises(InstallError) as caught:
        built(needy(tmp_path, "egg"), interpreter, settings,
              options=IndexOptions(index_urls=(index.simple,)))  # fmt: skip
    assert caught.value.code == "build-requirements"
    assert "they are needed themselves" in str(caught.value.why)


def needy(tmp_path: Path, requirement: str) -> Path:
    """A project that only ``requirement`` can build."""
    folder = tmp_path / "needy"
    folder.mkdir()
    backend = requirement.replace("-", "_")
    (folder / "pyproject.toml").write_text(
        f"[build-system]\nrequires = ['{requirement}']\nbuild-backend = '{backend}'\n"
    )
    return folder


def test_an_interpreter_that_cannot_create_environments_is_named(
    tmp_path: Path, interpreter: Interpreter, settings: BuildSettings
) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho no module named venv >&2; exit 1\n")
    script.chmod(0o755)
    broken = replace(interpreter, path=script, has_venv=False)
    with pytest.raises(InstallError) as caught:
        built(project(tmp_path), broken, settings)
    assert caught.value.code == "build-environment"
    assert str(caught.value.fix) == "Install its venv module."


def test_a_backend_is_isolated_from_the_variables_around_it(
    interpreter: Interpreter, settings: BuildSettings
) -> None:
    around = {
        "PYTHONPATH": "/x", "VIRTUAL_ENV": "/x", "GIT_DIR": "/x", "PIP_TARGET": "/x", "CC": "gcc",
    }  # fmt: skip
    listener = Listener()
    context = BuildContext(
        interpreter=interpreter, options=NOWHERE, settings=settings, reporter=listener
    )
    root = supply(frozenset(), context)
    environment = BuildEnvironment(
        root / "bin" / "python", variables={**os.environ, **around}, reporter=listener
    )
    code = "import os, sys; print(sys.prefix); [print(*i, sep='=') for i in os.environ.items()]"
    environment.run([environment.python_executable, "-c", code])
    prefix, *rows = listener.details
    seen = dict(row.split("=", 1) for row in rows if "=" in row)
    assert prefix == str(root)
    assert not {"PYTHONPATH", "VIRTUAL_ENV", "GIT_DIR", "PIP_TARGET"} & set(seen)
    assert seen["CC"] == "gcc"
    assert seen["PATH"].startswith(str(root / "bin"))


def test_a_changed_file_changes_the_digest_of_a_tree(tmp_path: Path) -> None:
    folder = project(tmp_path)
    before = tree_digest(folder)
    os.utime(folder / "a.py", ns=(1, 1))
    assert tree_digest(folder) != before


@pytest.mark.parametrize(
    "path", ["build/lib/a.py", "a.egg-info/PKG-INFO", ".git/HEAD", "__pycache__/a.pyc", "b.pyc"]
)
def test_what_builds_leave_behind_does_not_change_the_digest_of_a_tree(
    tmp_path: Path, path: str
) -> None:
    folder = project(tmp_path)
    before = tree_digest(folder)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text("x")
    assert tree_digest(folder) == before


def test_an_environment_inside_does_not_change_the_digest_of_a_tree(tmp_path: Path) -> None:
    folder = project(tmp_path)
    before = tree_digest(folder)
    (folder / "venv" / "lib").mkdir(parents=True)
    (folder / "venv" / "pyvenv.cfg").touch()
    (folder / "venv" / "lib" / "b.py").touch()
    assert tree_digest(folder) == before
