"""Freezes and syncs real requirements files, and asks everybody else whether the result is right.

    python -m benchmarks.workloads REQUIREMENTS.in ... [--python 3.11] [--lock-with uv]

For each file: a lock is made (by venvman, or with ``--lock-with uv`` by uv, where time is short),
synced into a new environment, and then

- ``pip check`` is content;
- every top-level module of every direct requirement can be imported;
- every script of the direct requirements starts with ``--help``, or its function can be loaded;
- a second ``sync`` plans nothing and touches no file (inode, mode, size, mtime of the whole tree);
- pip, uv and ``importlib.metadata`` see the same distributions, and they are those of the lock;
- after ``pip uninstall`` of one and ``pip install`` of another version of a second package by hand,
  ``doctor`` names both and the next ``sync`` mends both.

Needs the package index. Exits with 1 if anything of that does not hold.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.alternate import caches_in, options_of
from benchmarks.peers import install_peers, install_venvman

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Fault(Exception):
    """A sentence that says what does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The programs, and the variables that they run with."""

    venvman: Path
    uv: Path
    env: dict[str, str]


@dataclass(slots=True, kw_only=True)
class Project:
    """A folder with ``requirements.in``; ``faults`` are the sentences so far."""

    root: Path
    python: str
    tools: Tools
    faults: list[str] = field(default_factory=list)

    @property
    def environment(self) -> Path:
        return self.root / "venv"

    @property
    def lock(self) -> Path:
        return self.root / "requirements.txt"

    def venvman(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """What it prints to stdout."""
        return self._run((str(self.tools.venvman), *arguments), codes)

    def report(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
        """The data of a command's JSON document."""
        data: dict[str, Any] = json.loads(self.venvman(*arguments, "--format", "json", codes=codes))
        return data

    def inside(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """What the environment's Python prints to stdout."""
        return self._run((str(self.environment / "bin/python"), *arguments), codes)

    def ask(self, verb: str, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """What ``inside.py`` answers in the environment; a script may print before it."""
        text = Path(__file__).with_name("inside.py").read_text()
        return json.loads(self.inside("-c", text, verb, *arguments).splitlines()[-1])

    def uv(self, *arguments: str) -> str:
        return self._run((str(self.tools.uv), *arguments), (0,))

    def _run(self, argv: Sequence[str], codes: tuple[int, ...]) -> str:
        done = subprocess.run(
            argv, cwd=self.root, env=self.tools.env, capture_output=True, text=True, check=False
        )
        if done.returncode not in codes:
            words = " ".join(argv)
            raise Fault(f"`{words}` exits with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options_of(__doc__, results=False)
    parser.add_argument("requirements", type=Path, nargs="+")
    parser.add_argument("--python", default=f"{sys.version_info[0]}.{sys.version_info[1]}")
    parser.add_argument("--lock-with", choices=["venvman", "uv"], default="venvman")
    parser.add_argument(
        "--venvman", type=Path, help="the program; default: this checkout, installed"
    )
    options = parser.parse_args(arguments)
    folder = options.folder
    tools = install_tools(folder, venvman=options.venvman)
    bad = 0
    for requirements in options.requirements:
        print(f"## {requirements.name}, Python {options.python}", flush=True)
        project = new_project(folder, requirements, python=options.python, tools=tools)
        bad += check(project, lock_with=options.lock_with)
    return int(bad > 0)


def install_tools(folder: Path, *, venvman: Path | None = None) -> Tools:
    """The given venvman, or one as users have it, and the peers; their caches are in ``folder``."""
    return Tools(
        venvman=venvman or install_venvman(folder) / "venvman",
        uv=install_peers(folder) / "uv",
        env={**caches_in(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )


def new_project(folder: Path, requirements: Path, *, python: str, tools: Tools) -> Project:
    """An empty project with a copy of ``requirements`` as its source file."""
    root = folder / "projects" / f"{requirements.stem}-{python}"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    shutil.copy(requirements, root / "requirements.in")
    return Project(root=root, python=python, tools=tools)


def check(project: Project, *, lock_with: str = "venvman") -> int:
    """How many things do not hold; says each, with the time that it took."""
    steps: list[tuple[str, Callable[[Project], str]]] = [
        ("freeze", _freeze_with_uv if lock_with == "uv" else _freeze),
        ("sync", _sync),
        ("pip check", _pip_check),
        ("imports", _imports),
        ("scripts", _scripts),
        ("second sync", _second_sync),
        ("same set for all", _same_set),
        ("mended after pip by hand", _mended),
        ("verified", _doctor),
    ]
    for title, step in steps:
        started = time.perf_counter()
        try:
            found = step(project)
        except Fault as fault:
            project.faults.append(str(fault))
            print(f"  FAULT {title}: {fault}", flush=True)
            if title in {"freeze", "sync"}:
                break
        else:
            print(f"  ok    {title}: {found} ({time.perf_counter() - started:.1f} s)", flush=True)
    return len(project.faults)


def _freeze(project: Project) -> str:
    data = project.report("freeze", "--python", project.python)["data"]
    return f"{len(data['packages'])} pins"


def _freeze_with_uv(project: Project) -> str:
    project.uv(
        *("pip", "compile", "--quiet", "--generate-hashes", "--python", project.python),
        *("--output-file", "requirements.txt", "requirements.in"),
    )
    return f"{len(_pins(project))} pins, by uv"


def _sync(project: Project) -> str:
    data = project.report("sync", "--frozen", "--python", project.python)["data"]
    return f"{len(data['installed'])} installed in {data['seconds']:.1f} s"


def _pip_check(project: Project) -> str:
    return project.inside("-m", "pip", "check").strip()


def _imports(project: Project) -> str:
    tried = project.ask("imports", *_direct(project))
    bad = [f"\n    {name}: {why}" for name, why in tried.items() if not _is_optional(why)]
    if bad:
        raise Fault("".join(bad))
    return _counted(tried, "imported")


def _scripts(project: Project) -> str:
    helped, to_load, bad = 0, [], []
    for name, value in project.ask("scripts", *_direct(project)):
        script = project.environment / "bin" / name
        if not os.access(script, os.X_OK):
            bad.append(f"\n    {script} is not there, or not executable")
        elif _helps(script, project):
            helped += 1
        else:
            to_load.append(value)
    tried = project.ask("load", *to_load)
    bad += [f"\n    {value}: {why}" for value, why in tried.items() if not _is_optional(why)]
    if bad:
        raise Fault("".join(bad))
    return f"{helped} start with --help; of the others {_counted(tried, 'loaded')}"


def _is_optional(why: str) -> bool:
    return why == "" or why.startswith("wants ")


def _counted(tried: dict[str, str], done: str) -> str:
    wanting = [f"{name} {why}" for name, why in tried.items() if why]
    rest = f", {'; '.join(wanting)}" if wanting else ""
    return f"{len(tried) - len(wanting)} {done}{rest}"


def _helps(script: Path, project: Project) -> bool:
    try:
        done = subprocess.run(
            [str(script), "--help"], cwd=project.root, env=project.tools.env, timeout=60,
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _second_sync(project: Project) -> str:
    before = dict(_snapshot(project.root))
    document = project.report("sync")
    data = document["data"]
    if document["status"] != "ok" or data["installed"] or data["removed"] or data["changed"]:
        raise Fault(f"the second sync has a plan: {document}")
    project.report("sync", "--check")
    after = dict(_snapshot(project.root))
    touched = sorted(
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )
    if touched:
        raise Fault(f"{len(touched)} paths touched: {', '.join(touched[:8])}")
    return f"nothing to do, {len(after)} paths untouched"


def _snapshot(root: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    for folder, folders, files in os.walk(root):
        for name in ["", *folders, *files]:
            path = f"{folder}/{name}"
            status = os.lstat(path)
            yield path, (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns)


def _same_set(project: Project) -> str:
    pip = json.loads(project.inside("-m", "pip", "list", "--format", "json"))
    uv = json.loads(project.uv("pip", "list", "--python", "venv/bin/python", "--format", "json"))
    seen = {
        "pip": {(_canonical(row["name"]), row["version"]) for row in pip},
        "uv": {(_canonical(row["name"]), row["version"]) for row in uv},
        "importlib.metadata": {
            (_canonical(name), version) for name, version in project.ask("listed")
        },
    }
    locked = {(name, version) for name, version in _pins(project).items()}
    for who, found in seen.items():
        rest = {row for row in found if row[0] != "pip"} ^ {
            row for row in locked if row[0] != "pip"
        }
        if rest:
            raise Fault(f"{who} and the lock differ in {sorted(rest)}")
    if len({frozenset(found) for found in seen.values()}) != 1:
        raise Fault(f"pip differs: {seen}")
    return f"{len(pip)} distributions"


def _mended(project: Project) -> str:
    pins = _pins(project)
    names = sorted(set(pins) - {"pip", "setuptools", "wheel"})
    removed = names[0]
    moved, version = _movable(project, [name for name in reversed(names) if name != removed])
    project.inside("-m", "pip", "uninstall", "--quiet", "--yes", removed)
    project.inside("-m", "pip", "install", "--quiet", "--no-deps", f"{moved}=={version}")
    findings = project.report("doctor", "--select", "VM4", codes=(1,))["data"]["findings"]
    named = {finding["package"] for finding in findings}
    if not {removed, moved} <= named:
        raise Fault(f"doctor names {sorted(filter(None, named))}, not {removed} and {moved}")
    data = project.report("sync", "--frozen")["data"]
    done = {row["name"] for row in data["installed"]}, {row["name"] for row in data["changed"]}
    if done != ({removed}, {moved}) or data["removed"]:
        raise Fault(f"the next sync did {data}")
    project.report("sync", "--check")
    return f"{removed} uninstalled and {moved} {version} installed by pip, both named, both mended"


def _movable(project: Project, names: Sequence[str]) -> tuple[str, str]:
    """A package that has another version for this Python, and that version."""
    for name in names[:10]:
        pip = ("-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest")
        with tempfile.TemporaryDirectory() as folder:
            wish = f"{name}<{_pins(project)[name]}"
            try:
                project.inside(*pip, folder, wish)
            except Fault:
                continue
            return name, next(Path(folder).iterdir()).name.split("-")[1]
    raise Fault("no package of the lock has an older release as a wheel")


def _doctor(project: Project) -> str:
    codes = (0, 1)
    findings = project.report("doctor", "--verify", codes=codes)["data"]["findings"]
    grave = [finding for finding in findings if finding["severity"] != "note"]
    if grave:
        raise Fault("".join(f"\n    {row['code']} {row['message']}" for row in grave))
    return f"every file as its RECORD says, {len(findings)} notes"


def _direct(project: Project) -> Iterator[str]:
    """The canonical names that the source file asks for and this interpreter has."""
    pins = _pins(project)
    for line in (project.root / "requirements.in").read_text().splitlines():
        match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line)
        if match and _canonical(match[0]) in pins:
            yield _canonical(match[0])


def _pins(project: Project) -> dict[str, str]:
    """Names and versions of the lock."""
    return dict(
        re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", project.lock.read_text(), re.MULTILINE)
    )


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
