"""Where the hooks of a repository lie, and what lies beside them; asked of git."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.githooks import script
from venvman.githooks.script import EARLIER, HookMode, HookName
from venvman.model.errors import Advice, Command, GitError
from venvman.model.frozen import dataclass
from venvman.system.files import write_atomically
from venvman.system.git import try_git

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


EXCLUDED = "# The next line is here for venvman's hooks."


def hook_text(path: Path) -> str:
    """The text of the hook at ``path``; nothing where none can be read."""
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookedProject:
    """A project that the hooks are for; ``path`` is relative to the work tree (``.``: its top)."""

    path: str
    mode: HookMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
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
        return self.common / script.FOLDER

    def paths(self, name: HookName) -> Iterator[Path]:
        """Where a hook of ours may lie: its own path, and where managers move it to."""
        yield self.guest_folder / name.value
        if self.guest_folder != self.folder:
            yield self.folder / name.value
        yield self.folder / f"{name.value}.legacy"
        yield self.folder / f"{name.value}.old"

    def shown(self, path: Path) -> str:
        """``path`` relative to the work tree, its links followed."""
        try:
            inside = Path(os.path.realpath(path)).relative_to(os.path.realpath(self.top))
        except ValueError:
            return path.as_posix()
        return inside.as_posix()

    @property
    def projects(self) -> tuple[HookedProject, ...]:
        """Those that the hooks are for, sorted."""
        try:
            rows = json.loads((self.data / "projects.json").read_bytes())
            found = [HookedProject(path=row["path"], mode=HookMode(row["mode"])) for row in rows]
        except (OSError, ValueError, TypeError, KeyError):
            return ()
        return tuple(sorted(found, key=lambda each: each.path))

    def keep(self, projects: Iterable[HookedProject]) -> None:
        """Writes what the hooks read: which projects they are for, and what they start."""
        rows = [{"path": each.path, "mode": each.mode.value} for each in projects]
        self.data.mkdir(parents=True, exist_ok=True)
        write_atomically(self.data / "projects.json", json.dumps(rows, indent=1).encode())
        write_atomically(self.data / "program", os.fsencode(f"{own_program()[0]}\n"))

    def exclude(self, path: Path) -> None:
        """Lists ``path``, which is this machine's alone, in ``info/exclude`` of the git folder."""
        exclude = self.common / "info" / "exclude"
        # Signs of a pattern stand for themselves; a line end cannot, so any sign is taken for it.
        name = re.sub(r"([\\*?[\]])", r"\\\1", self.shown(path)).replace("\n", "?")
        text = hook_text(exclude)
        if f"/{name}" in text.splitlines() or not path.is_relative_to(self.top):
            return
        exclude.parent.mkdir(exist_ok=True)
        gap = "" if not text or text.endswith("\n") else "\n"
        text = f"{text}{gap}{EXCLUDED}\n/{name}\n"
        write_atomically(exclude, text.encode("utf-8", "surrogateescape"))


def repository_around(root: Path, variables: Mapping[str, str]) -> Repository:
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
    return Repository(
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


def own_program() -> tuple[str, ...]:
    """What starts this very venvman without PATH: its script or zipapp, else its module."""
    zipapp = Path(sys.argv[0])
    if zipapp.suffix == ".pyz" and os.access(zipapp, os.X_OK):
        return (str(zipapp.resolve()),)
    script = Path(sys.executable).with_name("venvman" + (".exe" if os.name == "nt" else ""))
    return (str(script),) if script.exists() else (sys.executable, "-m", "venvman")
