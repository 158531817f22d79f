"""VM7: what a requirements file gives away or lets in. Cheap looks at its lines only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.errors import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding

__all__ = ["insecure_indexes", "secrets"]

_INDEX_OPTION = re.compile(
    r"(?:^|\s)(?:-i|--index-url|--extra-index-url|-f|--find-links)[=\s]\s*http://"
    r"(?:[^/@\s]*@)?(?P<host>[^/:\s]+)(?P<port>:\d+)?"
)
# pip takes these for safe without being told.
_LOCAL = re.compile(r"localhost|127(?:\.\d{1,3}){3}|\[::1\]", re.IGNORECASE)


def secrets(examination: Examination) -> Iterator[Finding]:
    """Credentials written into a file that is shared."""
    exposed = [line for file in examination.files for line in file.exposed]
    exposed += [line for lock in examination.locks for line in lock.exposed]
    for line in dict.fromkeys(exposed):
        yield codes.SECRET_IN_FILE(
            f"{line} holds credentials in a URL, readable for everyone who has the file.",
            path=line.path,
            line=line.line,
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
            match = _INDEX_OPTION.search(line.origin.text)
            if match is None or _LOCAL.fullmatch(match["host"]):
                continue
            host = match["host"].lower()
            if not trusted & {host, host + (match["port"] or "")}:
                yield codes.INDEX_INSECURE(
                    f"{host} is asked over http: nothing proves that the answers are its own, and "
                    "pip ignores it.",
                    path=line.origin.path,
                    line=line.origin.line,
                    fix=Advice(
                        f"Use https:// in {line.origin}, or add --trusted-host {host} if that "
                        "is meant."
                    ),
                )
