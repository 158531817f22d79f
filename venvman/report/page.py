"""Doctor's findings as one page of HTML that fetches nothing. Pure.

What strangers wrote (messages, paths, names, licences) is escaped, and the page's own policy lets
only its own script run, whatever gets through.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import Counter
from datetime import datetime, timezone
from html import escape
from typing import TYPE_CHECKING

from venvman.model.errors import Command
from venvman.report.doctor import FAMILIES, verdict
from venvman.report.findings import Row, rows_of
from venvman.report.words import count, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from venvman.doctor.diagnosis import Treatment
    from venvman.doctor.packages import Package
    from venvman.model.names import NormalizedName
    from venvman.report.fixes import Standing

_STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1c2127; --faint: #59636e; --line: #d5dae0;
  --card: #f5f7f9; --error: #b3261e; --warning: #8a5300; --note: #3a5a8c; --good: #1b6e3c }
@media (prefers-color-scheme: dark) { :root { --back: #14181d; --text: #e6eaee; --faint: #9aa5b1;
  --line: #353d47; --card: #1d232a; --error: #ff8a80; --warning: #f2b65a; --note: #9dbdf2;
  --good: #74d399 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--text); overflow-wrap: break-word;
  font: 16px/1.5 system-ui, sans-serif }
main { max-width: 72rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.25rem; margin-top: 2.5rem } h3 { font-size: 1rem }
a { color: inherit } code, pre { font: .875rem/1.5 ui-monospace, monospace }
.verdict { padding: .75rem 1rem; border-left: .4rem solid var(--warning); background: var(--card) }
.verdict.good { border-color: var(--good) } .faint { color: var(--faint) }
ul { list-style: none; padding: 0 } li { border-top: 1px solid var(--line); padding: .6rem 0 }
li p { margin: 0 } .error { color: var(--error) } .warning { color: var(--warning) }
.note { color: var(--note) } .word { font-weight: 600 }
.scroll { overflow: auto; max-width: 100%; border: 1px solid var(--line); border-radius: .3rem }
pre { margin: .3rem 0 0; padding: .4rem .6rem; background: var(--card) }
svg { display: block } svg text { font: 13px ui-monospace, monospace; fill: var(--text) }
svg rect { fill: var(--card); stroke: var(--good) } svg .drift rect { stroke: var(--error);
  stroke-width: 2; stroke-dasharray: 5 3 } svg .drift text { fill: var(--error) }
svg path { fill: none; stroke: var(--line) }
svg path.on { stroke: var(--note); stroke-width: 2 } svg .on rect { stroke: var(--note) }
table { border-collapse: collapse; width: 100% } td, th { padding: .35rem .7rem; text-align: left;
  border-bottom: 1px solid var(--line); white-space: nowrap } td.number { text-align: right }
th button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0;
  padding: 0; cursor: pointer } th[aria-sort=ascending] button::after { content: " \\2191" }
th[aria-sort=descending] button::after { content: " \\2193" }
:focus-visible { outline: 3px solid var(--note); outline-offset: 2px }
tr:target { background: var(--card); outline: 2px solid var(--note) }
"""

_SCRIPT = """
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, at) => head.firstElementChild.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending", numbers = "number" in head.dataset;
    heads.forEach(each => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = row => row.cells[at].dataset.value ?? row.cells[at].textContent;
    const order = (one, other) => numbers
      ? Number(value(one)) - Number(value(other)) : value(one).localeCompare(value(other));
    const rows = [...body.rows].sort(order);
    body.append(...(down ? rows.reverse() : rows));
  }));
}
for (const time of document.querySelectorAll("time")) {
  const days = Math.floor((Date.now() - Date.parse(time.dateTime)) / 864e5);
  if (days >= 0) time.textContent = days === 1 ? "1 day" : `${days} days`;
}
for (const node of document.querySelectorAll("svg a")) {
  const mark = on => node.closest("svg").querySelectorAll("path").forEach(path => {
    if (path.dataset.from === node.id || path.dataset.to === node.id)
      path.classList.toggle("on", on);
  });
  for (const [on, names] of [[true, "focus mouseenter"], [false, "blur mouseleave"]])
    for (const name of names.split(" ")) node.addEventListener(name, () => mark(on));
}
"""


