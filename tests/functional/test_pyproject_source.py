"""Where no requirements file is the source of a group, pyproject.toml is (PEP 621, PEP 735)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import ended, run
from tests.support.index import Index
from tests.support.projects import git, python_in, versions_in, write_project
from tests.support.wheels import in_tree_backend, make_wheel

SHOP = """\
[project]
name = "shop"
version = "1.0"
dependencies = [
  "alpha>=1",  # what it runs on
]

[project.optional-dependencies]
fast = ["beta"]
all = ["shop[fast]", "gamma"]

[dependency-groups]
dev = [{ include-group = "test" }, "delta"]
test = ["epsilon"]
fast = ["gamma"]
"""


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    for name in ("alpha", "beta", "gamma", "delta", "epsilon"):
        make_wheel(index.folder, name)
    root = write_project(tmp_path / "shop", {"pyproject.toml": SHOP})
    (root / ".gitignore").write_text("venv/\n")
    return root


def pins(path: Path) -> list[str]:
    return [line.split(" ")[0] for line in path.read_text().splitlines() if "==" in line]


def problems(root: Path) -> list[tuple[str, int | None]]:
    found = run("freeze", "--all-groups", "--format", "json", cwd=root).json["problems"]
    return [(each["code"], each["line"]) for each in found]


def test_the_first_sync_freezes_and_installs_default_and_dev_the_second_does_nothing(
    root: Path,
) -> None:
    first = run("sync", cwd=root)
    assert first.code == 0, first.stderr
    assert set(versions_in(root)) == {"alpha", "delta", "epsilon"}
    second = run("sync", cwd=root)
    assert second.stdout.startswith("Nothing to do")
    assert run("sync", "--check", cwd=root).code == 0
    assert run("freeze", "--check", cwd=root).code == 0


def test_nothing_but_the_locks_is_new_to_git(root: Path) -> None:
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    assert run("sync", cwd=root).code == 0
    assert git(root, "status", "--porcelain").split() == [
        "??", "requirements-dev.txt", "??", "requirements.txt"
    ]  # fmt: skip


def test_each_extra_and_group_is_a_group_with_what_it_includes(root: Path) -> None:
    ran = run("freeze", "--all-groups", cwd=root)
    assert ran.code == 0, ran.stderr
    found = {path.name: pins(path) for path in sorted(root.glob("requirements*.txt"))}
    assert found == {
        "requirements.txt": ["alpha==1.0"],
        "requirements-all.txt": ["alpha==1.0", "beta==1.0", "gamma==1.0"],
        "requirements-dev.txt": ["delta==1.0", "epsilon==1.0"],
        "requirements-extra-fast.txt": ["alpha==1.0", "beta==1.0"],
        "requirements-fast.txt": ["gamma==1.0"],
        "requirements-test.txt": ["epsilon==1.0"],
    }
    assert run("freeze", "--all-groups", "--check", cwd=root).code == 0


def test_a_changed_list_makes_its_lock_stale(root: Path) -> None:
    assert run("sync", cwd=root).code == 0
    (root / "pyproject.toml").write_text(SHOP.replace('"alpha>=1",', '"alpha>=1", "beta",'))
    assert run("freeze", "--check", cwd=root).code == 1
    assert run("sync", cwd=root).code == 0
    assert pins(root / "requirements.txt") == ["alpha==1.0", "beta==1.0"]


def test_a_requirements_file_wins(root: Path) -> None:
    (root / "requirements.txt").write_text("beta\n")
    assert run("sync", cwd=root).code == 0
    assert set(versions_in(root)) == {"beta"}
    assert not (root / "requirements-dev.txt").exists()


def test_a_requirements_file_for_another_group_completes_it(root: Path) -> None:
    (root / "requirements-dev.txt").write_text("beta\n")
    assert run("sync", cwd=root).code == 0
    assert set(versions_in(root)) == {"alpha", "beta"}


@pytest.mark.parametrize("line", ["-e .", ".[slow]", "--editable=.", "  .  # ours"])
def test_a_requirements_file_that_names_the_project_itself_wins(line: str, tmp_path: Path) -> None:
    said = '[project]\nname = "x"\nversion = "1"\ndependencies = ["alpha"]\n'
    files = {"pyproject.toml": said, "requirements-dev.txt": f"{line}\n"}
    done = run("scan", "--format", "json", cwd=write_project(tmp_path / "p", files)).json
    assert [each["path"] for each in done["data"]["projects"][0]["files"]] == [
        "requirements-dev.txt"
    ]


def test_a_byte_order_mark_and_the_lines_of_windows_stay(root: Path) -> None:
    path = root / "pyproject.toml"
    before = b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")
    path.write_bytes(before)
    assert run("add", "--group", "fast", "beta", cwd=root).code == 0
    assert len(path.read_bytes()) > len(before)
    assert run("remove", "--group", "fast", "beta", cwd=root).code == 0
    assert path.read_bytes() == before


def test_a_file_for_tools_only_makes_no_project(tmp_path: Path) -> None:
    root = write_project(tmp_path / "tools", {"pyproject.toml": "[tool.ruff]\nline-length = 90\n"})
    assert run("sync", cwd=root).code == 2


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"alpha>=1"', '"alpha>>1"', ("requirement-invalid", 5)),
        ('"alpha>=1"', '"./wheel"', ("requirement-invalid", 5)),
        ('["epsilon"]', '[{ include-group = "dev" }]', ("group-cycle", 13)),
        ('["epsilon"]', '[{ include-group = "lint" }]', ("group-unknown", 14)),
        ('["epsilon"]', "[{ other = 1 }]", ("group-entry-invalid", 14)),
        ('["epsilon"]', '["shop[slow]"]', ("extra-unknown", 14)),
        ('["epsilon"]', '"epsilon"', ("pyproject-invalid", 14)),
        ('["epsilon"]', '["epsilon"]\n"-test" = []', ("group-name-invalid", 15)),
        ('["epsilon"]', '["epsilon"]\nTest = ["beta"]', ("group-twice", 15)),
        ('gamma"]\n\n', 'gamma"]\n"" = ["beta"]\n\n', ("group-name-invalid", 11)),
        ('gamma"]\n\n', 'gamma"]\nFAST = ["beta"]\n\n', ("group-twice", 11)),
        ("[project]", "[project", ("pyproject-invalid", 1)),
        ('version = "1.0"', 'requires-python = "banana"', ("requires-python-invalid", 3)),
        ('version = "1.0"', "requires-python = 3.9", ("requires-python-invalid", 3)),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    root: Path, old: str, new: str, expected: tuple[str, int]
) -> None:
    (root / "pyproject.toml").write_text(SHOP.replace(old, new))
    assert expected in problems(root)


def test_a_circle_of_groups_is_told_once_whichever_is_asked_for(root: Path) -> None:
    circle = '[dependency-groups]\na = [{include-group = "b"}]\nb = [{include-group = "a"}]\n'
    (root / "pyproject.toml").write_text(circle)
    assert problems(root) == [("group-cycle", 2)]
    assert (
        run("freeze", "--only-group", "b", "--format", "json", cwd=root).json["problems"][0]["line"]
        == 2
    )


def test_a_project_that_names_itself_asks_for_nothing_more(root: Path) -> None:
    text = SHOP.replace('"alpha>=1",', '"alpha>=1", "shop", "shop[all]",')
    (root / "pyproject.toml").write_text(text)
    assert run("freeze", cwd=root).code == 0
    assert pins(root / "requirements.txt") == ["alpha==1.0", "beta==1.0", "gamma==1.0"]


def test_a_group_called_default_does_not_stand_for_the_projects_own(root: Path) -> None:
    text = SHOP.replace("[dependency-groups]", '[dependency-groups]\ndefault = ["gamma"]')
    (root / "pyproject.toml").write_text(text)
    assert run("freeze", "--all-groups", cwd=root).code == 0
    assert pins(root / "requirements.txt") == ["alpha==1.0"]
    assert pins(root / "requirements-group-default.txt") == ["gamma==1.0"]


WRITTEN = """\
# kept
[project]
name = "shop"
version = "1.0"
dependencies = [
  "alpha>=1",  # what it runs on
  # about delta
  "delta",
]
optional-dependencies.Fast = ["beta"]

