"""``adopt``: sources from what a project has, and a first lock that keeps its versions."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.adopt import lists
from venvman.adopt.readers import readable
from venvman.adopt.taken import Left, Taken, source_file, text_of
from venvman.environment.inspection import Environment, inspect
from venvman.environment.inventory import Inventory, take_inventory
from venvman.model.errors import Advice, Problem, ProjectNotFound, RequirementsError, Severity
from venvman.model.names import TOOLS, NormalizedName
from venvman.outcomes import AdoptOutcome, FreezeOutcome, Moved
from venvman.requirements.file import parse
from venvman.requirements.naming import DEFAULT, FOLDER
from venvman.system.secrets import redact
from venvman.workflow.freezing import freeze
from venvman.workflow.inputs import open_scan
from venvman.workflow.requests import FreezeRequest, GroupChoice
from venvman.workflow.roots import Roots, pinned_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from venvman.lock.file import LockEntry
    from venvman.workflow.context import Context


def adopt(
    context: Context, named: str | None, *, yes: bool, confirm: Callable[[str], bool] | None
) -> AdoptOutcome:
    """Reads what is there, and writes sources and locks if ``yes`` or a person says so.

    ``named`` is a file, or an environment, as seen from the root; None looks for one.

    Raises:
        ProjectNotFound: there is nothing to take over.
        RequirementsError: it cannot be read, or a source is there already.
        VenvmanError: what freezing raises; nothing has been written then.
    """
    taken = _taken(context, named)
    if taken is None:
        files = tuple(_source_names(context))
        return AdoptOutcome(project=context.project, tool="venvman", files=files, adopted=True)
    sources, pins, notes = _proposal(context, taken)
    passed = () if named is not None else _passed_over(context, taken)
    taken = replace(taken, pins=pins, left=(*taken.left, *notes, *passed))
    _refuse_written(context, taken, sources)
    outcome = AdoptOutcome(
        project=context.project,
        tool=taken.tool,
        files=taken.files,
        sources=sources,
        pins=len(pins),
        problems=tuple(
            Problem(
                code="adopt-left",
                severity=Severity.WARNING,
                message=f"Not taken over: {redact(each.what)}.",
                path=each.path,
                line=each.line,
                why=each.why,
            )
            for each in taken.left
        ),
    )
    if not yes and not (confirm is not None and confirm(_question(taken, sources))):
        return outcome
    # Sources and locks, all of them or none.
    root = context.project.root
    drafts = {root / name: text.encode() for name, text in sources.items()}
    drafted = replace(context, project=replace(context.project, drafts=drafts))
    # The list that is taken over becomes the lock; any other file in its way is somebody's.
    request = FreezeRequest(
        yes=bool(taken.listed), groups=GroupChoice(everything=True), prefer=taken.pins
    )
    frozen = freeze(drafted, request)
    moved = tuple(_moved(pins, frozen))
    return replace(outcome, frozen=frozen, moved=moved)


def _question(taken: Taken, sources: Mapping[str, str]) -> str:
    """What is to be agreed to, whole."""
    shown = [
        f"{path}\n" + "".join(f"    {line}\n" for line in redact(text).splitlines())
        for path, text in sources.items()
    ]
    what = "this" if sources else "the locks"
    return f"{''.join(shown)}Write {what}, with the versions of {', '.join(taken.files)}?"


# ---- what is there -------------------------------------------------------------------------


def _taken(context: Context, named: str | None) -> Taken | None:
    """What is there; None where it is venvman's already.

    Raises:
        ProjectNotFound: there is nothing.
    """
    root = context.project.root
    empty = []
    for reader, name in readable(root, named):
        taken = reader.read(root, name)
        if taken.declared or taken.wanted or taken.listed:
            return taken
        if taken.pins:
            listed = lists.of_pins(taken.pins, taken.files[-1])
            return replace(taken, listed=(listed,), pins=())
        empty.append(taken)
    pinned = _pinned_files(context) if named is None else []
    if not empty and named is not None and (root / named).is_file():
        made = lists.compiled(root, named)
        if made is not None:
            return made
        pinned = [(named, _source_of(root, named))]
    if pinned:
        return lists.pip_freeze(root, pinned)
    found = _environment(context, named) if not empty or named is None else None
    if found is not None:
        return found
    if named is None and open_scan(context).sources:
        return None
    raise _names_nothing(empty[0]) if empty else _nothing(context, named)


def _names_nothing(taken: Taken) -> RequirementsError:
    return RequirementsError(
        f"{', '.join(taken.files)} names nothing for pip.",
        code="adopt-nothing",
        why="Nothing below `pip:`, and no list of it." if taken.tool == "conda" else None,
        fix=Advice("Name a first package with `venvman add`."),
    )


def _source_of(root: Path, name: str) -> str:
    """The source that the list ``name`` becomes: beside it where sources are looked for."""
    path = root / name
    near = path.parent in {root, root / FOLDER} and (FOLDER in path.stem or path.parent != root)
    if near and path.suffix == ".txt":
        return path.with_suffix(".in").relative_to(root).as_posix()
    return f"{FOLDER}.in"


def _passed_over(context: Context, taken: Taken) -> tuple[Left, ...]:
    """The other files that could have been taken over."""
    return tuple(
        Left(what=name, why=f"`venvman adopt {name}` takes it in place of {taken.files[-1]}.")
        for name in dict.fromkeys(each for _, each in readable(context.project.root))
        if name not in taken.files
    )


def _source_names(context: Context) -> list[str]:
    scan = open_scan(context)
    return list(
        dict.fromkeys(context.project.display(each.path or each.lock) for each in scan.sources)
    )


def _pinned_files(context: Context) -> list[tuple[str, str]]:
    """The sources that pin all that they name, each with the source that is to stand beside it."""
    found = []
    for source in open_scan(context).sources:
        path = source.path or source.lock
        name = context.project.display(path)
        made = source.header is not None and source.header.tool is not None
        if len(source.paths) > 1 or not name.endswith(".txt") or made or not path.is_file():
            continue
        lines = parse(text_of(context.project.root, name), path=name, variables={}).requirements
        if lines and all(
            pinned_version(line) or not line.requirement.source.is_index for line in lines
        ):
            found.append((name, f"{name[:-4]}.in"))
    return found


def _environment(context: Context, named: str | None) -> Taken | None:
    path = context.environment_path if named is None else context.project.root / named
    found = inspect(path, directories=context.directories)
    if not isinstance(found, Environment) or (named is None and open_scan(context).sources):
        return None
    there = take_inventory(found).distributions
    kept = tuple(each for each in there if each.name not in TOOLS)
    if not kept:
        return None
    return lists.environment(Inventory(distributions=kept), context.project.display(path))


_KNOWN = "Pipfile, poetry.lock, uv.lock, pdm.lock, environment.yml, lists of conda and pip freeze"


def _nothing(context: Context, named: str | None) -> ProjectNotFound:
    root = context.project.root
    if named is not None:
        return ProjectNotFound(
            f"{named} is nothing that can be taken over.",
            code="adopt-nothing",
            why=f"Known are {_KNOWN}, and environments.",
        )
    return ProjectNotFound(
        f"There is nothing to take over in {root}.",
        code="adopt-nothing",
        why=f"Looked for {_KNOWN}, and an environment.",
        fix=Advice("Name a first package with `venvman add`."),
    )


# ---- what is proposed ----------------------------------------------------------------------

_DEV_TOOLS = re.compile(
    r"(pytest|flake8|pylint|types|sphinx|mkdocs|mypy|pre-commit|pyright|nox|tox|ruff|black|isort|"
    r"coverage|ipython|ipdb|pdbpp|pudb|hypothesis|bandit|twine|build|bump2version|bumpversion|"
    r"pip-tools|pip-audit|pydocstyle|pycodestyle|pyflakes|autopep8|yapf|codespell|factory-boy|"
    r"faker|freezegun|responses|furo|towncrier|invoke|watchdog|wheel)(-.+)?$"
)
"""What is for those who work on a project."""


def _proposal(
    context: Context, taken: Taken
) -> tuple[Mapping[str, str], tuple[LockEntry, ...], tuple[Left, ...]]:
    """The sources by path, the pins to keep, and what else is to be told."""
    if not taken.listed:
        groups: dict[str, list[str]] = {}
        for each in taken.wanted:
            groups.setdefault(each.group, []).append(each.line)
        return _written(groups, taken), taken.pins, ()
    found: dict[str, str] = {}
    pins: list[LockEntry] = []
    left: list[Left] = []
    for listed in taken.listed:
        roots = Roots(context, listed)
        pins += roots.pins
        dev = f"{FOLDER}-dev.in" if listed.source == f"{FOLDER}.in" else None
        split = _DEV_TOOLS if dev and len(taken.listed) == 1 else None
        found |= dict(roots.texts(listed.source, dev, split))
        left += roots.left
    return found, tuple(pins), tuple(left)


def _written(groups: Mapping[str, Sequence[str]], taken: Taken) -> Mapping[str, str]:
    """The text of each group's source."""
    found = {}
    for group, lines in groups.items():
        path = source_file(group)
        options = taken.options if group == DEFAULT or DEFAULT not in groups else ()
        unique = dict.fromkeys((*options, *lines))
        found[path] = "".join(f"{line}\n" for line in unique)
    return found


