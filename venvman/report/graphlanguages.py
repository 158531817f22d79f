"""A dependency graph in the languages that draw graphs: Mermaid and DOT. Pure."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from venvman.secrets import redact

if TYPE_CHECKING:
    from venvman.graph import Asking, Dependency, Graph, Package


class GraphForm(str, Enum):
    """What a graph can be told as."""

    TEXT = "text"
    JSON = "json"
    MERMAID = "mermaid"
    DOT = "dot"


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
