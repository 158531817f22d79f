"""What a lock says of itself: who made the file, with which command, from which files. Pure.

pip-compile, uv and venvman each begin what they write with a paragraph that names them and the
command. That paragraph is read here, once, for every stage: its sources and options are the lock's.
Where a header names no source (a script's name, or no header at all), the ``# via -r FILE`` notes
of the pins do.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import field, replace
from enum import Enum
from functools import lru_cache
from pathlib import Path

from venvman.model.errors import Advice, Command, Fix
from venvman.model.frozen import dataclass
from venvman.model.names import NormalizedName, canonical

COMPILERS = frozenset({"pip-compile", "uv", "venvman"})
"""The tools whose header makes a file a lock."""

EXPORTED = "# Made from the project's locks"
"""How what ``venvman export`` writes begins: for others, and no part of the project."""

UNSAFE_COMMENTS = (
    "# The following packages are considered to be unsafe in a requirements file:",
    "# WARNING: The following packages were not pinned, but pip requires them to be",
    "# The following packages were excluded from the output:",
)
"""pip-compile's two headings for what it sorts last, pinned or not, and uv's for what is not."""

UNSAFE_PACKAGES = frozenset(NormalizedName(name) for name in ("setuptools", "distribute", "pip"))
"""What pip-compile leaves out without ``--allow-unsafe``, and sorts last with it."""


class Annotations(str, Enum):
    """pip-compile's two ways to write more than one ``via``, named as its option names them."""

    SPLIT = "split"
    """One name a line, below the entry."""
    LINE = "line"
    """All names after one ``# via``, on the entry's own line where it has no hashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockStyle:
    """What shapes a lock's text besides its pins. The defaults are those of a new lock.

    ``unsafe`` are the names that are left out unless ``allow_unsafe``.
    """

    hashes: bool = True
    strip_extras: bool = True
    allow_unsafe: bool = True
    annotate: bool = True
    annotations: Annotations = Annotations.SPLIT
    emit_index_url: bool = False
    emit_find_links: bool = True
    unsafe: frozenset[NormalizedName] = UNSAFE_PACKAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """A compile command taken apart: ``words`` are its input files, ``options`` in order.

    An option without a value has the value None. ``start`` is the word after the tool's name.
    ``is_compile`` is False for scripts (``make
    lock``), whose options are not those of pip-compile or uv.
    """

    is_compile: bool = False
    start: int = 0
    words: tuple[str, ...] = ()
    options: tuple[tuple[str, str | None], ...] = ()

    def has(self, *names: str) -> bool:
        """Whether any of the options ``names`` is given."""
        return any(name in names for name, _ in self.options)

    def values(self, *names: str) -> tuple[str, ...]:
        """What is given to the options ``names``, in order."""
        return tuple(value for name, value in self.options if name in names and value is not None)

    def last(self, *names: str) -> str | None:
        """The value that counts where an option may be given once."""
        found = self.values(*names)
        return found[-1] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockHeader:
    """The comment lines at the top, and what they say.

    ``tool`` is ``venvman``, ``pip-compile``, ``uv`` or another generator's name, ``command`` the
    line that made the file, ``python`` the ``3.11`` of "with Python 3.11", each None if not said.
    ``noted`` are the files that the ``# via -r FILE`` notes below name, ``is_inline`` says that pip
    and setuptools stand among the other pins (:func:`read_header`, where the command names no
    source). ``is_complete``: nothing is left out by rule (PEP 751).
    """

    text: str
    tool: str | None = None
    command: str | None = None
    python: str | None = None
    noted: tuple[str, ...] = field(default=(), compare=False)
    is_inline: bool = field(default=False, compare=False)
    is_complete: bool = False

    @property
    def is_compiled(self) -> bool:
        """Whether a tool that makes locks wrote the file."""
        return self.tool in COMPILERS

    @property
    def is_lock(self) -> bool:
        """Whether the file is a lock: a known maker's, or all pins with notes of what asks."""
        return self.is_compiled or self.is_complete or (self.tool is None and bool(self.noted))

    @property
    def rerun(self) -> Command | None:
        """The command, to be run again in the project's folder."""
        try:
            words = shlex.split(self.command or "")
        except ValueError:
            return None
        return Command((("cd", Path()), tuple(words))) if words else None

    @property
    def remake(self) -> Fix:
        """What makes the lock again, whatever is wrong with it."""
        if self.tool == "venvman":
            return Command.venvman("freeze", "--yes")
        otherwise = "`venvman freeze --yes` does where requirements files say what it is of."
        return self.rerun or Advice(f"Have {self.tool} write it again; {otherwise}")

    @property
    def line(self) -> CommandLine:
        """The command, taken apart; empty where there is none."""
        return _command_line(self.command or "")

    @property
    def sources(self) -> tuple[str, ...]:
        """The input files that the command names, as written; not what the notes name."""
        return self.line.words

    @property
    def output(self) -> str | None:
        """The file that the command writes, as written."""
        return self.line.last("-o", "--output-file")

    @property
    def constraints(self) -> tuple[str, ...]:
        """The files that the command's ``-c`` name, as written."""
        return self.line.values("-c", "--constraint", "--constraints")

    @property
    def exclude_newer(self) -> str | None:
        """The date or age that files had to have (``--uploaded-prior-to``, ``--exclude-newer``).

        A plain date is the whole day for uv, and midnight, when it begins, for pip.
        """
        prior = self.line.last("--uploaded-prior-to")
        if prior is not None and re.fullmatch(r"\d{4}-\d\d-\d\d", prior):
            return f"{prior}T00:00:00"
        return prior or self.line.last("--exclude-newer")

    @property
    def index_lines(self) -> tuple[str, ...]:
        """The command's options about indexes and files, as lines of a requirements file."""
        found = []
        for name, value in self.line.options:
            if name == "--prerelease" and value == "allow":
                found.append("--pre")
            elif name in _INDEX_OPTIONS:
                found.append(f"{_INDEX_OPTIONS[name]} {value or ''}".strip())
        return tuple(found)

    @property
    def minor(self) -> str | None:
        """The ``3.12`` that the lock is for, as the header or its command says."""
        asked = self.line.last("--python-version", "-p", "--python") if self.tool == "uv" else None
        found = re.match(r"\d+\.\d+", asked or "")
        return self.python or (found[0] if found else None)

    @property
    def unsupported(self) -> tuple[str, ...]:
        """The options of the command that only its own tool can carry out."""
        return tuple(dict.fromkeys(name for name, _ in self.line.options if name in _UNSUPPORTED))

    @property
    def is_signed(self) -> bool:
        """Whether it bears the sum of the sources, as pip-compile-multi writes and verifies it."""
        return self.text.startswith("# SHA1:")

    @property
    def declared(self) -> tuple[str, ...] | None:
        """Of a lock that pip-compile makes of pyproject.toml alone: its extras as ``--extra=x``."""
        if self.tool != "pip-compile" or self.sources != ("pyproject.toml",):
            return None
        if {*self.unsupported} - {"--extra"}:
            return None
        extras = [name for value in self.line.values("--extra") for name in value.split(",")]
        return tuple(f"--extra={canonical(each)}" for each in extras)

    @property
    def is_frozen_here(self) -> bool:
        """Whether venvman can write the lock again: from requirements files, options and all."""
        if self.declared is not None:
            return len(self.declared) < 2
        inputs = all(name.endswith((".in", ".txt")) for name in self.sources)
        exported = (self.command or "").startswith("uv export")
        return self.is_compiled and inputs and not (exported or self.is_signed or self.unsupported)

    @property
    def style(self) -> LockStyle:
        """The shape that the command asks for; a header without one asks for the default."""
        style = _style(self.tool, self.line)
        inline = self.is_inline and not self.line.is_compile
        return replace(style, unsafe=frozenset()) if inline else style


