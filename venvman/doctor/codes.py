"""The catalogue: every code there is, by family. A code never changes its meaning."""

from __future__ import annotations

from venvman.doctor.finding import ByFix, Code
from venvman.model.errors import Severity

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

# Doctor itself: VM0.
CHECK_FAILED = Code(
    *("VM001", "check-failed", _ERROR),
    wrong="One check met something it was not made for, and says what; all others ran.",
    why="What that check looks for may be there or not: nobody knows.",
    fix="make the file readable that it names.",
)

# The environment as a whole: VM1.
ENVIRONMENT_ABSENT = Code(
    *("VM101", "environment-absent", _ERROR),
    wrong="There is nothing at the environment's path.",
    why="Nothing can run until it is made.",
    fix="`venvman sync`.",
    by_fix=ByFix.YES,
)
NOT_AN_ENVIRONMENT = Code(
    *("VM102", "not-an-environment", _ERROR),
    wrong="A file, a plain folder or another tool's environment (conda) is in the way.",
    why="venvman never writes into or deletes what is not a virtual environment.",
    fix='move it aside and sync, or name another folder with `[tool.venvman] venv = "..."`.',
    by_fix=ByFix.ASKS,
)
ENVIRONMENT_BROKEN = Code(
    *("VM103", "environment-broken", _ERROR),
    wrong="Its interpreter is gone, cannot run, or became another minor version, or "
    "`pyvenv.cfg` cannot be read.",
    why="Programs in it fail, or import nothing.",
    fix="`venvman sync --recreate`.",
    by_fix=ByFix.ASKS,
)
ENVIRONMENT_MOVED = Code(
    *("VM104", "environment-moved", _ERROR),
    wrong="It was made at another path.",
    why="Scripts and `activate` hold the path at which they were made, so they start "
    "another Python, or none.",
    fix="`venvman sync --recreate`.",
    by_fix=ByFix.ASKS,
)
OTHER_PYTHON = Code(
    *("VM105", "other-python", _ERROR),
    wrong="The environment is of another Python than `--python`, the configuration, "
    "`.python-version` or `requires-python` asks for.",
    why="Markers and wheels are chosen by version, so the lock would mean something else.",
    fix="`venvman sync --recreate`.",
    by_fix=ByFix.ASKS,
)
SYSTEM_SITE_PACKAGES = Code(
    *("VM106", "system-site-packages", _ERROR),
    wrong="The environment sees the packages of its base interpreter.",
    why="They can hide that something is missing, and no lock describes them.",
    fix="`venvman sync --recreate`.",
    by_fix=ByFix.ASKS,
)
UNFINISHED = Code(
    *("VM107", "sync-unfinished", _WARNING),
    wrong="A command was killed while it made or changed the environment, or its journal "
    "cannot be believed.",
    why="The environment is between two states. Whoever only looks leaves it as it is.",
    fix="`venvman sync` finishes or reverts it; `venvman sync --recreate` where the journal "
    "is damaged.",
    by_fix=ByFix.YES,
)
ACTIVATE_BROKEN = Code(
    *("VM108", "activate-broken", _WARNING),
    wrong="A script to activate is gone, cut off or of another path.",
    why="The environment cannot be activated, or not by every shell.",
    fix="the `python -m venv` that is shown, which writes them again; `venvman sync --recreate` "
    "where another tool made the environment.",
    by_fix=ByFix.YES,
)
INTERPRETERS_DISAGREE = Code(
    *("VM109", "interpreters-disagree", _ERROR),
    wrong="`python`, `python3` and `python3.N` are not the same Python, or `python3` is missing.",
    why="Which one a program runs with depends on the name it asks for.",
    fix="`venvman sync --recreate`.",
    by_fix=ByFix.ASKS,
)
NOT_WRITABLE = Code(
    *("VM110", "environment-not-writable", _WARNING),
    wrong="A folder of the environment cannot be written into.",
    why="No sync can change what is in it.",
    fix="the `chmod` that is shown.",
    by_fix=ByFix.YES,
)
OTHER_ACTIVE = Code(
    *("VM111", "other-environment-active", _NOTE),
    wrong="The shell has another environment activated (`VIRTUAL_ENV`).",
    why="`python` and `pip` there are those of another project.",
    fix="deactivate it, and use `venvman run`.",
)
PIP_MISSING = Code(
    *("VM112", "pip-missing", _NOTE),
    wrong="The environment was made with a pip, and has none any more.",
    why="`python -m pip` fails there; venvman itself does not need it.",
    fix="the `ensurepip` that is shown.",
    by_fix=ByFix.YES,
)

