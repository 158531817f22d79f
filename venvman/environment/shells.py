"""Shells: which is the user's, what it evaluates to activate an environment, how it is started so.

What is evaluated sets variables and defines ``deactivate``; it runs nothing that lies in the
environment, so a hook may evaluate it. Names from a project are quoted, as they are strangers'.
"""

from __future__ import annotations

import shlex
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.system.files import make_private_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOOKED = "VENVMAN_HOOKED"
"""The variable in which the hook keeps the environment that it has activated."""

# Taken from PATH by name: what a startup file or the user has put in front of it since, stays.
_POSIX_LEAVE = """\
_venvman_path=":$PATH:"
while :; do
    case "$_venvman_path" in
        *":$VIRTUAL_ENV/bin:"*)
            _venvman_rest="${_venvman_path#*":$VIRTUAL_ENV/bin:"}"
            _venvman_path="${_venvman_path%%":$VIRTUAL_ENV/bin:"*}:$_venvman_rest" ;;
        *) break ;;
    esac
done
_venvman_path="${_venvman_path#:}"
PATH="${_venvman_path%:}"
export PATH
unset _venvman_path _venvman_rest
if [ -n "${_OLD_VIRTUAL_PYTHONHOME:-}" ]; then
    PYTHONHOME="$_OLD_VIRTUAL_PYTHONHOME"
    export PYTHONHOME
fi
if [ -n "${VIRTUAL_ENV_PROMPT:-}" ] && [ -n "${PS1:-}" ]; then
    PS1="${PS1#"($VIRTUAL_ENV_PROMPT) "}"
fi
unset VIRTUAL_ENV VIRTUAL_ENV_PROMPT _OLD_VIRTUAL_PYTHONHOME
hash -r 2>/dev/null
"""

_POSIX_ENTER = """\
case "$(command -v deactivate)" in deactivate) deactivate ;; esac
deactivate() {{
    if [ -n "${{VIRTUAL_ENV:-}}" ]; then
{leave}
    fi
    if [ "${{1:-}}" != nondestructive ]; then unset -f deactivate; fi
}}
if [ -n "${{VIRTUAL_ENV:-}}" ]; then deactivate nondestructive; fi
VIRTUAL_ENV={root}
VIRTUAL_ENV_PROMPT={prompt}
PATH="$VIRTUAL_ENV/bin${{PATH:+:$PATH}}"
export VIRTUAL_ENV VIRTUAL_ENV_PROMPT PATH
if [ -n "${{PYTHONHOME:-}}" ]; then
    _OLD_VIRTUAL_PYTHONHOME="$PYTHONHOME"
    unset PYTHONHOME
fi
if [ -z "${{VIRTUAL_ENV_DISABLE_PROMPT:-}}" ] && [ -n "${{PS1:-}}" ]; then
    PS1="($VIRTUAL_ENV_PROMPT) $PS1"
fi
hash -r 2>/dev/null
"""

_FISH_ENTER = """\
if functions -q deactivate; deactivate; end
function deactivate
    if set -q VIRTUAL_ENV
        set -gx PATH (string match -v -- $VIRTUAL_ENV/bin $PATH)
    end
    if set -q _OLD_VIRTUAL_PYTHONHOME
        set -gx PYTHONHOME $_OLD_VIRTUAL_PYTHONHOME
        set -e _OLD_VIRTUAL_PYTHONHOME
    end
    if functions -q _venvman_prompt
        functions -e fish_prompt
        functions -c _venvman_prompt fish_prompt
        functions -e _venvman_prompt
    end
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
    if test "$argv[1]" != nondestructive; functions -e deactivate; end
end
if set -q VIRTUAL_ENV; deactivate nondestructive; end
set -gx VIRTUAL_ENV {root}
set -gx VIRTUAL_ENV_PROMPT {prompt}
set -gx PATH $VIRTUAL_ENV/bin $PATH
if set -q PYTHONHOME
    set -g _OLD_VIRTUAL_PYTHONHOME $PYTHONHOME
    set -e PYTHONHOME
end
if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"; and functions -q fish_prompt
    functions -c fish_prompt _venvman_prompt
    function fish_prompt
        set -l _venvman_status $status
        printf '(%s) ' $VIRTUAL_ENV_PROMPT
        # So that the prompt that was there before sees how the last command ended.
        function _venvman_ended; return $argv[1]; end
        _venvman_ended $_venvman_status
        _venvman_prompt
    end
end
"""

