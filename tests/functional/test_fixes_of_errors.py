"""What errors and warnings print after ``Next:`` works, for every code that may print a command.

Like ``test_fixes``, for all commands but ``doctor``: a scenario breaks a synced project and runs a
command line, which must tell the code; what that prints is run, literally, from where somebody
stands; then the line must not tell the code any more. The codes are read from the package: one
without a scenario fails.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.test_fixes import SCENARIOS
from tests.support.broken import (
    PLACES,
    Break,
    add_a_distribution,
    all_of,
    break_the_interpreter,
    drop,
    edit,
    make_shop,
    remove,
    run_as_person,
    shell,
    shell_path_in,
    stand,
    wheels_of,
    write,
)
from tests.support.cli import Ran, run
from tests.support.index import Index
from tests.support.projects import HEADER, git, lock_of, site_of
from tests.support.pythons import EVERY_PYTHON, OWN_PYTHON
from tests.support.registry import codes_with_a_command
from tests.support.wheels import in_tree_backend, make_wheel
from venvman.install.journal import write_journal

LOCK = "requirements.lock"
FOR_PYTHON_2 = """\
lock-version = "1.0"
requires-python = "<3"
created-by = "venvman"
packages = []
"""
BETA = "venv/lib/*/site-packages/beta-*.dist-info"


def nothing(_root: Path) -> None:
    """It is as it should not be already."""


def sync(root: Path) -> None:
    assert run("sync", "-q", cwd=root).code == 0


def drop_the_environment(root: Path) -> None:
    shutil.rmtree(root / "venv")


def make_an_environment(root: Path) -> None:
    """One that venvman did not make."""
    drop_the_environment(root)
    words = (str(OWN_PYTHON), "-m", "venv", "--without-pip", str(root / "venv"))
    assert run_as_person(*words, cwd=root, path=os.environ["PATH"]).code == 0


def put_a_folder_in_the_way(root: Path) -> None:
    drop_the_environment(root)
    write("venv/thesis.txt", "mine")(root)


def relock(*pins: str) -> Break:
    """The lock with these pins alone, each with the hash of its file, if there is one."""

    def write_lock(root: Path) -> None:
        found = [wheels_of(root) / f"{pin.replace('==', '-')}-py3-none-any.whl" for pin in pins]
        text = lock_of(*(each for each in found if each.exists()))
        gone = [pin for pin, each in zip(pins, found, strict=True) if not each.exists()]
        text += "".join(f"{pin}\n    # via -r requirements.txt\n" for pin in gone)
        (root / LOCK).write_text(HEADER + text)

    return write_lock


def require(*lines: str) -> Break:
    return write("requirements.txt", "".join(f"{line}\n" for line in lines))


def serve(name: str, version: str, **options: object) -> Break:
    return lambda root: make_wheel(wheels_of(root), name, version, **options)  # type: ignore[arg-type]


def conflict(root: Path) -> None:
    text = (root / LOCK).read_text()
    (root / LOCK).write_text(f"<<<<<<< HEAD\n{text}=======\nalpha==9\n>>>>>>> theirs\n")


def lose_the_interpreter(root: Path) -> None:
    for link in (root / "venv/bin").glob("python*"):
        link.unlink()
    (root / "venv/bin/python").symlink_to("/nowhere/python")


def lose_python3(root: Path) -> None:
    (root / "venv/bin/python3").unlink()


def link_site_packages(root: Path) -> None:
    site = site_of(root)
    moved = shutil.move(site, root.parent / "elsewhere")
    site.symlink_to(moved)
    shutil.rmtree(next(Path(moved).glob("beta-*.dist-info")))


def use_an_environment_outside(root: Path) -> None:
    drop_the_environment(root)
    outside = root.parent.parent / "outside" / "venv"
    shutil.copytree(root.parent / "other", outside.parent, ignore=shutil.ignore_patterns("venv"))
    sync(outside.parent)
    write("pyproject.toml", f'[tool.venvman]\nvenv = "{outside}"\n')(root)


def start_from_inside(root: Path) -> None:
    """An environment whose interpreter the repository brings."""
    write("evil/bin/python3", "#!/bin/sh\n")(root)
    (root / "evil/bin/python3").chmod(0o755)
    for link in (root / "venv/bin").glob("python*"):
        link.unlink()
    (root / "venv/bin/python").symlink_to(root / "evil/bin/python3")
    config = root / "venv/pyvenv.cfg"
    config.write_text(re.sub(r"(?m)^(home|executable|command) = .*$", "", config.read_text()))
    config.write_text(f"home = {root}/evil/bin\n" + config.read_text())


def change_the_minor(root: Path) -> None:
    config = root / "venv/pyvenv.cfg"
    config.write_text(re.sub(r"(?m)^(version\S*) = .*$", r"\1 = 3.8.1", config.read_text()))


def add_an_egg_info_file(root: Path) -> None:
    text = "Metadata-Version: 1.0\nName: gamma\nVersion: 1.0\n"
    (site_of(root) / "gamma-1.0.egg-info").write_text(text)


def edit_in_place(root: Path) -> None:
    """A file of the store, through the environment, in every environment that shares it."""
    with (site_of(root) / "beta.py").open("r+") as stream:
        stream.write("x")


def sync_both_by_hard_links(root: Path) -> None:
    write("pyproject.toml", '[tool.venvman]\nlink = "hardlink"\n')(root)
    drop_the_environment(root)
    sync(root)
    edit_in_place(root)


def move_on(root: Path) -> None:
    """A second state of the environment."""
    require("alpha", "gamma")(root)
    sync(root)


def install_by_hand(root: Path) -> None:
    pip = [str(root / "venv/bin/python"), "-m", "pip", "install", "-q", "gamma"]
    assert run_as_person(*pip, cwd=root, path=os.environ["PATH"]).code == 0
    serve("delta", "1.0")(root)
    require("alpha", "delta")(root)
    assert run("sync", "-q", "--inexact", cwd=root).code == 0
    sync(root)
    shutil.rmtree(root / "venv/.venvman/attic")  # what was removed is not kept any more


def include_another_lock(root: Path) -> None:
    """A lock that limits another one moves."""
    (root / LOCK).unlink()
    (root / "requirements.txt").rename(root / "requirements.in")
    write("requirements-dev.in", "-c requirements.txt\nbeta\n")(root)
    sync(root)
    new = serve("beta", "2.0")(root)
    assert isinstance(new, Path)
    lock = root / "requirements.txt"
    pin = re.compile(r"beta==1.0 \\\n    --hash=\S+")
    lock.write_text(
        pin.sub(lock_of(new).partition("\n    #")[0].replace("\\", r"\\"), lock.read_text())
    )


def disagree(root: Path) -> None:
    """Two locks that pin beta differently, neither of which includes the other."""
    new = serve("beta", "2.0")(root)
    assert isinstance(new, Path)
    write("requirements-dev.txt", "beta\n")(root)
    (root / "requirements-dev.lock").write_text(
        HEADER + lock_of(new, via="-r requirements-dev.txt")
    )


def leave_only_a_group(root: Path) -> None:
    for end in ("txt", "lock"):
        file = root / f"requirements.{end}"
        text = file.read_text().replace("-r requirements.txt", "-r requirements-test.txt")
        (root / f"requirements-test.{end}").write_text(text)
        file.unlink()


def pin_twice(root: Path) -> None:
    new = serve("beta", "2.0")(root)
    assert isinstance(new, Path)
    edit(LOCK, "", lock_of(new, via="alpha"))(root)


def track_one(root: Path) -> None:
    disagree(root)
    git(root, "add", "requirements.txt", LOCK)
    git(root, "commit", "-qm", "x")


def local_project(text: str) -> Break:
    backend = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    return all_of(
        write("lib/pyproject.toml", f'[project]\nname = "lib"\nversion = "1.0"\n{text}{backend}'),
        write("lib/backend.py", in_tree_backend("lib", "1.0")),
        require("alpha", "-e ./lib"),
    )


def leave_it_to_a_build() -> Break:
    """No requirements file, and a pyproject.toml whose dependencies only a build tells."""
    backend = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    project = '[project]\nname = "shop"\nversion = "1.0"\ndynamic = ["dependencies"]\n'

    def change(root: Path) -> None:
        (root / "requirements.txt").unlink()
        (root / LOCK).unlink()

    return all_of(
        change,
        write("pyproject.toml", project + backend),
        write("backend.py", in_tree_backend("shop", "1.0")),
    )


def change_a_local_project(root: Path) -> None:
    local_project("")(root)
    sync(root)
    local_project('dependencies = ["gamma"]\n')(root)


def lose_a_hash(root: Path) -> None:
    text = (root / LOCK).read_text()
    (root / LOCK).write_text(re.sub(r" \\\n    --hash=\S+", "", text, count=1))


def pin_for_an_old_python(root: Path) -> None:
    serve("alpha", "2.0", requires_python="<3")(root)
    text = (root / LOCK).read_text().replace("alpha==1.0", "alpha==2.0")
    (root / LOCK).write_text(text.replace("with Python 3", "with Python 2.7"))
    shutil.rmtree(os.environ["VENVMAN_CACHE_DIR"])


def lose_the_locks_of_states(root: Path) -> None:
    history = root / "venv/.venvman/history"
    for path in history.iterdir():
        if path.name != "log" and path.suffix != ".json":
            path.unlink()


def repository(root: Path) -> None:
    folder = root.parent.parent / "repo"
    write("pyproject.toml", "")(folder)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "x")
    require(f"lib @ git+file://{folder}@nosuch")(root)


def unknown_commit(root: Path) -> None:
    repository(root)
    folder = root.parent.parent / "repo"
    commit = "1" * 40
    require(f"lib @ git+file://{folder}@{commit}")(root)
    (root / LOCK).write_text(
        f"{HEADER}lib @ git+file://{folder}@{commit}\n    # via -r requirements.txt\n"
    )


def ask_for_the_other_python(root: Path) -> None:
    write(".python-version", f"{other_python()}\n")(root)


def other_python() -> str:
    """The minor version of another Python on this machine."""
    names = [re.search(r"3\.(\d+)", each.parent.parent.name + each.name) for each in EVERY_PYTHON]
    here = ".".join(map(str, sys.version_info[:2]))
    minors = [f"3.{found[1]}" for found in names if found]
    return next((each for each in minors if each != here), "")


def needs_the_other_python(root: Path) -> None:
    serve("delta", "1.0", requires_python=f"=={other_python()}.*")(root)
    require("delta")(root)


def forbid(name: str, mode: int) -> Break:
    return lambda root: (root / name).chmod(mode)


def forbid_folder(variable: str) -> Break:
    def change(_root: Path) -> None:
        for folder in (path for path in Path(os.environ[variable]).rglob("*") if path.is_dir()):
            folder.chmod(0o555)
        Path(os.environ[variable]).chmod(0o555)

    return change


def made_by(command: str) -> Break:
    """``requirements.txt`` is the lock, made by ``command``."""

    def change(root: Path) -> None:
        text = (root / LOCK).read_text().replace(HEADER, "")
        tool = "uv" if command.startswith("uv") else "pip-compile"
        head = (
            f"# This file was autogenerated by {tool} via the following command:\n#    {command}\n"
        )
        if tool != "uv":
            head = HEADER.replace("by venvman", f"by {tool}").replace("venvman freeze", command)
        if command == "pip-compile-multi":
            head = f"# SHA1:{'0' * 40}\n{head}"
        (root / "requirements.txt").write_text(head + text)
        (root / LOCK).unlink()

    return change


MENDED: tuple[tuple[str, tuple[str, ...], Break], ...] = (
    ("command-not-executable", ("run", "./tool"), write("tool", "#!/bin/sh\n")),
    ("command-not-found", ("run", "gamma", "--help"), nothing),
    ("command-of-another-python", ("run", "--", "python3", "-V"), lose_python3),
    ("diff-impossible", ("diff", "--env"), drop_the_environment),
    ("distutils-installed", ("sync",), add_an_egg_info_file),
    ("environment-absent", ("run", "true"), drop_the_environment),
    ("environment-absent", ("rollback",), drop_the_environment),
    ("environment-absent", ("freeze", "--installed"), drop_the_environment),
    ("environment-config-unreadable", ("sync",), write("venv/pyvenv.cfg", "")),
    ("environment-elsewhere", ("sync",), use_an_environment_outside),
    ("environment-interpreter-broken", ("sync",), break_the_interpreter),
    ("environment-interpreter-changed", ("sync",), change_the_minor),
    ("environment-interpreter-gone", ("sync",), lose_the_interpreter),
    ("environment-moved", ("sync",), edit("venv/bin/activate", "/shop/venv", "/old/venv")),
    ("environment-outside", ("sync",), link_site_packages),
    ("environment-shares-damage", ("cache", "verify"), sync_both_by_hard_links),
    (
        "environment-system-site-packages",
        ("sync",),
        edit("venv/pyvenv.cfg", "packages = false", "packages = true"),
    ),
    ("git-no-repository", ("hooks", "install"), lambda root: shutil.rmtree(root.parent / ".git")),
    (
        "hash-missing",
        ("sync", "--frozen"),
        all_of(
            lambda root: shutil.rmtree(root / "venv"),
            edit(LOCK, "", "gamma==1.0\n    # via -r requirements.txt\n"),
            edit("requirements.txt", "", "gamma\n"),
        ),
    ),
    (
        "history-empty",
        ("rollback", "1"),
        lambda root: shutil.rmtree(root / "venv/.venvman/history"),
    ),
    ("installed-misses-requirement", ("freeze", "--installed"), require("alpha", "gamma")),
    ("installed-unasked", ("freeze", "--installed"), add_a_distribution),
    ("journal-unreadable", ("sync",), write("venv/.venvman/journal.json", "{")),
    ("lock-behind-tracked", ("sync", "--locked"), track_one),
    ("lock-conflict-markers", ("sync", "--frozen"), conflict),
    ("lock-differs-from-included", ("sync", "--locked"), include_another_lock),
    ("lock-disagreement", ("sync", "--frozen"), disagree),
    (
        "lock-for-other-targets",
        ("sync", "--locked"),
        write("pyproject.toml", '[tool.venvman]\ntargets = ["linux", "macos"]\n'),
    ),
    (
        "lock-for-others",
        ("sync", "--frozen"),
        all_of(drop(LOCK), write("pylock.toml", FOR_PYTHON_2)),
    ),
    ("lock-in-the-way", ("freeze",), write(LOCK, "beta==1.0\n")),
    ("lock-misses-dependency", ("sync", "--locked"), relock("alpha==1.0")),
    ("lock-misses-extra", ("sync", "--locked"), require("alpha[more]")),
    ("lock-misses-requirement", ("sync", "--locked"), edit("requirements.txt", "", "gamma\n")),
    ("lock-missing", ("sync", "--frozen"), drop(LOCK)),
    ("lock-missing", ("tree",), drop(LOCK)),
    ("lock-not-pinned", ("freeze",), edit(LOCK, "beta==1.0", "beta>=1.0")),
    ("lock-not-pinned", ("sync",), edit(LOCK, "beta==1.0", "beta>=1.0")),
    ("lock-not-text", ("sync",), lambda root: (root / LOCK).write_bytes(b"\xff\xfe\x00")),
    ("lock-pins-twice", ("sync", "--locked"), pin_twice),
    ("lock-pins-unasked", ("sync", "--locked"), edit(LOCK, "", "gamma==1.0\n    # via zeta\n")),
    (
        "lock-place-unasked",
        ("sync", "--locked"),
        lambda root: edit(
            LOCK,
            (root / LOCK).read_text().partition("beta==1.0")[1],
            f"beta @ {(wheels_of(root) / 'beta-1.0-py3-none-any.whl').resolve().as_uri()}",
        )(root),
    ),
    ("lock-stale", ("tree",), require("alpha", "gamma")),
    (
        "lock-targets-invalid",
        ("freeze",),
        edit(LOCK, "venvman freeze", "venvman freeze --target amiga"),
    ),
    ("lock-unreadable", ("sync",), all_of(drop(LOCK), lambda root: (root / LOCK).mkdir())),
    ("lock-unreadable", ("sync",), forbid(LOCK, 0o000)),
    (
        "lock-would-move",
        ("freeze",),
        all_of(
            require("alpha", "beta"),
            relock("alpha==1.0", "beta==1.0"),
            serve("beta", "2.0"),
            write("requirements-dev.txt", "beta>=2\n"),
        ),
    ),
    (
        "no-matching-file",
        ("sync", "--frozen"),
        all_of(
            serve("delta", "1.0", tag="cp27-none-any"),
            serve("delta", "2.0"),
            require("alpha", "delta"),
            edit(LOCK, "", "delta==1.0\n    # via -r requirements.txt\n"),
            edit(LOCK, "", ""),
        ),
    ),
    ("no-group-chosen", ("sync", "--frozen"), all_of(leave_only_a_group, drop_the_environment)),
    ("not-an-environment", ("sync",), put_a_folder_in_the_way),
    ("package-not-locked", ("upgrade", "gamma"), nothing),
    (
        "path-in-the-way",
        ("sync",),
        all_of(require("alpha", "gamma"), lambda root: (site_of(root) / "gamma.py").mkdir()),
    ),
    (
        "record-missing",
        ("sync",),
        all_of(edit(f"{BETA}/METADATA", "Version: 1.0", "Version: 0.9"), remove("beta-*/RECORD")),
    ),
    ("sync-adopts", ("sync",), all_of(make_an_environment, add_a_distribution)),
    ("sync-needs-unlocked", ("sync", "--frozen"), relock("alpha==1.0")),
    ("sync-removes-all", ("sync",), all_of(require(), write(LOCK, HEADER))),
    ("sync-unfinished", ("status",), lambda root: write_journal(f"{root}/venv", ())),
    ("environment-interpreter-untrusted", ("sync",), start_from_inside),
    (
        "lock-of-other-targets",
        ("status",),
        edit(LOCK, "venvman freeze", "venvman freeze --target macos"),
    ),
    ("lock-older-than-project", ("sync", "--locked"), change_a_local_project),
    ("lock-pin-unusable", ("freeze", "--check"), pin_for_an_old_python),
    ("lock-via-outdated", ("sync", "--locked"), require("alpha", "beta")),
    (
        "lock-via-unknown",
        ("sync", "--locked"),
        edit(LOCK, "via alpha", "via\n    #   alpha\n    #   zeta"),
    ),
    ("lock-without-hashes", ("sync", "--locked"), lose_a_hash),
    (
        "version-not-found",
        ("sync", "--frozen"),
        all_of(
            serve("delta", "2.0"),
            require("alpha", "delta"),
            edit(
                LOCK,
                "",
                "delta==1.0 --hash=sha256:" + "0" * 64 + "\n    # via -r requirements.txt\n",
            ),
        ),
    ),
    (
        "wheel-name",
        ("sync", "--frozen"),
        lambda root: edit(
            LOCK,
            "",
            f"gamma @ {(wheels_of(root) / 'beta-1.0-py3-none-any.whl').resolve().as_uri()}\n",
        )(root),
    ),
    (
        "permission-denied",
        ("sync",),
        all_of(require("alpha", "gamma"), forbid("venv/.venvman", 0o555)),
    ),
    ("environment-not-created", ("sync",), all_of(drop_the_environment, forbid(".", 0o555))),
    ("environment-not-removed", ("clean",), forbid(".", 0o555)),
    ("environment-site-packages-unreadable", ("sync",), lambda root: site_of(root).chmod(0o000)),
    (
        "state-unwritable",
        ("sync",),
        all_of(require("alpha", "gamma"), forbid_folder("VENVMAN_STATE_DIR")),
    ),
    (
        "store-unwritable",
        ("sync",),
        all_of(require("alpha", "gamma"), forbid_folder("VENVMAN_CACHE_DIR")),
    ),
)
"""A code, the command line that tells it, and what was done to the project before."""

ONCE: tuple[tuple[str, tuple[str, ...], Break, tuple[str, ...]], ...] = (
    (
        "requirements-missing",
        ("sync",),
        leave_it_to_a_build(),
        ("sync", "--check"),
    ),
    ("rollback-by-hand", ("rollback",), install_by_hand, ("run", "python", "-c", "import gamma")),
    (
        "history-no-lock",
        ("rollback", "0", "--with-lock"),
        lose_the_locks_of_states,
        ("sync", "--check"),
    ),
    ("rollback-lock-differs", ("rollback",), move_on, ("sync", "--check", "--frozen")),
    (
        "rollback-requirements-differ",
        ("rollback", "--with-lock"),
        move_on,
        ("sync", "--check", "--frozen"),
    ),
)
"""Lines that do something else when they are run again, and what shows that all is well."""

SHOWN: tuple[tuple[str, tuple[str, ...], Break], ...] = (
    ("group-unknown", ("sync", "--group", "nope"), nothing),
    ("history-no-such-state", ("rollback", "9"), nothing),
    ("name-expected", ("remove", "alpha>=1"), edit("requirements.txt", "", "gamma\n")),
    (
        "package-is-project",
        ("why", "itself"),
        write("pyproject.toml", '[project]\nname = "itself"\nversion = "1"\n'),
    ),
    ("package-not-locked", ("why", "nope"), nothing),
    ("repository-unresolved", ("freeze",), repository),
    ("revision-not-found", ("sync", "--frozen"), unknown_commit),
    (
        "revision-unknown",
        ("diff", "nope"),
        all_of(lambda root: git(root, "add", "."), lambda root: git(root, "commit", "-qm", "x")),
    ),
    ("requirement-unknown", ("remove", "beta"), nothing),
    ("requirement-unknown", ("remove", "zzzzzz"), nothing),
    ("usage", ("sync", "--nope"), nothing),
    ("usage", ("diff", "a", "b", "c"), nothing),
)
"""Lines that name what is not there: what is printed shows what is. The second step is people's."""

