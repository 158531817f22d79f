"""Locks as PEP 751 has them are read from every tool that writes them, and written for each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.pylock import Pylock
from packaging.version import Version

from venvman.lock.file import Lock, LockEntry, select, sort_key
from venvman.lock.pylock import parse_pylock, render_pylock
from venvman.lock.style import own_header
from venvman.model.errors import LockError
from venvman.model.names import NormalizedName
from venvman.model.sources import ArchiveSource, DirectorySource, IndexFile, VcsSource
from venvman.model.target import Target
from venvman.requirements.header import LockStyle
from venvman.requirements.multiuse import EVERY
from venvman.system.reading import read_toml

A, B = "a" * 64, "b" * 64
TARGET = Target(
    python="3.11.7",
    markers=(
        ("os_name", "posix"),
        ("python_full_version", "3.11.7"),
        ("python_version", "3.11"),
        ("sys_platform", "linux"),
    ),
    tags=(),
)


def file(name: str, digest: str = A, url: str = "https://files.test/x/") -> IndexFile:
    return IndexFile(
        filename=name,
        url=url + name,
        hashes=(f"sha256:{digest}",),
        requires_python=">=3.8",
        size=12,
        upload_time="2024-05-01T10:00:00.250000Z",
    )


def pin(
    name: str, version: str = "1.0", *, via: tuple[str, ...] = (), marker: str = ""
) -> LockEntry:
    stem = f"{name.replace('-', '_')}-{version}"
    return LockEntry(
        name=NormalizedName(name),
        version=Version(version),
        marker=Marker(marker) if marker else None,
        hashes=(f"sha256:{A}", f"sha256:{B}"),
        via=via,
        files=(file(f"{stem}.tar.gz", B), file(f"{stem}-py3-none-any.whl")),
    )


def lock(*entries: LockEntry, targets: tuple[str, ...] = ()) -> Lock:
    header = own_header(LockStyle(), python="3.11", targets=targets)
    return Lock(
        entries=tuple(sorted(entries, key=sort_key)),
        header=replace(header, text="", is_complete=True),
        options=("--find-links ./wheels",),
    )


EVERY_SOURCE = lock(
    LockEntry(
        name=NormalizedName("own"),
        version=None,
        source=DirectorySource(path="lib/own", editable=True),
        via=("-r requirements.in",),
    ),
    pin("alpha", via=("-r requirements.in", "own")),
    pin("beta", "1.0", via=("alpha",), marker='sys_platform == "win32"'),
    pin("beta", "2.0", via=("alpha",), marker='sys_platform != "win32"'),
    LockEntry(
        name=NormalizedName("archived"),
        version=None,
        source=ArchiveSource(url="https://x.test/archived-1.0.tar.gz", subdirectory="a"),
        hashes=(f"sha256:{A}",),
        via=("-r requirements.in",),
    ),
    replace(pin("exactly"), exact=True, extras=frozenset({"fast"}), via=("-c limits.txt", "gone")),
    LockEntry(
        name=NormalizedName("near"),
        version=None,
        source=ArchiveSource(url="file:wheels/near%20by-1.0.zip"),
        hashes=(f"sha256:{B}",),
    ),
    LockEntry(
        name=NormalizedName("versioned"),
        version=None,
        source=VcsSource(vcs="git", url="https://x.test/v.git", revision="main", commit="1" * 40),
    ),
)


def test_what_is_written_is_read_back_whichever_source_a_pin_has(tmp_path: Path) -> None:
    text = render_pylock(EVERY_SOURCE, path="pylock.toml", root=tmp_path)
    read = parse_pylock(text, path="pylock.toml", root=tmp_path)
    assert read == EVERY_SOURCE
    files = {each.name: each.files for each in read.entries}
    assert files[NormalizedName("alpha")] == pin("alpha").files[::-1]
    assert render_pylock(read, path="pylock.toml", root=tmp_path) == text


def test_the_text_is_the_same_in_whatever_order_the_pins_come(tmp_path: Path) -> None:
    backwards = replace(EVERY_SOURCE, entries=EVERY_SOURCE.entries[::-1])
    written = [render_pylock(each, path="p", root=tmp_path) for each in (EVERY_SOURCE, backwards)]
    assert written[0] == written[1]


def test_dependencies_say_which_of_two_pins_is_meant(tmp_path: Path) -> None:
    document = read_toml(render_pylock(EVERY_SOURCE, path="p", root=tmp_path))
    said = {each["name"]: each.get("dependencies") for each in document["packages"]}
    assert said["alpha"] == [{"name": "beta", "version": v} for v in ("2.0", "1.0")]
    assert said["own"] == [{"name": "alpha"}]
    assert Pylock.from_dict(document).created_by == "venvman"


def test_each_pin_knows_the_line_of_its_name(tmp_path: Path) -> None:
    text = render_pylock(EVERY_SOURCE, path="pylock.toml", root=tmp_path)
    read = parse_pylock(text, path="pylock.toml", root=tmp_path)
    lines = text.splitlines()
    for entry in read.entries:
        assert entry.origin is not None
        assert lines[entry.origin.line - 1] == f'name = "{entry.name}"' == entry.origin.text


def test_a_file_near_by_is_named_from_the_lock_and_nothing_else_of_the_machine_is(
    tmp_path: Path,
) -> None:
    near = file("alpha-1.0-py3-none-any.whl", url=f"file://{tmp_path}/wheels/")
    text = render_pylock(
        lock(replace(pin("alpha"), files=(near,))), path="pylock.toml", root=tmp_path
    )
    assert 'path = "wheels/alpha-1.0-py3-none-any.whl"' in text
    assert str(tmp_path) not in text
    (entry,) = parse_pylock(text, path="pylock.toml", root=tmp_path).entries
    assert entry.files == (near,)


def test_credentials_of_an_index_are_not_written(tmp_path: Path) -> None:
    secret = file("alpha-1.0-py3-none-any.whl", url="https://me:hidden@files.test/")
    text = render_pylock(lock(replace(pin("alpha"), files=(secret,))), path="p", root=tmp_path)
    assert "hidden" not in text
    assert "https://files.test/alpha-1.0-py3-none-any.whl" in text


def test_names_that_the_standard_does_not_take_are_left_out(tmp_path: Path) -> None:
    odd = ("alpha-1.0-py2.7.egg", "alpha-1.0.exe", "alpha-1.0.tar.bz2")
    files = (*pin("alpha").files, *map(file, odd))
    text = render_pylock(lock(replace(pin("alpha"), files=files)), path="p", root=tmp_path)
    assert not any(name in text for name in odd)


def test_a_pin_without_any_file_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(LockError, match=r"alpha 1\.0 cannot be written") as caught:
        render_pylock(lock(replace(pin("alpha"), files=())), path="pylock.toml", root=tmp_path)
    assert caught.value.code == "lock-not-portable"


def test_a_lock_for_several_targets_says_the_least_python(tmp_path: Path) -> None:
    several = lock(pin("alpha"), targets=("linux:3.10-3.13", "macos:3.9"))
    document = read_toml(render_pylock(several, path="p", root=tmp_path))
    assert document["requires-python"] == ">=3.9"
    assert document["tool"]["venvman"]["command"].endswith("--target macos:3.9")


# The shapes of the examples in the specification, and what pip and uv write.
AT = "https://files.test/alpha-1.0"
OF_PIP = f"""\
lock-version = "1.0"
created-by = "pip"

