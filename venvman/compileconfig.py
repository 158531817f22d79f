"""What pip-compile is configured with (``[tool.pip-tools]``): the words of its command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.errors import ConfigurationError
from venvman.settings import parse_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_FILES = (".pip-tools.toml", "pyproject.toml")
# Their opposite is what pip-compile does of itself.
_USUAL = frozenset(
    {"annotate", "emit-find-links", "emit-index-url", "emit-trusted-host", "strip-extras"}
)
# What no header shows: which run it was, and what there is to say in any case.
_TRANSIENT = frozenset(
    {"upgrade", "upgrade-package", "rebuild", "quiet", "verbose", "dry-run", "output-file"}
    | {"src-files", "header", "no-header", "no-config", "config", "cache-dir", "color"}
)


def configured_words(read: Callable[[str], str | None]) -> tuple[str, ...]:
    """The options, sorted as pip-compile's header has them; ``read`` gives a file's text.

    Like pip-compile, takes the first file that has such a table.
    """
    for name in _FILES:
        text = read(name)
        if text is not None and "pip-tools" in text and (table := _table(text)):
            return tuple(
                sorted(word for key, value in table.items() for word in _words(key, value))
            )
    return ()


def _table(text: str) -> Mapping[str, object]:
    """``[tool.pip-tools]``, that of ``compile`` on top; faults of TOML are told elsewhere."""
    try:
        tools = parse_toml(text.encode()).get("tool", {}).get("pip-tools", {})
    except (ConfigurationError, AttributeError):
        return {}
    if not isinstance(tools, dict):
        return {}
    own = tools.get("compile")
    table = {**tools, **(own if isinstance(own, dict) else {})}
    return {
        key.replace("_", "-"): value for key, value in table.items() if not isinstance(value, dict)
    }


def _words(key: str, value: object) -> Iterator[str]:
    if key in _TRANSIENT:
        return
    if value is True:
        yield f"--{key}"
    elif value is False:
        if key in _USUAL:
            yield f"--no-{key}"
    elif isinstance(value, list):
        yield from (f"--{key}={each}" for each in value)
    else:
        yield f"--{key}={value}"
