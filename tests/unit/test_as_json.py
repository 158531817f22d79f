"""The envelope: exact shapes, which their published schemas accept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cli import check_schema
from tests.support.views import (
    PROJECT,
    add,
    entry,
    freeze_outcome,
    installed,
    lock,
    remove,
    replace,
    stale,
    status_report,
    sync_outcome,
)
from venvman.drift import Damaged, Drift, Duplicate, Extra, Missing, OtherSource, OtherVersion
from venvman.environment.inspection import Absent, Broken, NotAnEnvironment
from venvman.lock.freshness import Stale
from venvman.model.errors import Advice, ExitCode, LockStale, Problem, RequirementsError, Severity
from venvman.model.sources import DirectorySource, VcsSource
from venvman.outcomes import CleanOutcome, LockOutcome
from venvman.plan import Replace, make_plan
from venvman.report.as_json import render
from venvman.report.freeze import changes_between, freeze_result
from venvman.report.planned import changes_of_plan, source_text
from venvman.report.result import Result, Status
from venvman.report.status import status_result
from venvman.report.sync import clean_result, sync_result


def envelope(result: Result) -> Any:
    """What a program reads; it fits the published schema."""
    read = json.loads(render(result))
    check_schema(read)
    return read


class TestEnvelope:
    def test_it_has_exactly_these_keys(self) -> None:
        result = Result(command="sync")
        assert json.loads(render(result)) == {
            "schema_version": 1,
            "command": "sync",
            "status": "ok",
            "exit_code": 0,
            "data": {},
            "problems": [],
        }

    def test_a_problem_has_every_key_and_null_where_nothing_is_known(self) -> None:
        error = RequirementsError("No.", code="bad-line")

        (row,) = envelope(Result.of_error(error, command="sync"))["problems"]

        assert row == {
            "code": "bad-line",
            "message": "No.",
            "severity": "error",
            "path": None,
            "line": None,
            "text": None,
            "why": None,
            "fix": None,
            "advice": None,
        }

    def test_an_error_is_an_error_and_a_stale_lock_is_drift(self) -> None:
        failed = envelope(Result.of_error(RequirementsError("No.", code="x"), command="sync"))
        drifted = envelope(Result.of_error(LockStale("Old.", code="x"), command="sync"))
        assert (failed["status"], failed["exit_code"]) == ("error", 2)
        assert (drifted["status"], drifted["exit_code"]) == ("drift", 1)

    def test_credentials_are_hidden_wherever_they_stand(self) -> None:
        secret = "https://me:s3cret@example.com/x"
        problem = Problem(code="x", message=secret, text=secret, why=secret, fix=Advice(secret))
        result = Result(
            command="scan",
            status=Status.OK,
            exit_code=ExitCode.OK,
            data={"rows": [{"url": secret}], "pair": (secret,)},
            problems=(problem,),
        )
        assert "s3cret" not in render(result)

    def test_every_stream_can_carry_it(self) -> None:
        data = {"path": "caf\u00e9/\udcff"}
        result = Result(command="scan", data=data)
        assert render(result).isascii()
        assert json.loads(render(result))["data"] == data

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(alphabet="ab:/@. \u00e9\n"),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    )
    def test_data_without_urls_arrives_as_it_was(self, value: Any) -> None:
        result = Result(command="x", data={"value": value})
        if "://" not in str(value):
            assert json.loads(render(result))["data"]["value"] == value


class TestSync:
    def test_the_data_has_exactly_the_agreed_shape(self) -> None:
        outcome = sync_outcome(
            add("flask", "3.0"), remove("six", "1.16"), replace("idna", "3.6", "3.7"), unchanged=2
        )

        assert envelope(sync_result(outcome))["data"] == {
            "project": "/work/shop",
            "environment": "venv",
            "created": False,
            "installed": [{"name": "flask", "version": "3.0", "source": "index"}],
            "removed": [{"name": "six", "version": "1.16", "source": "index"}],
            "changed": [{"name": "idna", "from": "3.6", "to": "3.7"}],
            "unchanged": 2,
            "seconds": 2.272,
        }

    def test_a_check_sees_a_lock_that_would_change_though_no_package_would(self) -> None:
        frozen = freeze_outcome(lock_outcome(), written=False)
        told = envelope(sync_result(sync_outcome(frozen=frozen), check=True))
        assert told["exit_code"] == 1


def lock_outcome(**changes: object) -> LockOutcome:
    values: dict[str, object] = {
        "group": "default",
        "path": PROJECT.root / "requirements.txt",
        "lock": lock(
            entry("flask", "3.0", via=["-r requirements.in"]), entry("new", via=["flask"])
        ),
        "before": lock(entry("flask", "2.0"), entry("six")),
        "changed": True,
    }
    return LockOutcome(**{**values, **changes})  # type: ignore[arg-type]


class TestFreeze:
    def test_the_data_has_exactly_the_agreed_shape(self) -> None:
        result = freeze_result(freeze_outcome(lock_outcome()))
        assert envelope(result)["data"] == {
            "locks": ["requirements.txt"],
            "packages": [
                {"name": "flask", "version": "3.0", "via": ["-r requirements.in"]},
                {"name": "new", "version": "1.0", "via": ["flask"]},
            ],
            "added": [{"name": "new", "version": "1.0", "source": "index"}],
            "removed": [{"name": "six", "version": "1.0", "source": "index"}],
            "changed": [{"name": "flask", "from": "2.0", "to": "3.0"}],
        }

    def test_what_two_locks_share_is_named_once_with_all_reasons(self) -> None:
        dev = lock_outcome(
            group="dev",
            path=PROJECT.root / "dev.txt",
            lock=lock(entry("flask", "3.0", via=["-r dev.in"])),
            before=lock(entry("flask", "2.0")),
        )
        told = envelope(freeze_result(freeze_outcome(lock_outcome(), dev)))
        assert told["data"]["locks"] == ["requirements.txt", "dev.txt"]
        assert told["data"]["packages"][0]["via"] == ["-r dev.in", "-r requirements.in"]
        assert len(told["data"]["changed"]) == 1

    @pytest.mark.parametrize(
        ("flags", "expected"),
        [({"check": True}, ("drift", 1)), ({"dry_run": True}, ("drift", 0)), ({}, ("ok", 0))],
    )
    def test_a_changed_lock_counts_as_the_request_says(
        self, flags: dict[str, bool], expected: tuple[str, int]
    ) -> None:
        told = envelope(freeze_result(freeze_outcome(lock_outcome()), **flags))
        assert (told["status"], told["exit_code"]) == expected

    def test_another_source_of_the_same_version_is_a_change(self) -> None:
        fork = VcsSource(vcs="git", url="https://example.com/x", commit="0" * 40)
        (change,) = changes_between(
            lock(entry("x", "1.0")), lock(entry("x", "1.0", source=fork)), PROJECT
        )
        assert (change.before, change.after) == ("index", str(fork))

    def test_markers_hashes_and_reasons_are_no_change(self) -> None:
        before, after = lock(entry("x", via=["a"])), lock(entry("x", via=["b"]))
        assert changes_between(before, after, PROJECT) == ()

    def test_several_versions_of_one_name_stand_together(self) -> None:
        before = lock(entry("x", "1.0"))
        after = lock(entry("x", "1.0"), entry("x", "2.0"))
        (change,) = changes_between(before, after, PROJECT)
        assert (change.before, change.after) == ("1.0", "1.0, 2.0")


class TestStatus:
    def test_the_data_of_a_clean_project(self) -> None:
        told = envelope(status_result(status_report(unchanged=34)))

        assert (told["status"], told["exit_code"]) == ("ok", 0)
        assert told["data"] == {
            "project": "/work/shop",
            "requirements": 14,
            "locks": [
                {
                    "group": "default",
                    "source": "requirements.in",
                    "path": "requirements.txt",
                    "pins": 34,
                    "state": "fresh",
                    "reasons": [],
                }
            ],
            "environment": {
                "path": "venv",
                "state": "ok",
                "reason": None,
                "fix": None,
                "advice": None,
                "python": "3.11.7",
            },
            "changes": {"installed": [], "removed": [], "changed": [], "unchanged": 34},
            "last_sync": None,
        }

    def test_a_stale_lock_is_drift_and_says_why(self) -> None:
        told = envelope(status_result(status_report(freshness=Stale(reasons=(stale(),)))))
        assert told["exit_code"] == 1
        assert told["data"]["locks"][0]["state"] == "stale"
        assert told["data"]["locks"][0]["reasons"][0]["line"] == 4

    @pytest.mark.parametrize(
        ("condition", "state"),
        [
            (Absent(path=PROJECT.root / "venv"), "absent"),
            (NotAnEnvironment(path=PROJECT.root / "venv", reason="A file."), "not-an-environment"),
            (Broken(path=PROJECT.root / "venv", reason="Moved.", code="moved"), "broken"),
        ],
    )
    def test_an_environment_that_cannot_be_used_is_drift(self, condition: Any, state: str) -> None:
        told = envelope(status_result(status_report(condition=condition, known=False)))
        assert told["exit_code"] == 1
        assert told["data"]["environment"]["state"] == state
        assert told["data"]["changes"] is None

    def test_a_lock_of_another_source_is_not_judged(self) -> None:
        from dataclasses import replace as with_

        report = status_report()
        (only,) = report.locks
        foreign = with_(report, locks=(with_(only, freshness=None, sources=()),))
        told = envelope(status_result(foreign))
        assert told["exit_code"] == 0
        assert told["data"]["locks"][0]["state"] == "unjudged"

    def test_a_lock_that_is_not_there_is_missing(self) -> None:
        from dataclasses import replace as with_

        report = status_report(freshness=Stale(reasons=(stale(),)))
        (only,) = report.locks
        told = envelope(status_result(with_(report, locks=(with_(only, lock=None),))))
        assert told["data"]["locks"][0]["state"] == "missing"


class TestChanges:
    def test_each_difference_becomes_the_change_that_mends_it(self) -> None:
        fork = VcsSource(vcs="git", url="https://example.com/x", commit="0" * 40)
        drift = Drift(
            differences=(
                Missing(entry=entry("a", "1")),
                OtherVersion(entry=entry("b", "2"), installed=installed("b", "1")),
                OtherSource(
                    entry=entry("c", "1", source=fork), installed=installed("c", "1"), because="why"
                ),
                Extra(installed=installed("d", "1")),
                Duplicate(
                    name=entry("e").name,
                    entry=entry("e", "2"),
                    installed=(installed("e", "1"), installed("e", "2")),
                ),
                Duplicate(
                    name=entry("f").name,
                    entry=None,
                    installed=(installed("f", "1"), installed("f", "2")),
                ),
                Damaged(entry=entry("g", "1"), installed=installed("g", None)),
            ),
            unchanged=0,
        )

        changes = changes_of_plan(make_plan(drift, keep={}), PROJECT)

        assert [(each.kind.value, each.name, each.before, each.after) for each in changes] == [
            ("added", "a", None, "1"),
            ("changed", "b", "1", "2"),
            ("changed", "c", "index", str(fork)),
            ("removed", "d", "1", None),
            ("changed", "e", "1, 2", "2"),
            ("removed", "f", "1, 2", None),
            ("changed", "g", None, "1"),
        ]
        assert all(each.because for each in changes)

    def test_a_version_that_only_a_build_can_tell_gives_way_to_the_sources(self) -> None:
        folder = DirectorySource(path="/work/shop/lib", editable=True)
        from venvman.plan import Plan

        step = Replace(
            entry=entry("lib", None, source=folder), installed=(installed("lib"),), because="moved"
        )
        (change,) = changes_of_plan(Plan(steps=(step,), unchanged=0), PROJECT)
        assert (change.before, change.after) == ("index", "-e lib")

    def test_folders_are_told_relative_to_the_project(self) -> None:
        assert source_text(DirectorySource(path="/work/shop/lib"), PROJECT) == "lib"
        assert source_text(DirectorySource(path="/opt/lib"), PROJECT) == "/opt/lib"


def test_clean_says_what_was_removed() -> None:
    outcome = CleanOutcome(environment=PROJECT.root / "venv", removed=True)
    assert envelope(clean_result(outcome, PROJECT))["data"] == {
        "environment": "venv",
        "removed": True,
    }


def test_a_warning_does_not_change_the_status() -> None:
    from dataclasses import replace as with_

    warning = Problem(code="x", message="Hm.", severity=Severity.WARNING)
    told = envelope(sync_result(with_(sync_outcome(), problems=(warning,))))
    assert told["status"] == "ok"
    assert told["problems"][0]["severity"] == "warning"
