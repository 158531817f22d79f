"""What other tools left becomes sources and locks with the same pins: nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.cli import run, run_on_terminal
from tests.support.index import Index
from tests.support.projects import git, snapshot, versions_in, write_project
from tests.support.wheels import in_tree_backend, make_wheel
from venvman.adopt.locks import _source
from venvman.model.sources import VcsSource

BUILT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


class World(NamedTuple):
    """``needs`` of each package of an index that has 1.0 and 2.0 of all; all pins are 1.0."""

    needs: Mapping[str, tuple[str, ...]]
    roots: tuple[str, ...]
    dev: tuple[str, ...]


def world(index: Index, size: int) -> World:
    """Each package needs two of those after it; every fifth is a root, one of those dev's."""
    names = [f"pkg-{number:03}" for number in range(size)]
    needs = {
        name: tuple(each for each in names[place + 1 : place + 3] if names.index(each) % 5)
        for place, name in enumerate(names)
    }
    for name, wanted in needs.items():
        for version in ("1.0", "2.0"):
            make_wheel(index.folder, name, version, requires=wanted)
    needed = {each for wanted in needs.values() for each in wanted}
    roots = [name for name in names if name not in needed]
    dev = roots[-1:] if len(roots) > 1 else []
    return World(needs, tuple(each for each in roots if each not in dev), tuple(dev))


def frozen_by_pip(there: World) -> dict[str, str]:
    return {"requirements.txt": "".join(f"{name}==1.0\n" for name in sorted(there.needs))}


def of_pipenv(there: World) -> dict[str, str]:
    wanted = "[packages]\n" + "".join(f'{name} = "*"\n' for name in there.roots)
    wanted += "[dev-packages]\n"
    wanted += "".join(f'{name} = {{version = ">=1"}}\n' for name in there.dev)
    rows = {name: {"version": "==1.0", "hashes": []} for name in there.needs}
    lock = {"_meta": {"requires": {}}, "default": rows, "develop": {}}
    return {"Pipfile": wanted, "Pipfile.lock": json.dumps(lock)}


def packages(there: World, more: str = "") -> str:
    return "".join(
        f'[[package]]\nname = "{name}"\nversion = "1.0"\n{more}\n' for name in there.needs
    )


def of_poetry(there: World) -> dict[str, str]:
    wanted = ["[tool.poetry.dependencies]", 'python = "^3.8"']
    wanted += [f'{name} = "^1.0"' for name in there.roots]
    wanted += ["[tool.poetry.group.dev.dependencies]", *(f'{name} = "*"' for name in there.dev)]
    lock = packages(there, 'optional = false\npython-versions = ">=3.8"\nfiles = []')
    return {"pyproject.toml": "\n".join(wanted) + "\n", "poetry.lock": lock}


def in_pyproject(there: World) -> str:
    return (
        f'[project]\nname = "shop"\nversion = "1"\ndependencies = {json.dumps(there.roots)}\n'
        f"[dependency-groups]\ndev = {json.dumps(there.dev)}\n"
    )


def of_uv(there: World) -> dict[str, str]:
    own = 'version = 1\nrequires-python = ">=3.10"\n[[package]]\nname = "shop"\nversion = "1"\n'
    lock = own + 'source = { virtual = "." }\n'
    lock += packages(there, 'source = { registry = "https://index.test/simple" }')
    return {"pyproject.toml": in_pyproject(there), "uv.lock": lock}


def of_pdm(there: World) -> dict[str, str]:
    lock = '[metadata]\ngroups = ["default", "dev"]\n' + packages(there, 'groups = ["default"]')
    return {"pyproject.toml": in_pyproject(there), "pdm.lock": lock}


def of_conda(there: World) -> dict[str, str]:
    lines = [
        "name: shop",
        "channels:",
        "  - defaults",
        "dependencies:",
        "  - python=3.11",
        "  - pip",
    ]
    lines += ["  - pip:", *(f"      - {name}==1.0" for name in there.needs), "prefix: /opt/shop"]
    return {"environment.yml": "\n".join(lines) + "\n"}


def listed_by_conda(there: World) -> dict[str, str]:
    lines = ["# platform: linux-64", "openssl=3.0.13=h7f8727e_0"]
    lines += [f"{name}=1.0=pypi_0" for name in there.needs]
    return {"spec.txt": "\n".join(lines) + "\n"}


FORMATS = (*(frozen_by_pip, of_pipenv, of_poetry, of_uv, of_pdm, of_conda, listed_by_conda),)


