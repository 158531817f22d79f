"""Every fix that is printed, run literally by a shell from where somebody stood, fixes.

A scenario breaks a synced project in one way and names the code that tells of it. What ``doctor``
then prints is run; afterwards the finding must be gone. Advice is not run: it must be a sentence.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.broken import (
    PLACES,
    add_a_distribution,
    all_of,
    break_the_interpreter,
    drop,
    edit,
    make_shop,
    remove,
    run_as_person,
    shell,
    shell_path_in,
    stand,
    wheels_of,
    write,
)
from tests.support.cli import ended, run
from tests.support.index import Index
from tests.support.projects import HEADER, git, lock_of, site_of
from tests.support.sites import Site
from tests.support.wheels import make_wheel, sha256_of
from venvman.doctor.codes import CODES
from venvman.doctor.finding import ByFix
from venvman.environment.record import encode_digest
from venvman.install.journal import write_journal

Break = Callable[[Path], object]


def put_a_folder_in_the_way(root: Path) -> None:
    shutil.rmtree(root / "venv")
    write("venv/thesis.txt", "mine")(root)


def lead_the_environment_to_itself(root: Path) -> None:
    shutil.rmtree(root / "venv")
    (root / "venv").symlink_to("venv")


def copy_a_distribution(root: Path) -> None:
    (info,) = site_of(root).glob("beta-*.dist-info")
    shutil.copytree(info, info.with_name("beta-0.1.dist-info"))
    other = info.with_name("beta-0.1.dist-info") / "METADATA"
    other.write_text(other.read_text().replace("Version: 1.0", "Version: 0.1"))


def cut_a_record(root: Path) -> None:
    (record,) = site_of(root).glob("beta-*/RECORD")
    record.write_text(record.read_text().splitlines(keepends=True)[0])


def lock_without_hashes(root: Path) -> None:
    lock = root / "requirements.lock"
    lock.write_text(re.sub(r" \\\n    --hash=\S+", "", lock.read_text()))


def lock_another_hash(root: Path) -> None:
    lock = root / "requirements.lock"
    before, name, after = lock.read_text().partition("beta==")
    lock.write_text(before + name + re.sub(r"(?<=sha256:)[0-9a-f]{64}", "f" * 64, after))


def lock_a_wheel_that_was_made_again(root: Path) -> None:
    """The lock of somebody whose index has other bytes under the same version."""
    lock = root / "requirements.lock"
    other = make_wheel(root.parent / "elsewhere", "beta", files={"beta.py": "made_again = True\n"})
    before, name, after = lock.read_text().partition("beta==")
    lock.write_text(before + name + re.sub(r"sha256:[0-9a-f]{64}", sha256_of(other), after))


def give_a_reason(name: str) -> Break:
    asked = "# via -r requirements.txt"
    return edit("requirements.lock", asked, f"# via\n    #   -r requirements.txt\n    #   {name}")


def conflict(root: Path) -> None:
    lock = root / "requirements.lock"
    text = lock.read_text()
    lock.write_text(f"<<<<<<< HEAD\n{text}=======\nalpha==9\n>>>>>>> theirs\n")


def take_from_elsewhere(root: Path) -> None:
    (info,) = site_of(root).glob("beta-*.dist-info")
    (info / "direct_url.json").write_text(
        '{"url": "https://e.invalid/beta.zip", "archive_info": {}}'
    )


def empty_a_record(root: Path) -> None:
    (record,) = site_of(root).glob("beta-*/RECORD")
    record.write_text("")


move_a_pin = edit("requirements.lock", "beta==1.0", "beta==2.0")
SITE = "venv/lib/python{}.{}/site-packages".format(*sys.version_info[:2])
BETA = "venv/lib/*/site-packages/beta-*.dist-info"


def disagree(root: Path) -> None:
    new = make_wheel(wheels_of(root), "beta", "2.0")
    write("requirements-dev.txt", "beta\n")(root)
    text = HEADER + lock_of(new, via="-r requirements-dev.txt")
    (root / "requirements-dev.lock").write_text(text)


def put_in_place_of_metadata(root: Path) -> Path:
    (info,) = site_of(root).glob("beta-*.dist-info")
    shutil.rmtree(info)
    return info


def pin_twice(root: Path) -> None:
    new = make_wheel(wheels_of(root), "beta", "2.0")
    edit("requirements.lock", "", lock_of(new, via="alpha"))(root)


def make_the_lock_elsewhere(root: Path) -> None:
    text = (root / "requirements.lock").read_text()
    (root / "requirements.lock").unlink()
    command = "pip-compile --output-file=requirements.txt setup.py"
    text = text.replace("by venvman", "by pip-compile").replace("venvman freeze", command)
    (root / "requirements.txt").write_text(text)


def say_in_metadata(line: str) -> Break:
    return edit(f"{BETA}/METADATA", "Version: 1.0\n", f"Version: 1.0\n{line}\n")


def cut_off(name: str) -> Break:
    def cut(root: Path) -> None:
        script = root / "venv/bin" / name
        script.write_text(script.read_text()[:300])

    return cut


def point_python(version: str, root: Path) -> None:
    link = root / f"venv/bin/python{version}"
    link.unlink(missing_ok=True)
    link.symlink_to("/bin/sh")


def orphan(root: Path) -> None:
    """A lock of a group whose source was deleted."""
    write("requirements-old.in", "beta\n")(root)
    assert run("freeze", "-q", "--group", "old", cwd=root).code == 0
    (root / "requirements-old.in").unlink()


def orphan_of_another_tool(root: Path) -> None:
    command = "pip-compile --output-file=requirements-old.txt requirements-old.in"
    said = (
        "# This file is autogenerated by pip-compile with Python 3.11\n# by the following command:"
    )
    head = f"#\n{said}\n#\n#    {command}\n#\n"
    pins = (root / "requirements.lock").read_text()
    write("requirements-old.txt", head + pins[pins.index("alpha==") :])(root)


def orphan_of_two(root: Path) -> None:
    """Of a lock's two sources one is gone, and the other has a lock of its own."""
    text = (root / "requirements.lock").read_text()
    text = text.replace(
        "# via -r requirements.txt", "# via\n    #   -r old.in\n    #   -r requirements.txt"
    )
    write("requirements-old.txt", text)(root)