[[packages]]
name = "alpha"
version = "1.0"

[[packages.wheels]]
name = "alpha-1.0-py3-none-any.whl"
url = "https://files.test/alpha-1.0-py3-none-any.whl"

[packages.wheels.hashes]
sha256 = "{A}"

[[packages]]
name = "own"

[packages.directory]
editable = true
path = "."
"""
OF_UV = f"""\
# This file was autogenerated by uv via the following command:
#    uv export --format pylock.toml -o pylock.toml
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.9"

[[packages]]
name = "alpha"
version = "1.0"
marker = "sys_platform == 'linux'"
index = "https://pypi.org/simple"
sdist = {{ url = "{AT}.tar.gz", upload-time = 2024-05-01T10:00:00Z, hashes = {{ sha256 = "{B}" }} }}
wheels = [{{ url = "{AT}-py3-none-any.whl", size = 3, hashes = {{ sha256 = "{A}" }} }}]
"""
OF_PDM = f"""\
lock-version = "1.0"
requires-python = ">=3.9"
environments = ["python_version >= '3.9'"]
extras = ["fast"]
dependency-groups = ["default", "dev"]
default-groups = ["default"]
created-by = "pdm"

[[packages]]
name = "alpha"
version = "1.0"
requires-python = ">=3.7"
marker = "'default' in dependency_groups"
dependencies = [{{ name = "beta" }}]
wheels = [
  {{ name = "alpha-1.0-py3-none-any.whl", url = "{AT}", hashes = {{ sha512 = "{A}{A}" }} }},
]
attestation-identities = [{{ kind = "GitHub", repository = "x/y", workflow = "p.yml" }}]