ANOTHER_PYTHON: tuple[tuple[str, tuple[str, ...], Break], ...] = (
    ("environment-other-python", ("sync",), ask_for_the_other_python),
    ("no-matching-version", ("freeze",), all_of(drop_the_environment, needs_the_other_python)),
    (
        "requires-other-python",
        ("freeze",),
        all_of(drop_the_environment, local_project(f'requires-python = "=={other_python()}.*"\n')),
    ),
)
"""For machines that have another one."""

OF_ANOTHER_TOOL: tuple[tuple[str, tuple[str, ...], Break], ...] = (
    (
        "lock-of-another-source",
        ("freeze",),
        all_of(
            drop("requirements.txt"),
            made_by("pip-compile --output-file=requirements.txt pyproject.toml"),
        ),
    ),
    (
        "lock-of-several-files",
        ("freeze",),
        all_of(
            lambda root: (root / "requirements.txt").rename(root / "requirements.in"),
            made_by("pip-compile-multi"),
            edit("requirements.in", "", "gamma\n"),
        ),
    ),
    (
        "lock-options-foreign",
        ("freeze",),
        all_of(
            lambda root: (root / "requirements.txt").rename(root / "requirements.in"),
            made_by("uv pip compile --universal requirements.in -o requirements.txt"),
            edit("requirements.in", "", "gamma\n"),
        ),
    ),
)
"""The command of another tool, as the lock's header has it: run where its paths count from."""