# Requirements files: VM2.
NO_REQUIREMENTS = Code(
    *("VM201", "no-requirements", _ERROR),
    wrong="The project has no requirements file.",
    why="Nothing says what it needs.",
    fix="`venvman add NAME`, or write a `requirements.txt`.",
)
REQUIREMENTS_FAULTY = Code(
    *("VM202", "requirements-faulty", _ERROR),
    wrong="A line cannot be understood, an include is missing or goes in circles, or two "
    "files claim one role (then a warning).",
    why="Such a file is neither frozen nor installed.",
    fix="edit the line that is named.",
)
REVISION_OPEN = Code(
    *("VM203", "revision-open", _NOTE),
    wrong="A repository is required without branch, tag or commit.",
    why="The lock pins the commit, but the next upgrade takes whatever the default branch "
    "is at then.",
    fix="add `@TAG` or `@COMMIT`.",
)
CONSTRAINTS_UNUSED = Code(
    *("VM204", "constraints-unused", _NOTE),
    wrong="A file is named like constraints (`constraints*`, `*-constraints*`), but no `-c` "
    "line, no lock's command, no setting and no configuration of pip names it.",
    why="It limits nothing, though its name says that it should.",
    fix="name it by `-c`, or by `constraints`.",
)
PATH_GONE = Code(
    *("VM205", "path-gone", _ERROR),
    wrong="A line asks for a local folder or file that is not there.",
    why="It can be neither frozen nor installed.",
    fix="bring it back, or correct the line.",
)
LISTED_TWICE = Code(
    *("VM206", "requirement-listed-twice", _NOTE),
    wrong="A package is listed twice in one file, for the same Python.",
    why="Who changes one line overlooks the other.",
    fix="make one line of both.",
)
REQUIREMENTS_CONTRARY = Code(
    *("VM207", "requirements-contrary", _ERROR),
    wrong="Lines ask for versions of one package that exclude each other.",
    why="No lock can be made that answers them all.",
    fix="change one of the lines that are named.",
)
VARIABLE_UNSET = Code(
    *("VM208", "variable-unset", _WARNING),
    wrong="A line has a `${NAME}` that is not set in the environment of the shell.",
    why="It is taken literally, so that what it leads to is not found, or asked without password.",
    fix="set it, as others do who use the file.",
)
EXTRA_UNKNOWN = Code(
    *("VM209", "extra-unknown", _WARNING),
    wrong="A line asks for an extra that the installed package does not have.",
    why="Installers only warn: what the extra was to bring is not there.",
    fix="correct the extra, or take it out.",
)
OPTION_IGNORED = Code(
    *("VM210", "option-ignored", _WARNING),
    wrong="pip ignores a part of a line: an option of files beside a requirement, a second file on "
    "a line of `-r` or `-c`, hashes of an editable, words behind an option.",
    why="What it says does not happen, and nobody is told.",
    fix="give the option or the file a line of its own.",
)
NAME_MISSPELLED = Code(
    *("VM211", "name-misspelled", _WARNING),
    wrong="A name that no lock and no environment has is one letter away from a well-known one.",
    why="Nothing can be frozen, or what somebody put on an index for those who mistype it.",
    fix="correct the name.",
)

