"""An index client for tests, and a reporter that remembers what it was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from venvman.index.client import Index
from venvman.model.errors import Problem
from venvman.model.events import Reporter
from venvman.model.options import IndexOptions
from venvman.model.target import Target
from venvman.system.directories import Directories


@dataclass
class Memory(Reporter):
    """Remembers problems, details and downloads."""

    problems: list[Problem] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    received: dict[str, int] = field(default_factory=dict)

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)

    def detail(self, text: str) -> None:
        self.details.append(text)

    def download_advanced(self, label: str, *, received: int) -> None:
        self.received[label] = self.received.get(label, 0) + received

    @property
    def codes(self) -> list[str]:
        """The codes of the problems, in order."""
        return [problem.code for problem in self.problems]


def client(
    home: Path,
    *urls: str,
    reporter: Reporter | None = None,
    variables: Mapping[str, str] | None = None,
    **options: Any,
) -> Index:
    """A client of the indexes ``urls``; one retry, short time-outs, everything kept in ``home``."""
    base = IndexOptions(index_urls=urls, retries=1, timeout=2.0)
    return Index(
        replace(base, **options),
        directories=Directories(cache=home / "cache", state=home / "state"),
        variables={"HOME": str(home), **(variables or {})},
        reporter=reporter,
    )


def linux(python: str = "3.11.7") -> Target:
    """CPython on x86-64 Linux with glibc 2.17 or newer, its tags in pip's order."""
    minor = "".join(python.split(".")[:2])
    platforms = ("manylinux_2_17_x86_64", "manylinux2014_x86_64", "linux_x86_64")
    tags = [f"cp{minor}-{abi}-{each}" for abi in (f"cp{minor}", "abi3") for each in platforms]
    tags += [f"py3-none-{each}" for each in platforms]
    tags += [f"cp{minor}-none-any", f"py{minor}-none-any", "py3-none-any"]
    markers = (("platform_machine", "x86_64"), ("python_full_version", python))
    return Target(python=python, markers=(*markers, ("sys_platform", "linux")), tags=tuple(tags))