NOT_WALKED = {
    "build-in-look": "whatever prints it tells lock-stale",
    "groups-conflict": "two groups that have no versions in common: one of them is named",
    "project-not-found": "of a setup.py alone: its build needs setuptools, which no index here has",
    "state-unreadable": "another user may not look into what this one owns: nothing is said then",
    "lock-faulty": "of several files that another tool writes together, one lacks a pin",
}
"""Codes that no scenario here can reach, and why."""


HELD_BACK_BY_MODES = {
    *("lock-unreadable", "permission-denied", "environment-not-created", "environment-not-removed"),
    *("environment-site-packages-unreadable", "state-unwritable", "store-unwritable"),
}
"""Told to those whom the modes of files hold back, which root is not."""


@pytest.fixture(scope="module")
def shell_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which ``venvman`` is this one."""
    return shell_path_in(tmp_path_factory.mktemp("bin"))


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A synced project in git, in a folder whose name needs quotes."""
    return make_shop(tmp_path, index)


def cases(scenarios: tuple[tuple[str, tuple[str, ...], Break], ...]) -> list[object]:
    """Each scenario, told and mended from one place after the other."""
    return [
        pytest.param(PLACES[number % 3], *scenario, id=f"{scenario[0]}-{number}")
        for number, scenario in enumerate(scenarios)
    ]


