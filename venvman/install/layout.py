"""Where the files of a wheel go in one environment: manifest in, pairs of paths out.

Everything is text relative to the environment's root, with ``/`` between, whatever the platform.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from venvman.model.errors import Command, InstallError, Problem, other_version
from venvman.model.frozen import dataclass
from venvman.model.names import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from installer.scripts import ScriptSection

    from venvman.environment.inspection import Environment
    from venvman.model.metadata import EntryPoint
    from venvman.store.manifest import Manifest

# Installing writes these itself; what a wheel brings under these names says nothing true here.
_REPLACED = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The environment as installing sees it.

    ``root`` is its absolute real path; ``named`` the path that scripts and bytecode mention, links
    kept; ``python`` what stands after ``#!``. The other folders are relative to ``root``;
    ``headers`` gets one folder for each distribution. ``minor`` is ``(3, 11)``.
    """

    root: str
    named: str
    python: str
    purelib: str
    platlib: str
    scripts: str
    data: str
    headers: str
    minor: tuple[int, int]

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that hold ``.dist-info`` folders, each once."""
        return tuple(dict.fromkeys((self.purelib, self.platlib)))

    @property
    def lasting(self) -> frozenset[str]:
        """The folders that stay even when empty: those above, and all on the way to them."""
        kept = {""}
        for folder in (self.purelib, self.platlib, self.scripts, self.data, self.headers):
            while folder not in kept:
                kept.add(folder)
                folder = folder.rpartition("/")[0]  # noqa: PLW2901 - walking up
        return frozenset(kept)


class Layout(NamedTuple):
    """Where files go, as (index into the manifest, target).

    ``base`` is the folder that holds the ``.dist-info`` folder; targets in ``in_site`` are relative
    to it, those in ``in_prefix`` and ``scripts`` (from ``.data/scripts``) to the environment's
    root.
    """

    base: str
    in_site: list[tuple[int, str]]
    in_prefix: list[tuple[int, str]]
    scripts: list[tuple[int, str]]


def site_of(environment: Environment) -> Site:
    """``environment`` as installing sees it.

    Raises:
        InstallError: a folder of it leads out of it (``environment-outside``).
    """
    root = os.path.realpath(environment.root)
    paths = environment.paths
    return Site(
        root=root,
        named=str(environment.root),
        python=str(environment.python),
        purelib=relative_to(root, paths.purelib),
        platlib=relative_to(root, paths.platlib),
        scripts=relative_to(root, paths.scripts),
        data=relative_to(root, paths.data),
        headers=relative_to(root, paths.headers),
        minor=environment.interpreter.minor,
    )


def relative_to(root: str, path: Path) -> str:
    """``path`` relative to the real path ``root``; links on the way are followed (``lib64``).

    Raises:
        InstallError: it lies outside (``environment-outside``).
    """
    real = os.path.realpath(path)
    if real != root and not real.startswith(root + os.sep):
        raise InstallError(
            f"{path} lies outside of the environment: it is a link to {real}.",
            code="environment-outside",
            path=str(path),
            why="Nothing is ever installed into or removed from outside of it.",
            fix=Command.venvman("sync", "--recreate"),
        )
    return real[len(root) + 1 :].replace(os.sep, "/")


def lay_out(manifest: Manifest, site: Site) -> Layout:
    """Where each file of ``manifest`` goes (the specification "Binary distribution format").

    Raises:
        InstallError: a ``.data`` folder has a part that the format does not know
            (``wheel-data-scheme``), or a file belongs to somebody else (``wheel-target-reserved``).
    """
    base = site.purelib if manifest.root_is_purelib else site.platlib
    layout = Layout(base, [], [], [])
    generated = {point.name for point in manifest.entry_points}
    replaced = {f"{manifest.info}/{leaf}" for leaf in _REPLACED}
    for index, path in enumerate(manifest.paths):
        top = path.partition("/")[0]
        if top.endswith(".data") and top != path:
            _lay_out_data(manifest, index, site, layout, generated)
        elif path not in replaced:
            layout.in_site.append((index, path))
    _refuse_reserved(manifest, site, layout)
    return layout


def _refuse_reserved(manifest: Manifest, site: Site, layout: Layout) -> None:
    """Refuses a wheel that would write what is the environment's, pip's or another's."""
    points = with_versioned_names(manifest.entry_points, minor=site.minor)
    generated = [f"{site.scripts}/{point.name}" for point in points]
    firsts = {path.partition("/")[0]: path for _, path in reversed(layout.in_site)}
    targets = dict.fromkeys(
        (
            *(f"{layout.base}/{path}" for top, path in firsts.items() if _METADATA.fullmatch(top)),
            *(target for _, target in (*layout.in_prefix, *layout.scripts)),
            *generated,
        )
    )
    whose = ((target, _owner_of(target, manifest, site)) for target in targets)
    problems = [
        Problem(
            code="wheel-target-reserved",
            message=f"{manifest.filename} would write {target}, which is {owner}.",
            path=manifest.filename,
            text=target,
            why="A wheel may write what it owns and nothing else. Nothing was changed.",
            fix=other_version(canonical(manifest.name)),
        )
        for target, owner in whose
        if owner is not None
    ]
    if problems:
        raise InstallError(
            f"The wheel {manifest.filename} is refused: it would write {problems[0].text}, which "
            f"is {_owner_of(str(problems[0].text), manifest, site)}.",
            code="wheel-target-reserved",
            problems=problems,
            path=manifest.filename,
        )