def built_for(tag: str) -> Break:
    return edit(f"{BETA}/WHEEL", "py3-none-any", tag)


def start_elsewhere(first: str) -> Break:
    """What a copied script does."""

    def add_script(root: Path) -> None:
        wheel = make_wheel(wheels_of(root), "beta", "1.5", scripts={"beta": "beta:main"})
        edit("requirements.lock", "beta==1.0", "beta==1.5")(root)
        lock = (root / "requirements.lock").read_text().splitlines(keepends=True)
        at = next(number for number, line in enumerate(lock) if line.startswith("beta==1.5"))
        (root / "requirements.lock").write_text("".join(lock[:at]) + lock_of(wheel, via="alpha"))
        assert run("sync", "-q", cwd=root).code == 0
        script = root / "venv/bin/beta"
        text = script.read_text()
        script.unlink()
        script.write_text(f"{first}\n{text.partition(chr(10))[2]}")
        script.chmod(0o755)

    return add_script


def install_hooks(root: Path) -> None:
    assert run("hooks", "install", cwd=root).code == 0


def hook_of(root: Path) -> Path:
    return root.parent / ".git/hooks/post-merge"


def edit_a_hook(root: Path) -> None:
    install_hooks(root)
    hook_of(root).write_text(hook_of(root).read_text() + "echo of somebody else's\n")
    assert findings("VM601", root, root, ()) == []
    hook_of(root).write_text(
        hook_of(root).read_text().replace("venvman_code=127", "venvman_code=0")
    )


def hook_a_gone_venvman(root: Path) -> None:
    assert run("hooks", "install", cwd=root).code == 0
    (root.parent / ".git/venvman/program").write_text("/gone/venvman\n")


def stage_one(name: str) -> Break:
    """Both the lock and its source were changed since the last commit, and one is staged."""

    def stage(root: Path) -> None:
        git(root, "add", "requirements.lock", "requirements.txt")
        git(root, "commit", "-qm", "one")
        for each in ("requirements.lock", "requirements.txt"):
            edit(each, "alpha", "# more\nalpha")(root) if each.endswith("txt") else edit(
                each, "", "# more\n"
            )(root)
        git(root, "add", name)

    return stage


def install_an_egg(root: Path) -> None:
    Site(site_of(root)).egg_info("old")


def share_a_folder(root: Path) -> None:
    """Two packages share a namespace, and a file nobody brought makes it one's own."""
    for name in ("one", "two"):
        Site(site_of(root)).dist_info(name, files={f"shared/deep/{name}/__init__.py": ""})


def put_a_script(root: Path, name: str) -> None:
    write(f"venv/bin/{name}", "#!/bin/sh\n")(root)
    (root / "venv/bin" / name).chmod(0o755)


def lead_out(path: Path) -> None:
    """What is at ``path`` lies elsewhere now, and a link leads there."""
    elsewhere = path.parents[5] / f"elsewhere-{path.name}"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def install_a_package(root: Path) -> None:
    """Beta with a folder and a script."""
    files = {"beta/__init__.py": "", "beta/part.py": "def main(): ...\n"}
    scripts = {"beta": "beta.part:main"}
    wheel = make_wheel(wheels_of(root), "beta", "1.6", files=files, scripts=scripts)
    lock = (root / "requirements.lock").read_text()
    text = lock[: lock.index("beta==")] + lock_of(wheel, via="alpha")
    (root / "requirements.lock").write_text(text)
    assert run("sync", "-q", cwd=root).code == 0


def lead_a_folder_out(root: Path) -> None:
    install_a_package(root)
    lead_out(site_of(root) / "beta")


def empty_a_script(root: Path) -> None:
    install_a_package(root)
    (root / "venv/bin/beta").write_text("")


def edit_a_module_and_its_record(root: Path) -> None:
    module = site_of(root) / "beta.py"
    content = b"evil = 1\n"
    module.unlink()
    module.write_bytes(content)
    (record,) = site_of(root).glob("beta-*/RECORD")
    row = f"beta.py,{encode_digest(hashlib.sha256(content).digest())},{len(content)}"
    text = re.sub(r"^beta\.py,.*$", row, record.read_text(), flags=re.MULTILINE)
    record.unlink()
    record.write_text(text)


