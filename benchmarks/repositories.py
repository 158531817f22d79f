"""Other people's repositories, walked through their history as a member of the team would.

    python -m benchmarks.repositories CLONE[=GROUP]... [--commits 20] [--folder DIR]
        [--results FILE] [--minutes 10] [--python 3.11] [--venvman PROGRAM] [--uv PROGRAM]

Each CLONE is a git folder, bare or not, with its history; nothing is written into it. GROUP is one
that is synced besides ``default`` and ``dev``. In a clone
of its own the newest commits that change requirements are checked out, from the newest to the
oldest and back again, with ``venvman sync`` at each: afterwards the environment must be what a
fresh clone at that commit gets (names, versions and sources, but for pip, setuptools and wheel,
which may stay when the last that needs them leaves), the tracked files as committed (but
for locks that the commit's own requirements have outrun), and a second ``sync`` have nothing to
do. ``uv pip sync`` of the same files into an environment of its
own is timed beside it. Figures of the way back count: by then both caches are warm. Needs the
package index.
"""

from __future__ import annotations

import importlib.metadata
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.alternate import caches_in, machine, options_of
from benchmarks.peers import install_peers, install_venvman

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

TIMEOUT = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The programs compared, their environment, and when to stop."""

    venvman: str
    uv: str
    env: Mapping[str, str]
    until: float
    groups: tuple[str, ...] = ()
    python: str | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple(word for group in self.groups for word in ("--group", group))

    def run(self, *argv: str, cwd: Path) -> Ran:
        started = time.perf_counter()
        try:
            done = subprocess.run(
                argv, cwd=cwd, env=dict(self.env), capture_output=True, text=True, check=False,
                timeout=TIMEOUT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Ran(code=-1, seconds=TIMEOUT, stdout="", stderr=f"{argv[0]}: {TIMEOUT} seconds")
        seconds = time.perf_counter() - started
        return Ran(code=done.returncode, seconds=seconds, stdout=done.stdout, stderr=done.stderr)

    def git(self, *words: str, cwd: Path) -> str:
        done = self.run("git", *words, cwd=cwd)
        if done.code:
            raise RuntimeError(f"git {' '.join(words)}: {done.stderr}")
        return done.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a program came to."""

    code: int
    seconds: float
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One commit, visited once. ``peer`` is None where ``uv pip sync`` refuses the same files."""

    commit: str
    code: int
    seconds: float
    peer: float | None
    packages: int
    as_fresh_clone: bool
    stale: tuple[str, ...]
    rewritten: tuple[str, ...]
    new: tuple[str, ...]
    second_does_nothing: bool
    said: str

    @property
    def holds(self) -> bool:
        held = self.as_fresh_clone and self.second_does_nothing and self.leaves_what_is_fresh
        return not self.code and held

    @property
    def leaves_what_is_fresh(self) -> bool:
        return set(self.rewritten) <= set(self.stale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """All stops of one repository."""

    repository: str
    python: str
    stops: tuple[Stop, ...]
    back: int

    def row(self) -> str:
        compared = [stop for stop in self.stops[self.back :] if not stop.code and stop.peer]
        own = statistics.median([stop.seconds for stop in compared]) if compared else 0.0
        peer = statistics.median([stop.peer or 0.0 for stop in compared]) if compared else 0.0
        ratios = [stop.seconds / (stop.peer or 1.0) for stop in compared]
        ratio = f"{statistics.median(ratios):.2f}" if ratios else "-"
        return (
            f"| {self.repository} | {self.python} | {len(self.stops)} "
            f"| {sum(not stop.code for stop in self.stops)} "
            f"| {sum(stop.as_fresh_clone for stop in self.stops)} "
            f"| {sum(bool(stop.stale) for stop in self.stops)} "
            f"| {sum(stop.leaves_what_is_fresh for stop in self.stops)} "
            f"| {sum(stop.second_does_nothing for stop in self.stops)} "
            f"| {own * 1000:.0f} ms | {peer * 1000:.0f} ms | {ratio} |"
        )


HEAD = (
    "| repository | Python | stops | synced | as a fresh clone | with stale locks "
    "| all other files untouched | second sync nothing | venvman sync | uv pip sync | ratio |\n"
    + "| --- " * 11
    + "|"
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options_of(__doc__)
    parser.add_argument("clones", nargs="+", metavar="CLONE[=GROUP]")
    parser.add_argument("--commits", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10.0, help="for each repository")
    parser.add_argument("--python", help="default: the one that most headers name")
    parser.add_argument("--venvman", help="a program; default: this checkout, installed")
    parser.add_argument("--uv", help="a program; default: the newest, installed")
    options = parser.parse_args(arguments)
    folder = options.folder
    venvman = options.venvman or str(install_venvman(folder) / "venvman")
    uv = options.uv or str(install_peers(folder) / "uv")
    env = caches_in(folder)
    walks = []
    tell(HEAD)
    for clone in options.clones:
        until = time.monotonic() + options.minutes * 60
        path, _, group = clone.partition("=")
        groups = (group,) if group else ()
        tools = Tools(
            venvman=venvman, uv=uv, env=env, until=until, groups=groups, python=options.python
        )
        walk = walked(Path(path).resolve(), folder / "clones", tools, options.commits)
        tell(walk.row())
        walks.append(walk)
        if options.results:
            text = json.dumps({"machine": machine(), "walks": [asdict(each) for each in walks]})
            options.results.write_text(json.dumps(json.loads(text), indent=1) + "\n")
    return 0 if all(stop.holds for walk in walks for stop in walk.stops) else 1


def walked(clone: Path, folder: Path, tools: Tools, count: int) -> Walk:
    """The walk through the repository at ``clone``, in a copy below ``folder``."""
    name = name_of(clone)
    place = Path(tempfile.mkdtemp(prefix="walk-", dir=made(folder)))
    root = place / "member"
    tools.git("clone", "--quiet", "--shared", str(clone), str(root), cwd=place)
    commits = commits_of(root, tools, count)
    fresh: dict[str, frozenset[str]] = {}
    stops: list[Stop] = []
    tools.git("checkout", "--quiet", commits[0], cwd=root)
    python = tools.python or named_minor(root, tools)
    for commit in [*commits, *commits[-2::-1]]:
        if time.monotonic() > tools.until:
            break
        tools.git("checkout", "--quiet", "--force", commit, cwd=root)
        stop = visited(root, commit, tools, fresh, place, python)
        python = python or minor_of(root)
        stops.append(stop)
        if not stop.holds:
            sys.stderr.write(f"{name} {commit[:10]}: {shown(stop)}\n")
    return Walk(repository=name, python=python, stops=tuple(stops), back=len(commits))


def visited(
    root: Path,
    commit: str,
    tools: Tools,
    fresh: dict[str, frozenset[str]],
    place: Path,
    python: str,
) -> Stop:
    """``venvman sync`` in ``root`` and what holds afterwards; the environment's Python stays."""
    flags = (*tools.flags, *(("--python", python) if python else ()))
    stale = stale_locks(root, tools)
    done = tools.run(tools.venvman, "sync", *flags, cwd=root)
    found = installed(root / "venv")
    rewritten = tuple(tools.git("diff", "--name-only", "HEAD", cwd=root).split())
    new = tools.git("ls-files", "--others", "--exclude-standard", cwd=root).split()
    again = tools.run(tools.venvman, "sync", *flags, cwd=root)
    peer = peer_time(root, tools, place) if not done.code else None
    if commit not in fresh and not done.code:
        fresh[commit] = fresh_clone(root, commit, tools, place, minor_of(root))
    failed = f"{done.stdout}{done.stderr}"[-300:] if done.code else ""
    return Stop(
        commit=commit,
        code=done.code,
        seconds=done.seconds,
        peer=peer,
        packages=len(found),
        as_fresh_clone=fresh.get(commit) == found,
        stale=stale,
        rewritten=rewritten,
        new=tuple(new),
        second_does_nothing=not again.code and "Nothing to do" in again.stdout,
        said=failed.replace(str(place), "").replace(str(Path.home()), "~"),
    )


