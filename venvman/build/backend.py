"""A project folder to a wheel, or to its metadata, through its own build backend (PEP 517, 660).

The backend runs in isolation, in the target's Python. What it says becomes ``Reporter.detail``
lines, and its last words the reason of the error when it fails.
"""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from venvman.build.errors import advice, reason
from venvman.build.isolation import BuildEnvironment
from venvman.model.errors import Advice, InstallError, VenvmanError
from venvman.model.frozen import dataclass
from venvman.python.pyvenv import python_of
from venvman.system.files import make_private_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from build import ProjectBuilder

    from venvman.model.events import Reporter
    from venvman.model.names import NormalizedName
    from venvman.model.options import IndexOptions
    from venvman.python.probe import Interpreter
    from venvman.store.store import Unpack

ConfigSettings = tuple[tuple[str, str], ...]
"""``--config-settings`` of one requirement, in order; a key may come more than once."""


Supply: TypeAlias = "Callable[[frozenset[str], BuildContext], Path]"
"""Gets build requirements (PEP 508 texts): :func:`venvman.engines.buildrequirements.supply`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """What builds need besides the project and the index options.

    ``cache`` is venvman's cache folder (git mirrors, downloads under way, environments to build
    in), ``variables`` the environment mapping: backends see it, ``${VAR}`` in URLs is looked up in
    it. ``supply`` makes the environments. ``constraints`` are PEP 508 texts that bound build
    requirements, ``extra`` further ones by name; what ``unisolated`` names is built by the Python
    of the project's environment, ``python``, with what is installed there. ``forbidden`` says that
    nothing may be built, since the command only looks. ``within`` are the build requirements that
    are being had at this moment, by a digest of each set. ``unpack`` is what the store unpacks
    wheels with, where not this process.
    """

    cache: Path
    variables: Mapping[str, str]
    supply: Supply
    constraints: tuple[str, ...] = ()
    config_settings: Mapping[NormalizedName, ConfigSettings] = field(default_factory=dict)
    extra: Mapping[NormalizedName, tuple[str, ...]] = field(default_factory=dict)
    unisolated: frozenset[NormalizedName] = frozenset()
    python: Path | None = None
    forbidden: bool = False
    within: frozenset[str] = frozenset()
    unpack: Unpack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """For which ``interpreter``, by which ``options`` for indexes and ``settings``; who is told."""

    interpreter: Interpreter
    options: IndexOptions
    settings: BuildSettings
    reporter: Reporter


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One project to be built: the folder ``project``, what people call it (``label``), and how.

    A folder is built where it is, as pip does: its backend may leave files behind. ``name`` is None
    where only the build tells.
    """

    project: Path
    label: str
    name: NormalizedName | None
    context: BuildContext
    config_settings: ConfigSettings = ()


def build_wheel(build: Build, output: Path, *, editable: bool = False) -> Path:
    """Builds the wheel of ``build`` in ``output`` (created); its path.

    Raises:
        InstallError: ``build-failed`` and its kin; says what the backend said.
    """
    kind: Literal["wheel", "editable"] = "editable" if editable else "wheel"
    config = _as_mapping(build.config_settings)
    with _warnings_told(build.context.reporter), _backend(build, kind) as backend:
        return Path(backend.build(kind, output, config))


def build_metadata(build: Build, output: Path) -> bytes:
    """The METADATA that the wheel of ``build`` would have, by the backend's own hook.

    A backend without ``prepare_metadata_for_build_wheel`` builds the whole wheel into ``output``.

    Raises:
        InstallError: as :func:`build_wheel`.
    """
    config = _as_mapping(build.config_settings)
    with _warnings_told(build.context.reporter), _backend(build, "wheel") as backend:
        prepared = backend.prepare("wheel", output, config)
        if prepared is not None:
            return Path(prepared, "METADATA").read_bytes()
        wheel = Path(backend.build("wheel", output, config))
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.count("/") == 1 and name.endswith(".dist-info/METADATA"):
                return archive.read(name)
    raise InstallError(
        f"{wheel.name} has no METADATA.", code="wheel-invalid", why="Its build backend left it out."
    )


