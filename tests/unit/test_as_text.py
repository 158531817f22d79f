"""The text report: what each screen says, at every width, with and without colour."""

from __future__ import annotations

import dataclasses

import pytest

from tests.support.views import (
    PROJECT,
    add,
    entry,
    freeze_outcome,
    lock,
    remove,
    replace,
    stale,
    status_report,
    sync_outcome,
)
from venvman.environment.inspection import Broken, NotAnEnvironment
from venvman.lock.freshness import Stale
from venvman.model.errors import Command, InstallError, Problem, RequirementsError, Severity
from venvman.model.sources import VcsSource
from venvman.outcomes import LockOutcome, SyncOutcome
from venvman.report.as_text import error_panel, problem_line, problems_panel, render
from venvman.report.doctor import draw_doctor
from venvman.report.drawing import Drawing, lines
from venvman.report.freeze import freeze_result
from venvman.report.hooks import draw_hooks
from venvman.report.result import Result, Screen
from venvman.report.scan import draw_scan
from venvman.report.status import status_result
from venvman.report.sync import sync_result
from venvman.report.words import count, duration, plain, sentence_list, size


def draw(drawing: Drawing, *, width: int = 80, color: bool = False) -> str:
    """What a terminal of ``width`` columns would show."""
    return "\n".join(lines(drawing, width=width, color=color))


def told(
    result: Result,
    *,
    verbose: bool = False,
    height: int | None = None,
    width: int = 80,
    color: bool = False,
) -> str:
    """What it would show of ``result``."""
    drawn = render(result, Screen(verbose=verbose, height=height))
    return draw(drawn, width=width, color=color)


def joined(text: str) -> str:
    """``text`` as if nothing had been wrapped."""
    return " ".join(text.replace("│", " ").split())


def synced(
    outcome: SyncOutcome, *, check: bool = False, dry_run: bool = False, height: int | None = 24
) -> str:
    result = sync_result(outcome, check=check, dry_run=dry_run)
    return told(result, height=height)


MANY = [add(f"package-{number:03}") for number in range(178)]


class TestSync:
    def test_the_last_lines_count_what_was_done_and_say_where_the_time_went(self) -> None:
        shown = synced(sync_outcome(add("a"), remove("b"), unchanged=7))
        assert "Done in 2.3 s: 1 installed, 1 removed and 7 unchanged." in shown
        assert shown.endswith("fetch 1.8 s, install 0.4 s")

    def test_a_large_change_fits_the_screen_and_says_how_to_see_the_rest(self) -> None:
        shown = synced(sync_outcome(*MANY, created=True), height=24)
        assert len(shown.splitlines()) < 24
        assert "added (--verbose shows all)" in shown

    def test_verbose_shows_every_change(self) -> None:
        result = sync_result(sync_outcome(*MANY))
        shown = told(result, verbose=True, height=24)
        assert all(step.name in shown for step in MANY)

    def test_what_is_replaced_or_removed_is_not_what_gets_shortened(self) -> None:
        shown = synced(sync_outcome(*MANY, replace("zlib-ng", "1", "2"), remove("zope")))
        assert "~ zlib-ng" in shown
        assert "- zope" in shown

    def test_a_shortened_list_of_mixed_changes_counts_changes(self) -> None:
        moved = [replace(f"package-{number}", "1", "2") for number in range(50)]
        assert "more changes (--verbose shows all)" in synced(sync_outcome(*moved, add("x")))

    def test_a_log_without_a_screen_is_shortened_too(self) -> None:
        assert len(synced(sync_outcome(*MANY), height=None).splitlines()) < 30

    def test_a_dry_run_speaks_of_the_future(self) -> None:
        shown = synced(sync_outcome(add("a"), replace("b", "1", "2"), created=True), dry_run=True)
        assert "would be created" in shown
        assert "Not yet done: 1 to install and 1 to change." in shown

    def test_a_dry_run_gives_the_reason_of_each_step(self) -> None:
        shown = synced(sync_outcome(remove("six")), dry_run=True)
        assert "not in the lock" in shown

    def test_a_package_from_elsewhere_shows_where(self) -> None:
        source = VcsSource(vcs="git", url="https://example.com/lib.git", commit="0" * 40)
        shown = synced(sync_outcome(add("lib", None, source=source)))
        assert "git+https://example.com/lib.git@" in shown

    def test_credentials_of_a_source_are_not_shown(self) -> None:
        source = VcsSource(vcs="git", url="https://me:s3cret@example.com/lib.git", commit="0" * 40)
        assert "s3cret" not in synced(sync_outcome(add("lib", None, source=source)))

    @pytest.mark.parametrize("width", [40, 60, 80, 200])
    def test_no_name_or_version_is_cut_off_at_any_width(self, width: int) -> None:
        name = "a-package-with-a-very-long-name-indeed"
        outcome = sync_outcome(replace(name, "1.0.0rc1", "2.0.0.post1"), add("b", "3.1"))
        result = sync_result(outcome, dry_run=True)
        shown = told(result, height=24, width=width)
        assert max(len(line) for line in shown.splitlines()) <= width
        assert "…" not in shown
        letters = "".join(shown.split())
        for part in (name[:12], "1.0.0rc1", "2.0.0.post1", "3.1"):
            assert part in letters

    def test_colour_only_repeats_what_symbols_say(self) -> None:
        result = sync_result(sync_outcome(add("a"), remove("b")))
        colored = told(result, color=True)
        assert "\x1b[32m+" in colored
        assert "\x1b[31m-" in colored


