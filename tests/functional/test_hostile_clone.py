"""A repository is a stranger: whoever only looks at a clone starts, moves and changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import ended, run, run_process
from tests.support.index import Index
from tests.support.projects import git, lock_of, snapshot, write_project
from tests.support.wheels import in_tree_backend, make_wheel
from venvman.environment.history import text_digest

MINOR = "{}.{}".format(*sys.version_info[:2])
FULL = "{}.{}.{}".format(*sys.version_info[:3])
SITE = f"lib/python{MINOR}/site-packages"
HOME = Path(sys.executable).resolve().parent

LOOKS = (
    ("status",),
    ("doctor",),
    ("doctor", "--all", "--verify"),
    ("scan",),
    ("tree",),
    ("why", "aaa"),
    ("outdated",),
    ("history",),
    ("diff",),
    ("sync", "--check"),
    ("sync", "--dry-run"),
    ("sync", "--dry-run", "--recreate"),
    ("freeze", "--check"),
    ("freeze", "--dry-run"),
    ("rollback", "--dry-run"),
    ("hooks", "run", "post-checkout", "--in", "."),
)


class Evil:
    """The repository that somebody clones; ``home`` beside it is the victim's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "evil"
        self.home = folder / "home"
        self.home.mkdir()
        (self.home / ".profile").write_text("mine\n")
        self.write("requirements.txt", "aaa==1.0\n")

    def write(self, name: str, text: str, *, mode: int = 0o644) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def program(self, name: str) -> Path:
        """A Python that tells that it was started."""
        text = f'#!/bin/sh\necho "$0 $@" >> {self.folder}/PWNED\nexec {sys.executable} "$@"\n'
        return self.write(name, text, mode=0o755)

    def environment(self, *, home: str = str(HOME)) -> None:
        self.write("venv/pyvenv.cfg", f"home = {home}\nversion = {FULL}\n")
        self.write(f"venv/{SITE}/.keep", "")
        self.write("venv/bin/python", "")

    def state(self, name: str, document: object) -> None:
        self.write(f"venv/.venvman/{name}", json.dumps(document))


def journal(evil: Evil) -> None:
    evil.environment()
    evil.write("venv/.venvman/stage/payload", "echo pwned\n")
    steps = [
        ["take", "../../home/.profile", "s1"],
        ["put", "../../home/.profile", "payload"],
        ["mkdir", "../../home/newdir", ""],
        ["take", SITE, "s2"],
    ]
    evil.state("journal.json", ["journal 2", steps])


def journal_in_hex(evil: Evil) -> None:
    journal(evil)
    path = evil.root / "venv/.venvman/journal.json"
    path.write_bytes(b"0" * 32 + b"\n" + path.read_bytes())
    evil.write("venv/.venvman/owner", "0" * 32)


def linked_state(evil: Evil) -> None:
    journal(evil)
    (evil.root / "venv/.venvman").rename(evil.root / "elsewhere")
    (evil.root / "venv/.venvman").symlink_to("../elsewhere")


def linked_python(evil: Evil) -> None:
    evil.environment()
    evil.program("evil.sh")
    (evil.root / "venv/bin/python").unlink()
    (evil.root / "venv/bin/python").symlink_to("../../evil.sh")


def linked_folder(evil: Evil) -> None:
    """The environment is a link to a folder of the repository."""
    linked_python(evil)
    (evil.root / "venv").rename(evil.root / "real")
    (evil.root / "venv").symlink_to("real")


def relative_home(evil: Evil) -> None:
    evil.environment(home="evilbin")
    evil.program(f"evilbin/python{MINOR}")
    evil.program("evilbin/python3")


def home_in_the_clone(evil: Evil) -> None:
    evil.environment(home=f"{evil.folder}/clone/evilbin")
    evil.program(f"evilbin/python{MINOR}")


def home_elsewhere(evil: Evil) -> None:
    """Outside of the clone, where something else was put before: an archive, another clone."""
    evil.environment(home=f"{evil.folder}/other")
    program = evil.program("program")
    (evil.folder / "other").mkdir()
    program.rename(evil.folder / f"other/python{MINOR}")


def executable_keys(evil: Evil) -> None:
    evil.environment()
    program = evil.program("evil.sh")
    with (evil.root / "venv/pyvenv.cfg").open("a") as stream:
        stream.write(f"executable = {program}\nbase-executable = {program}\n")


def configured_python(evil: Evil) -> None:
    evil.program("evil.sh")
    evil.write("pyproject.toml", '[tool.venvman]\npython = "./evil.sh"\n')