[dependency-groups]
dev = [{ include-group = "test" }, "delta"]
test = [
    'epsilon',
]
"""

EDITS = {
    "add beta": [("  # about delta\n", '  "beta",\n  # about delta\n')],
    "add gamma": [('  "delta",\n', '  "delta",\n  "gamma",\n')],
    "add alpha<3": [('"alpha>=1",  #', '"alpha<3",  #')],
    "add --dev gamma": [('"delta"]', '"delta", "gamma"]')],
    "add --group fast gamma": [('["beta"]', '["beta", "gamma"]')],
    "add --group test gamma": [("    'epsilon',\n", "    'epsilon',\n    \"gamma\",\n")],
    "add --group docs gamma": [("    'epsilon',\n]\n", "    'epsilon',\n]\ndocs = [\"gamma\"]\n")],
    "add gamma;python_version>'3'": [
        ('  "delta",\n', '  "delta",\n  "gamma; python_version>\'3\'",\n')
    ],
    "add alpha": [],
    "remove alpha": [('  "alpha>=1",  # what it runs on\n', "")],
    "remove delta": [('  "delta",\n', ""), (', "delta"]', "]")],
    "remove --dev delta": [(', "delta"]', "]")],
    "remove --group test epsilon": [("[\n    'epsilon',\n]", "[\n]")],
}


@pytest.mark.parametrize("words", EDITS)
def test_add_and_remove_edit_one_entry_and_leave_the_rest_as_it_is_written(
    root: Path, words: str
) -> None:
    (root / "pyproject.toml").write_text(WRITTEN)
    expected = WRITTEN
    for old, new in EDITS[words]:
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
    done = run(*words.split(), cwd=root)
    assert done.code == 0, done.stderr
    assert (root / "pyproject.toml").read_text() == expected
    assert run("sync", "--check", cwd=root).code == 0 or "--group" in words
    assert run("freeze", "--check", cwd=root).code == 0


def test_what_is_added_is_installed_and_what_is_removed_is_not(root: Path) -> None:
    assert run("add", "beta", cwd=root).code == 0
    assert "beta" in versions_in(root)
    assert run("remove", "beta", cwd=root).code == 0
    assert "beta" not in versions_in(root)


def test_an_edit_is_told_with_its_line(root: Path) -> None:
    (root / "pyproject.toml").write_text(WRITTEN)
    added = run("add", "gamma", "--dry-run", "--format", "json", cwd=root).json["data"]["files"]
    assert [(each["path"], each["edits"][0]["line"]) for each in added] == [("pyproject.toml", 9)]
    gone = run("remove", "alpha", "--dry-run", "--format", "json", cwd=root).json["data"]["files"]
    assert gone[0]["edits"][0]["line"] == 6
    assert (root / "pyproject.toml").read_text() == WRITTEN


def test_a_package_that_cannot_be_had_leaves_the_file_as_it_was(root: Path) -> None:
    assert run("add", "no-such-thing", cwd=root).code == 2
    assert (root / "pyproject.toml").read_text() == SHOP


@pytest.mark.parametrize("words", ["add ./lib", "add -e ./lib", "add git+https://host/x.git"])
def test_what_a_list_cannot_hold_is_refused(root: Path, words: str) -> None:
    write_project(root / "lib", {"pyproject.toml": "[project]\nname = 'lib'\nversion = '1'\n"})
    done = run(*words.split(), cwd=root)
    assert (done.code, "pyproject-not-named" in done.stderr) == (2, True)
    assert (root / "pyproject.toml").read_text() == SHOP


@pytest.mark.parametrize(
    "text",
    [
        '[project]\nname = "shop"\nversion = "1"\n',
        '[project]\nname = "shop"\nversion = "1"\n\n[tool.other]\nx = 1\n',
    ],
)
def test_a_list_that_is_not_there_is_made(root: Path, text: str) -> None:
    (root / "pyproject.toml").write_text(text)
    assert run("add", "alpha", cwd=root).code == 0
    assert run("add", "--dev", "beta", cwd=root).code == 0
    assert set(versions_in(root)) == {"alpha", "beta"}
    assert not (root / "requirements.in").exists()


@pytest.mark.parametrize(
    "text",
    [
        '[dependency-groups]\ntest = []\n[project]\ndynamic = ["dependencies"]\nname = "s"\n',
        '[dependency-groups]\ntest = ["alpha"]\n',
    ],
)
def test_where_there_can_be_no_list_that_is_said(root: Path, text: str) -> None:
    (root / "pyproject.toml").write_text(text)
    done = run("add", "alpha", cwd=root)
    assert (done.code, "pyproject-no-list" in done.stderr) == (2, True)
    assert (root / "pyproject.toml").read_text() == text


LAYOUTS = {
    "uv": """[project]