# Locks: VM3.
LOCK_MISSING = Code(
    *("VM301", "lock-missing", _ERROR),
    wrong="A group's requirements were never frozen.",
    why="Two machines would install different versions.",
    fix="`venvman freeze`.",
    by_fix=ByFix.FREEZE,
)
LOCK_STALE = Code(
    *("VM302", "lock-stale", _ERROR),
    wrong="The lock is out of date with its requirements: one is not satisfied, something is "
    "locked that nothing asks for, or a `via` is wrong.",
    why="A sync would install what is no longer asked for. There is one finding for each reason.",
    fix="`venvman freeze`, which keeps every pin that is still allowed.",
    by_fix=ByFix.FREEZE,
)
LOCK_CONFLICTED = Code(
    *("VM303", "lock-conflicted", _ERROR),
    wrong="The lock holds git conflict markers.",
    why="Which of the two sides is meant nobody can tell; the requirements decide, not the merge.",
    fix="take one side and freeze again, by the command that is shown.",
    by_fix=ByFix.FREEZE,
)
LOCK_FAULTY = Code(
    *("VM304", "lock-faulty", _ERROR),
    wrong="The lock cannot be read, or holds lines that are no pins.",
    why="What would be installed is open, so nothing is.",
    fix="`venvman freeze`.",
    by_fix=ByFix.FREEZE,
)
LOCKS_DISAGREE = Code(
    *("VM305", "locks-disagree", _ERROR),
    wrong="Two of the project's locks pin one distribution differently, or one lock pins it twice.",
    why="One environment cannot hold both.",
    fix="`venvman freeze`, which resolves all groups together.",
    by_fix=ByFix.FREEZE,
)
LOCK_OF_ANOTHER_TOOL = Code(
    *("VM306", "lock-of-another-tool", _NOTE),
    wrong="The lock's header names another tool or source, or options that venvman does not "
    "have, so that `freeze` refuses it.",
    why="It is synced as it is; the command in the header renews it. Locks that "
    "`pip-compile` and `uv pip compile` made from requirements files are frozen as "
    "their tool would.",
    fix="the command in the header of the lock renews it.",
)
LOCK_WITHOUT_HASHES = Code(
    *("VM307", "lock-without-hashes", _NOTE),
    wrong="Some pins from an index have no sha256: an error where the lock is to have them.",
    why="Whatever it serves under that name and version is installed.",
    fix="`venvman freeze --hashes`; where another tool makes the lock, that one.",
    by_fix=ByFix.FREEZE,
)
LOCK_OF_OTHER_TARGETS = Code(
    *("VM308", "lock-of-other-targets", _WARNING),
    wrong="The lock matches its requirements, but is for other systems or Pythons than the "
    "environment's.",
    why="What only this one needs is missing from it, and what it pins may not install here.",
    fix="`venvman freeze --target ... --target ...` with this one among the targets.",
    by_fix=ByFix.FREEZE,
)
LOCK_ORPHANED = Code(
    *("VM309", "lock-orphaned", _NOTE),
    wrong="A requirements file from which a lock was frozen is gone.",
    why="What it pins is installed though nothing asks for it, or is not though a lock says so.",
    fix="bring the source back, or remove the lock.",
)
LOCK_OF_ONE_MACHINE = Code(
    *("VM310", "lock-of-one-machine", _WARNING),
    wrong="A pin or an option of the lock is a path of one machine.",
    why="Nobody else has it, so nobody else can install the lock.",
    fix="write the path relative to the project in the source, then freeze.",
)
PIN_YANKED = Code(
    *("VM311", "pin-yanked", _WARNING),
    wrong="A pinned version was taken back by those who published it (`--audit`).",
    why="They had a reason, which is said. New locks do not take it.",
    fix="`venvman upgrade NAME && venvman sync`.",
    by_fix=ByFix.FREEZE,
)
VIA_UNTRUE = Code(
    *("VM312", "via-untrue", _NOTE),
    wrong="A pin's `via` names a package that, as it is installed, does not need it.",
    why="Whoever reads the lock looks for the reason in the wrong place.",
    fix="`venvman freeze --hashes`, which writes the reasons anew.",
    by_fix=ByFix.FREEZE,
)
HASHES_WRONG = Code(
    *("VM313", "hashes-wrong", _ERROR),
    wrong="A pin has not the hash of the file of its release that is installed.",
    why="Nobody else can install it: pip and venvman refuse the file.",
    fix="`venvman upgrade NAME`, which writes the release's hashes.",
    by_fix=ByFix.FREEZE,
)