def test_every_code_that_may_print_a_command_is_walked(capsys: pytest.CaptureFixture[str]) -> None:
    once = [each[:3] for each in ONCE]
    scenarios = (*MENDED, *once, *SHOWN, *ANOTHER_PYTHON, *OF_ANOTHER_TOOL)
    walked = {code for code, *_ in scenarios}
    known = codes_with_a_command()
    with capsys.disabled():
        print(f"{len(walked)} codes of {len(known)} walked in {len(scenarios)} scenarios")  # noqa: T201
    assert {code: known.get(code) for code in known.keys() ^ (walked | NOT_WALKED.keys())} == {}
    assert not walked & NOT_WALKED.keys()


def told(code: str, words: tuple[str, ...], place: str, root: Path, path: str) -> list[str]:
    """The commands that a line prints for problems of ``code``; each problem has a fix."""
    cwd, flags = stand(place, root)
    verb = words[:2] if words[0] in ("cache", "hooks") else words[:1]
    flags = () if words[0] == "cache" else flags
    if words[0] == "run":
        ran = run_as_person("venvman", *verb, *flags, *words[1:], cwd=cwd, path=path)
        found = re.search(r"Next: (.*?) *│?\n", ran.stderr)
        return [found[1]] if found and ran.code else []
    line = (*verb, *flags, "--format", "json", *words[len(verb) :])
    if code in HELD_BACK_BY_MODES:
        ran = run_as_person("venvman", *line, cwd=cwd, path=path)
    else:
        ran = run(*line, cwd=cwd)
    problems = [each for each in json.loads(ran.stdout)["problems"] if each["code"] == code]
    for each in problems:
        assert (each["fix"] is None) or (each["advice"] is None)
    return list(dict.fromkeys(each["fix"] for each in problems))