name = "shop"
version = "1"
dependencies = ["alpha"]
[dependency-groups]
dev = ["beta"]
[tool.uv]
package = false
""",
    "pdm": """[project]
name = "shop"
version = "1"
dependencies = ["alpha"]
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[dependency-groups]
dev = ["beta"]
[tool.pdm]
distribution = true
""",
    "hatch": """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "shop"
dynamic = ["version"]
dependencies = ["alpha"]
[project.optional-dependencies]
dev = ["beta"]
""",
    "setuptools": """[build-system]
requires = ["setuptools"]
[project]
name = "shop"
dynamic = ["dependencies"]
[project.optional-dependencies]
dev = ["alpha", "beta"]
""",
    "poetry": """[project]
name = "shop"
version = "1"
dependencies = ["alpha (>=1,<2)"]
[dependency-groups]
dev = ["beta (>=1)"]
[tool.poetry]
package-mode = false
""",
    "flit": """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "shop"
dynamic = ["version", "description"]
dependencies = ["alpha"]
optional-dependencies.dev = ["beta"]
""",
}


@pytest.mark.parametrize("tool", LAYOUTS)
def test_the_layouts_of_other_tools_are_synced_once_and_nothing_is_left_to_do(
    root: Path, tool: str
) -> None:
    (root / "pyproject.toml").write_text(LAYOUTS[tool])
    (root / "backend.py").write_text(in_tree_backend("shop", "1.0"))
    first = run("sync", cwd=root)
    assert first.code == 0, first.stderr
    itself = {"shop"} if tool in ("pdm", "hatch", "flit") else set()
    assert set(versions_in(root)) == {"alpha", "beta"} | itself
    assert run("sync", cwd=root).stdout.startswith("Nothing to do")


def test_a_list_without_entries_is_an_empty_lock_that_stays_fresh(root: Path) -> None:
    (root / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    assert run("sync", cwd=root).code == 0
    (root / "pyproject.toml").write_text(SHOP)
    assert run("sync", cwd=root).code == 0
    assert pins(root / "requirements.txt") == ["alpha==1.0"]


def test_dynamic_dependencies_are_told(root: Path) -> None:
    (root / "pyproject.toml").write_text(LAYOUTS["setuptools"])
    ran = run("scan", cwd=root)
    assert "dependencies are dynamic" in ran.stderr
    assert "error" not in ran.stdout


SHAPES = {
    "a marker": 'dependencies = ["alpha; python_version < \'3\'", "beta"]',
    "an upper limit": 'dependencies = ["alpha>=1,<2", "beta~=1.0"]',
    "nothing": "dependencies = []",
    "single quotes": "dependencies = ['alpha', 'Gamma']",
    "an extra": 'dependencies = ["alpha"]\n[project.optional-dependencies]\nmore = ["beta"]',
    "an extra of extras": 'dependencies = ["alpha"]\n[project.optional-dependencies]\n'
    'more = ["shop[one,two]"]\none = ["beta"]\ntwo = ["gamma"]',
    "a dotted extra": 'dependencies = ["alpha"]\noptional-dependencies.more = ["delta"]',
    "a spelled extra": '[project.optional-dependencies]\nMore = ["delta"]\nUn_Used = ["beta"]',
    "a nested group": 'dependencies = ["alpha"]\n[dependency-groups]\nmany = '
    '["beta", {include-group = "In_Ner"}]\nin-ner = ["gamma"]',
    "a group twice": '[dependency-groups]\nmany = [{include-group = "b"}, {include-group = "c"}]\n'
    'b = ["beta"]\nc = ["beta", {include-group = "b"}]',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_pins_are_those_of_uv(root: Path, index: Index, shape: str) -> None:
    text = f'[project]\nname = "shop"\nversion = "1"\n{SHAPES[shape]}\n'
    (root / "pyproject.toml").write_text(text)
    assert run("freeze", "--all-groups", cwd=root).code == 0
    wanted = {"requirements.txt": ["pyproject.toml"]}
    if "optional-dependencies" in text:
        wanted["requirements-more.txt"] = ["pyproject.toml", "--extra=more"]
    if "dependency-groups" in text:
        wanted["requirements-many.txt"] = ["--group=many"]

    for lock, words in wanted.items():
        compiled = ended(
            [
                Path(sys.executable).with_name("uv"),
                "pip",
                "compile",
                *words,
                "--no-config",
                "--no-header",
                "--default-index",
                index.simple,
                "--cache-dir",
                root / "cache",
                "--python",
                sys.executable,
            ],
            cwd=root,
            check=True,
        )
        uv = [line for line in compiled.stdout.splitlines() if "==" in line]
        assert pins(root / lock) == uv


def test_a_requirements_file_that_includes_it_has_lines_that_are_none(tmp_path: Path) -> None:
    root = write_project(
        tmp_path / "shop",
        {
            "requirements.in": "-r pyproject.toml\n",
            "pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\ndependencies = ['alpha']\n",
        },
    )
    ran = run("freeze", "--format", "json", cwd=root)
    assert ran.code == 2
    assert {each["code"] for each in ran.json["problems"]} >= {"requirement-invalid"}
    assert {each["path"] for each in ran.json["problems"]} == {"pyproject.toml"}


BUILT = (
    SHOP
    + """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
)


