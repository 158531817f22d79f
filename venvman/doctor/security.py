"""VM7: what a requirements file gives away or lets in. Cheap looks at its lines only."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.model.errors import Advice, Command, FileLine
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding
    from venvman.index.advisories import Advisory
    from venvman.model.names import NormalizedName

_INSECURE = re.compile(
    r"(?:(?:^|\s)(?P<option>-i|--index-url|--extra-index-url|-f|--find-links)[=\s]\s*http://"
    r"|(?:^|[\s@=])(?:http|(?:git|hg|svn|bzr)\+(?:http|git|svn))://)"
    r"(?:[^/@\s]*@)?(?P<host>[^/:\s]+)(?P<port>:\d+)?"
)
# pip takes these for safe without being told.
_LOCAL = re.compile(r"localhost|127(?:\.\d{1,3}){3}|\[::1\]", re.IGNORECASE)


def vulnerable(examination: Examination) -> Iterator[Finding]:
    """Versions that are locked or installed and have a known vulnerability."""
    audit = examination.audit
    for (name, version), advisories in sorted(audit.advisories.items()) if audit else ():
        for each in advisories:
            over = _accepted(each, audit.accepted if audit else {})
            if over is None:
                continue
            also = f" ({', '.join(each.aliases)})" if each.aliases else ""
            fixed = each.fixed_above(version)
            rid = f"{fixed} has it no more" if fixed else "no version is known to have it no more"
            path, line = _pinned(examination, name)
            yield codes.VULNERABLE(
                f"{name} {version} has {each.identifier}{also}: {each.summary or 'no summary'}; "
                f"{rid}.{over}",
                package=name,
                path=path,
                line=line,
                fix=Command.venvman("upgrade", name).then("sync")
                if fixed
                else Advice(f"Do without {name}, or see what {each.identifier} says."),
            )
    for fault in audit.faults if audit else ():
        yield codes.AUDIT_INCOMPLETE(
            f"What is known to be vulnerable could not be found out. {fault.message}"
            f"{f' {fault.why}' if fault.why else ''}",
            fix=fault.fix or Advice("Try again later."),
        )


def yanked(examination: Examination) -> Iterator[Finding]:
    """Pins that their maintainers have taken back."""
    for (name, version), reason in (
        sorted(examination.audit.yanked.items()) if examination.audit else ()
    ):
        path, line = _pinned(examination, name)
        yield codes.PIN_YANKED(
            f"{name} {version} was yanked: {reason or 'without a reason'}.".replace("..", "."),
            package=name,
            path=path,
            line=line,
            fix=Command.venvman("upgrade", name).then("sync"),
        )


def _accepted(advisory: Advisory, accepted: Mapping[str, str]) -> str | None:
    """None where the project lives with it; else what to add to the message."""
    names = [each for each in (advisory.identifier, *advisory.aliases) if each in accepted]
    ends = [accepted[each] for each in names]
    if any(not end or end >= date.today().isoformat() for end in ends):
        return None
    return f" It was accepted until {max(ends)}." if ends else ""


def _pinned(examination: Examination, name: NormalizedName) -> tuple[str | None, int | None]:
    """Where ``name`` is pinned, or its metadata."""
    for entry in examination.entries or ():
        if entry.name == name and entry.origin:
            return entry.origin.path, entry.origin.line
    there = (each.metadata for each in examination.distributions if each.name == name)
    return next(map(examination.display, there), None), None


def secrets(examination: Examination) -> Iterator[Finding]:
    """Credentials written into a file that is shared."""
    exposed = [line for file in examination.files for line in file.exposed]
    exposed += [line for lock in examination.locks for line in lock.exposed]
    for line in dict.fromkeys(exposed):
        yield codes.SECRET_IN_FILE(
            f"{line} holds credentials in a URL, readable for everyone who has the file.",
            at=line,
            fix=Advice(
                "Write them as ${NAME}, which is taken from the environment, or put them into "
                "~/.netrc; then have them revoked."
            ),
        )


def insecure_indexes(examination: Examination) -> Iterator[Finding]:
    """An index over plain HTTP: whoever is on the way can answer in its place."""
    trusted = {host.lower() for file in examination.files for host in file.options.trusted_hosts}
    for file in examination.files:
        for line in file.lines:
            match = _INSECURE.search(line.origin.text)
            if match is None or _LOCAL.fullmatch(match["host"]):
                continue
            host = match["host"].lower()
            if not trusted & {host, host + (match["port"] or "")}:
                more = ", and pip ignores it" if match["option"] else ""
                yield codes.INDEX_INSECURE(
                    f"{host} is asked without encryption: nothing proves that the answers are its "
                    f"own{more}.",
                    at=line.origin,
                    fix=Advice(
                        f"Use https:// in {line.origin}, or add --trusted-host {host} if that "
                        "is meant."
                    ),
                )


def trusted_hosts(examination: Examination) -> Iterator[Finding]:
    """Hosts whose certificates nobody checks, but for those that are asked over http on purpose."""
    meant = {match["host"].lower() for _, match in _lines(examination, _INSECURE)}
    for origin, match in _lines(examination, _TRUSTED):
        host = match[1].partition(":")[0].lower()
        if host in meant or _LOCAL.fullmatch(host):
            continue
        yield codes.HOST_TRUSTED(
            f"{match[1]} is trusted whatever its certificate is: anybody on the way can answer.",
            at=origin,
            fix=Advice(f"Take --trusted-host out of {origin}, and use https:// there."),
        )


def several_indexes(examination: Examination) -> Iterator[Finding]:
    """A second index: a package is taken from whichever has the highest version."""
    for origin, match in _lines(examination, _EXTRA_INDEX):
        yield codes.INDEXES_SEVERAL(
            f"{redact(match[1])} is asked beside the first index: whoever owns a name on either "
            "can bring the highest version of it.",
            at=origin,
            fix=Advice("Say in `sources` of [tool.venvman] which packages come from it."),
        )


_TRUSTED = re.compile(r"(?:^|\s)--trusted-host[=\s]\s*(\S+)")
_EXTRA_INDEX = re.compile(r"(?:^|\s)--extra-index-url[=\s]\s*(\S+)")


def _lines(
    examination: Examination, pattern: re.Pattern[str]
) -> Iterator[tuple[FileLine, re.Match[str]]]:
    for file in examination.files:
        for line in file.lines:
            match = pattern.search(line.origin.text)
            if match is not None:
                yield line.origin, match
