"""VM2: requirements files that are missing, faulty or vague."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from venvman.doctor import codes
from venvman.model.errors import Advice, Severity
from venvman.model.names import NormalizedName, canonical
from venvman.model.sources import ArchiveSource, DirectorySource, Source, VcsSource
from venvman.requirements.options import OptionFault, read_options, split_line
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding
    from venvman.requirements.file import Requirement


def presence(examination: Examination) -> Iterator[Finding]:
    """A project without anything to install from."""
    if not examination.has_sources and not examination.locks:
        yield codes.NO_REQUIREMENTS(
            f"{examination.project.root.name} has no requirements file.",
            fix=Advice("Name a first package with `venvman add`."),
        )


def faults(examination: Examination) -> Iterator[Finding]:
    """Every fault of every file, each with its line."""
    for problem in examination.scan_problems:
        why = f" {problem.why}" if problem.why else ""
        noted = problem.severity is Severity.NOTE
        yield codes.REQUIREMENTS_FAULTY(
            problem.message + why,
            path=problem.path,
            line=problem.line,
            # A note tells how something is meant; nothing is wrong with the file.
            fix=problem.fix or (None if noted else _edit(problem.path, problem.line)),
            severity=problem.severity,
        )


def open_revisions(examination: Examination) -> Iterator[Finding]:
    """A repository without a branch, tag or commit: every freeze may take another commit."""
    for group in examination.requirements.groups if examination.requirements else ():
        for requirement in group.requirements:
            source = requirement.source
            if isinstance(source, VcsSource) and source.revision is None:
                yield codes.REVISION_OPEN(
                    f"{source} names no branch, tag or commit: the next upgrade takes whatever "
                    "its default branch is at then.",
                    package=requirement.name,
                    at=requirement.origin,
                    fix=Advice(f"Add @ and a tag or commit to the URL in {requirement.origin}."),
                )


def gone(examination: Examination) -> Iterator[Finding]:
    """Local projects that are not where a line says."""
    for requirement in _asked(examination):
        path = _path_of(requirement.source)
        if path is not None and not path.exists():
            shown = examination.display(path)
            yield codes.PATH_GONE(
                f"{requirement.origin} asks for {shown}, where there is nothing.",
                package=requirement.name,
                at=requirement.origin,
                fix=Advice(f"Bring {shown} back, or correct {requirement.origin}."),
            )


def _path_of(source: Source) -> Path | None:
    """The folder or file on this machine that ``source`` names; None if it is elsewhere."""
    if isinstance(source, DirectorySource):
        return Path(source.path)
    if isinstance(source, ArchiveSource) and source.url.startswith("file:///"):
        from urllib.parse import unquote, urlsplit

        return Path(unquote(urlsplit(source.url).path))
    return None


def unset(examination: Examination) -> Iterator[Finding]:
    """Lines that need a variable that nobody has set here."""
    for name, line in examination.unset:
        yield codes.VARIABLE_UNSET(
            f"{line} needs the variable {name}, which is not set here.",
            at=line,
            fix=Advice(f"Set {name} in the environment of the shell."),
        )


def extras(examination: Examination) -> Iterator[Finding]:
    """Extras that the package, as it is installed, does not have: installers only warn."""
    there = {each.name: each for each in examination.distributions}
    for requirement in _asked(examination):
        installed = there.get(requirement.name) if requirement.name and requirement.extras else None
        metadata = examination.metadata(installed) if installed is not None else None
        if installed is None or metadata is None:
            continue
        unknown = requirement.extras - {canonical(each) for each in metadata.extras}
        for extra in sorted(unknown):
            yield codes.EXTRA_UNKNOWN(
                f"{requirement.origin} asks for {requirement.name}[{extra}], but "
                f"{requirement.name} {installed.version} has no extra of that name.",
                package=requirement.name,
                at=requirement.origin,
                fix=Advice(f"Correct the extra in {requirement.origin}, or take it out."),
            )


def repeated(examination: Examination) -> Iterator[Finding]:
    """One package twice in a file, and packages that no version of satisfies every line."""
    by_name: defaultdict[NormalizedName, list[Requirement]] = defaultdict(list)
    for each in _asked(examination):
        if each.name is not None and each.source.is_index:
            by_name[each.name].append(each)
    for name, several in by_name.items():
        yield from _twice(name, [each for each in several if not each.constraint])
        is_asked = any(not each.constraint for each in several)
        if is_asked and name not in examination.overrides:
            yield from _contrary(name, several)


def _twice(name: NormalizedName, several: list[Requirement]) -> Iterator[Finding]:
    first: dict[str, Requirement] = {}
    for each in several:
        before = first.setdefault(each.origin.path, each)
        if before is not each:
            yield codes.LISTED_TWICE(
                f"{name} is listed twice: {before.origin} and {each.origin}.",
                package=name,
                at=each.origin,
                fix=Advice("Make one line of both."),
            )


def _contrary(name: NormalizedName, several: list[Requirement]) -> Iterator[Finding]:
    together = SpecifierSet()
    for number, each in enumerate(several):
        together &= each.specifier
        if not _has_room(together):
            others = ", ".join(f"{one.raw} ({one.origin})" for one in several[:number])
            yield codes.REQUIREMENTS_CONTRARY(
                f"No version of {name} satisfies {each.raw} as well as {others}.",
                package=name,
                at=each.origin,
                fix=Advice("Change one of these lines so that a version is left for all."),
            )
            return


def _has_room(specifiers: SpecifierSet) -> bool:
    """Whether some version could be allowed: the bounds, and what lies next to them, are tried."""
    if any(each.operator == "===" for each in specifiers):
        return True
    bounds = [Version(each.version.removesuffix(".*")) for each in specifiers]
    near = [f"{bound.base_version}{more}" for bound in bounds for more in ("", ".0.1", ".post1")]
    tried = [*bounds, *map(Version, near), Version("0")]
    return any(specifiers.contains(each, prereleases=True) for each in tried)


def _asked(examination: Examination) -> tuple[Requirement, ...]:
    """The lines that hold for the environment's Python, each once in however many groups."""
    markers = {**dict(examination.target.markers), "extra": ""} if examination.target else {}
    found = {
        each.origin: each
        for group in (examination.requirements.groups if examination.requirements else ())
        for each in (*group.requirements, *group.constraints)
    }
    return tuple(
        each
        for each in found.values()
        if each.marker is None or not markers or each.marker.evaluate(markers)
    )