def fresh_clone(root: Path, commit: str, tools: Tools, place: Path, python: str) -> frozenset[str]:
    """What somebody gets who clones the repository at ``commit`` today."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        tools.git("clone", "--quiet", "--shared", str(root), "clone", cwd=Path(folder))
        clone = Path(folder) / "clone"
        tools.git("checkout", "--quiet", commit, cwd=clone)
        tools.run(tools.venvman, "sync", *tools.flags, "--python", python, cwd=clone)
        return installed(clone / "venv")


def peer_time(root: Path, tools: Tools, place: Path) -> float | None:
    """Seconds of ``uv pip sync`` of the locks that ``sync`` installs here."""
    files = locks_of(root, tools)
    environment = place / "peer"
    python = str(root / "venv" / "bin" / "python")
    if not environment.exists():
        tools.run(tools.uv, "venv", "--quiet", "--python", python, str(environment), cwd=root)
    program = str(environment / "bin" / "python")
    done = tools.run(tools.uv, "pip", "sync", "--quiet", "--python", program, *files, cwd=root)
    return done.seconds if files and not done.code else None


def stale_locks(root: Path, tools: Tools) -> tuple[str, ...]:
    """The locks that the commit's own requirements have outrun, as ``status`` judges."""
    done = tools.run(tools.venvman, "status", "--format", "json", cwd=root)
    locks = json.loads(done.stdout)["data"].get("locks", []) if done.stdout else []
    return tuple(each["path"] for each in locks if each["state"] == "stale")


