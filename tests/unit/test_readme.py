"""The README's figures are the measured ones."""

from __future__ import annotations

import re

from tools.measured import README, ROOT, with_table


def test_the_first_screen_says_what_it_is_and_names_two_commands_that_there_are() -> None:
    screen = "\n".join(README.read_text().splitlines()[:14])
    what, _, commands = screen.partition("```sh\n")
    named = re.findall(r"^make (\w+)", commands, re.MULTILINE)

    assert len(re.findall(r"\.(?:\s|$)", what)) == 3
    assert named == ["demo", "test"]
    assert all(f"\n{name}: " in (ROOT / "Makefile").read_text() for name in named)


def test_the_table_of_measurements_is_what_was_measured() -> None:
    text = README.read_text()

    assert text.count("(`uv ") >= 9
    assert with_table(text) == text, "run: python -m tools.measured"
