"""Puts the walk of one sync in the page on architecture into the order in which it is gone.

    python -m tools.walk

A sync is traced, against an index of this machine; what is no longer called is named, with 1. Each
step is a link to its file, and there to the function, by its text: lines move.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.index import serve
from tests.support.wheels import make_wheel

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "development" / "architecture.md"
ROW = re.compile(r"^\| \[?`([\w.]+:[\w.]+)`(?:\]\(\S+\))? \|(.*\n)", re.MULTILINE)
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


def section(text: str) -> str:
    """The walk, of the page's whole ``text``."""
    return text.split("## One sync, followed")[1].split("\n## ", maxsplit=1)[0]


def steps(text: str) -> list[str]:
    """The functions of the walk: ``module:name`` or ``module:Class.name``."""
    return [found[1] for found in ROW.finditer(section(text))]


def linked(step: str) -> str:
    """``step`` as the page has it, linked to where the function is in the source."""
    module, names = step.split(":")
    path = Path("venvman", *module.split("."))
    module_file = path.with_suffix(".py")
    file = module_file if (ROOT / module_file).exists() else path / "__init__.py"
    return f"[`{step}`](../../{file.as_posix()}#:~:text=def%20{names.rpartition('.')[2]})"


def called(folder: Path) -> list[str]:
    """What a first sync of one requirement calls, in this order: ``module:name``."""
    with serve(folder / "index") as index:
        make_wheel(index.folder, "flask", requires=["click"])
        make_wheel(index.folder, "click")
        project = folder / "project"
        project.mkdir()
        (folder / "home").mkdir(exist_ok=True)
        (project / "requirements.in").write_text("flask\n", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", TRACER],
            cwd=project,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder / "home"),
                "PIP_CONFIG_FILE": os.devnull,
                "PIP_INDEX_URL": index.simple,
            },
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return done.stdout.splitlines()


def in_order(text: str, order: list[str]) -> str:
    """``text`` with the rows of its walk in ``order``.

    Raises:
        LookupError: a function of the walk is not called.
    """
    position = {step: order.index(step) for step in order}
    plain = {step: re.sub(r":\w+\.", ":", step) for step in steps(text)}
    gone = [step for step, name in plain.items() if name not in position]
    if gone:
        raise LookupError(f"a sync does not call {', '.join(gone)}")
    walk = section(text)
    rows = {found[1]: f"| {linked(found[1])} |{found[2]}" for found in ROW.finditer(walk)}
    sorted_rows = sorted(rows, key=lambda step: position[plain[step]])
    first, *_, last = ROW.finditer(walk)
    ordered = "".join(rows[step] for step in sorted_rows)
    return text.replace(walk, walk[: first.start()] + ordered + walk[last.end() :])


def main() -> int:
    """Rewrites the page."""
    text = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(in_order(text, called(Path(folder))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