def unused(examination: Examination) -> Iterator[Finding]:
    """Constraints that limit nothing, though their name says that they should."""
    for path in examination.unused:
        name = examination.display(path)
        yield codes.CONSTRAINTS_UNUSED(
            f"{name} is named like a file of constraints, but no -c and no setting names it: it "
            "limits nothing here.",
            path=name,
            fix=Advice(
                "Name it by a -c line of a requirements file, or in `constraints` of "
                "[tool.venvman]; or remove it."
            ),
        )


def ignored(examination: Examination) -> Iterator[Finding]:
    """What stands on a line and has no effect there, as pip reads it."""
    for file in examination.files:
        for line in file.lines:
            words = _ignored(line.origin.text) if _OPTION.search(line.origin.text) else ""
            if words:
                yield codes.OPTION_IGNORED(
                    f"{line.origin}: {words} has no effect on this line.",
                    at=line.origin,
                    fix=Advice(f"Give it a line of its own, or take it out of {line.origin}."),
                )


_OPTION = re.compile(r"(?:^|\s)-(?!-hash=)")
_OF_FILES = (
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--trusted-host",
    "--use-feature",
    "--no-index",
    "--prefer-binary",
    "--require-hashes",
    "--pre",
)


def _ignored(text: str) -> str:
    """What pip ignores of a line: it takes a requirement, else one include, else options."""
    body, rest = split_line(_COMMENT.sub("", text))
    try:
        options = read_options(rest)
    except OptionFault:
        return ""
    includes = [f"-r {each}" for each in options.values("--requirement")]
    includes += [f"-c {each}" for each in options.values("--constraint")]
    is_requirement = bool(body.strip()) or options.has("--editable")
    lost = options.values("")
    if is_requirement or includes:
        lost += filter(options.has, _OF_FILES)
        lost += includes if is_requirement else includes[1:]
    else:
        lost += [f"--find-links {each}" for each in options.values("--find-links")[1:]]
    if options.has("--hash") and not body.strip():
        lost.append("--hash")
    return ", ".join(map(redact, lost))


