"""What a switch did, in the words of a thorough sync; imports nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["summary"]

_LISTED = 20


def summary(
    before: Mapping[str, str], after: Mapping[str, str], *, locked: int, seconds: float
) -> str:
    """What changed: ``before`` and ``after`` are the versions of what left and of what came.

    ``locked`` counts what the locks name.
    """
    names = sorted({*before, *after})
    changed = [name for name in names if name in before and name in after]
    removed = [name for name in names if name not in after]
    added = [name for name in names if name not in before]
    rows = [("~", name, f"{before[name]} -> {after[name]}") for name in changed]
    rows += [("-", name, before[name]) for name in removed]
    rows += [("+", name, after[name]) for name in added]
    shown, rest = rows[:_LISTED], rows[_LISTED:]
    width = max(len(name) for _, name, _ in shown) + 1
    lines = [f"{symbol} {name:{width}} {versions}" for symbol, name, versions in shown]
    if rest:
        kind = "added" if all(row[0] == "+" for row in rest) else "more changes"
        lines.append(f"... and {len(rest)} {kind} (--verbose shows all)")
    counts = {
        "installed": len(added),
        "changed": len(changed),
        "removed": len(removed),
        "unchanged": locked - len(added) - len(changed),
    }
    told = [f"{number:,} {word}" for word, number in counts.items() if number > 0]
    took = f"{seconds * 1000:.0f} ms" if seconds < 0.1 else f"{seconds:.1f} s"
    end = f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else told[0]
    return "\n".join((*lines, f"Done in {took}: {end}.\n"))