@pytest.fixture
def built(root: Path) -> Path:
    (root / "pyproject.toml").write_text(BUILT)
    (root / "backend.py").write_text(in_tree_backend("shop", "1.0", requires=["alpha>=1"]))
    (root / "shop.py").write_text("WHAT = 1\n")
    assert run("sync", cwd=root).code == 0
    return root


def test_a_project_that_is_built_is_installed_beside_its_lock_and_not_in_it(built: Path) -> None:
    assert set(versions_in(built)) == {"alpha", "delta", "epsilon", "shop"}
    (built / "shop.py").write_text("WHAT = 2\n")
    assert python_in(built, "import shop; print(shop.WHAT)") == "2"
    assert not any("shop==" in path.read_text() for path in built.glob("requirements*.txt"))
    assert not any("\n-e" in path.read_text() for path in built.glob("requirements*.txt"))


@pytest.mark.parametrize("words", ["sync --check", "status", "doctor", "freeze --check"])
def test_a_project_that_is_installed_is_no_surprise_to_anyone(built: Path, words: str) -> None:
    said = run(*words.split(), cwd=built)
    assert said.code == 0, said.stdout
    assert "shop 1.0" not in said.stdout


def test_a_project_that_was_taken_out_is_missed(built: Path) -> None:
    python_in(built, "import pip._internal.cli.main as m; m.main(['uninstall', '-qy', 'shop'])")
    assert [each["name"] for each in status_changes(built)["installed"]] == ["shop"]
    assert run("sync", cwd=built).code == 0
    assert "shop" in versions_in(built)


