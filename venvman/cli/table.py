"""Every command, once: its name, what it takes, and which function does it.

What reads a command line (:mod:`venvman.cli.read`), typer (:mod:`venvman.cli.typed`), completion,
the page ``docs/reference/cli.md``, the remembered answers (:mod:`venvman.system.memo`) and the
functions in :mod:`venvman.cli.commands` are served from this table. A class says what a command
takes: its attributes are the options, those of its bases too. The command's function is given an
instance, which has the values of one line, of the types that are declared here.

Read before anything else is: it imports nothing but :mod:`venvman.cli.declare`.
"""

from __future__ import annotations

from venvman.cli.declare import (
    EVERY,
    EVERYWHERE,
    Argument,
    Effect,
    Option,
    choice,
    count,
    declared,
    flag,
    folder,
    number,
    one_of,
    rest,
    switch,
    text,
    usual,
    words,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


_GROUPS = "Groups"


class Common:
    """What every command takes, and the values of one line: those that it does not give, too."""

    project = folder(
        "Work on the project in DIR; otherwise it is found by walking upwards.",
        Effect.SHOWS,  # which project it is stands in the question by itself
    )
    format = choice(
        "Print the result as text, or as one JSON document.",
        *("text", "json"),
        default="text",
        effect=Effect.SHOWS,
        panel=EVERYWHERE,
    )
    quiet = flag(
        "Say nothing but findings and errors.", "-q", effect=Effect.SHOWS, panel=EVERYWHERE
    )
    verbose = flag(
        "Show whole lists, details of the work, and tracebacks.",
        "-v",
        effect=Effect.SHOWS,
        panel=EVERYWHERE,
    )
    color = choice(
        "When to use colour.",
        *("auto", "always", "never"),
        default="auto",
        effect=Effect.SHOWS,
        panel=EVERYWHERE,
    )
    cache_dir = folder("Keep downloads and unpacked wheels in DIR.")
    offline = flag("Ask no network: what is not in the cache is an error.", panel=EVERYWHERE)

    def __init__(self, **values: object) -> None:
        vars(self).update({each.name: each.default for each in declared(type(self))} | values)


# What several commands take.
_CHECK = flag("Change nothing; exit with 1 if there is anything to do.", effect=Effect.LOOKS)
_DRY_RUN = flag("Show what would be done, change nothing, exit with 0.", effect=Effect.LOOKS)
_YES = flag("Answer every question with yes.", "-y")
_PYTHON = text("The interpreter to use, such as 3.12 or a path.", metavar="VERSION|PATH")
_ALL_PROJECTS = flag(
    "Every project of the workspace, not only the one found here.",
    "--all",
    effect=Effect.SHOWS,  # of each project the question is the same
)
_ONLY_GROUP = words("This group and no other; may be repeated.", metavar="GROUP", panel=_GROUPS)
_ADVISORIES = text(
    "With --audit: another service than OSV's, or a copy of its database.", metavar="URL|PATH"
)
_FINDINGS_FORMAT = choice(
    "Print the findings as text, one JSON document, SARIF 2.1.0, workflow commands of GitHub, "
    "a code quality report of GitLab, JUnit's XML, Markdown or a page of HTML with all packages.",
    *("text", "json", "sarif", "github", "gitlab", "junit", "markdown", "html"),
    default="text",
    effect=Effect.SHOWS,
    panel=EVERYWHERE,
)


class Workspace(Common):
    """Which projects."""

    all_projects = _ALL_PROJECTS
    changed_since = text(
        "Those of all projects in which a file differs from the git revision REV.",
        metavar="REV",
        effect=Effect.ACTS,
    )


class Groups(Common):
    """Which groups."""

    group = words("Also this group; may be repeated.", "-g", metavar="GROUP", panel=_GROUPS)
    only_group = _ONLY_GROUP
    all_groups = flag("Every group there is.", panel=_GROUPS)
    no_dev = flag("Without the group dev.", panel=_GROUPS)
    no_group = words("Without this group; may be repeated.", metavar="GROUP", panel=_GROUPS)
    default_groups = flag("The usual groups again, whatever `sync` was told before.", panel=_GROUPS)


class Locks(Common):
    """What to do about a stale lock."""

    locked = switch(
        "Exit with 1 on a stale lock instead of freezing (the default where CI is set).",
        *("--locked", "--no-locked"),
    )
    frozen = flag("Use the lock as it is, without judging it.")


class Resolving(Common):
    """Among what versions are found."""

    constraint = words(
        "Keep within the constraints in FILE, as if a -c line named it; may be repeated.",
        "-c",
        metavar="FILE",
        effect=Effect.ACTS,
    )
    index_url = text(
        "Ask this index, in place of the one that pip is configured to ask.",
        metavar="URL",
        effect=Effect.ACTS,
        variable="PIP_INDEX_URL",
    )
    no_binary = words(
        "Build this package from source (:all: for every one); may be repeated.",
        metavar="NAME",
        effect=Effect.ACTS,
        variable="PIP_NO_BINARY",
    )
    exclude_newer = text(
        "Choose among files that are older: a date, a time or an age (3 days).",
        metavar="DATE",
        effect=Effect.ACTS,
    )
    python = _PYTHON


class Sync(Groups, Locks, Resolving, Workspace):
    dry_run = _DRY_RUN
    check = _CHECK
    inexact = flag("Leave packages that the lock does not name.")
    recreate = flag("Make the environment again from nothing.", effect=Effect.ACTS)
    reinstall = words(
        "Install this package again though it is there (without a name all); may be repeated.",
        metavar="[NAME]",
        effect=Effect.ACTS,
        bare=EVERY,
    )
    upgrade = flag("Move every pin as far as it may go first.", "-U", effect=Effect.ACTS)
    upgrade_package = words(
        "Move only this package's pin first; may be repeated.",
        "-P",
        metavar="NAME",
        effect=Effect.ACTS,
    )
    compile_bytecode = switch(
        "Compile the installed modules to bytecode.", "--compile", "--no-compile"
    )
    link = text(
        "How files get from the cache into the environment.",
        choices=("auto", "reflink", "hardlink", "copy"),
    )
    no_project = flag("Install what pyproject.toml depends on, and not the project itself.")
    yes = _YES
    no_wait = flag(
        "Stop at once if another command is changing the environment.", effect=Effect.LOOKS
    )


class Freeze(Groups, Resolving, Workspace):
    upgrade = flag("Move every pin as far as it may go.", "-U", effect=Effect.ACTS)
    upgrade_package = words(
        "Move only this package's pin; may be repeated.", "-P", metavar="NAME", effect=Effect.ACTS
    )
    check = _CHECK
    dry_run = _DRY_RUN
    installed = flag("Pin what ./venv holds now.", effect=Effect.ACTS)
    hashes = switch(
        "Write a hash for every file (the default for a new lock).",
        *("--hashes", "--no-hashes"),
        effect=Effect.ACTS,
    )
    engine = text("Who finds the versions.", metavar="ENGINE")
    target = words(
        "Freeze for this system (linux, macos:3.12, windows:3.10-3.13); may be repeated.",
        metavar="SPEC",
        effect=Effect.ACTS,
    )
    python_version = words(
        "Of targets that name no Python (3.12, 3.10-3.13); may be repeated.",
        metavar="VERSIONS",
        effect=Effect.ACTS,
    )
    universal = flag("The same as --target linux, macos and windows.", effect=Effect.ACTS)
    yes = _YES


class Status(Groups, Workspace):
    porcelain = flag("One line for prompts and scripts.")
    python = _PYTHON


class Doctor(Groups, Workspace):
    select = words("Only findings whose code begins so; may be repeated.", metavar="CODE")
    ignore = words("No findings whose code begins so; may be repeated.", metavar="CODE")
    verify = flag("Compare the contents of every installed file, too.", effect=Effect.ACTS)
    deep = flag(
        "As --verify, and read again what has not changed since it was right.", effect=Effect.ACTS
    )
    fail_on = choice(
        "Exit with 1 on findings of this severity or a worse one.",
        *("error", "warning", "note"),
        default="warning",
        metavar="SEVERITY",
    )
    fix = flag(
        "Do what needs no decision, then look again; ask before anything is removed.",
        effect=Effect.ACTS,
    )
    audit = flag(
        "Ask what is known to be vulnerable, and which pins were yanked.", effect=Effect.ACTS
    )
    advisories = _ADVISORIES
    format = _FINDINGS_FORMAT
    freeze = flag("With --fix: freeze, too, where the lock is at fault.")
    dry_run = _DRY_RUN
    yes = _YES
    exit_zero = flag("Exit with 0 whatever is found.")
    list_codes = flag("List every code there is, and look at nothing.", "--list")
    explain = words(
        "Say what a code means, why it matters and what fixes it; may be repeated.", metavar="CODE"
    )


class Audit(Workspace):
    advisories = _ADVISORIES
    format = _FINDINGS_FORMAT


class Scan(Common):
    all_projects = _ALL_PROJECTS


class Edit(Common):
    """What `add` and `remove` have in common."""

    group = text("The group whose file to edit.", "-g", metavar="GROUP")
    dev = flag("The same as --group dev.")
    sync = usual("Sync the environment afterwards, or only freeze.", "--sync", "--no-sync")
    frozen = flag("Edit the file and leave lock and environment alone.")
    dry_run = _DRY_RUN
    yes = _YES
    python = _PYTHON


class Add(Edit, Resolving):
    requirements = rest("Names with specifiers ('flask>=3'), URLs, folders.", "[REQUIREMENT]...")
    editable = words(
        "A folder or repository to install editable; may be repeated.", "-e", metavar="PATH|URL"
    )


class Remove(Edit):
    names = rest("The packages to ask for no more.", "NAME...")


class Upgrade(Resolving, Workspace):
    names = rest("Only these packages' pins.", "[NAME]...")
    sync = usual("Sync the environment afterwards, or only freeze.", "--sync", "--no-sync")
    dry_run = _DRY_RUN
    yes = _YES


class Outdated(Workspace):
    names = rest("Only these packages.", "[NAME]...")
    check = flag("Exit with 1 if the requirements let anything move.")


class Why(Common):
    names = rest("The packages to explain.", "NAME...")
    only_group = _ONLY_GROUP
    format = choice(
        "Print the graph as text, one JSON document, a Mermaid flowchart or Graphviz DOT.",
        *("text", "json", "mermaid", "dot"),
        default="text",
        effect=Effect.SHOWS,
        panel=EVERYWHERE,
    )


class Tree(Why):
    names = rest("Only these packages' trees.", "[NAME]...")
    invert = flag("Show what needs each package, up to the lines.")
    depth = number("Only so many levels of packages.", minimum=1, metavar="N")


class Diff(Common):
    sides = rest(
        "Locks or git revisions (also A..B). One alone is compared with the work tree; without any "
        "it is the last commit.",
        "[A] [B]",
    )
    env = flag("Compare what is installed with the locks.")
    check = flag("Exit with 1 if anything differs.")


class Export(Groups):
    format = choice(
        "What to write; json: the text of requirements in one JSON document.",
        *("requirements", "pylock", "constraints", "json"),
        default="requirements",
    )
    output = text("Write FILE, not to stdout.", "-o", metavar="FILE", effect=Effect.ACTS)
    no_hashes = flag("Requirements without hashes.")
    yes = _YES


class Adopt(Common):
    named = rest("The file (or environment) to take over; otherwise what is found here.", "[FILE]")
    yes = _YES
    python = _PYTHON


class Rollback(Common):
    number = count(
        "How many states back, as `venvman history` counts them.", "[N]", default=1, minimum=0
    )
    with_lock = flag("Put the state's locks back into the project, too.")
    dry_run = _DRY_RUN
    yes = _YES


class Shell(Groups, Locks):
    sync = flag("Sync first, as `venvman sync` with these options would.", effect=Effect.ACTS)
    yes = _YES


class Run(Shell, Workspace):
    command = rest("A program and its arguments; all that follows is its own.", "COMMAND...")


class Activate(Common):
    shell = text(
        "The shell to print it for; otherwise the user's own.",
        choices=("bash", "zsh", "fish", "sh", "powershell", "nushell"),
    )


class ShellHook(Common):
    shell = one_of(
        "The shell whose startup file evaluates it; for direnv a layout.",
        *("bash", "zsh", "fish", "direnv"),
    )
    here = flag("What to evaluate in this folder; the hook itself asks this after each `cd`.")


class HooksInstall(Common):
    sync = flag("Repair drift after checkout, merge and rebase.")


class HooksRun(Common):
    name = one_of(
        "The hook that git runs.", "post-checkout", "post-merge", "post-rewrite", "pre-commit"
    )
    mode = text(
        "What to do about drift; otherwise what each project was installed with.",
        choices=("report", "sync"),
    )
    inside = words(
        "A project, seen from the work tree; otherwise those that were installed, or all.",
        "--in",
        metavar="DIR",
    )
    refuse = flag("Tell a refusal by an exit code that nothing else has.")


class CachePrune(Common):
    older_than = text(
        "Remove unused wheels and all other things of this age, such as 30d.", metavar="AGE"
    )
    max_size = text(
        "Then remove the oldest things until the cache is no larger, such as 5GiB.", metavar="SIZE"
    )


class CacheClean(Common):
    attic = flag("Empty this project's attic instead; the cache stays.")


class Command:
    """``name`` as it is typed, ``function`` is ``module:function`` in :mod:`venvman.cli.commands`.

    ``help`` is its first line in the help. ``passing``: all after the first word is another
    program's. ``hidden`` from the help: for other programs. ``examples`` are command lines with
    what each is for. ``remembered``: the same answer is given as long as nothing has changed of
    what it looks at (a :class:`venvman.workflow.watching.Reach`), or ``own``: of what its function
    says that it rests on.
    """

    __slots__ = (
        *("examples", "function", "help", "hidden"),
        *("name", "passing", "remembered", "takes"),
    )

    def __init__(
        self,
        name: str,
        function: str,
        help: str,  # noqa: A002 - the word that everyone looks for
        takes: type[Common] = Common,
        *,
        passing: bool = False,
        hidden: bool = False,
        remembered: str | None = None,
        examples: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.name = name
        self.function = function
        self.help = help
        self.takes = takes
        self.passing = passing
        self.hidden = hidden
        self.remembered = remembered
        self.examples = examples

    @property
    def options(self) -> tuple[Option, ...]:
        """Its own, and then those that it has in common with others."""
        return tuple(each for each in declared(self.takes) if isinstance(each, Option))

    @property
    def argument(self) -> Argument | None:
        """The words that are no options, if it takes any."""
        return next((each for each in declared(self.takes) if isinstance(each, Argument)), None)

    def defaults(self) -> dict[str, object]:
        """The value of each option that a command line does not give."""
        return vars(self.takes())


_TABLE = (
    Command(
        *("sync", "changes:sync"),
        "Freeze the requirements if the lock is missing or stale, then make ./venv equal to it.",
        Sync,
        remembered="own",
        examples=(
            ("venvman sync", "what the files ask for, no more and no less"),
            ("venvman sync --check", "in CI: exit with 1 if anything is to be done"),
            ("venvman sync --group docs", "also the group of requirements-docs.in"),
        ),
    ),
    Command(
        *("freeze", "changes:freeze"),
        "Write the lock: every package pinned and hashed, with the reason it is there.",
        Freeze,
        remembered="own",
        examples=(
            ("venvman freeze", "missing and stale locks, keeping every pin that may stay"),
            ("venvman freeze -P django", "also move the pin of django"),
            ("venvman freeze --check", "exit with 1 if a lock is stale"),
        ),
    ),
    Command(
        *("status", "looks:status"),
        "Show requirements, lock, environment and drift on one screen; exit with 1 on drift.",
        Status,
        remembered="environment",
    ),
    Command(
        *("doctor", "doctor:doctor"),
        "Find what has drifted, and name the command that fixes it; exit with 1 on findings.",
        Doctor,
        remembered="installed",
        examples=(
            ("venvman doctor --verify", "also every installed file's content"),
            ("venvman doctor --select VM3", "only what concerns locks"),
            ("venvman doctor --fix", "and fix what needs no decision"),
            ("venvman doctor --explain VM411", "what it means, why it matters, what fixes it"),
        ),
    ),
    Command(
        *("audit", "doctor:audit"),
        "Show known vulnerabilities and yanked pins: `doctor --audit`, and nothing else.",
        Audit,
        examples=(
            ("venvman audit", "what is known to be vulnerable, and which pins were yanked"),
            ("venvman audit --advisories osv.zip --offline", "by a copy of the database"),
        ),
    ),
    Command(
        *("scan", "looks:scan"),
        "Show the projects and requirements files found here, and how each was understood.",
        Scan,
        remembered="files",
    ),
    Command(
        *("add", "changes:add"),
        "Put requirements into the requirements file, keeping its comments and order; then sync.",
        Add,
        examples=(
            ("venvman add httpx", "into the requirements file, then freeze and sync"),
            ("venvman add --dev pytest", "into the group dev"),
        ),
    ),
    Command(
        *("adopt", "changes:adopt"),
        "Write requirements files and locks from what pip freeze, Pipenv, Poetry, uv, PDM or conda "
        "left here.",
        Adopt,
        examples=(
            ("venvman adopt", "show what would be written"),
            ("venvman adopt --yes", "and write it, with the versions that are there"),
            ("venvman adopt freeze.txt", "from one file"),
        ),
    ),
    Command(
        *("remove", "changes:remove"),
        "Take requirements out of the requirements files, and what only they needed; then sync.",
        Remove,
    ),
    Command(
        *("upgrade", "changes:upgrade"),
        "Move pins as far forward as the requirements allow, then sync.",
        Upgrade,
        examples=(
            ("venvman upgrade", "every pin"),
            ("venvman upgrade flask", "flask, and what it needs moved"),
        ),
    ),
    Command(
        *("outdated", "looks:outdated"),
        "Show what could move forward, and which requirement holds it back.",
        Outdated,
        remembered="environment",
    ),
    Command(
        *("tree", "looks:tree"),
        "Show the locked packages as a tree: what each requirement brings.",
        Tree,
        remembered="environment",
    ),
    Command(
        *("why", "looks:why"),
        "Show why a package is locked: every chain of requirements that brings it.",
        Why,
        remembered="environment",
        examples=(("venvman why urllib3", "every chain of requirements that brings it"),),
    ),
    Command(
        *("diff", "looks:diff"),
        "Show which pins were added, removed or changed between two states of the locks.",
        Diff,
        remembered="environment",
        examples=(("venvman diff main", "what changed in the locks since main"),),
    ),
    Command(
        *("export", "looks:export"),
        "Print the locks as requirements, as pylock.toml (PEP 751) or as constraints.",
        Export,
        examples=(
            ("venvman export --no-dev -o deploy.txt", "what pip install -r takes"),
            ("venvman export --format pylock", "for everything that reads PEP 751"),
            ("venvman export --format constraints", "limits for other projects"),
        ),
    ),
    Command(
        *("history", "looks:history"),
        "List the states of ./venv that it can be taken back to, the newest first.",
        remembered="environment",
    ),
    Command(
        *("rollback", "changes:rollback"),
        "Make ./venv what it was before the last sync, or N states ago.",
        Rollback,
    ),
    Command(
        *("run", "shells:run"),
        "Run a command inside the environment; its exit code is passed on.",
        Run,
        passing=True,
        remembered="own",
        examples=(("venvman run pytest -x", "without activating anything"),),
    ),
    Command(
        *("shell", "shells:shell"),
        "Start the user's shell with the environment activated; `exit` leaves it.",
        Shell,
    ),
    Command(
        *("activate", "shells:activate"),
        'Print what activates the environment: eval "$(venvman activate)".',
        Activate,
        examples=(("venvman activate --shell fish", "to be piped into `source`"),),
    ),
    Command(
        *("shell-hook", "shells:shell_hook"),
        "Print what a startup file evaluates to activate environments on `cd`.",
        ShellHook,
        remembered="own",
    ),
    Command("clean", "changes:clean", "Remove the environment, and nothing that is not one."),
    Command(
        *("hooks install", "hooks:hooks_install"),
        "Install git hooks that report drift; those that are here are kept and called first.",
        HooksInstall,
    ),
    Command(
        *("hooks uninstall", "hooks:hooks_uninstall"),
        "Remove venvman's git hooks and put back those that were here before.",
    ),
    Command(
        *("hooks status", "hooks:hooks_status"),
        "Show which git hooks are installed, and what they do.",
        remembered="own",
    ),
    Command(
        *("hooks run", "hooks:hooks_run"),
        "Do what a git hook does; the installed hooks call this.",
        HooksRun,
        hidden=True,
    ),
    Command("cache dir", "cache:cache_dir", "Show where the cache is."),
    Command(
        *("cache key", "cache:cache_key"),
        "Print a key to keep the cache by in CI: another one as soon as a lock changes.",
        Scan,
    ),
    Command(
        *("cache size", "cache:cache_size"),
        "Show how much the cache holds, by kind, and what this project's attic keeps.",
    ),
    Command(
        *("cache prune", "cache:cache_prune"),
        "Remove wheels that no environment links to, and what is 30 days old.",
        CachePrune,
    ),
    Command(
        *("cache verify", "cache:cache_verify"),
        "Compare every unpacked wheel with its hashes; discard damaged ones and exit with 1.",
    ),
    Command(
        *("cache clean", "cache:cache_clean"),
        "Remove everything in the cache; environments keep their files.",
        CacheClean,
    ),
    Command(
        *("self report", "looks:self_report"),
        "Show versions, paths, interpreters and settings with their sources, and no secret.",
    ),
)

COMMON = tuple(each for each in declared(Common) if isinstance(each, Option))
"""What every command takes."""

COMMANDS: Mapping[str, Command] = {command.name: command for command in _TABLE}
"""By name, in the order of the help."""

FAMILIES: Mapping[str, str] = {
    "hooks": "Git hooks that report, or repair, drift.",
    "cache": "The machine-wide cache of downloads and unpacked wheels.",
    "self": "venvman itself, for whoever reports a defect.",
}
"""First words that several commands share, with what the help says of them."""

ALIASES: Mapping[str, str] = {"lock": "freeze", "init": "adopt"}
"""Other names of commands; the help does not list them."""

TASKS: Mapping[str, tuple[str, ...]] = {
    "Every day": ("sync", "status", "doctor", "freeze"),
    "Requirements": ("add", "remove", "upgrade", "outdated", "adopt"),
    "Understand": ("scan", "tree", "why", "diff", "history", "audit", "export"),
    "The environment": ("run", "shell", "activate", "rollback", "clean"),
    "Around it": ("hooks", "shell-hook", "cache", "self"),
}
"""The commands and families as the help lists them."""


def find(words: list[str]) -> tuple[Command, list[str]] | None:
    """The command that ``words`` begin with, and the words after its name."""
    first = ALIASES.get(words[0], words[0]) if words else ""
    command = COMMANDS.get(first)
    if command is not None:
        return command, words[1:]
    command = COMMANDS.get(f"{first} {words[1]}") if len(words) > 1 else None
    return None if command is None else (command, words[2:])
