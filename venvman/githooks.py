"""Git hooks: put in, taken out, looked at; in company of other hooks and their managers.

Needs git only, no project that can be read. What a hook does when it runs is in
:mod:`venvman.workflow.hooking`, its text in :mod:`venvman.hookscript`. Where it goes:

- the hooks folder of the repository; a hook that was there first moves to the folder beside it
  (:data:`venvman.hookscript.EARLIER`) and is run from there, first;
- where pre-commit or prek stands in a hook's place and has moved ours to ``NAME.legacy``, which
  they run, it stays there;
- with husky 9, whose hooks folder ``.husky/_`` holds dispatchers, into ``.husky`` as any of its
  hooks;
- where lefthook writes the hooks, ``lefthook-local.yml`` runs ours, which lies in the git folder.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from venvman import hookscript
from venvman.hookscript import EARLIER, HookMode, HookName
from venvman.model.errors import Advice, Command, GitError, Problem, Severity
from venvman.model.frozen import dataclass
from venvman.system.files import write_atomically
from venvman.system.git import try_git

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


class HookState(str, Enum):
    """What lies at a hook's path."""

    ABSENT = "absent"
    OURS = "installed"
    FOREIGN = "foreign"
    EDITED = "edited"
    """Ours, and not as this version writes it."""
    IDLE = "idle"
    """Ours, but git does not run it: it is not executable, or a manager has set it aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookedProject:
    """A project that the hooks are for; ``path`` is relative to the work tree (``.``: its top)."""

    path: str
    mode: HookMode


@dataclass(frozen=True, slots=True, kw_only=True)
class HookStatus:
    """One hook; ``chained`` says that another one is run first, or runs it."""

    name: HookName
    path: Path
    state: HookState
    chained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HooksReport:
    """All hooks of a repository. ``folder`` is absolute; ``problems`` are what was left alone.

    ``program`` is what the hooks start, None if that is not known; ``starts`` whether it, or one on
    PATH in its place, is there.
    """

    folder: Path
    hooks: tuple[HookStatus, ...]
    projects: tuple[HookedProject, ...] = ()
    problems: tuple[Problem, ...] = ()
    program: str | None = None
    starts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Repository:
    """``folder`` is where git looks for hooks, ``common`` the git folder of all its worktrees."""

    top: Path
    folder: Path
    common: Path
    variables: Mapping[str, str]

    @property
    def is_shared(self) -> bool:
        """Whether the hooks folder is another's, so that a hook there runs elsewhere, too."""
        return not any(self.folder.is_relative_to(each) for each in (self.top, self.common))

    @property
    def guest_folder(self) -> Path:
        """Where a hook of ours belongs: with husky 9 not among its dispatchers."""
        is_husky = self.folder.name == "_" and self.folder.parent.name == ".husky"
        return self.folder.parent if is_husky else self.folder

    @property
    def earlier(self) -> Path:
        """The folder of the hooks that were there first."""
        return self.folder.with_name(self.folder.name + EARLIER)

    @property
    def data(self) -> Path:
        """The folder of what the hooks read."""
        return self.common / hookscript.FOLDER


def hooks_status(root: Path, *, variables: Mapping[str, str]) -> HooksReport:
    """What is there now, for the repository that holds the folder ``root``.

    Problems are what installing would leave alone.

    Raises:
        GitError: ``root`` is in no work tree, or git is missing.
    """
    repository = _repository(root, variables)
    report = _report(repository)
    if repository.is_shared:
        (problem,) = _shared_folder(repository).problems
        return replace(report, problems=(replace(problem, severity=Severity.WARNING),))
    left = (each for each in report.hooks if each.state is HookState.FOREIGN)
    problems = (_left_alone(repository, each.name) for each in left)
    return replace(report, problems=tuple(each for each in problems if each))


def hook_files(top: Path) -> tuple[Path, ...]:
    """What :func:`hooks_status` looks at in the work tree ``top`` that has git's own hooks folder.

    Folders stand for the files in them.
    """
    folder = top / ".git" / "hooks"
    beside = folder.with_name(folder.name + EARLIER)
    return folder, beside, top / _LEFTHOOK_LOCAL, top / _PRE_COMMIT_CONFIG


def hooked_projects(root: Path, *, variables: Mapping[str, str]) -> tuple[HookedProject, ...]:
    """The projects that hooks were installed for, in the repository that holds ``root``.

    Raises:
        GitError: as :func:`hooks_status`.
    """
    return _projects(_repository(root, variables))