def configured_python_elsewhere(evil: Evil) -> None:
    program = evil.program("program")
    program.rename(evil.folder / "outside.sh")
    evil.write("pyproject.toml", f'[tool.venvman]\npython = "{evil.folder}/outside.sh"\n')


def configured_environment(evil: Evil) -> None:
    linked_python(evil)
    (evil.root / "venv").rename(evil.root / "python")
    evil.write("pyproject.toml", '[tool.venvman]\npython = "./python"\nvenv = "other"\n')


def named_version_file(evil: Evil) -> None:
    evil.program("evil.sh")
    evil.write(".python-version", "./evil.sh\n")


def killed_making(evil: Evil) -> None:
    evil.environment()
    for name in ("filling", "unfinished", "venv-runs", "made-by"):
        evil.write(f"venv/.venvman/{name}", "")


def moved_aside(evil: Evil) -> None:
    evil.environment()
    evil.write("venv/.venvman/made-by", "venvman 0.1\n")
    evil.write(".venv.venvman-replaced/pyvenv.cfg", "home = /usr/bin\n")
    evil.write(".venv.venvman-discarded/file", "")


def attic(evil: Evil) -> None:
    evil.environment()
    info = f"{SITE}/aaa-1.0.dist-info"
    units = [["u0", info], ["u1", "../../home/.profile"]]
    provenance = ["aaa", "1.0", "0" * 64, "", True, 0, 0, 0, "", []]
    entry = ["aaa-1.0-x", info, units, provenance, 1, 1]
    evil.state("attic/aaa-1.0-x/entry.json", ["attic 2", entry])
    evil.write("venv/.venvman/attic/aaa-1.0-x/u0/RECORD", "aaa.py,,\n")


def history(evil: Evil) -> None:
    """States that say that another wheel was installed here, and a lock outside the project."""
    evil.environment()
    content = b"aaa==1.0\n"
    locks = [["default", "../home/.profile", text_digest(content)]]
    state = [7, 1.5, "sync", "3.11.7", ["default"], locks, "0" * 32, [[], {}, [], []]]
    line = json.dumps(["state 1", [*state, None, None, None]])
    evil.write("venv/.venvman/history/log", f"{'0' * 32} {line}\n" * 2)
    row = ["aaa", "1.0", "0" * 64, "", True, 0, 0, 0, "", []]
    snapshot = json.dumps(["snapshot 1", {f"{SITE}/aaa-1.0.dist-info": row}])
    evil.write(f"venv/.venvman/history/{'0' * 32}.json", f"{'0' * 32}\n{snapshot}")
    evil.state("installed.json", ["ledger 3", [7, "0" * 32]])
    path = evil.root / "venv/.venvman/history" / text_digest(content)
    path.write_bytes(zlib.compress(content))


def embedded_repository(evil: Evil) -> None:
    evil.write("sub/HEAD", "ref: refs/heads/main\n")
    evil.write("sub/objects/.keep", "")
    evil.write("sub/refs/.keep", "")
    evil.write("sub/requirements.txt", "aaa==1.0\n")
    evil.write(
        "sub/config",
        f'[core]\nbare = false\nworktree = .\nfsmonitor = "touch {evil.folder}/PWNED; false"\n',
    )


def local_project(evil: Evil) -> None:
    """Its metadata are what its own code says."""
    evil.write("requirements.txt", "-e .\naaa==1.0\n")
    table = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    evil.write("pyproject.toml", table)
    code = f"open({str(evil.folder / 'PWNED')!r}, 'w')\n"
    evil.write("backend.py", code + in_tree_backend("evil", "1.0"))


def own_modules(evil: Evil) -> None:
    text = f"open({str(evil.folder / 'PWNED')!r}, 'w')\n"
    for name in ("typer", "rich", "packaging", "sitecustomize", "keyring"):
        evil.write(f"{name}.py", text)


WAYS: tuple[Callable[[Evil], None], ...] = (
    journal,
    journal_in_hex,
    linked_state,
    linked_python,
    linked_folder,
    relative_home,
    home_in_the_clone,
    home_elsewhere,
    executable_keys,
    configured_python,
    configured_python_elsewhere,
    configured_environment,
    named_version_file,
    killed_making,
    moved_aside,
    attic,
    history,
    embedded_repository,
    local_project,
    own_modules,
)


@pytest.fixture
def evil(tmp_path: Path, index: Index) -> Evil:
    made = Evil(tmp_path)
    wheel = make_wheel(index.folder, "aaa")
    made.write("requirements.lock", lock_of(wheel))
    return made