def refrozen(**changes: object) -> LockOutcome:
    values: dict[str, object] = {
        "group": "default",
        "path": PROJECT.root / "requirements.txt",
        "lock": lock(entry("flask", "3.0.3", via=["-r requirements.in"])),
        "before": lock(entry("flask", "2.3.3")),
        "changed": True,
        "stale": (stale(),),
    }
    return LockOutcome(**{**values, **changes})  # type: ignore[arg-type]


def frozen(*locks: LockOutcome, written: bool = True) -> str:
    result = freeze_result(freeze_outcome(*locks, written=written))
    return told(result, height=24)


class TestFreeze:
    def test_a_fresh_lock_is_one_line(self) -> None:
        assert frozen() == "Nothing to do: requirements.txt matches its requirements."

    def test_moved_pins_stand_with_who_asked_for_them(self) -> None:
        assert "~ flask  2.3.3 -> 3.0.3  -r requirements.in" in frozen(refrozen())

    def test_a_new_lock_is_written_not_frozen_again(self) -> None:
        shown = frozen(refrozen(before=None, stale=()))
        assert shown.startswith("+ requirements.txt written, 1 pin\n")
        assert "Frozen in 2.1 s: 1 added." in shown

    def test_the_same_pins_in_another_text_are_explained(self) -> None:
        shown = frozen(refrozen(before=lock(entry("flask", "3.0.3")), stale=()))
        assert "the same pins with other hashes, markers or reasons" in shown

    def test_what_was_not_written_is_told(self) -> None:
        shown = frozen(refrozen(), written=False)
        assert "would be frozen again" in shown
        assert "Not yet written: 1 to change." in shown

    def test_a_check_that_resolved_nothing_does_not_say_what_would_change(self) -> None:
        judged = refrozen(lock=lock(entry("flask", "2.3.3")))
        looked = freeze_outcome(judged, written=False)
        outcome = dataclasses.replace(looked, resolved=False, problems=(stale(),))
        shown = told(freeze_result(outcome, check=True), height=24)
        assert shown.startswith("! requirements.txt is stale\n")
        assert "Not yet written: what would change was not looked up." in shown

    def test_several_fresh_locks_answer_together(self) -> None:
        two = (refrozen(changed=False), refrozen(changed=False, path=PROJECT.root / "dev.txt"))
        assert "requirements.txt, dev.txt match their requirements." in frozen(*two)


class TestStatus:
    def test_a_clean_project_fits_five_lines(self) -> None:
        shown = told(status_result(status_report(unchanged=34)))
        assert shown.splitlines() == [
            "Project       /work/shop",
            "Requirements  14",
            "Lock          requirements.txt fresh, 34 pins from requirements.in",
            "Environment   venv with Python 3.11.7",
            "Drift         none, 34 packages as locked",
        ]

    def test_a_stale_lock_says_why(self) -> None:
        shown = told(status_result(status_report(freshness=Stale(reasons=(stale(),)))))
        assert "requirements.txt stale" in shown
        assert "flask is pinned to 2.3.3, which flask>=3 forbids." in shown

    def test_a_broken_environment_says_why_and_what_mends_it(self) -> None:
        broken = Broken(path=PROJECT.root / "venv", reason="It was moved.", code="moved")
        shown = told(status_result(status_report(known=False, condition=broken)))
        assert "venv broken: It was moved." in shown
        assert "cannot be known yet" in shown
        assert shown.endswith("Next: venvman sync --recreate")

    def test_something_else_in_the_way_is_named(self) -> None:
        other = NotAnEnvironment(path=PROJECT.root / "venv", reason="It is a file.")
        shown = told(status_result(status_report(condition=other)))
        assert "venv not an environment: It is a file." in shown