def parse_header(text: str) -> LockHeader | None:
    """The header of ``text``; None where no comment line comes before the first other line.

    Blank lines before the header are not part of it. A comment that names no generator is a header
    with no ``tool``.
    """
    lines: list[str] = []
    for line in text.lstrip("\ufeff").splitlines():
        if line.startswith("#"):
            lines.append(line)
        elif lines or line.strip():
            break
    if not lines:
        return None
    tool, found = _generator(lines)
    python = _PYTHON.search(found) if tool else None
    return LockHeader(
        text="\n".join(lines),
        tool=tool,
        command=_command(lines) if tool else None,
        python=python[1] if python else None,
    )


def read_header(text: str) -> LockHeader | None:
    """As :func:`parse_header`, of a whole file: with the files that its notes name.

    Without a header a file is a lock if every line is a pin and notes say which files ask.
    """
    header = parse_header(text)
    if header is not None and header.sources:
        return header
    # The files of `# via -r FILE`, each once; the line numbers of old notes left out.
    found: dict[str, None] = {}
    for split, line in _NOTED.findall(text):
        for each in (split or line).split(","):
            flag, _, path = re.sub(r" \(line \d+\)$", "", each.strip()).partition(" ")
            if flag == "-r" and path:
                found[path.strip()] = None
    noted = tuple(found)
    if not noted or (not (header is not None and header.is_compiled) and not _is_pinned(text)):
        return header
    inline = not any(comment in text for comment in UNSAFE_COMMENTS)
    return replace(header or LockHeader(text=""), noted=noted, is_inline=inline)


