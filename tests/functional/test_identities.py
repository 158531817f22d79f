"""Two things that are alike in part are two things: repositories, their folders, paths, links."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.projects import HEADER, git, snapshot, versions_in, write_project
from tests.support.wheels import in_tree_backend


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that has no files yet."""
    return write_project(tmp_path / "shop", {})


def source_tree(folder: Path, name: str, *, version: str = "1.0") -> Path:
    """A project that builds with nothing but itself."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        f"[project]\nname = '{name}'\nversion = '{version}'\n"
    )
    (folder / "backend.py").write_text(in_tree_backend(name, version))
    (folder / f"{name}.py").touch()
    return folder


def committed(folder: Path) -> str:
    """Commits all in ``folder``; the commit."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return git(folder, "rev-parse", "HEAD").strip()


@pytest.fixture
def mono(tmp_path: Path) -> Path:
    """A repository with the projects aa, in a/, and bb, in b/."""
    folder = tmp_path / "mono"
    for letter in "ab":
        source_tree(folder / letter, 2 * letter)
    committed(folder)
    return folder


def settled(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a sync installs, which a look says is right: here, and where nothing is remembered."""
    ran = run("sync", cwd=root)
    assert ran.code == 0, ran.stderr
    for verb in ("sync", "freeze"):
        assert run(verb, "--check", cwd=root).code == 0
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("VENVMAN_STATE_DIR", str(root.parent / "another state"))
        ran = run("freeze", "--check", cwd=root)
        assert ran.code == 0, ran.stderr
    return versions_in(root)


@pytest.mark.sample(2, "slow")
@pytest.mark.parametrize("engine", ["native", "pip-tools"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("aa @ git+file://{}#subdirectory=a", "bb @ git+file://{}#subdirectory=b"),
        ("aa @ git+file://{}@main#subdirectory=a", "bb @ git+file://{}#subdirectory=b"),
        ("aa @ git+file://{}@main#subdirectory=a", "bb @ git+file://{}@v1#subdirectory=b"),
        ("-e git+file://{}#egg=aa&subdirectory=a", "-e git+file://{}@main#egg=bb&subdirectory=b"),
    ],
)
def test_two_packages_of_one_repository_are_two(
    root: Path, mono: Path, monkeypatch: pytest.MonkeyPatch, engine: str, first: str, second: str
) -> None:
    git(mono, "tag", "v1")
    monkeypatch.setenv("VENVMAN_ENGINE", engine)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (root / "requirements.txt").write_text(f"{first}\n{second}\n".format(mono, mono))
    assert settled(root, monkeypatch).keys() == {"aa", "bb"}


def test_a_package_of_a_repository_that_joins_in_another_group_is_itself(
    root: Path, mono: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "requirements.in").write_text(f"aa @ git+file://{mono}#subdirectory=a\n")
    assert settled(root, monkeypatch).keys() == {"aa"}
    (root / "requirements-dev.in").write_text(f"bb @ git+file://{mono}#subdirectory=b\n")
    assert settled(root, monkeypatch).keys() == {"aa", "bb"}


def test_upgrading_one_package_of_a_repository_leaves_the_other_at_its_commit(
    root: Path, mono: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{2 * each} @ git+file://{mono}#subdirectory={each}\n" for each in "ab"]
    (root / "requirements.txt").write_text("".join(lines))
    assert settled(root, monkeypatch) == {"aa": "1.0", "bb": "1.0"}
    for letter in "ab":
        source_tree(mono / letter, 2 * letter, version="2.0")
    committed(mono)
    ran = run("upgrade", "bb", cwd=root)
    assert ran.code == 0, ran.stderr
    assert versions_in(root) == {"aa": "1.0", "bb": "2.0"}


def test_two_repositories_at_one_commit_keep_their_own_places(
    root: Path, mono: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork = tmp_path / "fork"
    git(tmp_path, "clone", "-q", str(mono), str(fork))
    (root / "requirements.txt").write_text(
        f"aa @ git+file://{mono}#subdirectory=a\nbb @ git+file://{fork}#subdirectory=b\n"
    )
    assert settled(root, monkeypatch).keys() == {"aa", "bb"}
    lock = (root / "requirements.lock").read_text()
    assert f"aa @ git+file://{mono}@" in lock
    assert f"bb @ git+file://{fork}@" in lock


def test_a_build_of_another_name_is_refused_before_the_environment_is_touched(
    root: Path, mono: Path
) -> None:
    commit = git(mono, "rev-parse", "HEAD").strip()
    place = f"git+file://{mono}@{commit}#subdirectory="
    via = "\n    # via -r requirements.txt\n"
    (root / "requirements.txt").write_text(f"aa @ {place}a\n")
    (root / "requirements.lock").write_text(f"{HEADER}aa @ {place}a{via}")
    assert run("sync", "--frozen", cwd=root).code == 0
    before = snapshot(root / "venv", without=[".venvman"])
    # The wheel of a/ is in the store by now.
    (root / "requirements.lock").write_text(f"{HEADER}aa @ {place}a{via}bb @ {place}a{via}")
    ran = run("sync", "--frozen", cwd=root)
    assert ran.code == 2
    assert "aa, not bb" in ran.stderr
    assert snapshot(root / "venv", without=[".venvman"]) == before


def test_two_refused_sources_of_one_repository_are_told_apart(root: Path, mono: Path) -> None:
    commit = git(mono, "rev-parse", "HEAD").strip()
    place = f"git+file://{mono}@{commit}#subdirectory="
    (root / "requirements.txt").write_text(f"aa @ {place}b\n")
    (root / "requirements.lock").write_text(
        f"{HEADER}aa @ {place}a\n    # via -r requirements.txt\n"
    )
    [problem] = run("freeze", "--check", "--format", "json", cwd=root).json["problems"]
    assert "subdirectory=b" in problem["message"]
    assert "subdirectory=a" in problem["message"]


@pytest.mark.parametrize("name", ["my lib", "lib#1", "li é", "a#b c"])
@pytest.mark.parametrize("editable", ["", "-e "])
def test_a_folder_may_have_any_name(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str, editable: str
) -> None:
    source_tree(root / name, "aa")
    quoted = f'"./{name}"' if editable else f"./{name}"
    (root / "requirements.txt").write_text(f"{editable}{quoted}\n")
    assert settled(root, monkeypatch) == {"aa": "1.0"}


def test_a_lock_with_an_odd_folder_is_one_that_pip_reads(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_tree(root / "my lib", "aa")
    source_tree(root / "lib#1", "bb")
    (root / "requirements.txt").write_text('-e "./my lib"\n./lib#1\n')
    settled(root, monkeypatch)
    lock = (root / "requirements.lock").read_text()
    assert "-e file:./my%20lib\n" in lock
    assert "\nfile:./lib%231\n" in lock


def test_a_project_is_the_same_by_all_its_names(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_tree(root / "lib", "aa")
    (root / "requirements.txt").write_text("-e ./lib\n")
    link = tmp_path / "link"
    link.symlink_to(root)
    for place, other in ((link, root), (root, link)):
        assert run("sync", "--recreate", "--project", place, cwd=tmp_path).code == 0
        for verb in ("sync", "freeze"):
            ran = run(verb, "--check", "--project", other, cwd=tmp_path)
            assert ran.code == 0, ran.stdout
    assert settled(root, monkeypatch) == {"aa": "1.0"}


def test_two_packages_of_one_local_folder_are_two(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for letter in "ab":
        source_tree(root / "mono" / letter, 2 * letter)
    (root / "requirements.txt").write_text("-e ./mono/a\n-e ./mono/b\n")
    assert settled(root, monkeypatch).keys() == {"aa", "bb"}


def test_a_sync_after_which_something_differs_does_not_end_with_0(root: Path) -> None:
    tree = source_tree(root / "lib", "aa")
    backend = tree / "backend.py"
    body = backend.read_text()
    # What the metadata is made from changes with every build of it.
    backend.write_text(
        body.replace(
            "def build_editable(",
            "def build_editable(*a, **k):\n"
            "    open('setup.cfg', 'a').write('# built\\n')\n"
            "    return _editable(*a, **k)\n\n"
            "def _editable(",
        )
    )
    (root / "requirements.txt").write_text("-e ./lib\n")
    ran = run("sync", "--format", "json", cwd=root)
    assert (ran.code, ran.json["status"]) == (1, "drift")
    [problem] = ran.json["problems"]
    assert problem["message"] == "After the sync, aa still differs from the lock."
