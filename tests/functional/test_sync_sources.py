"""Where packages come from: indexes, folders, archives, repositories; and which lines count."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest

from tests.support.cli import ended, run
from tests.support.index import Index, serve
from tests.support.projects import git, lock_of, python_in, site_of, versions_in, write_project
from tests.support.wheels import make_sdist, make_wheel, sha256_of


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A project that has no files yet."""
    return write_project(tmp_path / "shop", {})


def write(root: Path, **files: str) -> None:
    """Writes requirements files; ``lock`` and ``txt`` are ``requirements.lock`` and ``.txt``."""
    for ending, text in files.items():
        (root / f"requirements.{ending}").write_text(text)


def synced(root: Path, *flags: str) -> dict[str, str]:
    """What the environment holds after a sync, which leaves nothing for a second one."""
    ran = run("sync", *flags, cwd=root)
    assert ran.code == 0, ran.stderr
    again = run("sync", "--check", *flags, cwd=root)
    assert again.code == 0, again.stdout
    return versions_in(root)


def source_tree(folder: Path, name: str, version: str = "1.0") -> Path:
    """The unpacked sdist of ``name``: a project that builds offline."""
    with tarfile.open(make_sdist(folder / "sdists", name, version)) as archive:
        archive.extractall(folder, filter="data")
    tree = folder / f"{name}-{version}"
    return tree.rename(folder / name)


def repository(folder: Path, name: str) -> tuple[Path, str]:
    """A git repository with the project ``name``, and its only commit."""
    tree = source_tree(folder, name)
    git(tree, "init", "-q")
    git(tree, "add", ".")
    git(tree, "commit", "-qm", "one")
    return tree, git(tree, "rev-parse", "HEAD").strip()


