"""What a target installs of several locks: markers applied, agreement demanded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from venvman.errors import LockError
from venvman.lock.parse import parse_lock
from venvman.lock.selection import select
from venvman.target import Target

if TYPE_CHECKING:
    from venvman.lock.file import Lock

TARGET = Target(
    python="3.11.7", markers=(("python_version", "3.11"), ("sys_platform", "linux")), tags=()
)


def lock(text: str, path: str = "a.txt") -> Lock:
    return parse_lock(text, path=path)


def test_only_lines_whose_marker_holds_are_selected() -> None:
    text = (
        "b==1.0 ; sys_platform == 'linux'\nb==2.0 ; sys_platform == 'win32'\n"
        "a==1.0\nc==1.0 ; python_version < '3'\n"
    )
    chosen = select([("a.txt", lock(text))], TARGET)
    assert [(entry.name, str(entry.version)) for entry in chosen] == [("a", "1.0"), ("b", "1.0")]


def test_what_two_locks_say_of_one_pin_is_united() -> None:
    first = lock("a[x]==1.0 --hash=sha256:aa\n    # via -r a.in\n")
    second = lock("a[y]==1.0 --hash=sha256:bb\n    # via flask\n")
    (entry,) = select([("a.txt", first), ("dev.txt", second)], TARGET)
    assert entry.extras == {"x", "y"}
    assert entry.hashes == ("sha256:aa", "sha256:bb")
    assert entry.via == ("-r a.in", "flask")


def test_disagreement_names_both_files_and_lines_for_every_name() -> None:
    first = lock("# x\na==1.0\nb @ https://u:secret@e.org/b.zip\nc==1\n")
    second = lock("a==2.0\nb==1.0\nc==1\n", "dev.txt")
    with pytest.raises(LockError) as caught:
        select([("a.txt", first), ("dev.txt", second)], TARGET)
    assert caught.value.code == "lock-disagreement"
    assert [problem.message for problem in caught.value.problems] == [
        "dev.txt:1 pins a 2.0, but a.txt:2 pins a 1.0.",
        "dev.txt:2 pins b 1.0, but a.txt:3 pins b from https://****@e.org/b.zip.",
    ]


def test_one_lock_that_pins_a_name_twice_disagrees_with_itself() -> None:
    text = "a==1.0 ; sys_platform == 'linux'\na==2.0 ; python_version > '3'\n"
    with pytest.raises(LockError):
        select([("a.txt", lock(text))], TARGET)


def test_nothing_is_selected_from_an_empty_lock() -> None:
    assert select([("a.txt", lock(""))], TARGET) == ()
    assert Version("1") == lock("a==1\n").entries[0].version