_FISH_LEAVE = """\
if functions -q deactivate
    deactivate
else
    set -gx PATH (string match -v -- $VIRTUAL_ENV/bin $PATH)
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
end
"""

_POWERSHELL_ENTER = """\
if (Test-Path function:deactivate) {{ deactivate }}
function global:deactivate {{
    $bin = Join-Path $Env:VIRTUAL_ENV {scripts}
    $sep = [IO.Path]::PathSeparator
    $folders = $Env:PATH -split [regex]::Escape($sep)
    $Env:PATH = ($folders | Where-Object {{ $_ -cne $bin }}) -join $sep
    if (Test-Path function:_venvman_prompt) {{
        Copy-Item function:_venvman_prompt function:global:prompt
        Remove-Item function:_venvman_prompt
    }}
    Remove-Item Env:VIRTUAL_ENV, Env:VIRTUAL_ENV_PROMPT -ErrorAction SilentlyContinue
    Remove-Item function:deactivate -ErrorAction SilentlyContinue
}}
$Env:VIRTUAL_ENV = {root}
$Env:VIRTUAL_ENV_PROMPT = {prompt}
$Env:PATH = (Join-Path $Env:VIRTUAL_ENV {scripts}) + [IO.Path]::PathSeparator + $Env:PATH
Remove-Item Env:PYTHONHOME -ErrorAction SilentlyContinue
if (-not $Env:VIRTUAL_ENV_DISABLE_PROMPT) {{
    Copy-Item function:prompt function:global:_venvman_prompt
    function global:prompt {{ Write-Host -NoNewline "($Env:VIRTUAL_ENV_PROMPT) "; _venvman_prompt }}
}}
"""

_NUSHELL_ENTER = """\
def --env deactivate [] {{
    if VIRTUAL_ENV in $env {{
        let bin = $env.VIRTUAL_ENV | path join {scripts}
        $env.PATH = $env.PATH | where $it != $bin
    }}
    if VENVMAN_PROMPT in $env {{ $env.PROMPT_COMMAND = $env.VENVMAN_PROMPT }}
    hide-env --ignore-errors VIRTUAL_ENV VIRTUAL_ENV_PROMPT VENVMAN_PROMPT
}}
deactivate
$env.VIRTUAL_ENV = {root}
$env.VIRTUAL_ENV_PROMPT = {prompt}
$env.PATH = $env.PATH | prepend ($env.VIRTUAL_ENV | path join {scripts})
if ($env.VIRTUAL_ENV_DISABLE_PROMPT? | is-empty) {{
    $env.VENVMAN_PROMPT = $env.PROMPT_COMMAND? | default {{|| $env.PWD }}
    $env.PROMPT_COMMAND = {{||
        let before = $env.VENVMAN_PROMPT
        let shown = if ($before | describe) == closure {{ do $before }} else {{ $before }}
        $"\\(($env.VIRTUAL_ENV_PROMPT)\\) ($shown)"
    }}
}}
"""

