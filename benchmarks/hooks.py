"""What hooks cost a ``git checkout`` that changes nothing venvman reads: ours beside others.

    python -m benchmarks.hooks [--runs 60] [--folder DIR] [--results FILE]

The bar is an empty hook that starts git twice. pre-commit and prek have one hook each, which runs
``true``. Needs the package index.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.alternate import (
    Command,
    alternate,
    neutral_environment,
    options_of,
    write_results,
)
from benchmarks.peers import install_tool, install_venvman, versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

BAR = "#!/bin/sh\ngit --version >/dev/null\ngit --version >/dev/null\n"
CONFIG = """\
repos:
  - repo: local
    hooks:
      - {id: nothing, name: nothing, language: system, entry: "true", always_run: true,
         pass_filenames: false, stages: [post-checkout]}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options_of(__doc__, runs=60)
    options = parser.parse_args(arguments)
    folder = options.folder
    homes = ("HOME", "PRE_COMMIT_HOME", "PREK_HOME", "VENVMAN_CACHE_DIR", "VENVMAN_STATE_DIR")
    names = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")
    env = neutral_environment(
        **{name: str(folder / name.lower()) for name in homes},
        **dict.fromkeys(names, "bench@example.org"),
    )
    programs = [install_venvman(folder) / "venvman"]
    commands = [
        checkout("venvman", folder, env, install=(str(programs[0]), "hooks", "install")),
        checkout("an empty hook and git --version twice", folder, env, hook=BAR),
        checkout("an empty hook", folder, env, hook="#!/bin/sh\n"),
        checkout("no hook", folder, env),
    ]
    for manager in ("pre-commit", "prek"):
        programs.append(install_tool(folder, manager) / manager)
        install = (str(programs[-1]), "install", "-t", "post-checkout")
        commands.append(checkout(manager, folder, env, install=install))
    compared = alternate("git checkout, nothing changed", commands, runs=options.runs, warmup=2)
    heading = "hooks, a checkout that changes no requirements"
    write_results(options.results, heading, [compared], versions(*programs))
    return 0


def checkout(
    label: str,
    folder: Path,
    env: Mapping[str, str],
    *,
    hook: str = "",
    install: Sequence[str] = (),
) -> Command:
    """There and back between two branches that differ in another file, in a repository so made."""
    root = folder / "repositories" / label.replace(" ", "-")
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    (root / "requirements.in").write_text("flask\n")
    (root / ".pre-commit-config.yaml").write_text(CONFIG)

    def run(*words: str) -> None:
        subprocess.run(words, cwd=root, env=dict(env), check=True, stdout=subprocess.DEVNULL)

    run("git", "init", "-q", "-b", "main")
    run("git", "add", ".")
    run("git", "commit", "-qm", "first")
    run("git", "checkout", "-qb", "other")
    (root / "notes.md").write_text("n\n")
    run("git", "add", ".")
    run("git", "commit", "-qm", "other")
    if hook:
        path = root / ".git" / "hooks" / "post-checkout"
        path.parent.mkdir(exist_ok=True)
        path.write_text(hook)
        path.chmod(0o755)
    if install:
        run(*install)
    run("git", "checkout", "-q", "main")
    return Command(label=label, argv=("git", "checkout", "-q", "-"), cwd=root, env=env)


if __name__ == "__main__":
    sys.exit(main())