def doctor(*findings: dict[str, object]) -> str:
    return draw(draw_doctor({"ran": (), "fixed": (), "findings": findings}, Screen()))


def finding(code: str, **values: object) -> dict[str, object]:
    absent = {"package": None, "path": None, "line": None, "fix": None}
    return {"code": code, "name": "x", "severity": "error", "message": "So.", **absent, **values}


class TestDoctor:
    def test_findings_stand_under_their_family_with_their_place(self) -> None:
        shown = doctor(
            finding("VM401", message="urllib3 is missing."),
            finding("VM101", message="Moved.", path="requirements.in", line=3),
        )
        assert [line for line in shown.splitlines() if line] == [
            "Environment",
            "  VM101 error Moved. (requirements.in:3)",
            "Installed packages",
            "  VM401 error urllib3 is missing.",
            "Findings: 2 errors.",
        ]

    def test_one_command_that_mends_neighbours_is_shown_once(self) -> None:
        shown = doctor(finding("VM401", fix="venvman sync"), finding("VM402", fix="venvman sync"))
        assert shown.count("Next: venvman sync") == 1

    def test_notes_alone_are_healthy(self) -> None:
        assert "Healthy: 1 note." in doctor(finding("VM403", severity="note"))


def scanned(verbose: bool = False, **file: object) -> str:

    row = {
        "path": "requirements.in",
        "role": "source",
        "group": "default",
        "lock": "requirements.txt",
        "requirements": [],
        "options": {},
        "errors": [],
    }
    project = {"root": "/work/shop", "venv": "venv", "files": [row | file]}
    return draw(draw_scan([project], Screen(verbose=verbose)))


def requirement(name: str | None, line: int, **values: object) -> dict[str, object]:
    row: dict[str, object] = {"name": name, "specifier": "", "extras": [], "marker": None}
    row |= {"url": None, "editable": False, "hashes": [], "constraint": False}
    return row | {"path": "requirements.in", "line": line} | values


class TestScan:
    def test_requirements_stand_with_their_lines(self) -> None:
        shown = scanned(
            requirements=[
                requirement("flask", 1, specifier=">=3", extras=["async"]),
                requirement("uvloop", 2, marker='sys_platform == "linux"'),
                requirement(None, 3, url="./lib", editable=True),
                requirement("six", 4, constraint=True),
                requirement("pip", 5, url="https://example.com/pip.zip"),
            ]
        )

        for line in (
            "1: flask[async]>=3",
            '2: uvloop ; sys_platform == "linux"',
            "3: -e ./lib",
            "4: six (constraint)",
            "5: pip @ https://example.com/pip.zip",
        ):
            assert line in shown

    def test_a_long_file_is_shortened_unless_verbose(self) -> None:
        rows = [requirement(f"p{number}", number) for number in range(1, 41)]
        assert "... and 25 more requirements (--verbose shows all)" in scanned(requirements=rows)
        assert "p40" in scanned(True, requirements=rows)

    def test_a_lock_is_counted_not_listed(self) -> None:
        rows = [requirement("flask", 1)]
        shown = scanned(role="lock", group="default", lock=None, requirements=rows)
        assert "lock of default, 1 pin" in shown
        assert "flask" not in shown

    def test_options_are_shown_where_the_file_has_some(self) -> None:
        options = {
            "index_urls": ["https://pypi.org/simple"],
            "prefer_binary": True,
            "no_binary": ["lxml"],
            "pre": False,
        }
        shown = scanned(options=options)
        assert "option prefer-binary" in shown
        assert "option no-binary lxml" in shown
        assert "index-urls" not in shown
        assert "option pre\n" not in shown


