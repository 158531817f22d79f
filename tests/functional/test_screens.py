"""The pictures are what the program shows on a terminal today."""

from __future__ import annotations

import re

import pytest

from tools.screens import FOLDER, SCENES, pictures, settled


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
