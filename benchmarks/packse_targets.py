"""Compares one lock for many targets with what scenario indexes expect of it.

    python -m benchmarks.packse_targets FOLDER [--match TEXT] [--uv PATH]

FOLDER is as in ``packse.py``. A scenario about one lock for many environments says whether there is
a solution, seldom which; where it does not, what ``uv pip compile --universal`` makes of it stands
for the expectation. Prints a table in Markdown: ``equal`` (the same names and versions, or a
refusal where one is expected), ``equal on every target`` (the same is installed on each of our
targets; the rest is for systems that are none of them), or ``different``; for all but the first the
reason that ``packse_reasons.toml`` has. Exits 1 where a reason is missing, or given for what is
equal.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement

from benchmarks.native import request_of
from benchmarks.packse import index_of, serve
from benchmarks.reasons import read_reasons
from venvman.engines import native
from venvman.model.errors import VenvmanError
from venvman.model.events import Reporter
from venvman.model.names import canonical
from venvman.python.targets import expand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvman.model.target import Target

REASONS = Path(__file__).with_name("packse_reasons.toml")

Row = tuple[str, str, str]
"""Name, version, marker."""


@dataclass(frozen=True)
class World:
    """One scenario, served."""

    scenario: dict[str, Any]
    work: Path
    server: str

    @property
    def folder(self) -> Path:
        return self.work / "worlds" / str(self.scenario["id"])

    @property
    def index(self) -> str:
        return f"{self.server}/{self.scenario['id']}/simple"

    @property
    def targets(self) -> tuple[Target, ...]:
        wanted = self.scenario["root"]["requires_python"]
        return expand(["universal"], requires_python=wanted, current=(3, 12))


@dataclass(frozen=True)
class Verdict:
    """How our lock compares; the rows are None for a refusal."""

    said: str
    ours: frozenset[Row] | None
    expected: frozenset[Row] | None
    source: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--match", default="")
    parser.add_argument("--uv", default="uv")
    chosen = parser.parse_args()
    lines = (chosen.folder / "scenarios.jsonl").read_text().splitlines()
    scenarios = [each for each in map(json.loads, lines) if each["options"].get("universal")]
    scenarios = [each for each in scenarios if chosen.match in each["id"]]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        command = [sys.executable, chosen.folder / "serve.py", "--out", work / "worlds"]
        subprocess.run(command, check=True, capture_output=True)
        server = serve(work / "worlds")
        verdicts = {each["id"]: judged(World(each, work, server), chosen.uv) for each in scenarios}
    return tell(verdicts, read_reasons(REASONS))


def judged(world: World, uv: str) -> Verdict:
    ours = freeze(world)
    expected = world.scenario["expected"]
    if not expected["satisfiable"]:
        return Verdict("equal" if ours is None else "different", ours, None, "scenario")
    if expected["packages"] is not None:
        wanted = frozenset((name, pin, "") for name, pin in expected["packages"].items())
        return Verdict(compared(ours, wanted, world), ours, wanted, "scenario")
    theirs = universal(world, uv)
    return Verdict(compared(ours, theirs, world), ours, theirs, "uv")


def compared(ours: frozenset[Row] | None, wanted: frozenset[Row] | None, world: World) -> str:
    if pins(ours) == pins(wanted):
        return "equal"
    if ours is None or wanted is None:
        return "different"
    alike = all(installed(ours, each) == installed(wanted, each) for each in world.targets)
    return "equal on every target" if alike else "different"


def installed(rows: Iterable[Row], target: Target) -> set[tuple[str, str]]:
    markers = dict(target.markers)
    return {
        (name, version)
        for name, version, marker in rows
        if not marker or Marker(marker).evaluate(markers)
    }


def tell(verdicts: dict[str, Verdict], reasons: dict[str, str]) -> int:
    counts: Counter[str] = Counter()
    faults = [f"{name}: no such scenario" for name in reasons if name not in verdicts]
    print("| scenario | expected | ours | |\n| --- | --- | --- | --- |")
    for name, verdict in verdicts.items():
        reason = reasons.get(name, "")
        if bool(reason) == (verdict.said == "equal"):
            faults.append(f"{name}: {'a reason, though equal' if reason else 'unexplained'}")
        said = f"{verdict.said}: {reason}" if reason else verdict.said
        counts[verdict.said] += 1
        by = " (uv)" if verdict.source == "uv" else ""
        print(
            f"| {name.removeprefix('packse/')} | {shown(verdict.expected)}{by}"
            f" | {shown(verdict.ours)} | {said} |"
        )
    print(f"\n{len(verdicts)} scenarios: " + ", ".join(f"{n} {text}" for text, n in counts.items()))
    print("\n".join(faults) or "Every difference has its reason.")
    return 1 if faults else 0


def freeze(world: World) -> frozenset[Row] | None:
    request = request_of(
        world.folder,
        Path(sys.executable),
        index=index_of(world.folder, world.index),
        work=world.work,
        targets=world.targets,
    )
    try:
        lock = native.freeze(request, Reporter()).locks["default"]
    except VenvmanError:
        return None
    rows = ((each.name, str(each.version), str(each.marker or "")) for each in lock.entries)
    return frozenset(rows)


def universal(world: World, uv: str) -> frozenset[Row] | None:
    oldest = world.scenario["root"]["requires_python"].removeprefix(">=")
    command = [
        uv, "pip", "compile", "requirements.in", "--universal", "--no-header", "--no-annotate",
        "--quiet", "--no-config", "--python", sys.executable, "--python-version", oldest,
        "--cache-dir", world.work / "uv", "--index-url", world.index,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=world.folder, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    return frozenset(filter(None, map(row, done.stdout.splitlines())))


def row(line: str) -> Row | None:
    try:
        found = Requirement(line)
    except InvalidRequirement:
        return None
    version = next(iter(found.specifier)).version
    return canonical(found.name), version, str(found.marker or "")


def pins(found: frozenset[Row] | None) -> set[tuple[str, str]] | None:
    return None if found is None else {(name, version) for name, version, _ in found}


def shown(found: frozenset[Row] | None) -> str:
    if found is None:
        return "refused"
    texts = [f"{name}=={version}" + f" ; {mark}" * bool(mark) for name, version, mark in found]
    return "<br>".join(f"`{text}`" for text in sorted(texts)) or "nothing"


if __name__ == "__main__":
    sys.exit(main())
