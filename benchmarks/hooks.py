"""What hooks cost a ``git checkout`` that changes nothing venvman reads: ours beside others.

    python -m benchmarks.hooks [--runs 60] [--folder DIR] [--results FILE]

The bar is an empty hook that starts git twice. pre-commit and prek, each with one hook that runs
``true``, are taken from PATH where they are there. Needs no index.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.alternate import Command, alternate, machine, neutral_environment, options_of, tell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    env = neutral_environment(PRE_COMMIT_HOME=str(folder / "home"), PREK_HOME=str(folder / "home"))
    venvman = Path(sys.executable).with_name("venvman")
    commands = [
        checkout("venvman", folder, env, install=(str(venvman), "hooks", "install")),
        checkout("an empty hook and git --version twice", folder, env, hook=BAR),
        checkout("an empty hook", folder, env, hook="#!/bin/sh\n"),
        checkout("no hook", folder, env),
    ]
    for manager in ("pre-commit", "prek"):
        if (found := shutil.which(manager)) is not None:
            install = (found, "install", "-t", "post-checkout")
            commands.append(checkout(manager, folder, env, install=install))
    compared = alternate("git checkout, nothing changed", commands, runs=options.runs, warmup=2)
    lines = ["# hooks, a checkout that changes no requirements", "", machine(), "", str(compared)]
    tell(lines, options.results)
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
    root = folder / label.replace(" ", "-")
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