[[packages]]
name = "beta"
version = "1.0"
marker = "'fast' in extras or 'dev' in dependency_groups and os_name == 'posix'"
sdist = {{ path = "beta-1.0.zip", hashes = {{ sha256 = "{B}" }} }}

[tool.pdm]
strategy = ["inherit_metadata"]
"""

OF_THE_STANDARD = f"""\
lock-version = '1.0'
environments = ["sys_platform == 'win32'", "sys_platform == 'linux'"]
requires-python = '>=3.10'
created-by = 'mousebender'

[[packages]]
name = 'attrs'
version = '25.1.0'
requires-python = '>=3.8'
wheels = [
  {{name = 'attrs-25.1.0-py3-none-any.whl', upload-time = 2025-01-25T11:30:10.164985+00:00, \
url = 'https://files.test/attrs-25.1.0-py3-none-any.whl', size = 63152, \
hashes = {{sha256 = '{A}'}}}},
]
[[packages.attestation-identities]]
environment = 'release-pypi'
kind = 'GitHub'
repository = 'python-attrs/attrs'
workflow = 'pypi-package.yml'

[[packages]]
name = 'cattrs'
version = '24.1.2'
dependencies = [{{name = 'attrs'}}]
wheels = [
  {{url = 'https://files.test/cattrs-24.1.2-py3-none-any.whl', hashes = {{sha256 = '{B}'}}}},
]

[[packages]]
name = 'numpy'
version = '2.2.3'
wheels = [
  {{path = 'numpy-2.2.3-cp312-cp312-win_amd64.whl', \
hashes = {{sha256 = '{A}', md5 = '0'}}}},
]
[packages.tool.mousebender]
reason = 'wanted'

