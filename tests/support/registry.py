"""Which codes of errors, problems and findings may come with a command that fixes them.

Read from the package's own syntax trees, so that a code that is new is found at once. A code counts
unless every one of its fixes is plainly advice, or nothing.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import venvman

PACKAGE = Path(venvman.__file__).parent
_KEBAB = re.compile(r"[a-z]+(?:-[a-z]+)+")
_BROKEN = "Broken"
"""A call of this class is the error ``environment-CODE``; without a fix it has a command."""

ELSEWHERE = {
    "workflow/syncing.py": {"sync-removes-all", "sync-adopts"},
    "install/remove.py": {"record-missing", "distutils-installed"},
    "workflow/agreement.py": {
        "lock-disagreement", "lock-behind-tracked", "lock-differs-from-included",
    },
    "lock/freshness.py": {"lock-misses-requirement", "lock-misses-extra"},
    "install/transaction.py": {"permission-denied"},
    "environment/creating.py": {"environment-not-created", "environment-not-removed"},
}  # fmt: skip
"""Codes that a module hands on as values, beside those that it writes where it calls."""


def codes_with_a_command() -> dict[str, list[str]]:
    """Each such code, and the places where it is raised or told."""
    trees = {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
    calls = {path: _calls_by_name(tree) for path, tree in trees.items()}
    advice = {name for tree in trees.values() for name in _advice(tree)}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path, tree in trees.items():
        name = path.relative_to(PACKAGE).as_posix()
        for function, call in _calls(tree):
            fix = _keyword(call, "fix")
            written = _keyword(call, "code")
            if written is None:
                continue
            handed = name in ELSEWHERE and not isinstance(written, ast.Constant)
            if not handed and not _may_be_command(fix, function, advice, call):
                continue
            # A function of another module's, too, may be given the code.
            name_of = getattr(function, "name", "_")
            around = [calls[path]] if name_of.startswith("_") else [*calls.values()]
            for code in _codes(written, function, around, call, name):
                found[code].append(f"{name}:{call.lineno}")
    return dict(found)


def _calls(tree: ast.AST, function: ast.AST | None = None) -> Iterator[tuple[ast.AST, ast.Call]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call):
            yield function or tree, node
        inner = node if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
        yield from _calls(node, inner)


def _calls_by_name(tree: ast.Module) -> Mapping[str, list[ast.Call]]:
    found: defaultdict[str, list[ast.Call]] = defaultdict(list)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found[node.func.id].append(node)
    return found


def _advice(tree: ast.Module) -> Iterator[str]:
    """Names of the module that are always advice: constants, and functions that give nothing else.

    Functions are named with ``()``.
    """
    for node in tree.body:
        if isinstance(node, ast.Assign) and _is_call_of(node.value, "Advice"):
            yield from (each.id for each in node.targets if isinstance(each, ast.Name))
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            given = ast.unparse(node.returns)
            if "Advice" in given and "Fix" not in given and "Command" not in given:
                yield f"{node.name}()"


def _may_be_command(  # noqa: PLR0911 - one for each form
    fix: ast.expr | None, function: ast.AST, advice: set[str], call: ast.Call | None = None
) -> bool:
    match fix:
        case None:
            return call is not None and _is_call_of(call, _BROKEN)
        case ast.Constant() | ast.Attribute(attr="fix"):
            return False  # no fix at all, or one handed on with its code
        case ast.IfExp():
            branches = (fix.body, fix.orelse)
            return any(_may_be_command(each, function, advice) for each in branches)
        case ast.BoolOp():
            return any(_may_be_command(each, function, advice) for each in fix.values)
        case ast.Call():
            called = fix.func.id if isinstance(fix.func, ast.Name) else ast.unparse(fix.func)
            return called != "Advice" and f"{called}()" not in advice
        case ast.Name():
            if fix.id in advice:
                return False
            if fix.id.lstrip("_").isupper():
                return True  # a constant of the module
            given = list(_assigned(fix.id, function))
            return any(_may_be_command(each, function, advice) for each in given)
        case _:
            return True


def _assigned(name: str, function: ast.AST) -> Iterator[ast.expr]:
    """What ``function`` assigns to ``name``; nothing where it is an argument, handed on."""
    for node in ast.walk(function):
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name and node.value:
            yield node.value
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if ast.unparse(target) == name:
                yield node.value
            if isinstance(target, ast.Tuple):
                names = [ast.unparse(each) for each in target.elts]
                if name in names:
                    values = node.value.elts if isinstance(node.value, ast.Tuple) else None
                    yield values[names.index(name)] if values else node.value


def _codes(
    written: ast.expr,
    function: ast.AST,
    calls: list[Mapping[str, list[ast.Call]]],
    call: ast.Call,
    module: str,
) -> set[str]:
    if isinstance(written, ast.Constant):
        text = str(written.value)
        return {f"environment-{text}" if _is_call_of(call, _BROKEN) else text}
    if isinstance(written, (ast.Attribute, ast.JoinedStr)):
        return set()  # handed on
    if module in ELSEWHERE:
        return ELSEWHERE[module] | _passed(function, calls)
    local = list(_assigned(written.id, function)) if isinstance(written, ast.Name) else []
    found = {
        *_passed(function, calls),
        *(text for each in (written, *local) for text in _texts(each)),
    }
    if _is_call_of(call, _BROKEN):
        found = {f"environment-{text}" for text in found}
    assert found, f"{module}:{call.lineno}: which code is {ast.unparse(written)}?"
    return found


def _passed(function: ast.AST, calls: list[Mapping[str, list[ast.Call]]]) -> set[str]:
    """Codes that calls of ``function`` pass to it."""
    name = getattr(function, "name", "")
    return {
        text
        for by_name in calls
        for node in by_name.get(name, ())
        for argument in [*node.args, *(each.value for each in node.keywords)]
        for text in _texts(argument)
    }


def _texts(node: ast.AST) -> set[str]:
    values = (str(each.value) for each in ast.walk(node) if isinstance(each, ast.Constant))
    return {text for text in values if _KEBAB.fullmatch(text)}


def _is_call_of(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)