_COMMENT = re.compile(r"(^|\s+)#.*$", re.MULTILINE)


def misspelled(examination: Examination) -> Iterator[Finding]:
    """Names that nothing here knows, and that are nearly those of well-known packages."""
    locks = [each.lock for each in examination.locks if each.lock is not None]
    known = {entry.name for lock in locks for entry in lock.entries}
    known |= {each.name for each in examination.distributions}
    popular = _POPULAR.split()
    known |= set(map(canonical, popular))
    for each in _asked(examination):
        name = each.name
        if name is None or not each.source.is_index or name in known:
            continue
        meant = next((one for one in popular if _is_near(name, one)), None)
        if meant is not None:
            yield codes.NAME_MISSPELLED(
                f"{each.origin} asks for {name}, which no lock and no environment here has: "
                f"{meant} is a well-known package.",
                package=name,
                at=each.origin,
                fix=Advice(f"Write {meant}, if that is meant."),
            )


def _is_near(one: str, other: str) -> bool:
    """Whether a letter more, less, another or two in turn make one of the other."""
    if len(one) < 4 or abs(len(one) - len(other)) > 1:
        return False
    pairs = list(zip_longest(one, other))
    first = next(number for number, (left, right) in enumerate(pairs) if left != right)
    left, right = one[first:], other[first:]
    rests = {left[1:], left} & {right[1:], right}
    return bool(rests) or (left[1::-1] == right[:2] and left[2:] == right[2:])


# The best known of those that are most often downloaded.
_POPULAR = """
aiohttp alembic ansible anyio apache-airflow argcomplete arrow attrs azure-core azure-identity
babel bcrypt beautifulsoup4 black bleach bokeh boto boto3 botocore cachetools celery certifi
cffi chardet charset-normalizer click cloudpickle colorama coverage cryptography cython dask
dateparser decorator distro django django-filter django-rest-framework djangorestframework
docker docutils dnspython elasticsearch faker fastapi filelock flake8 flask flask-cors
flask-sqlalchemy fsspec gevent gitpython google-api-core google-auth google-cloud-storage
greenlet grpcio gunicorn h11 httpcore httplib2 httpx huggingface-hub hypothesis idna
importlib-metadata ipython isort itsdangerous jinja jinja2 jmespath joblib jsonschema jupyter
jupyterlab keras keyring kubernetes langchain lightgbm loguru lxml mako markdown markupsafe
marshmallow matplotlib mkdocs mock msgpack multidict mypy mysqlclient nltk notebook numba numpy
oauthlib openai opencv-python openpyxl orjson packaging pandas paramiko pathspec pendulum pillow
pip-tools platformdirs plotly pluggy polars poetry pre-commit prettytable prometheus-client
protobuf psutil psycopg psycopg2 psycopg2-binary pyarrow pyasn1 pycparser pydantic
pydantic-settings pygments pyjwt pylint pymongo pymysql pynacl pyopenssl pyparsing pyspark
pytest pytest-asyncio pytest-cov pytest-mock pytest-xdist python-dateutil python-dotenv
python-multipart pytz pyyaml pyzmq redis regex requests requests-oauthlib rich ruff s3transfer
scikit-learn scipy scrapy seaborn selenium sentry-sdk setuptools shapely simplejson six sphinx
sqlalchemy sqlparse starlette streamlit sympy tabulate tenacity tensorflow toml tomli torch
torchvision tornado tox tqdm transformers twine typer typing-extensions tzdata ujson urllib3
uvicorn uvloop virtualenv watchdog websocket-client websockets werkzeug wheel wrapt xgboost yarl
zipp
"""


def _edit(path: str | None, line: int | None) -> Advice | None:
    if path is None:
        return None
    return Advice(f"Correct {path}" + (f", line {line}." if line is not None else "."))