# What is installed: VM4.
MISSING = Code(
    *("VM401", "distribution-missing", _ERROR),
    wrong="A distribution is locked, but not installed.",
    why="What imports it fails.",
    fix="`venvman sync`.",
    by_fix=ByFix.YES,
)
OTHER_VERSION = Code(
    *("VM402", "other-version", _ERROR),
    wrong="A distribution is installed in another version than the locked one.",
    why="Programs run here with what nobody else has. The local part counts: `2.8.0+cpu` is "
    "another build than `2.8.0`.",
    fix="`venvman sync`.",
    by_fix=ByFix.YES,
)
OTHER_SOURCE = Code(
    *("VM403", "other-source", _ERROR),
    wrong="A distribution is the right one in name and version, but from another source: "
    "another URL, commit, archive or folder, editable or not.",
    why="What runs here is not what the lock describes. A wheel installed from a path is no "
    "finding when its sha256 is one of the locked ones.",
    fix="`venvman sync`.",
    by_fix=ByFix.YES,
)
EXTRA = Code(
    *("VM404", "distribution-extra", _WARNING),
    wrong="A distribution is installed, but no lock in use (those of `default` and `dev`, "
    "unless other groups are chosen) names it.",
    why="It works here and nowhere else. pip, setuptools and wheel never count, nor does "
    "what `keep` names.",
    fix="`venvman sync` removes it; or require it, or keep it with `[tool.venvman] keep = "
    '["NAME"]`.',
    by_fix=ByFix.ASKS,
)
DUPLICATE = Code(
    *("VM405", "distribution-duplicate", _ERROR),
    wrong="Two metadata folders claim one name, usually after an install that was stopped.",
    why="Which one Python imports is chance. Deleting the older one by hand may leave its "
    "files in place: reinstall.",
    fix="`venvman sync`.",
    by_fix=ByFix.YES,
)
DAMAGED = Code(
    *("VM406", "metadata-damaged", _ERROR),
    wrong="METADATA or RECORD is missing, empty or unreadable, or `direct_url.json` is broken.",
    why="Tools cannot tell what is installed, nor remove it.",
    fix="`venvman sync`; `venvman sync --recreate` where nothing says which files to "
    "remove; the `chmod` that is shown where they may not be read.",
    by_fix=ByFix.YES,
)
LEFTOVER = Code(
    *("VM407", "leftover", _WARNING),
    wrong="A folder such as `~ip` is left, which pip renamed when it began to uninstall and "
    "never came back to.",
    why="It takes space and makes pip complain.",
    fix="the `rm -r` that is shown.",
    by_fix=ByFix.YES,
)
DEPENDENCY_MISSING = Code(
    *("VM411", "dependency-missing", _ERROR),
    wrong="An installed distribution needs another one that is not there.",
    why="Importing it fails sooner or later. Markers are those of the environment's Python; "
    "extras count if the lock, the requirements or another distribution ask for them.",
    fix="`venvman sync` if the lock has it; else the lock is incomplete: `venvman freeze && "
    "venvman sync`.",
    by_fix=ByFix.YES,
)
DEPENDENCY_VERSION = Code(
    *("VM412", "dependency-version", _ERROR),
    wrong="An installed distribution needs another one, which is there in a version that will not "
    "do.",
    why="It was never tried with that version. Pre-releases and local versions are "
    "accepted, as `pip check` does.",
    fix="`venvman sync` if the lock has another one; else `venvman freeze && venvman sync`.",
    by_fix=ByFix.YES,
)
PYTHON_UNSUPPORTED = Code(
    *("VM413", "python-unsupported", _ERROR),
    wrong="A distribution says that it does not work with the environment's Python "
    "(`Requires-Python`).",
    why="It fails sooner or later, or has done so unnoticed.",
    fix="upgrade it, or use another Python.",
    by_fix=ByFix.FREEZE,
)
DEPENDENCY_UNREADABLE = Code(
    *("VM414", "dependency-unreadable", _NOTE),
    wrong="A `Requires-Dist` line is not a requirement (PEP 508), as old packages have it.",
    why="What it needs cannot be judged.",
    fix="upgrade the distribution; else nothing is to be done.",
)
WHEEL_FOREIGN = Code(
    *("VM415", "wheel-foreign", _ERROR),
    wrong="A distribution is from a wheel for another Python, ABI or system (the tags in WHEEL).",
    why="Its extension modules cannot be imported here.",
    fix="`venvman sync --reinstall NAME`.",
    by_fix=ByFix.YES,
)
METADATA_LEGACY = Code(
    *("VM416", "metadata-legacy", _NOTE),
    wrong="A distribution was installed as an egg (`.egg-info`), as before wheels.",
    why="No RECORD lists its files, so they are neither compared nor removed safely.",
    fix="`venvman sync --reinstall NAME`.",
    by_fix=ByFix.YES,
)

