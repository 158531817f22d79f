"""``cache``: what its commands found or did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.model.errors import ExitCode, Problem, Severity
from venvman.report.drawing import Drawing, Group, Text
from venvman.report.result import Result, Screen, Status
from venvman.report.words import Style, count, fact_grid, plain, size
from venvman.system.files import permit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from venvman.environment.neighbours import Neighbour
    from venvman.outcomes import AtticReport
    from venvman.store.care import CachePart, DamagedWheel, Freed, Verified

_LARGEST = 5
_KINDS = {
    "wheels-v1": "store",
    "index-v1": "index pages",
    "known-v1": "index pages",
    "metadata-v1": "metadata",
    "built-metadata-v1": "metadata",
    "interpreters": "interpreters",
    "tools": "tools",
    "git": "builds",
    "pip": "builds",
    "pip-tools": "builds",
    "working": "builds",
}


def cache_dir_result(folder: Path) -> Result:
    """``data.{folder}``, absolute."""
    text = folder.as_posix()
    return Result(
        command="cache dir", data={"folder": text}, draw=lambda _: plain(text), answers=True
    )


def cache_key_result(key: str) -> Result:
    """``data.{key}``."""
    return Result(command="cache key", data={"key": key}, draw=lambda _: plain(key), answers=True)


def cache_size_result(
    folder: Path, parts: Sequence[CachePart], attic: AtticReport | None
) -> Result:
    """``data.{folder, files, bytes, parts[] {name, kind, files, bytes}, attic}``."""
    data = {
        "folder": folder.as_posix(),
        "files": sum(part.files for part in parts),
        "bytes": sum(part.bytes for part in parts),
        "parts": [
            {
                "name": part.name,
                "kind": _KINDS.get(part.name, "other"),
                "files": part.files,
                "bytes": part.bytes,
            }
            for part in parts
        ],
        "attic": None
        if attic is None
        else {
            "environment": attic.project.display(attic.environment),
            "entries": [
                {"name": entry.name, "version": entry.version, "bytes": entry.size}
                for entry in attic.entries
            ],
            "bytes": attic.bytes,
            "limit": {
                "setting": attic.setting,
                "bytes": attic.limit.size,
                "count": attic.limit.entries,
            },
        },
    }
    return Result(
        command="cache size", data=data, draw=lambda screen: _sizes(data, screen), answers=True
    )


def cache_freed_result(folder: Path, freed: Freed, *, command: str) -> Result:
    """``data.{folder, files, bytes}``: what was removed."""
    data = {"folder": folder.as_posix(), "files": freed.files, "bytes": freed.bytes}
    return Result(command=command, data=data, draw=lambda _: _removed(data))


def cache_verified_result(
    folder: Path, verified: Verified, damaged: Sequence[DamagedWheel]
) -> Result:
    """``data.{folder, checked, files, bytes, damaged[]}``; ``drift`` where anything is damaged."""
    data = {
        "folder": folder.as_posix(),
        "checked": verified.checked,
        "files": verified.held.files,
        "bytes": verified.held.bytes,
        "damaged": [
            {
                "sha256": each.sha256,
                "filename": each.filename,
                "paths": list(each.paths),
                "discarded": each.discarded,
                "environments": [other.path.as_posix() for other in each.environments],
            }
            for each in damaged
        ],
    }
    return Result(
        command="cache verify",
        status=Status.DRIFT if damaged else Status.OK,
        exit_code=ExitCode.DRIFT if damaged else ExitCode.OK,
        data=data,
        problems=(
            *(
                Problem(
                    code="store-unwritable",
                    message=f"{each.filename or each.sha256} is damaged and could not be removed.",
                    severity=Severity.WARNING,
                    path=folder.as_posix(),
                    why="It is not linked into any environment as long as it is damaged.",
                    fix=permit("u+rwX", folder, below=True),
                )
                for each in damaged
                if not each.discarded
            ),
            *_shared(damaged),
        ),
        draw=lambda _: _verified(data),
        answers=True,
    )


def _shared(damaged: Sequence[DamagedWheel]) -> Iterator[Problem]:
    """One for each environment that has damaged files: taking them from the store fixes nothing."""
    wheels: dict[Neighbour, list[str]] = {}
    for each in damaged:
        for environment in each.environments:
            wheels.setdefault(environment, []).append(each.filename or each.sha256)
    for environment, names in wheels.items():
        yield Problem(
            code="environment-shares-damage",
            message=f"{environment.path} has the damaged files of {', '.join(names)}, too.",
            severity=Severity.WARNING,
            path=environment.path.as_posix(),
            why="They are hard links: a file edited in one place is edited in all.",
            fix=environment.recreate,
        )


def _sizes(data: Mapping[str, Any], screen: Screen) -> Drawing:
    kinds: dict[str, tuple[int, int]] = {}
    for part in data["parts"]:
        held, files = kinds.get(part["kind"], (0, 0))
        kinds[part["kind"]] = (held + part["bytes"], files + part["files"])
    rows = [
        (kind, plain(f"{size(held)} in {count(files, 'file')}"))
        for kind, (held, files) in kinds.items()
        if files
    ]
    rows.append(("total", plain(size(data["bytes"]), Style.NAME)))
    attic = data["attic"]
    return fact_grid(rows if attic is None else [*rows, ("attic", _attic_lines(attic, screen))])


def _attic_lines(attic: Mapping[str, Any], screen: Screen) -> Text:
    """The largest few; all of them on a verbose screen."""
    entries = sorted(attic["entries"], key=lambda each: -each["bytes"])
    shown = entries if screen.verbose else entries[:_LARGEST]
    limit = attic["limit"]
    most = count(limit["count"], "package") if limit["bytes"] is None else limit["setting"]
    text = Text.assemble(
        f"{size(attic['bytes'])} in {count(len(entries), 'package')} out of use in ",
        plain(attic["environment"], Style.NAME),
        plain(f", at most {most}"),
    )
    for each in shown:
        text.append_text(plain(f"\n{each['name']} {each['version']}  {size(each['bytes'])}"))
    if len(entries) > len(shown):
        text.append(
            f"\n... and {len(entries) - len(shown)} more (--verbose shows all)", Style.FAINT
        )
    return text


def _verified(data: Mapping[str, Any]) -> Drawing:
    checked = f"{count(data['checked'], 'wheel')} verified, {size(data['bytes'])}"
    if not data["damaged"]:
        return Text.assemble((f"{checked}: ", Style.GOOD), "all are as they were unpacked.")
    rows = [
        Text.assemble(
            ("- ", Style.REMOVED),
            plain(each["filename"] or each["sha256"], Style.NAME),
            plain(f" {'discarded' if each['discarded'] else 'is damaged'}: "),
            plain(_few(each["paths"])),
        )
        for each in data["damaged"]
    ]
    return Group(*rows, Text(f"{checked}: {len(rows)} damaged; fetched again when wanted."))


def _few(paths: list[str]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def _removed(data: Mapping[str, Any]) -> Text:
    if not data["files"]:
        return Text.assemble(("Nothing to do: ", Style.GOOD), plain(data["folder"]), " stays.")
    freed = f"{size(data['bytes'])} in {count(data['files'], 'file')}"
    return Text.assemble(("- ", Style.REMOVED), f"{freed} removed from ", plain(data["folder"]))