@pytest.mark.parametrize(("place", "code", "words", "break_it"), cases(MENDED))
def test_what_is_printed_mends_from_where_it_is_printed(
    place: str, code: str, words: tuple[str, ...], break_it: Break, root: Path, shell_path: str
) -> None:
    break_it(root)
    fixes = told(code, words, place, root, shell_path)
    assert fixes
    for fix in fixes:
        done = shell(fix, stand(place, root)[0], shell_path)
        assert done.code == 0, (fix, done.stdout + done.stderr)
    assert told(code, words, place, root, shell_path) == [], fixes


@pytest.mark.parametrize(("code", "words", "break_it", "check"), ONCE)
def test_what_is_printed_once_mends(
    code: str,
    words: tuple[str, ...],
    break_it: Break,
    check: tuple[str, ...],
    root: Path,
    shell_path: str,
) -> None:
    break_it(root)
    (fix,) = told(code, words, "elsewhere", root, shell_path)
    assert shell(fix, stand("elsewhere", root)[0], shell_path).code == 0
    ran = run_as_person("venvman", *check, cwd=root, path=shell_path)
    assert ran.code == 0, (fix, ran)


@pytest.mark.parametrize(("place", "code", "words", "break_it"), cases(SHOWN))
def test_what_is_printed_shows_what_there_is(
    place: str, code: str, words: tuple[str, ...], break_it: Break, root: Path, shell_path: str
) -> None:
    break_it(root)
    (fix,) = told(code, words, place, root, shell_path)
    done = shell(fix, stand(place, root)[0], shell_path)
    assert (done.code, bool(done.stdout)) == (0, True), (fix, done.stdout + done.stderr)


