"""A pylock.toml (PEP 751) is a lock like any other: written, judged, installed, gone back to."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from packaging.markers import Environment
from packaging.pylock import PackageSdist, PackageWheel, Pylock
from packaging.specifiers import SpecifierSet
from packaging.tags import parse_tag

from tests.support.cli import run, run_process
from tests.support.index import Index
from tests.support.projects import git, versions_in, write_project
from tests.support.wheels import make_sdist, make_wheel, sha256_of
from venvman.index.candidates import Candidates, project_of
from venvman.lock.file import select
from venvman.lock.pylock import parse_pylock
from venvman.model.options import IndexOptions
from venvman.python.targets import expand
from venvman.system.reading import read_toml

SETTING = '[tool.venvman]\nlock-format = "pylock"\n'


@pytest.fixture(autouse=True)
def shelf(index: Index) -> None:
    make_wheel(index.folder, "alpha", requires=["beta"])
    make_wheel(index.folder, "beta")
    make_sdist(index.folder, "beta")
    make_wheel(index.folder, "gamma")


def project(root: Path, **more: str) -> Path:
    files = {"requirements.in": "alpha\n", "pyproject.toml": SETTING}
    return write_project(root, files | {name.replace("__", "."): more[name] for name in more})


def of_another_tool(*wheels: Path, url: str, tool: str = "pip") -> str:
    packages = [
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\n'
        f'wheels = [{{ url = "{url}/files/{wheel.name}", '
        f'hashes = {{ sha256 = "{sha256_of(wheel).removeprefix("sha256:")}" }} }}]\n'
        for wheel in wheels
        for name, version in [wheel.name.split("-")[:2]]
    ]
    return "\n".join([f'lock-version = "1.0"\ncreated-by = "{tool}"\n', *packages])


def test_the_setting_makes_sync_write_one_and_the_second_sync_do_nothing(tmp_path: Path) -> None:
    root = project(tmp_path / "p")
    assert run("sync", cwd=root).code == 0
    assert versions_in(root) == {"alpha": "1.0", "beta": "1.0"}
    assert "Nothing to do" in run("sync", cwd=root).stdout
    assert not (root / "requirements.txt").exists()

    assert run("freeze", "--check", cwd=root).code == 0
    assert run("status", cwd=root).code == 0
    assert run("doctor", cwd=root).code == 0
    files = run("scan", "--format", "json", cwd=root).json["data"]["projects"][0]["files"]
    (lock,) = [each for each in files if each["path"] == "pylock.toml"]
    assert [(each["name"], each["line"]) for each in lock["requirements"]] == [
        ("alpha", 5),
        ("beta", 18),
    ]


def test_it_is_stale_once_the_requirements_say_more(tmp_path: Path) -> None:
    root = project(tmp_path / "p")
    run("sync", cwd=root)
    (root / "requirements.in").write_text("alpha\ngamma\n")
    stale = run("freeze", "--check", "--format", "json", cwd=root)
    assert (stale.code, stale.json["problems"][0]["code"]) == (1, "lock-misses-requirement")
    assert run("status", cwd=root).code == 1
    assert run("sync", "--locked", cwd=root).code == 1
    assert run("sync", cwd=root).code == 0
    assert versions_in(root) == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}


def test_a_pin_that_nothing_asks_for_any_more_is_seen(tmp_path: Path) -> None:
    root = project(tmp_path / "p")
    run("sync", cwd=root)
    (root / "requirements.in").write_text("beta\n")
    codes = [
        each["code"]
        for each in run("freeze", "--check", "--format", "json", cwd=root).json["problems"]
    ]
    assert "lock-pins-unasked" in codes


def test_freezing_again_asks_no_index_and_changes_no_byte(tmp_path: Path, index: Index) -> None:
    root = project(tmp_path / "p")
    run("freeze", cwd=root)
    before = (root / "pylock.toml").read_bytes()
    assert b"beta-1.0.tar.gz" in before
    (root / "requirements.in").write_text("alpha>=1\n")
    index.requests.clear()
    assert run("freeze", cwd=root).code == 0
    assert (root / "pylock.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("before", "after"), [("requirements", "pylock"), ("pylock", "requirements")]
)
def test_another_format_keeps_the_pins(
    before: str, after: str, tmp_path: Path, index: Index
) -> None:
    table = '[tool.venvman]\nlock-format = "{}"\n'
    root = project(tmp_path / "p", pyproject__toml=table.format(before))
    run("freeze", cwd=root)
    make_wheel(index.folder, "beta", "2.0")
    (root / "pyproject.toml").write_text(table.format(after))
    assert run("freeze", cwd=root).code == 0
    locks = run("diff", "requirements.txt", "pylock.toml", "--format", "json", cwd=root)
    assert locks.code == 0, locks.stdout
    pinned = (root / ("pylock.toml" if after == "pylock" else "requirements.txt")).read_text()
    assert "2.0" not in pinned


def test_groups_have_files_of_their_own(tmp_path: Path) -> None:
    root = project(tmp_path / "p", requirements_dev__in="")
    (root / "requirements-dev.in").write_text("gamma\n")
    assert run("sync", cwd=root).code == 0
    assert (root / "pylock.dev.toml").is_file()
    assert versions_in(root) == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}


def test_one_lock_for_several_targets_has_markers_and_is_synced(
    tmp_path: Path, index: Index
) -> None:
    root = project(tmp_path / "p")
    (root / "requirements.in").write_text('alpha\ngamma; sys_platform == "win32"\n')
    done = run("freeze", "--target", "linux:3.10-3.13", "--target", "windows:3.12", cwd=root)
    assert done.code == 0, done.stderr
    text = (root / "pylock.toml").read_text()
    assert 'marker = "sys_platform == \\"win32\\""' in text
    assert 'requires-python = ">=3.10"' in text
    assert run("sync", cwd=root).code == 0
    assert versions_in(root) == {"alpha": "1.0", "beta": "1.0"}
    assert run("freeze", "--check", cwd=root).code == 0


@pytest.mark.parametrize("tool", ["pip", "uv", "pdm", "pipenv"])
def test_the_only_lock_is_installed_whoever_made_it_from_its_urls(
    tool: str, tmp_path: Path, index: Index
) -> None:
    wheels = [index.folder / f"{name}-1.0-py3-none-any.whl" for name in ("alpha", "beta")]
    root = write_project(
        tmp_path / "p", {"pylock.toml": of_another_tool(*wheels, url=index.url, tool=tool)}
    )
    assert run("sync", cwd=root).code == 0
    assert versions_in(root) == {"alpha": "1.0", "beta": "1.0"}
    assert not [each for each in index.requests if "/simple/" in each.path]
    assert "Nothing to do" in run("sync", cwd=root).stdout
    assert run("status", cwd=root).code == 0
    refused = run("freeze", cwd=root)
    assert refused.code == 2
    assert f"made by {tool}" in refused.stderr


def test_a_file_that_is_not_what_the_lock_says_is_refused(tmp_path: Path, index: Index) -> None:
    wheel = index.folder / "beta-1.0-py3-none-any.whl"
    text = of_another_tool(wheel, url=index.url)
    text = text.replace(sha256_of(wheel).removeprefix("sha256:"), "0" * 64)
    root = write_project(tmp_path / "p", {"pylock.toml": text})
    done = run("sync", "--format", "json", cwd=root)
    assert (done.code, done.json["problems"][0]["code"]) == (2, "hash-mismatch")


def test_beside_requirements_it_is_judged_and_replaced_only_with_yes(
    tmp_path: Path, index: Index
) -> None:
    wheels = [index.folder / f"{name}-1.0-py3-none-any.whl" for name in ("alpha", "beta")]
    root = write_project(
        tmp_path / "p",
        {"requirements.in": "alpha\n", "pylock.toml": of_another_tool(*wheels, url=index.url)},
    )
    assert run("freeze", "--check", cwd=root).code == 0
    assert run("sync", cwd=root).code == 0
    assert not (root / "requirements.txt").exists()

    (root / "requirements.in").write_text("alpha\ngamma\n")
    assert run("freeze", "--check", cwd=root).code == 1
    before = (root / "pylock.toml").read_text()
    refused = run("freeze", "--format", "json", cwd=root)
    assert (refused.code, refused.json["problems"][0]["code"]) == (2, "lock-in-the-way")
    assert (root / "pylock.toml").read_text() == before
    assert run("freeze", "--yes", cwd=root).code == 0
    assert 'created-by = "venvman"' in (root / "pylock.toml").read_text()
    assert run("freeze", "--check", cwd=root).code == 0


def test_beside_another_lock_it_is_nobodys(tmp_path: Path, index: Index) -> None:
    root = write_project(tmp_path / "p", {"requirements.in": "gamma\n"})
    run("freeze", cwd=root)
    wheel = index.folder / "beta-1.0-py3-none-any.whl"
    (root / "pylock.toml").write_text(of_another_tool(wheel, url=index.url))
    assert run("sync", cwd=root).code == 0
    assert versions_in(root) == {"gamma": "1.0"}


def test_a_bad_one_is_refused_with_its_line_and_nothing_is_changed(tmp_path: Path) -> None:
    root = project(tmp_path / "p")
    run("sync", cwd=root)
    text = (root / "pylock.toml").read_text().replace('\nversion = "1.0"', "\nversion = 1", 1)
    (root / "pylock.toml").write_text(text)
    for command in (("sync",), ("freeze", "--check"), ("status",), ("tree",)):
        done = run(*command, "--format", "json", cwd=root)
        problem = done.json["problems"][0]
        assert (problem["code"], problem["path"], problem["line"]) == (
            "lock-faulty",
            "pylock.toml",
            6,
        ), command
    assert run("freeze", "--yes", cwd=root).code == 0
    assert run("freeze", "--check", cwd=root).code == 0


def test_it_is_compared_with_what_git_has_and_gone_back_to(tmp_path: Path) -> None:
    root = project(tmp_path / "p", _gitignore="venv/\n")
    (root / ".git").rmdir()
    git(root, "init", "-q")
    run("sync", cwd=root)
    git(root, "add", "-A")
    git(root, "-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "x")
    assert run("add", "gamma", cwd=root).code == 0
    (row,) = run("diff", "HEAD", "--format", "json", cwd=root).json["data"]["locks"]
    assert [each["name"] for each in row["added"]] == ["gamma"]
    assert run("rollback", "--with-lock", cwd=root).code == 0
    assert versions_in(root) == {"alpha": "1.0", "beta": "1.0"}
    assert 'name = "gamma"' not in (root / "pylock.toml").read_text()


def test_the_hook_refuses_a_commit_with_a_stale_one(tmp_path: Path) -> None:
    root = project(tmp_path / "p")
    (root / ".git").rmdir()
    git(root, "init", "-q")
    run("freeze", cwd=root)
    git(root, "add", "requirements.in", "pylock.toml", "pyproject.toml")
    assert run("hooks", "run", "pre-commit", cwd=root).code == 0
    (root / "requirements.in").write_text("alpha\ngamma\n")
    git(root, "add", "requirements.in")
    assert run("hooks", "run", "pre-commit", cwd=root).code != 0


def test_on_each_of_twelve_targets_packaging_selects_the_same_files(
    tmp_path: Path, index: Index
) -> None:
    """What packaging's own reading of the standard installs is what venvman does."""
    for python in ("310", "311", "312", "313"):
        for platform in ("manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64"):
            make_wheel(index.folder, "native", tag=f"cp{python}-cp{python}-{platform}")
    make_sdist(index.folder, "native")
    make_wheel(index.folder, "native", tag="cp310-abi3-win_amd64")
    for version in ("1.0", "2.0"):
        needs = ">=3.12" if version == "2.0" else ">=3.8"
        make_wheel(index.folder, "moving", version, requires_python=needs)
    root = project(tmp_path / "p")
    (root / "requirements.in").write_text(
        'alpha\nnative\nmoving\ngamma; sys_platform == "win32" and python_version < "3.12"\n'
    )
    names = ("linux:3.10-3.13", "macos:3.10-3.13", "windows:3.10-3.13")
    flags = [word for name in names for word in ("--target", name)]
    assert run("freeze", *flags, cwd=root).code == 0

    text = (root / "pylock.toml").read_text()
    theirs = Pylock.from_dict(read_toml(text))
    ours = parse_pylock(text, path="pylock.toml", root=root)
    targets = expand(names, requires_python=None, current=(3, 11))
    assert len(targets) == 12
    for target in targets:
        tags = [tag for each in target.tags for tag in parse_tag(each)]
        expected = {
            str(package.name): chosen.filename
            for package, chosen in theirs.select(
                environment=cast("Environment", dict(target.markers)), tags=tags
            )
            if isinstance(chosen, PackageWheel | PackageSdist)
        }
        found: dict[str, str] = {}
        for entry in select([("pylock.toml", ours)], target):
            files = project_of(entry.name, entry.files)
            candidates = Candidates(files, target=target, options=IndexOptions())
            found[entry.name] = next(candidates.matching(SpecifierSet())).file.filename
        assert found == expected, target.python


