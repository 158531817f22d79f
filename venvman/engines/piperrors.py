"""What pip-compile says when it fails, turned into facts with the file and line they come from."""

from __future__ import annotations

import re
from functools import cached_property
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
_ERROR = re.compile(r"(?:ERROR|Error|error|[\w.]+(?:Error|Exception|Found|Invalid\w*)):?\s")
# pip before 24.1 wants a host in every URL but those of plain files.
_NO_HOST = re.compile(r"Invalid requirement: '([^']+ @ \w+\+file:///[^']*)'")


def explain(output: str, groups: Sequence[Group]) -> VenvmanError:
    """The error that ``output``, all that pip-compile printed, amounts to."""
    said = _Said(output, groups)
    return (
        said.conflict()
        or said.network()
        or said.no_version()
        or said.other_python()
        or said.old_pip()
        or said.other()
    )


class _Said:
    """What pip-compile printed, and the requirements that it was about."""

    def __init__(self, output: str, groups: Sequence[Group]) -> None:
        self._lines = [line.strip() for line in redact(output).splitlines()]
        self._requirements = [
            line for each in groups for line in (*each.requirements, *each.constraints)
        ]

    def conflict(self) -> VenvmanError | None:
        lines = self._lines
        if "The conflict is caused by:" not in lines:
            return None
        start = len(lines) - 1 - lines[::-1].index("The conflict is caused by:")
        problems = []
        for line in lines[start + 1 :]:
            if user := _USER.fullmatch(line):
                problems.append(self._asked(user[2], constraint=bool(user[1])))
            elif depends := _DEPENDS.fullmatch(line):
                problems.append(self._depends(*depends.groups()))
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

    def network(self) -> VenvmanError | None:
        refused = next((line for line in self._lines if _REFUSED.search(line)), None)
        if refused is not None:
            message = "The package index refused the credentials."
            return IndexFault(message, code="index-refused", why=refused)
        failed = self._last(_UNREACHABLE)
        if failed is None:
            return None
        message = "The package index could not be reached."
        return IndexFault(message, code="index-unreachable", why=failed.string)

    def no_version(self) -> VenvmanError | None:
        match = self._last(_NO_VERSION)
        if match is None:
            return None
        text, versions = match[1], match[2]
        if versions == "none":
            return IndexFault(
                f"No index has a distribution named {_name(text)} for this Python and platform.",
                code="package-not-found",
                **self._at(text),
                why="Its name may be misspelt, or it has no file that fits.",
            )
        return UnsatisfiableError(
            f"No version satisfies {text}.",
            code="no-matching-version",
            **self._at(text),
            why=f"The index has {_shortened(versions)}.",
        )

    def other_python(self) -> VenvmanError | None:
        match = self._last(_PYTHON)
        if match is None:
            return None
        name, python, wanted = match.groups()
        return UnsatisfiableError(
            f"{name} needs Python {wanted}, but the environment has {python}.",
            code="requires-other-python",
            **self._at(name),
            why="No version of it that fits the requirements runs on this Python.",
            fix=with_python(wanted),
        )

    def old_pip(self) -> VenvmanError | None:
        match = self._last(_NO_HOST)
        if match is None:
            return None
        return FreezeError(
            f"The pip beside venvman is too old to read {match[1]}.",
            code="pip-too-old",
            **self._at(match[1]),
            why="Before 24.1 it takes the address of a repository on this machine for invalid.",
            fix=Advice("Upgrade the pip that venvman runs with."),
        )

    def other(self) -> VenvmanError:
        lines = self._lines
        errors = [line for line in lines if _ERROR.match(line)]
        spoken = [line for line in lines if line and not line.startswith("WARNING")]
        last = (errors or spoken or ["It printed nothing."])[-1]
        built = any(_BUILD.search(line) for line in lines)
        return FreezeError(
            "A package could not be built for its metadata." if built else "pip-compile failed.",
            code="build-failed" if built else "pip-compile-failed",
            why=_shortened(last.removeprefix("ERROR: "), limit=600),
            fix=Advice("All that was printed is shown with --verbose."),
        )

    def _last(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Where the last line that ``pattern`` is found in has it."""
        return next((m for line in reversed(self._lines) if (m := pattern.search(line))), None)

    @cached_property
    def _brought(self) -> dict[str, str]:
        """For each distribution pip looked at, who asked: ``alpha==1.0->-r a.in (line 2)``."""
        found: dict[str, str] = {}
        for match in filter(None, map(_BROUGHT.match, self._lines)):
            found.setdefault(_name(match[1].rpartition("/")[2]), match[2])
        return found

    def _asked(self, text: str, *, constraint: bool) -> Problem:
        requirement = self._find(text, self._requirements, constraint=constraint)
        verb = "limits to" if constraint else "asks for"
        if requirement is None and constraint:
            return Problem(
                code="requirements-conflict",
                message=f"The pins that the other groups share have {text}.",
                why="Groups in conflict are frozen apart, against the pins of all others.",
            )
        who = "A source file" if requirement is None else requirement.origin
        return Problem(
            code="requirements-conflict",
            message=f"{who} {verb} {text}.",
            **line_of(None if requirement is None else requirement.origin),
        )

    def _depends(self, name: str, version: str, needed: str) -> Problem:
        bare = _name(name)
        root = self._requirement(bare, loose=True)
        parts = [part for part in self._brought.get(bare, "").split("->") if part[:1] != "-"]
        way = " -> ".join([str(root.origin), *reversed(parts)]) if root else ""
        return Problem(
            code="requirements-conflict",
            message=f"{name} {version} depends on {needed}.",
            why=f"{name} is asked for by {way}." if root else None,
            **line_of(root.origin if root else None),
        )

    def _at(self, text: str) -> Where:
        """The line that ``text`` comes from."""
        requirement = self._requirement(text)
        return line_of(None if requirement is None else requirement.origin)

    def _requirement(self, text: str, *, loose: bool = False) -> Requirement | None:
        """What asks for ``text``, be it through others; ``loose``: no constraint does."""
        name = _name(text)
        named = [
            each
            for each in self._requirements
            if each.name == name and not (loose and each.constraint)
        ]
        exact = self._find(text, named, constraint=None)
        if exact is not None or named:
            return exact or named[0]
        lines = {(each.origin.path, each.origin.line): each for each in self._requirements}
        way = reversed(_LINE.findall(self._brought.get(canonical(name), "")))
        return next((lines[at] for path, line in way if (at := (path, int(line))) in lines), None)

    def _find(
        self, text: str, requirements: Iterable[Requirement], *, constraint: bool | None
    ) -> Requirement | None:
        try:
            parsed = parse_requirement(text)
        except Malformed:
            return None
        name = canonical(parsed.name)
        found = [
            each
            for each in requirements
            if each.name == name and constraint in {None, each.constraint}
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


def _shortened(text: str, *, limit: int = 200) -> str:
    """The end of a long list: the newest versions, the last words."""
    return text if len(text) <= limit else f"... {text[-limit:].partition(' ')[2]}"
