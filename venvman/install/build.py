"""A project folder to a wheel, or to its metadata, through its own build backend (PEP 517, 660).

The backend runs in isolation, in the target's Python. What it says becomes ``Reporter.detail``
lines, and its last words the reason of the error when it fails.
"""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from venvman.errors import Advice, InstallError
from venvman.frozen import dataclass
from venvman.install.isolation import isolated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from build import ProjectBuilder

    from venvman.events import Reporter
    from venvman.install.isolation import BuildEnvironment
    from venvman.names import NormalizedName
    from venvman.options import IndexOptions
    from venvman.python.probe import Interpreter

ConfigSettings = tuple[tuple[str, str], ...]
"""``--config-settings`` of one requirement, in order; a key may come more than once."""

_SHOWN_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """What builds need besides the project and the index options.

    ``cache`` is venvman's cache folder (git mirrors, downloads under way, pip's cache),
    ``variables`` the environment mapping: backends see it, ``${VAR}`` in URLs is looked up in it.
    ``constraints`` are PEP 508 texts that bound build requirements. ``forbidden`` says that nothing
    may be built, since the command only looks.
    """

    cache: Path
    variables: Mapping[str, str]
    constraints: tuple[str, ...] = ()
    config_settings: Mapping[NormalizedName, ConfigSettings] = field(default_factory=dict)
    forbidden: bool = False


def build_wheel(
    project: Path,
    output: Path,
    *,
    label: str,
    editable: bool = False,
    config_settings: ConfigSettings = (),
    interpreter: Interpreter,
    options: IndexOptions,
    settings: BuildSettings,
    reporter: Reporter,
) -> Path:
    """Builds the project folder ``project`` into a wheel in ``output`` (created); its path.

    ``label`` is what people call the thing being built. A folder is built where it is, as pip
    does: its backend may leave files behind.

    Raises:
        InstallError: ``build-failed`` and its kin; says what the backend said.
    """
    kind: Literal["wheel", "editable"] = "editable" if editable else "wheel"
    config = _as_mapping(config_settings)
    with _backend(
        project, label=label, interpreter=interpreter, options=options, settings=settings,
        reporter=reporter,
    ) as (builder, environment):  # fmt: skip
        environment.install(builder.build_system_requires)
        environment.install(builder.get_requires_for_build(kind, config))
        return Path(builder.build(kind, output, config))


def build_metadata(
    project: Path,
    output: Path,
    *,
    label: str,
    config_settings: ConfigSettings = (),
    interpreter: Interpreter,
    options: IndexOptions,
    settings: BuildSettings,
    reporter: Reporter,
) -> bytes:
    """The METADATA that the wheel of ``project`` would have, by the backend's own hook.

    A backend without ``prepare_metadata_for_build_wheel`` builds the whole wheel into ``output``.

    Raises:
        InstallError: as :func:`build_wheel`.
    """
    config = _as_mapping(config_settings)
    with _backend(
        project, label=label, interpreter=interpreter, options=options, settings=settings,
        reporter=reporter,
    ) as (builder, environment):  # fmt: skip
        environment.install(builder.build_system_requires)
        environment.install(builder.get_requires_for_build("wheel", config))
        prepared = builder.prepare("wheel", output, config)
        if prepared is not None:
            return Path(prepared, "METADATA").read_bytes()
        return _metadata_in(Path(builder.build("wheel", output, config)))


@contextmanager
def _backend(
    project: Path,
    *,
    label: str,
    interpreter: Interpreter,
    options: IndexOptions,
    settings: BuildSettings,
    reporter: Reporter,
) -> Iterator[tuple[ProjectBuilder, BuildEnvironment]]:
    """The backend of ``project`` in a fresh environment; its failures become InstallErrors."""
    from build import BuildBackendException, BuildException, ProjectBuilder

    reporter.build_started(label)
    try:
        with (
            _warnings_told(reporter),
            isolated(
                interpreter,
                options=options,
                cache=settings.cache,
                variables=settings.variables,
                constraints=settings.constraints,
                reporter=reporter,
            ) as environment,
        ):
            try:
                builder = ProjectBuilder.from_isolated_env(
                    environment, project, runner=environment.run
                )
                yield builder, environment
            except BuildBackendException as error:
                raise _failed(label, error, environment) from error
            except (
                BuildException,
                RecursionError,
            ) as error:  # the second: of TOML nested without end
                raise InstallError(
                    f"{label} is not a project that can be built.",
                    code="build-invalid",
                    why=_sentence(str(error)),
                ) from error
            except InstallError as error:
                raise _named(label, error, options) from error
    finally:
        reporter.build_finished(label)


