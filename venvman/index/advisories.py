"""Known vulnerabilities: from a service that speaks OSV's protocol, or a copy of its database.

    POST <service>/v1/querybatch    the identifiers for each name and version, a thousand at once
    GET <service>/v1/vulns/<id>     one advisory, kept in the cache (https://ossf.github.io/osv-schema/)

What could not be found out is raised, never left out: no advisory must look like none there is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packaging.version import InvalidVersion, Version

from venvman.model.errors import Advice, IndexFault
from venvman.model.frozen import dataclass
from venvman.model.names import canonical
from venvman.system.files import write_atomically
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from venvman.index.session import Session
    from venvman.model.names import NormalizedName

    Pin: TypeAlias = tuple[NormalizedName, Version]

SERVICE = "https://api.osv.dev"
_BATCH = 1000
_AT_ONCE = 8
_FOLDER = "advisories-v1"
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """One vulnerability of one distribution. ``aliases`` are other names of it (CVE and others).

    ``fixed`` are the versions that no longer have it, ``summary`` may be empty.
    """

    identifier: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    fixed: tuple[Version, ...] = ()

    def fixed_above(self, version: Version) -> Version | None:
        """The least version above ``version`` that is fixed."""
        return min((each for each in self.fixed if each > version), default=None)


def asked(
    service: str, pins: Sequence[Pin], session: Session, cache: Path
) -> Mapping[Pin, tuple[Advisory, ...]]:
    """What ``service`` knows of ``pins``; of an advisory that it does not have, the identifier.

    Raises:
        IndexFault: it did not answer, or not about everything.
    """
    from concurrent.futures import ThreadPoolExecutor

    found: dict[Pin, dict[str, str]] = {pin: {} for pin in pins}
    pending: list[tuple[Pin, str | None]] = [(pin, None) for pin in pins]
    while pending:
        now, pending = pending[:_BATCH], pending[_BATCH:]
        results = _batch(service, now, session)
        for (pin, _), result in zip(now, results, strict=True):
            for each in result.get("vulns") or ():
                found[pin][_identifier(each, service)] = str(each.get("modified", ""))
            if result.get("next_page_token"):
                pending.append((pin, str(result["next_page_token"])))
    wanted = {name: modified for rows in found.values() for name, modified in rows.items()}
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        read = pool.map(
            lambda row: _document(service, row[0], row[1], session, cache), wanted.items()
        )
        documents = dict(zip(wanted, read, strict=True))
    return {
        pin: _merged(_advisory(documents[each] or {"id": each}, pin[0]) for each in rows)
        for pin, rows in found.items()
    }


def _batch(
    service: str, asking: Sequence[tuple[Pin, str | None]], session: Session
) -> list[dict[str, Any]]:
    url = f"{service.rstrip('/')}/v1/querybatch"
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": str(version)}
        | ({"page_token": token} if token else {})
        for (name, version), token in asking
    ]
    answer = session.get(url, body=json.dumps({"queries": queries}).encode())
    try:
        results = json.loads(answer.body)["results"]
        if len(results) != len(queries):
            raise _half(url, f"It answered {len(results)} of {len(queries)} questions.")
        return [result or {} for result in results]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _half(url, f"{type(error).__name__}: {error}.") from error


def _identifier(row: Mapping[str, Any], service: str) -> str:
    name = row.get("id")
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise _half(service, f"{name!r:.50} is no identifier.")
    return name


def _document(
    service: str, name: str, modified: str, session: Session, cache: Path
) -> dict[str, Any] | None:
    """The advisory, from the cache where that is as new; None where the service has it not."""
    file = cache / _FOLDER / f"{name}.json"
    try:
        kept: dict[str, Any] = json.loads(read_regular(file))
        if modified and kept.get("modified") == modified:
            return kept
    except (OSError, ValueError, AttributeError):
        pass
    url = f"{service.rstrip('/')}/v1/vulns/{quote(name)}"
    try:
        content = session.get(url).body
        document: dict[str, Any] = json.loads(content)
        document["id"]
    except IndexFault as fault:
        if fault.code == "index-not-found":
            return None
        raise
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _half(url, f"{type(error).__name__}: {error}.") from error
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, content)
    except OSError:
        pass  # it is asked for again
    return document


def advisories_in(database: Path, pins: Sequence[Pin]) -> Mapping[Pin, tuple[Advisory, ...]]:
    """What a copy of the database knows of ``pins``: a folder of JSON files, or a zip of them.

    Raises:
        IndexFault: it cannot be read, or holds no advisory at all.
    """
    names = {name for name, _ in pins}
    documents: dict[NormalizedName, list[dict[str, Any]]] = {}
    count = 0
    try:
        for content in _contents(database):
            document = json.loads(content)
            count += "affected" in document
            for name in names & {name for name, _ in _affected(document)}:
                documents.setdefault(name, []).append(document)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _half(str(database), f"{type(error).__name__}: {error}.") from error
    if not count:
        raise _half(str(database), "There is no advisory in it.")
    return {
        (name, version): _merged(
            _advisory(each, name)
            for each in documents.get(name, ())
            if _affects(each, name, version)
        )
        for name, version in pins
    }


def _contents(database: Path) -> Iterator[bytes]:
    import zipfile

    if database.is_dir():
        yield from (path.read_bytes() for path in sorted(database.rglob("*.json")))
        return
    try:
        with zipfile.ZipFile(database) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    yield archive.read(name)
    except zipfile.BadZipFile as error:
        raise ValueError(error) from error


def _affected(document: Mapping[str, Any]) -> Iterator[tuple[NormalizedName, Mapping[str, Any]]]:
    for each in document.get("affected") or ():
        package = each.get("package") or {}
        if package.get("ecosystem") == "PyPI":
            yield canonical(str(package.get("name"))), each


def _affects(document: Mapping[str, Any], name: NormalizedName, version: Version) -> bool:
    """Whether ``version`` is listed, or within a range (the evaluation of the schema)."""
    if document.get("withdrawn"):
        return False
    for each in (row for affected, row in _affected(document) if affected == name):
        if any(_parsed(text) == version for text in each.get("versions") or ()):
            return True
        for events in _ranges(each):
            inside = False
            for kind, at in events:
                if kind == "introduced" and version >= at:
                    inside = True
                elif (kind == "fixed" and version >= at) or (
                    kind == "last_affected" and version > at
                ):
                    inside = False
            if inside:
                return True
    return False


def _ranges(affected: Mapping[str, Any]) -> Iterator[list[tuple[str, Version]]]:
    """The events of each range of versions, in their order."""
    for each in affected.get("ranges") or ():
        if each.get("type") == "ECOSYSTEM":
            events = [row for event in each.get("events") or () for row in event.items()]
            parsed = [(kind, at) for kind, text in events if (at := _parsed(text)) is not None]
            yield sorted(parsed, key=lambda row: row[1])


def _parsed(text: object) -> Version | None:
    try:
        return Version(str(text))
    except InvalidVersion:
        return None


def _advisory(document: Mapping[str, Any], name: NormalizedName) -> Advisory | None:
    if document.get("withdrawn"):
        return None
    rows = (row for affected, row in _affected(document) if affected == name)
    events = (event for row in rows for events in _ranges(row) for event in events)
    summary = str(document.get("summary") or document.get("details") or "").strip()
    return Advisory(
        identifier=str(document["id"]),
        aliases=tuple(sorted(map(str, document.get("aliases") or ()))),
        summary=summary.splitlines()[0][:200] if summary else "",
        fixed=tuple(sorted({at for kind, at in events if kind == "fixed"})),
    )


def _merged(advisories: Iterable[Advisory | None]) -> tuple[Advisory, ...]:
    """Each vulnerability once: several databases describe one, and name each other."""
    found: list[Advisory] = []
    for each in advisories:
        if each is None:
            continue
        names = {each.identifier, *each.aliases}
        same = next((one for one in found if names & {one.identifier, *one.aliases}), None)
        if same is None:
            found.append(each)
            continue
        found.remove(same)
        first = min(same, each, key=lambda one: one.identifier)
        names |= {same.identifier, *same.aliases}
        found.append(
            Advisory(
                identifier=first.identifier,
                aliases=tuple(sorted(names - {first.identifier})),
                summary=first.summary or same.summary or each.summary,
                fixed=tuple(sorted({*same.fixed, *each.fixed})),
            )
        )
    return tuple(sorted(found, key=lambda one: one.identifier))


def _half(where: str, why: str) -> IndexFault:
    return IndexFault(
        f"{where} did not answer as a database of advisories does.",
        code="advisories-invalid",
        why=why,
        fix=Advice("Try again later, or name another with --advisories."),
    )