# The exact names: `pip-audit` and `activate-global-python-argcomplete` are names like any other.
_OF_PYTHON = re.compile(r"pythonw?|python3(\.\d+)?t?")
_OF_PIP = re.compile(r"pip(3(\.\d+)?)?")
_OF_ACTIVATION = re.compile(
    r"activate(\.(csh|fish|bat|nu|ps1|xsh))?|deactivate(\.(bat|nu))?|activate_this\.py"
)
_METADATA = re.compile(r".+\.(dist-info|egg-info)", re.IGNORECASE)


def _owner_of(target: str, manifest: Manifest, site: Site) -> str | None:
    """Whom ``target`` belongs to if not to this wheel; spelling does not matter everywhere."""
    parts = _real(target, site).casefold().split("/")
    if parts[0] == ".venvman" or parts == ["pyvenv.cfg"]:
        return "the environment's own"
    if ".." in parts or parts[0] == "":
        return "outside of the environment"
    for folder in site.folders:
        depth = folder.count("/") + 1
        if parts[:depth] == folder.casefold().split("/") and len(parts) > depth:
            return _owner_of_metadata(parts[depth], manifest)
    folder, _, name = "/".join(parts).rpartition("/")
    if folder != site.scripts.casefold():
        return None
    name = name.removesuffix(".exe")
    if _OF_PYTHON.fullmatch(name):
        return "the environment's interpreter"
    if _OF_ACTIVATION.fullmatch(name):
        return "a script of the environment"
    return "pip's" if _OF_PIP.fullmatch(name) and canonical(manifest.name) != "pip" else None


def _owner_of_metadata(top: str, manifest: Manifest) -> str | None:
    if not _METADATA.fullmatch(top) or top == manifest.info.casefold():
        return None
    # Old tools put a second folder of the same distribution beside the first.
    mine = canonical(top.partition("-")[0].removesuffix(".egg-info")) == canonical(manifest.name)
    return None if mine and top.endswith(".egg-info") else "the metadata of another distribution"


def _real(target: str, site: Site) -> str:
    """``target`` with the links on its way followed: ``lib64`` is often one."""
    folder, _, name = target.rpartition("/")
    real = os.path.realpath(f"{site.root}/{folder}")
    if real != site.root and not real.startswith(site.root + os.sep):
        return f"../{name}"
    return f"{real}/{name}"[len(site.root) + 1 :].replace(os.sep, "/")


