"""A project whose lock changes as with ``git checkout``, synced in full or by a switch."""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

from tests.support.cli import Ran, inside, run
from tests.support.projects import lock_of, site_of, write_project
from tests.support.wheels import make_wheel
from tests.transactions.world import contents, left_over
from venvman.cli.remembered import tell
from venvman.environment.record import parse_record
from venvman.install.fastpath import NotTaken, switch
from venvman.workflow.hooking import FROZEN

WORDS = ("sync", "--frozen")


class Branches:
    """``main`` and ``work`` differ in every way that two locks can; ``other`` has some of both."""

    def __init__(self, root: Path, wheels: Path) -> None:
        shared = {"ns/__init__.py": "shared"}
        nested = {"nest/__init__.py": "", "nest/_vendor/lib-1.0.dist-info/METADATA": "Name: lib"}
        one, two, three, four, five, six, nest, space, new_one, new_space, new_nest = (
            make_wheel(wheels, "one", files={"one/__init__.py": "V = 1", "one/a/b.py": "old"}),
            make_wheel(wheels, "two", files={"two.py": "V = 2"}, scripts={"two": "two:main"}),
            make_wheel(wheels, "three", files={"three/__init__.py": "3", "deep/three/x.py": ""}),
            make_wheel(wheels, "four", files={"four-1.0.data/data/share/doc/four.txt": "4"}),
            make_wheel(wheels, "five", files={"deep/five.py": "5"}),
            make_wheel(wheels, "six", files={**shared, "ns/six.py": "6"}),
            make_wheel(wheels, "nest", files=nested),
            make_wheel(wheels, "space", files={"space/core/a.py": ""}),
            make_wheel(wheels, "one", "2.0", files={"one/__init__.py": "V = 9", "one/a/c.py": ""}),
            make_wheel(wheels, "space", "2.0", files={"space/core/b.py": "", "deep/space.py": ""}),
            make_wheel(wheels, "nest", "2.0", files={**nested, "nest/more.py": ""}),
        )
        seven = make_wheel(wheels, "seven", files={**shared, "ns/seven.py": "7"})
        self.locks = {
            "main": lock_of(one, two, five, space, nest),
            "work": lock_of(new_one, three, four, new_space, new_nest),
            "other": lock_of(one, three, two),
            "sharing": lock_of(one, six, seven),
        }
        wishes = "one\n"
        self.root = write_project(root, {"requirements.txt": wishes})

    @property
    def venv(self) -> Path:
        return self.root / "venv"

    @property
    def site(self) -> Path:
        return site_of(self.root)

    def checkout(self, branch: str) -> None:
        """Writes the branch's lock, and waits until its time can be told from that of a look."""
        (self.root / "requirements.lock").write_text(self.locks[branch])
        time.sleep(0.012)

    def full(self, *words: str) -> Ran:
        """The sync that plans; it writes down the state."""
        ran = run(*WORDS, *words, cwd=self.root)
        assert ran.code == 0, ran.stdout + ran.stderr
        return ran

    def switch(self, *words: str, observe: Callable[[str], None] | None = None) -> str | None:
        """What is said without a full sync; None if that is needed."""
        if observe is not None:
            done = switch(FROZEN, os.environ, str(self.root), observe=observe)
            return None if isinstance(done, NotTaken) else str(done.changes)
        out = io.StringIO()
        with inside(self.root), redirect_stdout(out):
            code = tell([*WORDS, *words], os.environ)
        return None if code is None else out.getvalue()

    def is_remembered(self) -> bool:
        """Whether the next sync is answered without a look at what is installed."""
        with mock.patch("venvman.cli.remembered._switch", return_value=None):
            return self.switch() is not None

    def sync(self, branch: str) -> bool:
        """As the program does it; whether a switch was enough."""
        self.checkout(branch)
        return self.sync_as_found()

    def sync_as_found(self) -> bool:
        """The same with the lock that is there."""
        if self.switch() is not None:
            return True
        self.full()
        return False

    def contents(self) -> dict[str, str]:
        return contents(self.venv)

    def left_over(self) -> list[str]:
        return left_over(self.venv)

    def forget(self) -> None:
        shutil.rmtree(self.venv)


def uninstall(site: Path, name: str) -> None:
    """As pip does it: every file of RECORD, then the folders that are empty."""
    info = site / f"{name}.dist-info"
    for row in parse_record((info / "RECORD").read_text()).rows:
        path = site / row.path
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == site or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()
