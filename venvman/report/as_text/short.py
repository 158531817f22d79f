"""The results that are told in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.report.as_text.facts import fact_grid
from venvman.report.as_text.words import Style, count, plain, size
from venvman.report.drawing import Group, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.report.drawing import Drawing
    from venvman.report.result import Result

__all__ = ["render_short"]


_LARGEST = 5


def render_short(result: Result, *, verbose: bool = False) -> Drawing:
    """``clean``, ``run`` in several projects, the ``cache`` family and ``self report``."""
    data = result.data
    match result.command:
        case "clean":
            return _clean(data)
        case "cache dir":
            return plain(data["folder"])
        case "self report":
            from venvman.report.as_text.selfreport import render_self_report

            return render_self_report(data, verbose=verbose)
        case "run":
            return plain(f"exit code {data['exit_code']}")
        case "cache key":
            return plain(data["key"])
        case "cache size":
            return _sizes(data, verbose=verbose)
        case "cache verify":
            return _verified(data)
        case "cache prune" | "cache clean":
            return _removed(data)
        case _:
            raise AssertionError(result.command)


def _clean(data: Mapping[str, Any]) -> Text:
    path = plain(data["environment"], Style.NAME)
    if data["removed"]:
        return Text.assemble(("- ", Style.REMOVED), path, " removed")
    return Text.assemble(("Nothing to do: ", Style.GOOD), "there is no ", path, ".")


def _sizes(data: Mapping[str, Any], *, verbose: bool) -> Drawing:
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
    return fact_grid(rows if attic is None else [*rows, ("attic", _attic(attic, verbose))])


def _attic(attic: Mapping[str, Any], verbose: bool) -> Text:
    """The largest few; all of them with ``verbose``."""
    entries = sorted(attic["entries"], key=lambda each: -each["bytes"])
    shown = entries if verbose else entries[:_LARGEST]
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
