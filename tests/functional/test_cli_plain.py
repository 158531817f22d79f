"""Plain command lines mean to us what they mean to typer, and the others are left to it."""

from __future__ import annotations

import functools
import io
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from enum import Enum
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.cli import ended, run_process
from tests.support.projects import write_project
from tools.cli_page import page
from venvman.cli import table
from venvman.cli.declare import Argument, Kind, Option, flag
from venvman.cli.read import Glance, Line, read
from venvman.cli.table import COMMANDS, Command, Sync
from venvman.githooks.script import HookMode
from venvman.model.errors import ExitCode
from venvman.project.settings import Link
from venvman.report.graph import GraphForm

NAMES = [*COMMANDS, "lock"]


def command_of(name: str) -> Command:
    return COMMANDS[{"lock": "freeze"}.get(name, name)]


@functools.cache
def program_for(name: str, _declared: Command | None) -> Any:
    """What typer makes of a line that names this command, as it is declared."""
    from typer.main import get_command

    from venvman.cli import typed

    return get_command(typed.app_for(name.split()))


def as_typer_reads(line: Sequence[str]) -> Line | None:
    """The command that typer would call, and with what; None where it refuses the line."""
    import typer

    from venvman.cli import typed

    called = []

    def note(line: Line, _words: Sequence[str]) -> ExitCode:
        called.append(line)
        return ExitCode.OK

    named = Glance(line).command
    program = program_for(named, table.COMMANDS.get(named))
    with patch.object(typed, "perform", note), redirect_stdout(io.StringIO()):
        try:
            with program.make_context("venvman", list(line)) as context:
                program.invoke(context)
        except typer.Exit:
            return None
        except Exception as error:
            if typed.fault_of(error) is None:
                raise
            return None
    return called[0]


def said(line: Line | None) -> tuple[str, dict[str, object]] | None:
    if line is None:
        return None
    # What is not given is None to typer where it is no word to us.
    defaults = line.command.defaults()
    values = {
        name: defaults[name] if value is None else value for name, value in line.values.items()
    }
    return line.command.name, values


def spelled(declared: Option | Argument) -> st.SearchStrategy[list[str]]:
    """Every way in which people write this option, right and wrong."""
    if isinstance(declared, Argument):
        return st.lists(st.sampled_from(["one", "a==1", "2", "-1", "post-merge"]), max_size=2)
    spellings = st.sampled_from(declared.spellings)
    if declared.kind in (Kind.FLAG, Kind.SWITCH):
        return spellings.map(lambda name: [name])
    values = st.sampled_from([*declared.choices, "3.11", "7", "no such", "", "-x", "a=b"])
    return st.one_of(
        st.tuples(spellings, values).map(list),
        st.tuples(spellings, values).map("=".join).map(lambda word: [word]),
        st.tuples(spellings, values).map("".join).map(lambda word: [word]),
        spellings.map(lambda name: [name]),
    )


def lines(command: Command) -> st.SearchStrategy[list[str]]:
    strange = st.sampled_from([["--"], ["-qv"], ["--no-such"], ["stray"], ["-"], ["--help"]])
    declared: list[Option | Argument] = list(command.options)
    declared += [command.argument] if command.argument else []
    parts = st.one_of(*map(spelled, declared), strange)
    return st.lists(parts, max_size=4).map(lambda each: [*chain(*each)])


class TestAgreement:
    @pytest.mark.parametrize("name", NAMES)
    @settings(max_examples=40)
    @given(data=st.data())
    def test_a_plain_line_means_what_typer_says_it_means(
        self, name: str, data: st.DataObject
    ) -> None:
        line = [*name.split(), *data.draw(lines(command_of(name)))]
        ours = read(line)
        assert ours is None or said(ours) == said(as_typer_reads(line))

    @pytest.mark.parametrize("name", NAMES)
    def test_every_flag_is_plain(self, name: str) -> None:
        command = command_of(name)
        argument = command.argument
        needed = [*(argument.choices or ["1"])][:1] if argument is not None else []
        for option in command.options:
            if option.kind in (Kind.FLAG, Kind.SWITCH):
                for spelling in option.spellings:
                    assert read([*name.split(), spelling, *needed]) is not None, spelling

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
            ["hooks", "run", "no-such"],
            ["cache", "no-such"],
            ["tree", "--depth", "0"],
            ["--project", ".", "sync"],
        ],
        ids=" ".join,
    )
    def test_what_is_not_plain_is_left_to_typer(self, line: list[str]) -> None:
        assert read(line) is None

    def test_the_words_after_a_program_are_the_program_s(self) -> None:
        line = read(["run", "--sync", "pytest", "-q", "--frozen"])
        assert line is not None
        assert line.values["sync"] is True
        assert line.values["command"] == ("pytest", "-q", "--frozen")
        assert line.values["quiet"] is False


