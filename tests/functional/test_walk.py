"""The walk of one sync in the page on architecture is the way that a sync takes."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.pages import ROOT
from tests.support.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.index import Index

PAGE = ROOT / "docs" / "development" / "architecture.md"
TRACER = """
import sys, threading
from pathlib import Path
import venvman
top = str(Path(venvman.__file__).parent)
called = {}
def note(frame, event, argument):
    code = frame.f_code
    if event == "call" and code.co_filename.startswith(top):
        module = code.co_filename[len(top) + 1 : -3].replace("/", ".").removesuffix(".__init__")
        called.setdefault(f"{module}:{code.co_name}")
from venvman.cli.app import main
threading.setprofile(note)
sys.setprofile(note)
code = main(["sync"])
sys.setprofile(None)
print("\\n".join(called))
sys.exit(code)
"""


def steps() -> list[str]:
    section = PAGE.read_text().split("## One sync, followed")[1].split("\n## ")[0]
    return re.findall(r"^\| `([\w.]+:[\w.]+)` \|", section, re.MULTILINE)


def test_every_function_of_the_walk_is_there() -> None:
    assert len(steps()) > 25
    for step in steps():
        module, names = step.split(":")
        found: object = importlib.import_module(f"venvman.{module}")
        for name in names.split("."):
            found = getattr(found, name)


def test_a_sync_calls_them_in_this_order(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(index.folder, "flask", requires=["click"])
    make_wheel(index.folder, "click")
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    (tmp_path / "requirements.in").write_text("flask\n")

    done = subprocess.run(
        [sys.executable, "-c", TRACER], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    called = done.stdout.splitlines()
    wanted = [re.sub(r":\w+\.", ":", step) for step in steps()]
    assert [step for step in wanted if step not in called] == []
    positions = [called.index(step) for step in wanted]
    assert [wanted[at] for at in range(len(wanted)) if positions[at] != sorted(positions)[at]] == []
