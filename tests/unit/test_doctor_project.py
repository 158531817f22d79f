"""VM1, VM2, VM3, VM6, VM7: the environment as a whole, requirements, locks, git, security."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.specifiers import SpecifierSet

from tests.support.examined import World, codes_of
from tests.support.locked import entry
from venvman.doctor.examination import ExaminedLock, LockTracking
from venvman.doctor.repository import tracking_of
from venvman.environment.inspection import Absent, Broken, NotAnEnvironment
from venvman.githooks import HooksReport, HookState, HookStatus
from venvman.hookscript import HookMode, HookName
from venvman.lock.file import Lock, LockHeader
from venvman.model.errors import Advice, Command, FileLine, Problem, Severity
from venvman.model.names import canonical
from venvman.model.sources import IndexSource, VcsSource
from venvman.project.groups import Group, RequirementSet
from venvman.requirements.file import ParsedFile, parse
from venvman.requirements.requirement import Requirement
from venvman.system.git import git

if TYPE_CHECKING:
    from venvman.doctor.finding import Finding
    from venvman.model.sources import Source


def only(world: World, select: str, **facts: Any) -> Finding:
    (finding,) = world.findings(select=select, **facts)
    return finding


# The environment as a whole


def test_an_absent_environment_is_made_by_sync(world: World) -> None:
    found = only(world, "VM1", condition=Absent(path=world.root / "venv"))
    assert (found.code, str(found.fix)) == ("VM101", "venvman sync")
    assert found.message == "There is no environment at venv."


def test_a_foreign_folder_is_moved_aside_never_deleted(world: World) -> None:
    there = NotAnEnvironment(path=world.root / "venv", reason="A file is in the way.")
    found = only(world, "VM1", condition=there)
    assert (found.code, str(found.fix)) == (
        "VM102",
        f"mv {world.root}/venv {world.root}/venv.aside && venvman sync",
    )
    assert found.message.endswith("A file is in the way.")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("interpreter-gone", "VM103"),
        ("config-unreadable", "VM103"),
        ("moved", "VM104"),
        ("system-site-packages", "VM106"),
    ],
)
def test_a_broken_environment_is_named_with_its_reason(
    world: World, code: str, expected: str
) -> None:
    broken = Broken(path=world.root / "venv", reason="Because.", code=code)
    found = only(world, "VM1", condition=broken)
    assert (found.code, str(found.fix)) == (expected, "venvman sync --recreate")
    assert found.message == "The environment venv is unusable. Because."


def test_another_python_than_the_wished_one_is_found(world: World) -> None:
    found = only(world, "VM1", python_conflict="It is 3.11, not 3.12.")
    assert (found.code, found.message) == ("VM105", "It is 3.11, not 3.12.")


def test_a_broken_environment_hides_no_stale_lock(world: World) -> None:
    stale = lock_at(world, stale=(Problem(code="x", message="Stale."),))
    facts: dict[str, Any] = {
        "condition": Absent(path=world.root / "venv"),
        "inventory": None,
        "drift": None,
    }
    found = world.findings(locks=(stale,), target=None, **facts)
    assert codes_of(found) == ["VM101", "VM302"]


# Requirements files


def test_a_project_without_requirements_says_so(world: World) -> None:
    found = only(world, "VM2", has_sources=False)
    assert (found.code, str(found.fix)) == ("VM201", "Name a first package with `venvman add`.")
    assert found.message == f"{world.root.name} has no requirements file."


def test_faults_keep_their_line_and_severity(world: World) -> None:
    problems = (
        Problem(code="a", message="Bad.", path="requirements.txt", line=3, why="Because."),
        Problem(code="b", message="Odd.", severity=Severity.WARNING, path="x.txt"),
        Problem(code="c", message="Far.", fix=Advice("Do this.")),
        Problem(code="d", message="Lost."),
    )
    found = world.findings(scan_problems=problems, select="VM2")
    assert {(each.message, each.line, each.severity.value, str(each.fix)) for each in found} == {
        ("Bad. Because.", 3, "error", "Correct requirements.txt, line 3."),
        ("Odd.", None, "warning", "Correct x.txt."),
        ("Far.", None, "error", "Do this."),
        ("Lost.", None, "error", "None"),
    }


def requirement(name: str, source: Source | None = None, *, extras: str = "") -> Requirement:
    return Requirement(
        name=canonical(name),
        extras=frozenset(extras.split()),
        specifier=SpecifierSet(),
        source=source or IndexSource(),
        origin=FileLine(path="requirements.in", line=2),
    )


def wishes(*requirements: Requirement) -> RequirementSet:
    path = Path("/p/requirements.in")
    group = Group(name="default", sources=(path,), lock=path, requirements=requirements)
    return RequirementSet(groups=(group,))


def test_a_repository_without_a_revision_is_worth_a_note(world: World) -> None:
    source = VcsSource(vcs="git", url="https://tok@e.org/a.git")
    fixed = requirement("b", replace(source, revision="v1"))
    found = only(world, "VM2", requirements=wishes(requirement("a", source), fixed))
    assert (found.code, found.severity.value, found.package) == ("VM203", "note", "a")
    assert found.message.startswith("git+https://****@e.org/a.git names no branch")


# Locks


def lock_at(
    world: World,
    *entries: Any,
    tool: str | None = "venvman",
    command: str | None = None,
    **facts: Any,
) -> ExaminedLock:
    header = LockHeader(text="", tool=tool, command=command)
    lock = Lock(entries=entries, header=header)
    facts = {"lock": lock, **facts}
    return ExaminedLock(group="default", path=world.root / "requirements.lock", **facts)


def test_requirements_that_were_never_frozen_are_found(world: World) -> None:
    found = only(world, "VM3", locks=(lock_at(world, lock=None),))
    assert (found.code, found.path, str(found.fix)) == (
        "VM301",
        "requirements.lock",
        "venvman freeze",
    )


def test_every_reason_of_a_stale_lock_is_a_finding(world: World) -> None:
    reasons = (
        Problem(code="x", message="Flask is new.", path="requirements.txt", line=4),
        Problem(
            code="y", message="Old.", why="It left.", fix=Command.venvman("freeze", "-P", "old")
        ),
    )
    found = world.findings(locks=(lock_at(world, stale=reasons),), select="VM3")
    assert codes_of(found) == ["VM302", "VM302"]
    assert {(each.message, each.path, each.line, str(each.fix)) for each in found} == {
        ("Flask is new.", "requirements.txt", 4, "venvman freeze"),
        ("Old. It left.", "requirements.lock", None, "venvman freeze -P old"),
    }


@pytest.mark.parametrize(
    ("code", "expected", "fix"),
    [
        ("lock-conflict-markers", "VM303", "venvman freeze --yes"),
        ("lock-faulty", "VM304", "venvman freeze --yes"),
    ],
)
def test_an_unreadable_lock_is_told_from_a_conflicted_one(
    world: World, code: str, expected: str, fix: str
) -> None:
    problem = Problem(code=code, message="Bad.", line=7)
    found = only(world, "VM3", locks=(lock_at(world, lock=None, problems=(problem,)),))
    assert (found.code, found.path, found.line, str(found.fix)) == (
        expected,
        "requirements.lock",
        7,
        fix,
    )


def test_locks_that_disagree_are_found(world: World) -> None:
    problem = Problem(code="lock-disagreement", message="A and B.", path="dev.lock", line=2)
    found = only(world, "VM3", selection_problems=(problem,))
    assert (found.code, found.line, str(found.fix)) == ("VM305", 2, "venvman freeze")


@pytest.mark.parametrize(
    ("command", "by"),
    [
        ("uv pip compile pyproject.toml", "`uv pip compile pyproject.toml`"),
        ("uv pip compile --universal a.in", "`uv pip compile --universal a.in`"),
        ("uv export --no-dev", "`uv export --no-dev`"),
    ],
)
def test_the_lock_of_another_tool_is_worth_a_note(world: World, command: str, by: str) -> None:
    found = only(world, "VM306", locks=(lock_at(world, tool="uv", command=command),))
    assert found.severity is Severity.NOTE
    assert str(found.fix) == command
    assert found.message.startswith(f"requirements.lock is made by {by}, ")


def test_pins_without_hashes_are_counted(world: World) -> None:
    entries = [entry("a"), entry("b", hashes=["sha256:aa"]), entry("c")]
    found = only(world, "VM3", locks=(lock_at(world, *entries),))
    assert (found.code, found.severity) == ("VM307", Severity.NOTE)
    assert found.message.startswith("2 pins are in requirements.lock without hashes")
    found = only(world, "VM3", locks=(lock_at(world, *entries[:2]),))
    assert found.message.startswith("One pin is in")


def test_a_lock_for_other_targets_is_worth_a_warning(world: World) -> None:
    note = Problem(
        code="lock-of-other-targets",
        message="The lock is for windows.",
        fix=Command.venvman("freeze"),
    )
    other = replace(note, code="lock-unannotated")
    found = only(world, "VM3", locks=(lock_at(world, notes=(other, note)),))
    assert (found.code, found.severity, str(found.fix)) == (
        "VM308",
        Severity.WARNING,
        "venvman freeze",
    )
    assert found.message.startswith("The lock is for windows.")
    assert found.path == "requirements.lock"


# Git


@pytest.mark.parametrize(
    ("tracking", "codes"),
    [
        (LockTracking.IGNORED, ["VM602"]),
        (LockTracking.UNTRACKED, ["VM603"]),
        (LockTracking.TRACKED, []),
        (None, []),
    ],
)
def test_locks_that_git_does_not_have_are_found(
    world: World, tracking: LockTracking | None, codes: list[str]
) -> None:
    lock = lock_at(world, tracking=tracking)
    assert codes_of(world.findings(locks=(lock,), select="VM6")) == codes
    missing = replace(lock, lock=None)
    assert not world.findings(locks=(missing,), select="VM6")


def test_hooks_that_are_not_installed_are_worth_a_note(world: World) -> None:
    folder = world.root / ".git" / "hooks"
    states = {HookName.POST_CHECKOUT: HookMode.REPORT, HookName.POST_MERGE: None}
    hooks = tuple(
        HookStatus(
            name=name,
            path=folder / name.value,
            state=HookState.OURS if mode else HookState.ABSENT,
        )
        for name, mode in states.items()
    )
    found = only(world, "VM6", hooks=HooksReport(folder=folder, hooks=hooks))
    assert (found.code, found.severity, found.path) == ("VM601", Severity.NOTE, ".git/hooks")
    assert found.message == "Git will not tell of drift: post-merge is not installed."
    assert str(found.fix) == "venvman hooks install"
    assert not world.findings(hooks=HooksReport(folder=folder, hooks=hooks[:1]), select="VM6")


# Security


def file_of(*lines: str, trusted: str = "") -> ParsedFile:
    text = "\n".join([*lines, *(f"--trusted-host {host}" for host in trusted.split())])
    return parse(text, path="requirements.txt", variables={})


def test_credentials_in_a_requirements_file_are_found_and_not_repeated(world: World) -> None:
    file = file_of(
        "--index-url https://${USER}:${TOKEN}@e.org/simple",
        "--extra-index-url https://me:secret@e.org/simple",
    )
    found = only(world, "VM701", files=(file,))
    assert (found.code, found.line, found.path) == ("VM701", 2, "requirements.txt")
    assert "secret" not in found.message + (str(found.fix) or "")


@pytest.mark.parametrize(
    ("line", "trusted", "codes"),
    [
        ("--index-url http://e.org/simple", "", ["VM702"]),
        ("-i http://e.org:8080/simple", "", ["VM702"]),
        ("--extra-index-url=http://E.org/simple", "", ["VM702", "VM704"]),
        ("-f http://e.org/wheels", "", ["VM702"]),
        ("-i http://e.org:8080/simple", "e.org:8080", []),
        ("--index-url http://e.org/simple", "E.org", []),
        ("--index-url https://e.org/simple", "", []),
        ("--index-url http://localhost:3141/simple", "", []),
        ("--index-url http://127.0.0.1/simple", "", []),
        ("# --index-url: see http://e.org", "", []),
    ],
)
def test_an_index_over_http_is_found_unless_it_is_trusted(
    world: World, line: str, trusted: str, codes: list[str]
) -> None:
    assert codes_of(world.findings(files=(file_of(line, trusted=trusted),))) == codes


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git("init", "-q", cwd=tmp_path, variables=os.environ)
    (tmp_path / "app").mkdir()
    (tmp_path / ".gitignore").write_text("*.ignored.lock\n")
    for name in ("known.lock", "new.lock", "my.ignored.lock"):
        (tmp_path / "app" / name).touch()
    git("add", "app/known.lock", cwd=tmp_path, variables=os.environ)
    return tmp_path


def test_each_lock_is_tracked_untracked_or_ignored(repository: Path) -> None:
    root = repository / "app"
    paths = [root / name for name in ("known.lock", "new.lock", "my.ignored.lock")]
    assert tracking_of(paths, root=root, variables=os.environ) == {
        paths[0]: LockTracking.TRACKED,
        paths[1]: LockTracking.UNTRACKED,
        paths[2]: LockTracking.IGNORED,
    }


def test_a_lock_that_is_tracked_although_ignored_is_tracked(repository: Path) -> None:
    path = repository / "app" / "my.ignored.lock"
    git("add", "-f", str(path), cwd=repository, variables=os.environ)
    found = tracking_of([path], root=repository, variables=os.environ)
    assert found == {path: LockTracking.TRACKED}


def test_outside_git_nothing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert tracking_of([path], root=tmp_path, variables=os.environ) == {}
    assert tracking_of([], root=tmp_path, variables=os.environ) == {}