def locks_of(root: Path, tools: Tools) -> list[str]:
    """The locks of the groups that are synced, or the files that gather them."""
    done = tools.run(tools.venvman, "scan", "--format", "json", cwd=root)
    files = json.loads(done.stdout)["data"]["projects"][0]["files"] if not done.code else []
    usual = [each for each in files if each["group"] in {"default", "dev", *tools.groups}]
    found = [each["path"] for each in usual if each["role"] == "lock"]
    gathering = [each["path"] for each in usual if each["role"] == "source" and not each["lock"]]
    return [*found, *gathering]


def installed(environment: Path) -> frozenset[str]:
    """Name, version and, where it is no index, source; not of what is never drift."""
    sites = [str(path) for path in environment.glob("lib/python3*/site-packages")]
    return frozenset(described(importlib.metadata.distributions(path=sites)))


def described(found: Iterable[importlib.metadata.Distribution]) -> Iterator[str]:
    for each in found:
        name = each.metadata["Name"]
        if name and name.lower() not in {"pip", "setuptools", "wheel"}:
            origin = json.loads(each.read_text("direct_url.json") or "{}")
            yield " ".join([name, each.version, json.dumps(origin, sort_keys=True)])


def commits_of(root: Path, tools: Tools, count: int) -> list[str]:
    """The newest commits that bring or change a requirements file, newest first."""
    paths = (":(glob)**/*requirements*.txt", ":(glob)requirements/**/*.txt")
    kind = ("--first-parent", "--diff-filter=AM", f"--max-count={count}", "--format=%H")
    return tools.git("log", *kind, "--", *paths, cwd=root).split()


def minor_of(root: Path) -> str:
    found = sorted((root / "venv" / "lib").glob("python3.*"))
    return found[0].name.removeprefix("python") if found else ""


def named_minor(root: Path, tools: Tools) -> str:
    """The Python that the headers of the locks name, the one most of them do; none if none does."""
    words = ("grep", "-hoE", "autogenerated by pip-compile with [Pp]ython [0-9.]+", "--", "*.txt")
    named = [
        line.rpartition(" ")[2] for line in tools.run("git", *words, cwd=root).stdout.split("\n")
    ]
    return statistics.mode(named[:-1]) if named[:-1] else ""


def shown(stop: Stop) -> str:
    facts = asdict(stop)
    return f"{ {key: value for key, value in facts.items() if key != 'said'} }\n{stop.said}"


def name_of(clone: Path) -> str:
    """``owner/name`` where the folder says so, else the folder's name."""
    parts = [each for each in clone.parts if each not in {"repo", ".git"}]
    return parts[-1].replace("+", "/").removesuffix(".git")


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