def share_a_file(root: Path) -> None:
    for name in ("one", "two"):
        Site(site_of(root)).dist_info(name, files={"both/part.py": ""})


def lose_the_module(root: Path) -> None:
    """An editable package whose ``.pth`` file leads to a folder in which it is no more."""
    write("libs/hello/lib/other.py", "")(root)
    url = {"url": (root / "libs/hello").as_uri(), "dir_info": {"editable": True}}
    files = {
        "hello-1.0.dist-info/entry_points.txt": "[console_scripts]\nhello = hello:main\n",
        "__editable__.hello-1.0.pth": f"{root / 'libs/hello/lib'}\n",
    }
    Site(site_of(root)).dist_info("hello", files=files, direct_url=url)
    write("libs/hello/lib/hello/__init__.py", "def main(): ...\n")(root)
    assert findings("VM509", root, root, ()) == []
    shutil.rmtree(root / "libs/hello/lib/hello")


def lose_the_function(root: Path) -> None:
    """An editable package whose script calls what its module no longer has."""
    write("libs/hello/hello.py", "def other(): ...\n")(root)
    url = {"url": (root / "libs/hello").as_uri(), "dir_info": {"editable": True}}
    finder = f"MAPPING: dict[str, str] = {{'hello': {str(root / 'libs/hello/hello')!r}}}\n"
    files = {
        "hello-1.0.dist-info/entry_points.txt": "[console_scripts]\nhello = hello:main\n",
        "__editable___hello_1_0_finder.py": finder,
    }
    Site(site_of(root)).dist_info("hello", files=files, direct_url=url)


SCENARIOS: tuple[tuple[str, Break], ...] = (
    ("VM101", lambda root: shutil.rmtree(root / "venv")),
    ("VM102", put_a_folder_in_the_way),
    ("VM102", lead_the_environment_to_itself),
    ("VM103", break_the_interpreter),
    ("VM103", write("venv/pyvenv.cfg", "")),
    ("VM103", lambda root: shutil.rmtree(site_of(root))),
    ("VM104", edit("venv/bin/activate", "/shop/venv", "/old/venv")),
    ("VM106", edit("venv/pyvenv.cfg", "packages = false", "packages = true")),
    ("VM107", lambda root: write_journal(f"{root}/venv", ())),
    ("VM108", lambda root: (root / "venv/bin/activate").unlink()),
    ("VM108", lambda root: (root / "venv/bin/activate").write_text("VIRTUAL_ENV=x\n")),
    ("VM108", cut_off("activate.fish")),
    ("VM108", cut_off("activate.csh")),
    ("VM108", cut_off("Activate.ps1")),
    ("VM108", lambda root: (root / "venv/bin/Activate.ps1").unlink()),
    ("VM108", lambda root: (root / "venv/bin/activate.fish").unlink()),
    ("VM109", lambda root: (root / "venv/bin/python3").unlink()),
    ("VM112", all_of(remove("pip"), remove("pip-*"))),
    ("VM109", lambda root: point_python("3", root)),
    ("VM109", lambda root: point_python("3.7", root)),
    ("VM110", lambda root: site_of(root).chmod(0o555)),
    ("VM110", lambda root: (root / "venv/bin").chmod(0o555)),
    ("VM202", edit("requirements.txt", "", "beta=1\n")),
    ("VM301", lambda root: (root / "requirements.lock").unlink()),
    ("VM302", edit("requirements.txt", "", "gamma\n")),
    ("VM302", edit("requirements.lock", "# via alpha", "# via beta")),
    ("VM303", conflict),
    ("VM304", edit("requirements.lock", "beta==1.0", "beta>=1.0")),
    ("VM304", lambda root: (root / "requirements.lock").write_bytes(b"\xff\xfe\x00")),
    ("VM305", disagree),
    ("VM305", pin_twice),
    ("VM308", edit("requirements.lock", "venvman freeze", "venvman freeze --target macos")),
    ("VM307", lock_without_hashes),
    ("VM312", give_a_reason("beta")),
    ("VM312", give_a_reason("beta[more]")),
    ("VM313", lock_another_hash),
    ("VM313", lock_a_wheel_that_was_made_again),
    ("VM401", remove("beta*")),
    ("VM402", edit(f"{BETA}/METADATA", "Version: 1.0", "Version: 0.9")),
    ("VM402", all_of(move_a_pin, lambda root: make_wheel(wheels_of(root), "beta", "2.0"))),
    ("VM402", move_a_pin),
    ("VM403", take_from_elsewhere),
    ("VM404", add_a_distribution),
    ("VM405", copy_a_distribution),
    ("VM406", remove("beta-*/METADATA")),
    ("VM406", remove("beta-*/RECORD")),
    ("VM406", empty_a_record),
    ("VM406", lambda root: put_in_place_of_metadata(root).write_text("")),
    ("VM406", lambda root: put_in_place_of_metadata(root).symlink_to("nowhere")),
    ("VM407", lambda root: (site_of(root) / "~eta").mkdir()),
    ("VM411", remove("beta*")),
    ("VM412", edit(f"{BETA}/METADATA", "Version: 1.0", "Version: 0.9")),
    ("VM501", remove("beta.py")),
    ("VM502", lambda root: (site_of(root) / "beta.py").write_text("")),
    ("VM415", built_for("cp35-cp35m-win_amd64")),
    ("VM415", built_for("py2-none-any")),
    ("VM507", lambda root: (site_of(root) / "beta.py").chmod(0o666)),
    ("VM507", lambda root: (site_of(root) / "alpha.py").chmod(0o777)),
    ("VM502", lambda root: lead_out(site_of(root) / "beta.py")),
    ("VM502", lead_a_folder_out),
    ("VM502", empty_a_script),
    ("VM504", edit_a_module_and_its_record),
    ("VM510", lambda root: site_of(root).chmod(0o777)),
    ("VM510", lambda root: (root / "venv/bin").chmod(0o777)),
    ("VM510", all_of(share_a_folder, lambda root: (site_of(root) / "shared/deep").chmod(0o777))),
    ("VM508", start_elsewhere("#!/usr/bin/python3")),
    ("VM508", start_elsewhere("#!/bin/sh\n'''exec' \"/a b/bin/python\" \"$0\" \"$@\"\n' '''")),
    ("VM503", edit(f"{BETA}/RECORD", "", "../../../../../outside,,\n")),
    ("VM504", edit(f"{BETA}/RECORD", "", "a\0b,,\n")),
    ("VM504", cut_a_record),
    ("VM505", write(f"{SITE}/utils.py", "")),
    ("VM505", write(f"{SITE}/old.pyc", "")),
    ("VM505", write(f"{SITE}/plain/part.py", "")),
    ("VM505", all_of(share_a_folder, write(f"{SITE}/shared/deep/one/evil.py", ""))),
    ("VM505", all_of(share_a_folder, write(f"{SITE}/shared/deep/one/inner/evil.pyc", ""))),
    ("VM505", lambda root: put_a_script(root, "ls")),
    ("VM505", write(f"{SITE}/own/__init__.py", "")),
    ("VM505", all_of(share_a_folder, write(f"{SITE}/shared/__init__.py", ""))),
    ("VM505", all_of(share_a_folder, write(f"{SITE}/shared/deep/__init__.py", ""))),
    ("VM506", write(f"{SITE}/sitecustomize.py", "raise SystemExit")),
    ("VM506", write(f"{SITE}/usercustomize/__init__.py", "")),
    ("VM506", write(f"{SITE}/evil.pth", "import os")),
    ("VM601", lambda _root: None),
    ("VM601", edit_a_hook),
    ("VM601", all_of(install_hooks, lambda root: hook_of(root).chmod(0o644))),
    ("VM602", write(".gitignore", "venv\n*.lock\n")),
    ("VM603", write(".gitignore", "venv\n")),
    ("VM605", hook_a_gone_venvman),
    ("VM606", stage_one("requirements.lock")),
    ("VM606", stage_one("requirements.txt")),
    ("VM604", lambda root: git(root, "add", "--force", "venv")),
    ("VM604", lambda root: git(root, "add", "--force", "venv/.venvman")),
    ("VM702", edit("requirements.txt", "", "--extra-index-url http://e.invalid/simple\n")),
    ("VM702", edit("requirements.txt", "", "six @ http://e.invalid/six-1.0-py3-none-any.whl\n")),
    ("VM702", edit("requirements.txt", "", "six @ git+git://e.invalid/six@v1\n")),
)


