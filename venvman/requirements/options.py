"""The options of one line of a requirements file. Pure.

pip reads them with :mod:`optparse`; the same rules hold here (unique abbreviations, ``-rfile``,
``--option=value``, stray words ignored), without a parser being built for every line.
"""

from __future__ import annotations

from venvman.model.names import canonical
from venvman.model.options import FileOptions


class OptionFault(Exception):
    """Why the options of a line cannot be understood; the message is a sentence."""

    def __init__(self, message: str, *, code: str = "option-invalid") -> None:
        super().__init__(message)
        self.code = code


class LineOptions:
    """The options of one line, in order: each by its long name, with its value ("" for a flag).

    Words that belong to no option have the name "". Order matters: of ``--no-binary`` and
    ``--only-binary`` the later counts. Built by :func:`read_options` only.
    """

    __slots__ = ("said",)

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def values(self, name: str) -> list[str]:
        """What was given to the option ``name``."""
        return [value for option, value in self.said if option == name]

    def has(self, name: str) -> bool:
        """Whether the option ``name`` is given."""
        return any(option == name for option, _ in self.said)


def split_line(line: str) -> tuple[str, str]:
    """A logical line as (requirement, options): options begin at the first word with a dash.

    Words are told apart by single spaces only, as pip does.
    """
    if " -" not in line and not line.startswith("-"):
        return line, ""
    words = line.split(" ")
    for position, word in enumerate(words):
        if word.startswith("-"):
            return " ".join(words[:position]), " ".join(words[position:])
    return line, ""


def read_options(text: str) -> LineOptions:
    """The options in ``text``, the second half of :func:`split_line`.

    Raises:
        OptionFault: an unknown or ambiguous option, a missing or unwanted value, an open quote.
    """
    options = LineOptions()
    words = _words(text)
    words.reverse()  # a stack: the next word is the last
    while words:
        word = words.pop()
        if word.startswith(_PLAIN_HASH):
            options.said.append(("--hash", word[len("--hash=") :]))
            continue
        if word == "--":
            break
        if word.startswith("--"):
            spelled, equals, value = word.partition("=")
            name = spelled = _full_name(spelled)
            if name in _FLAGS and equals:
                raise OptionFault(f"{name} takes no value.")
            wants = name in _VALUED and not equals
        elif word.startswith("-") and len(word) > 1:
            # Every short option takes a value, so the rest of the word is the first one's.
            spelled, value = word[:2], word[2:]
            if spelled not in _SHORT:
                raise OptionFault(_unknown(spelled), code="option-unknown")
            name, wants = _SHORT[spelled], not value
        else:
            options.said.append(("", word))
            continue
        if wants and not words:
            raise OptionFault(f"{spelled} needs a value.")
        value = words.pop() if wants else value
        _check(name, spelled, value)
        options.said.append(("--index-url" if name == "--pypi-url" else name, value))
    return options


class OptionsBuilder:
    """Gathers the global options of one file, line after line, into :class:`FileOptions`."""

    def __init__(self) -> None:
        self._index_url: str | None = None
        self._extra: list[str] = []
        self._find_links: list[str] = []
        self._hosts: list[str] = []
        self._features: list[str] = []
        self._flags: dict[str, bool] = {}
        self._formats = ExclusiveNames(*_FORMATS)
        self._releases = ExclusiveNames(*_RELEASES)

    def add_everywhere(self, options: LineOptions) -> None:
        """Takes over what counts even on a line that also has a requirement or an include."""
        for option, value in options.said:
            if option in _FORMATS:
                self._formats.add(option, value)
            elif option in _RELEASES:
                self._releases.add(option, value)

    def add(self, options: LineOptions) -> None:
        """Takes over a line of its own."""
        if options.has("--no-index"):
            self._flags["no_index"] = True
            self._index_url, self._extra = None, []
        if not self._flags.get("no_index"):
            urls = options.values("--index-url")
            if urls and urls[-1]:
                # A later --index-url replaces everything before it, extra indexes included.
                self._index_url, self._extra = urls[-1], []
            self._extra += options.values("--extra-index-url")
        self._find_links += options.values("--find-links")[:1]  # pip takes one for a line
        self._hosts += options.values("--trusted-host")
        self._features += options.values("--use-feature")
        if options.has("--pre"):
            self._releases.first.add(_ALL)
        for flag in _FLAGS - {"--no-index"}:
            if options.has(flag):
                self._flags[flag[2:].replace("-", "_")] = True

    def build(self) -> FileOptions:
        """What the file says so far."""
        return FileOptions(
            index_url=self._index_url,
            extra_index_urls=tuple(self._extra),
            find_links=tuple(self._find_links),
            trusted_hosts=tuple(dict.fromkeys(self._hosts)),
            features=tuple(dict.fromkeys(self._features)),
            no_binary=frozenset(self._formats.first),
            only_binary=frozenset(self._formats.second),
            all_releases=frozenset(self._releases.first),
            only_final=frozenset(self._releases.second),
            **self._flags,
        )


