"""What the files of measurements come to, in words."""

from __future__ import annotations

import argparse

import pytest

from benchmarks.__main__ import MEASUREMENTS, names
from benchmarks.alternate import Comparison, Timing
from benchmarks.plots import Ratio, ratios, slower

RESULTS = {
    "comparisons": [
        Comparison(
            title="nothing to do",
            timings=(
                Timing("venvman sync", [0.02, 0.04, 0.03]),
                Timing("uv sync", [0.04, 0.04, 0.04]),
                Timing("python -c pass", [0.01, 0.01, 0.01]),
            ),
        ).as_json(),
        Comparison(
            title="empty cache",
            timings=(Timing("venvman sync", [1.8]), Timing("uv pip sync", [1.0])),
            size=18,
        ).as_json(),
        Comparison(title="disk", timings=(), notes=("2 MiB",)).as_json(),
    ]
}


def test_each_ratio_is_read_with_what_was_measured() -> None:
    first, *_ = found = ratios(RESULTS)
    assert first == Ratio(what="nothing to do", peer="uv sync", median=0.75, least=0.5, most=1.0)
    assert len(found) == 3


def test_where_venvman_is_slower_is_said_and_no_floor_is_a_peer() -> None:
    said = slower(ratios(RESULTS)).splitlines()
    assert said[2:] == ["- empty cache: 1.80 times uv pip sync"]


def test_a_part_of_the_measurements_is_taken_by_name() -> None:
    assert names("sync, links") == ["sync", "links"]
    assert names("") == list(MEASUREMENTS)
    with pytest.raises(argparse.ArgumentTypeError, match="no speed: sync, "):
        names("sync,speed")
