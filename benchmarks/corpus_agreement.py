"""Compares venvman's reading of requirements files with pip's, line by line.

    python benchmarks/corpus_agreement.py CORPUS

CORPUS holds ``files/`` (requirements files as found in public repositories) and ``expected/`` (for
each ``files/PATH`` a ``expected/PATH.json`` with what pip's own parser made of it). Prints figures
and every difference; ends with 1 if there is one that docs/reference/requirements-files.md does not
explain.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from venvman.model.errors import RequirementsError
from venvman.model.options import DEFAULT_INDEX, FileOptions
from venvman.project.project import Project
from venvman.project.scan import Library
from venvman.requirements.file import IncludeLine, OptionLine, ParsedFile, RequirementLine
from venvman.requirements.includes import Follower

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Row = tuple[Any, ...]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("corpus", type=Path)
    corpus = arguments.parse_args().corpus.resolve()
    counts: Counter[str] = Counter()
    unexplained = 0
    for answer in sorted((corpus / "expected").rglob("*.json")):
        expected = json.loads(answer.read_text("utf-8"))
        counts["files"] += 1
        differences = list(Comparison(corpus / "files", expected, counts).differences())
        counts["files that agree"] += not differences
        for difference in differences:
            print(f"{expected['file']}: {difference}")
        unexplained += len(differences)
    for what, count in sorted(counts.items()):
        print(f"{count:7} {what}")
    print(f"{unexplained:7} unexplained differences")
    return 1 if unexplained else 0


class Comparison:
    """One file of the corpus against pip's answer."""

    def __init__(self, files: Path, expected: dict[str, Any], counts: Counter[str]) -> None:
        self.files = files
        self.expected = expected
        self.counts = counts
        self.root = files / expected["cwd"]
        self.location = str(files / expected["file"])

    def differences(self) -> Iterator[str]:
        """What venvman and pip do not agree about, as sentences."""
        library = self.library({})
        yield from self.own_lines(library)
        yield from self.whole(library, "requirements", "options")
        if "requirements_env" in self.expected:
            values = {name: f"val-{name}" for name in self.expected["env_names"]}
            yield from self.whole(self.library(values), "requirements_env", "options_env")

    def library(self, variables: Mapping[str, str]) -> Library:
        return Library(Project(root=self.root), variables=variables)

    def own_lines(self, library: Library) -> Iterator[str]:
        """This file alone: the same kind of line at the same place."""
        theirs = [self.own_kind(line) for line in self.expected["own"]]
        self.counts["lines"] += len(theirs)
        try:
            parsed = library.load(self.location)
        except RequirementsError:
            ours: list[Row] = [(None, "error")]
        else:
            ours = own_rows(parsed)
        yield from unequal("line", theirs, ours)

    def own_kind(self, line: dict[str, Any]) -> Row:
        if line["kind"] == "nested":
            return line["line"], "nested", line["target"], line.get("constraint", False)
        if line["kind"] == "requirement" and self.is_fault(
            self.expected["requirements"][line["i"]] if "i" in line else line
        ):
            return line["line"], "error"
        return line["line"], line["kind"]

    @staticmethod
    def is_fault(requirement: dict[str, Any]) -> bool:
        """A local path that is only missing is no fault to venvman: it may be built later."""
        return "error" in requirement and not requirement.get("local_path")

    def whole(self, library: Library, requirements: str, options: str) -> Iterator[str]:
        """The file with all it includes: the same requirements in the same order, the options."""
        if self.expected["error" if requirements == "requirements" else "error_env"] and (
            not self.expected[requirements]
        ):
            return  # pip read nothing at all; the line by line comparison has told
        follower = Follower(library.load, stand_ins={})
        ours: list[Row] = []
        merged: list[FileOptions] = []
        for visit in follower.follow(self.location):
            if visit.line is None:
                merged.append(visit.parsed.options)
            elif isinstance(visit.line, RequirementLine):
                ours.append(our_row(visit.line, constraint=visit.constraint))
        theirs = [
            self.their_row(each) for each in self.expected[requirements] if not self.is_fault(each)
        ]
        self.counts["requirements"] += len(theirs)
        yield from unequal("requirement", theirs, ours)
        if follower.problems and not self.expected["error"]:
            yield f"includes: {[each.message for each in follower.problems]}"
        if len(merged) == 1:
            self.counts["options compared"] += 1
            yield from self.options(self.expected[options], merged[0])

    def their_row(self, row: dict[str, Any]) -> Row:
        hashes = row.get("hashes", {})
        return (
            row["line"],
            row.get("canonical"),
            row.get("name"),
            row.get("specifier", ""),
            tuple(sorted(row.get("extras", ()))),
            row.get("marker"),
            self.their_url(row.get("url")),
            row.get("editable", False),
            tuple(sorted(f"{algorithm}:{d}" for algorithm in hashes for d in hashes[algorithm])),
            row.get("constraint", False),
        )

    def their_url(self, url: str | None) -> str | None:
        """The corpus masks the folder it lay in: ``file://owner__repo/x``; put it back."""
        if url is None or not url.startswith("file://") or url.startswith("file:///"):
            return url
        if url.startswith("file://corpus"):
            return f"file://{quote(str(self.files.parent))}{url[len('file://corpus') :]}"
        top = quote(self.expected["file"].partition("/")[0])
        return f"file://{quote(str(self.files))}/{url[7:]}" if url[7:].startswith(top) else url

    def options(self, theirs: dict[str, Any], ours: FileOptions) -> Iterator[str]:
        indexes = [] if ours.no_index else [ours.index_url or DEFAULT_INDEX]
        mine = {
            "features": list(ours.features),
            "find_links": list(ours.find_links),
            "index_urls": [*indexes, *ours.extra_index_urls],
            "no_binary": sorted(ours.no_binary),
            "no_index": ours.no_index,
            "only_binary": sorted(ours.only_binary),
            "prefer_binary": ours.prefer_binary,
            "require_hashes": ours.require_hashes,
            "trusted_hosts": list(ours.trusted_hosts),
            "all_releases": sorted(ours.all_releases),
            "only_final": sorted(ours.only_final),
        }
        for name, value in theirs.items():
            if mine[name] != value:
                yield f"option {name}: pip {value}, venvman {mine[name]}"


def own_rows(parsed: ParsedFile) -> list[Row]:
    rows: list[Row] = [(error.line, "error") for error in parsed.errors]
    for line in parsed.lines:
        number = line.origin.line
        if isinstance(line, IncludeLine):
            rows.append((number, "nested", line.target, line.constraint))
        else:
            rows.append((number, "option" if isinstance(line, OptionLine) else "requirement"))
    return sorted(rows, key=lambda row: row[0])


def our_row(line: RequirementLine, *, constraint: bool) -> Row:
    requirement = line.requirement
    return (
        requirement.origin.line,
        requirement.name,
        requirement.spelled,
        str(requirement.specifier),
        line.extras,
        None if requirement.marker is None else str(requirement.marker),
        line.url,
        line.editable,
        tuple(sorted(requirement.hashes)),
        constraint,
    )


def unequal(what: str, theirs: list[Row], ours: list[Row]) -> Iterator[str]:
    missing = Counter(theirs) - Counter(ours)
    added = Counter(ours) - Counter(theirs)
    for row in missing.elements():
        yield f"{what} of pip's only: {row}"
    for row in added.elements():
        yield f"{what} of venvman's only: {row}"
    if not missing and not added and theirs != ours:
        yield f"{what}s in another order"


if __name__ == "__main__":
    sys.exit(main())