# Its files: VM5.
FILE_MISSING = Code(
    *("VM501", "file-missing", _ERROR),
    wrong="Files that a RECORD lists are gone.",
    why="Importing them fails, and neither pip nor a lock would notice. Compiled bytecode "
    "may be missing, and so may its folders, which virtualenv lists.",
    fix="`venvman sync --reinstall NAME`.",
    by_fix=ByFix.YES,
)
FILE_CHANGED = Code(
    *("VM502", "file-changed", _ERROR),
    wrong="A file is not the one that was installed: of another size, a folder, not readable, "
    "or a script that may not be executed.",
    why="Other content of the same size is found only when contents are asked for. In a "
    "script the first line may differ: installers write it. A file that several "
    "packages bring is as it should be where it is that of one of them. Where files are "
    "hard links, the same file changed in every environment that shares it: the others "
    "of this machine are named, and to be fixed, too.",
    fix="`venvman sync --reinstall NAME`; `venvman sync --recreate` after `venvman cache "
    "verify` where the edited file bears its old time, so that linking it would not "
    "notice.",
    by_fix=ByFix.YES,
)
FILE_OUTSIDE = Code(
    *("VM503", "file-outside", _WARNING),
    wrong="A RECORD lists a path outside the environment, or the folder of packages is a link "
    "to elsewhere.",
    why="venvman will neither look at nor remove what lies there.",
    fix="`venvman sync --recreate`.",
    by_fix=ByFix.ASKS,
)
RECORD_FAULTY = Code(
    *("VM504", "record-faulty", _WARNING),
    wrong="A RECORD does not list itself (it was cut off), has paths that cannot be, or other "
    "hashes than the wheel that venvman installed.",
    why="What is not listed is neither compared nor removed. Other lines that cannot be "
    "read are found only when contents are asked for.",
    fix="`venvman sync --recreate`.",
    by_fix=ByFix.ASKS,
)
FILE_UNOWNED = Code(
    *("VM505", "file-unowned", _WARNING),
    wrong="A module or a package, with or without source, an `__init__.py` in a folder that "
    "several packages share, or a script that stands before one of the system, is in no RECORD.",
    why="It can be imported, or hides what should be, here and nowhere else. Modules inside the "
    "folders of packages are a note: some programs put them there.",
    fix="remove it, unless you put it there. Nothing is said where a RECORD is damaged.",
    by_fix=ByFix.ASKS,
)
STARTUP_UNOWNED = Code(
    *("VM506", "startup-unowned", _WARNING),
    wrong="A `.pth` file, `sitecustomize` or `usercustomize` that no package brought.",
    why="It runs, or is read, whenever a Python of this environment starts.",
    fix="remove it, unless you put it there. Nothing is said where a RECORD is damaged.",
    by_fix=ByFix.ASKS,
)
FILE_WRITABLE = Code(
    *("VM507", "file-writable-by-all", _WARNING),
    wrong="Installed files can be changed by every user of the machine.",
    why="Whoever changes one runs what they like as whoever imports it.",
    fix="the `chmod` that is shown.",
    by_fix=ByFix.YES,
)
SCRIPT_FOREIGN = Code(
    *("VM508", "script-foreign", _ERROR),
    wrong="A script's first line starts the Python of somewhere else.",
    why="It runs with other packages than those of this environment.",
    fix="`venvman sync --reinstall NAME`.",
    by_fix=ByFix.YES,
)
ENTRY_POINT_BROKEN = Code(
    *("VM509", "entry-point-broken", _WARNING),
    wrong="A script of an editable package calls a module or function that is no longer there, or "
    "what the package is imported from is gone.",
    why="It fails as soon as it is started or imported.",
    fix="bring it back, or name another one in the package's metadata.",
)
FOLDER_WRITABLE = Code(
    *("VM510", "folder-writable-by-all", _WARNING),
    wrong="Every user of the machine may put files into a folder of the environment.",
    why="What they put there is found before what it replaces, and runs as whoever imports it.",
    fix="the `chmod` that is shown.",
    by_fix=ByFix.YES,
)
FILE_OF_TWO = Code(
    *("VM511", "file-of-two", _NOTE),
    wrong="Two packages bring the same file.",
    why="The one that was installed last is there. A file that is that of any of its owners counts "
    "as unchanged, and stays until the last of them goes.",
    fix="do without one of the two, unless the file is alike in both.",
)
MODULE_SHADOWS = Code(
    *("VM512", "module-shadows", _WARNING),
    wrong="A module in the project's folder has the name of an installed package or of a part of "
    "the standard library; folders are a note.",
    why="Python started there imports it instead, and so does all else that asks for that name.",
    fix="give it another name.",
)
LIBRARY_MISSING = Code(
    *("VM513", "library-missing", _ERROR),
    wrong="An extension module needs a shared library that is not on this system (`--verify`).",
    why="It cannot be imported.",
    fix="`venvman sync --reinstall NAME`; else the library is one of the system's packages.",
    by_fix=ByFix.YES,
)
BYTECODE_FOREIGN = Code(
    *("VM514", "bytecode-foreign", _ERROR),
    wrong="Bytecode that Python runs is not what its source compiles to (`--verify`).",
    why="It runs in the place of the source, whatever that says; only its header is compared.",
    fix="the `rm` that is shown; Python compiles the source again.",
    by_fix=ByFix.YES,
)

