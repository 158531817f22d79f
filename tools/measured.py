"""What was measured, for readers: a table in the README, a page, pictures; `make bench` measures.

    python -m tools.measured [FOLDER]

FOLDER is where ``make bench`` has left its figures; they become the published ones, in
`benchmarks/results`. A test refuses figures of a release before the last.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGE = ROOT / "docs" / "explanation" / "measurements.md"
PICTURES = ROOT / "docs" / "screens"
RESULTS = ROOT / "benchmarks" / "results"
BETWEEN = re.compile(r"(<!-- measured -->\n).*?(<!-- end -->)", re.DOTALL)

_NEW, _SWITCH = "new environment", "ten packages switched there and back"
_ASKED = "warm cache, a new question"
_LOCAL = "an index on this machine"
ROWS = (
    ("sync", f"{_NEW}, empty cache", "uv venv + uv pip sync", f"{_NEW}, nothing cached"),
    ("sync", f"{_NEW}, warm cache", "uv venv + uv pip sync", f"{_NEW}, everything cached"),
    ("sync", _SWITCH, "uv pip sync", "switch of branch, ten packages"),
    ("sync", _SWITCH, "uv sync --frozen", "the same beside a uv project"),
    ("sync", "nothing to do", "uv sync", "nothing to do"),
    ("freeze", "empty cache", "uv pip compile", "freeze, nothing cached"),
    ("freeze", _ASKED, "uv pip compile", "freeze, pages cached"),
    ("freeze-local", "empty cache", "uv pip compile", f"freeze, nothing cached, {_LOCAL}"),
    ("freeze-local", _ASKED, "uv pip compile", f"freeze, pages cached, {_LOCAL}"),
)
"""What the README tells: file, comparison, the peer, the words for it."""

PAGES = (
    ("sync", "Sync beside uv"),
    ("freeze", "Freeze beside uv"),
    ("freeze-local", "Freeze beside uv, from an index on the same machine"),
    ("everyone", "The same job by every tool"),
)


def files() -> dict[str, str]:
    """Those of the pages of results that there are, with their headings."""
    return {file: told for file, told in PAGES if (RESULTS / f"{file}.json").exists()}


def results(file: str) -> dict[str, Any]:
    """What ``file`` has; the last ``make bench`` wrote it."""
    found: dict[str, Any] = json.loads((RESULTS / f"{file}.json").read_text(encoding="utf-8"))
    return found


def releases_behind(measured: str, changelog: str, version: str) -> int:
    """How many releases ``version`` is after ``measured``: none, or those of ``changelog``."""
    told = re.findall(r"^## (\d\S*)", changelog, re.MULTILINE)
    known = list(dict.fromkeys([version, *told]))
    return known.index(measured) if measured in known else len(known)


def with_table(text: str) -> str:
    """``text`` with the table as the results have it today."""
    rows = [
        "| 14 requirements, about 178 packages | venvman | uv | ratio (spread) |",
        "| --- | --: | --: | --: |",
        *(_row(*each) for each in ROWS),
    ]
    where = f"Medians of alternating runs. {_where(*(file for file, *_ in ROWS))}."
    table = "\n".join(rows)
    return BETWEEN.sub(lambda found: f"{found[1]}{table}\n\n{where}\n{found[2]}", text)


INTRODUCTION = """\
`make bench` takes these figures again, with the newest release of every tool, and
`python -m tools.measured .cache/bench` writes this page from them. It needs the package index, and
a machine that does nothing else meanwhile. The requirements are `benchmarks/inputs/large.in`: 14,
which come to about 178 packages. Runs alternate, so a ratio is that of neighbours; in brackets
stand the least and the most."""


def page() -> str:
    """The page of all comparisons, with where venvman is slower."""
    parts = [
        "# Measurements",
        "<!-- Written by tools/measured.py: do not edit by hand. -->",
        f"{INTRODUCTION}\n{_where(*files())}.",
    ]
    for file, heading in files().items():
        found = results(file)
        told = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
        parts += [f"## {heading}", f"{told}."]
        for index, comparison in enumerate(found["comparisons"]):
            parts += _section(comparison, f"measured-{file}-{index}")
    return "\n\n".join(parts) + "\n"


def _section(comparison: dict[str, Any], picture: str) -> Iterator[str]:
    title = comparison["title"]
    yield f"### {title[0].upper()}{title[1:]}"
    ratios = {each["to"]: each for each in comparison["ratios"]}
    if comparison["timings"]:
        yield "\n".join(
            f"![{title}: seconds of each](../screens/{picture}-{look}.svg#only-{look})"
            for look in LOOKS
        )
        rows = ["| | seconds | venvman takes |", "| --- | --: | --: |"]
        for each in comparison["timings"]:
            ratio = ratios.get(each["label"])
            spread = f"{each['median']:.3g} ({each['low']:.3g} to {each['high']:.3g})"
            rows.append(f"| `{each['label']}` | {spread} | {_told(ratio) if ratio else ''} |")
        yield "\n".join(rows)
    if comparison["notes"]:
        yield "\n".join(f"- {note}" for note in comparison["notes"])


def _told(ratio: dict[str, Any]) -> str:
    slower = " slower" if ratio["median"] > 1.005 else ""
    return f"{ratio['median']:.2f}{slower} ({ratio['low']:.2f} to {ratio['high']:.2f})"


def _row(file: str, title: str, peer: str, words: str) -> str:
    (comparison,) = (each for each in results(file)["comparisons"] if each["title"] == title)
    timings = {each["label"]: each["median"] for each in comparison["timings"]}
    ours = next(iter(timings.values()))
    (ratio,) = (each for each in comparison["ratios"] if each["to"] == peer)
    return f"| {words} | {ours:.3g} s | {timings[peer]:.3g} s (`{peer}`) | {_told(ratio)} |"


def _where(*files: str) -> str:
    """The machine that the figures are of: the same in all files."""
    lines = {results(file)["machine"] for file in files}
    if len(lines) > 1:
        raise LookupError(f"the figures are of more than one machine: {sorted(lines)}")
    (line,) = lines
    return str(line).replace("Linux-", "Linux ", 1)


LOOKS = {
    "light": ("#1f2328", "#57606a", "#3447c8", "#9aa4b2"),
    "dark": ("#e6edf3", "#9da7b3", "#8597ff", "#57606a"),
}
"""Text, faint text, the bar of venvman, the bars of others."""


def pictures() -> Iterator[tuple[str, str]]:
    """The name of each picture, and what is in it."""
    for file in files():
        for index, comparison in enumerate(results(file)["comparisons"]):
            for look in LOOKS if comparison["timings"] else ():
                yield f"measured-{file}-{index}-{look}.svg", drawn(comparison["timings"], look)


def drawn(timings: list[dict[str, Any]], look: str) -> str:
    """A bar for each median, with a line from the least to the most."""
    text, faint, own, other = LOOKS[look]
    left, width, row = 230, 360, 30
    scale = width / max(each["high"] for each in timings)
    height = row * len(timings) + 10
    lines = [
        f'<svg viewBox="0 0 720 {height}" role="img" xmlns="http://www.w3.org/2000/svg">',
        f'<g font-family="system-ui, sans-serif" font-size="14" fill="{text}">',
    ]
    for index, each in enumerate(timings):
        y, colour = row * index + 8, other if index else own
        low, median, high = (each[name] * scale for name in ("low", "median", "high"))
        lines += [
            f'<text x="{left - 10}" y="{y + 15}" text-anchor="end">{each["label"]}</text>',
            f'<rect x="{left}" y="{y}" width="{max(median, 1):.1f}" height="20" fill="{colour}"/>',
            f'<path d="M{left + low:.1f} {y + 10}H{left + high:.1f}" stroke="{faint}"/>',
            f'<text x="{left + high + 8:.1f}" y="{y + 15}">{each["median"]:.3g} s</text>',
        ]
    return "\n".join([*lines, "</g>", "</svg>", ""])


def main() -> int:
    """Takes over the figures of a folder that is named, and writes all of it."""
    for folder in map(Path, sys.argv[1:]):
        for file, _ in PAGES:
            if (folder / f"{file}.json").exists():
                shutil.copy(folder / f"{file}.json", RESULTS)
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    for old in PICTURES.glob("measured-*.svg"):
        old.unlink()
    for name, picture in pictures():
        (PICTURES / name).write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