def direct_url(root: Path, name: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(
        next(site_of(root).glob(f"{name}-*.dist-info/direct_url.json")).read_text()
    )
    return document


def test_everything_at_once_from_requirements_to_an_environment(
    root: Path, index: Index, tmp_path: Path
) -> None:
    """One freeze for all that a requirements file can ask for: freezing is what takes time."""
    for version in ("1.0", "2.0"):
        make_wheel(index.folder, "alpha", version, requires=["beta"])
        make_wheel(index.folder, "beta", version)
    make_wheel(index.folder, "gamma", extras={"fast": ["delta; python_version >= '3'"]})
    make_wheel(index.folder, "delta")
    make_sdist(index.folder, "epsilon")
    tree = source_tree(root / "libs", "zeta")
    place, commit = repository(tmp_path / "repositories", "eta")
    found = make_wheel(root / "wheels", "theta")
    write(
        root,
        txt=(
            "-c constraints.txt\n--find-links ./wheels\nalpha<2\ngamma[fast]\nepsilon\n"
            f"-e ./libs/zeta\neta @ git+file://{place}\ntheta\n"
            'iota; sys_platform == "plan9"\n'
        ),
    )
    (root / "constraints.txt").write_text("beta<2\n")

    held = synced(root)

    assert held == {
        "alpha": "1.0",
        "beta": "1.0",
        "delta": "1.0",
        "epsilon": "1.0",
        "eta": "1.0",
        "gamma": "1.0",
        "theta": "1.0",
        "zeta": "1.0",
    }
    lock = (root / "requirements.lock").read_text()
    assert commit in lock
    assert "-e ./libs/zeta" in lock
    assert str(tmp_path) not in lock.replace(str(place), "")
    assert python_in(root, "import zeta; print(zeta.__file__)") == str(tree / "zeta.py")
    assert found.exists()
    assert run("freeze", "--check", cwd=root).code == 0
    assert run("doctor", "--ignore", "VM3,VM6,VM7", cwd=root).code == 0


def rename_version(tree: Path, version: str) -> None:
    """Gives the project in ``tree`` another version than 1.0, as a person edits it."""
    for name in ("pyproject.toml", "PKG-INFO", "backend.py"):
        path = tree / name
        text = path.read_text().replace("Wheel-Version: 1.0", "Wheel-Version: {}")
        path.write_text(text.replace("1.0", version).replace("{}", "1.0"))


@pytest.mark.parametrize("line", ["-e ./libs/zeta", "./libs/zeta"])
def test_a_folder_whose_build_metadata_changes_is_installed_again(root: Path, line: str) -> None:
    tree = source_tree(root / "libs", "zeta")
    write(root, txt=f"{line}\n")
    assert synced(root) == {"zeta": "1.0"}
    rename_version(tree, "2.0")
    checked = run("sync", "--frozen", "--check", cwd=root)
    assert checked.code == 1
    assert "its build metadata changed" in checked.stdout
    assert "VM4" in run("doctor", cwd=root).stdout
    assert synced(root) == {"zeta": "2.0"}


def test_a_folder_whose_build_metadata_changes_back_and_forth_is_settled_each_time(
    root: Path,
) -> None:
    """The attic holds the same wheel by then, installed when the metadata was another."""
    tree = source_tree(root / "libs", "zeta")
    write(root, txt="-e ./libs/zeta\n")
    project = tree / "pyproject.toml"
    first = project.read_text()
    for comment in ("", "# one\n", "", "# two\n"):
        project.write_text(first + comment)
        assert synced(root) == {"zeta": "1.0"}


def test_other_files_of_a_folder_do_not_install_it_again(root: Path) -> None:
    tree = source_tree(root / "libs", "zeta")
    write(root, txt="-e ./libs/zeta\n")
    synced(root)
    (tree / "zeta.py").write_text("edited = True\n")
    (tree / "pyproject.toml").touch()
    assert run("sync", "--check", cwd=root).code == 0


def test_a_folder_that_is_gone_is_left_installed(root: Path) -> None:
    tree = source_tree(root / "libs", "zeta")
    write(root, txt="./libs/zeta\n")
    synced(root)
    tree.rename(tree.with_name("elsewhere"))
    assert run("sync", "--frozen", "--check", cwd=root).code == 0


def test_an_sdist_is_built_once_and_its_wheel_kept(root: Path, index: Index) -> None:
    sdist = make_sdist(index.folder, "src")
    write(root, txt="src\n", lock=lock_of(sdist))
    assert synced(root) == {"src": "1.0"}
    run("clean", cwd=root)
    index.requests.clear()
    assert synced(root, "--offline") == {"src": "1.0"}
    assert index.requests == []


def test_a_pinned_commit_is_installed_and_remembered(root: Path, tmp_path: Path) -> None:
    place, commit = repository(tmp_path, "eta")
    write(root, txt=f"eta @ git+file://{place}\n", lock=f"eta @ git+file://{place}@{commit}\n")
    assert synced(root, "--frozen") == {"eta": "1.0"}
    recorded = direct_url(root, "eta")
    assert recorded["vcs_info"] == {"vcs": "git", "commit_id": commit, "requested_revision": commit}


def test_another_commit_of_the_same_version_is_drift(root: Path, tmp_path: Path) -> None:
    place, first = repository(tmp_path, "eta")
    (place / "eta.py").write_text("new = True\n")
    git(place, "commit", "-qam", "two")
    second = git(place, "rev-parse", "HEAD").strip()
    write(root, txt=f"eta @ git+file://{place}\n", lock=f"eta @ git+file://{place}@{first}\n")
    synced(root, "--frozen")
    write(root, lock=f"eta @ git+file://{place}@{second}\n")
    assert run("sync", "--frozen", "--check", cwd=root).code == 1
    synced(root, "--frozen")
    assert python_in(root, "import eta; print(eta.new)") == "True"


def test_an_archive_by_url_is_checked_by_its_hash(root: Path, index: Index) -> None:
    wheel = make_wheel(index.folder, "alpha")
    url = f"{index.url}/files/{wheel.name}"
    write(root, txt=f"alpha @ {url}\n", lock=f"alpha @ {url} \\\n    --hash={sha256_of(wheel)}\n")
    assert synced(root, "--frozen") == {"alpha": "1.0"}
    assert direct_url(root, "alpha")["url"] == url
    write(root, lock=f"alpha @ {url} \\\n    --hash=sha256:{'0' * 64}\n")
    assert run("sync", "--frozen", "--recreate", cwd=root).code == 2


def test_a_local_folder_is_installed_as_a_copy(root: Path) -> None:
    tree = source_tree(root / "libs", "zeta")
    write(root, txt="./libs/zeta\n", lock="./libs/zeta\n")
    assert synced(root, "--frozen") == {"zeta": "1.0"}
    (tree / "zeta.py").write_text("changed = True\n")
    assert python_in(root, "import zeta; print(hasattr(zeta, 'changed'))") == "False"


def test_an_editable_folder_follows_its_source(root: Path) -> None:
    tree = source_tree(root / "libs", "zeta")
    write(root, txt="-e ./libs/zeta\n", lock="-e ./libs/zeta\n")
    assert synced(root, "--frozen") == {"zeta": "1.0"}
    (tree / "zeta.py").write_text("changed = True\n")
    assert python_in(root, "import zeta; print(zeta.changed)") == "True"
    assert direct_url(root, "zeta")["dir_info"] == {"editable": True}


def test_a_variable_may_stand_for_the_place_of_a_folder(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_tree(root.parent / "elsewhere", "zeta")
    monkeypatch.setenv("LIBS", str(root.parent / "elsewhere"))
    write(root, txt="-e ${LIBS}/zeta\n", lock="-e ${LIBS}/zeta\n")
    assert synced(root, "--frozen") == {"zeta": "1.0"}


def test_a_local_wheel_is_installed(root: Path) -> None:
    wheel = make_wheel(root / "wheels", "alpha")
    write(root, txt=f"./wheels/{wheel.name}\n")
    assert synced(root) == {"alpha": "1.0"}
    assert str(root) not in (root / "requirements.lock").read_text()


def test_markers_are_judged_for_the_environment(root: Path, index: Index) -> None:
    wheels = [make_wheel(index.folder, "alpha"), make_wheel(index.folder, "beta")]
    there, elsewhere = (
        lock_of(wheel).replace("==1.0 ", f'==1.0 ; os_name == "{name}" ')
        for wheel, name in zip(wheels, (os.name, "plan9"), strict=True)
    )
    write(root, txt="alpha\nbeta\n", lock=there + elsewhere)
    assert synced(root, "--frozen") == {"alpha": "1.0"}


def test_a_package_may_come_from_the_second_index(root: Path, index: Index, tmp_path: Path) -> None:
    alpha = make_wheel(index.folder, "alpha")
    with serve(tmp_path / "second") as second:
        beta = make_wheel(second.folder, "beta")
        write(root, txt=f"--extra-index-url {second.simple}\nalpha\nbeta\n")
        write(root, lock=lock_of(alpha, beta))
        assert synced(root, "--frozen") == {"alpha": "1.0", "beta": "1.0"}


def test_find_links_need_no_index(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_INDEX_URL")
    wheel = make_wheel(root / "wheels", "alpha")
    write(root, txt="--no-index\n--find-links ./wheels\nalpha\n", lock=lock_of(wheel))
    assert synced(root, "--frozen") == {"alpha": "1.0"}


def test_an_index_of_html_with_a_password_from_netrc(
    root: Path, index: Index, isolated: Path
) -> None:
    index.html_only, index.password = True, "tulip"
    (isolated / ".netrc").write_text("machine 127.0.0.1 login me password tulip\n")
    (isolated / ".netrc").chmod(0o600)
    write(root, txt="alpha\n", lock=lock_of(make_wheel(index.folder, "alpha")))
    assert synced(root, "--frozen") == {"alpha": "1.0"}


def test_a_lock_without_hashes_takes_exactly_the_build_it_names(root: Path, index: Index) -> None:
    plain = make_wheel(index.folder, "alpha", "1.0")
    make_wheel(index.folder, "alpha", "1.0+cpu")
    write(root, txt="alpha\n", lock=lock_of(plain, hashes=False))
    assert synced(root, "--frozen") == {"alpha": "1.0"}


@pytest.mark.parametrize("with_hashes", ["", "-dev"])
def test_a_lock_without_hashes_may_share_a_pin_with_one_that_has_them(
    root: Path, index: Index, with_hashes: str
) -> None:
    alpha, beta = make_wheel(index.folder, "alpha"), make_wheel(index.folder, "beta")
    for name, wheels in (("", (alpha, beta)), ("-dev", (alpha,))):
        source = f"requirements{name}.txt"
        (root / source).write_text("".join(f"{each.name.split('-')[0]}\n" for each in wheels))
        lock = lock_of(*wheels, via=f"-r {source}", hashes=name == with_hashes)
        (root / f"requirements{name}.lock").write_text(lock)
    assert synced(root, "--frozen") == {"alpha": "1.0", "beta": "1.0"}


def test_the_lock_is_one_that_pip_accepts_too(root: Path, index: Index) -> None:
    write(root, txt="alpha\n", lock=lock_of(make_wheel(index.folder, "alpha")))
    synced(root)
    done = ended(
        [
            *(root / "venv" / "bin" / "pip", "install", "--dry-run", "--require-hashes"),
            *("-r", root / "requirements.lock"),
        ]
    )
    assert done.returncode == 0, done.stderr
    assert "already satisfied" in done.stdout
