"""TreeOutcome and WhyOutcome to Result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode
from venvman.report.changes import source_text
from venvman.report.graphlanguages import GraphForm, in_language
from venvman.report.result import Result, Status
from venvman.secrets import redact

if TYPE_CHECKING:
    from venvman.graph import Asking, Chain, Chains, Dependency, Graph
    from venvman.project import Project
    from venvman.workflow.graphing import TreeOutcome, WhyOutcome

__all__ = ["tree_result", "why_result"]


def tree_result(outcome: TreeOutcome, form: GraphForm = GraphForm.TEXT) -> Result:
    """``data.{packages[], requirements[], dependencies[]}``: the graph as three lists."""
    return Result(
        command="tree",
        status=Status.OK,
        exit_code=ExitCode.OK,
        data=_graph(outcome.graph, outcome.project),
        problems=outcome.problems,
        view=outcome,
        verbatim=in_language(outcome.graph, form),
        answers=True,
    )


def why_result(outcome: WhyOutcome, form: GraphForm = GraphForm.TEXT) -> Result:
    """``data.reasons[] {name, version, more, chains[], constraints[]}``."""
    return Result(
        command="why",
        status=Status.OK,
        exit_code=ExitCode.OK,
        data={"reasons": [_reason(each, outcome) for each in outcome.reasons]},
        problems=outcome.problems,
        view=outcome,
        verbatim=in_language(outcome.graph, form),
        answers=True,
    )


def _graph(graph: Graph, project: Project) -> dict[str, Any]:
    return {
        "packages": [
            {
                "name": each.name,
                "version": each.version,
                "source": source_text(each.source, project),
                "groups": list(each.groups),
            }
            for each in graph.packages.values()
        ],
        "requirements": [_asking(each) for each in graph.askings],
        "dependencies": [_dependency(each) for each in graph.dependencies],
    }


def _asking(asking: Asking) -> dict[str, Any]:
    return {
        "name": asking.name,
        "path": asking.path,
        "line": asking.line,
        "requirement": asking.requirement,
        "specifier": asking.specifier,
        "extras": list(asking.extras),
        "groups": list(asking.groups),
    }


def _dependency(edge: Dependency) -> dict[str, Any]:
    return {
        "from": edge.parent,
        "to": edge.child,
        "specifier": edge.specifier,
        "extras": list(edge.extras),
        "extra": edge.extra,
        "groups": list(edge.groups),
    }


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
