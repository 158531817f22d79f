"""The parts of the pip-tools engine that can be seen without running pip-compile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.cli import ended
from tests.support.groups import HERE, freeze_request, groups_of, write_files
from tests.support.wheels import make_wheel
from venvman.engines import UpgradeAll, UpgradeSome
from venvman.engines.given import CompileCommand, lock_options, ordered, read_sources
from venvman.engines.pipcompile import Finisher, Mirror, compiler, pip_environment
from venvman.engines.piperrors import explain
from venvman.engines.portable import pin_repositories
from venvman.lock.file import Lock
from venvman.lock.parse import parse_lock
from venvman.model.errors import FreezeError, IndexFault, UnsatisfiableError
from venvman.model.events import Reporter
from venvman.model.names import canonical
from venvman.model.options import IndexOptions
from venvman.model.sources import ArchiveSource, DirectorySource, VcsSource
from venvman.model.target import Target
from venvman.project.project import Project
from venvman.requirements.header import LockStyle
from venvman.system.directories import Directories

# ---- pip's configuration ---------------------------------------------------------------------


def test_pips_own_configuration_is_neutral(tmp_path: Path) -> None:
    variables = {
        "PATH": "/bin",
        "TOKEN": "t",
        "PIP_FIND_LINKS": "/somewhere",
        "PIP_CONFIG_FILE": "/etc/pip.conf",
        "CUSTOM_COMPILE_COMMAND": "make lock",
        "PYTHONPATH": "/x",
    }
    environment = pip_environment(variables, IndexOptions(), cache=tmp_path)
    assert environment["PIP_CONFIG_FILE"] == os.devnull
    assert (environment["PATH"], environment["TOKEN"]) == ("/bin", "t")
    assert not {"PIP_FIND_LINKS", "CUSTOM_COMPILE_COMMAND", "PYTHONPATH"} & environment.keys()
    assert all(
        environment[name].startswith(str(tmp_path))
        for name in ("PIP_CACHE_DIR", "PIP_TOOLS_CACHE_DIR")
    )


def test_what_the_user_set_reaches_pip_as_variables(tmp_path: Path) -> None:
    index = IndexOptions(
        index_urls=("https://me:pw@a.org/simple", "https://b.org", "https://c.org"),
        find_links=("/wheels here", "https://d.org"),
        trusted_hosts=frozenset({"b.org", "a.org"}),
        no_binary=frozenset({"x", "y"}),
        pre=True,
        cert="/ca.pem",
        proxy="http://proxy",
    )
    environment = pip_environment({}, index, cache=tmp_path)
    expected = {
        "PIP_INDEX_URL": "https://me:pw@a.org/simple",
        "PIP_EXTRA_INDEX_URL": "https://b.org https://c.org",
        "PIP_FIND_LINKS": "file:///wheels%20here https://d.org",
        "PIP_TRUSTED_HOST": "a.org b.org",
        "PIP_NO_BINARY": "x,y",
        "PIP_PRE": "1",
        "PIP_CERT": "/ca.pem",
        "PIP_PROXY": "http://proxy",
    }
    assert {name: environment[name] for name in expected} == expected
    assert not {"PIP_NO_INDEX", "PIP_ONLY_BINARY", "PIP_CLIENT_CERT"} & environment.keys()


def test_without_an_index_or_offline_pip_is_told_so(tmp_path: Path) -> None:
    for index in (IndexOptions(index_urls=()), IndexOptions(offline=True)):
        assert pip_environment({}, index, cache=tmp_path)["PIP_NO_INDEX"] == "1"


# ---- the picture of the project --------------------------------------------------------------


def test_the_mirror_shows_the_project_and_takes_the_writes(tmp_path: Path) -> None:
    root = write_files(
        tmp_path / "a" / "project",
        {"requirements/x.txt": "old", "requirements/y.txt": "y", "src/code.py": "1"},
    )
    write_files(tmp_path / "a", {"lib/setup.py": "2"})
    mirror = Mirror(write_files(tmp_path / "m", {"x": ""}), root)
    mirror.write(root / "requirements" / "x.txt", "new")
    mirror.write(root / "deep" / "er" / "z.txt", "z")
    mirror.link(tmp_path / "a" / "lib")
    mirror.link(root / "src")
    shown = mirror.root
    assert (shown / "requirements" / "x.txt").read_text() == "new"
    assert (shown / "requirements" / "y.txt").read_text() == "y"
    assert (shown / "deep" / "er" / "z.txt").read_text() == "z"
    assert (shown / "src" / "code.py").read_text() == "1"
    assert (shown / ".." / "lib" / "setup.py").read_text() == "2"
    assert (root / "requirements" / "x.txt").read_text() == "old"
    assert not (root / "deep").exists()
    assert mirror.original(f"-e file://{shown}/src") == f"-e file://{root}/src"


# ---- source files ----------------------------------------------------------------------------


def test_options_are_copied_without_secrets_and_machine_paths(tmp_path: Path) -> None:
    text = (
        "--index-url https://me:pw@a.org\n--extra-index-url https://b.org\n"
        "--find-links ./wheels\n-f https://${TOKEN}@c.org\n"
        "--trusted-host b.org\n--only-binary :all:\n--no-binary B,a\n--pre\n"
    )
    group = groups_of(tmp_path, {"requirements.txt": text, "wheels/x": ""})["default"]
    assert lock_options(read_sources(group, Project(root=tmp_path)), tmp_path) == (
        "--index-url https://a.org",
        "--extra-index-url https://b.org",
        "--find-links ./wheels",
        "--find-links https://${TOKEN}@c.org",
        "--trusted-host b.org",
        "--only-binary :all:",
        "--no-binary a",
        "--no-binary b",
    )
    group = groups_of(tmp_path, {"requirements.txt": "--no-index\n"})["default"]
    assert lock_options(read_sources(group, Project(root=tmp_path)), tmp_path) == ("--no-index",)


def test_a_group_whose_lock_another_includes_comes_first(tmp_path: Path) -> None:
    files = {
        "requirements.in": "--requirement=dev.txt\nz\n",
        "dev.in": "-c test.txt\nx\n",
        "test.in": "y\n",
        "dev.txt": "",
        "test.txt": "",
    }
    groups = groups_of(tmp_path, files)
    texts = {name: read_sources(group, Project(root=tmp_path)) for name, group in groups.items()}
    named = [group.name for group in ordered(tuple(groups.values()), texts)]
    assert named == ["test", "dev", "default"]


# ---- repositories ----------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> str:
    """The URL of a repository with a branch, a tag and two commits."""
    folder = write_files(tmp_path / "repo", {"setup.py": ""})

    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "one")
    git("tag", "-a", "v1", "-m", "v1")
    git("branch", "feature/x")
    git("commit", "--allow-empty", "-m", "two")
    return folder.as_uri()


def commit_of(url: str, revision: str) -> str:
    folder = url.removeprefix("file://")
    return ended(
        ["git", "-C", folder, "rev-parse", f"{revision}^{{commit}}"], check=True
    ).stdout.strip()


@pytest.mark.parametrize("revision", ["main", "v1", "feature/x", None, "main~0"])
def test_a_revision_is_pinned_to_its_commit(
    tmp_path: Path, repository: str, revision: str | None
) -> None:
    asked = commit_of(repository, revision or "HEAD")
    if revision == "main~0":
        revision = asked[:10]  # an abbreviation
    line = f"x @ git+{repository}" + (f"@{revision}" if revision else "")
    root = tmp_path / "project"
    pinned = pin_repositories(freeze_request(root, {"requirements.txt": line}))
    written = line.removeprefix("x @ ")
    assert pinned == {
        written: VcsSource(vcs="git", url=repository, revision=revision, commit=asked)
    }


def test_a_commit_stays_until_an_upgrade(tmp_path: Path, repository: str) -> None:
    old = commit_of(repository, "v1")
    line = f"x @ git+{repository}@main"
    lock = parse_lock(f"x @ git+{repository}@{old}\n    # revision: main\n", path="l")
    request = freeze_request(tmp_path / "p", {"requirements.txt": line}, locks={"default": lock})
    from dataclasses import replace

    some = replace(request, upgrade=UpgradeSome(names=frozenset({canonical("x")})))
    everything = replace(request, upgrade=UpgradeAll())
    commits = [
        next(iter(pin_repositories(one).values())).commit for one in (request, some, everything)
    ]
    new = commit_of(repository, "main")
    assert commits == [old, new, new]


@pytest.mark.parametrize("line", ["x @ git+file:///no/such@main", "x @ git+{}@nowhere"])
def test_a_revision_that_is_not_there_is_named_with_its_line(
    tmp_path: Path, repository: str, line: str
) -> None:
    text = "\n" + line.format(repository)
    with pytest.raises(FreezeError) as caught:
        pin_repositories(freeze_request(tmp_path / "p", {"requirements.txt": text}))
    (problem,) = caught.value.problems
    assert (problem.code, problem.path, problem.line) == (
        "repository-unresolved",
        "requirements.txt",
        2,
    )


def test_a_repository_at_a_commit_asks_nobody(tmp_path: Path) -> None:
    commit = "0" * 40
    line = (
        f"x @ git+https://nowhere.invalid/x@{commit}#subdirectory=s\nhg @ hg+https://no.invalid/x"
    )
    pinned = pin_repositories(freeze_request(tmp_path / "p", {"requirements.txt": line}))
    (source,) = pinned.values()
    assert (source.commit, source.revision, source.subdirectory) == (commit, commit, "s")


# ---- what pip-compile says -------------------------------------------------------------------

CONFLICT = """\
  Collecting alpha>=1 (from -r requirements.in (line 1))
  Processing /w/gamma-1.0-py3-none-any.whl (from alpha->-r requirements.in (line 1))
  ERROR: Cannot install -r requirements.in (line 1) and beta>=1.6 because these package versions \
