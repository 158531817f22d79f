"""The native engine: what is known already, else solved by :mod:`venvman.engines.solving`.

Nothing that solving needs is imported here: a known answer comes back before that would be loaded.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from venvman.engines.memo import remembered

if TYPE_CHECKING:
    from venvman.engines import FreezeRequest, Resolution
    from venvman.engines.memo import Solved
    from venvman.model.events import Reporter


def freeze(request: FreezeRequest, reporter: Reporter) -> Resolution:
    """See :data:`venvman.engines.Engine`; of several targets, a conflict names those it is on."""
    kind = "native-targets" if request.targets else "native"
    return remembered(kind, request, reporter, solve=_solve)


def _solve(request: FreezeRequest, reporter: Reporter) -> Solved:
    from venvman.engines.solving import Learned, freeze_from, open_index

    with closing(open_index(request, reporter)) as index:
        if request.targets:
            from venvman.engines.manytargets import ManyTargets

            return ManyTargets(request, index, reporter).run(), index.evidence.pages
        return freeze_from(index, request, reporter, Learned.of(request)), index.evidence.pages
