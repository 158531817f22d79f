"""The only door to git. What it prints is shown with credentials hidden."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, GitError
from venvman.system.process import ProcessFault, run
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvman.system.process import Completed

# What `git rev-parse --local-env-vars` lists: set inside hooks, and they would make git work on
# the repository of the hook whatever its working directory. Less GIT_CONFIG_COUNT, which no hook
# sets but people do, to give credentials to a CI job.
_LOCAL_VARIABLES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)


# A repository may lie in the tree of another one, with a configuration that came with a clone and
# names programs: git is to use none that it only stumbles over, and to start no such program.
_STARTING_NOTHING = (
    *("-c", "safe.bareRepository=explicit"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "protocol.ext.allow=never"),
    "--no-pager",
)


def git(*arguments: str, cwd: Path | None = None, variables: Mapping[str, str]) -> str:
    """Runs ``git`` with ``arguments`` in ``cwd``; what it printed to stdout.

    ``variables`` is the whole environment. Git never asks for a password on the terminal.

    Raises:
        GitError: git is missing (``git-missing``) or exits with a code other than 0
            (``git-failed``); ``why`` is the end of what it said.
    """
    done = try_git(*arguments, cwd=cwd, variables=variables)
    if not done.ok:
        # The command for people: its first words tell enough, options before the verb do not.
        words = list(arguments)
        while words[:1] and words[0].startswith("-") and len(words) > 1:
            del words[: 2 if words[0] in ("-C", "-c") else 1]
        told = redact(done.stderr or done.stdout).splitlines()
        raise GitError(
            f"`{redact(' '.join(['git', *words]))}` failed with exit code {done.code}.",
            code="git-failed",
            why="\n".join([line.rstrip() for line in told if line.strip()][-8:]) or None,
        )
    return done.stdout


def try_git(*arguments: str, cwd: Path | None = None, variables: Mapping[str, str]) -> Completed:
    """Like :func:`git`, but an exit code other than 0 is an answer, not an error.

    Raises:
        GitError: git is missing.
    """
    # LC_ALL: the sentences are matched and shown beside venvman's own, which are English.
    environment = {**variables, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
    try:
        return run(("git", *_STARTING_NOTHING, *arguments), cwd=cwd, env=environment)
    except ProcessFault as error:
        if cwd is not None and not cwd.is_dir():
            raise GitError(f"{cwd} is not a folder.", code="git-failed") from error
        raise GitError(
            "Could not start git.",
            code="git-missing",
            why=error.message,
            fix=Advice("Install git."),
        ) from error


def without_repository(variables: Mapping[str, str]) -> dict[str, str]:
    """``variables`` less those that tie git to one repository, for work on another one.

    Git sets them while it runs a hook.
    """
    return {name: value for name, value in variables.items() if name not in _LOCAL_VARIABLES}


def scp_advice(url: str) -> Advice | None:
    """What to write for ``git@host:folder/repo``, git's own short form, which is no URL."""
    short = re.search(r"(?:^|/)([\w.-]+@[\w.-]+):(?!\d+(?:/|$))([^/:@][^:@]*)$", url)
    if short is None:
        return None
    return Advice(f"Write / for the colon: git+ssh://{short[1]}/{short[2]}")


def commit_of(revision: str, *, cwd: Path, variables: Mapping[str, str]) -> str | None:
    """The commit that ``revision`` names, if any; an option-like word is taken for no option."""
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    done = try_git(*words, cwd=cwd, variables=variables)
    return done.stdout.strip() if done.ok else None
