"""The README's table of measurements, from ``benchmarks/results``; ``--check`` only compares.

python -m tools.measured [--check]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "benchmarks" / "results"
BETWEEN = re.compile(r"(<!-- measured -->\n).*?(<!-- end -->)", re.DOTALL)

# What is told: file, heading, the command of ours, the peer, the words for it.
ROWS = (
    (
        "sync-large.md",
        "new environment, empty cache",
        "uv venv + uv pip sync",
        "new environment, nothing cached",
    ),
    (
        "sync-large.md",
        "new environment, warm cache",
        "uv venv + uv pip sync",
        "new environment, everything cached",
    ),
    (
        "sync-large.md",
        "ten packages switched there and back",
        "uv pip sync",
        "switch of branch, ten packages",
    ),
    (
        "sync-large.md",
        "ten packages switched there and back",
        "uv sync --frozen",
        "the same beside a uv project",
    ),
    ("sync-large.md", "nothing to do", "uv sync", "nothing to do"),
    ("freeze-large.md", "empty cache", "uv pip compile", "freeze, nothing cached"),
    ("freeze-large.md", "warm cache, a new question", "uv pip compile", "freeze, pages cached"),
    (
        "freeze-large-local.md",
        "empty cache",
        "uv pip compile",
        "freeze, nothing cached, an index on this machine",
    ),
    (
        "freeze-large-local.md",
        "warm cache, a new question",
        "uv pip compile",
        "freeze, pages cached, an index on this machine",
    ),
)


def with_table(text: str) -> str:
    """``text`` with the table as the results have it today."""
    rows = [
        "| 14 requirements, about 178 packages | venvman | uv | ratio (spread) |",
        "| --- | --: | --: | --: |",
        *(_row(*each) for each in ROWS),
    ]
    table = "\n".join(rows)
    return BETWEEN.sub(lambda found: f"{found[1]}{table}\n\n{_where()}\n{found[2]}", text)


def _row(file: str, heading: str, peer: str, words: str) -> str:
    section = (RESULTS / file).read_text(encoding="utf-8").split(f"## {heading}\n")[1]
    section = section.split("\n## ")[0]
    ours, theirs = _seconds(section, "venvman"), _seconds(section, peer)
    ratio = re.search(rf"ratio to {re.escape(peer)}: (\S+)  \((.*?)\)", section)
    if ratio is None:
        raise LookupError(f"{file} has no ratio to {peer} under {heading}")
    slower = " slower" if float(ratio[1]) > 1.005 else ""
    return f"| {words} | {ours} s | {theirs} s (`{peer}`) | {ratio[1]}{slower} ({ratio[2]}) |"


def _seconds(section: str, label: str) -> str:
    found = re.search(
        rf"^    {re.escape(label)}(?: [\w -]*?)?\s+([\d.]+) s ", section, re.MULTILINE
    )
    if found is None:
        raise LookupError(f"{label} is not among the figures:\n{section}")
    return f"{float(found[1]):.3g}"


def _where() -> str:
    """The machine that the figures are of: one line, the same in all files."""
    lines = {(RESULTS / file).read_text(encoding="utf-8").splitlines()[2] for file, *_ in ROWS}
    if len(lines) > 1:
        raise LookupError(f"the figures are of more than one machine: {sorted(lines)}")
    (line,) = lines
    return f"Medians of alternating runs. {line.replace('Linux-', 'Linux ', 1)}."


def main() -> int:
    """1 where ``--check`` finds the table out of date."""
    text = README.read_text(encoding="utf-8")
    if "--check" in sys.argv[1:]:
        return int(with_table(text) != text)
    README.write_text(with_table(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
