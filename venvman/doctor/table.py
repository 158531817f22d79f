"""The table of checks, in the order they run, and which of them a user asked for."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.doctor import (
    codes,
    dependencies,
    environment,
    files,
    installed,
    locks,
    repository,
    requirements,
    security,
)
from venvman.doctor.codes import CODES
from venvman.errors import Advice, ConfigurationError, Problem
from venvman.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Code, Finding

__all__ = ["CHECKS", "Check", "Selection", "examine"]


@dataclass(frozen=True, slots=True)
class Check:
    """A pure function over the facts, and the codes it can give."""

    run: Callable[[Examination], Iterable[Finding]]
    codes: tuple[Code, ...]


CHECKS: tuple[Check, ...] = (
    Check(
        environment.condition,
        (
            codes.ENVIRONMENT_ABSENT,
            codes.NOT_AN_ENVIRONMENT,
            codes.ENVIRONMENT_BROKEN,
            codes.ENVIRONMENT_MOVED,
            codes.SYSTEM_SITE_PACKAGES,
        ),
    ),
    Check(environment.unfinished, (codes.UNFINISHED,)),
    Check(environment.activation, (codes.ACTIVATE_BROKEN,)),
    Check(environment.python, (codes.OTHER_PYTHON,)),
    Check(requirements.presence, (codes.NO_REQUIREMENTS,)),
    Check(requirements.faults, (codes.REQUIREMENTS_FAULTY,)),
    Check(requirements.open_revisions, (codes.REVISION_OPEN,)),
    Check(requirements.unused, (codes.CONSTRAINTS_UNUSED,)),
    Check(locks.presence, (codes.LOCK_MISSING,)),
    Check(locks.readable, (codes.LOCK_CONFLICTED, codes.LOCK_FAULTY)),
    Check(locks.staleness, (codes.LOCK_STALE, codes.LOCKS_DISAGREE)),
    Check(locks.tool, (codes.LOCK_OF_ANOTHER_TOOL,)),
    Check(locks.hashes, (codes.LOCK_WITHOUT_HASHES,)),
    Check(locks.targets, (codes.LOCK_OF_OTHER_TARGETS,)),
    Check(installed.drift, (codes.MISSING, codes.OTHER_VERSION, codes.OTHER_SOURCE, codes.EXTRA)),
    Check(installed.duplicates, (codes.DUPLICATE,)),
    Check(installed.damage, (codes.DAMAGED,)),
    Check(installed.leftovers, (codes.LEFTOVER,)),
    Check(
        dependencies.needs,
        (codes.DEPENDENCY_MISSING, codes.DEPENDENCY_VERSION, codes.DEPENDENCY_UNREADABLE),
    ),
    Check(dependencies.python, (codes.PYTHON_UNSUPPORTED,)),
    Check(
        files.state,
        (codes.FILE_MISSING, codes.FILE_CHANGED, codes.FILE_OUTSIDE, codes.RECORD_FAULTY),
    ),
    Check(repository.hooks, (codes.HOOKS_ABSENT,)),
    Check(repository.locks, (codes.LOCK_IGNORED, codes.LOCK_UNTRACKED)),
    Check(repository.environment, (codes.ENVIRONMENT_TRACKED,)),
    Check(security.secrets, (codes.SECRET_IN_FILE,)),
    Check(security.insecure_indexes, (codes.INDEX_INSECURE,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """``--select`` and ``--ignore``: codes or beginnings of codes, in capitals.

    Without ``select`` every code is wanted; ``ignore`` wins over it.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @classmethod
    def of(cls, *, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> Selection:
        """From words as given on the command line; one word may hold several, comma-separated.

        Raises:
            ConfigurationError: a word that no code begins with; every such word at once.
        """
        chosen = {"select": _words(select), "ignore": _words(ignore)}
        unknown = [
            Problem(
                code="doctor-code-unknown",
                message=f"--{option} {word}: no code begins with that.",
                why=f"Codes are {CODES[0].code} to {CODES[-1].code}.",
                fix=Advice("Name a code or how some begin: VM4, say."),
            )
            for option, words in chosen.items()
            for word in words
            if not any(each.code.startswith(word) for each in CODES)
        ]
        if unknown:
            raise ConfigurationError(
                unknown[0].message, code="doctor-code-unknown", problems=unknown
            )
        return cls(**chosen)

    def wants(self, code: str) -> bool:
        """Whether findings of ``code`` are wanted."""
        return (not self.select or code.startswith(self.select)) and not code.startswith(
            self.ignore or ("?",)
        )


def examine(examination: Examination, selection: Selection | None = None) -> tuple[Finding, ...]:
    """Every finding that ``selection`` wants, sorted by code, package, path and line.

    Checks none of whose codes is wanted do not run.
    """
    selection = selection or Selection()
    # Several checks ask for the same metadata; each file is read once.
    examination = replace(examination, metadata=cache(examination.metadata))
    findings = [
        finding
        for check in CHECKS
        if any(selection.wants(code.code) for code in check.codes)
        for finding in _run(check, examination)
        if selection.wants(finding.code) or finding.code == codes.CHECK_FAILED.code
    ]
    return tuple(sorted(findings, key=_order))


def _run(check: Check, examination: Examination) -> list[Finding]:
    """What ``check`` finds. Where it meets what it was not made for, that is one finding more."""
    found: list[Finding] = []
    try:
        found.extend(check.run(examination))
    except Exception as error:  # noqa: BLE001 - one odd file must not hide what else there is
        names = ", ".join(code.code for code in check.codes)
        found.append(
            codes.CHECK_FAILED(
                f"What {names} look for could not be looked for: {type(error).__name__}: {error}.",
                path=examination.display(Path(error.filename))
                if isinstance(error, OSError) and isinstance(error.filename, str)
                else None,
                fix=Advice("Make what is named readable; if it is, report a defect of venvman."),
            )
        )
    return found


def _words(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for each in given for word in each.upper().replace(",", " ").split())


def _order(finding: Finding) -> tuple[str, str, str, int, str]:
    return (
        finding.code,
        finding.package or "",
        finding.path or "",
        finding.line or 0,
        finding.message,
    )
