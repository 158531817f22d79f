"""The interpreters of this machine, for tests that must hold on every one of them.

At least the one that runs the tests is always there, so that nothing is skipped anywhere.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from pathlib import Path

import packaging.tags

from tests.support.cli import ended
from tests.support.wheels import make_wheel
from venvman.python import facts
from venvman.python.discover import find_pythons
from venvman.python.probe import OLDEST, bundled_pip, probe
from venvman.system.directories import Directories

_base = Path(getattr(sys, "_base_executable", sys.executable))
# Python 3.10 names the environment's own where that is a link to one of the same name.
OWN_PYTHON = Path(sys.base_prefix, "bin", _base.name) if _base == Path(sys.executable) else _base
"""The base interpreter of the tests' own environment."""
OWN_SITE_PACKAGES = Path(packaging.tags.__file__).parent.parent
"""Where packages that the tests themselves use lie."""


def kept_in(folder: Path) -> Directories:
    """A cache and a state folder below ``folder``."""
    return Directories(cache=folder / "cache", state=folder / "state")


def fake_python(path: Path, *, notes: Path | None = None, **changes: object) -> Path:
    """A program at ``path`` that says of itself what this Python says, but for ``changes``.

    Each start adds a line to the file ``notes``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    says = json.dumps({**_own_facts(), "executable": str(path), **changes})
    note = f"echo x >> '{notes}'\n" if notes else ""
    path.write_text(f"#!/bin/sh\n{note}cat <<'END'\n{says}\nEND\n")
    path.chmod(0o755)
    return path


def cache_with_small_pip(folder: Path) -> Path:
    """A cache that knows the tests' own Python, with a small pip in place of the one it bundles.

    That one is a wheel of five files and finds all else in the real one: an environment costs a
    third of the time, and what runs pip in it, or builds with it, notices no difference.
    """
    directories = kept_in(folder)
    wheel = bundled_pip(probe(OWN_PYTHON, directories=directories))
    assert wheel is not None
    version = wheel.name.split("-")[1]
    small = make_wheel(
        folder / "wheels",
        "pip",
        version,
        files={
            "pip/__init__.py": f"__version__ = {version!r}\n__path__ = [{f'{wheel}/pip'!r}]\n",
            "pip/__main__.py": _PIP_MAIN,
        },
        scripts={"pip": _PIP_ENTRY, "pip3": _PIP_ENTRY},
    )
    (kept,) = (directories.cache / "interpreters").iterdir()
    kind, says = json.loads(kept.read_text())
    says["pip"]["folders"] = [str(small.parent)]
    kept.write_text(json.dumps([kind, says]))
    return directories.cache


_PIP_ENTRY = "pip._internal.cli.main:main"
_PIP_MAIN = """
import os, sys
if not __package__:  # run as a file, as in `python pip.whl/pip`
    sys.path[0] = os.path.dirname(os.path.dirname(__file__))
from pip._internal.cli.main import main
sys.exit(main())
"""


@functools.cache
def _own_facts() -> dict[str, object]:
    script = facts.__file__
    done = ended([OWN_PYTHON, "-I", "-S", script], check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def _every_python() -> list[Path]:
    # Names only: at collection time no process is started.
    named = [
        place.path
        for place in find_pythons(os.environ)
        if place.hint is not None and place.hint[:2] >= OLDEST
    ]
    others = [path for path in named if os.path.realpath(path) != os.path.realpath(OWN_PYTHON)]
    return [OWN_PYTHON, *others]


EVERY_PYTHON = _every_python()
