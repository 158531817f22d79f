"""The options of one line of a requirements file. Pure.

pip reads them with :mod:`optparse`; the same rules hold here (unique abbreviations, ``-rfile``,
``--option=value``, stray words ignored), without a parser being built for every line.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.model.names import canonical
from venvman.model.options import FileOptions

if TYPE_CHECKING:
    from collections.abc import Callable


class OptionFault(Exception):
    """Why the options of a line cannot be understood; the message is a sentence."""

    def __init__(self, message: str, *, code: str = "option-invalid") -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True, kw_only=True)
class LineOptions:
    """What the options of one line say, in order. Built by :func:`read_options` only.

    ``formats`` and ``releases`` are ``(option, value)`` pairs: their order matters, and pip obeys
    them even beside a requirement, where it ignores every other global option. ``stray`` are words
    that belong to no option.
    """

    requirements: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    editables: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    config_settings: list[tuple[str, str]] = field(default_factory=list)
    index_url: str | None = None
    extra_index_urls: list[str] = field(default_factory=list)
    find_links: list[str] = field(default_factory=list)
    trusted_hosts: list[str] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    no_index: bool = False
    prefer_binary: bool = False
    require_hashes: bool = False
    no_require_hashes: bool = False
    pre: bool = False
    formats: list[tuple[str, str]] = field(default_factory=list)
    releases: list[tuple[str, str]] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)


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
            options.hashes.append(word[len("--hash=") :])
            continue
        if word == "--":
            break
        if word.startswith("--"):
            _read_long(options, word, words)
        elif word.startswith("-") and len(word) > 1:
            # Every short option takes a value, so the rest of the word is the first one's.
            short, value = word[:2], word[2:]
            if short not in _SHORT:
                raise OptionFault(_unknown(short), code="option-unknown")
            _VALUED[_SHORT[short]](options, short, value or _value_of(short, words))
        else:
            options.stray.append(word)
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
        self._formats = _Pair("--no-binary", "--only-binary")
        self._releases = _Pair("--all-releases", "--only-final")

    def add_everywhere(self, options: LineOptions) -> None:
        """Takes over what counts even on a line that also has a requirement or an include."""
        for option, value in options.formats:
            self._formats.add(option, value)
        for option, value in options.releases:
            self._releases.add(option, value)

    def add(self, options: LineOptions) -> None:
        """Takes over a line of its own."""
        if options.no_index:
            self._flags["no_index"] = True
            self._index_url, self._extra = None, []
        if not self._flags.get("no_index"):
            if options.index_url:
                # A later --index-url replaces everything before it, extra indexes included.
                self._index_url, self._extra = options.index_url, []
            self._extra += options.extra_index_urls
        self._find_links += options.find_links[:1]  # pip takes one for a line
        self._hosts += options.trusted_hosts
        self._features += options.features
        if options.pre:
            self._releases.first.add(_ALL)
        for flag in ("prefer_binary", "require_hashes", "no_require_hashes", "pre"):
            if getattr(options, flag):
                self._flags[flag] = True

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


class _Pair:
    """Two sets of names that exclude each other, such as ``--no-binary`` and ``--only-binary``."""

    def __init__(self, first: str, second: str) -> None:
        self.first: set[str] = set()
        self.second: set[str] = set()
        self._sides = {first: (self.first, self.second), second: (self.second, self.first)}

    def add(self, option: str, value: str) -> None:
        """``:all:`` forgets all before it on both sides, ``:none:`` all before it on this side."""
        mine, other = self._sides[option]
        names = value.split(",")
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


def _appends(name: str) -> Callable[[LineOptions, str, str], None]:
    def take(options: LineOptions, _spelled: str, value: str) -> None:
        getattr(options, name).append(value)

    return take


def _pairs(name: str, option: str) -> Callable[[LineOptions, str, str], None]:
    def take(options: LineOptions, spelled: str, value: str) -> None:
        if value.startswith("-"):
            raise OptionFault(f"{spelled} needs a value, and {value!r} looks like another option.")
        getattr(options, name).append((option, value))

    return take


def _take_index(options: LineOptions, _spelled: str, value: str) -> None:
    options.index_url = value


def _take_feature(options: LineOptions, spelled: str, value: str) -> None:
    if value not in _FEATURES:
        known = ", ".join(_FEATURES)
        raise OptionFault(f"{spelled} knows no feature {value!r}; pip has {known}.")
    options.features.append(value)


def _take_hash(options: LineOptions, spelled: str, value: str) -> None:
    algorithm, colon, _ = value.partition(":")
    if not colon:
        raise OptionFault(
            f"{spelled} needs the algorithm and the digest, such as sha256:1234, not {value!r}."
        )
    if algorithm not in _HASHES:
        raise OptionFault(f"{spelled} takes sha256, sha384 and sha512, not {algorithm!r}.")
    options.hashes.append(value)


def _take_setting(options: LineOptions, spelled: str, value: str) -> None:
    key, equals, content = value.partition("=")
    if not equals:
        raise OptionFault(f"{spelled} needs KEY=VALUE, not {value!r}.")
    options.config_settings.append((key, content))


# Every option that pip allows in a requirements file, by its long name.
_VALUED: dict[str, Callable[[LineOptions, str, str], None]] = {
    "--index-url": _take_index,
    "--pypi-url": _take_index,
    "--extra-index-url": _appends("extra_index_urls"),
    "--constraint": _appends("constraints"),
    "--requirement": _appends("requirements"),
    "--editable": _appends("editables"),
    "--find-links": _appends("find_links"),
    "--no-binary": _pairs("formats", "--no-binary"),
    "--only-binary": _pairs("formats", "--only-binary"),
    "--all-releases": _pairs("releases", "--all-releases"),
    "--only-final": _pairs("releases", "--only-final"),
    "--trusted-host": _appends("trusted_hosts"),
    "--use-feature": _take_feature,
    "--hash": _take_hash,
    "--config-settings": _take_setting,
}
_FLAGS = {
    "--no-index": "no_index",
    "--prefer-binary": "prefer_binary",
    "--require-hashes": "require_hashes",
    "--no-require-hashes": "no_require_hashes",
    "--pre": "pre",
}
_SHORT = {
    "-i": "--index-url",
    "-c": "--constraint",
    "-r": "--requirement",
    "-e": "--editable",
    "-f": "--find-links",
    "-C": "--config-settings",
}
_LONG = (*_VALUED, *_FLAGS)


def _read_long(options: LineOptions, word: str, words: list[str]) -> None:
    spelled, equals, value = word.partition("=")
    name = _full_name(spelled)
    if name in _FLAGS:
        if equals:
            raise OptionFault(f"{name} takes no value.")
        setattr(options, _FLAGS[name], True)
    else:
        _VALUED[name](options, name, value if equals else _value_of(name, words))


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


def _value_of(name: str, words: list[str]) -> str:
    if not words:
        raise OptionFault(f"{name} needs a value.")
    return words.pop()
