"""Every command, once: its name, what it takes, and which function does it.

What reads a command line (:mod:`venvman.cli.read`), typer (:mod:`venvman.cli.typed`), completion,
the page ``docs/reference/cli.md`` and the remembered answers (:mod:`venvman.memo`) are made from
this table. A new option is a row here and a parameter of the same name of the command's function.

Read before anything else is: it imports nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ALIASES",
    "COMMANDS",
    "COMMON",
    "FAMILIES",
    "SAID_BY_VARIABLES",
    "TASKS",
    "Argument",
    "Command",
    "Effect",
    "Kind",
    "Option",
    "find",
]


class Kind:
    """What an option takes, and so the type of its value."""

    FLAG = "flag"
    """Nothing: ``bool``."""
    SWITCH = "switch"
    """Nothing; its second spelling says no: ``bool | None``, ``bool`` where it has a default."""
    TEXT = "text"
    """A word: ``str | None``; ``str`` where it has a default, or choices."""
    FOLDER = "folder"
    """A path: ``str | None``."""
    WORDS = "words"
    """A word each time it is given: ``tuple[str, ...]``."""
    NUMBER = "number"
    """A whole number: ``int | None``; ``int`` where it has a default."""


class Effect:
    """What an option means for an answer that is remembered."""

    CHOOSES = "chooses"
    """Another question: with other values the answer may be another one."""
    LOOKS = "looks"
    """The same question; nothing is to be changed (``--check``, ``--dry-run``)."""
    SHOWS = "shows"
    """The same answer, shown in another way (``--format``, ``--verbose``)."""
    ACTS = "acts"
    """Work is done whatever was found before (``--recreate``): never answered from memory."""


class Option:
    """``name`` is the parameter of the function; ``spellings`` are ``--long`` first.

    The second spelling of a SWITCH is the one that says no. ``panel`` is the heading in the help,
    ``minimum`` the least NUMBER. ``show_default`` is for defaults that explain something.
    """

    __slots__ = (
        *("choices", "default", "effect", "help", "kind", "metavar"),
        *("minimum", "name", "panel", "show_default", "spellings"),
    )

    def __init__(
        self,
        name: str,
        *spellings: str,
        help: str,  # noqa: A002 - the word that everyone looks for
        kind: str = Kind.FLAG,
        effect: str = Effect.CHOOSES,
        metavar: str | None = None,
        default: str | int | bool | None = None,
        choices: tuple[str, ...] = (),
        minimum: int | None = None,
        panel: str | None = None,
    ) -> None:
        self.name = name
        self.spellings = spellings
        self.help = help
        self.kind = kind
        self.effect = effect
        self.metavar = metavar
        self.show_default = default is not None
        self.default = _default(kind, default)
        self.choices = choices
        self.minimum = minimum
        self.panel = panel


class Argument:
    """The words that are no options: any number of them (WORDS), or one (TEXT, NUMBER)."""

    __slots__ = ("choices", "default", "help", "kind", "metavar", "minimum", "name", "required")

    def __init__(
        self,
        name: str,
        *,
        help: str,  # noqa: A002 - the word that everyone looks for
        metavar: str | None = None,
        kind: str = Kind.WORDS,
        default: int | None = None,
        choices: tuple[str, ...] = (),
        minimum: int | None = None,
        required: bool = False,
    ) -> None:
        self.name = name
        self.help = help
        self.metavar = metavar
        self.kind = kind
        self.default = _default(kind, default)
        self.choices = choices
        self.minimum = minimum
        self.required = required


class Command:
    """``name`` as it is typed, ``function`` is ``module:function`` in :mod:`venvman.cli.commands`.

    ``help`` is its first line in the help. ``options`` are its own and the common ones, except
    those that it has in a form of its own. ``passing``: all after the first word is another
    program's. ``hidden`` from the help: for other programs. ``examples`` are command lines with
    what each is for. ``remembered``: the same answer is given as long as nothing has changed.
    """

    __slots__ = (
        *("argument", "examples", "function", "help"),
        *("hidden", "name", "options", "passing", "remembered"),
    )

    def __init__(
        self,
        name: str,
        function: str,
        *options: Option,
        help: str,  # noqa: A002 - the word that everyone looks for
        argument: Argument | None = None,
        passing: bool = False,
        hidden: bool = False,
        remembered: bool = False,
        examples: tuple[tuple[str, str], ...] = (),
    ) -> None:
        own = {each.name for each in options}
        self.name = name
        self.function = function
        self.options = (*options, *(each for each in COMMON if each.name not in own))
        self.help = help
        self.argument = argument
        self.passing = passing
        self.hidden = hidden
        self.remembered = remembered
        self.examples = examples

    def defaults(self) -> dict[str, object]:
        """The value of each parameter that a command line does not give."""
        given: tuple[Option | Argument, ...] = self.options
        given += () if self.argument is None else (self.argument,)
        return {each.name: each.default for each in given}


def _default(kind: str, default: str | int | bool | None) -> object:
    if default is None:
        return {Kind.FLAG: False, Kind.WORDS: ()}.get(kind)
    return default


def find(words: list[str]) -> tuple[Command, list[str]] | None:
    """The command that ``words`` begin with, and the words after its name."""
    first = ALIASES.get(words[0], words[0]) if words else ""
    command = COMMANDS.get(first)
    if command is not None:
        return command, words[1:]
    command = COMMANDS.get(f"{first} {words[1]}") if len(words) > 1 else None
    return None if command is None else (command, words[2:])


_EVERYWHERE = "Options of every command"
_GROUPS = "Groups"

COMMON = (
    Option(
        "project",
        "--project",
        kind=Kind.FOLDER,
        effect=Effect.SHOWS,  # which project it is stands in the question by itself
        metavar="DIR",
        help="Work on the project in DIR; otherwise it is found by walking upwards.",
        panel=_EVERYWHERE,
    ),
    Option(
        "format",
        "--format",
        kind=Kind.TEXT,
        effect=Effect.SHOWS,
        choices=("text", "json"),
        default="text",
        help="Print the result as text, or as one JSON document.",
        panel=_EVERYWHERE,
    ),
    Option(
        "quiet",
        "--quiet",
        "-q",
        effect=Effect.SHOWS,
        help="Say nothing but findings and errors.",
        panel=_EVERYWHERE,
    ),
    Option(
        "verbose",
        "--verbose",
        "-v",
        effect=Effect.SHOWS,
        help="Show whole lists, details of the work, and tracebacks.",
        panel=_EVERYWHERE,
    ),
    Option(
        "color",
        "--color",
        kind=Kind.TEXT,
        effect=Effect.SHOWS,
        choices=("auto", "always", "never"),
        default="auto",
        help="When to use colour.",
        panel=_EVERYWHERE,
    ),
    Option(
        "cache_dir",
        "--cache-dir",
        kind=Kind.FOLDER,
        metavar="DIR",
        help="Keep downloads and unpacked wheels in DIR.",
        panel=_EVERYWHERE,
    ),
    Option(
        "offline",
        "--offline",
        help="Ask no network: what is not in the cache is an error.",
        panel=_EVERYWHERE,
    ),
)
"""What every command takes."""

_ALL_PROJECTS = Option(
    "all_projects",
    "--all",
    effect=Effect.SHOWS,  # of each project the question is the same
    help="Every project of the workspace, not only the one found here.",
)
_WORKSPACE = (
    _ALL_PROJECTS,
    Option(
        "changed_since",
        "--changed-since",
        kind=Kind.TEXT,
        effect=Effect.ACTS,
        metavar="REV",
        help="Those of all projects in which a file differs from the git revision REV.",
    ),
)
_CHECK = Option(
    "check",
    "--check",
    effect=Effect.LOOKS,
    help="Change nothing; exit with 1 if there is anything to do.",
)
_DRY_RUN = Option(
    "dry_run",
    "--dry-run",
    effect=Effect.LOOKS,
    help="Show what would be done, change nothing, exit with 0.",
)
_YES = Option("yes", "--yes", "-y", help="Answer every question with yes.")
_PYTHON = Option(
    "python",
    "--python",
    kind=Kind.TEXT,
    metavar="VERSION|PATH",
    help="The interpreter to use, such as 3.12 or a path.",
)
_CONSTRAINT = Option(
    "constraint",
    "--constraint",
    "-c",
    kind=Kind.WORDS,
    effect=Effect.ACTS,
    metavar="FILE",
    help="Keep within the constraints in FILE, as if a -c line named it; may be repeated.",
)
_INDEXES = (
    Option(
        "index_url",
        "--index-url",
        kind=Kind.TEXT,
        effect=Effect.ACTS,
        metavar="URL",
        help="Ask this index, in place of the one that pip is configured to ask.",
    ),
    Option(
        "no_binary",
        "--no-binary",
        kind=Kind.WORDS,
        effect=Effect.ACTS,
        metavar="NAME",
        help="Build this package from source (:all: for every one); may be repeated.",
    ),
    Option(
        "exclude_newer",
        "--exclude-newer",
        kind=Kind.TEXT,
        effect=Effect.ACTS,
        metavar="DATE",
        help="Choose among files that are older: a date, a time or an age (3 days).",
    ),
)
_LOCKED = Option(
    "locked",
    "--locked",
    "--no-locked",
    kind=Kind.SWITCH,
    help="Exit with 1 on a stale lock instead of freezing (the default where CI is set).",
)
_FROZEN = Option("frozen", "--frozen", help="Use the lock as it is, without judging it.")
_ONLY_GROUP = Option(
    "only_group",
    "--only-group",
    kind=Kind.WORDS,
    metavar="GROUP",
    help="This group and no other; may be repeated.",
    panel=_GROUPS,
)
_GROUP = Option(
    "group",
    "--group",
    "-g",
    kind=Kind.WORDS,
    metavar="GROUP",
    help="Also this group; may be repeated.",
    panel=_GROUPS,
)
_ALL_GROUPS = Option("all_groups", "--all-groups", help="Every group there is.", panel=_GROUPS)
_GROUP_OPTIONS = (
    _GROUP,
    _ONLY_GROUP,
    _ALL_GROUPS,
    Option("no_dev", "--no-dev", help="Without the group dev.", panel=_GROUPS),
    Option(
        "no_group",
        "--no-group",
        kind=Kind.WORDS,
        metavar="GROUP",
        help="Without this group; may be repeated.",
        panel=_GROUPS,
    ),
    Option(
        "default_groups",
        "--default-groups",
        help="The usual groups again, whatever `sync` was told before.",
        panel=_GROUPS,
    ),
)
_AND_SYNC = Option(
    "sync",
    "--sync",
    "--no-sync",
    kind=Kind.SWITCH,
    default=True,
    help="Sync the environment afterwards, or only freeze.",
)
_EDITED = (
    Option(
        "group",
        "--group",
        "-g",
        kind=Kind.TEXT,
        metavar="GROUP",
        help="The group whose file to edit.",
    ),
    Option("dev", "--dev", help="The same as --group dev."),
    _AND_SYNC,
    Option("frozen", "--frozen", help="Edit the file and leave lock and environment alone."),
    _DRY_RUN,
    _YES,
    _PYTHON,
)
_INSIDE = (
    Option(
        "sync",
        "--sync",
        effect=Effect.ACTS,
        help="Sync first, as `venvman sync` with these options would.",
    ),
    *_GROUP_OPTIONS,
    _LOCKED,
    _FROZEN,
    _YES,
)
_GRAPH_FORMAT = Option(
    "format",
    "--format",
    kind=Kind.TEXT,
    effect=Effect.SHOWS,
    choices=("text", "json", "mermaid", "dot"),
    default="text",
    help="Print the graph as text, one JSON document, a Mermaid flowchart or Graphviz DOT.",
    panel=_EVERYWHERE,
)
_FINDINGS_FORMAT = Option(
    "format",
    "--format",
    kind=Kind.TEXT,
    effect=Effect.SHOWS,
    choices=("text", "json", "sarif", "github", "gitlab", "junit", "markdown"),
    default="text",
    help="Print the findings as text, one JSON document, SARIF 2.1.0, workflow commands of GitHub, "
    "a code quality report of GitLab, JUnit's XML or Markdown.",
    panel=_EVERYWHERE,
)

_ADVISORIES = Option(
    "advisories",
    "--advisories",
    kind=Kind.TEXT,
    metavar="URL|PATH",
    help="With --audit: another service than OSV's, or a copy of its database.",
)

_TABLE = (
    Command(
        "sync",
        "changes:sync",
        *_GROUP_OPTIONS,
        _DRY_RUN,
        _CHECK,
        _LOCKED,
        _FROZEN,
        Option("inexact", "--inexact", help="Leave packages that the lock does not name."),
        _CONSTRAINT,
        *_INDEXES,
        _PYTHON,
        Option(
            "recreate",
            "--recreate",
            effect=Effect.ACTS,
            help="Make the environment again from nothing.",
        ),
        Option(
            "reinstall",
            "--reinstall",
            kind=Kind.WORDS,
            effect=Effect.ACTS,
            metavar="NAME",
            help="Install this package again though it is there; may be repeated.",
        ),
        Option(
            "compile_bytecode",
            "--compile",
            "--no-compile",
            kind=Kind.SWITCH,
            help="Compile the installed modules to bytecode.",
        ),
        Option(
            "link",
            "--link",
            kind=Kind.TEXT,
            choices=("auto", "reflink", "hardlink", "copy"),
            help="How files get from the cache into the environment.",
        ),
        Option(
            "no_project",
            "--no-project",
            help="Install what pyproject.toml depends on, and not the project itself.",
        ),
        _YES,
        Option(
            "no_wait",
            "--no-wait",
            effect=Effect.LOOKS,
            help="Stop at once if another command is changing the environment.",
        ),
        *_WORKSPACE,
        examples=(
            ("venvman sync", "what the files ask for, no more and no less"),
            ("venvman sync --check", "in CI: exit with 1 if anything is to be done"),
            ("venvman sync --group docs", "also the group of requirements-docs.in"),
        ),
        remembered=True,
        help="Freeze the requirements if the lock is missing or stale, then make ./venv equal "
        "to it.",
    ),
    Command(
        "freeze",
        "changes:freeze",
        Option(
            "upgrade",
            "--upgrade",
            "-U",
            effect=Effect.ACTS,
            help="Move every pin as far as it may go.",
        ),
        Option(
            "upgrade_package",
            "--upgrade-package",
            "-P",
            kind=Kind.WORDS,
            effect=Effect.ACTS,
            metavar="NAME",
            help="Move only this package's pin; may be repeated.",
        ),
        _CHECK,
        _DRY_RUN,
        Option("installed", "--installed", effect=Effect.ACTS, help="Pin what ./venv holds now."),
        Option(
            "hashes",
            "--hashes",
            "--no-hashes",
            kind=Kind.SWITCH,
            effect=Effect.ACTS,
            help="Write a hash for every file (the default for a new lock).",
        ),
        Option(
            "engine", "--engine", kind=Kind.TEXT, metavar="ENGINE", help="Who finds the versions."
        ),
        _CONSTRAINT,
        *_INDEXES,
        _PYTHON,
        Option(
            "target",
            "--target",
            kind=Kind.WORDS,
            effect=Effect.ACTS,
            metavar="SPEC",
            help="Freeze for this system (linux, macos:3.12, windows:3.10-3.13); may be repeated.",
        ),
        Option(
            "python_version",
            "--python-version",
            kind=Kind.WORDS,
            effect=Effect.ACTS,
            metavar="VERSIONS",
            help="Of targets that name no Python (3.12, 3.10-3.13); may be repeated.",
        ),
        Option(
            "universal",
            "--universal",
            effect=Effect.ACTS,
            help="The same as --target linux, macos and windows.",
        ),
        *_GROUP_OPTIONS,
        _YES,
        *_WORKSPACE,
        examples=(
            ("venvman freeze", "missing and stale locks, keeping every pin that may stay"),
            ("venvman freeze -P django", "also move the pin of django"),
            ("venvman freeze --check", "exit with 1 if a lock is stale"),
        ),
        remembered=True,
        help="Write the lock: every package pinned and hashed, with the reason it is there.",
    ),
    Command(
        "status",
        "looks:status",
        Option(
            "porcelain",
            "--porcelain",
            help="One line for prompts and scripts.",
        ),
        *_GROUP_OPTIONS,
        _PYTHON,
        *_WORKSPACE,
        remembered=True,
        help="Show requirements, lock, environment and drift on one screen; exit with 1 on drift.",
    ),
    Command(
        "doctor",
        "looks:doctor",
        Option(
            "select",
            "--select",
            kind=Kind.WORDS,
            metavar="CODE",
            help="Only findings whose code begins so; may be repeated.",
        ),
        Option(
            "ignore",
            "--ignore",
            kind=Kind.WORDS,
            metavar="CODE",
            help="No findings whose code begins so; may be repeated.",
        ),
        Option(
            "verify",
            "--verify",
            effect=Effect.ACTS,
            help="Compare the contents of every installed file, too.",
        ),
        Option(
            "fail_on",
            "--fail-on",
            kind=Kind.TEXT,
            metavar="SEVERITY",
            choices=("error", "warning", "note"),
            default="warning",
            help="Exit with 1 on findings of this severity or a worse one.",
        ),
        Option(
            "fix",
            "--fix",
            effect=Effect.ACTS,
            help="Do what needs no decision, then look again; ask before anything is removed.",
        ),
        Option(
            "audit",
            "--audit",
            effect=Effect.ACTS,
            help="Ask what is known to be vulnerable, and which pins were yanked.",
        ),
        _ADVISORIES,
        _FINDINGS_FORMAT,
        Option("freeze", "--freeze", help="With --fix: freeze, too, where the lock is at fault."),
        _DRY_RUN,
        _YES,
        Option("exit_zero", "--exit-zero", help="Exit with 0 whatever is found."),
        Option("list_codes", "--list", help="List every code there is, and look at nothing."),
        Option(
            "explain",
            "--explain",
            kind=Kind.WORDS,
            metavar="CODE",
            help="Say what a code means, why it matters and what fixes it; may be repeated.",
        ),
        *_GROUP_OPTIONS,
        *_WORKSPACE,
        examples=(
            ("venvman doctor --verify", "also every installed file's content"),
            ("venvman doctor --select VM3", "only what concerns locks"),
            ("venvman doctor --fix", "and fix what needs no decision"),
            ("venvman doctor --explain VM411", "what it means, why it matters, what fixes it"),
        ),
        remembered=True,
        help="Find what has drifted, and name the command that fixes it; exit with 1 on findings.",
    ),
    Command(
        "audit",
        "looks:audit",
        _ADVISORIES,
        _FINDINGS_FORMAT,
        *_WORKSPACE,
        examples=(
            ("venvman audit", "what is known to be vulnerable, and which pins were yanked"),
            ("venvman audit --advisories osv.zip --offline", "by a copy of the database"),
        ),
        help="Show known vulnerabilities and yanked pins: `doctor --audit`, and nothing else.",
    ),
    Command(
        "scan",
        "looks:scan",
        _ALL_PROJECTS,
        remembered=True,
        help="Show the projects and requirements files found here, and how each was understood.",
    ),
    Command(
        "add",
        "changes:add",
        Option(
            "editable",
            "--editable",
            "-e",
            kind=Kind.WORDS,
            metavar="PATH|URL",
            help="A folder or repository to install editable; may be repeated.",
        ),
        _CONSTRAINT,
        *_INDEXES,
        *_EDITED,
        argument=Argument(
            "requirements",
            metavar="[REQUIREMENT]...",
            help="Names with specifiers ('flask>=3'), URLs, folders.",
        ),
        examples=(
            ("venvman add httpx", "into the requirements file, then freeze and sync"),
            ("venvman add --dev pytest", "into the group dev"),
        ),
        help="Put requirements into the requirements file, keeping its comments and order; then "
        "sync.",
    ),
    Command(
        "remove",
        "changes:remove",
        *_EDITED,
        argument=Argument(
            "names", metavar="NAME...", required=True, help="The packages to ask for no more."
        ),
        help="Take requirements out of the requirements files, and what only they needed; then "
        "sync.",
    ),
    Command(
        "upgrade",
        "changes:upgrade",
        _AND_SYNC,
        _DRY_RUN,
        _YES,
        _CONSTRAINT,
        *_INDEXES,
        _PYTHON,
        *_WORKSPACE,
        argument=Argument("names", metavar="[NAME]...", help="Only these packages' pins."),
        examples=(
            ("venvman upgrade", "every pin"),
            ("venvman upgrade flask", "flask, and what it needs moved"),
        ),
        help="Move pins as far forward as the requirements allow, then sync.",
    ),
    Command(
        "outdated",
        "looks:outdated",
        Option(
            "check",
            "--check",
            help="Exit with 1 if the requirements let anything move.",
        ),
        *_WORKSPACE,
        argument=Argument("names", metavar="[NAME]...", help="Only these packages."),
        remembered=True,
        help="Show what could move forward, and which requirement holds it back.",
    ),
    Command(
        "tree",
        "looks:tree",
        Option("invert", "--invert", help="Show what needs each package, up to the lines."),
        Option(
            "depth",
            "--depth",
            kind=Kind.NUMBER,
            minimum=1,
            metavar="N",
            help="Only so many levels of packages.",
        ),
        _ONLY_GROUP,
        _GRAPH_FORMAT,
        argument=Argument("names", metavar="[NAME]...", help="Only these packages' trees."),
        remembered=True,
        help="Show the locked packages as a tree: what each requirement brings.",
    ),
    Command(
        "why",
        "looks:why",
        _ONLY_GROUP,
        _GRAPH_FORMAT,
        argument=Argument(
            "names", metavar="NAME...", required=True, help="The packages to explain."
        ),
        examples=(("venvman why urllib3", "every chain of requirements that brings it"),),
        remembered=True,
        help="Show why a package is locked: every chain of requirements that brings it.",
    ),
    Command(
        "diff",
        "looks:diff",
        Option("env", "--env", help="Compare what is installed with the locks."),
        Option("check", "--check", help="Exit with 1 if anything differs."),
        argument=Argument(
            "sides",
            metavar="[A] [B]",
            help="Locks or git revisions (also A..B). One alone is compared with the work tree; "
            "without any it is the last commit.",
        ),
        examples=(("venvman diff main", "what changed in the locks since main"),),
        remembered=True,
        help="Show which pins were added, removed or changed between two states of the locks.",
    ),
    Command(
        "history",
        "looks:history",
        remembered=True,
        help="List the states of ./venv that it can be taken back to, the newest first.",
    ),
    Command(
        "rollback",
        "changes:rollback",
        Option(
            "with_lock", "--with-lock", help="Put the state's locks back into the project, too."
        ),
        _DRY_RUN,
        _YES,
        argument=Argument(
            "number",
            kind=Kind.NUMBER,
            default=1,
            minimum=0,
            metavar="[N]",
            help="How many states back, as `venvman history` counts them.",
        ),
        help="Make ./venv what it was before the last sync, or N states ago.",
    ),
    Command(
        "run",
        "shells:run",
        *_INSIDE,
        *_WORKSPACE,
        argument=Argument(
            "command",
            metavar="COMMAND...",
            required=True,
            help="A program and its arguments; all that follows is its own.",
        ),
        passing=True,
        remembered=True,
        examples=(("venvman run pytest -x", "without activating anything"),),
        help="Run a command inside the environment; its exit code is passed on.",
    ),
    Command(
        "shell",
        "shells:shell",
        *_INSIDE,
        help="Start the user's shell with the environment activated; `exit` leaves it.",
    ),
    Command(
        "activate",
        "shells:activate",
        Option(
            "shell",
            "--shell",
            kind=Kind.TEXT,
            choices=("bash", "zsh", "fish", "sh", "powershell", "nushell"),
            help="The shell to print it for; otherwise the user's own.",
        ),
        examples=(("venvman activate --shell fish", "to be piped into `source`"),),
        help='Print what activates the environment: eval "$(venvman activate)".',
    ),
    Command(
        "shell-hook",
        "shells:shell_hook",
        Option(
            "here",
            "--here",
            help="What to evaluate in this folder; the hook itself asks this after each `cd`.",
        ),
        argument=Argument(
            "shell",
            kind=Kind.TEXT,
            choices=("bash", "zsh", "fish", "direnv"),
            required=True,
            help="The shell whose startup file evaluates it; for direnv a layout.",
        ),
        help="Print what a startup file evaluates to activate environments on `cd`.",
    ),
    Command("clean", "changes:clean", help="Remove the environment, and nothing that is not one."),
    Command(
        "hooks install",
        "hooks:hooks_install",
        Option("sync", "--sync", help="Repair drift after checkout, merge and rebase."),
        help="Install git hooks that report drift; those that are here are kept and called first.",
    ),
    Command(
        "hooks uninstall",
        "hooks:hooks_uninstall",
        help="Remove venvman's git hooks and put back those that were here before.",
    ),
    Command(
        "hooks status",
        "hooks:hooks_status",
        remembered=True,
        help="Show which git hooks are installed, and what they do.",
    ),
    Command(
        "hooks run",
        "hooks:hooks_run",
        Option(
            "mode",
            "--mode",
            kind=Kind.TEXT,
            choices=("report", "sync"),
            help="What to do about drift; otherwise what each project was installed with.",
        ),
        Option(
            "inside",
            "--in",
            kind=Kind.WORDS,
            metavar="DIR",
            help="A project, seen from the work tree; otherwise those that were installed, or all.",
        ),
        Option("refuse", "--refuse", help="Tell a refusal by an exit code that nothing else has."),
        argument=Argument(
            "name",
            kind=Kind.TEXT,
            choices=("post-checkout", "post-merge", "post-rewrite", "pre-commit"),
            required=True,
            help="The hook that git runs.",
        ),
        hidden=True,
        help="Do what a git hook does; the installed hooks call this.",
    ),
    Command("cache dir", "cache:cache_dir", help="Show where the cache is."),
    Command(
        "cache key",
        "cache:cache_key",
        _ALL_PROJECTS,
        help="Print a key to keep the cache by in CI: another one as soon as a lock changes.",
    ),
    Command(
        "cache size",
        "cache:cache_size",
        help="Show how much the cache holds, by kind, and what this project's attic keeps.",
    ),
    Command(
        "cache prune",
        "cache:cache_prune",
        Option(
            "older_than",
            "--older-than",
            kind=Kind.TEXT,
            metavar="AGE",
            help="Remove unused wheels and all other things of this age, such as 30d.",
        ),
        Option(
            "max_size",
            "--max-size",
            kind=Kind.TEXT,
            metavar="SIZE",
            help="Then remove the oldest things until the cache is no larger, such as 5GiB.",
        ),
        help="Remove wheels that no environment links to, and what is 30 days old.",
    ),
    Command(
        "cache verify",
        "cache:cache_verify",
        help="Compare every unpacked wheel with its hashes; discard damaged ones and exit with 1.",
    ),
    Command(
        "cache clean",
        "cache:cache_clean",
        Option("attic", "--attic", help="Empty this project's attic instead; the cache stays."),
        help="Remove everything in the cache; environments keep their files.",
    ),
    Command(
        "self report",
        "looks:self_report",
        help="Show versions, paths, interpreters and settings with their sources, and no secret.",
    ),
)

SAID_BY_VARIABLES: Mapping[str, str] = {
    "index_url": "PIP_INDEX_URL",
    "no_binary": "PIP_NO_BINARY",
    "exclude_newer": "VENVMAN_EXCLUDE_NEWER",
}
"""Options that are no parameters: as if the variable were set, for this once."""

COMMANDS: Mapping[str, Command] = {command.name: command for command in _TABLE}
"""By name, in the order of the help."""

FAMILIES: Mapping[str, str] = {
    "hooks": "Git hooks that report, or repair, drift.",
    "cache": "The machine-wide cache of downloads and unpacked wheels.",
    "self": "venvman itself, for whoever reports a defect.",
}
"""First words that several commands share, with what the help says of them."""

ALIASES: Mapping[str, str] = {"lock": "freeze"}
"""Other names of commands; the help does not list them."""

TASKS: Mapping[str, tuple[str, ...]] = {
    "Every day": ("sync", "status", "doctor", "freeze"),
    "Requirements": ("add", "remove", "upgrade", "outdated"),
    "Understand": ("scan", "tree", "why", "diff", "history", "audit"),
    "The environment": ("run", "shell", "activate", "rollback", "clean"),
    "Around it": ("hooks", "shell-hook", "cache", "self"),
}
"""The commands and families as the help lists them."""