# Git: VM6.
HOOKS_ABSENT = Code(
    *("VM601", "hooks-absent", _NOTE),
    wrong="Git hooks that tell of drift after a checkout, merge or rebase are not installed.",
    why="Another branch's lock goes unnoticed until something fails.",
    fix="`venvman hooks install`.",
    by_fix=ByFix.ASKS,
)
LOCK_IGNORED = Code(
    *("VM602", "lock-ignored", _WARNING),
    wrong="Git ignores the lock.",
    why="Nobody else will install what you do.",
    fix="`git add --force LOCK`, and correct `.gitignore`.",
    by_fix=ByFix.ASKS,
)
LOCK_UNTRACKED = Code(
    *("VM603", "lock-untracked", _NOTE),
    wrong="The lock is not in git yet.",
    why="Nobody else will install what you do until it is.",
    fix="`git add LOCK`.",
    by_fix=ByFix.ASKS,
)
ENVIRONMENT_TRACKED = Code(
    *("VM604", "environment-tracked", _WARNING),
    wrong="Git tracks the environment or something in it (`.venvman`, say).",
    why="What runs there comes with every clone, and was made for another machine.",
    fix="`git rm -r -q --cached venv`; an environment that venvman made keeps itself ignored.",
    by_fix=ByFix.ASKS,
)
HOOKS_OF_GONE = Code(
    *("VM605", "hooks-of-gone-venvman", _WARNING),
    wrong="The hooks start a venvman that is gone, and there is none on PATH.",
    why="They do nothing, and a commit is refused where they cannot start.",
    fix="`venvman hooks install`.",
    by_fix=ByFix.YES,
)
STAGED_APART = Code(
    *("VM606", "staged-apart", _NOTE),
    wrong="A lock is staged and the change of its source is not, or the other way round.",
    why="The commit holds two that do not belong together.",
    fix="the `git add` that is shown.",
    by_fix=ByFix.ASKS,
)

# Security: VM7.
SECRET_IN_FILE = Code(
    *("VM701", "secret-in-file", _WARNING),
    wrong="A URL in a requirements file or a lock, in a comment of it too, holds credentials.",
    why="Everyone who has the file can read them. The user of an ssh URL and `${NAME}` are "
    "none; a user name alone before an `https` host is a token.",
    fix="write them as `${NAME}`, which is taken from the environment, or put them into "
    "`~/.netrc`; then have them revoked.",
)
INDEX_INSECURE = Code(
    *("VM702", "index-insecure", _WARNING),
    wrong="An index, a link page, an archive or a repository is asked without encryption.",
    why="Whoever is on the way can answer in its place. "
    "pip ignores such an index unless it is trusted.",
    fix="use `https://`, or name the host with `--trusted-host` if that is meant.",
)
HOST_TRUSTED = Code(
    *("VM703", "host-trusted", _WARNING),
    wrong="A `--trusted-host` switches the check of certificates off (http on purpose is none).",
    why="Anybody on the way can answer in the place of that host.",
    fix="take it out, and use `https://`.",
)
INDEXES_SEVERAL = Code(
    *("VM704", "indexes-several", _NOTE),
    wrong="An `--extra-index-url` adds a second index.",
    why="A package is taken from whichever has its highest version, whoever put it there.",
    fix="say which packages come from it, in `sources` of `[tool.venvman]`.",
)
VULNERABLE = Code(
    *("VM705", "vulnerable", _ERROR),
    wrong="A version that is locked or installed has a known vulnerability (`--audit`).",
    why="What it is, and since which version no more, is said. Nobody is asked without `--audit`; "
    "what the project lives with stands in `accepted`, with the day on which that ends.",
    fix="`venvman upgrade NAME && venvman sync`, where a version has it no more.",
    by_fix=ByFix.FREEZE,
)
AUDIT_INCOMPLETE = Code(
    *("VM706", "audit-incomplete", _ERROR),
    wrong="What is known to be vulnerable, or was yanked, could not be found out (`--audit`).",
    why="Silence would say that nothing is known.",
    fix="try again, or name a copy of the database with `--advisories`.",
)

CODES: tuple[Code, ...] = tuple(
    sorted((each for each in globals().values() if isinstance(each, Code)), key=lambda c: c.code)
)
"""All of them, sorted by code."""
