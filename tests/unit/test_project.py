from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from venvman.model.errors import ProjectNotFound
from venvman.project.find import find_project, find_workspace
from venvman.project.project import Project, requirement_names


def write(root: Path, *names: str, text: str = "a\n") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def found(top: Path) -> list[str]:
    return [project.root.relative_to(top).as_posix() for project in find_workspace(top)]


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "requirements.in",
        "requirements-dev.txt",
        "requirements_dev.in",
        "requirements.dev.txt",
        "dev-requirements.txt",
        "dev_requirements.txt",
        "requirements/base.txt",
    ],
)
def test_a_folder_with_such_a_file_is_a_project(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    (tmp_path / "src/deep").mkdir(parents=True)
    assert find_project(tmp_path / "src/deep", home=tmp_path).root == tmp_path


@pytest.mark.parametrize("name", ["constraints.txt", "notes.txt", "MANIFEST.in", "dev.in", "x.py"])
def test_a_folder_with_other_files_is_none(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    with pytest.raises(ProjectNotFound):
        find_project(tmp_path, home=tmp_path)


def test_a_table_in_pyproject_makes_a_project(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", text='[tool.venvman]\nvenv = "env"\n')
    assert find_project(tmp_path, home=tmp_path).root == tmp_path


def test_a_broken_table_still_makes_a_project_so_that_the_settings_can_say_so(
    tmp_path: Path,
) -> None:
    write(tmp_path, "pyproject.toml", text="[tool.venvman\n")
    assert find_project(tmp_path, home=tmp_path).root == tmp_path


@pytest.mark.parametrize("text", ["[tool.poetry]\nname = 'venvman-x'\n", "[tool.ruff]\n"])
def test_a_pyproject_without_the_tables_makes_none(tmp_path: Path, text: str) -> None:
    write(tmp_path, "pyproject.toml", text=text)
    with pytest.raises(ProjectNotFound):
        find_project(tmp_path, home=tmp_path)


@pytest.mark.parametrize("text", ["[project]\nname = 'shop'\n", "[dependency-groups]\ndev = []\n"])
def test_a_pyproject_that_declares_makes_one_where_nothing_else_does(
    tmp_path: Path, text: str
) -> None:
    write(tmp_path, "sub/pyproject.toml", text=text)
    assert find_project(tmp_path / "sub", home=tmp_path).root == tmp_path / "sub"
    write(tmp_path, "requirements.txt")
    assert find_project(tmp_path / "sub", home=tmp_path).root == tmp_path


def test_a_pyproject_above_a_workspace_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", text="[project]\nname = 'shop'\n")
    write(tmp_path, "a/requirements.txt")
    (tmp_path / ".git").mkdir()
    with pytest.raises(ProjectNotFound):
        find_project(tmp_path, home=tmp_path)


def test_a_pyproject_that_asks_for_something_is_a_project_whatever_lies_below(
    tmp_path: Path,
) -> None:
    write(tmp_path, "pyproject.toml", text="[project]\nname = 'shop'\ndependencies = ['six']\n")
    write(tmp_path, "docs/requirements.txt")
    (tmp_path / ".git").mkdir()
    assert find_project(tmp_path, home=tmp_path).root == tmp_path
    assert find_project(tmp_path / "docs", home=tmp_path).root == tmp_path / "docs"


def test_a_folder_named_requirements_is_never_a_root(tmp_path: Path) -> None:
    write(tmp_path, "requirements/requirements.txt")
    assert find_project(tmp_path / "requirements", home=tmp_path).root == tmp_path


def test_the_nearest_project_wins(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "sub/requirements.txt")
    assert find_project(tmp_path / "sub", home=tmp_path).root == tmp_path / "sub"


def test_the_walk_never_passes_the_git_root(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "repo/src/x.py")
    (tmp_path / "repo/.git").mkdir()
    with pytest.raises(ProjectNotFound) as raised:
        find_project(tmp_path / "repo/src", home=tmp_path)
    assert f"up to {tmp_path}/repo." in str(raised.value)


def test_the_walk_never_passes_the_home_folder(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "home/work/x.py")
    with pytest.raises(ProjectNotFound):
        find_project(tmp_path / "home/work", home=tmp_path / "home")


def test_an_explicit_folder_is_where_the_walk_begins(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "sub/requirements.txt", "sub/deep/x")
    explicit = Path("sub/deep")
    assert find_project(tmp_path, home=tmp_path, explicit=explicit).root == tmp_path / "sub"


def test_an_explicit_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt")
    with pytest.raises(ProjectNotFound, match=r"requirements\.txt is not a folder"):
        find_project(tmp_path, home=tmp_path, explicit=Path("requirements.txt"))


def test_the_git_root_of_a_project_is_known(tmp_path: Path) -> None:
    write(tmp_path, "sub/requirements.txt")
    (tmp_path / ".git").write_text("gitdir: elsewhere\n")
    assert find_project(tmp_path / "sub", home=tmp_path).git_root == tmp_path


def test_paths_are_shown_relative_to_the_root_and_absolute_outside(tmp_path: Path) -> None:
    project = Project(root=tmp_path / "a")
    assert project.display(tmp_path / "a/b/c.txt") == "b/c.txt"
    assert project.display(tmp_path / "x.txt") == (tmp_path / "x.txt").as_posix()


def test_a_workspace_is_every_project_below(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "b/requirements.in", "a/x/requirements/dev.txt", "c/x.py")
    assert found(tmp_path) == [".", "a/x", "b"]


def test_a_workspace_that_is_a_requirements_folder_is_no_project(tmp_path: Path) -> None:
    write(tmp_path, "requirements/requirements.txt")
    assert found(tmp_path / "requirements") == []


def test_environments_and_packages_of_others_are_not_entered(tmp_path: Path) -> None:
    write(tmp_path, "env/pyvenv.cfg", "env/lib/x/requirements.txt")
    write(tmp_path, "node_modules/x/requirements.txt", ".git/x/requirements.txt")
    assert found(tmp_path) == []


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "a/requirements.txt")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "a/loop").symlink_to(tmp_path)
    assert found(tmp_path) == ["a"]


def test_gitignore_is_honoured_as_git_does(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    write(tmp_path, ".gitignore", text="build/\n/top\nignored.txt\n*-requirements.txt\n")
    write(tmp_path, "sub/.gitignore", text="!build/\nout\n")
    write(tmp_path, "build/requirements.txt", "top/requirements.txt", "sub/top/requirements.txt")
    write(tmp_path, "sub/build/requirements.txt", "sub/out/requirements.txt")
    write(tmp_path, "only/dev-requirements.txt")
    assert found(tmp_path) == ["sub/build", "sub/top"]


def test_gitignore_above_the_top_counts_too(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, ".gitignore", text="/a/b/skipped\n")
    write(tmp_path, "a/.gitignore", text="other\n")
    write(tmp_path, "a/b/skipped/requirements.txt", "a/b/other/requirements.txt")
    write(tmp_path, "a/b/kept/requirements.txt")
    assert found(tmp_path / "a/b") == ["kept"]
    assert find_workspace(tmp_path / "a/b")[0].git_root == tmp_path


def test_a_repository_inside_has_its_own_git_root(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, "sub/requirements.txt")
    (tmp_path / "sub/.git").mkdir()
    assert find_workspace(tmp_path)[0].git_root == tmp_path / "sub"


def test_hidden_folders_and_templates_hold_no_project(tmp_path: Path) -> None:
    write(tmp_path, ".cookiecutter/includes/requirements/dev.in", ".github/requirements.txt")
    write(tmp_path, "{{cookiecutter.slug}}/requirements.txt", "{{ name }}/a/requirements.in")
    write(tmp_path, "x/requirements-{{cookiecutter.slug}}.txt")
    assert found(tmp_path) == []


def test_what_the_setting_excludes_holds_no_project(tmp_path: Path) -> None:
    write(tmp_path, "a/requirements.txt", "b/c/requirements.txt", "d/b/c/requirements.txt")
    write(tmp_path, "d/e/requirements.txt")
    said = {tmp_path: ["/b/*", "a"], tmp_path / "d": ["e"]}
    below = find_workspace(tmp_path, excluded=lambda folder: said.get(folder, ()))
    assert [each.root for each in below] == [tmp_path / "d/b/c"]


def test_a_linked_requirements_folder_is_the_project_that_it_lies_in(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, "requirements/base.txt", "service/requirements/dev.in", "docker/x")
    (tmp_path / "docker/requirements").symlink_to("../requirements")
    (tmp_path / "image").mkdir()
    (tmp_path / "image/requirements.txt").symlink_to("../requirements/base.txt")
    (tmp_path / "service/other").mkdir()
    (tmp_path / "service/other/requirements").symlink_to("../requirements")
    assert found(tmp_path) == [".", "service"]
    assert find_project(tmp_path / "docker", home=tmp_path).root == tmp_path
    assert find_project(tmp_path / "service/other", home=tmp_path).root == tmp_path / "service"


def test_a_link_beside_files_of_its_own_adds_nothing_to_a_project(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, "requirements/base.txt", "docker/requirements.txt")
    (tmp_path / "docker/requirements").symlink_to("../requirements")
    assert found(tmp_path) == [".", "docker"]
    assert requirement_names(tmp_path / "docker") == ("requirements.txt",)


def test_a_link_out_of_the_repository_or_within_the_project_is_the_projects_own(
    tmp_path: Path,
) -> None:
    write(tmp_path, "shared/requirements/base.txt", "repo/deps/dev.txt")
    (tmp_path / "repo/.git").mkdir()
    (tmp_path / "repo/a").mkdir()
    (tmp_path / "repo/a/requirements").symlink_to(tmp_path / "shared/requirements")
    (tmp_path / "repo/requirements").symlink_to("deps")
    assert found(tmp_path / "repo") == [".", "a"]


def test_tracked_files_are_seen_although_they_are_ignored(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    write(tmp_path, ".gitignore", text="/ext\nlocal-requirements.txt\n")
    write(tmp_path, "ext/a/requirements.txt", "ext/b/requirements.txt")
    write(tmp_path, "c/local-requirements.txt", "d/local-requirements.txt")
    tracked = ["ext/a/requirements.txt", "c/local-requirements.txt"]
    subprocess.run(["git", "-C", str(tmp_path), "add", "-f", *tracked], check=True)
    below = find_workspace(tmp_path, variables=dict(os.environ))
    assert [each.root.relative_to(tmp_path).as_posix() for each in below] == ["c", "ext/a"]


@pytest.mark.parametrize(
    ("name", "tool"), [("uv.lock", "uv"), ("poetry.lock", "Poetry"), ("Pipfile", "Pipenv")]
)
def test_a_project_of_another_tool_is_not_told_to_start_requirements(
    tmp_path: Path, name: str, tool: str
) -> None:
    write(tmp_path, "pyproject.toml", text="[tool.poetry]\n")
    write(tmp_path, name)
    with pytest.raises(ProjectNotFound) as raised:
        find_project(tmp_path, home=tmp_path)
    assert f"There is {name}, which is for {tool}." in (raised.value.why or "")
    assert "venvman add" not in str(raised.value.fix)


def test_a_loop_of_links_hides_no_file_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt")
    (tmp_path / "venv").symlink_to("venv")
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    assert requirement_names(tmp_path) == ("requirements.txt",)