PROJECT = write("pyproject.toml", "[tool.venvman]\n")

SECRETS = (
    "--index-url https://joe:hunter2@e.invalid/simple",
    "--extra-index-url https://joe:hunter2@e.invalid/simple",
    "--find-links https://joe:hunter2@e.invalid/files",
    "-f https://hunter2@e.invalid/files",
    "six @ https://joe:hunter2@e.invalid/six-1.0-py3-none-any.whl",
    "six @ https://hunter2@e.invalid/six-1.0-py3-none-any.whl",
    "six @ git+https://joe:hunter2@e.invalid/six",
    "-e git+https://joe:hunter2@e.invalid/six#egg=six",
)
"""Each way to write credentials into a file."""

TOLD: tuple[tuple[str, Break], ...] = (
    ("VM105", write(".python-version", "3.8.0\n")),
    ("VM201", all_of(drop("requirements.txt"), drop("requirements.lock"), PROJECT)),
    ("VM203", edit("requirements.txt", "", "six @ git+https://e.invalid/six\n")),
    ("VM204", write("constraints.txt", "beta<2\n")),
    ("VM205", edit("requirements.txt", "", "-e ./gone\n")),
    ("VM205", edit("requirements.txt", "", "./gone\n")),
    ("VM205", edit("requirements.txt", "", "./gone-1.0-py3-none-any.whl\n")),
    ("VM208", edit("requirements.txt", "", "six @ https://e.invalid/${NOT_SET}/six.zip\n")),
    ("VM208", edit("requirements.txt", "", "--extra-index-url https://${NOT_SET}@e.invalid/\n")),
    ("VM209", edit("requirements.txt", "alpha\n", "alpha[nosuch]\n# alpha\n")),
    ("VM210", edit("requirements.txt", "alpha", "alpha --index-url https://e.invalid/")),
    ("VM210", edit("requirements.txt", "", "-r requirements.txt more.txt\n")),
    ("VM210", edit("requirements.txt", "", "--find-links ./a --find-links ./b\n")),
    ("VM211", edit("requirements.txt", "", "requestz\n")),
    ("VM211", edit("requirements.txt", "", "Numpyy>=1\n")),
    ("VM310", edit("requirements.lock", "alpha==", "--find-links /home/me/wheels\nalpha==")),
    ("VM310", edit("requirements.lock", "alpha==", "six @ file:///home/me/six.zip\nalpha==")),
    ("VM206", edit("requirements.txt", "", "alpha\n")),
    ("VM206", edit("requirements.txt", "", "Alpha>=1\n")),
    ("VM207", edit("requirements.txt", "alpha", "alpha>=2\nalpha<2")),
    (
        "VM207",
        all_of(
            write("c.txt", "alpha==1"), edit("requirements.txt", "alpha", "-c c.txt\nalpha>1.5")
        ),
    ),
    ("VM306", make_the_lock_elsewhere),
    ("VM309", orphan),
    ("VM309", orphan_of_another_tool),
    ("VM309", orphan_of_two),
    ("VM413", say_in_metadata("Requires-Python: <3")),
    ("VM414", say_in_metadata("Requires-Dist: no requirement")),
    ("VM416", install_an_egg),
    ("VM511", share_a_file),
    ("VM509", lose_the_function),
    ("VM509", all_of(lose_the_function, write("libs/hello/hello.py", "def mainly(): ..."))),
    ("VM509", all_of(lose_the_function, drop("libs/hello/hello.py"))),
    ("VM509", lose_the_module),
    ("VM512", write("logging.py", "")),
    ("VM512", write("alpha.py", "")),
    ("VM512", write("beta/__init__.py", "")),
    ("VM703", edit("requirements.txt", "", "--trusted-host e.invalid\n")),
    ("VM703", edit("requirements.txt", "", "--trusted-host=e.invalid:80\n")),
    ("VM704", edit("requirements.txt", "", "--extra-index-url https://e.invalid/simple\n")),
    *(("VM701", edit("requirements.txt", "", f"{line}\n")) for line in SECRETS),
    *(("VM701", edit("requirements.lock", "alpha==", f"{line}\nalpha==")) for line in SECRETS),
)
"""Findings whose fix is advice, nothing, or the command of another tool."""