# Evaluated at each prompt; asks the program only where the folder has changed.
_POSIX_HOOK = """\
_venvman_hook() {{
    _venvman_status=$?
    if [ "${{_venvman_folder:-}}" != "$PWD" ]; then
        _venvman_folder=$PWD
        eval "$({program} shell-hook {shell} --here)"
    fi
    return $_venvman_status
}}
"""
_HOOKS = {
    "bash": _POSIX_HOOK
    + """\
case ";${{PROMPT_COMMAND[*]:-}};" in
    *_venvman_hook*) ;;
    *) PROMPT_COMMAND="_venvman_hook${{PROMPT_COMMAND:+; $PROMPT_COMMAND}}" ;;
esac
""",
    "zsh": _POSIX_HOOK
    + """\
autoload -Uz add-zsh-hook
add-zsh-hook precmd _venvman_hook
add-zsh-hook chpwd _venvman_hook
""",
    "fish": """\
function _venvman_hook --on-variable PWD --on-event fish_prompt
    if test "$_venvman_folder" != "$PWD"
        set -g _venvman_folder $PWD
        {program} shell-hook fish --here | source
    end
end
""",
    "direnv": """\
layout_venvman() {{
    eval "$({program} activate --shell sh)" || return
    watch_file "$VIRTUAL_ENV/pyvenv.cfg"
}}
""",
}

# The same for everybody: what differs comes in a variable, which it takes away.
_BASH_STARTUP = """\
if [ -f ~/.bashrc ]; then . ~/.bashrc; fi
eval "$VENVMAN_ACTIVATE"
unset VENVMAN_ACTIVATE
"""
# zsh reads what lies in ZDOTDIR: the user's own files are read from where they are, and may change
# it; the last of these gives it back.
_ZSH_STARTUP = """\
_venvman_startup=$ZDOTDIR
if [[ -n $VENVMAN_ZDOTDIR ]]; then ZDOTDIR=$VENVMAN_ZDOTDIR; else unset ZDOTDIR; fi
if [[ -f ${{ZDOTDIR:-$HOME}}/{name} ]]; then . ${{ZDOTDIR:-$HOME}}/{name}; fi
"""
_ZSH_BEFORE = """\
export VENVMAN_ZDOTDIR=${ZDOTDIR:-}
export ZDOTDIR=$_venvman_startup
"""
_ZSH_LAST = """\
if [[ ${HISTFILE:-} == $_venvman_startup/* ]]; then HISTFILE=${ZDOTDIR:-$HOME}/.zsh_history; fi
eval "$VENVMAN_ACTIVATE"
unset VENVMAN_ACTIVATE VENVMAN_ZDOTDIR _venvman_startup
"""