def cloned(evil: Evil) -> Path:
    git(evil.root, "init", "--quiet")
    git(evil.root, "add", "-Af", ".")
    git(evil.root, "commit", "--quiet", "-m", "Look at this")
    clone = evil.folder / "clone"
    git(evil.folder, "clone", "--quiet", str(evil.root), str(clone))
    return clone


def everything(folder: Path) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = dict(snapshot(folder))  # type: ignore[arg-type]
    for path in folder.rglob("*"):
        seen = path.lstat()
        key = f"{path.relative_to(folder)} as it is"
        if path.name != "index" and ".git/" not in f"{path}/":  # which `git status` refreshes
            found[key] = (seen.st_ino, seen.st_mode, seen.st_mtime_ns)
    return {key: row for key, row in found.items() if "/.git/" not in f"/{key}"}


def test_no_state_that_a_branch_brings_into_an_own_environment_is_returned_to(evil: Evil) -> None:
    history(evil)
    theirs = evil.root / "venv/.venvman/history"
    own = write_project(evil.folder / "own", {})
    for name in ("requirements.txt", "requirements.lock"):
        shutil.copy(evil.root / name, own / name)
    assert run("sync", cwd=own).code == 0
    before = run("history", "--format", "json", cwd=own).json["data"]["states"]
    for path in theirs.iterdir():
        with (own / "venv/.venvman/history" / path.name).open("ab") as stream:
            stream.write(path.read_bytes())
    assert run("history", "--format", "json", cwd=own).json["data"]["states"] == before
    refused = run("rollback", "1", "--with-lock", "--yes", "--format", "json", cwd=own)
    assert (refused.code, refused.json["problems"][0]["code"]) == (2, "history-no-such-state")
    assert (evil.home / ".profile").read_text() == "mine\n"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_looking_at_a_clone_starts_nothing_and_changes_nothing(
    evil: Evil, way: Callable[[Evil], None]
) -> None:
    way(evil)
    clone = cloned(evil)
    before = everything(evil.folder)
    for words in LOOKS:
        ran = run(*words, cwd=clone)
        said = f"{words}: {ran.stdout} {ran.stderr}"
        assert not (evil.folder / "PWNED").exists(), said
        assert everything(evil.folder) == before, said
        assert "defect" not in ran.stderr, said


@pytest.mark.parametrize(
    "way",
    [journal, journal_in_hex, linked_state, attic, history, moved_aside],
    ids=lambda way: way.__name__,
)
def test_syncing_a_clone_carries_nothing_out_that_came_with_it(
    evil: Evil, way: Callable[[Evil], None]
) -> None:
    way(evil)
    clone = cloned(evil)
    run("sync", "--yes", cwd=clone)
    ran = run_process("sync", "--yes", "--recreate", cwd=clone)
    assert ran.code == 0, ran.stderr
    assert snapshot(evil.home) == {".profile": snapshot(evil.home)[".profile"]}
    assert (evil.home / ".profile").read_text() == "mine\n"
    assert (clone / "venv" / SITE / "aaa.py").read_text() == "__version__ = '1.0'\n"
    assert run("doctor", "--select", "VM1,VM4,VM5", cwd=clone).code == 0


def other_project(evil: Evil, index: Index) -> Path:
    """Another project of the victim, beside the clone."""
    make_wheel(index.folder, "bbb")
    other = write_project(evil.folder / "other", {"requirements.txt": "bbb\n"})
    assert run("sync", cwd=other).code == 0
    return other


@pytest.mark.parametrize("by", ["configuration", "link", "redirection"])
def test_the_environment_of_another_project_is_not_touched_unasked(
    evil: Evil, index: Index, by: str
) -> None:
    other = other_project(evil, index)
    clone = cloned(evil)
    if by == "configuration":
        (clone / "pyproject.toml").write_text('[tool.venvman]\nvenv = "../other/venv"\n')
    elif by == "link":
        (clone / "venv").symlink_to("../other/venv")
    else:
        (clone / ".venv").write_text("../other/venv\n")
    before = snapshot(other)
    for words in (("sync",), ("sync", "--recreate"), ("add", "bbb"), ("clean",)):
        ran = run(*words, cwd=clone)
        assert snapshot(other) == before, words
        if by != "link" or words != ("clean",):  # of a link only the link goes
            assert ran.code == 2, words
            assert "environment-elsewhere" in ran.stderr, ran.stderr