class TestErrors:
    def test_a_panel_says_what_where_why_and_what_to_do(self) -> None:
        error = InstallError(
            "The file is not the one that was locked.",
            code="hash-mismatch",
            path="requirements.txt",
            line=120,
            text="urllib3==2.2.1 \\\n    --hash=sha256:abc",
            why="It has sha256:def.",
            fix=Command.venvman("freeze"),
        )

        shown = draw(error_panel(error, width=80))

        assert shown.splitlines()[0].startswith("╭─ error: hash-mismatch ─")
        assert [line.strip("│ ") for line in shown.splitlines()[1:-1]] == [
            "The file is not the one that was locked.",
            "requirements.txt:120",
            "120 | urllib3==2.2.1 \\",
            "121 |     --hash=sha256:abc",
            "It has sha256:def.",
            "Next: venvman freeze",
        ]

    @pytest.mark.parametrize("several", [False, True])
    def test_a_command_wider_than_the_frame_stands_whole_below_it(self, several: bool) -> None:
        fix = Command.venvman("freeze", "--project", "/a/rather/long/path/" + "x" * 90)
        wide, narrow = (
            Problem(code="bad", message="No.", fix=each) for each in (fix, Command.venvman("sync"))
        )
        error = InstallError("Bad.", code="bad", problems=[wide, wide, narrow][: 3 * several or 1])
        shown = draw(error_panel(error, width=80), width=80).splitlines()
        assert shown[-1] == f"Next: {fix}"
        assert shown[-2].startswith("╰")
        assert any("Next: venvman sync" in line for line in shown[:-1]) == several

    def test_more_problems_than_a_screen_holds_are_counted(self) -> None:
        problems = [Problem(code="bad", message=f"No {line}.") for line in range(50)]
        shown = draw(
            error_panel(RequirementsError("Bad.", code="bad", problems=problems), width=80)
        )
        assert "... and 30 further problems; all of them with --format json" in shown

    @pytest.mark.parametrize("width", [40, 60, 80])
    def test_nothing_is_cut_off_at_any_width(self, width: int) -> None:
        digest = "ab" * 32
        error = InstallError("Wrong.", code="hash-mismatch", why=f"It has sha256:{digest}.")
        shown = draw(error_panel(error, width=width), width=width)
        assert digest in shown.replace("│", "").replace(" ", "").replace("\n", "")

    def test_a_wide_terminal_does_not_make_lines_too_long_to_read(self) -> None:
        shown = draw(error_panel(InstallError("Wrong.", code="x"), width=250), width=250)
        assert max(len(line) for line in shown.splitlines()) == 100

    def test_problems_of_a_result_have_a_panel_too(self) -> None:
        problem = Problem(code="bad", message="No.", path="r.txt", line=1, text="???")
        shown = draw(problems_panel([problem], width=60))
        assert "1 error" in shown
        assert "1 | ???" in shown

    def test_a_problem_told_in_passing_is_one_line(self) -> None:
        problem = Problem(
            code="cache-read-only",
            message="The cache cannot be written.",
            severity=Severity.WARNING,
            path="/cache",
            why="It is read-only.",
            fix=Command.venvman("cache", "dir"),
        )
        assert draw(problem_line(problem), width=200) == (
            "warning: The cache cannot be written. (/cache) It is read-only. "
            "Next: venvman cache dir"
        )

    def test_text_cannot_command_the_terminal_or_the_markup(self) -> None:
        assert plain("\x1b[31m[bold]x\x07").plain == "\\x1b[31m[bold]x\\x07"

    def test_credentials_are_not_shown(self) -> None:
        error = InstallError("No answer from https://me:s3cret@example.com/simple.", code="x")
        shown = joined(draw(error_panel(error, width=100)))
        assert "s3cret" not in shown
        assert "https://****@example.com/simple" in shown


class TestHooksAndShortResults:
    def test_hooks_say_what_they_do(self) -> None:

        def hook(
            name: str, state: str, mode: str | None = None, *, chained: bool = False
        ) -> object:
            return {"name": name, "state": state, "mode": mode, "chained": chained}

        data = {
            "folder": ".git/hooks",
            "projects": [],
            "hooks": [
                hook("post-checkout", "installed", "report", chained=True),
                hook("post-merge", "installed", "sync"),
                hook("pre-commit", "installed", "report"),
                hook("post-rewrite", "foreign"),
                hook("other", "absent"),
            ],
        }
        shown = draw(draw_hooks(data))

        assert "says what has drifted, together with the hook that was here before" in joined(shown)
        assert "repairs what has drifted" in shown
        assert "refuses a stale lock" in shown
        assert "somebody else's: left alone" in shown
        assert "not installed" in shown


class TestWords:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0.0, "0 ms"),
            (0.0994, "99 ms"),
            (1.24, "1.2 s"),
            (59.97, "1 min 00 s"),
            (125, "2 min 05 s"),
        ],
    )
    def test_durations(self, seconds: float, words: str) -> None:
        assert duration(seconds) == words

    @pytest.mark.parametrize(
        ("number", "words"),
        [(0, "0 B"), (999, "999 B"), (12_345, "12.3 kB"), (999_600, "1.0 MB"), (5e12, "5.0 TB")],
    )
    def test_sizes(self, number: float, words: str) -> None:
        assert size(number) == words

    def test_counts(self) -> None:
        assert count(1, "package") == "1 package"
        assert count(2000, "package") == "2,000 packages"

    def test_lists(self) -> None:
        assert sentence_list([]) == ""
        assert sentence_list(["a"]) == "a"
        assert sentence_list(["a", "b", "c"]) == "a, b and c"