[tool.mousebender]
command = ['.', 'lock', '--platform', 'cpython3.12-windows-x64', 'cattrs', 'numpy']
run-on = 2025-03-06T12:28:57.760769
"""


def parsed(text: str, root: Path) -> Lock:
    return parse_pylock(text, path="pylock.toml", root=root)


def test_the_lock_that_pip_writes_is_read(tmp_path: Path) -> None:
    own, alpha = parsed(OF_PIP, tmp_path).entries
    assert own.source == DirectorySource(path=".", editable=True)
    assert [each.url for each in alpha.files] == ["https://files.test/alpha-1.0-py3-none-any.whl"]
    assert alpha.hashes == (f"sha256:{A}",)


def test_the_lock_that_uv_writes_is_read_with_the_command_that_made_it(tmp_path: Path) -> None:
    read = parsed(OF_UV, tmp_path)
    (alpha,) = read.entries
    assert [each.is_wheel for each in alpha.files] == [True, False]
    assert str(alpha.marker) == 'sys_platform == "linux"'
    assert read.header.tool == "uv"
    assert read.header.command == "uv export --format pylock.toml -o pylock.toml"


def test_of_a_lock_with_groups_and_extras_the_default_groups_count(tmp_path: Path) -> None:
    read = parsed(OF_PDM, tmp_path)
    assert [each.name for each in select([("pylock.toml", read)], TARGET)] == ["alpha"]
    every = parse_pylock(OF_PDM, path="pylock.toml", root=tmp_path, groups=EVERY)
    alpha, beta = every.entries
    assert read.entries == (alpha,)
    assert alpha.marker is None
    assert alpha.hashes == (f"sha512:{A}{A}",)
    assert beta.via == ("alpha",)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('requires-python = ">=3.9"\nenv', 'requires-python = ">=3.12"\nenv'),
        ("python_version >= '3.9'", "python_version < '3.9'"),
    ],
)
def test_a_lock_that_is_for_others_is_refused(old: str, new: str, tmp_path: Path) -> None:
    read = parsed(OF_PDM.replace(old, new), tmp_path)
    with pytest.raises(LockError, match=r"not for Python 3\.11") as caught:
        select([("pylock.toml", read)], TARGET)
    assert caught.value.code == "lock-for-others"


@pytest.mark.parametrize(
    ("text", "old", "new", "line", "why"),
    [
        (OF_PIP, 'name = "alpha"\n', 'name = "alpha\n', 5, "Illegal character"),
        (OF_PIP, 'name = "alpha"\n', 'name = "Al_pha"\n', 5, "not normalized"),
        (OF_PIP, f'sha256 = "{A}"', 'md5 = "00"', 12, "sha256"),
        (OF_PIP, 'name = "alpha-1.0', 'name = "alpha-2.0', 8, "not consistent"),
        (OF_PIP, "editable = true", 'editable = "yes"', 19, "Unexpected type"),
        (OF_PIP, 'lock-version = "1.0"', 'lock-version = "2.0"', 1, "not supported"),
        (OF_PIP, 'created-by = "pip"\n', "", 1, "Missing required"),
        (OF_UV, "'linux'\"", "\"", 10, "Expected"),
        (OF_UV, f'url = "{AT}-py', f'at = "{AT}-py', 13, "must be provided"),
        (OF_PDM, "'fast' in", "'fast' on", 23, "Expected"),
    ],
)  # fmt: skip
def test_what_is_not_as_the_standard_has_it_is_told_with_its_line(
    text: str, old: str, new: str, line: int, why: str, tmp_path: Path
) -> None:
    with pytest.raises(LockError) as caught:
        parsed(text.replace(old, new, 1), tmp_path)
    (problem,) = caught.value.problems
    assert (problem.path, problem.line, problem.code) == ("pylock.toml", line, "lock-faulty")
    assert why in (problem.why or "")


def test_every_faulty_package_is_told_at_once(tmp_path: Path) -> None:
    text = OF_PIP.replace('name = "alpha"\n', 'name = "Alpha"\n').replace('path = "."', "path = 1")
    with pytest.raises(LockError) as caught:
        parsed(text, tmp_path)
    assert [each.line for each in caught.value.problems] == [5, 20]


def test_a_git_conflict_is_called_one(tmp_path: Path) -> None:
    text = OF_PIP.replace(
        'version = "1.0"\n\n', '<<<<<<< HEAD\nversion = "1.0"\n=======\n>>>>>>> x\n'
    )
    with pytest.raises(LockError) as caught:
        parsed(text, tmp_path)
    assert caught.value.code == "lock-conflict-markers"


def test_a_lock_in_the_shape_of_the_standards_example_is_read(tmp_path: Path) -> None:
    read = parsed(OF_THE_STANDARD, tmp_path)
    attrs, cattrs, numpy = select([("pylock.toml", read)], TARGET)
    assert [str(each) for each in (attrs, cattrs, numpy)] == [
        "attrs 25.1.0",
        "cattrs 24.1.2",
        "numpy 2.2.3",
    ]
    assert (attrs.via, numpy.hashes) == (("cattrs",), (f"sha256:{A}",))
    assert attrs.files[0].upload_time == "2025-01-25T11:30:10.164985Z"
    assert numpy.files[0].url == f"{tmp_path.as_uri()}/numpy-2.2.3-cp312-cp312-win_amd64.whl"
    assert read.header.tool == "mousebender"
