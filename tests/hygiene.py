"""Two small checks for the pre-commit configuration, without another dependency.

python -m tests.hygiene whitespace FILE...    no trailing blanks, one newline at the end
python -m tests.hygiene syntax FILE...        TOML and YAML parse
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    """Prints ``path: fault`` for every fault; 1 if there was one."""
    checks: dict[str, Callable[[Path], list[str]]] = {
        "whitespace": whitespace_faults,
        "syntax": syntax_faults,
    }
    check = checks[arguments[0]]
    faults = [f"{path}: {fault}" for path in arguments[1:] for fault in check(Path(path))]
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


def whitespace_faults(path: Path) -> list[str]:
    """Lines of ``path`` that end in a blank, and a missing or repeated final newline."""
    content = path.read_bytes()
    faults = [
        f"line {number} ends in a blank"
        for number, line in enumerate(content.split(b"\n"), 1)
        if line != line.rstrip(b" \t")
    ]
    if content and (not content.endswith(b"\n") or content.endswith(b"\n\n")):
        faults.append("does not end in exactly one newline")
    return faults


def syntax_faults(path: Path) -> list[str]:
    """What the TOML or YAML parser says of ``path``."""
    text = path.read_text(encoding="utf-8")
    try:
        if path.suffix == ".toml":
            _parse_toml(text)
        else:
            _parse_yaml(text)
    except ValueError as error:
        return [str(error)]
    return []


def _parse_toml(text: str) -> None:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    tomllib.loads(text)


def _parse_yaml(text: str) -> None:
    import yaml

    try:
        yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