def test_an_environment_elsewhere_is_asked_about_once(evil: Evil) -> None:
    clone = cloned(evil)
    (clone / "pyproject.toml").write_text('[tool.venvman]\nvenv = "../elsewhere"\n')
    assert run("sync", cwd=clone).code == 2
    assert not (evil.folder / "elsewhere").exists()
    assert run("sync", "--yes", cwd=clone).code == 0
    assert run("sync", cwd=clone).code == 0
    assert run("sync", "--recreate", cwd=clone).code == 0
    assert run("clean", cwd=clone).code == 0


@pytest.mark.parametrize("by", ["-r {}", "-r file://{}", "-c {}", "link", "lock"])
def test_no_line_of_a_file_outside_of_the_tree_is_shown(evil: Evil, by: str) -> None:
    secret = evil.folder / "secret"
    secret.write_text("root:x:0:0 hunter2!\n")
    clone = cloned(evil)
    if by in ("link", "lock"):
        path = clone / ("requirements.txt" if by == "link" else "requirements.lock")
        path.unlink()
        path.symlink_to(secret)
    else:
        (clone / "requirements.txt").write_text(f"aaa\n{by.format(secret)}\n")
    for words in LOOKS:
        ran = run(*words, cwd=clone)
        as_json = run(*words, "--format", "json", cwd=clone)
        for said in (ran.stdout, ran.stderr, as_json.stdout):
            assert "hunter2" not in said, words


ENDLESS = ("requirements.lock", "pyproject.toml", ".python-version", "more.txt")


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("what", ["/dev/zero", "pipe", "folder"])
def test_a_file_that_is_none_is_one_taught_error(evil: Evil, name: str, what: str) -> None:
    clone = cloned(evil)
    if name == "more.txt":
        (clone / "requirements.txt").write_text("-r more.txt\n")
    (clone / name).unlink(missing_ok=True)
    if what == "pipe":
        os.mkfifo(clone / name)
    elif what == "folder":
        (clone / name).mkdir()
    else:
        (clone / name).symlink_to(what)
    for words in (("status",), ("doctor",), ("scan",), ("sync", "--check"), ("sync",), ("freeze",)):
        ran = run(*words, cwd=clone)
        assert "unexpected" not in ran.stderr, words


def test_includes_are_followed_once_and_not_for_ever(evil: Evil) -> None:
    clone = cloned(evil)
    (clone / "requirements.txt").write_text("-r r1.txt\n-r q1.txt\n")
    for number in range(1, 41):
        (clone / f"r{number}.txt").write_text(f"-r r{number + 1}.txt\n" * 2)
    (clone / "r41.txt").write_text("aaa\n")
    for number in range(1, 3000):
        (clone / f"q{number}.txt").write_text(f"-r q{number + 1}.txt\n")
    (clone / "q3000.txt").write_text("aaa\n")
    for words in (("status",), ("doctor",), ("sync", "--check")):
        ran = run(*words, cwd=clone)
        assert ran.code in (1, 2)
        assert "100 files deep" in " ".join((ran.stdout + ran.stderr).split()), words


@pytest.mark.parametrize(
    "text", ['venv = "a\\u0000b"', f'venv = "{"x" * 5000}"', f"keep = {'[' * 100_000}"]
)
def test_a_setting_that_cannot_be_is_one_taught_error(evil: Evil, text: str) -> None:
    clone = cloned(evil)
    (clone / "pyproject.toml").write_text(f"[tool.venvman]\n{text}\n")
    for words in (("status",), ("doctor",), ("sync", "--check"), ("freeze",)):
        ran = run(*words, cwd=clone)
        assert ran.code == 2
        assert "unexpected" not in ran.stderr, words


@pytest.mark.parametrize("mode", [0o707, 0o777])
def test_a_cache_that_others_may_write_is_not_used(
    evil: Evil, isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    shutil.rmtree(isolated / "cache")
    (isolated / "cache").mkdir()
    (isolated / "cache").chmod(mode)
    clone = cloned(evil)
    ran = run("sync", cwd=clone)
    assert ran.code == 0
    assert "is not used" in " ".join(ran.stderr.split())
    assert list((isolated / "cache").iterdir()) == []


def test_modules_of_the_working_directory_are_not_imported(evil: Evil) -> None:
    own_modules(evil)
    evil.write("zlib.py", f"open({str(evil.folder / 'PWNED')!r}, 'w')\n")
    clone = cloned(evil)
    words = [sys.executable, "-m", "venvman", "status"]
    done = ended(words, cwd=clone)
    assert "Environment" in done.stdout
    assert not (evil.folder / "PWNED").exists()
