"""Site-packages folders written to disk: whole, odd and broken on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.wheels import record_row


@dataclass(frozen=True)
class Site:
    """A folder that stands for site-packages; every method returns the metadata it wrote."""

    folder: Path

    def dist_info(
        self,
        name: str,
        version: str = "1.0",
        *,
        stem: str | None = None,
        requires: Iterable[str] = (),
        extras: Iterable[str] = (),
        requires_python: str | None = None,
        files: Mapping[str, str] | None = None,
        direct_url: Mapping[str, Any] | str | None = None,
        installer: str | None = "pip",
        requested: bool = False,
        metadata: str | bytes | None = None,
        record: str | None = None,
        without: Iterable[str] = (),
    ) -> Path:
        """A dist-info folder and the files it lists (default: one module).

        ``stem`` is the folder's name without its ending, ``metadata`` and ``record`` replace those
        files' content, ``without`` names files of the folder that are left out.
        """
        info = self.folder / f"{stem or f'{name}-{version}'.replace('-', '_', name.count('-'))}"
        info = info.with_name(f"{info.name}.dist-info")
        modules = {f"{name.replace('-', '_')}.py": ""} if files is None else files
        leaves = {
            "METADATA": _core_metadata(name, version, requires, extras, requires_python)
            if metadata is None
            else metadata,
            "INSTALLER": None if installer is None else f"{installer}\n",
            "REQUESTED": "" if requested else None,
            "direct_url.json": direct_url
            if direct_url is None or isinstance(direct_url, str)
            else json.dumps(direct_url),
        }
        written = {leaf: text for leaf, text in leaves.items() if text is not None}
        content = {**modules, **{f"{info.name}/{leaf}": text for leaf, text in written.items()}}
        rows = [record_row(path, _bytes(text)) for path, text in content.items()]
        own = f"{info.name}/RECORD,,"
        content[f"{info.name}/RECORD"] = (
            "\n".join([*rows, own, ""])
            if record is None
            else record and f"{record.rstrip()}\n{own}\n"
        )
        info.mkdir(parents=True, exist_ok=True)
        for path, text in content.items():
            if path not in {f"{info.name}/{leaf}" for leaf in without}:
                (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / path).write_bytes(_bytes(text))
        return info

    def egg_info(self, name: str, version: str = "1.0", *, requires_txt: str | None = None) -> Path:
        """A setuptools egg-info folder."""
        info = self.folder / f"{name}-{version}-py3.9.egg-info"
        info.mkdir(parents=True)
        (info / "PKG-INFO").write_text(_core_metadata(name, version, (), (), None))
        if requires_txt is not None:
            (info / "requires.txt").write_text(requires_txt)
        return info

    def egg_info_file(self, name: str, version: str = "1.0") -> Path:
        """A distutils egg-info file, which lists nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        info = self.folder / f"{name}-{version}.egg-info"
        info.write_text(_core_metadata(name, version, (), (), None))
        return info

    def egg_link(self, name: str, target: str) -> Path:
        """What ``setup.py develop`` leaves."""
        self.folder.mkdir(parents=True, exist_ok=True)
        link = self.folder / f"{name}.egg-link"
        link.write_text(f"{target}\n../")
        return link

    def leftover(self, name: str) -> Path:
        """A folder that pip renamed and did not come back to."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        return folder


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _core_metadata(
    name: str,
    version: str,
    requires: Iterable[str],
    extras: Iterable[str],
    requires_python: str | None,
) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Requires-Dist: {each}" for each in requires]
    lines += [f"Provides-Extra: {each}" for each in extras]
    return "\n".join([*lines, "", "A description.", ""])