def install_hooks(
    roots: Sequence[Path], *, mode: HookMode, variables: Mapping[str, str]
) -> HooksReport:
    """Puts all hooks in for the projects at ``roots``, which share a repository.

    Doing it again changes the mode of these projects, and which venvman is started. Hooks of
    others stay and are run first; one that git tracks is left alone, since a tracked file is never
    changed, and named in the report's problems.

    Raises:
        GitError: no work tree, no git, a hooks folder outside the repository, or one that cannot
            be written.
    """
    repository = _repository(roots[0], variables)
    if repository.is_shared:
        raise _shared_folder(repository)
    known = {each.path: each for each in _projects(repository)}
    for root in roots:
        path = _relative(Path(root).resolve(), repository.top)
        known[path] = HookedProject(path=path, mode=mode)
    try:
        problems = tuple(_put_all(repository))
        _write_data(repository, known.values())
    except OSError as error:
        if not _projects(repository):
            with suppress(OSError):
                _take_all_out(repository)
        raise GitError(
            f"The hooks in {repository.folder} could not be written.",
            code="git-hooks-unwritable",
            path=str(error.filename or repository.folder),
            why=error.strerror,
            fix=Advice("Make the folder writable, or move away what stands in a hook's place."),
        ) from error
    return replace(_report(repository), problems=problems)


def uninstall_hooks(root: Path, *, variables: Mapping[str, str]) -> HooksReport:
    """Takes the project at ``root`` off the list, and with the last one our hooks out.

    Of a folder that is not on the list, all are taken off. What our hooks replaced is put back;
    what others wrote into them stays.

    Raises:
        GitError: no work tree, or no git.
    """
    repository = _repository(root, variables)
    path = _relative(Path(root).resolve(), repository.top)
    before = _projects(repository)
    left = [each for each in before if each.path != path]
    if left and len(left) < len(before):
        _write_data(repository, left)
        return _report(repository)
    _take_all_out(repository)
    return _report(repository)


def is_hooked(root: Path, *, variables: Mapping[str, str]) -> bool:
    """Whether hooks were installed for the project at ``root``, which may be gone."""
    with suppress(GitError):
        repository = _repository(root, variables)
        path = _relative(Path(root).resolve(), repository.top)
        return any(each.path == path for each in _projects(repository))
    return False


def _take_all_out(repository: _Repository) -> None:
    # core.hooksPath may have been set, by husky say, after ours were put into git's own folder.
    for each in {repository.folder, repository.common / "hooks"}:
        there = replace(repository, folder=each)
        for name in HookName:
            for path in _paths(there, name):
                _take_out(there, name, path)
        _tidy(there)
    file = repository.top / _LEFTHOOK_LOCAL
    if _LEFTHOOK in _text(file):
        file.unlink()


def _repository(root: Path, variables: Mapping[str, str]) -> _Repository:
    """The work tree around ``root``, which may be gone; all worktrees share its hooks folder."""
    root = next(each for each in (root, *root.absolute().parents) if each.is_dir())
    asked = (("--show-toplevel",), ("--git-path", "hooks"), ("--git-common-dir",))
    found: list[str] = []
    for words in asked:
        done = try_git("rev-parse", *words, cwd=root, variables=variables)
        if not done.ok:
            bare = any((each / "HEAD").is_file() for each in (root, *root.parents))
            raise GitError(
                f"{root} is in no git work tree.",
                code="git-no-repository",
                why="hooks live in a repository",
                fix=Advice("Run it in a work tree.") if bare else Command.of("git", "init"),
            )
        found.append(done.stdout.removesuffix("\n"))
    top, folder, common = found
    # Git answers relative to the working directory; `--git-path` follows core.hooksPath.
    owned = (Path(top), Path(os.path.normpath(root / common)))
    return _Repository(
        top=owned[0], folder=_seen_from(owned, root / folder), common=owned[1], variables=variables
    )


def _seen_from(owned: Sequence[Path], path: Path) -> Path:
    """``path`` with its links followed, as one below the first of ``owned`` that it leads into."""
    real = Path(os.path.realpath(path))
    for each in owned:
        base = os.path.realpath(each)
        if real.is_relative_to(base):
            return each / real.relative_to(base)
    return real


