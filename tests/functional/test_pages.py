"""The documentation, followed word by word: each block is run in a real shell, and compared."""

from __future__ import annotations

import re

import pytest

from tests.support.cli import Ran
from tests.support.machine import machine, masked
from tests.support.pages import PAGES, Block, Step, blocks_of, fits, steps_of
from tools import drawings, measured
from tools.measured import README, ROOT
from tools.screens import FOLDER, SCENES, pictures, settled
from venvman.version import __version__

RUN = ("console", "sh", "setup")
"""Languages of what is typed into a shell; anything else is shown: a file, a value, a picture."""

START = (
    "mkdir shop && cd shop && git init -q",
    "printf 'flask\\nrequests\\n' > requirements.in",
    "venvman sync -q && git add . && git commit -qm 'A shop'",
)
"""What is there before a page begins, but for those that begin with nothing."""
FROM_NOTHING = ("README.md", "docs/index.md", "docs/tutorial/first-environment.md")

REGISTRY = "needs a package index that has venvman"
THIS = "is about this repository, in its checkout, and takes minutes"
NOT_RUN: dict[str, dict[str, str]] = {
    "docs/index.md": {"pipx install": REGISTRY},
    "README.md": {"make demo": "needs the package index", "pipx install": REGISTRY},
    "CONTRIBUTING.md": {"make dev": THIS},
    "docs/development/testing.md": {
        f"python -m benchmarks.{name}": "needs the package index and takes minutes"
        for name in ("workloads", "interpreters", "compare_with_pip", "repositories", "sync")
    },
    "docs/how-to/ci.md": {"pip install venvman": REGISTRY},
    "docs/how-to/docker.md": {
        "VENVMAN_VENV=": "needs an active environment; tests/functional/test_ci.py makes one"
    },
    "docs/how-to/private-index.md": {"export INDEX_TOKEN=": "asks for a password"},
    "docs/reference/doctor.md": {"venvman doctor --audit": "asks a server for vulnerabilities"},
    "docs/how-to/shells.md": {
        'eval "$(venvman shell-hook bash)"': "startup files of three shells: test_shells.py"
    },
}
"""Blocks by their first line that are not run here, each with the reason."""


def typed(page: str) -> list[Block]:
    return [block for block in blocks_of(page) if block.language in RUN]


def runnable(page: str) -> list[Block]:
    left_out = tuple(NOT_RUN.get(page, ()))
    return [block for block in typed(page) if not block.text.startswith(left_out)]


def played(page: str) -> list[tuple[Step, Ran]]:
    """Each step of ``page`` with what came of it."""
    steps = [step for block in runnable(page) for step in steps_of(block)]
    before = () if page in FROM_NOTHING else START
    with machine() as ours:
        done = ours.session([*before, *(step.command for step in steps)])[len(before) :]
    return list(zip(steps, done, strict=True))


LONG = tuple(
    f"docs/how-to/{name}.md"
    for name in (
        *("add-a-requirement", "ci", "moving", "offline", "repair-drift", "roll-back"),
        *("several-systems", "upgrade"),
    )
)
"""What takes its time, and no newcomer meets first: run by `make slow`."""


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.slow) if page in LONG else page
        for page in PAGES
        if runnable(page)
    ],
)
def test_a_page_is_true_word_by_word(page: str) -> None:
    for step, ran in played(page):
        where = f"{page}: {step.command}\n"
        if step.shown is None:
            assert ran.code == 0, where + ran.stdout
        else:
            said, shown = masked(ran.stdout), masked(step.shown)
            assert fits(shown, said), f"{where}shown:\n{shown}\nsaid:\n{said}\nrun: make pages"


def test_what_is_not_run_is_there_and_has_a_reason() -> None:
    for page, reasons in NOT_RUN.items():
        blocks = [block.text for block in typed(page)]
        for beginning, reason in reasons.items():
            assert reason
            assert sum(text.startswith(beginning) for text in blocks) == 1, f"{page}: {beginning}"
    assert sum(map(len, NOT_RUN.values())) == 14


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_what_it_is(page: str) -> None:
    # The examples of the table of commands are of no one project: its own tests read them.
    unsaid = {""} if page == "docs/reference/cli.md" else {"", "bash", "shell", "zsh-session"}
    assert [f"{page}:{b.line}" for b in blocks_of(page) if b.language in unsaid] == []


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
    assert measured.with_table(text) == text, "run: python -m tools.measured"


@pytest.mark.sample(3, "slow")
@pytest.mark.parametrize("scene", SCENES)
def test_the_committed_pictures_are_what_the_scene_gives(scene: str) -> None:
    for name, drawn in pictures(scene):
        assert (FOLDER / name).read_text() == drawn, "run: make screens"


def test_a_picture_fetches_nothing() -> None:
    for path in FOLDER.iterdir():
        addresses = re.findall(r"[a-z]+://[^\"' )]+", path.read_text())
        assert addresses == ["http://www.w3.org/2000/svg"]


def test_of_an_animation_only_the_last_frame_is_kept() -> None:
    frames = "\x1b[?25l\r\x1b[2Kone\ntwo\r\x1b[2K\x1b[1A\x1b[2K\x1b[?25h\x1b[1mdone\x1b[0m\r\nbye"
    assert settled(frames) == "\x1b[1mdone\x1b[0m\nbye"


def test_the_page_and_the_pictures_of_measurements_are_what_was_measured() -> None:
    drawn = dict(measured.pictures())
    there = {path.name: path.read_text() for path in measured.PICTURES.glob("measured-*.svg")}
    assert measured.PAGE.read_text() == measured.page(), "run: python -m tools.measured"
    assert there == drawn


def test_no_figure_is_of_a_release_before_the_last() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    for file in measured.files():
        version = measured.results(file)["versions"]["venvman"]
        assert measured.releases_behind(version, changelog, __version__) <= 1, "run: make bench"


def test_figures_age_with_each_release() -> None:
    changelog = "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-02-02)\n\n## 0.1.0 (2026-01-01)\n"
    behind = {
        version: measured.releases_behind(version, changelog, "0.3.0")
        for version in ("0.3.0", "0.2.0", "0.1.0", "0.0.9")
    }
    assert behind == {"0.3.0": 0, "0.2.0": 1, "0.1.0": 2, "0.0.9": 3}


def test_the_drawings_are_those_of_the_text_beside_them() -> None:
    drawn = dict(drawings.pictures())
    assert len(drawn) == 8
    assert drawn == {name: (FOLDER / name).read_text() for name in drawn}, (
        "run: python -m tools.drawings"
    )