class ExclusiveNames:
    """Two sets of names that exclude each other, such as ``--no-binary`` and ``--only-binary``."""

    def __init__(self, first: str, second: str) -> None:
        self.first: set[str] = set()
        self.second: set[str] = set()
        self._sides = {first: (self.first, self.second), second: (self.second, self.first)}

    def add(self, option: str, value: str) -> None:
        """``:all:`` forgets all before it on both sides, ``:none:`` all before it on this side."""
        mine, other = self._sides[option]
        names = value.split(",") if value else []
        while _ALL in names:
            other.clear()
            mine.clear()
            mine.add(_ALL)
            del names[: names.index(_ALL) + 1]
            if _NONE not in names:
                return
        for name in names:
            if name == _NONE:
                mine.clear()
            else:
                other.discard(canonical(name))
                mine.add(canonical(name))


_ALL, _NONE = ":all:", ":none:"
_PLAIN_HASH = "--hash=sha256:"  # nearly every option of a lock; 14,000 in a large one
_HASHES = ("sha256", "sha384", "sha512")
_FEATURES = [
    "fast-deps",
    "inprocess-build-deps",
    "venv-isolation",
    "truststore",
    "no-binary-enable-wheel-cache",
    "build-constraint",
]


def _words(text: str) -> list[str]:
    # Without quotes a shell splits where str.split does, and shlex takes 30 us for each hash.
    if text.isascii() and not any(quote in text for quote in "\"'\\\x1f"):
        return text.split()
    import shlex

    try:
        return shlex.split(text)
    except ValueError as error:
        raise OptionFault(f"The options cannot be told apart: {error}.") from None


def _check(name: str, spelled: str, value: str) -> None:
    """Raises an OptionFault where ``value`` is none for the option ``name``."""
    if name in (*_FORMATS, *_RELEASES) and value.startswith("-"):
        raise OptionFault(f"{spelled} needs a value, and {value!r} looks like another option.")
    if name == "--use-feature" and value not in _FEATURES:
        known = ", ".join(_FEATURES)
        raise OptionFault(f"{spelled} knows no feature {value!r}; pip has {known}.")
    if name == "--config-settings" and "=" not in value:
        raise OptionFault(f"{spelled} needs KEY=VALUE, not {value!r}.")
    algorithm, colon, _ = value.partition(":")
    if name == "--hash" and not colon:
        raise OptionFault(
            f"{spelled} needs the algorithm and the digest, such as sha256:1234, not {value!r}."
        )
    if name == "--hash" and algorithm not in _HASHES:
        raise OptionFault(f"{spelled} takes sha256, sha384 and sha512, not {algorithm!r}.")


_FORMATS, _RELEASES = ("--no-binary", "--only-binary"), ("--all-releases", "--only-final")
# Every option that pip allows in a requirements file, by its long name.
_VALUED = (
    "--index-url", "--pypi-url", "--extra-index-url", "--constraint", "--requirement",
    "--editable", "--find-links", *_FORMATS, *_RELEASES, "--trusted-host", "--use-feature",
    "--hash", "--config-settings",
)  # fmt: skip
_FLAGS = {"--no-index", "--prefer-binary", "--require-hashes", "--no-require-hashes", "--pre"}
_SHORT = {
    "-i": "--index-url",
    "-c": "--constraint",
    "-r": "--requirement",
    "-e": "--editable",
    "-f": "--find-links",
    "-C": "--config-settings",
}
_LONG = (*_VALUED, *sorted(_FLAGS))


def _full_name(spelled: str) -> str:
    if spelled in _LONG:
        return spelled
    matches = [name for name in _LONG if name.startswith(spelled)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise OptionFault(f"{spelled} could mean {', '.join(sorted(matches))}.")
    raise OptionFault(_unknown(spelled), code="option-unknown")


def _unknown(spelled: str) -> str:
    import difflib

    near = difflib.get_close_matches(spelled, _LONG, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"pip allows no option {spelled} in a requirements file.{hint}"
