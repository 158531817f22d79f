"""What the pages of measurements come to, in words."""

from __future__ import annotations

from benchmarks.plots import Ratio, ratios, slower

PAGE = """\
# sync, large.in

A machine

## nothing to do

    venvman sync                                    0.030 s  (0.028 to 0.036, n=9)

    ratio to uv sync: 0.80  (0.66 to 1.26)
    ratio to python -c pass: 3.41  (2.92 to 3.53)

## empty cache

    ratio to uv venv + uv pip sync: 1.80  (1.00 to 2.50)
"""


def test_each_ratio_is_read_with_what_was_measured() -> None:
    first, *_ = found = ratios(PAGE)

    assert first == Ratio(what="nothing to do", peer="uv sync", median=0.8, least=0.66, most=1.26)
    assert len(found) == 3


def test_where_venvman_is_slower_is_said_and_no_floor_is_a_peer() -> None:
    said = slower(ratios(PAGE)).splitlines()

    assert said[2:] == ["- empty cache: 1.80 times uv venv + uv pip sync"]