def status_changes(root: Path) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = run("status", "--format", "json", cwd=root).json[
        "data"
    ]["changes"]
    return found


def test_another_build_is_installed_again(built: Path) -> None:
    (built / "pyproject.toml").write_text(BUILT.replace('version = "1.0"', 'version = "1.1"'))
    assert [each["name"] for each in status_changes(built)["changed"]] == ["shop"]
    assert run("sync", cwd=built).code == 0
    assert run("sync", "--check", cwd=built).code == 0


@pytest.mark.parametrize("how", ["flag", "setting", "variable", "uv"])
def test_a_project_that_is_not_wanted_is_left_out(
    built: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = []
    match how:
        case "flag":
            words = ["--no-project"]
        case "setting":
            (built / "pyproject.toml").write_text(f"{BUILT}[tool.venvman]\nproject = false\n")
        case "variable":
            monkeypatch.setenv("VENVMAN_PROJECT", "no")
        case _:
            (built / "pyproject.toml").write_text(f"{BUILT}[tool.uv]\npackage = false\n")
    assert run("sync", *words, cwd=built).code == 0
    assert set(versions_in(built)) == {"alpha", "delta", "epsilon"}
    assert run("sync", *words, "--check", cwd=built).code == 0


def test_without_the_default_group_the_project_is_not_installed(built: Path) -> None:
    assert run("sync", "--only-group", "test", cwd=built).code == 0
    assert set(versions_in(built)) == {"epsilon"}


def test_a_rollback_brings_the_project_back(built: Path) -> None:
    assert run("sync", "--no-project", cwd=built).code == 0
    assert run("rollback", cwd=built).code == 0
    assert "shop" in versions_in(built)


def test_freezing_what_is_installed_says_nothing_of_the_project(built: Path) -> None:
    done = run("freeze", "--installed", "--no-hashes", cwd=built)
    assert (done.code, "shop" in done.stderr) == (0, False)


def test_a_requirements_file_leaves_the_project_to_a_line_of_its_own(built: Path) -> None:
    (built / "requirements.in").write_text("beta\n")
    assert run("sync", "--yes", cwd=built).code == 0
    assert "shop" not in versions_in(built)


TREE = """\
[project]
name = "My.Shop"
version = "1.0"
dependencies = ["alpha", "beta"]

[project.optional-dependencies]
Fast = ["gamma"]
all = ["my-shop[fast]"]

[dependency-groups]
dev = ["delta"]
"""


@pytest.fixture
def tree(root: Path, index: Index) -> Path:
    make_wheel(index.folder, "Zeta")
    make_wheel(index.folder, "alpha", version="2.0", requires=["Zeta", "beta"])
    (root / "pyproject.toml").write_text(TREE)
    return root


def compiled(root: Path, *words: str) -> None:
    program = Path(sys.executable).with_name("pip-compile")
    subprocess.run(
        [program, "-q", *words, "--rebuild", "--cache-dir", root / "cache", "pyproject.toml"],
        cwd=root, check=True, capture_output=True,
    )  # fmt: skip


def test_the_command_in_a_lock_writes_the_same_bytes(tree: Path) -> None:
    assert run("freeze", "--all-groups", cwd=tree).code == 0
    for name in ("requirements.txt", "requirements-fast.txt"):
        lock = (tree / name).read_bytes()
        command = next(line for line in lock.decode().splitlines() if "    pip-compile" in line)
        (tree / name).unlink()
        compiled(tree, *command.split()[2:-1])
        assert (tree / name).read_bytes() == lock


def test_what_pip_compile_does_not_know_has_a_header_of_our_own(tree: Path) -> None:
    assert run("freeze", "--all-groups", cwd=tree).code == 0
    for name in ("requirements-dev.txt", "requirements-all.txt"):
        assert "autogenerated by venvman" in (tree / name).read_text()


def test_a_lock_that_pip_compile_made_is_kept_as_one(tree: Path) -> None:
    compiled(tree, "--output-file=requirements.txt", "--strip-extras", "--allow-unsafe",
             "--no-emit-index-url")  # fmt: skip
    before = (tree / "requirements.txt").read_bytes()
    assert run("sync", cwd=tree).code == 0
    assert (tree / "requirements.txt").read_bytes() == before
    assert set(versions_in(tree)) == {"alpha", "beta", "delta", "Zeta"}
    assert run("add", "epsilon", cwd=tree).code == 0
    text = (tree / "requirements.txt").read_text()
    assert text.count("# via My.Shop (pyproject.toml)") == 2
    assert "--hash" not in text
    assert run("doctor", "--select", "VM3", cwd=tree).code == 0


def test_a_lock_of_more_than_a_group_is_left_to_its_command(tree: Path) -> None:
    compiled(tree, "--output-file=requirements.txt", "--extra=fast", "--no-emit-index-url")
    before = (tree / "requirements.txt").read_bytes()
    assert run("sync", cwd=tree).code == 0
    assert set(versions_in(tree)) == {"alpha", "beta", "gamma", "Zeta"}
    assert run("freeze", cwd=tree).code == 2
    assert (tree / "requirements.txt").read_bytes() == before


def test_what_of_uv_changes_pins_and_is_not_read_is_told_once_until_it_is_said_here(
    tmp_path: Path, index: Index
) -> None:
    make_wheel(index.folder, "alpha")
    said = """\
[project]
name = "x"
version = "1"
dependencies = ["alpha"]
[tool.uv]
constraint-dependencies = ["alpha<2"]
override-dependencies = ["beta"]
[[tool.uv.index]]
url = "https://index.test/simple"
[tool.venvman]
overrides = ["beta"]
"""
    root = write_project(tmp_path / "p", {"pyproject.toml": said})
    told = run("sync", "--format", "json", cwd=root).json["problems"]
    assert [(each["code"], each["line"]) for each in told] == [
        ("table-passed-over", 6),
        ("table-passed-over", 8),
    ]
    assert run("sync", "--format", "json", cwd=root).json["problems"] == []
    assert run("doctor", "--fail-on", "warning", cwd=root).code == 0


def test_what_only_a_build_tells_comes_by_the_line_that_is_named(
    tmp_path: Path, index: Index
) -> None:
    make_wheel(index.folder, "alpha")
    said = '[project]\nname = "shop"\nversion = "1"\ndynamic = ["dependencies"]\n[build-system]\n'
    said += 'requires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    files = {"pyproject.toml": said, "backend.py": in_tree_backend("shop", "1", ["alpha"])}
    root = write_project(tmp_path / "p", files)
    refused = run("sync", "--format", "json", cwd=root)
    (problem,) = refused.json["problems"]
    assert (refused.code, problem["fix"]) == (2, "venvman add -e .")
    assert run(*problem["fix"].split()[1:], cwd=root).code == 0
    assert (root / "requirements.in").read_text() == "-e .\n"
    assert versions_in(root) == {"alpha": "1.0", "shop": "1"}
    assert run("sync", "--check", cwd=root).code == 0