@contextmanager
def _warnings_told(reporter: Reporter) -> Iterator[None]:
    """Warnings of the build front end are for people who look closely."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            for warning in caught:
                reporter.detail(str(warning.message))


def _failed(label: str, error: Exception, environment: BuildEnvironment) -> InstallError:
    from pyproject_hooks import HookMissing

    cause = getattr(error, "exception", error)
    if isinstance(cause, HookMissing) and "editable" in cause.hook_name:
        return InstallError(
            f"{label} cannot be installed as editable.",
            code="build-no-editable",
            why="Its build backend has no build_editable hook (PEP 660).",
            fix=Advice("Leave out -e, or raise the backend's version in build-system.requires."),
        )
    said = "\n".join(list(environment.tail)[-_SHOWN_LINES:])
    return InstallError(
        f"{label} could not be built.",
        code="build-failed",
        why=said or _sentence(str(error)),
        fix=Advice(_hint("\n".join(environment.tail))),
    )


def _named(label: str, error: InstallError, options: IndexOptions) -> InstallError:
    """``error`` of the environment, saying whose it was."""
    fix = error.fix
    if fix is None and options.offline and error.code == "build-requirements":
        fix = Advice("Run the command again without --offline.")
    return InstallError(
        f"{label} could not be built: {error.message[0].lower()}{error.message[1:]}",
        code=error.code,
        why=error.why,
        fix=fix,
    )


_HINTS = (
    (r"Python\.h: No such file", "install the headers of this Python (python3-dev, python3-devel)"),
    (r"pg_config executable not found", "install PostgreSQL's headers (libpq-dev, libpq-devel)"),
    (r"mysql_config.*not found|MYSQLCLIENT_CFLAGS", "install MySQL's headers (libmysqlclient-dev)"),
    (r"rustc|[Rr]ust (compiler|toolchain)|cargo", "install Rust (https://rustup.rs)"),
    (r"fatal error: \S+\.h: No such file", "install the library whose header is missing"),
    (
        r"command '\S*(gcc|cc|clang|g\+\+)\S*' failed: No such file|unable to execute '\S*cc'",
        "install a C compiler (build-essential, gcc, Xcode's command line tools)",
    ),
    (r"Microsoft Visual C\+\+ .* is required", "install Microsoft's C++ build tools"),
    (
        r"no attribute 'cython_sources'",
        "upgrade it, or set build-constraints = ['cython<3']: it was written for Cython 0",
    ),
    (
        r"No module named '(distutils|imp|pkg_resources)'|use_2to3|configparser\.SafeConfigParser",
        "upgrade it, or use an older Python: it was written for one",
    ),
    (
        r"ModuleNotFoundError: No module named",
        "upgrade it: it needs a module that its build-system.requires does not name",
    ),
)
"""What backends say, and what people do about it; the first that fits."""


_SHOW_ALL = "run the command again with --verbose: it shows all that the build said"


_SHOW_ALL = "run the command again with --verbose: it shows all that the build said"


def _hint(said: str) -> str:
    hint = next((hint for pattern, hint in _HINTS if re.search(pattern, said)), _SHOW_ALL)
    return f"{hint[0].upper()}{hint[1:]}."


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


def _metadata_in(wheel: Path) -> bytes:
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.count("/") == 1 and name.endswith(".dist-info/METADATA"):
                return archive.read(name)
    raise InstallError(
        f"{wheel.name} has no METADATA.", code="wheel-invalid", why="Its build backend left it out."
    )


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
