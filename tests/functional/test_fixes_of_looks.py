"""What ``status`` and the hooks say is to be done, done to the letter, leaves nothing to do.

The worlds are those of doctor's findings. A fault may hide another: so a second command may be
named after the first, and a third. What ends in advice, no shell can follow.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.functional.test_fixes import SCENARIOS
from tests.support.broken import PLACES, make_shop, shell, shell_path_in, stand
from tests.support.cli import Ran, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.index import Index

    Break = Callable[[Path], object]

ROUNDS = 3


@pytest.fixture(scope="module")
def shell_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which ``venvman`` is this one."""
    return shell_path_in(tmp_path_factory.mktemp("bin"))


@pytest.fixture
def root(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
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
    place: str, break_it: Break, root: Path, shell_path: str
) -> None:
    break_it(root)
    cwd, flags = stand(place, root)
    last = followed(lambda: run("status", *flags, cwd=cwd), r"^ *Next: (.*)$", cwd, shell_path)
    if last.code:  # advice
        assert re.search(r"[.:]", last.stdout + last.stderr)


@worlds
@pytest.mark.sample(8, "slow", offset=4)
def test_what_a_hook_names_is_all_there_is_to_do(
    place: str, break_it: Break, root: Path, shell_path: str
) -> None:
    del place
    break_it(root)
    top = root.parent  # where git runs its hooks
    last = followed(
        lambda: run("hooks", "run", "post-checkout", cwd=top),
        r"^venvman: .*; '(.*)' fixes it$",
        top,
        shell_path,
    )
    assert last.code == 0
