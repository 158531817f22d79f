"""``assert_never`` for Python 3.10, which ``typing`` has from 3.11 on."""

from __future__ import annotations

from typing import NoReturn


def assert_never(value: NoReturn) -> NoReturn:
    """Stands in the last branch over a union: mypy reports a case that was forgotten.

    Raises:
        AssertionError: always.
    """
    raise AssertionError(f"a case was forgotten: {value!r}")
