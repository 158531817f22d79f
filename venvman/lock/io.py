"""Locks on disk: read with the names that only folders know, written whole and recognised first."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.lock.file import Lock, sort_key
from venvman.lock.parse import parse_lock
from venvman.lock.render import render_lock
from venvman.model.errors import Command, LockError, Problem
from venvman.project.localproject import project_name
from venvman.project.project import leaves_tree, unseen
from venvman.requirements.header import LockHeader, read_header, read_pylock_header
from venvman.requirements.includes import includes_in, resolve
from venvman.requirements.naming import is_pylock
from venvman.system.files import aside, permit
from venvman.system.reading import read_regular
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from venvman.project.project import Project

OVERWRITABLE = frozenset({"lock-conflict-markers", "lock-faulty", "lock-not-text"})
"""The codes of locks that cannot be read, and are written anew where somebody says so."""

_REQUIREMENTS = (".in", ".txt")


def read_lock(
    path: Path, *, root: Path, display: str | None = None, groups: Collection[str] | None = None
) -> Lock | None:
    """The lock at ``path`` with what it includes, None where there is none.

    ``root`` is the project's, which relative folders are named from; ``display`` is the path for
    messages; ``groups`` are chosen of a file with several (:func:`parse_text`).

    Raises:
        LockError: it cannot be read (``lock-unreadable``), or see
            :func:`venvman.lock.parse.parse_lock`.
    """
    shown = display or path.as_posix()
    try:
        text = read_regular(path).decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise LockError(
            f"{shown} is not UTF-8.",
            code="lock-not-text",
            path=shown,
            why=str(error),
            fix=Command.venvman("freeze", "--yes"),
        ) from error
    except OSError as error:
        raise _unreadable(path, shown, error) from error
    try:
        lock = parse_text(text, path=shown, root=root, groups=groups)
        return _with_included(lock, path, shown, root) if lock.includes else lock
    except LockError as error:
        if not leaves_tree(path, root):
            raise
        raise LockError.of([unseen(each) for each in error.problems], code=error.code) from None


def parse_text(text: str, *, path: str, root: Path, groups: Collection[str] | None = None) -> Lock:
    """The lock that ``text`` is, in the format that the name in ``path`` says; see :mod:`.parse`.

    Of a multi-use lock file (PEP 751) it is what ``groups`` install, None: its default groups.

    Raises:
        LockError: every faulty line at once.
    """
    if is_pylock(path):
        from venvman.lock.pylock import parse_pylock

        return parse_pylock(text, path=path, root=root, groups=groups)
    return parse_lock(text, path=path, folder_name=lambda folder: project_name(root / folder))


def lock_files(path: Path) -> Iterator[tuple[Path, bytes]]:
    """The file at ``path`` and all that it includes by ``-r``, each once, with their bytes.

    Raises:
        OSError: ``path`` itself cannot be read; what it includes is left out then.
    """
    yield path, (content := read_regular(path))
    seen, pending = {path}, [(path, content)]
    while pending:
        here, content = pending.pop()
        if b"-r" not in content and b"--requirement" not in content:
            continue
        for flag, target in includes_in(content.decode("utf-8", "replace")):
            named = Path(resolve(str(here), target))
            if flag == "-r" and named not in seen:
                seen.add(named)
                with suppress(OSError):
                    content = read_regular(named)
                    pending.append((named, content))
                    yield named, content


def lock_bytes(path: Path) -> bytes:
    """All that decides what the lock at ``path`` says: its bytes, and those of what it includes.

    Raises:
        OSError: it cannot be read.
    """
    return b"\0".join(content for _, content in lock_files(path))


def _with_included(lock: Lock, path: Path, shown: str, root: Path) -> Lock:
    """``lock`` with the pins of the files that it includes, as pip reads them.

    Raises:
        LockError: one is not there or no lock, or pins something otherwise.
    """
    own = {entry.name: entry for entry in lock.entries}
    found, unpinned = list(lock.entries), {*lock.unpinned}
    problems: list[Problem] = []
    others = [each for each, _ in lock_files(path)][1:]
    for name in lock.includes:
        if Path(resolve(str(path), name)) not in {path, *others}:
            message = f"{shown} includes {name}, which cannot be read."
            problems.append(_not_included(lock, shown, message))
    for other in others:
        inside = other.relative_to(root).as_posix() if other.is_relative_to(root) else str(other)
        text = read_regular(other).decode("utf-8", "replace")
        part = parse_text(text, path=inside, root=root)
        unpinned.update(part.unpinned)
        for entry in part.entries:
            mine = own.setdefault(entry.name, entry)
            if mine is entry or mine.origin is None or mine.origin.path == inside:
                found.append(entry)
            elif (mine.version, mine.source) != (entry.version, entry.source):
                one, two = (
                    f"{each.origin} pins {each.name} {each.version or each.source}"
                    for each in (mine, entry)
                )
                problems.append(_not_included(lock, shown, f"{one}, but {two}."))
    if problems:
        message = f"{shown} and what it includes are no lock."
        raise LockError(message, code="lock-faulty", path=shown, problems=problems)
    return replace(
        lock,
        entries=tuple(sorted(found, key=sort_key)),
        unpinned=tuple(sorted(unpinned)),
        borrowed=frozenset(own) - {entry.name for entry in lock.entries},
    )


def _not_included(lock: Lock, shown: str, message: str) -> Problem:
    return Problem(code="lock-faulty", message=redact(message), path=shown, fix=lock.header.rerun)


def _unreadable(path: Path, shown: str, error: OSError) -> LockError:
    return LockError(
        f"{shown} could not be read.",
        code="lock-unreadable",
        path=shown,
        why=f"{error.strerror or error}.",
        fix=permit("u+rw", path)
        if isinstance(error, PermissionError)
        else aside(path, then="freeze"),
    )


def salvage_lock(path: Path) -> Lock | None:
    """What can still be read of a lock that cannot; of a git conflict our side.

    Only a preference: whatever cannot stay is resolved anew.
    """
    with suppress(OSError, UnicodeDecodeError, LockError):
        text = read_regular(path).decode("utf-8")
        ours = re.sub(r"(?ms)^(=======|\|{7}).*?^>>>>>>>[^\n]*\n?|^<<<<<<<[^\n]*\n", "", text)
        return parse_text(ours, path=path.name, root=path.parent)
    return None


def check_writable(path: Path, *, display: str, yes: bool = False, declared: bool = False) -> None:
    """Whether venvman may put a lock at ``path``, decided by what lies there.

    ``declared``: of a group of pyproject.toml, whose lock pip-compile may have made.

    Raises:
        LockError: ``lock-options-foreign``: its command has options that only its tool knows;
            ``lock-of-another-source``: its header says that it is made from something other
            than requirements files; ``lock-of-several-files``: it includes others, or bears the sum
            of its sources; ``lock-in-the-way``: it is no lock that venvman knows, and
            ``yes`` is not given.
    """
    try:
        text = read_regular(path).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(path, display, error) from error
    if not text.strip():
        return
    if is_pylock(path.name):
        maker = read_pylock_header(text).tool
        header, why = None, f"It says that {maker} made it."
        if maker == "venvman":
            return
    else:
        header = read_header(text)
        why = "No header says that venvman, pip-compile or uv made it: it may be written by hand."
    if header is not None and header.is_lock:
        ours = declared and header.declared is not None
        _refuse_foreign(header, text, display, declared=ours)
        return
    if yes:
        return
    raise LockError(
        f"{display} is in the way: venvman does not recognise it as a lock.",
        code="lock-in-the-way",
        path=display,
        line=1,
        text=text.lstrip("\ufeff").splitlines()[0] if text.strip() else None,
        why=why,
        fix=Command.venvman("freeze", "--yes"),
    )


def write_locks(project: Project, locks: Mapping[Path, Lock]) -> bool:
    """Writes ``locks`` by path, and the project's drafts with them: all or none.

    An existing file's newline style and mode are kept. Returns whether a lock changed: the same
    text is not written again.

    Raises:
        LockError: the format has no place for something in a lock.
        VenvmanError: ``file-unwritable``.
    """
    contents: dict[Path, bytes] = {}
    for path, lock in locks.items():
        shown = project.display(path)
        if is_pylock(shown):
            from venvman.lock.pylock import render_pylock

            content = render_pylock(lock, path=shown, root=project.root).encode()
        else:
            content = render_lock(lock).encode()
        try:
            old = read_regular(path)
        except FileNotFoundError:
            old = None
        if old is not None and b"\r\n" in old:
            content = content.replace(b"\n", b"\r\n")
        if content != old:
            contents[path] = content
    project.write(contents)
    return bool(contents)


def _refuse_foreign(header: LockHeader, text: str, display: str, *, declared: bool) -> None:
    """Raises the :class:`LockError` of a lock that only the command in its header can write."""
    others = [name for name in header.sources if not name.endswith(_REQUIREMENTS)]
    exported = (header.command or "").startswith("uv export")
    names_it = "Its header names the command that made it;"
    if (others or exported) and not declared:
        code, why = "lock-of-another-source", f"{names_it} `venvman sync` installs it as it is."
        said = f"made from {', '.join(others) or 'uv.lock'}, which venvman does not freeze"
    elif header.unsupported and not declared:
        code, why = "lock-options-foreign", f"{names_it} `sync` installs what that writes."
        said = f"made with {', '.join(header.unsupported)}, which only {header.tool} can do"
    # pip-compile-multi signs what it writes, and writes each pin in one of several files.
    elif header.is_signed or any(flag == "-r" for flag, _ in includes_in(text)):
        code, said = (
            "lock-of-several-files",
            "one of several files that its command writes together",
        )
        why = (
            "They include one another, or bear the sum of their sources (# SHA1); `sync` "
            "installs what that command writes."
        )
    else:
        return
    raise LockError(f"{display} is {said}.", code=code, path=display, why=why, fix=header.rerun)
