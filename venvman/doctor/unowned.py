"""VM5: code that runs or is imported in the environment, and that no distribution has brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.doctor.files import paths_of, recorded
from venvman.environment.inventory import MetadataKind
from venvman.errors import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Code, Finding

__all__ = ["unowned"]

_AT_START = ("sitecustomize", "usercustomize")
_MODULES = (".py", ".so", ".pyd")
# Written by virtualenv and uv, which list them nowhere.
_OF_MAKERS = {"_virtualenv.py", "_virtualenv.pth"}


def unowned(examination: Examination) -> Iterator[Finding]:
    """What lies among the packages, has an effect on programs, and stands in no RECORD.

    Where one distribution does not say what is its own, nobody knows whose anything is.
    """
    owned = _owned(examination)
    for folder, files in (owned or {}).items():
        yield from _at_top(examination, folder, files)
        yield from _in_namespaces(examination, folder, files)


def _owned(examination: Examination) -> dict[Path, set[str]] | None:
    """The paths in each folder of packages that RECORDs list; None if that is not all of them."""
    listed = {each.installed.metadata: each.text for each in recorded(examination)}
    owned: dict[Path, set[str]] = {}
    for each in examination.inventory.distributions if examination.inventory else ():
        text = listed.get(each.metadata)
        own = f"{each.metadata.name}/RECORD"
        files = owned.setdefault(each.metadata.parent, set())
        if each.kind is MetadataKind.EGG_LINK:
            files |= {"easy-install.pth", each.metadata.name}
        elif text is None or own not in text or each.damage is not None:
            return None
        else:
            files |= {path for path, _ in paths_of(text)}
    return owned


def _at_top(examination: Examination, folder: Path, owned: set[str]) -> Iterator[Finding]:
    tops = {path.partition("/")[0] for path in owned} | _OF_MAKERS
    for name in sorted({each.name for each in folder.iterdir()} - tops):
        path = folder / name
        shown = examination.display(path)
        if name.endswith(".pth") or name.partition(".")[0] in _AT_START:
            what = f"{shown} runs or is read whenever Python starts here"
            yield _nobodys(codes.STARTUP_UNOWNED, what, path, shown)
        elif name.endswith(_MODULES) or (path / "__init__.py").is_file():
            yield _nobodys(codes.FILE_UNOWNED, f"{shown} can be imported", path, shown)


def _in_namespaces(examination: Examination, folder: Path, owned: set[str]) -> Iterator[Finding]:
    """A file that makes one package of what several share: it hides the parts of all others."""
    folders = {path.rpartition("/")[0] for path in owned if path.endswith(".py")}
    folders |= {top for inner in folders for top in _above(inner)}
    for inner in sorted(folders - {""}):
        name = f"{inner}/__init__.py"
        if name not in owned and not inner.startswith("..") and (folder / name).is_file():
            shown = examination.display(folder / name)
            what = f"{shown} makes a package of its own of a folder that others share"
            yield _nobodys(codes.FILE_UNOWNED, what, folder / name, shown)


def _above(inner: str) -> Iterator[str]:
    while inner := inner.rpartition("/")[0]:
        yield inner


def _nobodys(code: Code, what: str, path: Path, shown: str) -> Finding:
    return code(
        f"{what}, and no package brought it: remove it, unless you put it there.",
        path=shown,
        fix=Command.of("rm", "-r", path),
    )
