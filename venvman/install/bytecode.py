"""Bytecode compilation, by the environment's own interpreter: every version has its own format."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from venvman.environment.record import RecordRow
from venvman.errors import Problem, Severity
from venvman.process import ProcessFault, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.events import Reporter
    from venvman.install.layout import Site
    from venvman.install.wheel import Staged

__all__ = ["compile_all"]

# Reads pairs of paths, the staged file and what it will be called, and prints what it has written.
# What does not compile (templates, code for another Python) is left as it is, as pip does.
_COMPILER = """
import json, py_compile, sys
for line in sys.stdin:
    source, name = json.loads(line)
    try:
        print(json.dumps(py_compile.compile(source, dfile=name, doraise=True)))
    except Exception:
        pass
"""


def compile_all(staged: Sequence[Staged], site: Site, *, reporter: Reporter) -> None:
    """Compiles every module of ``staged``, and adds the results to the rows of their RECORDs.

    Bytecode says of its source the time and size, which staging and renaming do not change. An
    interpreter that cannot be run leaves everything uncompiled, with a warning.
    """
    pairs: list[tuple[str, str]] = []
    for each in staged:
        for row in each.rows:
            path = f"{each.base}/{row.path}"
            if row.path.endswith(".py") and not row.path.startswith("../"):
                pairs.append((each.place(path), f"{site.named}/{path}"))
    if not pairs:
        return
    try:
        written = _in_parallel(pairs, python=site.python)
    except ProcessFault as error:
        reporter.problem(
            Problem(
                code="bytecode-not-compiled",
                message="Nothing was compiled: the environment's interpreter could not be run.",
                severity=Severity.WARNING,
                path=site.python,
                why=error.message,
            )
        )
        return
    by_folder = {each.near: each for each in staged}
    stage = os.path.dirname(staged[0].near)
    for path in written:
        slot, _, target = path[len(stage) + 1 :].partition("/")
        by_folder[f"{stage}/{slot}"].rows.append(RecordRow(target))


def _in_parallel(pairs: list[tuple[str, str]], *, python: str) -> list[str]:
    from concurrent.futures import ThreadPoolExecutor

    count = min(os.cpu_count() or 1, 8, 1 + len(pairs) // 100)
    shares = [pairs[number::count] for number in range(count)]

    def work(share: list[tuple[str, str]]) -> str:
        lines = "".join(f"{json.dumps(pair)}\n" for pair in share)
        return run([python, "-I", "-S", "-W", "ignore", "-c", _COMPILER], stdin=lines).stdout

    with ThreadPoolExecutor(count) as threads:
        outputs = list(threads.map(work, shares))
    return [json.loads(line) for output in outputs for line in output.splitlines()]
