"""Plain command lines mean to us what they mean to typer, and the others are left to it."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stdout
from enum import Enum
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, get_args
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venvman.cli.commands import COMMANDS, GROUPS, load
from venvman.cli.declared import Argument, declaration_of, kind_of, parameters_of
from venvman.cli.options import common_parameters
from venvman.cli.plain import PlainLine, read
from venvman.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from inspect import Parameter
    from pathlib import Path

    from venvman.cli.commands import Command

PLACES: dict[tuple[str, ...], str] = {
    **{(name,): place for name, place in COMMANDS.items()},
    ("lock",): COMMANDS["freeze"],
    **{
        (group, name): place
        for group, (_, members) in GROUPS.items()
        for name, place in members.items()
    },
}


@cache
def parameters(words: tuple[str, ...]) -> tuple[Parameter, ...]:
    own = parameters_of(load(PLACES[words]))
    names = {each.name for each in own}
    return (*own, *(each for each in common_parameters() if each.name not in names))


@cache
def program() -> Any:
    from typer.main import get_command

    from venvman.cli.typed import app

    return get_command(app)


def as_typer_reads(line: Sequence[str]) -> PlainLine | None:
    """The command that typer would call, and with what; None where it refuses the line."""
    import typer

    from venvman.cli import typed

    called = []

    def note(function: Command, values: dict[str, Any]) -> ExitCode:
        called.append(PlainLine(function=function, values=values))
        return ExitCode.OK

    with patch.object(typed, "perform", note), redirect_stdout(io.StringIO()):
        try:
            with program().make_context("venvman", list(line)) as context:
                program().invoke(context)
        except typer.Exit:
            return None
        except Exception as error:
            if typed.fault_of(error) is None:
                raise
            return None
    return called[0]


def chosen(words: tuple[str, ...], line: PlainLine | None) -> dict[str, Any] | None:
    """What differs from the defaults, of a line that is right."""
    if line is None:
        return None
    assert line.function is load(PLACES[words])
    defaults = {each.name: each.default for each in parameters(words)}
    return {name: value for name, value in line.values.items() if value != defaults[name]}


def spelled(parameter: Parameter) -> st.SearchStrategy[list[str]]:
    """Every way in which people write this option, right and wrong."""
    declared = declaration_of(parameter)
    if isinstance(declared, Argument):
        return st.lists(st.sampled_from(["one", "a==1", "2", "-1", "post-merge"]), max_size=2)
    spellings = [each for name in declared.spellings for each in name.split("/")]
    if "bool" in str(kind_of(parameter)):
        return st.sampled_from(spellings).map(lambda name: [name])
    values = st.sampled_from([*choices(parameter), "3.11", "no such", "", "-x", "a=b"])
    return st.one_of(
        st.tuples(st.sampled_from(spellings), values).map(list),
        st.tuples(st.sampled_from(spellings), values).map("=".join).map(lambda word: [word]),
        st.tuples(st.sampled_from(spellings), values).map("".join).map(lambda word: [word]),
        st.sampled_from(spellings).map(lambda name: [name]),
    )


def choices(parameter: Parameter) -> list[str]:
    kind = kind_of(parameter)
    return [
        each.value
        for one in (kind, *get_args(kind))
        if isinstance(one, type) and issubclass(one, Enum)
        for each in one
    ]


def lines(words: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    strange = st.sampled_from([["--"], ["-qv"], ["--no-such"], ["stray"], ["-"], ["--help"]])
    parts = st.one_of(*map(spelled, parameters(words)), strange)
    return st.lists(parts, max_size=4).map(lambda each: [*chain(*each)])


class TestAgreement:
    @pytest.mark.parametrize("words", PLACES, ids=" ".join)
    @settings(max_examples=40)
    @given(data=st.data())
    def test_a_plain_line_means_what_typer_says_it_means(
        self, words: tuple[str, ...], data: st.DataObject
    ) -> None:
        rest = data.draw(lines(words))

        ours = read([*words, *rest])

        assert ours is None or chosen(words, ours) == chosen(words, as_typer_reads([*words, *rest]))

    # `hooks run` takes one word out of four, which is typer's to check.
    @pytest.mark.parametrize("words", sorted(PLACES.keys() - {("hooks", "run")}), ids=" ".join)
    def test_every_flag_is_plain(self, words: tuple[str, ...]) -> None:
        needed = ["one"] if any(each.default is each.empty for each in parameters(words)) else []
        for parameter in parameters(words):
            declared = declaration_of(parameter)
            if isinstance(declared, Argument) or "bool" not in str(kind_of(parameter)):
                continue
            for spelling in (each for name in declared.spellings for each in name.split("/")):
                assert read([*words, spelling, *needed]) is not None, spelling

    @pytest.mark.parametrize(
        "line",
        [
            [],
            ["--help"],
            ["--version"],
            ["sync", "--help"],
            ["sync", "-qv"],
            ["sync", "stray"],
            ["sync", "--group"],
            ["sync", "--format", "xml"],
            ["sync", "--group", "--frozen"],
            ["why"],
            ["hooks"],
            ["cache", "no-such"],
            ["tree", "--depth", "2"],
            ["--project", ".", "sync"],
        ],
        ids=" ".join,
    )
    def test_what_is_not_plain_is_left_to_typer(self, line: list[str]) -> None:
        assert read(line) is None

    def test_the_words_after_a_program_are_the_program_s(self) -> None:
        line = read(["run", "--sync", "pytest", "-q", "--frozen"])

        assert line is not None
        assert line.values == {"sync": True, "command": ["pytest", "-q", "--frozen"]}


@pytest.mark.parametrize(
    "words",
    [["sync"], ["freeze"], ["status"], ["doctor"], ["history"], ["cache", "dir"], ["diff"]],
    ids=" ".join,
)
def test_a_plain_line_imports_no_typer(words: list[str], tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    program = (
        "import sys\n"
        "from venvman.cli.app import main\n"
        "main(sys.argv[1:])\n"
        "heavy = {'typer', 'click', 'pydantic'}\n"
        "sys.exit(' '.join(sorted(heavy & sys.modules.keys())) or 0)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, *words, "--format", "json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