@pytest.mark.skipif(not other_python(), reason="this machine has one Python only")
@pytest.mark.parametrize(("place", "code", "words", "break_it"), cases(ANOTHER_PYTHON))
def test_what_is_printed_takes_the_other_python(
    place: str, code: str, words: tuple[str, ...], break_it: Break, root: Path, shell_path: str
) -> None:
    test_what_is_printed_mends_from_where_it_is_printed(
        place, code, words, break_it, root, shell_path
    )


@pytest.mark.parametrize(("place", "code", "words", "break_it"), cases(OF_ANOTHER_TOOL))
def test_a_command_of_another_tool_runs_where_its_paths_count_from(
    place: str, code: str, words: tuple[str, ...], break_it: Break, root: Path, shell_path: str
) -> None:
    break_it(root)
    text = (root / "requirements.txt").read_text()
    said = next(line[5:] for line in text.splitlines() if line.startswith("#    "))
    stub = root.parent.parent / "tools"
    for tool in ("uv", "pip-compile", "pip-compile-multi"):
        write(tool, f'#!/bin/sh\necho "$(pwd): {tool} $*"\n')(stub)
        (stub / tool).chmod(0o755)
    (fix,) = told(code, words, place, root, shell_path)
    done = shell(fix, stand(place, root)[0], f"{stub}{os.pathsep}{shell_path}")
    assert done.stdout.strip() == f"{root}: {said}"