class TestTable:
    def test_a_new_flag_is_read_by_all_readers_without_more_ado(self) -> None:
        class Grown(Sync):
            new = flag("Try it.")

        sync = COMMANDS["sync"]
        grown = Command("sync", sync.function, sync.help, Grown)

        with patch.dict(table.COMMANDS, {"sync": grown}):
            ours, theirs = read(["sync", "--new"]), as_typer_reads(["sync", "--new"])
            completed = completions("venvman sync --ne")
            text = page()

        assert ours is not None
        assert theirs is not None
        assert isinstance(ours.given, Grown)
        assert ours.given.new is ours.values["new"] is theirs.values["new"] is True
        assert completed == ["--new"]
        assert "| `--new` | Try it. |" in text

    @pytest.mark.parametrize(
        ("option", "values"),
        [
            (COMMANDS["sync"].options, {"link": Link}),
            (COMMANDS["tree"].options, {"format": GraphForm}),
            (COMMANDS["hooks run"].options, {"mode": HookMode}),
        ],
    )
    def test_the_words_to_choose_from_are_those_the_program_knows(
        self, option: Sequence[Option], values: dict[str, type[Enum]]
    ) -> None:
        for each in option:
            if each.name in values:
                assert each.choices == tuple(word.value for word in values[each.name])


def completions(line: str) -> list[str]:
    """What a shell is offered at the end of ``line``."""
    from typer.main import get_command

    from venvman.cli import typed

    words = line.split()[1:]
    context = get_command(typed.app_for(words)).make_context(
        "venvman", words, resilient_parsing=True
    )
    command = context.command.get_command(context, words[0])  # type: ignore[attr-defined]
    inner = command.make_context(words[0], words[1:-1], parent=context, resilient_parsing=True)
    return [item.value for item in command.shell_complete(inner, words[-1])]


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
    done = ended([sys.executable, "-c", program, *words, "--format", "json"], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("sync --bad", "sync"),
        ("--bad sync", "sync"),
        ("lock", "freeze"),
        ("hooks install --sync", "hooks install"),
        ("hooks", "hooks"),
        ("hooks nonsense", "hooks"),
        ("cache --format json size", "cache size"),
        ("nonsense", "venvman"),
        ("", "venvman"),
    ],
)
def test_the_command_is_named_as_in_the_envelope(line: str, command: str) -> None:
    assert Glance(line.split()).command == command


def test_an_unknown_command_is_not_known() -> None:
    assert not Glance(["nonsense"]).known
    assert Glance(["sync"]).known


@pytest.mark.parametrize(
    "line",
    [
        "sync --format json",
        "--format json sync",
        "sync --format=json -x",
        "--format json",
        "run --project x --format json y",
        "hooks run x --format json",
    ],
)
def test_json_is_recognised_anywhere(line: str) -> None:
    assert Glance(line.split()).given.format == "json"


@pytest.mark.parametrize(
    "line",
    ["sync", "sync --format", "sync --format xml", "run -- --format json", "run x --format json"],
)
def test_everything_else_is_text(line: str) -> None:
    assert Glance(line.split()).given.format == "text"


def test_the_other_options_that_shape_a_refusal_are_read_too() -> None:
    seen = Glance(["sync", "-v", "-q", "--color", "never", "--bad"]).given
    assert (seen.verbose, seen.quiet, seen.color) == (True, True, "never")


def test_a_nonsensical_colour_is_passed_over() -> None:
    assert Glance(["--color=pink"]).given.color == "auto"


PIN = "{0}==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via -r requirements.in\n"
HEADER = (
    "# This file is autogenerated by pip-compile with Python 3.11\n# by the following command:\n"
    "#\n#    pip-compile requirements.in\n#\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = write_project(
        tmp_path / "shop",
        {
            "requirements.in": "alpha\n",
            "requirements.txt": HEADER + PIN.format("alpha") + PIN.format("beta"),
            "requirements-docs.in": "sphinx\n",
            "requirements-$(touch INJECTED).in": "gamma\n",
            "src/a.py": "",
            "some folder/a.py": "",
            ".hidden/a.py": "",
        },
    )
    write_project(tmp_path / "other", {"requirements.in": "omega\n"})
    return root


def offers(shell: str, line: str, cwd: Path) -> list[str]:
    """What ``shell`` is offered for the last word of ``line``."""
    words = line.split(" ")
    asked = {
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    ran = run_process(cwd=cwd, env={"_VENVMAN_COMPLETE": f"complete_{shell}", **asked})
    assert ran.stderr == ""
    if shell == "zsh":
        return re.findall(r'"([^"]+)"', ran.stdout)
    return [each.partition("\t")[0] for each in ran.stdout.splitlines() if each]


@pytest.mark.sample(2, "slow")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("venvman why ", ["alpha", "beta", "gamma", "sphinx"]),
        ("venvman why be", ["beta"]),
        ("venvman upgrade alpha b", ["beta"]),
        ("venvman sync --group d", ["default", "docs"]),
        ("venvman freeze -P alp", ["alpha"]),
        ("venvman sync --project s", ["src/"]),
        ("venvman why --project ../other ", ["omega"]),
    ],
)
def test_the_project_s_own_words_are_offered(
    root: Path, shell: str, line: str, expected: list[str]
) -> None:
    assert offers(shell, line, root) == expected
    assert not (root / "INJECTED").exists()


def test_codes_are_offered(root: Path) -> None:
    found = offers("bash", "venvman doctor --ignore VM3", root)
    assert found
    assert all(each.startswith("VM3") for each in found)


def test_names_that_a_shell_would_take_apart_are_not_offered(root: Path) -> None:
    assert offers("bash", "venvman sync --group ", root) == ["default", "docs"]


def test_where_there_is_no_project_nothing_is_offered_and_nothing_said(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert offers("bash", "venvman why ", tmp_path) == []