def _shared_folder(repository: _Repository) -> GitError:
    own = repository.common / "hooks"
    if own.is_symlink():
        own = own.with_name("own-hooks")
    called = (
        f"Let the hooks in {repository.folder} call `{_line(HookName.POST_CHECKOUT)}`, or give "
    )
    return GitError(
        f"Git's hooks are in {repository.folder}, which this repository does not own.",
        code="git-hooks-shared",
        why="a hook put there would run for every repository that shares the folder",
        fix=Advice(
            f"{called if repository.folder.is_dir() else 'Give '}"
            "this repository hooks of its own with `git config --local core.hooksPath "
            f"{shlex.quote(str(own))}`: those of the shared folder then run here no more."
        ),
    )


def _projects(repository: _Repository) -> tuple[HookedProject, ...]:
    try:
        rows = json.loads((repository.data / "projects.json").read_bytes())
        found = [HookedProject(path=row["path"], mode=HookMode(row["mode"])) for row in rows]
    except (OSError, ValueError, TypeError, KeyError):
        return ()
    return tuple(sorted(found, key=lambda each: each.path))


def _write_data(repository: _Repository, projects: Iterable[HookedProject]) -> None:
    rows = [{"path": each.path, "mode": each.mode.value} for each in projects]
    repository.data.mkdir(parents=True, exist_ok=True)
    write_atomically(repository.data / "projects.json", json.dumps(rows, indent=1).encode())
    write_atomically(repository.data / "program", os.fsencode(f"{own_program()[0]}\n"))


def _report(repository: _Repository) -> HooksReport:
    program = _text(repository.data / "program").strip() or None
    on_path = shutil.which("venvman", path=repository.variables.get("PATH", ""))
    return HooksReport(
        program=program,
        starts=on_path is not None or (program is not None and os.access(program, os.X_OK)),
        folder=repository.folder,
        hooks=tuple(_status(repository, name) for name in HookName),
        projects=_projects(repository),
    )


def _paths(repository: _Repository, name: HookName) -> Iterator[Path]:
    """Where a hook of ours may lie: its own path, and where managers move it to."""
    yield repository.guest_folder / name.value
    if repository.guest_folder != repository.folder:
        yield repository.folder / name.value
    yield repository.folder / f"{name.value}.legacy"
    yield repository.folder / f"{name.value}.old"


def _status(repository: _Repository, name: HookName) -> HookStatus:
    first, *moved = _paths(repository, name)
    local = repository.top / _LEFTHOOK_LOCAL
    if _is_lefthook(repository, name) and f"\n{name.value}:" in _text(local):
        return HookStatus(name=name, path=local, state=HookState.OURS, chained=True)
    if _is_called(repository, name, _text(first)):
        return HookStatus(name=name, path=first, state=HookState.OURS, chained=True)
    chained = (repository.earlier / name.value).exists()
    if hookscript.is_ours(_text(first)):
        runs = os.access(first, os.X_OK) or first.parent != repository.folder
        state = HookState.OURS if runs else HookState.IDLE
        if runs and not hookscript.is_whole(name, _text(first)):
            state = HookState.EDITED
        return HookStatus(name=name, path=first, state=state, chained=chained)
    ours = next((path for path in moved if hookscript.is_ours(_text(path))), None)
    if ours is not None:
        called = ours.suffix == ".legacy" and hookscript.is_calling_legacy(_text(first))
        state = HookState.OURS if called else HookState.IDLE
        return HookStatus(name=name, path=ours, state=state, chained=True)
    # lexists: a dangling symbolic link is somebody's hook too.
    state = HookState.FOREIGN if os.path.lexists(first) else HookState.ABSENT
    return HookStatus(name=name, path=first, state=state)


def _put_all(repository: _Repository) -> Iterator[Problem]:
    repository.folder.mkdir(parents=True, exist_ok=True)
    for name in HookName:
        path = next(_paths(repository, name))
        if path.is_dir():  # before anything is written
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    guests = [name for name in HookName if _is_lefthook(repository, name)]
    if guests:
        yield from _put_into_lefthook(repository, guests)
    for name in HookName:
        if name in guests:
            continue
        problem = _left_alone(repository, name)
        if problem is not None:
            yield problem
        elif not _is_called(repository, name, _text(path := next(_paths(repository, name)))):
            yield from _put(repository, name, path)


def _put(repository: _Repository, name: HookName, path: Path) -> Iterator[Problem]:
    text = _text(path)
    if hookscript.is_ours(text):
        _write_hook(path, hookscript.render(name, hookscript.without_ours(text)))
        _adopt_format_1(repository, name)
        return
    legacy = path.with_name(f"{name.value}.legacy")
    if hookscript.is_calling_legacy(text) and hookscript.is_ours(_text(legacy)):
        around = hookscript.without_ours(_text(legacy))
        _write_hook(legacy, hookscript.render(name, around))
        _adopt_format_1(repository, name)
        return
    if os.path.lexists(path):
        yield from _set_aside(repository, name, path)
    _write_hook(path, hookscript.render(name))
    if not path.is_relative_to(repository.common):
        _keep_out_of_status(repository, path)


