"""Freezing what is installed pins what requirements need, and names what none asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.groups import HERE, groups_of
from tests.support.locked import installed
from venvman.environment.inventory import Inventory
from venvman.lock.file import LockHeader
from venvman.lock.render import render_lock
from venvman.sources import DirectorySource
from venvman.workflow.installed import InstalledLocks, lock_installed

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.environment.inventory import Installed

REQUIRES = {
    "flask": ["jinja2>=2", "asgiref ; extra == 'async'", "win ; sys_platform == 'plan9'"],
    "jinja2": ["markupsafe", "flask", "not-installed"],
}


def locked(
    root: Path, files: dict[str, str], *distributions: Installed, hashed: bool = False
) -> InstalledLocks:
    groups = tuple(groups_of(root, files).values())

    def requires(one: Installed) -> list[str]:
        return REQUIRES.get(one.name, [])

    def hashes(one: Installed) -> list[str]:
        return [f"sha256:{one.name}"]

    return lock_installed(
        Inventory(distributions=distributions),
        groups,
        target=HERE,
        root=root,
        headers={group.name: LockHeader(text="# made") for group in groups},
        requires=requires,
        hashes=hashes if hashed else None,
    )


HELD = tuple(
    installed(name) for name in ("asgiref", "flask", "jinja2", "markupsafe", "pip", "stray")
)


def test_the_closure_is_pinned_as_installed_with_its_reasons(tmp_path: Path) -> None:
    files = {"requirements.txt": "flask\n-c c.txt\n", "c.txt": "jinja2<9\nother<1\n"}
    result = locked(tmp_path, files, *HELD)
    assert render_lock(result.locks["default"]) == (
        "# made\nflask==1.0\n    # via\n    #   -r requirements.txt\n    #   jinja2\n"
        "jinja2==1.0\n    # via\n    #   -c c.txt\n    #   flask\n"
        "markupsafe==1.0\n    # via jinja2\n"
    )


def test_extras_bring_what_they_add(tmp_path: Path) -> None:
    files = {"requirements.txt": "Flask[async]\nwin ; sys_platform == 'plan9'\n"}
    result = locked(tmp_path, files, *HELD, hashed=True)
    by_name = {entry.name: entry for entry in result.locks["default"].entries}
    assert by_name.keys() == {"asgiref", "flask", "jinja2", "markupsafe"}
    assert all(entry.hashes == (f"sha256:{name}",) for name, entry in by_name.items())


def test_what_no_requirement_asks_for_is_named_and_left_out(tmp_path: Path) -> None:
    result = locked(tmp_path, {"requirements.txt": "flask\n"}, *HELD)
    assert [one.name for one in result.unasked] == ["asgiref", "stray"]
    assert [problem.message for problem in result.problems] == [
        "asgiref 1.0 is installed, but no requirement asks for it; it is not locked.",
        "stray 1.0 is installed, but no requirement asks for it; it is not locked.",
    ]


def test_a_requirement_that_is_not_met_is_named_with_its_line(tmp_path: Path) -> None:
    files = {"requirements.txt": "\nflask>=2\nabsent\n"}
    result = locked(tmp_path, files, installed("flask"), installed("broken", None, damage="gone"))
    assert [(p.code, p.line) for p in result.problems] == [
        ("installed-misses-requirement", 2),
        ("installed-misses-requirement", 3),
        ("installed-unasked", None),
    ]


def test_local_projects_are_pinned_by_their_relative_folder(tmp_path: Path) -> None:
    source = DirectorySource(path=str(tmp_path / "app"), editable=True)
    result = locked(
        tmp_path,
        {"requirements.txt": "-e ./app\n", "app/setup.py": ""},
        installed("app", source=source),
        hashed=True,
    )
    assert render_lock(result.locks["default"]) == (
        "# made\n-e ./app\n    # name: app\n    # via -r requirements.txt\n"
    )