ROUNDS = 3


@pytest.fixture
def root_of_looks(tmp_path: Path, index: Index) -> Path:
    return make_shop(tmp_path, index)


worlds = pytest.mark.parametrize(
    ("place", "break_it"),
    [
        pytest.param(PLACES[number % len(PLACES)], break_it, id=f"{code}-{number}")
        for number, (code, break_it) in enumerate(SCENARIOS)
        if code != "VM702"  # they name servers that are nowhere
    ],
)


def followed(look: Callable[[], Ran], named: str, cwd: Path, path: str) -> Ran:
    """The last look, after each command that one of them named (found by ``named``) was run."""
    said: list[str] = []
    for _ in range(ROUNDS):
        looked = look()
        commands = re.findall(named, looked.stdout + looked.stderr, re.MULTILINE)
        if not commands:
            return looked
        done = shell(commands[0], cwd, path)
        assert done.code == 0, (commands[0], done.stdout + done.stderr)
        said.append(commands[0])
    assert looked.code == 0 or not re.search(named, look().stdout), said
    return look()


@worlds
@pytest.mark.sample(8, "slow")
def test_what_status_names_is_all_there_is_to_do(
    place: str, break_it: Break, root_of_looks: Path, shell_path: str
) -> None:
    break_it(root_of_looks)
    cwd, flags = stand(place, root_of_looks)
    last = followed(lambda: run("status", *flags, cwd=cwd), r"^ *Next: (.*)$", cwd, shell_path)
    if last.code:  # advice
        assert re.search(r"[.:]", last.stdout + last.stderr)


@worlds
@pytest.mark.sample(8, "slow", offset=4)
def test_what_a_hook_names_is_all_there_is_to_do(
    place: str, break_it: Break, root_of_looks: Path, shell_path: str
) -> None:
    del place
    break_it(root_of_looks)
    top = root_of_looks.parent  # where git runs its hooks
    last = followed(
        lambda: run("hooks", "run", "post-checkout", cwd=top),
        r"^venvman: .*; '(.*)' fixes it$",
        top,
        shell_path,
    )
    assert last.code == 0
