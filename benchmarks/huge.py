"""One distribution of very many files into new environments, warm, against uv, alternately.

    python -m benchmarks.huge [--files 18000] [--runs 5] [--folder DIR] [--results FILE]

A synthetic wheel in a folder, laid out as the largest packages are: modules of a few hundred bytes
in packages four deep. Both have unpacked it before, both link. No network.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from benchmarks.alternate import Command, alternate, caches_in, options_of, write_results
from benchmarks.peers import install_peers, install_venvman, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_IN_A_FOLDER = 8  # as in ansible's collections: 18,000 files in 2,300 folders


def main(arguments: Sequence[str] | None = None) -> int:
    """The figures on stdout."""
    parser = options_of(__doc__, runs=5)
    parser.add_argument("--files", type=int, default=18_000)
    options = parser.parse_args(arguments)
    folder = options.folder
    uv, venvman = install_peers(folder) / "uv", install_venvman(folder) / "venvman"
    title = f"one distribution of {options.files:,} files, warm"
    comparison = alternate(title, commands(folder, uv, venvman, options.files), runs=options.runs)
    write_results(options.results, "one huge distribution", [comparison], versions(venvman, uv))
    return 0


def commands(folder: Path, uv: Path, venvman: Path, files: int) -> tuple[Command, Command]:
    """Both programs' ways to a new environment with the wheel in it; it is unpacked by each."""
    env = caches_in(folder) | {"VENVMAN_LINK": "hardlink", "UV_LINK_MODE": "hardlink"}
    wheels = folder / f"wheels-{files}"
    digest = write_wheel(wheels, files)
    ours, theirs = folder / "ours", folder / "theirs"
    for project in (ours, theirs):
        project.mkdir(exist_ok=True)
    where = f"--no-index\n--find-links {wheels}\n"
    (ours / "requirements.in").write_text(f"{where}huge==1.0\n")
    (theirs / "requirements.txt").write_text(f"{where}huge==1.0 --hash=sha256:{digest}\n")
    freeze = (str(venvman), "freeze", "-q", "--python", sys.executable)
    subprocess.run(freeze, cwd=ours, env=env, check=True)

    def without(project: Path) -> Callable[[], None]:
        return lambda: shutil.rmtree(project / "venv", ignore_errors=True)

    peer = f"{uv} venv -q --python {sys.executable} venv && "
    peer += f"exec {uv} pip sync -q --python venv/bin/python requirements.txt"
    return (
        Command(
            label="venvman sync",
            argv=(str(venvman), "sync", "-q", "--frozen", "--python", sys.executable),
            cwd=ours,
            env=env,
            prepare=without(ours),
        ),
        Command(
            label="uv venv + uv pip sync",
            argv=("sh", "-c", peer),
            cwd=theirs,
            env=env,
            prepare=without(theirs),
        ),
    )


def write_wheel(folder: Path, files: int) -> str:
    """Writes the wheel into ``folder``, unless it is there; its sha256 (hex)."""
    path = folder / "huge-1.0-py3-none-any.whl"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        info = "huge-1.0.dist-info"
        contents = {name: f"VALUE = {name!r}\n" * 8 for name in names(files)}
        contents[f"{info}/METADATA"] = "Metadata-Version: 2.1\nName: huge\nVersion: 1.0\n"
        contents[f"{info}/WHEEL"] = (
            "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        record = "".join(f"{name},,\n" for name in contents)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in contents.items():
                archive.writestr(name, text)
            archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def names(files: int) -> Iterator[str]:
    """Paths of modules, so many in a folder, in packages four deep."""
    for number in range(files):
        folder, leaf = divmod(number, _IN_A_FOLDER)
        module = "__init__" if leaf == 0 else f"module{leaf}"
        yield f"huge/part{folder // 144}/group{folder // 12 % 12}/unit{folder % 12}/{module}.py"


if __name__ == "__main__":
    sys.exit(main())
