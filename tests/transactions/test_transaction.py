"""Transactions that go well, and what each leaves behind."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import ended
from tests.support.wheels import make_wheel
from tests.transactions.world import World, contents, left_over
from venvman.install.attic import Attic, AtticLimit
from venvman.install.link import StoreDamaged
from venvman.install.staging import AtticGone
from venvman.install.transaction import Recovery, Request, commit, recover
from venvman.model.errors import InstallError, Problem
from venvman.model.events import Reporter
from venvman.project.settings import Link
from venvman.system.locks import held


class Listener(Reporter):
    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)


def python(world: World, code: str) -> str:
    argv = [str(world.root / "bin/python"), "-B", "-c", code]
    return ended(argv, check=True).stdout.strip()


def test_what_was_asked_for_is_there_and_works(world: World) -> None:
    tool = world.wheel(
        "tool",
        files={"tool/__init__.py": "def main():\n    print('works')\n"},
        scripts={"tool": "tool:main"},
    )
    outcome = world.sync(tool, world.wheel("other"), requested=["tool"])
    assert [change.name for change in outcome.installed] == ["tool", "other"]
    assert world.versions() == {"tool": "1.0", "other": "1.0"}
    run = ended([world.root / "bin/tool"], check=True)
    assert run.stdout == "works\n"
    assert [each.name for each in world.installed() if each.requested] == ["tool"]
    assert left_over(world.root) == []


def test_a_second_sync_does_nothing(world: World) -> None:
    wheel = world.wheel("demo")
    world.sync(wheel)
    before = contents(world.root, but=())
    outcome = world.sync(wheel)
    assert (outcome.installed, outcome.changed, outcome.removed) == ((), (), ())
    assert contents(world.root, but=()) == before


def test_an_upgrade_leaves_nothing_of_the_old_version(world: World) -> None:
    old = world.wheel("demo", files={"demo/__init__.py": "", "demo/old.py": "", "gone.py": ""})
    new = world.wheel("demo", "2.0", files={"demo/__init__.py": "", "demo/new.py": ""})
    fresh = contents(world.root)
    world.sync(new)
    expected = contents(world.root)
    world.sync()
    assert contents(world.root) == fresh
    world.sync(old)
    outcome = world.sync(new)
    assert contents(world.root) == expected
    (changed,) = outcome.changed
    assert (changed.name, changed.before, changed.after) == ("demo", "1.0", "2.0")


def test_switching_back_renames_and_links_nothing(world: World) -> None:
    old = [world.wheel(f"demo{n}", scripts={f"demo{n}": "x:y"}) for n in range(3)]
    new = [world.wheel(f"demo{n}", "2.0") for n in range(3)]
    world.sync(*old)
    before = contents(world.root)
    inode = (world.site / "demo1.py").stat().st_ino
    world.sync(*new)
    outcome = world.sync(*old)
    assert set(outcome.restored) == {"demo0", "demo1", "demo2"}
    assert contents(world.root) == before
    assert (world.site / "demo1.py").stat().st_ino == inode
    outcome = world.sync(*new)
    assert len(outcome.restored) == 3
    assert left_over(world.root) == []


def test_the_attic_gives_back_only_what_was_installed_the_same_way(world: World) -> None:
    wheel = world.wheel("demo")
    world.sync(wheel, requested=["demo"])
    world.sync()
    assert world.sync(wheel).restored == ()
    world.sync()
    assert world.sync(wheel, direct_urls={"demo": b"{}"}).restored == ()
    world.sync()
    assert world.sync(wheel, requested=["demo"]).restored == ("demo",)


def test_the_attic_holds_nothing_that_looks_like_an_installed_distribution(world: World) -> None:
    nested = {
        "demo/__init__.py": "",
        "demo/_vendor/lib-3.0.dist-info/METADATA": "Name: lib",
        "demo/_vendor/lib.py": "",
    }
    world.sync(world.wheel("demo", files=nested))
    before = contents(world.root)
    world.sync()
    found = {path.name for path in (world.root / ".venvman").rglob("*")}
    assert not any(name.endswith((".dist-info", ".egg-info")) for name in found)
    world.sync(world.wheel("demo", files=nested))
    assert contents(world.root) == before


def test_a_file_edited_in_the_environment_does_not_come_back_from_the_attic(world: World) -> None:
    wheel = world.wheel("demo")
    world.sync(wheel, link=Link.COPY)
    before = contents(world.root)
    (world.site / "demo.py").write_text("edited")
    world.sync()
    outcome = world.sync(wheel, link=Link.COPY)
    assert outcome.restored == ()
    assert contents(world.root) == before


def test_what_the_caller_counted_on_in_the_attic_may_be_gone(world: World) -> None:
    wheel = world.wheel("demo")
    world.sync(wheel, link=Link.COPY)
    plan = world.plan([])
    world.sync()
    entry = Attic(str(world.root)).find("demo", sha256=[wheel.sha256], requested=False)
    assert entry is not None
    plan = world.plan([wheel])

    def install() -> None:
        request = Request(plan=plan, wheels={entry.name: entry}, link=Link.COPY)
        commit(request, world.environment)

    module = next(path for slot, path in entry.units if path.endswith("demo.py"))
    slot = next(slot for slot, path in entry.units if path == module)
    unit = world.root / ".venvman/attic" / entry.key / slot
    times = unit.stat()
    text = unit.read_text()
    unit.write_text("edited")
    with pytest.raises(AtticGone) as caught:
        install()
    assert caught.value.names == ("demo",)
    unit.write_text(text)
    os.utime(unit, ns=(times.st_atime_ns, times.st_mtime_ns))
    install()
    assert world.versions() == {"demo": "1.0"}
    assert left_over(world.root) == []


def test_the_attic_stays_within_its_limit_the_oldest_goes_first(world: World) -> None:
    wheels = [world.wheel("demo", f"{number}.0") for number in range(5)]
    for wheel in wheels:
        world.sync(wheel, attic=AtticLimit(entries=2))
    kept = [entry.version for entry in Attic(str(world.root)).entries()]
    assert kept == ["2.0", "3.0"]
    world.sync(attic=AtticLimit(size=1))
    assert [entry.version for entry in Attic(str(world.root)).entries()] == []
    world.sync(wheels[0], attic=AtticLimit(size=0))
    world.sync(attic=AtticLimit(size=0))
    assert Attic(str(world.root)).keys() == []
    assert left_over(world.root) == []


def test_folders_in_the_attic_that_nobody_understands_are_pruned(world: World) -> None:
    (world.root / ".venvman/attic/demo-1.0-x").mkdir(parents=True)
    (world.root / ".venvman/attic/demo-1.0-x/entry.json").write_text("{}")
    world.sync(world.wheel("demo"))
    world.sync()
    assert len(Attic(str(world.root)).keys()) == 1


def test_bytecode_leaves_with_its_module_and_comes_back_with_it(world: World) -> None:
    wheel = world.wheel("demo", files={"demo/__init__.py": "", "single.py": ""})
    world.sync(wheel)
    subprocess.run([world.root / "bin/python", "-c", "import demo, single"], check=True)
    assert list((world.site / "__pycache__").glob("single.*.pyc"))
    world.sync()
    assert not (world.site / "demo").exists()
    assert not (world.site / "__pycache__").exists()
    world.sync(wheel)
    assert list((world.site / "demo/__pycache__").glob("__init__.*.pyc"))


def test_python_never_runs_stale_bytecode_after_a_swap(world: World) -> None:
    old = world.wheel("demo", "1.0", files={"demo.py": "value = 1\n"})
    new = world.wheel("demo", "2.0", files={"demo.py": "value = 2\n"})
    code = "import demo; print(demo.value)"
    environment = {"PYTHONPYCACHEPREFIX": str(world.folder / "bytecode")}
    for wheel, expected in ((old, "1"), (new, "2"), (old, "1")):
        world.sync(wheel)
        argv = [str(world.root / "bin/python"), "-c", code]
        done = ended(argv, env=environment, check=True)
        assert done.stdout.strip() == expected


def test_files_that_nobody_owns_stay_where_they_are(world: World) -> None:
    files = {"demo/__init__.py": "", "demo/data/known.txt": "", "demo/code/x.py": ""}
    wheel = world.wheel("demo", files=files)
    world.sync(wheel)
    (world.site / "demo/data/cache.db").write_text("made at run time")
    (world.site / "demo/runtime").mkdir()
    (world.site / "demo/runtime/log.txt").write_text("a log")
    world.sync()
    assert sorted(path.name for path in (world.site / "demo").rglob("*")) == [
        "cache.db",
        "data",
        "log.txt",
        "runtime",
    ]
    assert world.versions() == {}
    world.sync(wheel)
    assert (world.site / "demo/data/cache.db").read_text() == "made at run time"
    assert (world.site / "demo/code/x.py").exists()


def test_an_unlisted_file_in_the_metadata_folder_does_not_keep_it(world: World) -> None:
    world.sync(world.wheel("demo"))
    (world.site / "demo-1.0.dist-info/notes.txt").write_text("by hand")
    world.sync()
    assert world.versions() == {}
    assert not (world.site / "demo-1.0.dist-info").exists()


def test_empty_folders_go_and_those_of_the_environment_stay(world: World) -> None:
    before = contents(world.root)
    files = {
        "space/one/a.py": "",
        "demo-1.0.data/data/share/man/man1/demo.1": "",
        "demo-1.0.data/headers/demo.h": "",
    }
    world.sync(world.wheel("demo", files=files))
    assert (world.root / "share/man/man1/demo.1").exists()
    world.sync()
    after = contents(world.root)
    added = sorted(after.keys() - before.keys())
    assert all(path.startswith("include") for path in added), added
    assert not any(
        value not in ("folder", "link") for path, value in after.items() if path in added
    )


def test_a_namespace_shared_by_two_is_taken_apart_and_put_together(world: World) -> None:
    one = world.wheel("ns-one", files={"ns/one/__init__.py": "", "ns/__init__.py": "shared"})
    two = world.wheel("ns-two", files={"ns/two/__init__.py": "", "ns/__init__.py": "shared"})
    world.sync(one)
    only_one = contents(world.root)
    world.sync(one, two)
    both = contents(world.root)
    world.sync(one)
    assert contents(world.root) == only_one
    assert (world.site / "ns/__init__.py").read_text() == "shared"
    world.sync(one, two)
    assert contents(world.root) == both
    world.sync()
    assert not (world.site / "ns").exists()
    world.sync(one, two)
    assert contents(world.root) == both


def test_of_two_that_bring_one_file_the_later_wins_and_both_records_stay(world: World) -> None:
    one = world.wheel("one", files={"cv/__init__.py": "one", "cv/a.py": ""})
    two = world.wheel("two", files={"cv/__init__.py": "two", "cv/b.py": ""})
    world.sync(one, two)
    assert (world.site / "cv/__init__.py").read_text() == "two"
    for name in ("one", "two"):
        assert "cv/__init__.py" in (world.site / f"{name}-1.0.dist-info/RECORD").read_text()
    world.sync(two)
    assert (world.site / "cv/__init__.py").read_text() == "two"
    assert not (world.site / "cv/a.py").exists()


def test_a_file_in_the_way_that_nobody_owns_is_replaced(world: World) -> None:
    (world.site / "demo.py").write_text("stray")
    world.sync(world.wheel("demo"))
    assert "__version__" in (world.site / "demo.py").read_text()
    assert left_over(world.root) == []


@pytest.mark.parametrize("there", ["folder", "link"])
def test_a_folder_in_the_way_of_a_file_is_named_and_nothing_changes(
    world: World, there: str
) -> None:
    if there == "folder":
        (world.site / "demo.py").mkdir()
        (world.site / "demo.py/precious").write_text("")
        wheel = world.wheel("demo")
    else:
        (world.folder / "elsewhere").mkdir()
        (world.site / "demo").symlink_to(world.folder / "elsewhere")
        wheel = world.wheel("demo", files={"demo/__init__.py": ""})
    before = contents(world.root)
    with pytest.raises(InstallError) as caught:
        world.sync(wheel)
    assert caught.value.code == "path-in-the-way"
    assert contents(world.root) == before
    assert left_over(world.root) == []
    assert list((world.folder / "elsewhere").iterdir()) == [] if there == "link" else True


def test_duplicates_are_removed_together(world: World) -> None:
    world.sync(world.wheel("demo"))
    copy = world.site / "demo-0.9.dist-info"
    copy.mkdir()
    (copy / "METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 0.9\n")
    (copy / "RECORD").write_text("demo.py,,\ndemo-0.9.dist-info/METADATA,,\n")
    world.sync(world.wheel("demo", "2.0"))
    assert world.versions() == {"demo": "2.0"}
    assert len(list(world.site.glob("*.dist-info"))) == 1


def test_files_already_missing_are_no_hindrance(world: World) -> None:
    world.sync(world.wheel("demo", files={"demo/__init__.py": "", "demo/x.py": "", "y.py": ""}))
    (world.site / "y.py").unlink()
    (world.site / "demo/x.py").unlink()
    world.sync(world.wheel("demo", "2.0"))
    assert world.versions() == {"demo": "2.0"}


def test_a_damaged_distribution_is_replaced_by_a_whole_one(world: World) -> None:
    wheel = world.wheel("demo", files={"demo/__init__.py": "", "demo/x.py": "x"})
    world.sync(wheel)
    before = contents(world.root)
    (world.site / "demo/x.py").unlink()
    world.sync(wheel, again=["demo"])
    assert contents(world.root) == before
    world.sync(wheel, again=["demo"])
    assert contents(world.root) == before
    assert left_over(world.root) == []


def test_what_pip_installed_is_replaced_and_removed(world: World) -> None:
    path = make_wheel(world.folder / "wheels", "demo", scripts={"demo": "demo:main"})
    before = contents(world.root)
    pip = [sys.executable, "-m", "pip", "--python", str(world.root), "install", "-q", "--no-deps"]
    subprocess.run([*pip, "--no-index", str(path)], check=True)
    world.sync(world.wheel("demo", "2.0"))
    assert world.versions() == {"demo": "2.0"}
    assert not (world.root / "bin/demo").exists()
    world.sync()
    assert contents(world.root) == before


def test_pip_sees_and_removes_what_was_installed(world: World) -> None:
    other = world.wheel("other")
    world.sync(other)
    before = contents(world.root)
    world.sync(other, world.wheel("demo", scripts={"demo": "demo:main"}))
    pip = [sys.executable, "-m", "pip", "--python", str(world.root)]
    listed = ended([*pip, "list"], check=True).stdout
    assert "demo" in listed
    subprocess.run([*pip, "uninstall", "-y", "-q", "demo"], check=True)
    assert contents(world.root) == before


@pytest.mark.parametrize("compiled", [True, False])
def test_bytecode_is_compiled_on_demand_and_fresh(world: World, compiled: bool) -> None:
    files = {"demo/__init__.py": "import demo.x\n", "demo/x.py": "", "demo/bad.py": "def broken(:"}
    world.sync(world.wheel("demo", files=files), compile_bytecode=compiled)
    cached = sorted(path.name.partition(".")[0] for path in world.site.rglob("*.pyc"))
    assert cached == (["__init__", "x"] if compiled else [])
    record = (world.site / "demo-1.0.dist-info/RECORD").read_text()
    assert (".pyc,," in record) is compiled
    if compiled:
        assert "matches" in python(
            world,
            "import sys, importlib.util as u, demo.x as m, marshal\n"
            "content = open(u.cache_from_source(m.__file__), 'rb').read()\n"
            "import os; stat = os.stat(m.__file__)\n"
            "fresh = int.from_bytes(content[8:12], 'little') == int(stat.st_mtime)\n"
            "print('matches' if fresh and marshal.loads(content[16:]).co_filename == m.__file__"
            " else 'differs')",
        )
        world.sync()
        assert list(world.site.rglob("*.pyc")) == []


def test_an_interpreter_that_does_not_run_only_means_no_bytecode(world: World) -> None:
    (world.root / "bin/python").unlink()
    listener = Listener()
    world.sync(world.wheel("demo"), compile_bytecode=True, reporter=listener)
    assert [problem.code for problem in listener.problems] == ["bytecode-not-compiled"]
    assert world.versions() == {"demo": "1.0"}


def test_a_changed_file_in_the_store_is_never_linked(world: World) -> None:
    good, bad = world.wheel("good"), world.wheel("bad")
    (bad.folder / "bad.py").write_text("poison")
    before = contents(world.root)
    with pytest.raises(StoreDamaged) as caught:
        world.sync(good, bad)
    assert caught.value.wheels == (bad,)
    assert contents(world.root) == before
    assert left_over(world.root) == []
    world.store.discard(bad.sha256)
    world.sync(good, world.wheel("bad"))
    assert "poison" not in (world.site / "bad.py").read_text()


def test_a_damaged_script_is_never_linked(world: World) -> None:
    files = {"demo.py": "", "demo-1.0.data/data/share/x": "data"}
    wheel = world.wheel("demo", files=files)
    (wheel.folder / "demo-1.0.data/data/share/x").write_text("poison")
    with pytest.raises(StoreDamaged):
        world.sync(wheel)


@pytest.mark.parametrize("wait", [0, 0.05])
def test_who_will_not_wait_is_told(world: World, wait: float) -> None:
    wheel = world.wheel("demo")
    lock = held(world.directories.environment_lock(world.root))
    with lock, pytest.raises(InstallError, match="changed by another process") as caught:
        world.sync(wheel, wait=wait)
    assert caught.value.code == "environment-locked"


def test_nothing_to_recover_is_no_work(world: World) -> None:
    assert recover(world.root, directories=world.directories) is Recovery.NOTHING
    assert recover(world.root, directories=None) is Recovery.NOTHING


def test_a_journal_of_another_format_is_left_alone(world: World) -> None:
    journal = world.root / ".venvman/journal.json"
    for text in ('["journal 99",[]]', '["journal 2",[]]', "{", "[]"):
        journal.write_text(text)
        with pytest.raises(InstallError) as caught:
            recover(world.root, directories=world.directories)
        assert caught.value.code == "journal-unreadable"
        assert journal.exists()


def test_a_lower_layer_of_an_overlay_filesystem_is_no_hindrance(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There folders cannot be renamed (EXDEV), files can."""
    old = world.wheel("demo", files={"demo/__init__.py": "1", "demo/sub/x.py": ""})
    new = world.wheel("demo", "2.0", files={"demo/__init__.py": "2", "demo/sub/y.py": ""})
    world.sync(new)
    expected = contents(world.root)
    world.sync()
    world.sync(old)
    before = contents(world.root)
    lower = {path for path in world.site.rglob("*") if path.is_dir()}
    rename = os.rename

    def overlay(source: str, target: str) -> None:
        if Path(source) in lower:
            raise OSError(errno.EXDEV, "Invalid cross-device link", source)
        rename(source, target)

    monkeypatch.setattr("venvman.install.journal.os.rename", overlay)
    world.sync(new)
    assert contents(world.root) == expected
    world.sync(old)
    assert contents(world.root) == before
    assert left_over(world.root) == []


def test_a_file_on_another_filesystem_is_carried_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = world.wheel("demo", files={"demo-1.0.data/data/share/x": "data"})
    (world.root / "share").mkdir()
    rename = os.rename

    def mounted(source: str, target: str) -> None:
        if ("/venv/share" in source) != ("/venv/share" in target):
            raise OSError(errno.EXDEV, "Invalid cross-device link", source)
        rename(source, target)

    monkeypatch.setattr("venvman.install.journal.os.rename", mounted)
    world.sync(wheel)
    assert (world.root / "share/x").read_text() == "data"
    world.sync()
    assert not (world.root / "share/x").exists()


def test_an_environment_reached_through_a_link_is_changed_in_its_place(world: World) -> None:
    link = world.folder / "link"
    link.symlink_to(world.root)
    wheel = world.wheel("demo")
    world.sync(wheel)
    assert recover(link, directories=world.directories) is Recovery.NOTHING
    assert world.versions() == {"demo": "1.0"}
