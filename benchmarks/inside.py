"""Questions that only an environment's own Python can answer; the answer is one line of JSON.

``workloads`` hands the text of this file to ``python -c``, so that this folder is not on the path.
Runs on Python 3.8 and newer.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import traceback
import warnings
from importlib.metadata import EntryPoint, distribution, distributions


def main() -> None:
    verb, *arguments = sys.argv[1:]
    warnings.simplefilter("ignore")
    answer = {"imports": imports, "scripts": scripts, "load": load, "listed": listed}[verb]
    print("\n" + json.dumps(answer(arguments)))


def imports(names: list[str]) -> dict[str, str]:
    """Imports every top-level module of the distributions: module to what went wrong, or ""."""
    return {module: _tried(module, None) for name in names for module in _top_level(name)}


def scripts(names: list[str]) -> list[list[str]]:
    """Name and value of every script that the distributions declare."""
    points = [point for name in names for point in distribution(name).entry_points]
    return [[p.name, p.value] for p in points if p.group in {"console_scripts", "gui_scripts"}]


def load(values: list[str]) -> dict[str, str]:
    """Loads the objects that entry points name: value to what went wrong, or ""."""
    return {value: _tried(value, "console_scripts") for value in values}


def listed(_: list[str]) -> list[list[str]]:
    """Name and version of every distribution."""
    return [[found.metadata["Name"], found.version] for found in distributions()]


def _top_level(name: str) -> list[str]:
    modules = set()
    for path in distribution(name).files or ():
        top = path.parts[0] if len(path.parts) > 1 else inspect.getmodulename(path.name)
        if path.name.endswith((".py", ".so")) and top and top.isidentifier():
            modules.add(top)
    return sorted(modules - {"__pycache__"})


def _tried(value: str, group: str | None) -> str:
    try:
        if group is None:
            importlib.import_module(value)
        else:
            EntryPoint(name="any", value=value, group=group).load()
    except Exception as error:  # noqa: BLE001 - whatever a package does when it is imported
        return f"wants {_absent(error)}" if _absent(error) else traceback.format_exc(limit=-1)
    return ""


def _absent(error: BaseException | None) -> str | None:
    """The module that an import failed for, if no distribution brings it: an extra not asked for.

    What is required and missing is for ``pip check`` to say.
    """
    while error is not None:
        missing = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0]
        if missing and not _brought(missing):
            return missing
        error = error.__cause__ or error.__context__
    return None


def _brought(module: str) -> bool:
    for found in distributions():
        for path in found.files or ():
            if path.parts[0] in {module, f"{module}.py"}:
                return True
    return False


if __name__ == "__main__":
    main()
