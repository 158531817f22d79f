"""``make pages``: what the documentation shows below a command, as it is said today.

    python -m tools.pages [PAGE ...]

Each page is typed into a shell, as ``tests/functional/test_pages.py`` does; what is shown and not
said is replaced. Look at the difference before you commit it: a command that fails shows
an error from then on.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from tests.functional.test_pages import played, runnable
from tests.support.machine import masked
from tests.support.pages import PAGES, ROOT, Step, fits

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(pages: Sequence[str]) -> int:
    """Rewrites ``pages``, paths below the root; without any all that show something."""
    for page in pages or [each for each in PAGES if runnable(each)]:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        at = 0
        for step, ran in played(page):
            if step.shown is None:
                if ran.code:
                    sys.stderr.write(f"{page}: {step.command}\n{ran.stdout}\n")
                continue
            at = text.index(_typed(step), at)
            start = at + len(_typed(step))
            said = masked(ran.stdout)
            if not fits(masked(step.shown), said):
                text = text[:start] + padded(said) + text[start + len(step.shown) :]
        path.write_text(text, encoding="utf-8")
    return 0


def padded(text: str) -> str:
    """``text`` with the right side of its boxes in one column again."""
    ended = text if text.endswith("\n") else f"{text}\n"
    return re.sub(r"(?m)^│(.*?) *│$", lambda found: f"│{found[1]:<98}│", ended)


def _typed(step: Step) -> str:
    return "$ " + step.command.replace("\n", "\n> ") + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