def _refuse_written(context: Context, taken: Taken, sources: Mapping[str, str]) -> None:
    """No file that people wrote is written over."""
    root = context.project.root
    there = [
        name
        for name, text in sources.items()
        if (root / name).exists() and text_of(root, name) != text
    ]
    if not taken.listed:
        known = {*sources, *taken.files}
        there += [name for name in _source_names(context) if name not in known]
    if there:
        takes = f"take that instead: `venvman adopt {there[0]}`"
        raise RequirementsError(
            f"{there[0]} is there already.",
            code="adopt-in-the-way",
            path=there[0],
            why=f"It says what the project needs; {taken.files[-1]} does, too.",
            fix=Advice(
                f"Move {there[0]} out of the way, or {takes}."
                if there[0].endswith(".txt")
                else f"Move {there[0]} out of the way, or keep to it."
            ),
        )


# ---- what is written -----------------------------------------------------------------------


def _moved(pins: Sequence[LockEntry], frozen: FreezeOutcome) -> Iterator[Moved]:
    """The pins that the locks do not have as they were."""
    now: dict[NormalizedName, list[LockEntry]] = {}
    for entry in (entry for lock in frozen.locks for entry in lock.lock.entries):
        now.setdefault(entry.name, []).append(entry)
    told: dict[NormalizedName, list[LockEntry]] = {}
    for pin in pins:
        told.setdefault(pin.name, []).append(pin)
    for name, before in sorted(told.items()):
        after = now.get(name, [])
        if name in TOOLS or any(_same(one, two) for one in before for two in after):
            continue
        yield Moved(
            name=name,
            before=_shown(before[0]),
            after=_shown(after[0]) if after else None,
            asked_by=after[0].via if after else (),
        )


def _same(one: LockEntry, two: LockEntry) -> bool:
    if one.source.is_index and two.source.is_index:
        return one.version == two.version
    return getattr(one.source, "commit", None) == getattr(two.source, "commit", "")


def _shown(entry: LockEntry) -> str:
    return redact(str(entry.version or entry.source))