def read_pylock_header(text: str) -> LockHeader:
    """What a file in the format of PEP 751 says of its maker, found without reading it all."""

    def said(key: str, table: str) -> str | None:
        found = re.search(rf"^{key}\s*=\s*([\"'])(.*)\1\s*(?:#.*)?$", table, re.MULTILINE)
        return None if found is None else found[2].replace('\\"', '"').replace("\\\\", "\\")

    own = text.partition("\n[tool.venvman]\n")[2]
    above = parse_header(text)
    return LockHeader(
        text="",
        tool=said("created-by", text.partition("[[")[0]) or "another tool",
        command=said("command", own) or (above.command if above is not None else None),
        python=said("python", own),
        is_complete=True,
    )


# The sentence each generator writes. pip-compile's own wording is also hatch-pip-compile's, so the
# name is taken up to the next space.
_GENERATORS = (
    (re.compile(r"autogenerated by (hatch-pip-compile|pip-compile|uv|venvman)\b"), None),
    (re.compile(r"autogenerated by pipenv\b"), "pipenv"),
    (re.compile(r"generated by (rye|pip-deepfreeze|poetry|pdm)\b", re.IGNORECASE), None),
)
_PYTHON = re.compile(r"with python (\d+\.\d+)", re.IGNORECASE)
_COMMAND_FOLLOWS = re.compile(r"following command:|to update, run:|Pipfile, run:", re.IGNORECASE)
_COMMAND = re.compile(r"#(?: {2,}|\t)(\S.*)")
_INPUTS = (".in", ".txt", "pyproject.toml", "setup.py", "setup.cfg", "pylock.toml")
_NOTED = re.compile(r"^[ \t]+#(?: via|  ) (-r [^#\n]+)$|[ \t]# via (-r [^#\n]+)$", re.MULTILINE)
_PINNED = re.compile(
    r"[A-Za-z0-9][^=\s]*\s*===?\s*[^*\s]+|\S+ @ |(?:-e|--editable)[ =]|--?[a-z]|\."
)

# Options of pip-compile and `uv pip compile` that take their value as the next word.
_VALUED = """-o --output-file -c --constraint --constraints -i --index-url --default-index --index
--extra-index-url -f --find-links --extra --group -P --upgrade-package --python-version -p
--python --python-platform --cache-dir --annotation-style --resolver --resolution --prerelease
--exclude-newer --uploaded-prior-to --no-binary --only-binary --no-emit-package --unsafe-package
--override --overrides -b --build-constraint --build-constraints --config --pip-args --newline
--trusted-host --cert --client-cert --custom-compile-command --exclude-newer-package
--index-strategy --keyring-provider --torch-backend --fork-strategy --target"""
_OPTIONS_WITH_VALUE = frozenset(_VALUED.split())

_INDEX_OPTIONS = {
    "-i": "--index-url",
    "--index-url": "--index-url",
    "--default-index": "--index-url",
    "--extra-index-url": "--extra-index-url",
    "--index": "--extra-index-url",
    "-f": "--find-links",
    "--find-links": "--find-links",
    "--trusted-host": "--trusted-host",
    "--no-index": "--no-index",
    "--no-binary": "--no-binary",
    "--only-binary": "--only-binary",
    "--pre": "--pre",
}

