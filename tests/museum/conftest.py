"""The walks that start a process at every stop are left out unless they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves them out, and says so, unless they are asked for by ``-m``."""
    if "museum" not in (config.getoption("markexpr") or ""):
        long = [item for item in items if item.get_closest_marker("museum")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
