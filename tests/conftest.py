"""Isolation only: every test has a home, cache and state of its own, and no pip configuration."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.index import Index, serve
from tests.support.pythons import cache_with_small_pip
from venvman.system import secrets

# Neither a clock decides, as a machine under load is no fault of what is tested, nor chance.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("calm", CALM, max_examples=30, derandomize=True)
settings.register_profile("thorough", CALM, max_examples=1000)
settings.load_profile("calm")

# A shell that starts a command in the background has it ignore Ctrl-C, and all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONG = ("museum", "slow", "torture")
"""Marks of tests that run only where they are asked for by ``-m``: `make museum` and the like."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the long ones out: those marked so, and of a ``sample`` all but every so-manieth."""
    seen: Counter[str] = Counter()
    for item in items:
        sample = item.get_closest_marker("sample")
        if sample is not None:
            number, mark = sample.args
            position = seen[item.nodeid.partition("[")[0]] + sample.kwargs.get("offset", 0)
            seen[item.nodeid.partition("[")[0]] += 1
            if position % number:
                item.add_marker(mark)
    asked = config.getoption("markexpr") or ""
    unasked = [mark for mark in LONG if mark not in asked]
    long = [item for item in items if any(map(item.get_closest_marker, unasked))]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


# What may reach a test from outside; everything else is dropped.
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "PYENV_ROOT")


@pytest.fixture(scope="session")
def first_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the cache of every test begins with."""
    return cache_with_small_pip(tmp_path_factory.mktemp("first"))


_numbers = itertools.count()


def _folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """A new one. (To number one, pytest reads the names of all that it has made so far.)"""
    folder = factory.getbasetemp() / name / str(next(_numbers))
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder of this test's own."""
    return _folder(tmp_path_factory, "test")


@pytest.fixture(autouse=True)
def isolated(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, first_cache: Path
) -> Path:
    """An empty home, in which it works. Variables of pip, uv, venvman, git and CI are gone."""
    home = _folder(tmp_path_factory, "home")
    shutil.copytree(first_cache, home / "cache")
    monkeypatch.chdir(home)
    # No test cuts the power, and a disk takes longer to flush than most tests take.
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    secrets.forget()
    for name in list(os.environ):
        if name not in KEPT and not name.startswith(("COV_", "COVERAGE_", "PYTEST_")):
            monkeypatch.delenv(name)
    settings = {
        "HOME": home,
        "XDG_CONFIG_HOME": home / ".config",
        "VENVMAN_CACHE_DIR": home / "cache",
        "VENVMAN_STATE_DIR": home / "state",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "GIT_CONFIG_GLOBAL": home / ".gitconfig",
        "GIT_CONFIG_NOSYSTEM": "1",
        "COLUMNS": "100",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    (home / ".gitconfig").write_text(
        "[user]\nname = Tester\nemail = tester@example.org\n[init]\ndefaultBranch = main\n"
        '[protocol "file"]\nallow = always\n'
    )
    return home


@pytest.fixture
def index(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Index]:
    """An empty index over HTTP, the one that is configured; put files into ``index.folder``."""
    with serve(_folder(tmp_path_factory, "index")) as served:
        monkeypatch.setenv("PIP_INDEX_URL", served.simple)
        yield served
