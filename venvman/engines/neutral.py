"""The environment that pip-compile runs in: pip's configuration neutral, ours put in its place.

Credentials reach pip as variables, never as arguments, which every user of a machine can read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.process import without_python_variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvman.options import IndexOptions

__all__ = ["pip_environment"]

# Not `PIP_`, but they change what pip-compile does or writes.
_OTHERS = ("CUSTOM_COMPILE_COMMAND", "PIP_TOOLS_CACHE_DIR", "FORCE_COLOR", "CLICOLOR_FORCE")


def pip_environment(
    variables: Mapping[str, str], index: IndexOptions, *, cache: Path
) -> dict[str, str]:
    """``variables`` without pip's, pip-tools' and Python's own, plus what ``index`` amounts to.

    ``cache`` is the folder for everything that pip and pip-compile keep.
    """
    result = {
        name: value
        for name, value in without_python_variables(variables).items()
        if not name.startswith("PIP_") and name not in _OTHERS
    }
    result |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_CACHE_DIR": str(cache / "pip"),
        "PIP_TOOLS_CACHE_DIR": str(cache / "pip-tools"),
        "PIP_NO_COLOR": "1",
        "NO_COLOR": "1",
        "PYTHONUTF8": "1",
        "PYTHONWARNINGS": "ignore",
        "PIP_TIMEOUT": f"{index.timeout:g}",
        "PIP_RETRIES": str(index.retries),
    }
    # pip.conf files beside the user's home and the interpreter are read even with PIP_CONFIG_FILE
    # set to a real file; os.devnull is pip's word for "none at all".
    return result | {name: value for name, value in _options(index) if value}


def _options(index: IndexOptions) -> Iterable[tuple[str, str]]:
    main, *extra = index.index_urls or ("",)
    yield "PIP_INDEX_URL", main
    yield "PIP_EXTRA_INDEX_URL", " ".join(extra)
    yield "PIP_NO_INDEX", "" if main and not index.offline else "1"
    yield "PIP_FIND_LINKS", " ".join(_as_url(link) for link in index.find_links)
    yield "PIP_TRUSTED_HOST", " ".join(sorted(index.trusted_hosts))
    yield "PIP_NO_BINARY", ",".join(sorted(index.no_binary))
    yield "PIP_ONLY_BINARY", ",".join(sorted(index.only_binary))
    yield "PIP_PREFER_BINARY", "1" if index.prefer_binary else ""
    yield "PIP_PRE", "1" if index.pre else ""
    yield "PIP_CERT", index.cert or ""
    yield "PIP_CLIENT_CERT", index.client_cert or ""
    yield "PIP_PROXY", index.proxy or ""
    yield "PIP_KEYRING_PROVIDER", index.keyring_provider


def _as_url(link: str) -> str:
    """A folder as a URL: pip splits the variable at blanks, which a path may hold."""
    return Path(link).as_uri() if os.path.isabs(link) else link  # noqa: PTH117 - may be a URL
