"""The text of venvman's git hooks: shell that decides without Python whether to start it. Pure.

A hook runs on every checkout, so the common case (nothing that venvman reads has changed) must
cost one ``git diff``. The script is self-contained: what was chosen at install time stands in its
comments and is read back from there, so that uninstalling leaves nothing behind.
"""

from __future__ import annotations

import json
import re
import shlex
from enum import Enum

from venvman.frozen import dataclass

__all__ = ["BACKUP_SUFFIX", "PATTERNS", "HookMode", "HookName", "HookScript", "parse", "render"]

BACKUP_SUFFIX = ".before-venvman"
"""A hook that was there first is renamed to this and called first. Not ``.legacy``: that is
pre-commit's, and the two tools may be stacked in either order."""

PATTERNS = (
    "*.in",
    "*.txt",
    "*.lock",
    "*pyproject.toml",
    "*setup.py",
    "*setup.cfg",
    "*.python-version",
)
"""Git pathspecs of everything that can change what an environment should hold. Too wide costs a
Python start now and then, too narrow hides drift."""


class HookName(str, Enum):
    """The hooks that venvman installs."""

    POST_CHECKOUT = "post-checkout"
    POST_MERGE = "post-merge"
    POST_REWRITE = "post-rewrite"
    PRE_COMMIT = "pre-commit"


class HookMode(str, Enum):
    """What the post hooks do about drift."""

    REPORT = "report"
    SYNC = "sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookScript:
    """One hook's parameters.

    ``command`` starts venvman (absolute, so that graphical clients without PATH find it),
    ``projects`` are relative to the work tree (``.`` for its top), ``patterns`` git pathspecs.
    """

    name: HookName
    mode: HookMode
    command: tuple[str, ...]
    projects: tuple[str, ...]
    patterns: tuple[str, ...] = PATTERNS


_MARK = "# venvman git hook, format 1"

_TEMPLATE = """\
#!/bin/sh
{mark}: `venvman hooks uninstall` removes it and puts back what was here before.
# mode: {mode}
{projects}
# VENVMAN_HOOKS=0 in the environment silences it.

before="${{0%/*}}/{name}{suffix}"
status=0
{body}
"""

_CALL = """\
venvman() {{
    if [ -x {program} ]; then
        {command} "$@"
    elif command -v venvman >/dev/null 2>&1; then
        command venvman "$@"
    else
        echo "venvman: not found; 'venvman hooks install' again, or 'hooks uninstall'." >&2
        return {missing}
    fi
}}
"""

_POST = """\
{read}if [ -x "$before" ]; then {feed}"$before" "$@" || status=$?; fi
[ "${{VENVMAN_HOOKS:-1}}" = 0 ] && exit $status

changed() {{
    ! git diff --quiet "$1" "$2" -- {patterns} 2>/dev/null
}}
{call}
{decision}
exit $status
"""

# Single files checked out have 0 as $3. A rebase that only fast-forwards never calls post-rewrite,
# so post-checkout must not simply keep quiet during rebases.
_DECISIONS = {
    HookName.POST_CHECKOUT: """\
if [ "${{3:-1}}" = 1 ] && [ "$1" != "$2" ] && changed "$1" "$2"; then
    # While a rebase has commits left to apply, post-rewrite will speak at its end.
    if ! [ -s "$(git rev-parse --git-path rebase-merge/git-rebase-todo)" ]; then
        venvman hooks run {arguments} || :
    fi
fi""",
    HookName.POST_MERGE: """\
if changed ORIG_HEAD HEAD; then
    venvman hooks run {arguments} || :
fi""",
    HookName.POST_REWRITE: """\
old=$(printf '%s\\n' "$pairs" | sed -n '$s/ .*//p')
if [ -n "$old" ] && changed "$old" HEAD; then
    venvman hooks run {arguments} || :
fi""",
}

_PRE_COMMIT = """\
if [ -x "$before" ]; then "$before" "$@" || exit $?; fi
[ "${{VENVMAN_HOOKS:-1}}" = 0 ] && exit 0
git diff --cached --quiet -- {patterns} && exit 0
{call}
venvman hooks run {arguments} || exit $?
exit 0"""


def render(script: HookScript) -> str:
    """The hook file's text."""
    words = ["--mode", script.mode.value]
    for project in script.projects:
        words += ["--in", project]
    arguments = shlex.join([script.name.value, *words])
    return _TEMPLATE.format(
        mark=_MARK,
        mode=script.mode.value,
        projects="\n".join(f"# project: {_on_one_line(project)}" for project in script.projects),
        name=script.name.value,
        suffix=BACKUP_SUFFIX,
        body=_body(script, arguments).rstrip("\n"),
    )


def parse(text: str, *, name: HookName) -> HookScript | None:
    """The parameters of a hook that :func:`render` wrote; None for anybody else's.

    The command is not read back: installing again writes the current one.
    """
    if _MARK not in text:
        return None
    mode = re.search(r"^# mode: (\w+)$", text, re.MULTILINE)
    return HookScript(
        name=name,
        mode=HookMode(mode[1]) if mode else HookMode.REPORT,
        command=(),
        projects=tuple(map(_project, re.findall(r"^# project: (.+)$", text, re.MULTILINE))),
    )


def _on_one_line(project: str) -> str:
    """``project`` in a comment, which a line end in a folder's name would end."""
    return project if project.isprintable() and project[:1] != '"' else json.dumps(project)


def _project(text: str) -> str:
    try:
        return str(json.loads(text)) if text[:1] == '"' else text
    except ValueError:
        return text


def _body(script: HookScript, arguments: str) -> str:
    patterns = shlex.join(script.patterns)
    call = _CALL.format(
        program=shlex.quote(script.command[0]),
        command=shlex.join(script.command),
        missing=1 if script.name is HookName.PRE_COMMIT else 0,
    )
    if script.name is HookName.PRE_COMMIT:
        return _PRE_COMMIT.format(patterns=patterns, call=call, arguments=arguments)
    reads_stdin = script.name is HookName.POST_REWRITE
    return _POST.format(
        read="pairs=$(cat)\n" if reads_stdin else "",
        feed="printf '%s\\n' \"$pairs\" | " if reads_stdin else "",
        patterns=patterns,
        call=call,
        decision=_DECISIONS[script.name].format(arguments=arguments),
    )
