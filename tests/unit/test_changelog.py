"""The changelog is joined from one file for each change."""

from __future__ import annotations

import pytest

from tools.changelog import fragments, joined

BEFORE = "# Changelog\n\n## Unreleased\n\n- Old.\n\n## 0.1.0 (2026-01-01)\n\n- First.\n"


@pytest.mark.parametrize("path", fragments(), ids=lambda path: path.stem)
def test_each_change_is_a_list_of_its_own(path: object) -> None:
    from pathlib import Path

    assert isinstance(path, Path)
    text = path.read_text()
    assert text.startswith("- ")
    assert all(line.startswith(("- ", "  ")) for line in text.splitlines())


def test_a_release_takes_all_that_was_unreleased() -> None:
    after = joined(BEFORE, ["- New.\n", "- Newer.\n"], "0.2.0", "2026-02-02")
    assert after == (
        "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-02-02)\n\n- Old.\n- New.\n- Newer.\n"
        "\n## 0.1.0 (2026-01-01)\n\n- First.\n"
    )


def test_a_second_release_without_older_notes_has_its_changes_only() -> None:
    once = joined(BEFORE, [], "0.2.0", "2026-02-02")
    assert "## 0.3.0 (2026-03-03)\n\n- New.\n\n## 0.2.0" in joined(
        once, ["- New.\n"], "0.3.0", "2026-03-03"
    )


def test_a_version_is_released_once() -> None:
    with pytest.raises(ValueError, match="has a section already"):
        joined(BEFORE, [], "0.1.0", "2026-02-02")