have conflicting dependencies.

  The conflict is caused by:
      The user requested beta>=1.6
      The user requested (constraint) beta<3
      alpha 1.0 depends on beta<2
      gamma[x] 1.0 depends on beta==1
      The user requested stranger==1

  To fix this you could try to:
Traceback (most recent call last):
"""


def test_a_conflict_is_told_with_the_lines_it_comes_from(tmp_path: Path) -> None:
    groups = groups_of(
        tmp_path,
        {"requirements.in": "alpha>=1\nbeta>=1.6\n-c limits.txt\n", "limits.txt": "beta<3\n"},
    )
    error = explain(CONFLICT, tuple(groups.values()))
    assert isinstance(error, UnsatisfiableError)
    assert [(p.message, p.path, p.line) for p in error.problems] == [
        ("requirements.in:2 asks for beta>=1.6.", "requirements.in", 2),
        ("limits.txt:1 limits to beta<3.", "limits.txt", 1),
        ("alpha 1.0 depends on beta<2.", "requirements.in", 1),
        ("gamma[x] 1.0 depends on beta==1.", "requirements.in", 1),
        ("A source file asks for stranger==1.", None, None),
    ]
    assert error.problems[3].why == "gamma[x] is asked for by requirements.in:1 -> alpha."


def test_pins_that_other_groups_share_are_named_as_such(tmp_path: Path) -> None:
    groups = tuple(groups_of(tmp_path, {"requirements.in": "beta\n"}).values())
    said = "The conflict is caused by:\n  The user requested (constraint) beta==2.0\n"
    error = explain(said, groups)
    assert error.problems[0].message == "The pins that the other groups share have beta==2.0."


@pytest.mark.parametrize(
    ("said", "kind", "code", "line"),
    [
        (
            (
                "ERROR: Could not find a version that satisfies the requirement nosuch>1 "
                "(from versions: none)"
            ),
            IndexFault,
            "package-not-found",
            2,
        ),
        (
            (
                "Collecting alpha (from -r requirements.in (line 1))\n"
                "ERROR: Could not find a version that satisfies the requirement deep==9 "
                "(from alpha) (from versions: 1.0, 2.0)"
            ),
            UnsatisfiableError,
            "no-matching-version",
            None,
        ),
        (
            (
                "pip._internal.exceptions.UnsupportedPythonVersion: Package 'alpha' requires a "
                "different Python: 3.11.7 not in '<3.0'"
            ),
            UnsatisfiableError,
            "requires-other-python",
            1,
        ),
        (
            (
                "WARNING: Retrying after NewConnectionError('x: Failed to establish') /simple/a/\n"
                "ERROR: Could not find a version that satisfies the requirement alpha "
                "(from versions: none)"
            ),
            IndexFault,
            "index-unreachable",
            None,
        ),
        (
            "ERROR: 401 Client Error: Unauthorized for url: https://me:pw@e.org/simple/a/",
            IndexFault,
            "index-refused",
            None,
        ),
        (
            "error: subprocess-exited-with-error\nERROR: Failed to build 'x'",
            FreezeError,
            "build-failed",
            None,
        ),
        ("Traceback\nValueError: strange", FreezeError, "pip-compile-failed", None),
        ("", FreezeError, "pip-compile-failed", None),
    ],
)
def test_each_failure_has_its_error_and_no_secret(
    tmp_path: Path, said: str, kind: type[Exception], code: str, line: int | None
) -> None:
    groups = groups_of(tmp_path, {"requirements.in": "alpha\nnosuch>1\n"})
    error = explain(said, tuple(groups.values()))
    assert type(error) is kind
    assert (error.code, error.problems[0].line) == (code, line)
    assert "pw" not in str(error.problems)


def test_a_long_list_of_versions_is_shortened(tmp_path: Path) -> None:
    versions = ", ".join(f"1.{number}" for number in range(500))
    said = (
        f"Could not find a version that satisfies the requirement a==9 (from versions: {versions})"
    )
    error = explain(said, tuple(groups_of(tmp_path, {"requirements.in": "a==9\n"}).values()))
    assert error.why is not None
    assert len(error.why) < 300
    assert "1.499" in error.why


# ---- what pip-compile writes, put right ------------------------------------------------------


def finished(tmp_path: Path, files: dict[str, str], text: str, **changes: object) -> Lock:
    """The lock of the default group, had pip-compile written ``text`` in the mirror at MIRROR."""
    root = tmp_path / "project"
    request = freeze_request(root, files, variables={"PLACE": "https://e.org"})
    mirror = Mirror(write_files(tmp_path / "m", {"x": ""}), root)
    (group,) = request.groups
    style = changes.pop("style", LockStyle())
    command = CompileCommand(
        arguments=("requirements.in",), folder=root, style=cast("LockStyle", style)
    )
    arguments: dict[str, Any] = {"command": command, "limited": False, "common": ()}
    finisher = Finisher(request, mirror, {})
    written = text.replace("MIRROR", mirror.root.as_posix())
    return finisher.lock(
        written, group, read_sources(group, Project(root=root)), **{**arguments, **changes}
    )


def test_local_archives_become_relative(tmp_path: Path) -> None:
    lock = finished(
        tmp_path,
        {"requirements.in": "./w/a-1.0-py3-none-any.whl\n", "w/a-1.0-py3-none-any.whl": ""},
        "a @ file://MIRROR/w/a-1.0-py3-none-any.whl\n    # via -r requirements.in\n",
    )
    assert lock.entries[0].source == ArchiveSource(url="file:w/a-1.0-py3-none-any.whl")
    assert lock.header.tool == "venvman"


def test_variables_in_urls_stay_unexpanded_and_secrets_out(tmp_path: Path) -> None:
    lock = finished(
        tmp_path,
        {"requirements.in": "a @ ${PLACE}/a.zip\nb @ https://me:pw@e.org/b.zip\n"},
        "a @ https://e.org/a.zip\nb @ https://me:pw@e.org/b.zip\n"
        "c @ hg+https://me:pw@e.org/c@tip\n",
    )
    assert [str(entry.source) for entry in lock.entries] == [
        "${PLACE}/a.zip",
        "https://e.org/b.zip",
        "hg+https://e.org/c@tip",
    ]


def test_a_folder_that_does_not_state_its_name_is_named_by_who_it_brings(tmp_path: Path) -> None:
    lock = finished(
        tmp_path,
        {"requirements.in": "-e ./src\n", "src/setup.py": "setup(name=compute())"},
        "-e file://MIRROR/src\n    # via -r requirements.in\nbeta==1.0\n    # via computed-name\n",
    )
    assert [entry.name for entry in lock.entries] == ["computed-name", "beta"]


def test_annotations_about_the_engines_own_files_are_dropped(tmp_path: Path) -> None:
    lock = finished(
        tmp_path,
        {"requirements.in": "a\n"},
        "a==1.0\n    # via\n    #   -c MIRROR/.venvman-limits.txt\n    #   -r requirements.in\n",
    )
    assert lock.entries[0].via == ("-r requirements.in",)
    assert lock.header.command == "pip-compile requirements.in"


@pytest.mark.parametrize(
    ("files", "changes", "tool"),
    [
        ({"requirements.in": "a\n"}, {"limited": True}, "venvman"),
        ({"requirements.txt": "a\n"}, {}, "venvman"),
        ({"requirements.in": "a\n--index-url https://e.org\n"}, {}, "venvman"),
        (
            {"requirements.in": "a\n--index-url https://e.org\n"},
            {"style": LockStyle(emit_index_url=True)},
            "pip-compile",
        ),
        ({"requirements.in": "a\n--find-links https://e.org\n"}, {}, "pip-compile"),
        ({"requirements.in": "a\n--find-links ./w\n", "w/x": ""}, {}, "venvman"),
        ({"requirements.in": "a\n--no-index\n"}, {}, "venvman"),
        ({"requirements.in": "a\n--trusted-host e.org\n"}, {}, "pip-compile"),
        ({"requirements.in": "a  # ${PLACE}\n"}, {}, "venvman"),
    ],
)
def test_the_header_is_pip_compiles_only_where_it_would_write_the_same(
    tmp_path: Path, files: dict[str, str], changes: dict[str, object], tool: str
) -> None:
    assert finished(tmp_path, files, "a==1.0\n", **changes).header.tool == tool


def test_a_package_that_another_group_brings_by_folder_comes_from_there(tmp_path: Path) -> None:
    shared = parse_lock("-e ./lib\n    # name: lib\n", path="x").entries
    lock = finished(
        tmp_path, {"requirements.in": "lib\n"}, "lib @ file://MIRROR/lib\n", common=shared
    )
    assert lock.entries[0].source == DirectorySource(path="lib", editable=True)


# ---- tool environments -----------------------------------------------------------------------


def test_the_running_interpreter_needs_no_tool_environment(tmp_path: Path) -> None:
    words = compiler(
        Path("/not/used"),
        HERE,
        directories=Directories(cache=tmp_path, state=tmp_path),
        environment={},
        reporter=Reporter(),
    )
    assert words == (sys.executable, "-m", "piptools", "compile")
    assert not list(tmp_path.iterdir())


OTHER = Target(python="3.99.0", markers=(), tags=())


def tool_environment(tmp_path: Path, python: Path, *wheels: Path) -> Path:
    """Made with ``python`` in the place of another minor version."""
    directories = Directories(cache=tmp_path / "cache", state=tmp_path / "state")
    index = IndexOptions(index_urls=(), find_links=tuple(map(str, wheels)))
    words = compiler(
        python,
        OTHER,
        directories=directories,
        environment=pip_environment(os.environ, index, cache=tmp_path / "cache"),
        reporter=Reporter(),
    )
    return Path(words[0])


def test_a_broken_tool_environment_is_made_anew_and_then_used_again(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "tools" / "pip-tools-3.99"
    (broken := write_files(folder, {"bin/python": "#!/nowhere\n"}) / "bin" / "python").chmod(0o755)
    wheels = tmp_path / "wheels"
    make_wheel(wheels, "pip-tools", "7.5.3", files={"piptools/__init__.py": ""})
    make_wheel(wheels, "pip", "99.0", files={"pip/__init__.py": ""})
    assert tool_environment(tmp_path, Path(sys.executable), wheels) == broken
    (noted := folder / "noted").touch()
    assert tool_environment(tmp_path, Path("/not/used")) == broken
    assert noted.exists()


@pytest.mark.parametrize("says", ["#!/bin/sh\necho 'ERROR: no luck'\nexit 1\n", "#!/nowhere\n"])
def test_a_tool_environment_that_cannot_be_made_leaves_nothing(tmp_path: Path, says: str) -> None:
    python = write_files(tmp_path, {"python": says}) / "python"
    python.chmod(0o755)
    with pytest.raises(FreezeError) as caught:
        tool_environment(tmp_path, python)
    assert caught.value.code == "tool-environment-failed"
    assert caught.value.why in {
        "ERROR: no luck",
        f"Could not start {python}: No such file or directory.",
    }
    assert not (tmp_path / "cache" / "tools" / "pip-tools-3.99").exists()


def test_a_pip_too_old_for_a_repository_on_this_machine_is_to_be_renewed(tmp_path: Path) -> None:
    line = "eta @ git+file:///srv/eta"
    said = (
        "Traceback (most recent call last):\n"
        "pip._internal.exceptions.InstallationError: Invalid requirement: "
        f"'{line}@{'c' * 40}' (from line 1 of requirements.in)\n"
        f"Hint: It looks like a path. File '{line}' does not exist.\n"
    )
    error = explain(said, tuple(groups_of(tmp_path, {"requirements.in": f"{line}\n"}).values()))
    (problem,) = error.problems
    assert problem.code == "pip-too-old"
    assert str(problem.fix) == "Upgrade the pip that venvman runs with."
    assert (problem.path, problem.line) == ("requirements.in", 1)
