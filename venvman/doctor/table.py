"""The table of checks, in the order they run, and which of them a user asked for."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.doctor import (
    built,
    bytecode,
    codes,
    environment,
    files,
    installed,
    libraries,
    locks,
    repository,
    requirements,
    security,
    unowned,
)
from venvman.doctor.codes import CODES
from venvman.model.errors import Advice, ConfigurationError, Problem, Severity
from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Code, Finding
    from venvman.project.settings import DoctorSettings


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
    Check(environment.interpreters, (codes.INTERPRETERS_DISAGREE,)),
    Check(environment.pip, (codes.PIP_MISSING,)),
    Check(environment.writable, (codes.NOT_WRITABLE,)),
    Check(environment.active, (codes.OTHER_ACTIVE,)),
    Check(environment.python, (codes.OTHER_PYTHON,)),
    Check(requirements.presence, (codes.NO_REQUIREMENTS,)),
    Check(requirements.faults, (codes.REQUIREMENTS_FAULTY,)),
    Check(requirements.open_revisions, (codes.REVISION_OPEN,)),
    Check(requirements.unused, (codes.CONSTRAINTS_UNUSED,)),
    Check(requirements.gone, (codes.PATH_GONE,)),
    Check(requirements.unset, (codes.VARIABLE_UNSET,)),
    Check(requirements.extras, (codes.EXTRA_UNKNOWN,)),
    Check(requirements.ignored, (codes.OPTION_IGNORED,)),
    Check(requirements.misspelled, (codes.NAME_MISSPELLED,)),
    Check(requirements.repeated, (codes.LISTED_TWICE, codes.REQUIREMENTS_CONTRARY)),
    Check(locks.presence, (codes.LOCK_MISSING,)),
    Check(locks.orphaned, (codes.LOCK_ORPHANED,)),
    Check(locks.readable, (codes.LOCK_CONFLICTED, codes.LOCK_FAULTY)),
    Check(locks.staleness, (codes.LOCK_STALE, codes.LOCKS_DISAGREE)),
    Check(locks.tool, (codes.LOCK_OF_ANOTHER_TOOL,)),
    Check(locks.hashes, (codes.LOCK_WITHOUT_HASHES,)),
    Check(locks.machine_paths, (codes.LOCK_OF_ONE_MACHINE,)),
    Check(locks.targets, (codes.LOCK_OF_OTHER_TARGETS,)),
    Check(locks.reasons, (codes.VIA_UNTRUE,)),
    Check(locks.wrong_hashes, (codes.HASHES_WRONG,)),
    Check(installed.drift, (codes.MISSING, codes.OTHER_VERSION, codes.OTHER_SOURCE, codes.EXTRA)),
    Check(installed.duplicates, (codes.DUPLICATE,)),
    Check(installed.damage, (codes.DAMAGED,)),
    Check(installed.leftovers, (codes.LEFTOVER,)),
    Check(
        installed.needs,
        (codes.DEPENDENCY_MISSING, codes.DEPENDENCY_VERSION, codes.DEPENDENCY_UNREADABLE),
    ),
    Check(installed.python, (codes.PYTHON_UNSUPPORTED,)),
    Check(built.wheels, (codes.WHEEL_FOREIGN,)),
    Check(built.legacy, (codes.METADATA_LEGACY,)),
    Check(
        files.state,
        (
            codes.FILE_MISSING,
            codes.FILE_CHANGED,
            codes.FILE_OUTSIDE,
            codes.RECORD_FAULTY,
            codes.FILE_WRITABLE,
        ),
    ),
    Check(
        unowned.unowned,
        (codes.FILE_UNOWNED, codes.STARTUP_UNOWNED, codes.FOLDER_WRITABLE, codes.FILE_OF_TWO),
    ),
    Check(unowned.modules, (codes.MODULE_SHADOWS,)),
    Check(built.scripts, (codes.SCRIPT_FOREIGN,)),
    Check(bytecode.bytecode, (codes.BYTECODE_FOREIGN,)),
    Check(libraries.libraries, (codes.LIBRARY_MISSING,)),
    Check(built.targets, (codes.ENTRY_POINT_BROKEN,)),
    Check(repository.hooks, (codes.HOOKS_ABSENT,)),
    Check(repository.program, (codes.HOOKS_OF_GONE,)),
    Check(repository.apart, (codes.STAGED_APART,)),
    Check(repository.locks, (codes.LOCK_IGNORED, codes.LOCK_UNTRACKED)),
    Check(repository.environment, (codes.ENVIRONMENT_TRACKED,)),
    Check(security.secrets, (codes.SECRET_IN_FILE,)),
    Check(security.insecure_indexes, (codes.INDEX_INSECURE,)),
    Check(security.trusted_hosts, (codes.HOST_TRUSTED,)),
    Check(security.several_indexes, (codes.INDEXES_SEVERAL,)),
    Check(security.vulnerable, (codes.VULNERABLE, codes.AUDIT_INCOMPLETE)),
    Check(security.yanked, (codes.PIN_YANKED,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """``--select`` and ``--ignore``: codes or beginnings of codes, in capitals.

    Without ``select`` every code is wanted; ``ignore`` wins over it. ``severity`` replaces that of
    the codes that begin so; the longest beginning counts.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: tuple[tuple[str, Severity], ...] = ()

    @classmethod
    def of(cls, *, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> Selection:
        """From words as given on the command line; one word may hold several, comma-separated.

        Raises:
            ConfigurationError: a word that no code begins with; every such word at once.
        """
        chosen = {"select": _words(select), "ignore": _words(ignore)}
        _refuse_unknown({f"--{option}": words for option, words in chosen.items()})
        return cls(select=chosen["select"], ignore=chosen["ignore"])

    def over(self, chosen: DoctorSettings) -> Selection:
        """This one, with what the project has ``chosen`` where nothing was given.

        Raises:
            ConfigurationError: a word in the file that no code begins with.
        """
        words = {"select": _words(chosen.select), "ignore": _words(chosen.ignore)}
        severity = tuple((code.upper(), value) for code, value in chosen.severity)
        named = {**words, "severity": tuple(code for code, _ in severity)}
        _refuse_unknown(
            {f"[tool.venvman.doctor] {key}": value for key, value in named.items()},
            path="pyproject.toml",
        )
        return Selection(
            select=self.select or words["select"],
            ignore=self.ignore or words["ignore"],
            severity=severity,
        )

    def weighed(self, finding: Finding) -> Finding:
        """``finding`` as severe as is chosen."""
        fitting = [each for each in self.severity if finding.code.startswith(each[0])]
        if not fitting:
            return finding
        return replace(finding, severity=max(fitting, key=lambda each: len(each[0]))[1])

    def wants(self, code: str) -> bool:
        """Whether findings of ``code`` are wanted."""
        return (not self.select or code.startswith(self.select)) and not code.startswith(
            self.ignore or ("?",)
        )


def explained(words: Sequence[str]) -> tuple[Code, ...]:
    """The codes that begin with one of ``words``, or have that name; all of them without words.

    Raises:
        ConfigurationError: a word that fits none.
    """
    named = {each.name.upper(): each.code for each in CODES}
    wanted = tuple(named.get(word, word) for word in _words(words))
    _refuse_unknown({"--explain": wanted})
    return tuple(each for each in CODES if not wanted or each.code.startswith(wanted))


def examine(examination: Examination, selection: Selection | None = None) -> tuple[Finding, ...]:
    """Every finding that ``selection`` wants, sorted by code, package, path and line.

    Checks none of whose codes is wanted do not run.
    """
    selection = selection or Selection()
    # Several checks ask for the same metadata; each file is read once.
    examination = replace(examination, metadata=cache(examination.metadata))
    findings = [
        selection.weighed(finding)
        for check in CHECKS
        if any(selection.wants(code.code) for code in check.codes)
        for finding in _run(check, examination)
        if selection.wants(finding.code) or finding.code == codes.CHECK_FAILED.code
    ]
    # Two locks that say the same of one line are one finding.
    return tuple(sorted(dict.fromkeys(_of_one_line(findings)), key=_order))


def looked_for(examination: Examination, selection: Selection) -> Iterator[Code]:
    """The wanted codes that ``examination`` has the facts for."""
    blind: list[str] = [codes.CHECK_FAILED.code]
    if examination.environment is None:
        there = (code.code for check in CHECKS[1:] for code in check.codes)
        blind += [*(code for code in there if code.startswith("VM1")), "VM4", "VM5"]
    if examination.requirements is None:
        blind += [code.code for code in CODES if code.code > "VM202" and code.code < "VM301"]
    if examination.drift is None:
        blind += ["VM401", "VM402", "VM403", "VM404"]
    if examination.hooks is None:
        blind += ["VM6"]
    if examination.audit is None:
        blind += ["VM311", "VM705", "VM706"]
    if not examination.verify_files:
        blind += ["VM513", "VM514"]
    for code in CODES:
        if selection.wants(code.code) and not code.code.startswith(tuple(blind)):
            yield code


def _of_one_line(findings: Sequence[Finding]) -> Iterator[Finding]:
    """``findings``; that a lock does not have a line follows from what is wrong with that line."""
    faulty = {
        (each.path, each.line): each.as_cause for each in findings if each.code in _LINE_FAULTY
    }
    for each in findings:
        cause = faulty.get((each.path, each.line))
        stale = each.code == codes.LOCK_STALE.code and each.line is not None
        yield replace(each, cause=cause) if stale and cause else each


_LINE_FAULTY = {
    each.code
    for each in (
        codes.PATH_GONE,
        codes.REQUIREMENTS_CONTRARY,
        codes.VARIABLE_UNSET,
        codes.NAME_MISSPELLED,
    )
}


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


def _refuse_unknown(named: Mapping[str, Sequence[str]], path: str | None = None) -> None:
    """Raises a ConfigurationError unless a code begins with each of the words."""
    unknown = [
        Problem(
            code="doctor-code-unknown",
            message=f"{where} {word}: no code begins with that.",
            path=path,
            why=f"Codes are {CODES[0].code} to {CODES[-1].code}.",
            fix=Advice("Name a code or how some begin: VM4, say. `venvman doctor --list` has all."),
        )
        for where, words in named.items()
        for word in words
        if not any(each.code.startswith(word) for each in CODES)
    ]
    if unknown:
        raise ConfigurationError(unknown[0].message, code="doctor-code-unknown", problems=unknown)


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
