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
    ("sync", "Environments beside uv"),
    ("freeze", "Freeze beside uv"),
    ("freeze-local", "Freeze beside uv, from an index on the same machine"),
    ("everyone", "The same job by every tool"),
    ("everyday", "Everyday commands"),
    ("hooks", "Git hooks"),
    ("wide", "Pinned lines by the thousand"),
    ("scaling", "Freeze by number of packages"),
    ("projects", "Many projects in one repository"),
    ("huge", "One distribution of 18,000 files"),
    ("links", "Slow links"),
    ("lookups", "A resolver that loses answers"),
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
    taken = dict.fromkeys(file for file, *_ in ROWS)
    told = {what: which for file in taken for what, which in results(file)["versions"].items()}
    versions = ", ".join(f"{what} {which}" for what, which in told.items())
    where = f"Medians of alternating runs; {versions}. {_where(*taken)}."
    table = "\n".join(rows)
    return BETWEEN.sub(lambda found: f"{found[1]}{table}\n\n{where}\n{found[2]}", text)


INTRODUCTION = """\
`make bench` takes these figures again, with the newest release of every tool, and
`python -m tools.measured .cache/bench` writes this page from them; `make bench ONLY=sync,links`
takes a part. It needs the package index, and a machine that does nothing else meanwhile. Where
nothing else is said, the requirements are `benchmarks/inputs/large.in`: 14, which come to about
178 packages. Runs alternate, so a ratio is that of neighbours; in brackets stand the least and the
most. `.cache/bench/slower.md` then says where venvman is slower."""


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
        parts += [f"## {heading}", f"{_capital(found['heading'])}; {told}."]
        pictures = (
            f"![{heading}: seconds of each](../screens/measured-{file}-{look}.svg#only-{look})"
            for look in LOOKS
        )
        rows = (row for comparison in found["comparisons"] for row in _rows(comparison))
        notes = (note for comparison in found["comparisons"] for note in _notes(comparison))
        table = ["| | | seconds | venvman takes |", "| --- | --- | --: | --: |", *rows]
        parts += ["\n".join(pictures), "\n".join(table), "\n".join(notes)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _rows(comparison: dict[str, Any]) -> Iterator[str]:
    title = _capital(comparison["title"])
    ratios = {each["to"]: each for each in comparison["ratios"]}
    for each in comparison["timings"]:
        ratio = ratios.get(each["label"])
        spread = f"{each['median']:.3g} ({each['low']:.3g} to {each['high']:.3g})"
        yield f"| {title} | `{each['label']}` | {spread} | {_told(ratio) if ratio else ''} |"
        title = ""


def _notes(comparison: dict[str, Any]) -> Iterator[str]:
    for note in comparison["notes"]:
        yield f"- {_capital(comparison['title'])}: {note}."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


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
        comparisons = [each for each in results(file)["comparisons"] if each["timings"]]
        for look in LOOKS:
            yield f"measured-{file}-{look}.svg", drawn(comparisons, look)


def drawn(comparisons: list[dict[str, Any]], look: str) -> str:
    """Bars of the medians, with lines from the least to the most; each comparison has its scale."""
    text, faint, own, other = LOOKS[look]
    left, width, row = 270, 340, 26
    lines: list[str] = []
    y = 0
    for comparison in comparisons:
        scale = width / max(each["high"] for each in comparison["timings"])
        lines.append(
            f'<text x="0" y="{y + 17}" font-weight="600">{_capital(comparison["title"])}</text>'
        )
        y += row
        for index, each in enumerate(comparison["timings"]):
            low, median, high = (each[name] * scale for name in ("low", "median", "high"))
            colour = other if index else own
            size = f'width="{max(median, 1):.1f}" height="20"'
            lines += [
                f'<text x="{left - 10}" y="{y + 15}" text-anchor="end">{each["label"]}</text>',
                f'<rect x="{left}" y="{y}" {size} fill="{colour}"/>',
                f'<path d="M{left + low:.1f} {y + 10}H{left + high:.1f}" stroke="{faint}"/>',
                f'<text x="{left + high + 8:.1f}" y="{y + 15}">{each["median"]:.3g} s</text>',
            ]
            y += row
        y += 12
    head = (
        f'<svg viewBox="0 0 720 {y}" role="img" xmlns="http://www.w3.org/2000/svg">',
        f'<g font-family="system-ui, sans-serif" font-size="14" fill="{text}">',
    )
    return "\n".join([*head, *lines, "</g>", "</svg>", ""])


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