_NAMES = {
    **{name: name for name in ("bash", "zsh", "fish", "sh")},
    **dict.fromkeys(("dash", "ash", "ksh", "mksh"), "sh"),
    **dict.fromkeys(("pwsh", "powershell"), "powershell"),
    "nu": "nushell",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """Arguments and variables that make a shell activate; all else stays as it is."""

    arguments: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


def shell_of(variables: Mapping[str, str]) -> str:
    """The user's shell: what ``SHELL`` names, else the platform's own."""
    return variables.get("SHELL") or "/bin/sh"


def kind_of(shell: str) -> str | None:
    """What the program ``shell`` evaluates: a name that :func:`activation` knows, else None."""
    return _NAMES.get(Path(shell).name.removesuffix(".exe"))


def activation(kind: str, root: Path, scripts: Path) -> str:
    """What a shell evaluates to activate the environment ``root``, until ``deactivate``."""
    # Without what a shell might expand where it shows a prompt: `$(...)`, `%n`.
    prompt = "".join(each if each.isalnum() or each in "._-+ " else "_" for each in root.name)
    match kind:
        case "fish":
            return _FISH_ENTER.format(root=_in_fish(str(root)), prompt=_in_fish(prompt))
        case "powershell" | "nushell":
            text, quote = (
                (_NUSHELL_ENTER, _in_nushell)
                if kind == "nushell"
                else (_POWERSHELL_ENTER, _in_powershell)
            )
            words = {"root": str(root), "prompt": prompt, "scripts": scripts.name}
            return text.format_map({name: quote(word) for name, word in words.items()})
        case _:
            leave = _POSIX_LEAVE.replace("\n", "\n        ").rstrip()
            return _POSIX_ENTER.format(
                leave=f"        {leave}", root=shlex.quote(str(root)), prompt=shlex.quote(prompt)
            )


def hook(kind: str, program: Sequence[str]) -> str:
    """What a startup file evaluates so that a change of folder asks ``program`` (its words).

    ``direnv`` is no shell: for it this is a ``layout`` for its ``direnvrc``.
    """
    quote = _in_fish if kind == "fish" else shlex.quote
    return _HOOKS[kind].format(program=" ".join(map(quote, program)), shell=kind)


def moved(kind: str, variables: Mapping[str, str], target: str | None) -> str:
    """What the hook evaluates in a folder whose environment is ``target``; mostly nothing.

    An environment that somebody has activated, or left, by hand is left so.
    """
    active, hooked = variables.get("VIRTUAL_ENV"), variables.get(HOOKED)
    if (target or "") == (hooked or "") or (active and active != hooked):
        return ""
    if target is not None:
        noted = "set -gx {} $VIRTUAL_ENV\n" if kind == "fish" else 'export {}="$VIRTUAL_ENV"\n'
        return activation(kind, Path(target), Path(target, "bin")) + noted.format(HOOKED)
    forget = f"set -e {HOOKED}\n" if kind == "fish" else f"unset {HOOKED}\n"
    if not active:
        return forget
    leave = _FISH_LEAVE if kind == "fish" else _POSIX_LEAVE_BY_NAME
    return leave + forget


_POSIX_LEAVE_BY_NAME = f"""\
case "$(command -v deactivate)" in
    deactivate) deactivate ;;
    *)
{_POSIX_LEAVE}
    ;;
esac
"""


def activating(
    shell: str, text: str, *, startup: Path, variables: Mapping[str, str]
) -> Activation | None:
    """How an interactive ``shell`` is started so that it evaluates ``text`` of :func:`activation`.

    The user's own startup files come first, so that nothing they do to ``PATH`` comes in front.
    ``startup`` is a folder for files that the shell is given to read; it is made if need be.
    None for a shell that has no such way, or where the folder cannot be written.
    """
    given = {"VENVMAN_ACTIVATE": text}
    try:
        match kind_of(shell):
            case "bash":
                file = _written(startup / "bashrc", _BASH_STARTUP)
                return Activation(arguments=("--rcfile", str(file), "-i"), variables=given)
            case "zsh":
                for name in (".zshenv", ".zshrc"):
                    last = _ZSH_LAST if name == ".zshrc" else _ZSH_BEFORE
                    _written(startup / "zsh" / name, _ZSH_STARTUP.format(name=name) + last)
                own = {"VENVMAN_ZDOTDIR": variables.get("ZDOTDIR", "")}
                folder = {"ZDOTDIR": str(startup / "zsh")}
                return Activation(arguments=("-i",), variables={**given, **own, **folder})
            case "fish":
                return Activation(arguments=("-i", "-C", text))
            case "powershell":
                return Activation(arguments=("-NoExit", "-Command", text))
            case "nushell":
                return Activation(arguments=("-e", text))
            case _:
                return None
    except OSError:
        return None


def _in_fish(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _in_powershell(text: str) -> str:
    # PowerShell takes typographic quotes for quotes, too.
    for quote in "'\u2018\u2019\u201a\u201b":
        text = text.replace(quote, quote * 2)
    return f"'{text}'"


def _in_nushell(text: str) -> str:
    plain = "/._-+ "
    shown = (each if each.isalnum() or each in plain else f"\\u{{{ord(each):x}}}" for each in text)
    return f'"{"".join(shown)}"'


def _written(path: Path, text: str) -> Path:
    content = text.encode()
    if not path.is_file() or path.read_bytes() != content:
        make_private_folder(path.parent)
        write_atomically(path, content)
    return path
