"""The command line itself: help, versions, refusals, interruptions, pipes and terminals."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from tests.support.cli import (
    PATIENCE,
    PROGRAM,
    SCHEMAS,
    ended,
    run,
    run_on_terminal,
    run_process,
    started,
)
from tests.support.projects import write_project
from tools.cli_page import page
from venvman import __version__
from venvman.cli.faults import OPTIONS
from venvman.cli.read import read
from venvman.cli.table import COMMANDS, TASKS, Command

EVERY_COMMAND = [*(name.split() for name in COMMANDS), ["lock"]]


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A folder without requirements, that ends the way upwards."""
    (tmp_path / ".git").mkdir()
    return tmp_path


class TestHelp:
    def test_the_version_is_one_line(self) -> None:
        assert run("--version").stdout == f"venvman {__version__}\n"

    @pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
    def test_every_command_explains_itself(self, words: list[str]) -> None:
        ran = run(*words, "--help")
        assert ran.code == 0
        assert f"venvman {' '.join('freeze' if word == 'lock' else word for word in words)}" in (
            ran.stdout
        )
        for option in ("--format", "--project", "--quiet", "--verbose", "--color", "--offline"):
            assert option in ran.stdout

    def test_every_command_is_listed_once_under_its_task(self) -> None:
        shown = run("--help").stdout
        listed = [name for names in TASKS.values() for name in names]
        assert sorted(listed) == sorted({name.split()[0] for name in COMMANDS})
        for name in listed:
            assert shown.count(f"\n  {name} ") == 1

    @pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
    def test_every_example_can_be_typed(self, command: Command) -> None:
        for example, _ in command.examples:
            line = read(example.split()[1:])
            assert line is not None
            assert line.command is command

    @pytest.mark.parametrize("width", [40, 80, 200])
    def test_the_help_fits_the_terminal(self, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", str(width))
        for words in (["--help"], ["sync", "--help"], ["hooks", "--help"]):
            shown = run(*words).stdout
            assert max(map(len, shown.splitlines())) <= max(width, 60)

    def test_help_imports_neither_typer_nor_rich(self) -> None:
        program = (
            "import sys\n"
            "from venvman.cli.help import tell\n"
            "tell(['sync', '--help'], {})\n"
            "heavy = {'typer', 'rich', 'enum', 'dataclasses', 'typing'}\n"
            "sys.exit(' '.join(sorted(heavy & sys.modules.keys())) or 0)\n"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-c", program], capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")

    def test_no_command_at_all_is_answered_with_the_list(self) -> None:
        ran = run()
        assert ran.code == 2
        assert "sync" in ran.stdout


class TestUsage:
    @pytest.mark.parametrize(
        "words",
        [
            ["sync", "--bad"],
            ["sync", "--format", "xml"],
            ["sync", "extra"],
            ["nonsense"],
            ["hooks"],
            ["hooks", "nonsense"],
            ["sync", "--frozen", "--locked"],
            ["sync", "--only-group", "a", "--group", "b"],
        ],
        ids=" ".join,
    )
    def test_a_line_that_cannot_be_understood_exits_with_2(
        self, words: list[str], project: Path
    ) -> None:
        ran = run(*words, cwd=project)
        assert ran.code == 2
        assert ran.stdout == ""
        assert "error: usage" in ran.stderr
        assert "--help" in ran.stderr

    def test_a_typing_error_is_met_with_a_proposal(self) -> None:
        assert "Did you mean 'sync'" in run("sycn").stderr

    @pytest.mark.parametrize(
        ("words", "command"),
        [
            (["sync", "--bad", "--format", "json"], "sync"),
            (["--format", "json", "sync"], "sync"),
            (["sync", "--format=json", "extra"], "sync"),
            (["hooks", "nonsense", "--format", "json"], "hooks"),
            (["nonsense", "--format", "json"], "venvman"),
        ],
        ids=lambda value: value if isinstance(value, str) else " ".join(value),
    )
    def test_json_that_was_asked_for_is_given_for_usage_errors_too(
        self, words: list[str], command: str
    ) -> None:
        ran = run(*words)
        assert ran.code == 2
        assert ran.stderr == ""
        assert ran.json["command"] == command
        assert ran.json["status"] == "error"
        assert ran.json["exit_code"] == 2
        assert ran.json["problems"][0]["code"] == "usage"


class TestErrors:
    @pytest.mark.parametrize(
        "words", [["sync"], ["freeze"], ["status"], ["doctor"], ["clean"]], ids=" ".join
    )
    def test_without_requirements_every_verb_says_where_it_looked(
        self, words: list[str], nowhere: Path
    ) -> None:
        ran = run(*words, cwd=nowhere)
        assert ran.code == 2
        assert ran.stdout == ""
        assert "error: project-not-found" in ran.stderr

    def test_as_json_it_is_a_problem_with_a_code_and_a_fix(self, nowhere: Path) -> None:
        ran = run("sync", "--format", "json", cwd=nowhere)
        assert ran.code == ran.json["exit_code"] == 2
        assert ran.json["data"] == {}
        assert ran.json["problems"][0]["code"] == "project-not-found"
        assert ran.json["problems"][0]["advice"]

    def test_a_defect_is_told_in_a_panel_and_its_traceback_with_verbose(
        self, monkeypatch: pytest.MonkeyPatch, project: Path
    ) -> None:
        broken(monkeypatch, lambda: 1 / 0)
        short, long = run("clean", cwd=project), run("clean", "-v", cwd=project)
        assert short.code == long.code == 2
        assert "error: unexpected" in short.stderr
        assert "ZeroDivisionError" in short.stderr
        assert "Traceback" not in short.stderr
        assert "Traceback" in long.stderr

    def test_ctrl_c_is_one_sentence_and_exit_code_130(
        self, monkeypatch: pytest.MonkeyPatch, project: Path
    ) -> None:
        broken(monkeypatch, interrupt)
        ran = run("clean", cwd=project)
        assert ran.code == 130
        assert ran.stderr == "Interrupted.\n"

    def test_a_question_that_nobody_answers_is_an_interruption(
        self, monkeypatch: pytest.MonkeyPatch, project: Path
    ) -> None:
        broken(monkeypatch, raising(typer.Abort()))
        ran = run("clean", cwd=project)
        assert ran.code == 130
        assert ran.stderr == "Interrupted: no answer, so nothing was changed.\n"

    @pytest.mark.parametrize("accident", [BrokenPipeError(), SystemExit(1)])
    def test_a_reader_that_left_is_not_drift(
        self, monkeypatch: pytest.MonkeyPatch, project: Path, accident: BaseException
    ) -> None:
        accident.__context__ = BrokenPipeError()
        broken(monkeypatch, raising(accident))
        ran = run("clean", cwd=project)
        assert (ran.code, ran.stdout, ran.stderr) == (141, "", "")

    def test_a_plain_exit_keeps_its_code(
        self, monkeypatch: pytest.MonkeyPatch, project: Path
    ) -> None:
        broken(monkeypatch, raising(SystemExit(7)))
        assert run("clean", cwd=project).code == 7

    def test_ctrl_c_as_json(self, monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
        broken(monkeypatch, interrupt)
        ran = run("clean", "--format", "json", cwd=project)
        assert (ran.code, ran.json["exit_code"], ran.json["status"]) == (130, 130, "error")

    def test_a_real_signal_interrupts_a_real_process(self, tmp_path: Path) -> None:
        program = (
            "import sys, time\n"
            "from venvman.cli import app, commands\n"
            "import venvman.store.care as care\n"
            "def slow(folder):\n"
            "    print('ready', flush=True); time.sleep(30)\n"
            "care.measure = slow\n"
            "sys.exit(app.main(['cache', 'size']))\n"
        )
        with started("-c", program, cwd=tmp_path) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"

            process.send_signal(signal.SIGINT)
            _, talk = process.communicate(timeout=PATIENCE)

        assert process.returncode == 130
        assert talk == "Interrupted.\n"


def interrupt() -> None:
    raise KeyboardInterrupt


def raising(error: BaseException) -> Callable[[], object]:
    def accident() -> object:
        raise error

    return accident


def broken(monkeypatch: pytest.MonkeyPatch, accident: Callable[[], object]) -> None:
    """Makes opening a project end in ``accident``."""
    from venvman.cli.session import Session

    monkeypatch.setattr(Session, "context", lambda *_, **__: accident())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with an empty requirements file."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "requirements.txt").touch()
    return tmp_path


class TestStreams:
    def test_a_reader_that_leaves_is_no_error(self, tmp_path: Path) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "--help"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()

        talk = process.stderr.read()
        process.stderr.close()

        assert talk == b""
        assert process.wait() in {0, 141}

    def test_a_pipe_gets_neither_colour_nor_control_codes(self, nowhere: Path) -> None:
        ran = run_process("sync", cwd=nowhere)
        assert "\x1b" not in ran.stdout + ran.stderr

    def test_colour_can_be_forced_into_a_pipe(self, nowhere: Path) -> None:
        assert "\x1b[1;31m" in run_process("sync", "--color", "always", cwd=nowhere).stderr
        assert "\x1b[1;31m" in run_process("sync", cwd=nowhere, env={"FORCE_COLOR": "1"}).stderr

    def test_a_terminal_gets_colour_unless_told_otherwise(self, nowhere: Path) -> None:
        assert "\x1b[1;31m" in run_on_terminal("sync", cwd=nowhere).stdout
        assert "\x1b[" not in run_on_terminal("sync", cwd=nowhere, env={"NO_COLOR": "1"}).stdout
        assert "\x1b[" not in run_on_terminal("sync", cwd=nowhere, env={"TERM": "dumb"}).stdout

    @pytest.mark.parametrize("columns", [60, 80])
    def test_a_panel_fits_the_terminal(self, nowhere: Path, columns: int) -> None:
        shown = run_on_terminal("sync", cwd=nowhere, columns=columns, env={"NO_COLOR": "1"}).stdout
        assert max(len(line) for line in shown.splitlines()) == columns

    def test_a_stream_that_knows_only_ascii_is_written_to_all_the_same(
        self, tmp_path: Path
    ) -> None:
        cache = tmp_path / "caf\u00e9"
        ran = run_process(
            "cache", "dir", env={"VENVMAN_CACHE_DIR": str(cache), "PYTHONIOENCODING": "ascii"}
        )
        assert ran.code == 0
        assert ran.stdout.endswith("caf\\xe9\n")


class TestStartUp:
    def test_neither_help_nor_version_imports_what_it_does_not_use(self) -> None:
        program = (
            "import sys\n"
            "from venvman.cli.app import main\n"
            "main(['--version'])\n"
            "heavy = {'rich', 'packaging', 'msgspec', 'urllib3', 'build', 'filelock', 'jinja2'}\n"
            "sys.exit(' '.join(sorted(heavy & sys.modules.keys())) or 0)\n"
        )
        done = ended([sys.executable, "-c", program])
        assert (done.returncode, done.stderr) == (0, "")

    def test_json_is_printed_without_rich(self, nowhere: Path) -> None:
        program = (
            "import sys\n"
            "from venvman.cli.app import main\n"
            "main(['cache', 'size', '--format', 'json'])\n"
            "sys.exit('rich' in sys.modules)\n"
        )
        done = ended([sys.executable, "-c", program], cwd=nowhere)
        assert done.returncode == 0


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_every_shell_is_given_a_script(self, shell: str) -> None:
        ran = run_process(env={"_VENVMAN_COMPLETE": f"source_{shell}"})
        assert ran.code == 0
        assert "_VENVMAN_COMPLETE" in ran.stdout

    def test_commands_are_completed(self) -> None:
        ran = run_process(
            env={"_VENVMAN_COMPLETE": "complete_bash", "COMP_WORDS": "venvman s", "COMP_CWORD": "1"}
        )
        assert ran.stdout.split() == ["sync", "status", "scan", "shell", "shell-hook", "self"]

    def test_options_are_completed(self) -> None:
        ran = run_process(
            env={
                "_VENVMAN_COMPLETE": "complete_bash",
                "COMP_WORDS": "venvman sync --fr",
                "COMP_CWORD": "2",
            }
        )
        assert ran.stdout.split() == ["--frozen"]


class TestCache:
    @pytest.fixture
    def cache(self, tmp_path: Path) -> Path:
        page = tmp_path / "cache" / "index-v1" / "page"
        page.parent.mkdir(parents=True)
        page.write_bytes(b"x" * 2500)
        (tmp_path / "cache" / "CACHEDIR.TAG").write_text(
            "Signature: 8a477f597d28d172789f06886806bc55\n"
        )
        return tmp_path / "cache"

    def test_its_place_is_told(self, cache: Path) -> None:
        assert run("cache", "dir", "--cache-dir", cache).stdout == f"{cache}\n"
        assert run("cache", "dir", "--quiet", "--cache-dir", cache).stdout == f"{cache}\n"

    def test_its_size_is_told_by_part(self, cache: Path) -> None:
        ran = run("cache", "size", "--cache-dir", cache)
        assert ran.stdout.splitlines() == ["index pages  2.5 kB in 1 file", "total        2.5 kB"]

    def test_cleaning_tells_what_was_removed_and_then_that_nothing_is_left(
        self, cache: Path
    ) -> None:
        first = run("cache", "clean", "--cache-dir", cache)
        second = run("cache", "clean", "--cache-dir", cache)
        assert "2.5 kB in 1 file removed" in first.stdout
        assert second.stdout.startswith("Nothing to do:")

    def test_pruning_keeps_what_is_young(self, cache: Path) -> None:
        ran = run("cache", "prune", "--cache-dir", cache, "--format", "json")
        assert ran.json["data"]["files"] == 0

    def test_quiet_work_says_nothing(self, cache: Path) -> None:
        ran = run("cache", "clean", "-q", "--cache-dir", cache)
        assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")

    def test_a_folder_that_is_no_cache_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "documents").mkdir()
        ran = run("cache", "clean", "--cache-dir", tmp_path)
        assert ran.code == 2
        assert "error: cache-not-ours" in ran.stderr


@pytest.mark.parametrize("folder", ["..", "a/../../b", "/tmp"])
def test_a_hook_does_not_leave_its_work_tree(tmp_path: Path, folder: str) -> None:
    ran = run("hooks", "run", "post-checkout", "--in", folder, cwd=tmp_path)
    assert (ran.code, ran.stdout) == (2, "")
    assert f"--in {folder} leaves the work tree." in ran.stderr


@pytest.mark.parametrize(
    ("typed", "here"),
    {
        "install": "sync",
        "install -r requirements.txt": "sync",
        "install flask": "add flask",
        "install -U flask": "upgrade flask",
        "uninstall flask": "remove flask",
        "uninstall": "remove --help",
        "list": "tree",
        "compile": "freeze",
        "check": "doctor",
        "update": "upgrade",
        "show flask": "why flask",
        "info": "status",
        "pip install flask": "add flask",
        "version": "--version",
    }.items(),
)
def test_what_other_tools_call_otherwise_is_answered_with_its_name_here(
    typed: str, here: str, project: Path
) -> None:
    ran = run(*typed.split(), "--format", "json", cwd=project)
    (problem,) = ran.json["problems"]
    assert (ran.code, problem["fix"]) == (2, f"venvman {here}")
    assert problem["message"].endswith(f"Here that is '{here.split(maxsplit=1)[0]}'.")
    assert run(*here.split()[:1], "--help").code == 0


@pytest.mark.parametrize(("typed", "here"), [("help", "--help"), ("help sync", "sync --help")])
def test_help_is_an_option_here(typed: str, here: str, project: Path) -> None:
    (problem,) = run(*typed.split(), "--format", "json", cwd=project).json["problems"]
    assert problem["fix"] == f"venvman {here}"
    assert problem["message"].endswith(f"Here that is '{here}'.")


@pytest.mark.parametrize("option", ["--extra", "--pre", "--dev", "--only-dev", "-r"])
def test_what_an_option_elsewhere_comes_to_here_is_told(option: str, project: Path) -> None:
    ran = run("sync", option, "x", "--format", "json", cwd=project)
    (problem,) = ran.json["problems"]
    assert (ran.code, problem["fix"], problem["advice"]) == (2, None, OPTIONS[option])


@pytest.mark.parametrize("option", ["--system", "--active"])
def test_who_asks_for_another_environment_is_told_how_it_is_named(
    option: str, project: Path
) -> None:
    ran = run("sync", option, "--format", "json", cwd=project)
    (problem,) = ran.json["problems"]
    assert ran.code == 2
    assert problem["message"] == f"No such option: {option}. Here the environment is named."
    assert "VENVMAN_VENV=" in problem["advice"]


@pytest.mark.parametrize(
    "words", [("sync", "--group", ""), ("add", "--group", "", "alpha"), ("add", "--python", "")]
)
def test_an_empty_value_is_no_defect(tmp_path: Path, words: tuple[str, ...]) -> None:
    root = write_project(tmp_path / "shop", {"requirements.in": ""})
    ran = run(*words, cwd=root)
    assert (ran.code, "defect" in ran.stderr) == (2, False)


DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_commands_is_current() -> None:
    assert (DOCS / "reference" / "cli.md").read_text() == page(), "run: python -m tools.cli_page"


def test_the_page_names_every_command_and_every_option() -> None:
    text = (DOCS / "reference" / "cli.md").read_text()
    for name, command in COMMANDS.items():
        assert (f"## `venvman {name}`\n" in text) is not command.hidden
    for option in ("--group, -g GROUP", "--upgrade-package, -P NAME"):
        assert f"| `{option}` |" in text
    assert "| <code>--format text&#124;json</code> |" in text


@pytest.mark.parametrize("schema", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_the_page_of_json_output_links_every_schema(schema: Path) -> None:
    text = (DOCS / "reference" / "json-output.md").read_text()
    assert f"(schemas/{schema.name})" in text


def test_the_page_of_json_output_shows_the_envelope_as_it_is() -> None:
    text = (DOCS / "reference" / "json-output.md").read_text()
    shown = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert shown is not None
    assert list(json.loads(shown[1])) == [
        "schema_version",
        "command",
        "status",
        "exit_code",
        "data",
        "problems",
    ]


def test_every_schema_is_valid_and_named_after_its_file() -> None:
    import jsonschema

    for path in SCHEMAS.glob("*.json"):
        document = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(document)
        assert document["$id"] == path.name


def test_every_command_that_a_message_proposes_can_be_typed() -> None:
    call = re.compile(r"(?:Command\.venvman|then)\(((?:\"[^\"]*\"(?:, )?)+)\)")
    proposed = {
        tuple(re.findall(r'"([^"]*)"', words))
        for path in (DOCS.parent / "venvman").rglob("*.py")
        for words in call.findall(path.read_text())
    }
    assert proposed
    for words in sorted(proposed):
        assert read(words) is not None or words[-1].startswith("--"), words
