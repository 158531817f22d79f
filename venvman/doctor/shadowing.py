"""VM5: modules of the project that stand before installed ones and the standard library."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.doctor.files import paths_of, recorded
from venvman.errors import Advice, Severity
from venvman.sources import DirectorySource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding

# What projects have and some wheels bring by accident; `test` is a part of Python that no one uses.
_COMMON = frozenset({"test", "tests", "docs", "examples", "benchmarks", "scripts", "setup", "this"})


def modules(examination: Examination) -> Iterator[Finding]:
    """Modules in the project's folder that would be imported in the place of others.

    The folder is the first place that Python looks in when it runs a script or module there.
    """
    brought: dict[str, str] = dict.fromkeys(sys.stdlib_module_names, "the standard library")
    for each in recorded(examination):
        source = each.installed.source
        if isinstance(source, DirectorySource):
            continue  # it may be the project's own
        tops = {path.partition("/") for path, _ in paths_of(each.text) if path.endswith(".py")}
        names = {first if rest else first.removesuffix(".py") for first, rest, _ in tops}
        brought |= dict.fromkeys(names, each.installed.name)
    for name, path in modules_in(examination.project.root):
        if name not in brought or name in _COMMON or name.startswith("_"):
            continue
        shown = examination.display(path)
        yield codes.MODULE_SHADOWS(
            f"{shown} is imported instead of {name} of {brought[name]} by what runs here.",
            path=shown,
            severity=None if path.suffix == ".py" else Severity.NOTE,
            fix=Advice(f"Give {shown} another name, or keep it in a folder such as src."),
        )


def modules_in(root: Path) -> Iterator[tuple[str, Path]]:
    """What can be imported from ``root``: by which name, and its file or folder."""
    try:
        entries = sorted(root.iterdir())
    except OSError:
        return
    for path in entries:
        if path.suffix == ".py" and path.stem.isidentifier():
            yield path.stem, path
        elif path.name.isidentifier() and (path / "__init__.py").is_file():
            yield path.name, path
