"""``tree`` and ``why``: trees, chains of requirements, and the graph in Mermaid and DOT."""

from __future__ import annotations

from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING, Any

from venvman.model.graph import Asking, Branch, Chain, Chains, Dependency, Graph, Package
from venvman.report.drawing import Drawing, Group, Text, Tree
from venvman.report.planned import source_text
from venvman.report.result import Result, Screen
from venvman.report.words import Style, count, plain, sentence_list
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.outcomes import TreeOutcome, WhyOutcome

_MOST_CHAINS = 10


class GraphForm(str, Enum):
    """What a graph can be told as."""

    TEXT = "text"
    JSON = "json"
    MERMAID = "mermaid"
    DOT = "dot"


def tree_result(outcome: TreeOutcome, form: GraphForm = GraphForm.TEXT) -> Result:
    """``data.{packages[], requirements[], dependencies[]}``: the graph as three lists."""
    return Result(
        command="tree",
        data={
            "packages": [
                {
                    "name": each.name,
                    "version": each.version,
                    "source": source_text(each.source, outcome.project),
                    "groups": list(each.groups),
                }
                for each in outcome.graph.packages.values()
            ],
            "requirements": [
                {
                    "name": each.name,
                    "path": each.path,
                    "line": each.line,
                    "requirement": each.requirement,
                    "specifier": each.specifier,
                    "extras": list(each.extras),
                    "groups": list(each.groups),
                }
                for each in outcome.graph.askings
            ],
            "dependencies": [
                {
                    "from": each.parent,
                    "to": each.child,
                    "specifier": each.specifier,
                    "extras": list(each.extras),
                    "extra": each.extra,
                    "groups": list(each.groups),
                }
                for each in outcome.graph.dependencies
            ],
        },
        problems=outcome.problems,
        draw=lambda _: draw_tree(outcome),
        verbatim=in_language(outcome.graph, form),
        answers=True,
    )


def why_result(outcome: WhyOutcome, form: GraphForm = GraphForm.TEXT) -> Result:
    """``data.reasons[] {name, version, more, chains[], constraints[]}``."""
    return Result(
        command="why",
        data={"reasons": [_reason(each, outcome) for each in outcome.reasons]},
        problems=outcome.problems,
        # For each package its version, then the chains to it, shortest first.
        draw=lambda screen: Group(
            *(_reason_tree(each, outcome, screen) for each in outcome.reasons)
        ),
        verbatim=in_language(outcome.graph, form),
        answers=True,
    )


def _reason(chains: Chains, outcome: WhyOutcome) -> dict[str, Any]:
    return {
        "name": chains.name,
        "version": outcome.graph.packages[chains.name].version,
        "more": chains.more,
        "chains": [_chain(each, outcome.graph) for each in chains.chains],
        "constraints": [
            {"path": each.origin.path, "line": each.origin.line, "requirement": redact(each.raw)}
            for each in outcome.limits
            if each.name == chains.name
        ],
    }


def _chain(chain: Chain, graph: Graph) -> dict[str, Any]:
    asking = chain.asking
    return {
        "path": asking.path,
        "line": asking.line,
        "requirement": asking.requirement,
        "groups": list(asking.groups),
        "steps": [
            {
                "name": asking.name,
                "version": graph.packages[asking.name].version,
                "specifier": asking.specifier,
                "extra": None,
            },
            *(
                {
                    "name": step.child,
                    "version": graph.packages[step.child].version,
                    "specifier": step.specifier,
                    "extra": step.extra,
                }
                for step in chain.steps
            ),
        ],
    }


def draw_tree(outcome: TreeOutcome) -> Drawing:
    """One tree for each source file, or for each package that was asked about."""
    parts: list[Drawing] = []
    for heading, branches in groupby(outcome.branches, key=_heading):
        if heading is None:
            parts += map(_planted, branches)
        else:
            tree = Tree(heading, guide_style=Style.FAINT)
            tree.children += map(_planted, branches)
            parts.append(tree)
    if not parts:
        return Text("The lock is empty.")
    if _any_repeated(outcome.branches):
        parts.append(Text("(*) its dependencies stand above", style=Style.FAINT))
    return Group(*parts, Text(count(len(outcome.graph.packages), "package"), style=Style.FAINT))


def _heading(branch: Branch) -> Text | None:
    if not isinstance(branch.edge, Asking):
        return None
    groups = sentence_list(branch.edge.groups)
    return Text.assemble(plain(branch.edge.path, Style.PATH), plain(f"  {groups}", Style.FAINT))


def _planted(branch: Branch) -> Tree:
    tree = Tree(_node(branch), guide_style=Style.FAINT)
    tree.children += map(_planted, branch.children)
    return tree


def _node(branch: Branch) -> Text:
    if branch.package is None:
        assert isinstance(branch.edge, Asking)  # noqa: S101 - lines have no package
        return Text.assemble(_place(branch.edge), "  ", plain(branch.edge.requirement))
    line = _package(branch.package)
    said = _edge(branch.edge).strip()
    if said:
        line.append_text(plain(f"  {said}", Style.FAINT))
    if branch.repeated:
        line.append(" (*)", style=Style.FAINT)
    if branch.cut:
        line.append(" ...", style=Style.FAINT)
    return line


def _package(package: Package) -> Text:
    version = package.version or str(package.source)
    return Text.assemble(plain(package.name, Style.NAME), " ", plain(version, Style.ADDED))


