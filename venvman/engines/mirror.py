"""A private picture of the project, for pip-compile to run in and write into.

Everything in it is a link to the real thing, but for the requirements files and locks: those are
copies that may be changed. So annotations come out relative to the project, local folders are
found, and nothing in the project is touched.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["Mirror"]


class Mirror:
    """The picture of ``root`` below ``folder``; absolute paths keep their shape.

    ``/home/me/project`` appears as ``<folder>/home/me/project``, so that ``../shared.txt`` leads
    to what it means.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = Path(os.path.realpath(folder))
        self._project = root
        self._opened: set[Path] = set()
        self.root = self.of(root)
        self._open(root)

    def of(self, path: Path) -> Path:
        """Where the picture of the absolute ``path`` is or would be."""
        return self._folder.joinpath(*path.parts[1:])

    def write(self, path: Path, text: str) -> Path:
        """Puts ``text`` at the picture of ``path``; returns where."""
        self._open(path.parent)
        place = self.of(path)
        place.unlink(missing_ok=True)
        place.write_bytes(text.encode())
        return place

    def link(self, path: Path) -> None:
        """Makes ``path``, which may lie outside the project, be found."""
        place = self.of(path)
        if not os.path.lexists(place):
            self._open(path.parent)
            place.symlink_to(path)

    def original(self, text: str) -> str:
        """``text`` with every path of the picture turned into the real one."""
        return text.replace(self._folder.as_posix() + "/", "/")

    def _open(self, folder: Path) -> None:
        """Makes the picture of ``folder`` a folder of its own, what is in it links."""
        if folder in self._opened or folder == folder.parent:
            return
        self._opened.add(folder)
        self._open(folder.parent)
        place = self.of(folder)
        if place.is_symlink():
            place.unlink()
        place.mkdir(exist_ok=True)
        if folder.is_relative_to(self._project) and folder.is_dir():
            for entry in folder.iterdir():
                (place / entry.name).symlink_to(entry)
