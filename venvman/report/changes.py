"""What changes: the one form that every report shows it in, as JSON rows and as lines."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from venvman.report.drawing import Grid, Group, Text
from venvman.report.words import Style, count, duration, plain, sentence_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class ChangeKind(str, Enum):
    """Seen from the environment or lock as it was before."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class Change(NamedTuple):
    """One distribution that comes, goes, or is replaced.

    ``before`` and ``after`` are versions, or sources where only those differ; None where there is
    nothing, or a version that is known only after building. ``source`` is where it comes from, or
    came from when it goes. ``because`` is a short reason, empty where the kind says it all.
    """

    kind: ChangeKind
    name: str
    before: str | None
    after: str | None
    source: str
    because: str = ""

    @classmethod
    def between(cls, name: str, before: str | None, after: str | None) -> Change:
        """The change from one version, or none, to another, or none; both from an index."""
        kind = ChangeKind.CHANGED if before and after else ChangeKind.ADDED
        kind = kind if after else ChangeKind.REMOVED
        return cls(kind=kind, name=name, before=before, after=after, source="index")


SIGNS = {
    ChangeKind.ADDED: ("+", Style.ADDED),
    ChangeKind.CHANGED: ("~", Style.CHANGED),
    ChangeKind.REMOVED: ("-", Style.REMOVED),
}
"""The sign of each kind, and its style."""

_LONGEST_NAME = 30

# What is replaced or goes is news; what comes is mostly expected, so it is what gets shortened.
_ORDER = (ChangeKind.CHANGED, ChangeKind.REMOVED, ChangeKind.ADDED)


def change_rows(changes: Iterable[Change], *, added: str = "added") -> dict[str, Any]:
    """JSON lists by kind; ``added`` names the first one (``installed`` for sync)."""
    rows: dict[str, list[dict[str, Any]]] = {added: [], "removed": [], "changed": []}
    for change in changes:
        match change.kind:
            case ChangeKind.ADDED:
                rows[added].append(_row(change, version=change.after))
            case ChangeKind.REMOVED:
                rows["removed"].append(_row(change, version=change.before))
            case ChangeKind.CHANGED:
                rows["changed"].append(
                    {"name": change.name, "from": change.before, "to": change.after}
                )
    return rows


def change_list(
    changes: Sequence[Change], *, limit: int | None, reasons: bool = False
) -> Grid | Group:
    """At most ``limit`` changes (None: all), then how many more there are and how to see them.

    ``reasons`` adds a column that says why.
    """
    ordered = [each for kind in _ORDER for each in changes if each.kind is kind]
    shown = ordered[:limit]
    # Names stay whole while they leave half of a small screen to the rest.
    longest = max((len(change.name) for change in shown), default=0)
    whole = longest <= _LONGEST_NAME
    table = Grid()
    table.add_column(whole=True)
    table.add_column(whole=whole, minimum=longest + 1 if whole else 0, style=Style.NAME)
    table.add_column(minimum=12)
    if reasons:
        table.add_column(minimum=10, style=Style.FAINT)
    for change in shown:
        because = [plain(f" {change.because}")] if reasons else []
        table.add_row(Text(*SIGNS[change.kind]), plain(change.name), _versions(change), *because)
    if len(shown) == len(ordered):
        return table
    rest = f"... and {_rest(ordered[len(shown) :])} (--verbose shows all)"
    return Group(table, Text(rest, style=Style.FAINT))


def fitting(height: int | None, *, used: int) -> int:
    """How many changes to list on a screen of ``height`` lines, ``used`` of them taken."""
    # Where nobody looks at a screen, a log should stay readable too.
    return 20 if height is None else max(5, height - used)


class Tense(Enum):
    """Whether changes have happened, or would."""

    PAST = "past"
    FUTURE = "future"


def counted(
    changes: Sequence[Change],
    *,
    tense: Tense = Tense.PAST,
    added: tuple[str, str] = ("installed", "to install"),
    unchanged: int = 0,
) -> str:
    """``31 installed, 2 changed and 1 removed``; only what there is any of is named.

    ``added`` is what happens to a new one, in both tenses.
    """
    words = {
        ChangeKind.ADDED: added,
        ChangeKind.CHANGED: ("changed", "to change"),
        ChangeKind.REMOVED: ("removed", "to remove"),
    }
    which = 0 if tense is Tense.PAST else 1
    numbers = {words[kind][which]: sum(each.kind is kind for each in changes) for kind in words} | {
        "unchanged": unchanged
    }
    return sentence_list(f"{number:,} {word}" for word, number in numbers.items() if number)


def done_line(changes: Sequence[Change], *, unchanged: int, seconds: float) -> Text:
    """What a sync ends with."""
    return Text.assemble(
        (f"Done in {duration(seconds)}: ", Style.GOOD),
        plain(counted(changes, unchanged=unchanged)),
        ".",
    )


def switched(
    before: Mapping[str, str],
    after: Mapping[str, str],
    *,
    locked: int,
    seconds: float,
    height: int | None,
) -> Group:
    """What going to another snapshot did; versions by name, ``locked`` counts all of them."""
    names = sorted({*before, *after})
    changes = [Change.between(name, before.get(name), after.get(name)) for name in names]
    there = sum(each.kind is not ChangeKind.REMOVED for each in changes)
    return Group(
        change_list(changes, limit=fitting(height, used=5)),
        done_line(changes, unchanged=locked - there, seconds=seconds),
    )


def _row(change: Change, *, version: str | None) -> dict[str, Any]:
    return {"name": change.name, "version": version, "source": change.source}


def _versions(change: Change) -> Text:
    _, style = SIGNS[change.kind]
    match change.kind:
        case ChangeKind.ADDED:
            text = plain(change.after or "", style)
            if change.source != "index":
                text.append_text(plain(f"{' ' if text else ''}{change.source}", Style.FAINT))
            return text
        case ChangeKind.REMOVED:
            return plain(change.before or change.source, style)
        case ChangeKind.CHANGED:
            before = plain(change.before or "?", Style.FAINT)
            return Text.assemble(before, " -> ", plain(change.after or change.source, style))


def _rest(changes: Sequence[Change]) -> str:
    kinds = {change.kind for change in changes}
    number = len(changes)
    return f"{number:,} added" if kinds == {ChangeKind.ADDED} else count(number, "more change")