def _place(asking: Asking) -> Text:
    where = asking.path if asking.line is None else f"{asking.path}:{asking.line}"
    return plain(where, Style.PATH)


def _edge(edge: Asking | Dependency | None) -> str:
    match edge:
        case None:
            return ""
        case Asking():
            extras = f"[{','.join(edge.extras)}]" if edge.extras else ""
            return f"{extras}{edge.specifier}"
        case Dependency():
            extras = f"[{','.join(edge.extras)}]" if edge.extras else ""
            extra = f" with extra {edge.extra}" if edge.extra else ""
            return f"{extras}{edge.specifier or ''}{extra}"


def _any_repeated(branches: Sequence[Branch]) -> bool:
    return any(branch.repeated or _any_repeated(branch.children) for branch in branches)


def _reason_tree(chains: Chains, outcome: WhyOutcome, screen: Screen) -> Drawing:
    package = outcome.graph.packages[chains.name]
    limits = [each for each in outcome.limits if each.name == chains.name]
    if not chains.chains and not limits:
        return Text.assemble(_package(package), "  no requirement is known to bring it")
    shown = chains.chains if screen.verbose else chains.chains[:_MOST_CHAINS]
    tree = Tree(_package(package), guide_style=Style.FAINT)
    for chain in shown:
        # ``requirements.in:3 flask>=3 -> werkzeug>=3.0 -> markupsafe>=2.1``.
        asking = chain.asking
        line = Text.assemble(_place(asking), "  ", plain(asking.requirement), overflow="fold")
        for step in chain.steps:
            line.append_text(
                Text.assemble((" -> ", Style.FAINT), plain(f"{step.child}{_edge(step)}"))
            )
        tree.add(line)
    rest = len(chains.chains) - len(shown)
    if rest:
        tree.add(
            Text(f"... and {count(rest, 'longer chain')} (--verbose shows all)", style=Style.FAINT)
        )
    elif chains.more:
        tree.add(Text("... and longer ones", style=Style.FAINT))
    for limit in limits:
        where = plain(str(limit.origin), Style.PATH)
        tree.add(Text.assemble(where, f"  limits it to {redact(limit.raw)}"))
    return tree


def in_language(graph: Graph, form: GraphForm) -> str | None:
    """``graph`` as a program wants it; None for the forms that every result has."""
    match form:
        case GraphForm.MERMAID:
            return to_mermaid(graph)
        case GraphForm.DOT:
            return to_dot(graph)
        case GraphForm.TEXT | GraphForm.JSON:
            return None


def to_mermaid(graph: Graph) -> str:
    """A flowchart (https://mermaid.js.org/syntax/flowchart.html); files are rounded."""
    numbers = {name: f"p{number}" for number, name in enumerate(graph.packages)}
    paths = _paths(graph)
    lines = ["flowchart LR"]
    lines += [f"  {files}([{_entity(path)}])" for path, files in paths.items()]
    lines += [f"  {numbers[each.name]}[{_entity(_label(each))}]" for each in _packages(graph)]
    lines += [
        f"  {paths[each.path]} -->{_arrow(_said(each))} {numbers[each.name]}"
        for each in graph.askings
    ]
    lines += [
        f"  {numbers[each.parent]} -->{_arrow(_asked(each))} {numbers[each.child]}"
        for each in graph.dependencies
    ]
    return "\n".join(lines) + "\n"


def to_dot(graph: Graph) -> str:
    """A directed graph for Graphviz (https://graphviz.org/doc/info/lang.html)."""
    lines = ["digraph dependencies {", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f"  {_quoted(path)} [shape=ellipse];" for path in _paths(graph)]
    lines += [
        f"  {_quoted(each.name)} [label={_quoted(_label(each))}];" for each in _packages(graph)
    ]
    lines += [
        f"  {_quoted(each.path)} -> {_quoted(each.name)}{_labelled(_said(each))};"
        for each in graph.askings
    ]
    lines += [
        f"  {_quoted(each.parent)} -> {_quoted(each.child)}{_labelled(_asked(each))};"
        for each in graph.dependencies
    ]
    return "\n".join([*lines, "}"]) + "\n"


def _paths(graph: Graph) -> dict[str, str]:
    paths = dict.fromkeys(each.path for each in graph.askings)
    return {path: f"f{number}" for number, path in enumerate(paths)}


def _packages(graph: Graph) -> list[Package]:
    return list(graph.packages.values())


def _label(package: Package) -> str:
    return f"{package.name} {package.version or redact(str(package.source))}"


def _said(asking: Asking) -> str:
    extras = f"[{','.join(asking.extras)}]" if asking.extras else ""
    line = f"line {asking.line}" if asking.line is not None else ""
    return " ".join(filter(None, (line, f"{extras}{asking.specifier}")))


def _asked(edge: Dependency) -> str:
    extras = f"[{','.join(edge.extras)}]" if edge.extras else ""
    extra = f"extra {edge.extra}" if edge.extra else ""
    return " ".join(filter(None, (f"{extras}{edge.specifier or ''}", extra)))


def _arrow(label: str) -> str:
    return f"|{_entity(label)}|" if label else ""


def _entity(text: str) -> str:
    """``text`` in quotes; Mermaid's way to write a quote in it is an HTML entity."""
    escaped = text.replace("&", "&amp;").replace('"', "&quot;")
    return '"' + escaped.replace("<", "&lt;").replace(">", "&gt;") + '"'


def _labelled(label: str) -> str:
    return f" [label={_quoted(label)}]" if label else ""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