def _lay_out_data(
    manifest: Manifest, index: int, site: Site, layout: Layout, generated: set[str]
) -> None:
    _, scheme, rest = [*manifest.paths[index].split("/", 2), ""][:3]
    if scheme == "scripts" and rest:
        # Old tools ship the wrappers that installing generates; the generated ones win, as in pip.
        if rest.removesuffix(".exe").removesuffix("-script.py") not in generated:
            layout.scripts.append((index, f"{site.scripts}/{rest}"))
        return
    folders = {
        "purelib": site.purelib,
        "platlib": site.platlib,
        "data": site.data,
        "headers": f"{site.headers}/{manifest.name}",
    }
    if scheme not in folders or not rest:
        raise InstallError(
            f"The wheel {manifest.filename} cannot be installed: nobody knows where"
            f" {manifest.paths[index]} belongs.",
            code="wheel-data-scheme",
            path=manifest.filename,
            text=manifest.paths[index],
            why="The parts of .data are purelib, platlib, headers, scripts and data.",
            fix=other_version(manifest.name),
        )
    folder = folders[scheme]
    if folder == layout.base:
        layout.in_site.append((index, rest))
    else:
        layout.in_prefix.append((index, f"{folder}/{rest}" if folder else rest))


_BODY = """\
import sys
from {module} import {imported}
if __name__ == "__main__":
    sys.exit({attribute}())
"""
# Linux reads 127 bytes of the first line before 5.1, "#!" included.
_LONGEST = 127


def script_file(
    point: EntryPoint, *, python: str, windows: bool = os.name == "nt"
) -> tuple[str, bytes]:
    """The file name and content of the script for ``point``, run by the interpreter ``python``."""
    if windows:
        from typing import cast

        from installer.scripts import Script
        from installer.utils import get_launcher_kind

        section = cast("ScriptSection", point.section)
        script = Script(point.name, point.module, point.attribute, section)
        kind = get_launcher_kind()
        return script.generate(python, "win-amd64" if kind == "posix" else kind)
    imported = point.attribute.partition(".")[0]
    body = _BODY.format(module=point.module, imported=imported, attribute=point.attribute)
    return point.name, shebang(python) + body.encode()


def shebang(python: str) -> bytes:
    """The line, or lines, that make a script run by ``python``.

    Kernels cut long lines and split at spaces; then ``/bin/sh`` runs the first lines, which to
    Python are a text that nobody reads.
    """
    encoded = os.fsencode(python)
    simple = b"#!" + encoded + b"\n"
    if len(simple) <= _LONGEST and not encoded.split(maxsplit=1)[1:]:
        return simple
    import shlex

    quoted = os.fsencode(shlex.quote(python))
    return b"#!/bin/sh\n'''exec' " + quoted + b' "$0" "$@"\n' + b"' '''\n"


def rewritten(content: bytes, *, python: str) -> bytes:
    """A script from a wheel, its ``#!python`` line made to name ``python``; others as they are."""
    first, newline, rest = content.partition(b"\n")
    if not first.startswith(b"#!python"):
        return content
    return shebang(python) + (rest if newline else b"")


def with_versioned_names(
    points: Iterable[EntryPoint], *, minor: tuple[int, int]
) -> tuple[EntryPoint, ...]:
    """``points``, with pip's own scripts named after the environment's Python.

    pip's wheel is made for every version: installing it gives ``pip``, ``pip3`` and ``pip3.11``
    whatever numbers the wheel lists.
    """
    result = []
    for point in points:
        if point.name == "pip":
            names = ("pip", f"pip{minor[0]}", f"pip{minor[0]}.{minor[1]}")
            result += [point._replace(name=name) for name in names]
        elif not re.fullmatch(r"pip\.*\d[\d.]*", point.name):
            result.append(point)
    return tuple(result)