UNREACHABLE = {"VM001", "VM111", "VM311", "VM513", "VM514", "VM705", "VM706"}
"""What no file leads to: a check that meets what it was not made for; a variable of the shell; what
``--audit`` (test_audit.py) and ``--verify`` (test_doctor_files.py) look at."""

INFO = f"{SITE}/beta-1.0.dist-info"
WHERE: dict[str, tuple[tuple[str | None, int | None], ...]] = {
    **dict.fromkeys(("VM101", "VM102", "VM103", "VM104", "VM105", "VM106"), (("venv", None),)),
    "VM107": (("venv", None),),
    "VM108": tuple(
        (f"venv/bin/{name}", None)
        for name in ("activate", "activate.fish", "activate.csh", "Activate.ps1")
    ),
    "VM109": (("venv/bin/python3", None), ("venv/bin/python3.7", None)),
    "VM112": (("venv", None),),
    "VM110": ((SITE, None), ("venv/bin", None)),
    "VM201": ((None, None),),
    "VM202": (("requirements.txt", 2),),
    "VM203": (("requirements.txt", 2),),
    "VM204": (("constraints.txt", None),),
    "VM205": (("requirements.txt", 2),),
    "VM206": (("requirements.txt", 2),),
    "VM208": (("requirements.txt", 2),),
    "VM209": (("requirements.txt", 1),),
    "VM210": (("requirements.txt", 1), ("requirements.txt", 2)),
    "VM211": (("requirements.txt", 2),),
    "VM312": (("requirements.lock", 7),),
    "VM313": (("requirements.lock", 10),),
    "VM310": (("requirements.lock", None), ("requirements.lock", 7)),
    "VM207": (("requirements.txt", 2), ("c.txt", 1)),
    "VM301": (("requirements.lock", None),),
    "VM302": (("requirements.txt", 2), ("requirements.lock", 10)),
    "VM303": (("requirements.lock", 1),),
    "VM304": (("requirements.lock", 10), ("requirements.lock", None)),
    "VM305": (("requirements-dev.lock", 7), ("requirements.lock", 13)),
    "VM306": (("requirements.txt", None),),
    "VM307": (("requirements.lock", None),),
    "VM308": (("requirements.lock", None),),
    "VM309": (("requirements-old.txt", None),),
    "VM401": (("requirements.lock", 10),),
    "VM404": ((f"{SITE}/gamma-1.0.dist-info", None),),
    "VM405": ((f"{SITE}/beta-0.1.dist-info", None), (INFO, None)),
    **dict.fromkeys(("VM402", "VM403", "VM406", "VM413", "VM414"), ((INFO, None),)),
    "VM407": ((f"{SITE}/~eta", None),),
    **dict.fromkeys(("VM411", "VM412"), ((f"{SITE}/alpha-1.0.dist-info", None),)),
    **dict.fromkeys(
        ("VM501", "VM502"),
        ((f"{SITE}/beta.py", None), (f"{SITE}/beta", None), ("venv/bin/beta", None)),
    ),
    "VM510": ((SITE, None), ("venv/bin", None), (f"{SITE}/shared/deep", None)),
    "VM511": ((None, None),),
    **dict.fromkeys(("VM503", "VM504"), ((f"{INFO}/RECORD", None),)),
    "VM415": ((INFO, None),),
    "VM416": ((f"{SITE}/old-1.0-py3.9.egg-info", None),),
    "VM505": (
        (f"{SITE}/utils.py", None),
        (f"{SITE}/own", None),
        (f"{SITE}/shared/__init__.py", None),
        (f"{SITE}/shared/deep/__init__.py", None),
        (f"{SITE}/old.pyc", None),
        (f"{SITE}/plain", None),
        (f"{SITE}/shared/deep/one/evil.py", None),
        (f"{SITE}/shared/deep/one/inner", None),
        ("venv/bin/ls", None),
    ),
    "VM506": tuple(
        (f"{SITE}/{name}", None) for name in ("sitecustomize.py", "usercustomize", "evil.pth")
    ),
    "VM507": ((f"{SITE}/beta.py", None), (f"{SITE}/alpha.py", None)),
    "VM508": (("venv/bin/beta", None),),
    "VM509": (
        (f"{SITE}/hello-1.0.dist-info/entry_points.txt", None),
        (f"{SITE}/hello-1.0.dist-info", None),
    ),
    "VM512": (("logging.py", None), ("alpha.py", None), ("beta", None)),
    "VM602": (("requirements.lock", None),),
    "VM603": (("requirements.lock", None),),
    "VM604": (("venv", None),),
    "VM606": (("requirements.txt", None), ("requirements.lock", None)),
    "VM701": (("requirements.txt", 2), ("requirements.lock", 7)),
    **dict.fromkeys(("VM702", "VM703", "VM704"), (("requirements.txt", 2),)),
}
"""The places that findings of a code may name in its scenarios."""


