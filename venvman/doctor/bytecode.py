"""VM5: bytecode that Python runs and that its source does not compile to.

Python takes a ``.pyc`` for that of a module by its header alone: the time and size of the source,
or its hash (PEP 552). Whether the rest fits, only compiling tells: the base interpreter does it, in
a process of its own that sees neither the environment nor the project, and runs nothing of it.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.model.errors import Command, EnvironmentUnusable
from venvman.system.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding
    from venvman.doctor.recorded import Recorded

_COMPARE = """
import importlib.util, json, marshal, sys
def differs(source, cached):
    with open(cached, "rb") as stream:
        content = stream.read()
    if content[:4] != importlib.util.MAGIC_NUMBER:
        return False
    with open(source, "rb") as stream:
        text = stream.read()
    flags = int.from_bytes(content[4:8], "little")
    if flags & 1:
        if content[8:16] != importlib.util.source_hash(text):
            return not flags & 2
    else:
        import os
        found = os.stat(source)
        said = int.from_bytes(content[8:12], "little"), int.from_bytes(content[12:16], "little")
        if said != (int(found.st_mtime) & 0xFFFFFFFF, found.st_size & 0xFFFFFFFF):
            return False
    level = 2 if ".opt-2." in cached else 1 if ".opt-1." in cached else 0
    try:
        made = compile(text, source, "exec", dont_inherit=True, optimize=level)
        return marshal.loads(content[16:]) != made
    except (SyntaxError, ValueError, EOFError, TypeError):
        return True
def is_there(source):
    try:
        return not open(source, "rb").close()
    except OSError:
        return False
pairs = [pair for pair in json.load(sys.stdin) if is_there(pair[0])]
json.dump([cached for source, cached in pairs if differs(source, cached)], sys.stdout)
"""
_PATIENCE = 600.0
# pytest and others that rewrite what they import keep that under names of their own.
_OF_PYTHON = re.compile(r"[^.]+\.[a-z]+-\d+t?(?:\.opt-[12])?\.pyc")


def bytecode(examination: Examination) -> Iterator[Finding]:
    """Only where contents are asked for; what was right and has changed in no way is not read."""
    there = examination.environment
    if not examination.verify_files or there is None:
        return
    known, fresh = examination.verified, {}
    waiting: list[tuple[Recorded, list[tuple[str, str]]]] = []
    for each in examination.recorded:
        pairs = list(_pairs(each))
        key = f"bytecode of {each.installed.metadata}"
        fact = str(zlib.crc32(repr([_fact(path) for pair in pairs for path in pair]).encode()))
        if pairs and known.get(key) != fact:
            waiting.append((each, pairs))
            fresh[key] = fact
    changed = _compared(there.interpreter.path, [pair for _, pairs in waiting for pair in pairs])
    for each, pairs in waiting:
        found = [cached for _, cached in pairs if cached in changed]
        key = f"bytecode of {each.installed.metadata}"
        if not found:
            known[key] = fresh[key]
            continue
        paths = [Path(path) for path in found]
        shown = examination.display(paths[0])
        yield codes.BYTECODE_FOREIGN(
            f"{shown}{f' and {len(found) - 1} more' if found[1:] else ''} of {each.installed.name} "
            "is run, and is not what the source compiles to.",
            package=each.installed.name,
            path=shown,
            fix=Command.of("rm", *paths),
        )


def _pairs(each: Recorded) -> Iterator[tuple[str, str]]:
    """The modules of ``each`` and their bytecode, absolute.

    What has been there since before RECORD was written, the installer compiled.
    """
    came = _fact(str(each.installed.metadata / "RECORD"))
    site = each.installed.metadata.parent
    paths = {path for path, _ in each.rows if path.endswith(".py") and ".." not in path}
    for folder in sorted({path.rpartition("/")[0] for path in paths}):
        beside = f"{folder}/" if folder else ""
        try:
            cached = os.listdir(f"{site}/{beside}__pycache__")  # noqa: PTH208 - names only
        except OSError:
            continue
        for name in sorted(cached):
            source = f"{beside}{name.partition('.')[0]}.py"
            path = f"{site}/{beside}__pycache__/{name}"
            if source in paths and _OF_PYTHON.fullmatch(name) and _fact(path)[3:] > came[3:]:
                yield f"{site}/{source}", path


def _fact(path: str) -> tuple[int, ...]:
    try:
        found = os.lstat(path)
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _compared(python: Path, pairs: list[tuple[str, str]]) -> set[str]:
    if not pairs:
        return set()
    done = run([python, "-I", "-S", "-c", _COMPARE], stdin=json.dumps(pairs), timeout=_PATIENCE)
    if not done.ok:
        raise EnvironmentUnusable(
            "Bytecode could not be compared with its source.",
            code="bytecode-unreadable",
            why=done.stderr.strip()[-200:] or f"Exit code {done.code}.",
        )
    return set(json.loads(done.stdout))