def locked(root: Path) -> set[str]:
    return {
        line.split(" ")[0]
        for path in root.glob("requirements*.txt")
        for line in path.read_text().splitlines()
        if "==" in line and not line.startswith("#")
    }


pytestmark = pytest.mark.usefixtures("index")


@pytest.mark.parametrize("size", [3, 20, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", FORMATS)
def test_the_locks_hold_the_pins_that_were_there_and_no_others(
    form: Callable[[World], dict[str, str]], size: int, tmp_path: Path, index: Index
) -> None:
    there = world(index, size)
    root = write_project(tmp_path / "p", form(there))
    done = run("adopt", "--yes", "--format", "json", cwd=root)
    assert done.code == 0, done.stdout
    assert done.json["data"]["moved"] == []
    assert locked(root) == {f"{name}==1.0" for name in there.needs}
    assert run("freeze", "--check", "--all-groups", cwd=root).code == 0
    data = done.json["data"]
    wanted = {line for each in data["sources"] for line in each["lines"] if line}
    if data["sources"]:
        names = {line.partition(">")[0].strip() for line in wanted}
        assert names == {*there.roots, *there.dev}


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_is_written_without_yes(
    form: Callable[[World], dict[str, str]], tmp_path: Path, index: Index
) -> None:
    root = write_project(tmp_path / "p", form(world(index, 3)))
    before = snapshot(root)
    done = run("adopt", cwd=root)
    assert (done.code, "venvman adopt --yes" in done.stdout) == (0, True)
    assert snapshot(root) == before


def test_an_environment_alone_becomes_sources_with_what_it_holds(
    tmp_path: Path, index: Index
) -> None:
    there = world(index, 6)
    root = write_project(tmp_path / "p", frozen_by_pip(there))
    assert run("sync", cwd=root).code == 0
    (root / "requirements.txt").unlink()
    (root / "requirements.lock").unlink()
    assert run("init", "--yes", cwd=root).code == 0
    assert locked(root) == {f"{name}==1.0" for name in there.needs}
    assert "Nothing to do" in run("sync", cwd=root).stdout
    assert len(versions_in(root)) == 6


def adopted(root: Path, *words: str) -> dict[str, list[str]]:
    """The lines of each source that is proposed."""
    done = run("adopt", *words, "--format", "json", cwd=root)
    assert done.code == 0, done.stdout
    return {each["path"]: each["lines"] for each in done.json["data"]["sources"]}


def test_of_a_freeze_the_roots_stay_with_their_comments_and_dev_tools_are_split_off(
    tmp_path: Path, index: Index
) -> None:
    for name, needs in {"shop-web": ["low"], "low": [], "pytest": ["pluggy"], "pluggy": []}.items():
        make_wheel(index.folder, name, requires=needs)
    make_wheel(index.folder, "circle", requires=["round"])
    make_wheel(index.folder, "round", requires=["circle"])
    make_wheel(index.folder, "pip", "24.0")
    text = """\
--extra-index-url https://other.test/simple
# what we sell
Shop_Web==1.0
circle==1.0
low==1.0
pip==24.0
pluggy==1.0
pytest==1.0
round==1.0
"""
    root = write_project(tmp_path / "p", {"requirements.txt": text})
    assert adopted(root) == {
        "requirements.in": [
            "--extra-index-url https://other.test/simple",
            "# what we sell",
            "Shop_Web",
            "circle",
        ],
        "requirements-dev.in": ["pytest"],
    }
    assert "pip==24.0" in run("adopt", cwd=root).stderr


def test_of_pins_kept_by_hand_every_line_stays_and_one_with_a_comment_keeps_its_version(
    tmp_path: Path, index: Index
) -> None:
    for version in ("1.0", "2.0"):
        make_wheel(index.folder, "alpha", version, requires=["beta", "gamma"])
        make_wheel(index.folder, "beta", version)
        make_wheel(index.folder, "gamma", version)
    root = write_project(
        tmp_path / "p", {"requirements.txt": "alpha==1.0\n\n# held back\nbeta==1.0  # see #12\n"}
    )
    assert adopted(root)["requirements.in"] == ["alpha", "", "# held back", "beta==1.0  # see #12"]
    assert run("adopt", "--yes", cwd=root).code == 0
    assert locked(root) == {"alpha==1.0", "beta==1.0", "gamma==2.0"}


def test_each_file_of_pins_becomes_the_source_of_its_group(tmp_path: Path, index: Index) -> None:
    for name in ("alpha", "beta"):
        make_wheel(index.folder, name)
    files = {"requirements.txt": "alpha==1.0\n", "requirements-test.txt": "beta==1.0\n"}
    root = write_project(tmp_path / "p", files)
    assert adopted(root) == {"requirements.in": ["alpha"], "requirements-test.in": ["beta"]}


def test_a_freeze_of_another_name_is_left_where_it_is(tmp_path: Path, index: Index) -> None:
    make_wheel(index.folder, "alpha")
    make_wheel(index.folder, "alpha", "2.0")
    root = write_project(tmp_path / "p", {"old/frozen.txt": "alpha==1.0\n"})
    assert run("adopt", "old/frozen.txt", "--yes", cwd=root).code == 0
    assert locked(root) == {"alpha==1.0"}
    assert (root / "old/frozen.txt").read_text() == "alpha==1.0\n"


def test_what_powershell_wrote_is_read(tmp_path: Path, index: Index) -> None:
    make_wheel(index.folder, "alpha")
    root = write_project(tmp_path / "p", {})
    (root / "requirements.txt").write_bytes("alpha==1.0\r\n".encode("utf-16"))
    assert adopted(root) == {"requirements.in": ["alpha"]}


def test_a_pin_that_cannot_stay_is_named_with_who_asks_for_another(
    tmp_path: Path, index: Index
) -> None:
    make_wheel(index.folder, "alpha", "1.0", requires=["beta>=2"])
    for version in ("1.0", "2.0"):
        make_wheel(index.folder, "beta", version)
    pipfile = '[packages]\nalpha = "*"\n'
    rows = {name: {"version": "==1.0"} for name in ("alpha", "beta", "gone")}
    lock = json.dumps({"default": rows, "develop": {}})
    root = write_project(tmp_path / "p", {"Pipfile": pipfile, "Pipfile.lock": lock})
    done = run("adopt", "--yes", "--format", "json", cwd=root)
    assert done.code == 0
    assert done.json["data"]["moved"] == [
        {"name": "beta", "from": "1.0", "to": "2.0", "via": ["alpha"]},
        {"name": "gone", "from": "1.0", "to": None, "via": []},
    ]
    told = {each["code"]: each["message"] for each in done.json["problems"]}
    assert "beta was 1.0, and is 2.0" in told["adopt-pin-moved"]
    assert "gone 1.0" in told["adopt-pin-unasked"]


def test_a_commit_that_was_locked_stays_though_the_branch_went_on(tmp_path: Path) -> None:
    files = {"backend.py": in_tree_backend("lib", "1.0"), "pyproject.toml": BUILT}
    there = write_project(tmp_path / "lib", files)
    (there / ".git").rmdir()
    git(there, "init", "-q", "-b", "main")
    who = ("-c", "user.name=n", "-c", "user.email=e")
    git(there, "add", "-A")
    git(there, *who, "commit", "-qm", "one")
    commit = git(there, "rev-parse", "HEAD").strip()
    (there / "more.txt").write_text("x")
    git(there, "add", "-A")
    git(there, *who, "commit", "-qm", "two")
    url = there.as_uri()
    wanted = f'[tool.poetry.dependencies]\nlib = {{ git = "{url}", branch = "main" }}\n'
    lock = (
        '[[package]]\nname = "lib"\nversion = "1.0"\n'
        f'[package.source]\ntype = "git"\nurl = "{url}"\n'
        f'reference = "main"\nresolved_reference = "{commit}"\n'
    )
    root = write_project(tmp_path / "p", {"pyproject.toml": wanted, "poetry.lock": lock})
    done = run("adopt", "--yes", "--format", "json", cwd=root)
    assert done.code == 0, done.stdout
    assert done.json["data"]["moved"] == []
    assert commit in (root / "requirements.txt").read_text()


def test_every_form_of_a_pipfile_entry_is_a_line(tmp_path: Path) -> None:
    pipfile = """\
[[source]]
url = "https://${USER}@first.test/simple"
verify_ssl = false
name = "first"
[[source]]
url = "https://pypi.org/simple"
name = "pypi"
[packages]
alpha = {version = "~=1.2", extras = ["fast", "safe"], markers = "python_version < '3.13'"}
beta = {git = "git@host.test:me/beta.git", ref = "v1", subdirectory = "py"}
gamma = {path = "lib/gamma", editable = true}
delta = {file = "https://files.test/delta-1.0.zip"}
epsilon = {version = "==1.0", sys_platform = "== 'win32'"}
[docs]
zeta = "*"
[requires]
python_version = "3.12"
"""
    root = write_project(tmp_path / "p", {"Pipfile": pipfile})
    assert adopted(root) == {
        "requirements.in": [
            "--index-url https://${USER}@first.test/simple",
            "--trusted-host first.test",
            "alpha[fast,safe]~=1.2 ; python_version < '3.13'",
            "beta @ git+ssh://git@host.test/me/beta.git@v1#subdirectory=py",
            "-e ./lib/gamma",
            "delta @ https://files.test/delta-1.0.zip",
            "epsilon==1.0 ; sys_platform == 'win32'",
        ],
        "requirements-docs.in": ["zeta"],
    }
    assert "python_version 3.12" in run("adopt", cwd=root).stderr


def test_every_form_of_a_poetry_entry_is_a_line(tmp_path: Path) -> None:
    said = """\
[tool.poetry.dependencies]
python = "^3.9"
caret = "^1.2.3"
zero = "^0.2.3"
tilde = "~1.2"
exact = "1.0"
star = "1.*"
several = ">=1,<2"
either = "^1.0 || ^2.0"
when = {version = "^1", python = ">=3.9,<3.12", extras = ["x"]}
twice = [{version = "1.0", platform = "win32"}, {version = "2.0", markers = "sys_platform != 'win32'"}]
maybe = {version = "*", optional = true}
near = {path = "lib/near", develop = true}
[tool.poetry.extras]
more = ["maybe"]
[tool.poetry.dev-dependencies]
check = "*"
[[tool.poetry.source]]
name = "own"
url = "https://own.test/simple"
"""  # noqa: E501
    root = write_project(tmp_path / "p", {"pyproject.toml": said})
    assert adopted(root) == {
        "requirements.in": [
            "--index-url https://own.test/simple",
            "caret>=1.2.3,<2",
            "zero>=0.2.3,<0.3",
            "tilde>=1.2,<1.3",
            "exact==1.0",
            "star==1.*",
            "several>=1,<2",
            "either",
            'when[x]>=1,<2 ; python_version >= "3.9" and python_version < "3.12"',
            'twice==1.0 ; sys_platform == "win32"',
            "twice==2.0 ; sys_platform != 'win32'",
            "-e ./lib/near",
        ],
        "requirements-more.in": ["maybe"],
        "requirements-dev.in": ["check"],
    }


def test_what_conda_brings_is_named_and_what_pip_brings_taken(tmp_path: Path, index: Index) -> None:
    make_wheel(index.folder, "alpha")
    text = """\
name: x
dependencies:
  - python=3.11
  - numpy=1.26.4=py311h_0  # fast
  - pip:
    - alpha==1.0
    - --extra-index-url https://other.test/simple
  - "cudatoolkit>=11"
"""
    root = write_project(tmp_path / "p", {"environment.yml": text})
    done = run("adopt", "--format", "json", cwd=root).json
    assert done["data"]["sources"][0]["lines"] == [
        "alpha",
        "--extra-index-url https://other.test/simple",
    ]
    assert [(each["line"], each["code"]) for each in done["problems"]] == [
        (3, "adopt-left"),
        (4, "adopt-left"),
        (8, "adopt-left"),
    ]


def test_what_only_uv_reads_is_named_or_written_for_pip(tmp_path: Path) -> None:
    said = """\
[project]
name = "x"
version = "1"
dependencies = ["Lib[fast]>=1 ; python_version >= '3.8'", "alpha", "torch"]
[dependency-groups]
lint = ["alpha"]
dev = ["beta"]
[build-system]
requires = []
[tool.uv]
dev-dependencies = ["pytest"]
constraint-dependencies = ["alpha<2"]
[tool.uv.sources]
lib = { git = "https://host.test/lib", tag = "v1", subdirectory = "py" }
torch = { index = "cpu" }
"""
    files = {"pyproject.toml": said, "uv.lock": "version = 1\n"}
    root = write_project(tmp_path / "p", files)
    assert adopted(root) == {
        "requirements.in": [
            "-e .",
            'Lib[fast] @ git+https://host.test/lib@v1#subdirectory=py ; python_version >= "3.8"',
            "alpha",
            "torch",
        ],
        "requirements-dev.in": ["beta", "pytest"],
        "requirements-lint.in": ["alpha"],
    }
    done = run("adopt", "--format", "json", cwd=root).json
    assert [(each["message"].split(" = ")[0], each["line"]) for each in done["problems"]] == [
        ("Not taken over: [tool.uv.sources] torch", 15),
        ("Not taken over: [tool.uv] constraint-dependencies", 12),
    ]


def test_what_the_standard_tables_say_in_full_stays_there_and_only_the_rest_is_written(
    tmp_path: Path, index: Index
) -> None:
    for name in ("alpha", "pytest", "zeta"):
        make_wheel(index.folder, name)
        make_wheel(index.folder, name, "2.0")
    project = '[project]\nname = "x"\nversion = "1"\ndependencies = ["alpha"]\n'
    poetry = '[tool.poetry.group.dev.dependencies]\npytest = "^1.0"\n'
    pdm = '[tool.pdm.dev-dependencies]\ndev = ["pytest<2", "-e file:///${PROJECT_ROOT}/lib"]\n'
    rows = "".join(
        f'[[package]]\nname = "{name}"\nversion = "1.0"\n' for name in ("alpha", "pytest")
    )
    for tool, tables, written in (
        ("poetry", poetry, ["pytest>=1.0,<2"]),
        ("pdm", pdm, ["pytest<2", "-e ./lib"]),
    ):
        files = {"pyproject.toml": project + tables, f"{tool}.lock": rows}
        files |= {"lib/pyproject.toml": BUILT, "lib/backend.py": in_tree_backend("lib", "1.0")}
        root = write_project(tmp_path / tool, files)
        assert adopted(root) == {"requirements-dev.in": written}
        done = run("adopt", "--yes", "--format", "json", cwd=root)
        assert (done.code, done.json["data"]["moved"]) == (0, []), done.stdout
        assert locked(root) == {"alpha==1.0", "pytest==1.0"}


def test_a_member_of_a_workspace_of_uv_is_its_folder(tmp_path: Path) -> None:
    said = '[project]\nname = "x"\nversion = "1"\ndependencies = ["lib"]\n[tool.uv.sources]\n'
    said += "lib = { workspace = true }\n"
    lock = '[[package]]\nname = "lib"\nversion = "1"\nsource = { editable = "packages/lib" }\n'
    root = write_project(tmp_path / "p", {"pyproject.toml": said, "uv.lock": lock})
    assert adopted(root) == {"requirements.in": ["-e ./packages/lib"]}


WORKSPACE = {
    "pyproject.toml": '[project]\nname = "mono"\nversion = "1"\ndependencies = ["core", "alpha"]\n'
    '[dependency-groups]\ndev = ["beta"]\n[tool.uv.workspace]\nmembers = ["packages/*"]\n'
    "[tool.uv.sources]\ncore = { workspace = true }\n",
    "packages/core/pyproject.toml": '[project]\nname = "core"\nversion = "1"\n'
    'dependencies = ["util"]\n[tool.uv.sources]\nutil = { path = "../util" }\n' + BUILT,
    "packages/core/backend.py": in_tree_backend("core", "1", ["util"]),
    "packages/util/pyproject.toml": '[project]\nname = "util"\nversion = "1"\n' + BUILT,
    "packages/util/backend.py": in_tree_backend("util", "1"),
}


def test_a_workspace_is_not_looked_for_on_an_index_and_adopt_takes_it_with_what_it_needs(
    tmp_path: Path, index: Index
) -> None:
    for name in ("alpha", "beta", "core", "util"):
        make_wheel(index.folder, name, "9.0")
    root = write_project(tmp_path / "mono", WORKSPACE)
    for words in ("sync", "freeze", "add alpha"):
        done = run(*words.split(), "--format", "json", cwd=root)
        (problem,) = done.json["problems"]
        assert (done.code, problem["code"]) == (2, "requirement-elsewhere")
        assert (problem["path"], problem["line"]) == ("pyproject.toml", 4)
        assert problem["fix"] == "venvman adopt --yes"
    assert index.requests == []
    assert adopted(root, "--yes") == {
        "requirements.in": ["-e ./packages/core", "./packages/util", "alpha"],
        "requirements-dev.in": ["beta"],
    }
    assert run("sync", cwd=root).code == 0
    found = versions_in(root)
    assert found == {"alpha": "9.0", "beta": "9.0", "core": "1", "util": "1"}
    assert run("doctor", "--fail-on", "warning", cwd=root).code == 0


def test_a_member_adopts_its_neighbours(tmp_path: Path) -> None:
    said = '[project]\nname = "web"\nversion = "1"\ndependencies = ["core"]\n[tool.uv.sources]\n'
    more = {"packages/web/pyproject.toml": f"{said}core = {{ workspace = true }}\n"}
    root = write_project(tmp_path / "mono", WORKSPACE | more)
    assert adopted(root / "packages/web") == {
        "requirements.in": ["-e ../core", "../util"],
    }


def test_what_uv_locked_of_a_repository_keeps_commit_folder_and_branch() -> None:
    row = {"git": "https://host.test/lib?subdirectory=py&rev=main#" + "a" * 40}
    source = _source(row)
    assert isinstance(source, VcsSource)
    assert (source.commit, source.subdirectory, source.revision) == ("a" * 40, "py", "main")


def test_an_extra_of_two_names_is_in_both_and_an_index_that_comes_after_stays_there(
    tmp_path: Path,
) -> None:
    said = """\
[tool.poetry.dependencies]
alpha = {version = "*", optional = true}
beta = "*"
[tool.poetry.extras]
one = ["alpha"]
two = ["Alpha"]
[tool.poetry.group.test.dependencies]
gamma = "*"
[tool.poetry.group.dev]
include-groups = ["test"]
[tool.poetry.group.dev.dependencies]
delta = "*"
[[tool.poetry.source]]
name = "own"
url = "https://own.test/simple"
priority = "explicit"
"""
    root = write_project(tmp_path / "p", {"pyproject.toml": said})
    assert adopted(root) == {
        "requirements-one.in": ["alpha"],
        "requirements-two.in": ["alpha"],
        "requirements.in": ["--extra-index-url https://own.test/simple", "beta"],
        "requirements-test.in": ["gamma"],
        "requirements-dev.in": ["delta", "gamma"],
    }


def test_a_pipfile_lock_alone_keeps_sections_extras_folders_and_indexes(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_INDEX_URL")
    make_wheel(index.folder, "alpha", requires=["beta"])
    make_wheel(index.folder, "gamma", extras={"x": ["delta"]})
    for name in ("beta", "delta", "check"):
        make_wheel(index.folder, name)
    rows: dict[str, object]
    rows = {name: {"version": "==1.0"} for name in ("alpha", "beta", "delta")}
    rows |= {"gamma": {"version": "==1.0", "extras": ["x"]}}
    lock = {
        "_meta": {"sources": [{"name": "own", "url": index.simple, "verify_ssl": True}]},
        "default": {**rows, "lib": {"path": "./lib", "editable": True}},
        "develop": {"check": {"version": "==1.0"}, "beta": {"version": "==1.0"}},
    }
    files = {"lib/pyproject.toml": BUILT, "lib/backend.py": in_tree_backend("lib", "1.0")}
    root = write_project(tmp_path / "p", {"Pipfile.lock": json.dumps(lock), **files})
    first = f"--index-url {index.simple}"
    assert adopted(root) == {
        "requirements.in": [first, "alpha", "gamma[x]", "-e ./lib"],
        "requirements-dev.in": [first, "check", "beta"],
    }
    assert run("adopt", "--yes", cwd=root).code == 0
    assert locked(root) == {f"{name}==1.0" for name in ("alpha", "beta", "delta", "gamma", "check")}


def test_what_was_taken_over_is_not_taken_over_again(tmp_path: Path, index: Index) -> None:
    for form in FORMATS:
        root = write_project(tmp_path / form.__name__, form(world(index, 3)))
        assert run("adopt", "--yes", cwd=root).code == 0
        before = snapshot(root)
        again = run("adopt", "--yes", cwd=root)
        assert (again.code, "Nothing to do" in again.stdout) == (0, True), again.stdout
        assert snapshot(root) == before


def test_of_an_environment_yml_each_line_that_stays_is_named_with_what_to_do(
    tmp_path: Path, index: Index
) -> None:
    make_wheel(index.folder, "alpha")
    text = """channels:
  - conda-forge
dependencies:
  - conda-forge::python=3.11
  - python-dateutil
  - pip:
    - alpha==1.0
variables:
  TOKEN: hunter2
"""
    root = write_project(tmp_path / "p", {"environment.yml": text})
    done = run("adopt", "--format", "json", cwd=root)
    told = done.json["problems"]
    assert [(each["line"], each["message"].removeprefix("Not taken over: ")) for each in told] == [
        (4, "conda-forge::python=3.11."),
        (5, "python-dateutil."),
        (9, "TOKEN."),
    ]
    words = (".python-version", "conda brings it", "no variables")
    assert all(word in each["why"] for word, each in zip(words, told, strict=True))
    assert "hunter2" not in done.stdout + done.stderr


def test_folders_of_the_project_are_seen_from_its_root(tmp_path: Path, index: Index) -> None:
    make_wheel(index.folder, "alpha")
    root = write_project(tmp_path / "p", {})
    text = f"-e {root}\nalpha==1.0\n-e {root}/lib\n-e {tmp_path}/other\n"
    (root / "requirements.txt").write_text(text)
    lines = ["-e .", "alpha", "-e ./lib", f"-e {tmp_path}/other"]
    assert adopted(root) == {"requirements.in": lines}


def test_an_environment_that_holds_nothing_is_nothing(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", {"requirements.in": ""})
    assert run("sync", cwd=root).code == 0
    (root / "requirements.in").unlink()
    (root / "requirements.txt").unlink()
    assert run("adopt", cwd=root).code == 2


def test_a_file_that_names_nothing_for_pip_stands_in_no_other_ones_way(
    tmp_path: Path, index: Index
) -> None:
    make_wheel(index.folder, "alpha")
    conda = "dependencies:\n  - python\n"
    root = write_project(
        tmp_path / "p", {"environment.yml": conda, "requirements.txt": "alpha==1.0\n"}
    )
    assert adopted(root) == {"requirements.in": ["alpha"]}
    loose = write_project(tmp_path / "q", {"environment.yml": conda, "requirements.txt": "alpha\n"})
    assert "Nothing to do: venvman reads requirements.txt" in run("adopt", cwd=loose).stdout


def test_quotes_includes_and_lines_of_an_environment_yml_are_read_as_conda_does(
    tmp_path: Path, index: Index
) -> None:
    for name in ("alpha", "beta", "gamma"):
        make_wheel(index.folder, name)
        make_wheel(index.folder, name, "2.0")
    text = """dependencies:
  - pip:
    - alpha==1.0 ; python_version < "4"
    - 'beta==1.0'
    - -r requirements.txt
"""
    files = {"environment-dev.yml": text.replace("==", ">>"), "environment.yml": text}
    root = write_project(tmp_path / "p", files | {"requirements.txt": "# ours\ngamma==1.0\n"})
    lines = ['alpha ; python_version < "4"', "beta", "# ours", "gamma"]
    assert adopted(root) == {"requirements.in": lines}
    assert "venvman adopt environment-dev.yml" in run("adopt", cwd=root).stderr
    told = json.loads(run("adopt", "environment-dev.yml", "--format", "json", cwd=root).stdout)[
        "problems"
    ]
    assert [each["line"] for each in told] == [3, 4]
    assert run("adopt", "--yes", cwd=root).code == 0
    assert locked(root) == {"alpha==1.0", "beta==1.0", "gamma==1.0"}


@pytest.mark.parametrize(
    ("files", "code", "line"),
    [
        ({"Pipfile": "[packages\n"}, "adopt-unreadable", 1),
        ({"Pipfile": "[packages]\n", "Pipfile.lock": "{"}, "adopt-unreadable", 1),
        ({"poetry.lock": "a = \n"}, "adopt-unreadable", 1),
        ({"Pipfile": '[packages]\na = "*"\n', "requirements.in": "b\n"}, "adopt-in-the-way", None),
        ({"Pipfile": "", "Pipfile.lock": "[]"}, "adopt-unreadable", None),
        ({"Pipfile": "", "Pipfile.lock": '{"default": {"a": 3}}'}, "adopt-unreadable", None),
        (
            {"Pipfile": '[packages]\na = "*"\n', "requirements.txt": "b==1\n"},
            "adopt-in-the-way",
            None,
        ),
        ({"environment.yml": "dependencies:\n  - python\n"}, "adopt-nothing", None),
        ({"environment.yml": "\ndependencies: [a, {pip: [b]}]\n"}, "adopt-unreadable", 2),
        ({}, "adopt-nothing", None),
    ],
)
def test_what_cannot_be_taken_over_is_an_error_and_nothing_is_written(
    files: dict[str, str], code: str, line: int | None, tmp_path: Path
) -> None:
    root = write_project(tmp_path / "p", files)
    before = snapshot(root)
    done = run("adopt", "--yes", "--format", "json", cwd=root)
    assert (done.code, done.json["problems"][0]["code"]) == (2, code)
    assert done.json["problems"][0]["line"] == line
    assert snapshot(root) == before


def test_where_no_versions_fit_nothing_is_written(tmp_path: Path, index: Index) -> None:
    make_wheel(index.folder, "alpha")
    root = write_project(tmp_path / "p", {"Pipfile": '[packages]\nalpha = ">=9"\n'})
    assert run("adopt", "--yes", cwd=root).code == 2
    assert [each.name for each in root.iterdir() if each.name != ".git"] == ["Pipfile"]


def test_a_lock_without_what_was_wanted_is_a_list_of_pins(tmp_path: Path, index: Index) -> None:
    there = world(index, 6)
    files = of_pipenv(there)
    del files["Pipfile"]
    root = write_project(tmp_path / "p", files)
    assert run("adopt", "--yes", cwd=root).code == 0
    assert locked(root) == {f"{name}==1.0" for name in there.needs}
    wanted = (root / "requirements.in").read_text().split()
    assert wanted == [*there.roots, *there.dev]


def test_a_file_of_another_machine_is_its_name_and_told(tmp_path: Path, index: Index) -> None:
    make_wheel(index.folder, "alpha", "1.0")
    make_wheel(index.folder, "beta", "1.0")
    text = "alpha==1.0\nbeta @ file:///croot/beta_1645/work\n"
    root = write_project(tmp_path / "p", {"requirements.txt": text})
    done = run("adopt", "--yes", "--format", "json", cwd=root).json
    assert done["data"]["sources"][0]["lines"] == ["alpha", "beta"]
    assert [(each["code"], each["line"]) for each in done["problems"]] == [("adopt-left", 2)]
    assert locked(root) == {"alpha==1.0", "beta==1.0"}


def test_pins_of_prereleases_and_of_yanked_files_stay(tmp_path: Path, index: Index) -> None:
    make_wheel(index.folder, "alpha", "2.0rc1", requires=["beta"])
    make_wheel(index.folder, "beta", "2.0a1")
    make_wheel(index.folder, "gamma", "1.0")
    for name in ("alpha", "beta"):
        make_wheel(index.folder, name, "1.0")
    make_wheel(index.folder, "gamma", "1.1")
    index.yanked["gamma-1.0-py3-none-any.whl"] = "bad"
    text = "alpha==2.0rc1\nbeta==2.0a1\ngamma==1.0\n"
    root = write_project(tmp_path / "p", {"requirements.txt": text})
    assert run("adopt", "--yes", cwd=root).code == 0
    assert locked(root) == set(text.split())


def test_below_the_project_it_is_the_projects_files_that_are_taken_over(
    tmp_path: Path, index: Index
) -> None:
    make_wheel(index.folder, "alpha")
    root = write_project(tmp_path / "p", {"requirements.txt": "alpha==1.0\n", "src/a.py": ""})
    assert run("adopt", "--yes", cwd=root / "src").code == 0
    assert (root / "requirements.in").read_text() == "alpha\n"


def test_of_what_pip_compile_made_the_notes_say_what_was_asked_for(
    tmp_path: Path, index: Index
) -> None:
    there = world(index, 6)
    root = write_project(tmp_path / "p", {"requirements.in": "\n".join(there.roots) + "\n"})
    (root / "limits.txt").write_text("".join(f"{name}<2\n" for name in there.needs))
    assert run("freeze", "-c", "limits.txt", cwd=root).code == 0
    (root / "limits.txt").unlink()
    (root / "requirements.in").unlink()
    before = locked(root)
    (root / "old").mkdir()
    (root / "requirements.txt").rename(root / "old/lock.txt")
    assert adopted(root, "old/lock.txt") == {"requirements.in": list(there.roots)}
    assert run("adopt", "old/lock.txt", "--yes", cwd=root).code == 0
    assert locked(root) == before


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("n\n", False)])
def test_on_a_terminal_what_would_be_written_is_shown_and_asked_about(
    answer: str, written: bool, tmp_path: Path, index: Index
) -> None:
    make_wheel(index.folder, "alpha")
    root = write_project(tmp_path / "p", {"requirements.txt": "Alpha==1.0\n"})
    shown = run_on_terminal("adopt", cwd=root, typed=answer).stdout
    assert "requirements.in" in shown.partition("Write this")[0]
    assert "    Alpha" in shown.partition("Write this")[0]
    assert (root / "requirements.in").exists() is written


def test_a_password_in_another_tools_file_is_shown_nowhere(tmp_path: Path) -> None:
    source = '[[source]]\nurl = "https://me:hidden@own.test/simple"\nname = "own"\n'
    root = write_project(tmp_path / "p", {"Pipfile": f'{source}[packages]\na = "*"\n'})
    for words in ((), ("--format", "json"), ("--verbose",)):
        done = run("adopt", *words, cwd=root)
        assert done.code == 0
        assert "hidden" not in done.stdout + done.stderr
    shown = run_on_terminal("adopt", cwd=root, typed="n\n").stdout
    assert "hidden" not in shown
