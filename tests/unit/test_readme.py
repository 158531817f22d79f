"""The README's figures are the measured ones."""

from __future__ import annotations

from tools.measured import README, with_table


def test_the_table_of_measurements_is_what_was_measured() -> None:
    text = README.read_text()

    assert text.count("(`uv ") >= 9
    assert with_table(text) == text, "run: python -m tools.measured"
