"""The native engine: what is known already, else solved by :mod:`venvman.engines.solving`.

Nothing that solving needs is imported here: a known answer comes back before that would be loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.engines.remembering import remembering

if TYPE_CHECKING:
    from venvman.engines import FreezeRequest, Resolution
    from venvman.engines.remembering import Solved
    from venvman.events import Reporter

__all__ = ["Native"]


class Native:
    """Solves in this process; see :class:`venvman.engines.Engine`."""

    def freeze(self, request: FreezeRequest, reporter: Reporter) -> Resolution:
        """See :class:`venvman.engines.Engine`."""
        return remembering("native", request, reporter, solve=_solve)


def _solve(request: FreezeRequest, reporter: Reporter) -> Solved:
    from contextlib import closing

    from venvman.engines.solving import Learned, freeze_from, open_index

    with closing(open_index(request, reporter)) as index:
        resolution = freeze_from(index, request, reporter, Learned.of(request))
        return resolution, index.evidence.pages