def page(treatments: Sequence[Treatment], here: Standing) -> str:
    """The whole document, with a section for each project, for who stands ``here``."""
    title = ", ".join(each.left.project.root.name for each in treatments)
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; script-src {_digest(_SCRIPT)}; "
        f"style-src {_digest(_STYLE)}"
    )
    sections = (
        line
        for number, each in enumerate(treatments)
        for line in _project(
            each.left.project.root.name,
            tuple(rows_of(each, here)),
            each.left.packages,
            f"p{number}",
        )
    )
    text = "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>venvman doctor: {escape(title)}</title>",
            f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
            *sections,
            f"</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n",
        )
    )
    return text.encode("utf-8", "replace").decode("utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _text(text: str) -> str:
    """``text`` as HTML; paths may be broken behind their slashes, and nowhere else."""
    return escape("".join(each if each.isprintable() else "\ufffd" for each in text)).replace(
        "/", "/<wbr>"
    )


def _project(
    name: str, rows: Sequence[Row], packages: Sequence[Package], key: str
) -> Iterator[str]:
    is_well, words = verdict([row.finding.severity for row in rows])
    lead, good = ("Healthy", " good") if is_well else ("Findings", "")
    yield f'<h1>{_text(name)}</h1>\n<p class="verdict{good}">{lead}: {escape(words)}</p>'
    for family, title in FAMILIES.items():
        members = [row for row in rows if row.finding.code.startswith(family)]
        if members:
            yield f"<h2>{title}</h2>\n<ul>"
            yield from map(_finding, members)
            yield "</ul>"
    if packages:
        yield f"<h2>Who needs what</h2>\n<p class=faint>{_legend(packages)}</p>"
        yield from _graph(packages, key)
        yield f"<h2>{count(len(packages), 'package')}</h2>"
        yield from _table(packages, key)


def _finding(row: Row) -> str:
    severity = row.finding.severity.value
    where = f"{row.path}:{row.line}" if row.line else row.path
    told = "" if where in row.finding.message else f' <span class="faint">({_text(where)})</span>'
    following = ""
    if isinstance(row.finding.fix, Command):
        command = escape(row.next)
        following = (
            f'<pre class="scroll" tabindex="0" aria-label="Fix"><code>{command}</code></pre>'
        )
    elif row.next:
        following = f'<p class="faint">{_text(row.next)}</p>'
    return (
        f'<li><p><span class="word {severity}">{severity}</span> <code>{row.finding.code}</code> '
        f"{_text(row.finding.message)}{told}</p>{following}</li>"
    )


def _legend(packages: Sequence[Package]) -> str:
    drifted = sum(bool(each.drift) for each in packages)
    return (
        f"{count(drifted, 'package')} of {len(packages)} not as locked: red, with broken borders."
    )


_ROW, _GAP, _LETTER = 34, 56, 8


def _graph(packages: Sequence[Package], key: str) -> Iterator[str]:
    """An arrow leads from each package to what it needs; columns by how far from the first."""
    labels = {each.name: _label(each) for each in packages}
    columns = _columns({each.name: each.needs for each in packages})
    at: dict[NormalizedName, tuple[int, int, int]] = {}
    left = 10
    for column in columns:
        wide = max(len(labels[name]) for name in column) * _LETTER + 16
        at.update({name: (left, 10 + row * _ROW, wide) for row, name in enumerate(column)})
        left += wide + _GAP
    width, height = left - _GAP + 10, 20 + _ROW * max(map(len, columns))
    yield (
        '<div class="scroll" tabindex="0" role="region" aria-label="Dependency graph">'
        f'<svg width="{width}" height="{height}" role="img" aria-label="Dependency graph">'
    )
    for each in packages:
        x, y, wide = at[each.name]
        for need in each.needs:
            to_x, to_y, _ = at[need]
            bend = f"{x + wide + 28} {y + 13} {to_x - 28} {to_y + 13}"
            yield (
                f'<path data-from="{key}-{each.name}" data-to="{key}-{need}" '
                f'd="M{x + wide} {y + 13}C{bend} {to_x} {to_y + 13}"/>'
            )
    for each in packages:
        x, y, wide = at[each.name]
        state = "drift" if each.drift else "fine"
        yield (
            f'<a id="{key}-{each.name}" class="{state}" href="#{key}-row-{each.name}">'
            f'<rect x="{x}" y="{y}" width="{wide}" height="26" rx="4"/>'
            f'<text x="{x + 8}" y="{y + 18}">{escape(labels[each.name])}</text></a>'
        )
    yield "</svg></div>"


def _label(package: Package) -> str:
    version = f" {package.version}" if package.version else ""
    return f"{package.name}{version}" + (f" ({package.drift})" if package.drift else "")


def _columns(
    needs: Mapping[NormalizedName, Sequence[NormalizedName]],
) -> list[list[NormalizedName]]:
    """The names by the longest way to them; where they need each other in turn, somebody begins."""
    waiting = Counter(need for each in needs.values() for need in each)
    level = dict.fromkeys(sorted(needs), 0)
    left = dict(level)
    while left:
        name = next((each for each in left if not waiting[each]), next(iter(left)))
        del left[name]
        for need in needs[name]:
            waiting[need] -= 1
            if need in left:
                level[need] = max(level[need], level[name] + 1)
    columns: list[list[NormalizedName]] = [[] for _ in range(max(level.values()) + 1)]
    for name, number in level.items():
        columns[number].append(name)
    return columns


_HEADS = (
    ("Package", ""),
    ("Version", ""),
    ("State", ""),
    ("Size", " data-number"),
    ("Licence", ""),
    ("Age", " data-number"),
)


def _table(packages: Sequence[Package], key: str) -> Iterator[str]:
    yield '<div class="scroll" tabindex="0" role="region" aria-label="Packages"><table><thead><tr>'
    for title, kind in _HEADS:
        yield f'<th scope="col"{kind}><button type="button">{title}</button></th>'
    yield "</tr></thead><tbody>"
    for each in packages:
        state = "as locked" if each.is_locked else "left alone"
        if each.drift:
            state = f'<span class="error">{escape(each.drift)}</span>'
        yield (
            f'<tr id="{key}-row-{escape(each.name)}"><td>{escape(each.name)}</td>'
            f"<td>{_text(each.version or '')}</td><td>{state}</td>{_sized(each.size)}"
            f"<td>{_text(each.licence or '')}</td>{_aged(each.installed)}</tr>"
        )
    yield "</tbody></table></div>"


def _sized(number: int | None) -> str:
    shown = "" if number is None else size(number)
    return f'<td class="number" data-value="{-1 if number is None else number}">{shown}</td>'


def _aged(installed: float | None) -> str:
    """How long it has been here: by the reader's clock, as the page may be read later."""
    if installed is None:
        return '<td class="number" data-value="0"></td>'
    day = datetime.fromtimestamp(installed, tz=timezone.utc)
    moment = day.isoformat(timespec="seconds")
    shown = f'<time datetime="{moment}" title="since {moment}">{day.date()}</time>'
    return f'<td class="number" data-value="{-int(installed)}">{shown}</td>'