def test_every_code_of_doctor_is_told_and_walked(capsys: pytest.CaptureFixture[str]) -> None:
    every = {each.code for each in CODES}
    walked = {code for code, _ in SCENARIOS}
    told = {code for code, _ in TOLD}
    with capsys.disabled():
        count = len(SCENARIOS) + len(TOLD)
        print(f"{len(every)} codes of doctor in {count} scenarios")  # noqa: T201 - asked for
    assert walked | told | UNREACHABLE == every
    assert not walked & told


def first_of_each(rows: Sequence[tuple[str, Break]]) -> Iterator[tuple[int, str, Break, list[Any]]]:
    """``rows`` with their number and marks: one of each code is walked each time, all by slow."""
    seen: set[str] = set()
    for number, (code, break_it) in enumerate(rows):
        yield number, code, break_it, [pytest.mark.slow] if code in seen else []
        seen.add(code)


@pytest.mark.parametrize(
    ("code", "break_it"),
    [
        pytest.param(code, break_it, id=f"{code}-{number}", marks=marks)
        for number, code, break_it, marks in first_of_each(TOLD)
    ],
)
def test_each_code_is_told_of_files_on_disk_at_their_place(
    code: str, break_it: Break, root: Path
) -> None:
    break_it(root)
    at_their_place(findings(code, root, root, ()), code, root)


def at_their_place(found: list[dict[str, Any]], code: str, root: Path) -> None:
    assert found
    for each in found:
        places = WHERE.get(code) or ((str(root.parent / ".git/hooks"), None),)
        assert (each["code"], (each["path"], each["line"])) in [(code, at) for at in places]
        assert "hunter2" not in str(each)


@pytest.fixture(scope="module")
def shell_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which ``venvman`` is this one."""
    return shell_path_in(tmp_path_factory.mktemp("bin"))


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A synced project in git, in a folder whose name needs quotes."""
    return make_shop(tmp_path, index)


OF_THE_REPOSITORY = {"VM601", "VM605"}


def findings(code: str, root: Path, cwd: Path, flags: tuple[str, ...]) -> list[dict[str, Any]]:
    data = run("doctor", "--select", code, "--format", "json", *flags, cwd=cwd).json["data"]
    projects = data.get("projects", [data])
    (mine,) = (each for each in projects if each["project"] == str(root))
    if code in OF_THE_REPOSITORY:  # several projects tell of it once
        return [finding for each in projects for finding in each["findings"]]
    found: list[dict[str, Any]] = mine["findings"]
    return found


@pytest.mark.parametrize(
    ("place", "code", "break_it"),
    [
        pytest.param(
            PLACES[number % len(PLACES)], code, break_it, id=f"{code}-{number}", marks=marks
        )
        for number, code, break_it, marks in first_of_each(SCENARIOS)
    ],
)
def test_what_doctor_tells_of_a_place_mends_from_where_it_is_printed(
    place: str, code: str, break_it: Break, root: Path, shell_path: str
) -> None:
    break_it(root)
    cwd, flags = stand(place, root)
    before = findings(code, root, cwd, flags)
    at_their_place(before, code, root)
    for finding in before:
        assert (finding["fix"] is None) != (finding["advice"] is None)
        if finding["advice"] is not None:
            assert re.fullmatch(r"[A-Z].*\.", finding["advice"])
            return
    for fix in dict.fromkeys(finding["fix"] for finding in before):
        done = shell(fix, cwd, shell_path)
        assert done.code == 0, (fix, done.stdout + done.stderr)
    assert findings(code, root, cwd, flags) == [], before


FIRST = dict(reversed((*SCENARIOS, *TOLD)))
BY_FIX = {each.code: each.by_fix for each in CODES}


