"""What pip-compile says when it fails, turned into facts with the file and line they come from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.model.errors import (
    Advice,
    FreezeError,
    IndexFault,
    Problem,
    UnsatisfiableError,
    VenvmanError,
)
from venvman.model.names import canonical
from venvman.model.pep508 import Malformed, parse_requirement
from venvman.resolve.misfits import with_python
from venvman.system.secrets import line_of, redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from venvman.project.groups import Group
    from venvman.requirements.file import Requirement
    from venvman.system.secrets import Where

_USER = re.compile(r"The user requested (\(constraint\) )?(.+)")
_DEPENDS = re.compile(r"(\S+) (\S+) depends on (.+)")
_PYTHON = re.compile(r"Package '?([^' ]+)'? requires a different Python: (\S+) not in '([^']+)'")
_NO_VERSION = re.compile(
    r"Could not find a version that satisfies the requirement (.+?)(?: \(from (?!versions).*?\))?"
    r" \(from versions: (.*)\)$"
)
_UNREACHABLE = re.compile(
    r"(NewConnectionError|ConnectTimeoutError|NameResolutionError|Could not fetch URL|"
    r"ProxyError|SSLError|CERTIFICATE_VERIFY_FAILED)"
)
_REFUSED = re.compile(r"\b(401|403|407)\b.*(?:Error|Unauthorized|Forbidden|Client)|User for ")
_BROUGHT = re.compile(
    r"(?:Collecting|Processing|Obtaining|Requirement already satisfied:?) (\S+).*?\(from (.+)\)$"
)
_LINE = re.compile(r"-[rc] (.+?) \(line (\d+)\)")
_BUILD = re.compile(
    r"subprocess-exited-with-error|metadata-generation-failed|BuildBackend|Failed to build"
)
# pip before 24.1 wants a host in every URL but those of plain files.
_NO_HOST = re.compile(r"Invalid requirement: '([^']+ @ \w+\+file:///[^']*)'")


def explain(output: str, groups: Sequence[Group]) -> VenvmanError:
    """The error that ``output``, all that pip-compile printed, amounts to."""
    lines = [line.strip() for line in redact(output).splitlines()]
    requirements = [line for each in groups for line in (*each.requirements, *each.constraints)]
    return (
        _conflict(lines, requirements)
        or _network(lines)
        or _no_version(lines, requirements)
        or _other_python(lines, requirements)
        or _old_pip(lines, requirements)
        or _other(lines)
    )


def _conflict(lines: list[str], requirements: list[Requirement]) -> VenvmanError | None:
    if "The conflict is caused by:" not in lines:
        return None
    start = len(lines) - 1 - lines[::-1].index("The conflict is caused by:")
    brought = _brought(lines)
    problems = []
    for line in lines[start + 1 :]:
        if user := _USER.fullmatch(line):
            problems.append(_asked(user[2], requirements, constraint=bool(user[1])))
        elif depends := _DEPENDS.fullmatch(line):
            problems.append(_depends(depends, brought, requirements))
        elif line:
            break
    if not problems:
        return None
    return UnsatisfiableError(
        "The requirements contradict each other: no set of versions satisfies them all.",
        code="requirements-conflict",
        why=" ".join(problem.message for problem in problems),
        problems=problems,
    )


def _network(lines: list[str]) -> VenvmanError | None:
    refused = next((line for line in lines if _REFUSED.search(line)), None)
    if refused is not None:
        message = "The package index refused the credentials."
        return IndexFault(message, code="index-refused", why=refused)
    failed = next((line for line in reversed(lines) if _UNREACHABLE.search(line)), None)
    if failed is None:
        return None
    message = "The package index could not be reached."
    return IndexFault(message, code="index-unreachable", why=failed)


def _no_version(lines: list[str], requirements: list[Requirement]) -> VenvmanError | None:
    match = next((m for line in reversed(lines) if (m := _NO_VERSION.search(line))), None)
    if match is None:
        return None
    text, versions = match[1], match[2]
    origin = _requirement_of(text, requirements) or _chain(
        _name(text), _brought(lines), requirements
    )
    if versions == "none":
        return IndexFault(
            f"No index has a distribution named {_name(text)} for this Python and platform.",
            code="package-not-found",
            **_at(origin),
            why="Its name may be misspelt, or it has no file that fits.",
        )
    return UnsatisfiableError(
        f"No version satisfies {text}.",
        code="no-matching-version",
        **_at(origin),
        why=f"The index has {_shortened(versions)}.",
    )


def _other_python(lines: list[str], requirements: list[Requirement]) -> VenvmanError | None:
    match = next((m for line in reversed(lines) if (m := _PYTHON.search(line))), None)
    if match is None:
        return None
    name, python, wanted = match.groups()
    return UnsatisfiableError(
        f"{name} needs Python {wanted}, but the environment has {python}.",
        code="requires-other-python",
        **_at(_requirement_of(name, requirements) or _chain(name, _brought(lines), requirements)),
        why="No version of it that fits the requirements runs on this Python.",
        fix=with_python(wanted),
    )


def _old_pip(lines: list[str], requirements: list[Requirement]) -> VenvmanError | None:
    match = next((m for line in lines if (m := _NO_HOST.search(line))), None)
    if match is None:
        return None
    return FreezeError(
        f"The pip beside venvman is too old to read {match[1]}.",
        code="pip-too-old",
        **_at(_requirement_of(match[1], requirements)),
        why="Before 24.1 it takes the address of a repository on this machine for invalid.",
        fix=Advice("Upgrade the pip that venvman runs with."),
    )


def _other(lines: list[str]) -> VenvmanError:
    errors = [
        line
        for line in lines
        if re.match(r"(?:ERROR|Error|error|[\w.]+(?:Error|Exception|Found|Invalid\w*)):?\s", line)
    ]
    spoken = [line for line in lines if line and not line.startswith("WARNING")]
    last = (errors or spoken or ["It printed nothing."])[-1]
    built = any(_BUILD.search(line) for line in lines)
    return FreezeError(
        "A package could not be built for its metadata." if built else "pip-compile failed.",
        code="build-failed" if built else "pip-compile-failed",
        why=_shortened(last.removeprefix("ERROR: "), limit=600),
        fix=Advice("All that was printed is shown with --verbose."),
    )


def _asked(text: str, requirements: Iterable[Requirement], *, constraint: bool) -> Problem:
    requirement = _find(text, requirements, constraint=constraint)
    verb = "limits to" if constraint else "asks for"
    if requirement is None and constraint:
        return Problem(
            code="requirements-conflict",
            message=f"The pins that the other groups share have {text}.",
            why="Groups in conflict are frozen apart, against the pins of all others.",
        )
    if requirement is None:
        return Problem(code="requirements-conflict", message=f"A source file {verb} {text}.")
    return Problem(
        code="requirements-conflict",
        message=f"{requirement.origin} {verb} {text}.",
        **_at(requirement),
    )


def _depends(
    match: re.Match[str], brought: dict[str, str], requirements: list[Requirement]
) -> Problem:
    name, version, needed = match.groups()
    bare = _name(name)
    root = _requirement_of(bare, requirements, loose=True) or _chain(bare, brought, requirements)
    parts = [part for part in brought.get(bare, "").split("->") if not part.startswith("-")]
    way = " -> ".join([str(root.origin) if root else "", *reversed(parts)])
    why = f"{name} is asked for by {way}." if root else None
    return Problem(
        code="requirements-conflict",
        message=f"{name} {version} depends on {needed}.",
        why=why,
        **_at(root),
    )


def _brought(lines: list[str]) -> dict[str, str]:
    """For each distribution pip looked at, who asked for it: ``alpha==1.0->-r a.in (line 2)``."""
    found: dict[str, str] = {}
    for line in lines:
        match = _BROUGHT.match(line)
        if match:
            found.setdefault(_name(match[1].rpartition("/")[2]), match[2])
    return found


def _chain(
    name: str, brought: dict[str, str], requirements: Iterable[Requirement]
) -> Requirement | None:
    found = _LINE.findall(brought.get(canonical(name), ""))
    lines = {(each.origin.path, each.origin.line): each for each in requirements}
    return next(
        (lines[at] for path, line in reversed(found) if (at := (path, int(line))) in lines), None
    )


def _requirement_of(
    text: str, requirements: Iterable[Requirement], *, loose: bool = False
) -> Requirement | None:
    name = _name(text)
    named = [requirement for requirement in requirements if requirement.name == name]
    if loose:
        named = [requirement for requirement in named if not requirement.constraint]
    exact = _find(text, named, constraint=None)
    return exact or (named[0] if named else None)


def _find(
    text: str, requirements: Iterable[Requirement], *, constraint: bool | None
) -> Requirement | None:
    try:
        parsed = parse_requirement(text)
    except Malformed:
        return None
    name = canonical(parsed.name)
    found = [
        each for each in requirements if each.name == name and constraint in {None, each.constraint}
    ]
    same = [each for each in found if each.specifier == parsed.specifier]
    return next(iter(same or found), None)


def _name(text: str) -> str:
    """The canonical name a requirement, wheel or sdist file name begins with."""
    if text.endswith(".whl"):
        return canonical(text.partition("-")[0])
    match = re.match(
        r"[A-Za-z0-9][A-Za-z0-9._-]*", re.sub(r"-\d[\w.]*\.(?:tar\.gz|zip)$", "", text)
    )
    return canonical(match[0]) if match else text


def _at(requirement: Requirement | None) -> Where:
    return line_of(None if requirement is None else requirement.origin)


def _shortened(text: str, *, limit: int = 200) -> str:
    """The end of a long list: the newest versions, the last words."""
    return text if len(text) <= limit else f"... {text[-limit:].partition(' ')[2]}"
