"""The stamp of a freeze: what the project looked like when its locks were last found fresh.

As :mod:`venvman.stamp` is to ``sync``, so is this to ``freeze``, with no need of an environment: it
is kept in the state folder, under a name made of the project's path. Imports nothing heavy.
"""

from __future__ import annotations

import os
import zlib

from venvman import stamp
from venvman.privacy import private, state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["answer", "is_answerable", "write"]

_VERBS = ("freeze", "lock")
_CHOOSING = frozenset({"--python", "--engine", "--offline", "--color", "--cache-dir"})


def answer(arguments: Sequence[str], variables: Mapping[str, str], cwd: str) -> str | None:
    """What ``venvman`` with ``arguments`` in ``cwd`` would print; None if it must be found out.

    Only a ``freeze`` whose last run with the same flags changed nothing can be answered.

    Raises:
        ValueError: the stamp is damaged, or of another version.
        OSError: there is no folder for stamps.
    """
    if not is_answerable(arguments):
        return None
    root = stamp.root_above(cwd)
    if root is None:
        return None
    folder = _folder(variables)
    content = stamp.read(_place(folder, root), root)
    if content is None:
        return None
    found = stamp.Stamp("", content)
    if found.flags != stamp.flags_of(arguments):
        return None
    if found.seen != stamp.seen_of(variables, found.names) or not found.holds():
        return None
    return "" if stamp.wants_quiet(arguments) else f"{found.text}\n"


def is_answerable(arguments: Sequence[str]) -> bool:
    """Whether this is a ``freeze`` that says the same again as long as nothing has changed."""
    if not arguments or arguments[0] not in _VERBS:
        return False
    flags = [word.partition("=")[0] for word in arguments if word.startswith("-")]
    return all(stamp.is_indifferent(flag) or flag in _CHOOSING for flag in flags)


def write(
    root: str,
    arguments: Sequence[str],
    variables: Mapping[str, str],
    *,
    names: Iterable[str],
    text: str,
    facts: Iterable[stamp.Fact],
) -> bool:
    """Keeps that freezing the project at ``root`` had nothing to do; whether it could be kept.

    ``names`` are the variables that requirements files mention, ``text`` is what was said.
    """
    folder = _folder(variables)
    names = sorted(names)
    content = stamp.render(
        flags=stamp.flags_of(arguments),
        names=names,
        seen=stamp.seen_of(variables, names),
        state="",
        text=text,
        facts=facts,
    )
    return stamp.put(_place(folder, root), content.encode("utf-8", "surrogateescape"))


def _place(folder: str, root: str) -> str:
    # Two projects of one name share a place and lose each other's answer: the stamp itself says
    # whose it is.
    return os.path.join(folder, f"{zlib.crc32(os.fsencode(root)):08x}")


def _folder(variables: Mapping[str, str]) -> str:
    """The folder for these stamps in the state folder.

    Raises:
        OSError: there is none that is this user's alone.
    """
    return os.path.join(private(state_folder(variables)), "fresh")