def _set_aside(repository: _Repository, name: HookName, path: Path) -> Iterator[Problem]:
    """The foreign hook moves before ours is there: a stop in between loses neither."""
    kept = repository.earlier / name.value
    repository.earlier.mkdir(exist_ok=True)
    if not repository.earlier.is_relative_to(repository.common):
        _keep_out_of_status(repository, repository.earlier)
    if os.path.lexists(kept):
        number = 1
        while os.path.lexists(kept.with_name(f"{name.value}.{number}")):
            number += 1
        before = kept.with_name(f"{name.value}.{number}")
        kept.rename(before)
        yield Problem(
            code="git-hook-replaced",
            message=f"Another {name.value} hook has taken the place of one that was here first.",
            severity=Severity.WARNING,
            path=str(before),
            why="The older one is kept there, and is not run.",
        )
    path.rename(kept)
    legacy = repository.folder / f"{name.value}.legacy"
    if os.path.lexists(legacy):
        # What pre-commit or prek runs first, and looks for beside itself.
        legacy.rename(repository.earlier / legacy.name)
    # What hooks find beside themselves (shared functions, folders of parts) stays beside them.
    hooks = {each.value for each in HookName}
    for entry in repository.folder.iterdir():
        link = repository.earlier / entry.name
        if entry.suffix != ".sample" and entry.stem not in hooks and not os.path.lexists(link):
            # ``name`` of the hooks folder, from the folder of the hooks that were there first.
            link.symlink_to(Path("..") / repository.folder.name / entry.name)


def _adopt_format_1(repository: _Repository, name: HookName) -> None:
    """Hooks that were kept as ``NAME.before-venvman`` go where they are kept now."""
    old = repository.folder / f"{name.value}{EARLIER}"
    if os.path.lexists(old):
        repository.earlier.mkdir(exist_ok=True)
        old.rename(repository.earlier / name.value)


def _write_hook(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode("utf-8", "surrogateescape"))
    path.chmod(0o755)


def _take_out(repository: _Repository, name: HookName, path: Path) -> None:
    text = _text(path)
    if not hookscript.is_ours(text):
        return
    _adopt_format_1(repository, name)
    kept, kept_legacy = (repository.earlier / each for each in (name.value, f"{name.value}.legacy"))
    if path.suffix == ".legacy" and hookscript.is_calling_legacy(_text(kept)):
        # pre-commit or prek stands in its place again: only what it kept is to be put back.
        kept.unlink()
        kept = kept_legacy
    around = hookscript.without_ours(text)
    if around:
        mode = path.stat().st_mode
        write_atomically(path, around.encode("utf-8", "surrogateescape"))
        path.chmod(mode)
    elif os.path.lexists(kept) and path.parent == repository.folder:
        kept.replace(path)
    else:
        path.unlink()
    if os.path.lexists(kept_legacy):
        kept_legacy.rename(repository.folder / kept_legacy.name)


def _tidy(repository: _Repository) -> None:
    """Removes what only our hooks needed."""
    with suppress(OSError):
        for entry in repository.earlier.iterdir():
            if entry.is_symlink() and str(entry.readlink()).startswith(
                f"../{repository.folder.name}/"
            ):
                entry.unlink()
        repository.earlier.rmdir()
    for file in ("projects.json", "program", *(each.value for each in HookName)):
        (repository.data / file).unlink(missing_ok=True)
    with suppress(OSError):
        repository.data.rmdir()
    exclude = repository.common / "info" / "exclude"
    text = _text(exclude)
    left = re.sub(rf"^{_EXCLUDED}\n.*\n", "", text, flags=re.MULTILINE)
    if left != text:
        write_atomically(exclude, left.encode("utf-8", "surrogateescape"))


_EXCLUDED = "# The next line is here for venvman's hooks."
_LEFTHOOK_LOCAL = "lefthook-local.yml"
_LEFTHOOK = "# venvman git hook: `venvman hooks uninstall` removes this file."


def _is_lefthook(repository: _Repository, name: HookName) -> bool:
    """Whether lefthook writes this hook: it would write it again over another one."""
    return "lefthook" in _text(repository.folder / name.value)


