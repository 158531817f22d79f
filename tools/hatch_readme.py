"""The description of a release: the README, with links that work where the repository is not.

hatchling calls it for wheel and sdist. ``VENVMAN_REPOSITORY`` is the address of the repository, as
the workflow of a release knows it; without one, what would be a dead link is text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PICTURE = re.compile(r"<picture>.*?</picture>\n\n", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->\n+", re.DOTALL)
LINK = re.compile(r"\[([^\]]+)\]\((?!\w+:)([^)]+)\)")
ADDRESS = re.compile(r'(src|srcset)="(?!\w+:)([^"]+)"')


def description(readme: str, *, repository: str | None, tag: str) -> str:
    """``readme`` without comments, its links and pictures those of ``repository`` at ``tag``."""
    text = COMMENT.sub("", readme)
    if repository is None:
        return LINK.sub(r"\1", PICTURE.sub("", text))
    text = LINK.sub(rf"[\1]({repository}/blob/{tag}/\2)", text)
    return ADDRESS.sub(rf'\1="{repository}/raw/{tag}/\2"', text)


class Readme(MetadataHookInterface):
    """Sets ``readme`` and ``urls`` of the project's metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds to ``metadata`` what depends on where the repository is."""
        repository = os.environ.get("VENVMAN_REPOSITORY") or None
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        tag = f"v{metadata['version']}"
        text = description(readme, repository=repository, tag=tag)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
        if repository is not None:
            metadata["urls"] = {
                "Source": repository,
                "Documentation": f"{repository}/tree/{tag}/docs",
                "Changes": f"{repository}/blob/{tag}/CHANGELOG.md",
                "Defects": f"{repository}/issues",
            }