def fixed_by(root: Path, code: str, *flags: str) -> dict[str, Any]:
    data: dict[str, Any] = run(
        "doctor", "--fix", "--select", code, "--format", "json", *flags, cwd=root
    ).json["data"]
    return data


# Of the Python that the scenario of VM105 asks for there is none.
@pytest.mark.sample(4, "slow")
@pytest.mark.parametrize("code", sorted(FIRST.keys() - {"VM105"}))
def test_doctor_fixes_what_the_catalogue_says_and_nothing_else(code: str, root: Path) -> None:
    FIRST[code](root)
    if BY_FIX[code] is not ByFix.YES:
        assert fixed_by(root, code)["ran"] == []
    planned = fixed_by(root, code, "--yes", "--freeze", "--dry-run")
    assert planned["fixed"] == []
    done = fixed_by(root, code, "--yes", "--freeze")
    if BY_FIX[code] is ByFix.NO:
        assert (planned["ran"], done["ran"], done["fixed"]) == ([], [], [])
        return
    assert [each["fix"] for each in done["ran"]][: len(planned["ran"])] == [
        each["fix"] for each in planned["ran"]
    ]
    assert {each["code"] for each in done["fixed"]} == {code}
    assert done["findings"] == []


def test_doctor_fixes_all_at_once_and_leaves_what_needs_a_decision(root: Path) -> None:
    for code in ("VM404", "VM501", "VM505"):
        FIRST[code](root)
    (site_of(root) / "alpha.py").chmod(0o666)
    (site_of(root) / "~eta").mkdir()
    ran = run("doctor", "--fix", "--ignore", "VM6", cwd=root)
    assert ran.code == 1
    lines = ran.stdout.splitlines()
    assert [line for line in lines if line.startswith("Ran: venvman")] == [
        "Ran: venvman sync --frozen --reinstall beta --inexact"
    ]
    assert sorted(line[7:12] for line in lines if line.startswith("Fixed: ")) == [
        *("VM407", "VM501", "VM507")
    ]
    assert (site_of(root) / "gamma-1.0.dist-info").exists()
    assert (site_of(root) / "utils.py").exists()
    assert run("doctor", "--fix", "--yes", "--ignore", "VM6", cwd=root).code == 0
    assert run("doctor", "--ignore", "VM6", cwd=root).stdout == "Healthy: nothing has drifted.\n"


def test_what_follows_from_a_fix_is_fixed_too(root: Path) -> None:
    (root / "requirements.lock").unlink()
    shutil.rmtree(root / "venv")
    done = run("doctor", "--fix", "--freeze", "--format", "json", cwd=root)
    assert [each["code"] for each in done.json["data"]["fixed"]] == ["VM101", "VM301"]
    assert done.code == 0


def test_a_fix_that_fails_is_told_and_the_others_are_made(root: Path, index: Index) -> None:
    remove("beta*")(root)
    (site_of(root) / "~eta").mkdir()
    edit("requirements.lock", "beta==1.0", "beta==9.0")(root)
    ran = run("doctor", "--fix", "--format", "json", "--ignore", "VM6", cwd=root)
    assert ran.code == 1
    assert ran.json["problems"]
    assert [each["code"] for each in ran.json["data"]["fixed"]] == ["VM407"]
    assert "VM401" in {each["code"] for each in ran.json["data"]["findings"]}


@pytest.mark.parametrize("flag", ["--freeze", "--yes", "--dry-run"])
def test_what_goes_with_fix_is_refused_without_it(flag: str, root: Path) -> None:
    assert run("doctor", flag, cwd=root).code == 2


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("code", "break_it"),
    [
        ("VM102", put_a_folder_in_the_way),
        ("VM407", lambda root: (site_of(root) / "~e ta").mkdir()),
        ("VM603", write(".gitignore", "venv\n")),
    ],
)
def test_the_same_fix_is_written_for_every_place(
    place: str, code: str, break_it: Break, root: Path, shell_path: str
) -> None:
    break_it(root)
    cwd, flags = stand(place, root)
    for finding in findings(code, root, cwd, flags):
        assert shell(finding["fix"], cwd, shell_path).code == 0
    assert findings(code, root, cwd, flags) == []


@pytest.mark.parametrize("words", [("sync",), ("freeze",), ("upgrade",)])
def test_a_dry_run_names_the_same_command_without_it(
    words: tuple[str, ...], root: Path, index: Index, shell_path: str
) -> None:
    make_wheel(index.folder, "beta", "2.0")
    edit("requirements.txt", "", "gamma\n")(root)
    ran = run(*words, "--project", "../shop", "--dry-run", cwd=root.parent / "other")
    (line,) = re.findall(r"^Next: (.*)$", ran.stdout, re.MULTILINE)
    assert shell(line, root.parent / "other", shell_path).code == 0
    assert "gamma==1.0" in (root / "requirements.lock").read_text()


def test_overrides_stand_for_what_distributions_ask_for(root: Path) -> None:
    (info,) = site_of(root).glob("alpha-*.dist-info")
    text = (info / "METADATA").read_text().replace("beta>=1", "beta<1")
    (info / "METADATA").write_text(f"{text}Requires-Dist: gone\n".replace("\n\n", "\n"))
    assert findings("VM41", root, root, ())
    overrides = "beta>=1\", \"gone; python_version < '0'"
    (root / "pyproject.toml").write_text(f'[tool.venvman]\noverrides = ["{overrides}"]\n')
    assert findings("VM41", root, root, ()) == []


