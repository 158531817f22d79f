"""Locks that pip-compile, uv, scripts and people made: judged, kept and frozen as their owners do.

Each world is a small repository with an index beside it; the other tools are the real ones.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.cli import Ran, run
from tests.support.index import Index
from tests.support.projects import git, versions_in
from tests.support.wheels import make_wheel

UV = shutil.which(
    "uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
)


class Repository:
    """A git repository and the index that its packages come from."""

    def __init__(self, root: Path, index: Index) -> None:
        self.root = root
        self.index = index
        root.mkdir()
        git(root, "init", "--quiet")

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def text(self, name: str) -> str:
        return (self.root / name).read_text()

    def commit(self, tag: str) -> None:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--message", tag)
        git(self.root, "tag", tag)

    def compile(self, command: str) -> None:
        """Runs ``pip-compile ...`` or ``uv pip compile ...`` for the Python of the tests."""
        words = shlex.split(command)
        variables = {key: value for key, value in os.environ.items() if key[:4] != "PIP_"}
        variables |= {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": self.index.simple,
            "PIP_TOOLS_CACHE_DIR": str(self.root.parent / "pip-tools"),
            "PIP_CACHE_DIR": str(self.root.parent / "pip"),
            "UV_DEFAULT_INDEX": self.index.simple,
            "UV_CACHE_DIR": str(self.root.parent / "uv"),
            "UV_PYTHON": sys.executable,
            "UV_NO_CONFIG": "1",
        }
        program = [sys.executable, "-m", "piptools", "compile", "--quiet"]
        if words[0] == "uv":
            assert UV is not None
            program, words = [UV, "pip", "compile", "--quiet"], words[2:]
        done = subprocess.run(
            [*program, *words[1:]], cwd=self.root, env=variables, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def run(self, *words: str, code: int = 0) -> Ran:
        ran = run(*words, cwd=self.root)
        assert ran.code == code, ran.stdout + ran.stderr
        return ran

    @property
    def changed(self) -> list[str]:
        """What ``git status`` shows, untracked files included."""
        return git(self.root, "status", "--porcelain").splitlines()


@pytest.fixture
def repository(tmp_path: Path, index: Index) -> Repository:
    for name, version, requires in (
        ("alpha", "1.0", ["beta"]),
        ("alpha", "2.0", ["beta"]),
        ("beta", "1.0", []),
        ("beta", "2.0", []),
        ("delta", "1.0", []),
        ("event", "1.0", ["setuptools"]),
        ("setuptools", "70.0", []),
        ("setuptools", "80.0", []),
        ("pip", "99.0", []),
    ):
        make_wheel(index.folder, name, version, requires=requires)
    return Repository(tmp_path / "repository", index)


# ---- the same bytes --------------------------------------------------------------------------

UV_COMMANDS = [
    f"uv pip compile -o requirements.txt requirements.in {options}".strip()
    for options in (
        "",
        "extra.in --generate-hashes",
        "extra.in --annotation-style line",
        "extra.in --annotation-style line --generate-hashes",
        "extra.in --no-header",
        "--no-annotate",
        "-c limits.txt",
        "--no-emit-package setuptools",
        "--custom-compile-command 'make lock'",
    )
]
PLAIN = "pip-compile --no-emit-index-url --strip-extras -o requirements.txt requirements.in"
HASHED = f"{PLAIN} --generate-hashes"
PIP_COMMANDS = [
    PLAIN,
    HASHED,
    f"{PLAIN} extra.in",
    f"{HASHED} extra.in --allow-unsafe",
    f"{PLAIN} extra.in --annotation-style=line",
    f"{PLAIN} --no-annotate",
    f"{PLAIN} extra.in --no-header",
    f"{PLAIN} --constraint limits.txt",
    f"{PLAIN} --unsafe-package alpha",
]
SOURCES = {
    "requirements.in": "alpha==1.0\nevent\n",
    "extra.in": "-c limits.txt\nbeta\npip\n",
    "limits.txt": "beta<2\n",
}


@pytest.mark.sample(6, "slow")
@pytest.mark.parametrize(
    "command",
    [
        *PIP_COMMANDS,
        *(
            pytest.param(each, marks=pytest.mark.skipif(UV is None, reason="uv is not here"))
            for each in UV_COMMANDS
        ),
    ],
)
def test_a_lock_is_fresh_as_its_tool_wrote_it_and_frozen_again_as_its_tool_would(
    repository: Repository, command: str
) -> None:
    repository.write(SOURCES)
    repository.compile(command)
    if "extra.in" not in command:
        (repository.root / "extra.in").unlink()
    made = repository.text("requirements.txt")
    repository.run("freeze", "--check")
    repository.run("freeze")
    assert repository.text("requirements.txt") == made

    repository.write({"requirements.in": SOURCES["requirements.in"] + "delta\n"})
    repository.run("freeze")
    ours = repository.text("requirements.txt")
    repository.write({"requirements.txt": made})
    repository.compile(command)

    assert ours == repository.text("requirements.txt")
    assert "delta==1.0" in ours


@pytest.mark.skipif(UV is None, reason="uv is not here")
def test_what_only_its_tool_can_write_is_refused_with_the_command_that_does(
    repository: Repository,
) -> None:
    command = "uv pip compile --universal requirements.in -o requirements.txt"
    repository.write({"requirements.in": "alpha\n"})
    repository.compile(command)
    repository.run("freeze", "--check")
    made = repository.text("requirements.txt")
    repository.write({"requirements.in": "alpha\ndelta\n"})
    refused = repository.run("freeze", "--format", "json", code=2).json["problems"][0]
    assert (refused["code"], refused["fix"]) == ("lock-options-foreign", command)
    assert repository.text("requirements.txt") == made


# ---- what is fresh stays as it is ------------------------------------------------------------


OLD_HEADER = """\
#
# This file is autogenerated by pip-compile
# To update, run:
#
#    pip-compile requirements.in
#
"""
SCRIPT_HEADER = """\
#
# This file is autogenerated by pip-compile with Python 3.8
# by the following command:
#
#    ./update.sh
#
"""
UV_HEADER = """\
# This file was autogenerated by uv via the following command:
#    uv pip compile requirements.in -o requirements.txt
"""


@pytest.mark.parametrize(
    "header",
    ["", OLD_HEADER, SCRIPT_HEADER, UV_HEADER],
    ids=["no header", "an old header", "a script's header of another Python", "uv's header"],
)
def test_a_fresh_lock_keeps_every_byte_while_another_one_is_made(
    repository: Repository, header: str
) -> None:
    lock = header + "beta==1.0\n    # via -r requirements.in\n"
    repository.write({"requirements.in": "beta\n", "requirements.txt": lock})
    repository.write({"requirements-dev.txt": "delta\n"})
    repository.commit("first")
    told = repository.run("sync").stdout
    repository.run("freeze")
    assert repository.changed == ["?? requirements-dev.lock"]
    assert "requirements.txt frozen" not in told
    assert versions_in(repository.root) == {"beta": "1.0", "delta": "1.0"}


def test_pins_of_fresh_locks_hold_for_a_group_that_is_frozen_beside_them(
    repository: Repository,
) -> None:
    lock = "beta==1.0\n    # via -r requirements.in\n"
    repository.write({"requirements.in": "beta\n", "requirements.txt": lock, "dev.in": "alpha\n"})
    repository.run("freeze")
    assert "beta==1.0" in repository.text("dev.txt")
    assert repository.text("requirements.txt") == lock


def test_a_pin_of_default_moves_for_another_group_only_when_that_is_agreed_to(
    repository: Repository,
) -> None:
    lock = "beta==1.0\n    # via -r requirements.in\n"
    files = {"requirements.in": "beta\n", "requirements.txt": lock, "dev.in": "beta>=2\n"}
    repository.write(files)
    refused = repository.run("sync", "--format", "json", code=2).json["problems"][0]
    assert refused["code"] == "lock-would-move"
    assert "beta 1.0 -> 2.0" in refused["why"]
    assert repository.text("requirements.txt") == lock
    told = run(*shlex.split(refused["fix"])[1:], cwd=repository.root)
    assert "beta  1.0 -> 2.0" in told.stdout
    assert "beta==2.0" in repository.text("requirements.txt")


def test_sync_lists_every_pin_that_it_moves(repository: Repository) -> None:
    repository.write({"requirements.in": "alpha==1.0\nbeta==1.0\n"})
    repository.compile(PLAIN)
    repository.write({"requirements.in": "alpha==2.0\ndelta\n"})
    told = repository.run("sync", "--dry-run").stdout
    assert "alpha  1.0 -> 2.0" in told
    assert "delta  1.0" in told
    assert repository.run("sync").stdout.count("1.0 -> 2.0") == 1


# ---- several sources -------------------------------------------------------------------------


def test_a_lock_of_several_files_brings_what_each_of_them_asks_for(repository: Repository) -> None:
    repository.write({"requirements.in": "beta==1.0\n", "requirements-web.in": "delta\n"})
    repository.compile(f"{PLAIN} requirements-web.in")
    repository.commit("first")
    repository.run("sync")
    assert repository.changed == []
    assert versions_in(repository.root) == {"beta": "1.0", "delta": "1.0"}
    repository.write({"requirements-web.in": "delta\nalpha\n"})
    told = run("freeze", "--check", cwd=repository.root)
    assert (told.stdout + told.stderr).count("requirements-web.in:2 asks for alpha") == 1


# ---- left out by rule ------------------------------------------------------------------------


def test_without_allow_unsafe_pip_and_setuptools_are_not_missed_here_or_in_another_clone(
    repository: Repository, tmp_path: Path
) -> None:
    repository.write({"requirements.in": "pip\nevent\n"})
    repository.compile(HASHED)
    repository.commit("first")
    made = repository.text("requirements.txt")
    repository.run("sync")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repository.root), str(clone))
    for root in (repository.root, clone):
        assert run("freeze", "--check", cwd=root).code == 0
        assert run("sync", "--locked", cwd=root).code == 0
        assert (root / "requirements.txt").read_text() == made
        assert versions_in(root)["setuptools"] == "80.0"


def test_what_a_lock_leaves_out_is_installed_where_it_is_needed_told_and_kept(
    repository: Repository,
) -> None:
    repository.write({"requirements.in": "event\n"})
    repository.compile(PLAIN)

    first = repository.run("sync")
    assert "setuptools 80.0 is installed beside the lock: event needs it" in first.stderr
    assert "Nothing to do" in repository.run("sync").stdout
    repository.run("sync", "--check")
    findings = repository.run("doctor", "--format", "json").json["data"]["findings"]
    assert not [each for each in findings if each["code"] == "VM411"]

    metadata = (repository.root / "venv").glob("lib/python*/site-packages/setuptools-*.dist-info")
    shutil.rmtree(next(metadata))
    [missing] = [
        each
        for each in run("doctor", "--format", "json", cwd=repository.root).json["data"]["findings"]
        if each["code"] == "VM411"
    ]
    run(*shlex.split(missing["fix"])[1:], cwd=repository.root)
    assert versions_in(repository.root)["setuptools"] == "80.0"


def test_a_pinned_setuptools_stays_where_the_command_has_lost_its_allow_unsafe(
    repository: Repository,
) -> None:
    repository.write({"requirements.in": "event\nsetuptools==70.0\n"})
    repository.compile(f"{HASHED} --allow-unsafe")
    lock = repository.text("requirements.txt").replace(" --allow-unsafe", "")
    repository.write({"requirements.txt": lock, "requirements.in": "event\ndelta\n"})
    repository.run("freeze")
    assert "\nsetuptools==70.0" in repository.text("requirements.txt")
    assert "\ndelta==1.0" in repository.text("requirements.txt")


# ---- files that include ----------------------------------------------------------------------


def base(version: str) -> dict[str, str]:
    return {"requirements/base.txt": f"beta=={version}\n    # via -r requirements/base.in\n"}


def test_the_environment_follows_git_where_a_file_only_gathers_locks(
    repository: Repository,
) -> None:
    repository.write({"requirements.txt": "-r requirements/base.txt\n"})
    repository.write({"requirements/base.in": "beta\n", **base("1.0")})
    repository.commit("A")
    repository.write(base("2.0"))
    repository.commit("B")

    repository.run("sync")
    assert versions_in(repository.root) == {"beta": "2.0"}
    git(repository.root, "checkout", "--quiet", "A")
    repository.run("sync", "--check", code=1)
    repository.run("status", code=1)
    repository.run("sync")

    assert versions_in(repository.root) == {"beta": "1.0"}
    assert repository.changed == []


def test_a_committed_lock_beats_one_that_git_does_not_track(repository: Repository) -> None:
    own = "#\n# This file is autogenerated by venvman with Python 3.11\n"
    own += "# by the following command:\n#\n#    venvman freeze --no-hashes\n#\n"
    repository.write({"requirements.txt": "-r requirements/base.txt\n"})
    repository.write({"requirements/base.in": "beta\n", **base("1.0")})
    repository.commit("A")
    repository.write({"requirements.lock": f"{own}beta==2.0\n    # via -r requirements/base.in\n"})

    stale = repository.run("freeze", "--check", code=1).stdout
    assert "requirements.lock:7 pins beta 2.0, but requirements/base.txt:1 pins beta 1.0" in stale
    repository.run("status", code=1)
    repository.run("sync")

    assert versions_in(repository.root) == {"beta": "1.0"}
    assert "beta==1.0" in repository.text("requirements.lock")
    assert repository.text("requirements/base.txt") == base("1.0")["requirements/base.txt"]


def test_a_lock_is_stale_as_soon_as_it_differs_from_one_that_its_source_includes(
    repository: Repository,
) -> None:
    repository.write({"requirements/base.in": "beta\n", **base("1.0")})
    repository.write({"requirements/dev.in": "-r base.txt\ndelta\n"})
    dev = (
        "pip-compile --no-emit-index-url --strip-extras -o requirements/dev.txt requirements/dev.in"
    )
    repository.compile(dev)
    repository.run("freeze", "--check")
    repository.commit("A")
    repository.write(base("2.0"))

    repository.run("freeze")
    ours = repository.text("requirements/dev.txt")
    repository.compile(dev)

    assert "beta==2.0" in ours
    assert ours == repository.text("requirements/dev.txt")
    assert repository.text("requirements/base.txt") == base("2.0")["requirements/base.txt"]


# ---- locks that disagree ---------------------------------------------------------------------


def test_of_groups_that_cannot_live_together_no_command_is_printed(repository: Repository) -> None:
    repository.write({"requirements.in": "beta<2\n", "requirements-new.in": "beta>=2\n"})
    repository.run("freeze", "--all-groups")
    refused = repository.run("sync", "--all-groups", "--format", "json", code=2).json["problems"][0]
    assert (refused["code"], refused["fix"]) == ("lock-disagreement", None)
    assert 'conflicts = [["default", "new"]]' in refused["advice"]


def test_two_fresh_locks_that_disagree_are_refused_and_the_printed_command_mends(
    repository: Repository,
) -> None:
    shipped = "beta==1.0\n    # via -r requirements.in\n"
    repository.write({"requirements.in": "beta\n", "requirements.txt": shipped})
    repository.write({"dev.in": "beta\n", "dev.txt": "beta==2.0\n    # via -r dev.in\n"})
    repository.commit("A")

    refused = repository.run("sync", "--format", "json", code=2).json["problems"][0]
    assert refused["code"] == "lock-disagreement"
    repository.run("sync", "--check", code=2)
    repository.run("status", code=1)
    findings = repository.run("doctor", "--format", "json", code=1).json["data"]["findings"]
    assert refused["message"] in [each["message"] for each in findings]

    told = repository.run(*shlex.split(refused["fix"])[1:]).stdout
    assert "beta  2.0 -> 1.0" in told
    assert repository.text("requirements.txt") == shipped
    repository.run("sync")
    assert versions_in(repository.root) == {"beta": "1.0"}


def test_where_stale_locks_disagree_the_pins_that_git_tracks_are_kept(
    repository: Repository,
) -> None:
    repository.write({"requirements.in": "beta\n", "dev.in": "beta\n"})
    repository.write({"dev.txt": "beta==1.0\n    # via -r dev.in\n"})
    repository.commit("A")
    repository.write({"requirements.txt": "beta==2.0\n    # via -r requirements.in\n"})
    repository.write({"requirements.in": "beta\ndelta\n", "dev.in": "beta\ndelta\n"})
    repository.run("freeze")
    assert "beta==1.0" in repository.text("dev.txt")
    assert "beta==1.0" in repository.text("requirements.txt")


def test_a_lock_is_stale_where_it_breaks_a_lock_that_its_source_takes_as_constraints(
    repository: Repository,
) -> None:
    repository.write({"requirements.in": "beta\n", "dev.in": "-c requirements.txt\nbeta\n"})
    repository.write({"requirements.txt": "beta==1.0\n    # via -r requirements.in\n"})
    dev = PLAIN.replace("requirements.", "dev.")
    repository.compile(dev)
    repository.commit("A")
    repository.run("freeze", "--check")
    repository.write({"requirements.txt": "beta==2.0\n    # via -r requirements.in\n"})
    told = repository.run("sync").stdout
    ours = repository.text("dev.txt")
    repository.compile(dev)
    assert "beta  1.0 -> 2.0" in told
    assert ours == repository.text("dev.txt")


@pytest.mark.parametrize("wanted", ["beta", "beta>=2"])
def test_pins_of_a_stale_default_move_for_its_own_requirements_only(
    repository: Repository, wanted: str
) -> None:
    files = {"requirements.in": "beta\ndelta\n", "dev.in": f"alpha\n{wanted}\n"}
    lock = "beta==1.0\n    # via -r requirements.in\n"
    repository.write({**files, "requirements.txt": lock})
    if wanted == "beta":
        repository.run("freeze")
        assert "beta==1.0" in repository.text("dev.txt")
        assert "beta==1.0" in repository.text("requirements.txt")
    else:
        refused = repository.run("freeze", "--format", "json", code=2).json["problems"][0]
        assert (refused["code"], refused["fix"]) == ("lock-would-move", "venvman freeze --yes")
        assert repository.text("requirements.txt") == lock


def test_side_groups_that_disagree_are_left_alone_until_they_are_installed_together(
    repository: Repository,
) -> None:
    for name, version in (("requirements", "1.0"), ("requirements-docs", "2.0")):
        lock = f"beta=={version}\n    # via -r {name}.in\n"
        repository.write({f"{name}.in": "beta\n", f"{name}.txt": lock})
    repository.commit("A")
    repository.run("sync")
    repository.run("freeze")
    assert repository.changed == []

    refused = repository.run("sync", "--group", "docs", "--format", "json", code=2)
    fix = refused.json["problems"][0]["fix"]
    assert fix == "venvman freeze --group docs"
    repository.run(*shlex.split(fix)[1:])
    repository.run("sync", "--group", "docs")

    assert [line.split()[-1] for line in repository.changed] == ["requirements-docs.txt"]
    assert versions_in(repository.root) == {"beta": "1.0"}


def test_outdated_names_the_command_that_can_move_the_pins_of_an_exported_lock(
    repository: Repository,
) -> None:
    exported = "# This file was autogenerated by uv via the following command:\n"
    exported += "#    uv export --no-hashes -o requirements.txt\nbeta==1.0\n"
    repository.write({"requirements.txt": exported})
    told = repository.run("outdated").stdout
    assert "uv export --no-hashes -o requirements.txt" in told
    assert "venvman upgrade" not in told


def test_constraints_that_only_the_command_names_are_watched_like_any_file(
    repository: Repository,
) -> None:
    repository.write({"requirements.in": "beta\n", "limits.txt": "beta<2\n"})
    repository.compile(f"{PLAIN} --constraint limits.txt")
    assert "beta==1.0" in repository.text("requirements.txt")
    repository.run("freeze")
    assert "Nothing to do" in repository.run("freeze").stdout
    repository.write({"limits.txt": "beta>=2\n"})
    repository.run("freeze")
    assert "beta==2.0" in repository.text("requirements.txt")


def test_a_lock_that_includes_others_has_their_pins_and_is_made_anew_by_its_own_command(
    repository: Repository,
) -> None:
    head = "# SHA1:0eaa389e1fdb3a1917c0f987514bd561be5718ee\n#\n"
    head += "# This file is autogenerated by pip-compile-multi\n# To update, run:\n#\n"
    head += "#    pip-compile-multi\n#\n"
    repository.write(
        {
            "requirements/base.in": "beta\n",
            "requirements/base.txt": f"{head}beta==1.0\n    # via -r requirements/base.in\n",
            "requirements/dev.in": "-r base.in\ndelta\n",
            "requirements/dev.txt": f"{head}-r base.txt\ndelta==1.0\n"
            "    # via -r requirements/dev.in\n",
        }
    )
    repository.commit("A")
    repository.run("sync", "--only-group", "dev")
    assert versions_in(repository.root) == {"beta": "1.0", "delta": "1.0"}
    for words in ("status", "doctor", "freeze", "freeze --check", "sync --check", "diff HEAD"):
        repository.run(*words.split())
    base = repository.text("requirements/base.txt").replace("beta==1.0", "beta==2.0")
    repository.write({"requirements/base.txt": base})
    repository.run("sync", "--only-group", "dev")
    assert versions_in(repository.root) == {"beta": "2.0", "delta": "1.0"}
    repository.run("rollback")
    assert versions_in(repository.root) == {"beta": "1.0", "delta": "1.0"}
    assert repository.changed == [" M requirements/base.txt"]
    repository.write({"requirements/dev.in": "-r base.in\ndelta\nalpha\n"})
    told = repository.run("freeze", code=2)
    assert "Next: pip-compile-multi" in told.stderr
    assert "lock-of-several-files" in told.stderr


@pytest.mark.parametrize(
    ("included", "said"),
    [
        (None, "requirements.txt includes base.txt, which cannot be read."),
        ("beta==2.0\n", "pins beta 1.0, but base.txt:1 pins beta 2.0."),
        ("beta>1\n", "base.txt has a line that is no pin."),
    ],
)
def test_what_it_includes_has_to_be_there_pinned_and_the_same(
    repository: Repository, included: str | None, said: str
) -> None:
    repository.write({"requirements.in": "beta\n"})
    repository.compile(PLAIN)
    lock = repository.text("requirements.txt").replace("beta==2.0", "-r base.txt\nbeta==1.0")
    repository.write({"requirements.txt": lock})
    if included is not None:
        repository.write({"base.txt": included})
    told = repository.run("sync", "--format", "json", code=2)
    assert said in told.stdout
    assert not (repository.root / "venv").exists()


@pytest.mark.parametrize(
    "table",
    [
        "generate-hashes = false\nemit-index-url = false\nannotation-style = 'line'\n",
        """generate-hashes = true
        allow_unsafe = true
        constraint = ['limits.txt']
        no-emit-index-url = true
        strip-extras = true
        """,
        """[tool.pip-tools.compile]
        no-annotate = true
        no-emit-index-url = true
        unsafe-package = ['alpha']
        strip-extras = false
        """,
    ],
)
def test_a_new_lock_is_what_pip_compile_is_configured_to_write(
    repository: Repository, table: str
) -> None:
    repository.write(
        {
            "requirements.in": "alpha\nevent\n",
            "limits.txt": "beta<2\n",
            "pyproject.toml": f"[tool.pip-tools]\n{table}",
        }
    )
    repository.run("freeze")
    ours = repository.text("requirements.txt")
    repository.run("freeze", "--check")
    repository.compile("pip-compile -o requirements.txt requirements.in")
    assert repository.text("requirements.txt") == ours
    (repository.root / "requirements.txt").unlink()
    repository.compile("pip-compile -o requirements.txt requirements.in")
    assert repository.text("requirements.txt") == ours


def test_what_only_the_version_that_goes_needs_leaves_with_it(repository: Repository) -> None:
    make_wheel(repository.index.folder, "multi", "1.0", requires=["tool"])
    make_wheel(repository.index.folder, "tool", "1.0")
    make_wheel(repository.index.folder, "tool", "2.0", requires=["delta"])
    repository.write({"requirements.in": "multi\n"})
    repository.compile(PLAIN)
    repository.run("sync")
    assert versions_in(repository.root) == {"delta": "1.0", "multi": "1.0", "tool": "2.0"}
    repository.write({"requirements.in": "multi\ntool<2\n"})
    repository.compile(PLAIN)
    repository.run("sync")
    assert versions_in(repository.root) == {"multi": "1.0", "tool": "1.0"}
