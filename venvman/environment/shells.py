"""Shells: which is the user's, and how it is made to activate an environment."""

from __future__ import annotations

import os
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.files import make_private_folder, write_atomically
from venvman.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Activation", "activating", "shell_of"]

# The same for everybody: what differs comes in a variable, which it takes away.
_BASH = """\
if [ -f ~/.bashrc ]; then . ~/.bashrc; fi
if [ -n "$VENVMAN_ACTIVATE" ]; then . "$VENVMAN_ACTIVATE"; fi
unset VENVMAN_ACTIVATE
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """Arguments and variables that make a shell activate; all else stays as it is."""

    arguments: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


def shell_of(variables: Mapping[str, str]) -> str:
    """The user's shell: what ``SHELL`` (on Windows ``COMSPEC``) names, else the platform's own."""
    if os.name == "nt":
        return variables.get("COMSPEC") or "cmd.exe"
    return variables.get("SHELL") or "/bin/sh"


def activating(shell: str, *, scripts: Path, startup: Path) -> Activation | None:
    """How an interactive ``shell`` activates the environment whose ``scripts`` folder this is.

    ``startup`` is a folder for the file that the shell is given to read; it is made if need be.
    None for a shell that has no such way (variables do for zsh, fish and the rest), or where the
    environment has no script, or the folder cannot be written.
    """
    script = scripts / "activate"
    if Path(shell).name not in {"bash", "bash.exe"} or not script.is_file():
        return None
    try:
        file = _written(startup / "bashrc", _BASH)
    except OSError:
        return None
    return Activation(
        arguments=("--rcfile", str(file), "-i"), variables={"VENVMAN_ACTIVATE": str(script)}
    )


def _written(path: Path, text: str) -> Path:
    content = text.encode()
    if not path.is_file() or path.read_bytes() != content:
        make_private_folder(path.parent)
        write_atomically(path, content)
    return path