def test_one_odd_file_hides_nothing_of_the_others(root: Path) -> None:
    edit(f"{BETA}/RECORD", "", "a\0b,,\n")(root)
    remove("alpha.py")(root)
    edit("requirements.txt", "", "gamma\n")(root)
    codes = {each["code"] for each in findings("VM", root, root, ())}
    assert {"VM302", "VM501", "VM504"} <= codes


@pytest.mark.parametrize("content", [b"", b"\0\0", None])
def test_damaged_metadata_is_one_finding(root: Path, content: bytes | None) -> None:
    (path,) = site_of(root).glob("beta-*/METADATA")
    path.unlink()
    path.mkdir() if content is None else path.write_bytes(content)
    found = [each["code"] for each in findings("VM", root, root, ()) if "VM6" not in each["code"]]
    assert found == ["VM406"]
    assert run("sync", "--check", cwd=root).code == 1


def test_a_folder_of_packages_that_is_a_link_is_one_finding(root: Path) -> None:
    site = site_of(root)
    moved = shutil.move(site, root.parent / "elsewhere")
    site.symlink_to(moved)
    (found,) = findings("VM5", root, root, ())
    assert (found["code"], found["package"]) == ("VM503", None)


def test_another_python_never_stands_in_for_one_that_is_gone(root: Path, shell_path: str) -> None:
    for name in ("python", "python3"):
        (root / "venv/bin" / name).chmod(0o755)
    (root / "venv/bin/python3").unlink()
    other = root.parent / "bin"
    other.mkdir()
    (other / "python3").symlink_to(sys.executable)
    ran = ended(
        ["venvman", "run", "--", "python3", "-c", "print('another')"],
        cwd=root,
        env={**os.environ, "PATH": f"{other}{os.pathsep}{shell_path}"},
    )
    assert (ran.returncode, ran.stdout) == (127, "")
    assert "command-of-another-python" in ran.stderr


def test_files_that_two_distributions_bring_are_as_one_of_them_has_them(
    index: Index, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        make_wheel(index.folder, name, files={"both/__init__.py": f"name = {name!r}\n"})
    write("requirements.txt", "one\ntwo\n")(tmp_path / "both")
    git(tmp_path / "both", "init", "-q")
    assert run("sync", "-q", cwd=tmp_path / "both").code == 0
    ran = run("doctor", "--verify", "--select", "VM5", cwd=tmp_path / "both")
    assert ran.code == 0, ran.stdout


def as_printed(root: Path, finding: dict[str, Any]) -> str:
    """A finding as the reference shows it, wherever the tests and Pythons of this machine lie."""
    where = finding["path"] or ""
    where += f":{finding['line']}" if finding["line"] else ""
    about = f" ({where})" if where not in finding["message"] else ""
    lines = [f"{finding['code']} {finding['severity']} {finding['message']}{about}"]
    lines += [f"Next: {finding['fix']}"] if finding["fix"] else []
    lines += [finding["advice"]] if finding["advice"] else []
    text = (
        "\n".join(lines).replace(str(root), "/home/me/shop").replace(str(root.parent), "/home/me")
    )
    # How many files an environment holds depends on the pip that came with its Python.
    text = re.sub(r"tracks \d+ files", "tracks 542 files", text)
    text = re.sub(r"python\d\.\d+", "python3.11", text)
    text = re.sub(r"(?<=[ (])/\S+/(?=bin/?python)", "/usr/", text)
    return re.sub(r"(Python|has) 3\.\d+(\.\d+)?", r"\1 3.11", text)


REFERENCE = Path(__file__).parents[2] / "docs/reference/doctor.md"


@pytest.mark.slow
@pytest.mark.parametrize("code", sorted(FIRST.keys() - {"VM103", "VM105", "VM413", "VM415"}))
def test_the_reference_shows_a_finding_as_it_is_printed(code: str, root: Path) -> None:
    """But where the message is about this machine's Pythons."""
    FIRST[code](root)
    found = findings(code, root, root, ())
    page = REFERENCE.read_text(encoding="utf-8")
    section = page[page.index(f"### {code} ") :].partition("\n### ")[0]
    assert f"```text\n{as_printed(root, found[0])}\n```" in section


def test_state_that_nobody_may_read_hides_nothing_else(root: Path, shell_path: str) -> None:
    (site_of(root) / "beta.py").unlink()
    (root / "venv/.venvman").chmod(0)
    try:
        words = ("venvman", "doctor", "--format", "json", "--ignore", "VM6")
        ran = run_as_person(*words, cwd=root, path=shell_path)
        found = {each["code"]: each["fix"] for each in json.loads(ran.stdout)["data"]["findings"]}
    finally:
        (root / "venv/.venvman").chmod(0o700)
    assert found["VM107"] == "chmod -R u+rwX venv/.venvman"
    assert "VM501" in found


def test_where_a_record_is_damaged_nothing_is_said_to_be_nobodys(root: Path) -> None:
    put_a_script(root, "ls")
    empty_a_record(root)
    assert findings("VM505", root, root, ()) == []