def test_an_answer_is_not_remembered_past_a_change_of_it(tmp_path: Path, index: Index) -> None:
    make_wheel(index.folder, "gamma", "0.9")
    root = write_project(tmp_path / "p", {"requirements.in": "gamma\n"})
    wheels = [index.folder / f"gamma-{version}-py3-none-any.whl" for version in ("0.9", "1.0")]
    for wheel in wheels:
        (root / "pylock.toml").write_text(of_another_tool(wheel, url=index.url))
        assert run_process("sync", cwd=root).code == 0
        assert "Nothing to do" in run_process("sync", cwd=root).stdout
        assert run_process("status", cwd=root).code == 0
    assert versions_in(root) == {"gamma": "1.0"}


def test_a_bad_lock_of_another_tool_names_that_tools_way_to_make_it_again(tmp_path: Path) -> None:
    text = 'lock-version = "9"\ncreated-by = "uv"\npackages = []\n'
    command = "uv export --format pylock.toml -o pylock.toml"
    of_uv = (
        f"# This file was autogenerated by uv via the following command:\n#    {command}\n{text}"
    )
    for lock, fix in ((of_uv, command), (text.replace("uv", "pip"), None)):
        (tmp_path / "p/pylock.toml").unlink(missing_ok=True)
        root = write_project(tmp_path / "p", {"pylock.toml": lock})
        (problem,) = run("sync", "--format", "json", cwd=root).json["problems"]
        assert (problem["code"], problem["fix"]) == ("lock-faulty", fix)
        assert fix or "Have pip write it again" in problem["advice"]
