"""A throw-away environment of the target's interpreter, for a build backend to run in.

Build requirements are put in by the pip that came with the interpreter, straight from its wheel,
with its configuration neutral but for the indexes venvman itself uses.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.errors import Advice, InstallError
from venvman.git import without_repository
from venvman.process import CalledProcessError, run, stream, without_python_variables
from venvman.python.probe import bundled_pip
from venvman.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from venvman.events import Reporter
    from venvman.options import IndexOptions
    from venvman.python.probe import Interpreter

_KEPT_LINES = 200


@contextmanager
def isolated(
    interpreter: Interpreter,
    *,
    options: IndexOptions,
    cache: Path,
    variables: Mapping[str, str],
    constraints: tuple[str, ...] = (),
    reporter: Reporter,
) -> Iterator[BuildEnvironment]:
    """An empty environment of ``interpreter``, gone after the block.

    ``variables`` is the environment mapping that backends see, less what would lead them out of
    the isolation; ``constraints`` are requirement texts for what is installed into it.

    Raises:
        InstallError: ``build-environment`` where the interpreter cannot make one.
    """
    # Not in the cache: its path may be long, and scripts of build tools begin with their path.
    root = Path(os.path.realpath(tempfile.mkdtemp(prefix="venvman-build-")))
    try:
        made = run(
            [interpreter.path, "-I", "-m", "venv", "--without-pip", root / "env"],
            env=without_python_variables(variables),
        )
        if not made.ok:
            raise InstallError(
                f"{interpreter} could not create an environment to build in.",
                code="build-environment",
                why=(made.stderr or made.stdout).strip()[-500:] or None,
                fix=None if interpreter.has_venv else Advice("Install its venv module."),
            )
        file = root / "constraints.txt"
        file.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
        pip = pip_variables(options, cache=cache, constraints=file if constraints else None)
        yield BuildEnvironment(
            interpreter, root / "env", variables=_neutral(variables) | pip, reporter=reporter
        )
    finally:
        shutil.rmtree(root, ignore_errors=True)


class BuildEnvironment:
    """Implements ``build.env.IsolatedEnv``; ``tail`` is the end of what its processes said."""

    def __init__(
        self,
        interpreter: Interpreter,
        folder: Path,
        *,
        variables: Mapping[str, str],
        reporter: Reporter,
    ) -> None:
        self._interpreter = interpreter
        self._scripts = folder / interpreter.scheme.scripts
        self._variables = variables
        self._reporter = reporter
        self.tail: deque[str] = deque(maxlen=_KEPT_LINES)

    @property
    def python_executable(self) -> str:
        """The Python inside, absolute."""
        return str(self._scripts / "python")

    def make_extra_environ(self) -> dict[str, str]:
        """What a backend sees besides this environment's own variables: its scripts come first."""
        path = self._variables.get("PATH", os.defpath)
        return {"PATH": f"{self._scripts}{os.pathsep}{path}"}

    def install(self, requirements: Collection[str]) -> None:
        """Installs ``requirements`` (PEP 508 texts) with their dependencies.

        Raises:
            InstallError: ``build-requirements``; ``why`` is the end of what pip said.
        """
        if not requirements:
            return
        pip = bundled_pip(self._interpreter)
        if pip is None:
            raise InstallError(
                f"{self._interpreter} has no pip to install build requirements with.",
                code="build-requirements",
                why=f"Needed: {', '.join(sorted(requirements))}.",
                fix=Advice("Install its ensurepip module (python3-venv on Debian and Ubuntu)."),
            )
        # pip runs from its wheel; -I would keep it from starting itself so for nested builds.
        command = [self.python_executable, str(pip / "pip"), "install", "--", *sorted(requirements)]
        try:
            self.run(command)
        except CalledProcessError:
            raise InstallError(
                "The build requirements could not be installed.",
                code="build-requirements",
                why="\n".join(list(self.tail)[-6:]) or None,
            ) from None

    def run(
        self,
        cmd: Sequence[str],
        cwd: str | None = None,
        extra_environ: Mapping[str, str] | None = None,
    ) -> None:
        """Runs ``cmd`` in the environment; the runner of ``build.ProjectBuilder``.

        Raises:
            CalledProcessError: an exit code other than 0; ``tail`` says more.
        """
        self.tail.clear()
        variables = {**self._variables, **self.make_extra_environ(), **(extra_environ or {})}
        folder = Path(cwd) if cwd else None
        done = stream(cmd, on_line=self._heard, cwd=folder, env=variables)
        if not done.ok:
            raise CalledProcessError(done.code, list(cmd))

    def _heard(self, line: str) -> None:
        line = redact(line.rstrip())
        if line:
            self.tail.append(line)
            self._reporter.detail(line)


def pip_variables(
    options: IndexOptions, *, cache: Path, constraints: Path | None = None
) -> dict[str, str]:
    """The whole configuration of pip as variables: its files are not read, nothing is asked.

    Credentials in URLs go this way too, since other users can read command lines.
    """
    result = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_CACHE_DIR": str(cache / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_NO_COMPILE": "1",
        "PIP_NO_WARN_SCRIPT_LOCATION": "1",
        "PIP_PROGRESS_BAR": "off",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_TIMEOUT": f"{options.timeout:g}",
        "PIP_RETRIES": str(options.retries),
    }
    links = [_as_url(link) for link in options.find_links]
    if options.offline:
        links = [link for link in links if link.startswith("file:")]
    if options.index_urls and not options.offline:
        result["PIP_INDEX_URL"] = options.index_urls[0]
        result["PIP_EXTRA_INDEX_URL"] = " ".join(options.index_urls[1:])
    else:
        result["PIP_NO_INDEX"] = "1"
    result |= {
        "PIP_FIND_LINKS": " ".join(links),
        "PIP_TRUSTED_HOST": " ".join(sorted(options.trusted_hosts)),
        "PIP_NO_BINARY": ",".join(sorted(options.no_binary)),
        "PIP_ONLY_BINARY": ",".join(sorted(options.only_binary)),
        "PIP_CERT": options.cert or "",
        "PIP_CLIENT_CERT": options.client_cert or "",
        "PIP_PROXY": options.proxy or "",
        "PIP_PRE": "1" if options.pre else "",
        "PIP_PREFER_BINARY": "1" if options.prefer_binary else "",
    }
    if constraints is not None:
        # The second is what pip 25.3 and newer hand on to builds within builds, the first what
        # older ones do.
        result["PIP_CONSTRAINT"] = result["PIP_BUILD_CONSTRAINT"] = _as_url(str(constraints))
    return {name: value for name, value in result.items() if value}


def _neutral(variables: Mapping[str, str]) -> dict[str, str]:
    """``variables`` less those of pip, Python, this virtual environment and a running git hook."""
    kept = without_repository(without_python_variables(variables))
    return {
        name: value
        for name, value in kept.items()
        if not name.startswith("PIP_") and name not in ("VIRTUAL_ENV", "CONDA_PREFIX")
    }


def _as_url(place: str) -> str:
    """``place`` with a path made a URL: pip splits these variables at white space."""
    from venvman.directurl import file_url

    return place if "://" in place else file_url(Path(place).absolute().as_posix())
