"""``exclude-newer``: a date, a time or an age, and the moment it means. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone

__all__ = ["cutoff"]

_AGE = re.compile(r"(\d+)\s*(minute|hour|day|week|month|year)s?(?:\s+ago)?", re.IGNORECASE)
_ISO_AGE = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", re.IGNORECASE)
_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}


def cutoff(text: str, *, now: datetime) -> datetime:
    """The moment (aware) from which on uploads do not count; ``now`` is aware.

    ``2025-06-30`` counts that whole day (UTC) in, ``2025-06-30T12:00:00Z`` is exact, ``3 days``,
    ``36 hours`` and ``P3D`` count back from ``now``.

    Raises:
        ValueError: it is none of these, with a sentence that says so.
    """
    words = text.strip()
    if age := _AGE.fullmatch(words):
        return now - int(age[1]) * _UNITS[age[2].lower()]
    if len(words) > 2 and (age := _ISO_AGE.fullmatch(words)):
        weeks, days, hours, minutes = (int(part or 0) for part in age.groups())
        return now - timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", words):
            following = date.fromisoformat(words) + timedelta(days=1)
            return datetime.combine(following, time(), tzinfo=timezone.utc)
        # Python 3.10 does not read a final Z.
        moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", words))
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a date (2025-06-30), a time (2025-06-30T12:00:00Z) nor an age "
            "(3 days)"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