_FOREIGN = """--universal --python-platform --resolution --override --overrides --no-deps --group
--all-extras --extra --exclude-newer-package --torch-backend --fork-strategy --only-build-deps
--build-deps-for --all-build-deps --emit-marker-expression --emit-index-annotation
--emit-build-options --no-build --no-sources"""
_UNSUPPORTED = frozenset(_FOREIGN.split())


@lru_cache(maxsize=64)
def _command_line(command: str) -> CommandLine:
    try:
        words = shlex.split(command)
    except ValueError:
        return CommandLine()
    start, is_compile = _arguments(words)
    inputs: list[str] = []
    options: list[tuple[str, str | None]] = []
    waiting: str | None = None
    for word in words[start:]:
        if waiting is not None:
            options.append((waiting, word))
            waiting = None
        elif word in {"&&", ";", "|", "||", ">"}:
            break
        elif word.startswith("-") and word != "-":
            name, equals, value = word.partition("=")
            if equals:
                options.append((name, value))
            elif name in _OPTIONS_WITH_VALUE:
                waiting = name
            else:
                options.append((name, None))
        elif word.lower().endswith(_INPUTS):
            inputs.append(word)
    return CommandLine(
        is_compile=is_compile, start=start, words=tuple(inputs), options=tuple(options)
    )


def _arguments(words: list[str]) -> tuple[int, bool]:
    """Where the arguments of the compile command in ``words`` begin, and whether it is one."""
    for index, word in enumerate(words):
        name = word.rpartition("/")[2]
        if name == "pip-compile" or (name == "venvman" and words[index + 1 : index + 2]):
            return index + 1 + (name == "venvman"), True
        if name == "compile" and words[max(index - 1, 0)] in {"pip", "piptools"}:
            return index + 1, True
    return 0, False


def _style(tool: str | None, line: CommandLine) -> LockStyle:
    if tool not in COMPILERS or not line.is_compile:
        return LockStyle()
    if tool == "venvman":
        return LockStyle(hashes=not line.has("--no-hashes"))
    unsafe = frozenset(
        canonical(value) for value in line.values("--unsafe-package", "--no-emit-package")
    )
    uv = tool == "uv"
    return LockStyle(
        hashes=line.has("--generate-hashes"),
        strip_extras=not line.has("--no-strip-extras") if uv else line.has("--strip-extras"),
        # uv leaves out only what --no-emit-package names.
        allow_unsafe=not unsafe if uv else line.has("--allow-unsafe"),
        annotate=not line.has("--no-annotate", "--no-annotation"),
        annotations=Annotations.LINE
        if line.last("--annotation-style") == "line"
        else Annotations.SPLIT,
        emit_index_url=(not uv and not line.has("--no-emit-index-url"))
        or line.has("--emit-index-url"),
        emit_find_links=not line.has("--no-emit-find-links")
        and (not uv or line.has("--emit-find-links")),
        unsafe=unsafe or (frozenset() if uv else UNSAFE_PACKAGES),
    )


def is_hashed(text: str) -> bool:
    """Whether ``text`` holds pins, each with a hash, and nothing else but comments and options."""
    joined = re.sub(r"\s*\\\r?\n\s*", " ", text)
    lines = [line for line in joined.splitlines() if line[:1] not in {"", " ", "#"}]
    pins = [line for line in lines if not line.startswith("--")]
    return bool(pins) and _is_pinned(joined) and all(" --hash" in line for line in pins)


def _is_pinned(text: str) -> bool:
    """Whether every line that is no comment and no option is a pin."""
    lines = (line for line in text.lstrip("\ufeff").splitlines() if line[:1] not in {"", " ", "#"})
    return all(_PINNED.match(line) and not line.startswith(("-r", "-c")) for line in lines)


def _generator(lines: list[str]) -> tuple[str | None, str]:
    for line in lines:
        for pattern, name in _GENERATORS:
            match = pattern.search(line)
            if match:
                return name or match[1].lower(), line
    return None, ""


def _command(lines: list[str]) -> str | None:
    asked = False
    for line in lines:
        match = _COMMAND.match(line) if asked else None
        if match:
            return match[1].strip()
        asked = asked or _COMMAND_FOLLOWS.search(line) is not None
    return None
