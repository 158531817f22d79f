"""Compares one lock for many targets with ``uv pip compile --universal`` on scenario indexes.

    python -m benchmarks.packse_targets FOLDER [--match TEXT] [--uv PATH]

FOLDER is as in ``packse.py``. Of every scenario about one lock for many environments: the same
names and versions, markers aside, or a refusal where uv refuses. Prints each difference.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement

from benchmarks.packse import index_of, serve
from venvman.directories import Directories
from venvman.engines import FreezeRequest
from venvman.engines.manytargets import ManyTargets
from venvman.errors import VenvmanError
from venvman.events import Reporter
from venvman.names import canonical
from venvman.project import Project
from venvman.python.probe import probe
from venvman.python.targets import expand
from venvman.requirements.groups import read_requirements
from venvman.scan import scan

if TYPE_CHECKING:
    from venvman.lock.file import Lock

Rows = set[tuple[str, str, str]]
"""Name, version, marker."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--match", default="")
    parser.add_argument("--uv", default="uv")
    chosen = parser.parse_args()
    lines = (chosen.folder / "scenarios.jsonl").read_text().splitlines()
    scenarios = [each for each in map(json.loads, lines) if each["options"].get("universal")]
    scenarios = [each for each in scenarios if chosen.match in each["id"]]
    agreed = 0
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        command = [sys.executable, chosen.folder / "serve.py", "--out", work / "worlds"]
        subprocess.run(command, check=True, capture_output=True)
        server = serve(work / "worlds")
        agreed = sum(compare(each, work, server, chosen.uv) for each in scenarios)
    print(f"{agreed} of {len(scenarios)} scenarios: the same as uv --universal")
    return 0 if agreed == len(scenarios) else 1


def compare(scenario: dict[str, Any], work: Path, server: str, uv: str) -> bool:
    ours, said = freeze(scenario, work, server)
    theirs, answer = universal(scenario, work, server, uv)
    if pins(ours) == pins(theirs):
        return True
    print(f"{scenario['id']}: {scenario['root']['requires']}")
    print(f"  ours: {shown(ours)} {said}\n  uv:   {shown(theirs)} {answer[:300]}")
    return False


def freeze(scenario: dict[str, Any], work: Path, server: str) -> tuple[Rows | None, str]:
    world = work / "worlds" / scenario["id"]
    directories = Directories(cache=work / "cache", state=work / "state")
    interpreter = probe(Path(sys.executable), directories=directories)
    project = Project(root=world)
    request = FreezeRequest(
        project=project,
        groups=read_requirements(scan(project, variables={}), variables={}).groups,
        python=interpreter.path,
        target=interpreter.target,
        index=index_of(world, f"{server}/{scenario['id']}/simple"),
        directories=directories,
        variables={"HOME": str(work)},
        targets=expand(
            ["universal"], requires_python=scenario["root"]["requires_python"], current=(3, 12)
        ),
    )
    try:
        return rows(ManyTargets().freeze(request, Reporter()).locks["default"]), ""
    except VenvmanError as error:
        return None, error.message


def universal(
    scenario: dict[str, Any], work: Path, server: str, uv: str
) -> tuple[Rows | None, str]:
    oldest = scenario["root"]["requires_python"].removeprefix(">=")
    command = [
        uv, "pip", "compile", "requirements.in", "--universal", "--no-header", "--no-annotate",
        "--quiet", "--no-config", "--python-version", oldest, "--cache-dir", work / "uv",
        "--index-url", f"{server}/{scenario['id']}/simple",
    ]  # fmt: skip
    world = work / "worlds" / scenario["id"]
    done = subprocess.run(command, cwd=world, capture_output=True, text=True, check=False)
    if done.returncode:
        return None, done.stderr
    return set(filter(None, map(row, done.stdout.splitlines()))), ""


def row(line: str) -> tuple[str, str, str] | None:
    try:
        found = Requirement(line)
    except InvalidRequirement:
        return None
    version = next(iter(found.specifier)).version
    return canonical(found.name), version, str(found.marker or "")


def rows(lock: Lock) -> Rows:
    return {(each.name, str(each.version), str(each.marker or "")) for each in lock.entries}


def pins(found: Rows | None) -> set[tuple[str, str]] | None:
    return None if found is None else {(name, version) for name, version, _ in found}


def shown(found: Rows | None) -> str:
    if found is None:
        return "refused"
    texts = [f"{name}=={version}" + f" ; {mark}" * bool(mark) for name, version, mark in found]
    return ", ".join(sorted(texts))


if __name__ == "__main__":
    sys.exit(main())