@contextmanager
def _backend(build: Build, kind: Literal["wheel", "editable"]) -> Iterator[ProjectBuilder]:
    """The backend of ``build`` with all that it requires; its failures become InstallErrors."""
    from build import BuildBackendException, BuildException, ProjectBuilder

    label, context = build.label, build.context
    settings, reporter = context.settings, context.reporter
    said: Iterable[str] = ()

    def started(python: Path) -> ProjectBuilder:
        nonlocal said
        environment = BuildEnvironment(python, variables=settings.variables, reporter=reporter)
        said = environment.said
        return ProjectBuilder.from_isolated_env(environment, build.project, runner=environment.run)

    def supplied(requirements: frozenset[str]) -> ProjectBuilder:
        try:
            root = settings.supply(requirements, context)
        except VenvmanError as error:
            raise _unsupplied(label, requirements, error, context.options) from error
        return started(python_of(root))

    reporter.build_started(label)
    try:
        if build.name in settings.unisolated:
            if settings.python is None:
                raise InstallError(
                    f"{label} is to be built in the project's environment, and there is none yet.",
                    code="build-environment",
                    why="no-build-isolation names it.",
                    fix=Advice("Sync without it first, or leave it out of no-build-isolation."),
                )
            yield started(settings.python)
            return
        stated = ProjectBuilder(build.project, python_executable=str(context.interpreter.path))
        extra = settings.extra.get(build.name, ()) if build.name else ()
        wanted = frozenset({*stated.build_system_requires, *extra})
        backend = supplied(wanted)
        more = backend.get_requires_for_build(kind, _as_mapping(build.config_settings))
        yield backend if wanted.issuperset(more) else supplied(wanted | more)
    except BuildBackendException as error:
        raise _failed(build, error, said) from error
    except (BuildException, RecursionError) as error:  # the second: of TOML nested without end
        raise InstallError(
            f"{label} is not a project that can be built.",
            code="build-invalid",
            why=_sentence(str(error)),
        ) from error
    finally:
        reporter.build_finished(label)


_LISTENING: ContextVar[Reporter | None] = ContextVar("listening", default=None)


@contextmanager
def _warnings_told(reporter: Reporter) -> Iterator[None]:
    """What build front ends and back ends warn of is for people who look closely."""
    import build
    import pyproject_hooks

    # What catches warnings belongs to all threads, and a build may take minutes: none keeps it.
    for category in (build.TypoWarning, getattr(pyproject_hooks, "BuildBackendWarning", None)):
        if category is not None:
            warnings.simplefilter("always", category)
    if warnings.showwarning is not _show:
        _show.otherwise = warnings.showwarning
        warnings.showwarning = _show
    before = _LISTENING.set(reporter)
    try:
        yield
    finally:
        _LISTENING.reset(before)


class _Show:
    """Shows a warning to who builds in this thread, if anybody does, ``otherwise`` as before."""

    def __init__(self) -> None:
        self.otherwise: Callable[..., object] = warnings.showwarning

    def __call__(self, message: Warning | str, *where: object, **more: object) -> None:
        reporter = _LISTENING.get()
        if reporter is None:
            self.otherwise(message, *where, **more)
        else:
            reporter.detail(str(message))


_show = _Show()


def _failed(build: Build, error: Exception, said: Iterable[str]) -> InstallError:
    from pyproject_hooks import BackendUnavailable, HookMissing

    cause = getattr(error, "exception", error)
    if isinstance(cause, HookMissing) and "editable" in cause.hook_name:
        return InstallError(
            f"{build.label} cannot be installed as editable.",
            code="build-no-editable",
            why="Its build backend has no build_editable hook (PEP 660).",
            fix=Advice("Leave out -e, or raise the backend's version in build-system.requires."),
        )
    lines = list(said)
    if isinstance(cause, BackendUnavailable):  # what its import said; nothing else was run
        lines += cause.traceback.splitlines()
    why = reason(lines) or _sentence(str(error))
    log = _kept(build, lines)
    return InstallError(
        f"{build.label} could not be built.",
        code="build-failed",
        why=why if log is None else f"{why}\nAll that the build said: {log}",
        fix=advice(lines, name=build.name),
    )


def _kept(build: Build, lines: Iterable[str]) -> Path | None:
    """Where all that a failed build said is to be read; None where it cannot be written."""
    leaf = re.sub(r"[^A-Za-z0-9.]+", "-", build.label.rpartition("/")[2]).strip("-.")
    folder = build.context.settings.cache / "build-logs"
    path = folder / f"{leaf[:80] or 'build'}.log"
    try:
        make_private_folder(folder)
        write_atomically(path, "".join(f"{line}\n" for line in lines).encode())
    except OSError:
        return None
    return path


def _unsupplied(
    label: str, requirements: Iterable[str], error: VenvmanError, options: IndexOptions
) -> InstallError:
    """``error`` of getting what a build requires, saying whose build it was."""
    if error.code == "build-environment":
        what = f"{error.message[0].lower()}{error.message[1:]}"
        fix = error.fix
        why = error.why
    else:
        what = "its build requirements could not be had."
        fix = Advice("Run the command again without --offline.") if options.offline else error.fix
        told = [each.why or each.message for each in error.problems[:5]]
        told = list(dict.fromkeys((error.message, *told)))
        why = "\n".join((f"Needed: {', '.join(sorted(requirements))}.", *told))
    kept = {"build-environment", "build-failed", "build-in-look"}
    code = error.code if error.code in kept else "build-requirements"
    return InstallError(f"{label} could not be built: {what}", code=code, why=why, fix=fix)


def _as_mapping(settings: ConfigSettings) -> dict[str, str | list[str]]:
    """A key that comes twice gets the list of its values, as with pip."""
    result: dict[str, str | list[str]] = {}
    for key, value in settings:
        known = result.get(key)
        if known is None:
            result[key] = value
        else:
            result[key] = [*(known if isinstance(known, list) else [known]), value]
    return result


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
