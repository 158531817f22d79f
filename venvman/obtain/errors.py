"""Why a lock entry cannot be had: every rejection as a problem at the entry's line in its lock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, Command, Fix, InstallError, Problem, VenvmanError
from venvman.model.names import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from venvman.index.candidates import Rejection
    from venvman.lock.file import LockEntry
    from venvman.model.options import IndexOptions
    from venvman.python.probe import Interpreter
    from venvman.store.store import StoredWheel

_SHOWN_REFUSALS = 4
_OF_THE_HOST = frozenset({"index-certificate", "index-proxy", "index-timeout", "index-unreachable"})


def label_of(entry: LockEntry) -> str:
    """``flask 3.0`` or, without a version, ``flask``."""
    return f"{entry.name} {entry.version}" if entry.version else entry.name


def refuse_disagreement(wheel: StoredWheel, entry: LockEntry) -> None:
    """Raises InstallError (``wheel-name``) where ``wheel`` cannot be what ``entry`` names."""
    why = disagreement(wheel, entry)
    if why is not None:
        raise InstallError(
            f"The wheel {wheel.filename} is not what the lock names.",
            code="wheel-name",
            why=why,
            fix=Command.venvman("freeze"),
        )


def disagreement(wheel: StoredWheel, entry: LockEntry) -> str | None:
    """Why ``wheel`` cannot be ``entry``; None if it can."""
    from packaging.specifiers import SpecifierSet

    manifest = wheel.manifest
    if canonical(manifest.name) != entry.name:
        return f"It holds {manifest.name}, not {entry.name}."
    # A pin of 2.1 may stand for 2.1+cu118, as it does for pip.
    version = entry.version
    if version is not None and not SpecifierSet(f"=={version}").contains(
        manifest.version, prereleases=True
    ):
        return f"It holds version {manifest.version}, not {version}."
    return None


def refuse_unhashed(entries: Iterable[LockEntry], options: IndexOptions) -> None:
    """Raises InstallError (``hash-missing``): the rule is told at :func:`.artifacts.obtain`."""
    able = [each for each in entries if each.source.is_file]
    bare = [each for each in able if not (each.hashes or getattr(each.source, "hashes", ()))]
    hashed = {_file(each) for each in able if each.hashes}
    problems = [
        _problem(
            entry,
            message=f"{label_of(entry)} has no hash.",
            code="hash-missing",
            why="--require-hashes is set."
            if options.require_hashes
            else "Other entries of the same file have one, so that nothing unknown gets in.",
            fix=Command.venvman("freeze"),
        )
        for entry in bare
        if options.require_hashes or _file(entry) in hashed
    ]
    if problems:
        raise _collected(problems)


def _file(entry: LockEntry) -> str:
    return entry.origin.path if entry.origin else ""


def no_file(
    entry: LockEntry,
    refused: Sequence[Rejection],
    interpreter: Interpreter,
    *,
    builds: Sequence[str] = (),
    offline: bool = False,
) -> InstallError:
    """No file of the release can be installed, and why each one of ``refused`` cannot.

    ``builds`` are local versions of the same release that could be.
    """
    from venvman.index.candidates import RejectionKind

    label = label_of(entry)
    if not refused:
        return _nothing_found(entry, builds=builds, offline=offline)
    reasons = list(dict.fromkeys(each.reason for each in refused))
    shown = reasons[:_SHOWN_REFUSALS]
    if len(reasons) > len(shown):
        shown.append(f"And {len(reasons) - len(shown)} more.")
    return InstallError(
        f"No file of {label} has a hash that is locked."
        if any(each.kind is RejectionKind.HASH for each in refused)
        else f"No file of {label} fits Python {interpreter.target.python} here.",
        code="no-matching-file",
        why="\n".join(shown),
        fix=Command.venvman("upgrade", entry.name),
    )


def _nothing_found(entry: LockEntry, *, builds: Sequence[str], offline: bool) -> InstallError:
    label = label_of(entry)
    if offline:
        return InstallError(
            f"{label} is not in the cache.",
            code="version-not-found",
            why="Nothing was asked for over the network: --offline.",
            fix=Advice("Run the command again without --offline."),
        )
    return InstallError(
        f"{label} is on none of the indexes.",
        code="version-not-found",
        why=f"They have {', '.join(sorted(set(builds)))}, which is another build."
        if builds
        else "It was withdrawn, or another index has it.",
        fix=Command.venvman("upgrade", entry.name),
    )


def all_failures(failures: Iterable[tuple[LockEntry, Exception]]) -> InstallError:
    """Every failure as one problem, by name.

    A host that does not answer is one problem, however many packages it keeps back.
    """
    ordered = sorted(failures, key=lambda each: each[0].name)
    problems: list[Problem] = []
    alike: dict[tuple[str, str | None, Fix | None], list[str]] = {}
    for entry, error in ordered:
        problem = _problem_of(entry, error)
        key = (problem.code, problem.why, problem.fix)
        if problem.code in _OF_THE_HOST and key in alike:
            alike[key].append(label_of(entry))
        else:
            alike[key] = []
            problems.append(problem)
    told = [_with_others(each, alike[each.code, each.why, each.fix]) for each in problems]
    return _collected(told, len(ordered))


def _with_others(problem: Problem, labels: Sequence[str]) -> Problem:
    if not labels:
        return problem
    more = [f"{len(labels) - _SHOWN_REFUSALS} more"] if labels[_SHOWN_REFUSALS:] else []
    names = ", ".join([*labels[:_SHOWN_REFUSALS], *more])
    count = "another package" if len(labels) == 1 else f"{len(labels)} other packages"
    return replace(problem, why=f"{problem.why}\nThe same goes for {count}: {names}.")


def _problem_of(entry: LockEntry, error: Exception) -> Problem:
    """One problem for the entry, whatever number of faults its artifact has."""
    if not isinstance(error, VenvmanError):
        message = f"{label_of(entry)} could not be fetched."
        return _problem(
            entry, message=message, code="artifact-unwritable", why=f"{error}.", fix=None
        )
    reasons = [each.why for each in error.problems]
    texts = [each.text for each in error.problems]
    why = "\n".join(dict.fromkeys(each for each in (error.why, *reasons, *texts) if each))
    fix = error.fix or next((each.fix for each in error.problems if each.fix), None)
    if error.code == "index-not-found" and entry.source.is_index:
        why = f"{why}\nThe index lists a file that it does not have: its owner should know."
        fix = Command.venvman("upgrade", entry.name)
    return _problem(entry, message=error.message, code=error.code, why=why or None, fix=fix)


def _problem(
    entry: LockEntry, *, message: str, code: str, why: str | None, fix: Fix | None
) -> Problem:
    origin = entry.origin
    first = origin.text.splitlines()[:1] if origin else []
    return Problem(
        code=code,
        message=message,
        path=origin.path if origin else None,
        line=origin.line if origin else None,
        text=first[0].rstrip(" \\") if first else None,
        why=why,
        fix=fix,
    )


def _collected(problems: Sequence[Problem], count: int | None = None) -> InstallError:
    """``problems`` as one error; ``count`` packages have them, if not one each."""
    first, count = problems[0], count or len(problems)
    if count == 1:
        return InstallError(
            first.message, code=first.code, why=first.why, fix=first.fix, problems=problems
        )
    return InstallError(
        f"{count} packages could not be fetched.",
        code="artifacts-unavailable",
        problems=problems,
    )