def _put_into_lefthook(repository: _Repository, names: Sequence[HookName]) -> Iterator[Problem]:
    """Our hooks lie in the git folder; lefthook's local file runs them there."""
    for name in names:
        for path in _paths(repository, name):
            _take_out(repository, name, path)
        _write_hook(repository.data / name.value, hookscript.render(name))
    folder = shlex.quote(str(repository.data))
    parts = [
        f"{name.value}:\n  commands:\n    venvman:\n"
        f"      run: {json.dumps(f'sh {folder}/{name.value} {{0}}')}\n"
        + ("      use_stdin: true\n" if name is HookName.POST_REWRITE else "")
        for name in names
    ]
    file = repository.top / _LEFTHOOK_LOCAL
    if file.exists() and _LEFTHOOK not in _text(file):
        yield Problem(
            code="git-hook-tracked",
            message=f"{file.name} is there already and was left alone.",
            severity=Severity.WARNING,
            path=file.name,
            why="lefthook writes the hooks of this repository",
            fix=Advice(f"Add these lines to it:\n{''.join(parts)}"),
        )
        return
    write_atomically(file, "\n".join((_LEFTHOOK, *parts)).encode())
    _keep_out_of_status(repository, file)


def _keep_out_of_status(repository: _Repository, path: Path) -> None:
    """Lists ``path``, which is this machine's alone, in ``info/exclude`` of the git folder."""
    exclude = repository.common / "info" / "exclude"
    # Signs of a pattern stand for themselves; a line end cannot, so any sign is taken for it.
    name = re.sub(r"([\\*?[\]])", r"\\\1", _relative(path, repository.top)).replace("\n", "?")
    line = f"/{name}"
    text = _text(exclude)
    if line in text.splitlines() or not path.is_relative_to(repository.top):
        return
    exclude.parent.mkdir(exist_ok=True)
    gap = "" if not text or text.endswith("\n") else "\n"
    text = f"{text}{gap}{_EXCLUDED}\n{line}\n"
    write_atomically(exclude, text.encode("utf-8", "surrogateescape"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


_PRE_COMMIT_CONFIG = ".pre-commit-config.yaml"


def _is_called(repository: _Repository, name: HookName, text: str) -> bool:
    """Whether the foreign hook of this ``text`` does what ours would."""
    if hookscript.is_ours(text):
        return False
    if not hookscript.is_calling_legacy(text):
        return f"venvman hooks run {name.value}" in text
    ids = "lock" if name is HookName.PRE_COMMIT else "(drift|sync)"
    pattern = rf"^\s*-?\s*id:\s*['\"]?venvman-{ids}\b"
    return bool(re.search(pattern, _text(repository.top / _PRE_COMMIT_CONFIG), re.MULTILINE))


def _left_alone(repository: _Repository, name: HookName) -> Problem | None:
    """Why no hook of ours is put where ``name`` belongs: the one that is there is the project's."""
    path = next(_paths(repository, name))
    text = _text(path)
    if _is_lefthook(repository, name) or _is_called(repository, name, text):
        return None
    is_guest = repository.guest_folder != repository.folder
    theirs = is_guest and path.exists() and not hookscript.is_ours(text)
    words = ("ls-files", "--error-unmatch", "--", str(path))
    if not theirs and not try_git(*words, cwd=repository.top, variables=repository.variables).ok:
        return None
    shown = _relative(path, repository.top)
    return Problem(
        code="git-hook-tracked",
        message=f"{shown} is the project's own and was left alone.",
        severity=Severity.WARNING,
        path=shown,
        why="what a repository or a manager of hooks keeps is never changed",
        fix=Advice(f"Add this line to it: {_line(name)}"),
    )


def _line(name: HookName) -> str:
    """What a hook that people share does: nothing where there is no venvman."""
    run = f"venvman hooks run {name.value}"
    if name is HookName.PRE_COMMIT:
        return f"! command -v venvman >/dev/null || {run}"
    return f"{run} || :"


def _relative(path: Path, top: Path) -> str:
    try:
        return Path(os.path.realpath(path)).relative_to(os.path.realpath(top)).as_posix()
    except ValueError:
        return path.as_posix()


def own_program() -> tuple[str, ...]:
    """What starts this very venvman without PATH: its script or zipapp, else its module."""
    zipapp = Path(sys.argv[0])
    if zipapp.suffix == ".pyz" and os.access(zipapp, os.X_OK):
        return (str(zipapp.resolve()),)
    script = Path(sys.executable).with_name("venvman" + (".exe" if os.name == "nt" else ""))
    return (str(script),) if script.exists() else (sys.executable, "-m", "venvman")
