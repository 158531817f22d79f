"""What a switch takes out of the store, because the attic has it not: staged as by any sync.

Imported only where there is something to take: it costs as much as the rest of a switch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from venvman.install.layout import Site
from venvman.install.link import Linker
from venvman.install.wheel import stage_wheel, write_record
from venvman.settings import Link
from venvman.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.environment.ledger import Provenance
    from venvman.install.exchange import Exchange
    from venvman.install.states import Held, State

__all__ = ["Unavailable", "arrive"]


class Unavailable(Exception):
    """The store cannot give a wheel as it was; nothing was changed."""


def arrive(arriving: Mapping[str, Held], state: State, exchange: Exchange) -> dict[str, Provenance]:
    """Stages the wheels of ``arriving``, by metadata folder, and plans their moves.

    Returns what the ledger is to know of them.

    Raises:
        Unavailable: a wheel is not in the store, or was changed there, or is of another layout.
        OSError: the stage cannot be written.
    """
    manner = state.manner
    if manner is None:
        raise Unavailable
    site = Site(**{**manner.site, "minor": tuple(manner.site["minor"])})
    linker = Linker(Link(manner.link))
    rows: dict[str, Provenance] = {}
    with Store(Path(manner.cache)) as store:
        for number, (info, held) in enumerate(arriving.items()):
            wheel = store.get(held.provenance.sha256)
            if wheel is None:
                raise Unavailable(info)
            staged = stage_wheel(
                wheel,
                site,
                near=f"{exchange.stage}/new-{number}",
                far=f"{exchange.stage}/far-{number}",
                linker=linker,
                requested=held.provenance.requested,
                direct_url=None,
            )
            if isinstance(staged, str) or staged.info != info:
                raise Unavailable(info)
            size, mtime_ns = write_record(staged)
            rows[info] = held.provenance._replace(
                mtime_ns=wheel.manifest.mtime_ns, record_size=size, record_mtime_ns=mtime_ns
            )
            exchange.planner.put(f"new-{number}", staged.base)
            if Path(staged.far).is_dir():
                exchange.planner.put(f"far-{number}", "")
    if linker.given_up(site.root) is not None:
        raise Unavailable  # there is a warning to be told
    return rows
