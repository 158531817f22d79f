from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.support.index import Index as Served
from tests.support.index import Request, Response
from tests.support.indexes import Memory, client
from tests.support.wheels import make_sdist, make_wheel
from venvman.index.metadata import is_static, metadata_of_wheel, tail_size
from venvman.index.zipdirectory import Directory, WheelDamaged, find_directory, find_metadata
from venvman.model.errors import IndexFault, InstallError
from venvman.model.names import NormalizedName
from venvman.model.sources import IndexFile

DEMO = NormalizedName("demo")
REQUIRES = ("idna>=3", "anyio; python_version < '3.9'")


def requires_of(index: Served, home: Path, memory: Memory | None = None) -> tuple[str, ...]:
    """What a fresh client finds the one wheel of demo to need."""
    own = client(home, index.simple, reporter=memory)
    (file,) = own.files(DEMO)
    found = own.metadata(file)
    own.close()
    assert found is not None
    return found.requires


def pad(size: int) -> dict[str, bytes]:
    """Incompressible content, to make a wheel larger than any guess about its end."""
    import random

    return {"demo/data.bin": random.Random(7).randbytes(size)}


class TestWays:
    def test_the_metadata_file_is_enough(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo", requires=REQUIRES)
        index.metadata_files = True
        assert requires_of(index, tmp_path) == REQUIRES
        assert [each.path for each in index.requests[1:]] == [
            "/files/demo-1.0-py3-none-any.whl.metadata"
        ]

    def test_a_missing_metadata_file_is_a_named_fallback(
        self, index: Served, tmp_path: Path
    ) -> None:
        make_wheel(index.folder, "demo", requires=REQUIRES)
        index.metadata_files = True

        def hide(request: Request) -> Response | None:
            return Response(404) if request.path.endswith(".metadata") else None

        index.intercept = hide
        memory = Memory()
        assert requires_of(index, tmp_path, memory) == REQUIRES
        assert "could not be had" in memory.details[0]

    def test_the_end_of_a_large_wheel_is_enough(self, index: Served, tmp_path: Path) -> None:
        wheel = make_wheel(index.folder, "demo", requires=REQUIRES, raw={})
        wheel = make_wheel(index.folder, "demo", requires=REQUIRES, files={**pad(400_000)})
        assert requires_of(index, tmp_path) == REQUIRES
        (request,) = index.requests[1:]
        size = wheel.stat().st_size
        assert request.headers["range"] == f"bytes={size - tail_size(size)}-{size - 1}"

    def test_metadata_far_from_the_end_takes_a_second_piece(
        self, index: Served, tmp_path: Path
    ) -> None:
        wheel = make_wheel(index.folder, "demo", requires=REQUIRES)
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr("demo/data.bin", pad(400_000)["demo/data.bin"])
        assert requires_of(index, tmp_path) == REQUIRES
        assert len(index.requests) == 3

    def test_a_directory_larger_than_the_guess_takes_a_second_piece(
        self, index: Served, tmp_path: Path
    ) -> None:
        many = {f"demo/module_with_a_long_name_{number:04}.py": b"" for number in range(900)}
        make_wheel(index.folder, "demo", requires=REQUIRES, files=many)
        assert requires_of(index, tmp_path) == REQUIRES
        assert len(index.requests) == 3

    def test_a_file_of_unknown_size_is_read_from_its_end(
        self, index: Served, tmp_path: Path
    ) -> None:
        make_wheel(index.folder, "demo", requires=REQUIRES, files={**pad(400_000)})
        index.html_only = True
        assert requires_of(index, tmp_path) == REQUIRES
        assert index.requests[1].headers["range"] == "bytes=-65536"

    def test_without_ranges_the_whole_file_is_read(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo", requires=REQUIRES)
        make_wheel(index.folder, "demo", "2.0", requires=REQUIRES)
        index.ranges = False
        memory = Memory()
        own = client(tmp_path, index.simple, reporter=memory)
        for file in own.files(DEMO):
            found = own.metadata(file)
            assert found is not None
            assert found.requires == REQUIRES
        assert "does not serve pieces" in memory.details[0]
        assert len(memory.details) == 1
        assert len(index.requests) == 4  # the page, a refused piece, two files

    @pytest.mark.parametrize("content_range", ["bytes 0-9/100", "nonsense", "bytes 5-4/100"])
    def test_a_server_that_lies_about_ranges_is_not_believed(
        self, index: Served, tmp_path: Path, content_range: str
    ) -> None:
        make_wheel(index.folder, "demo", requires=REQUIRES)

        def lie(request: Request) -> Response | None:
            if "range" not in request.headers:
                return None
            return Response(206, b"x" * 100, {"Content-Range": content_range})

        index.intercept = lie
        assert requires_of(index, tmp_path) == REQUIRES

    def test_another_piece_than_asked_for_is_not_believed(
        self, index: Served, tmp_path: Path
    ) -> None:
        wheel = make_wheel(index.folder, "demo", requires=REQUIRES)
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr("demo/data.bin", pad(400_000)["demo/data.bin"])

        def lie(request: Request) -> Response | None:
            if len(index.requests) != 3:
                return None
            return Response(206, b"abc", {"Content-Range": "bytes 7-9/100"})

        index.intercept = lie
        assert requires_of(index, tmp_path) == REQUIRES

    def test_a_local_wheel_is_read_where_it_is(self, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path, "demo", requires=REQUIRES)
        own = client(tmp_path, offline=True)
        found = own.metadata(IndexFile(filename=wheel.name, url=wheel.as_uri()))
        assert found is not None
        assert found.requires == REQUIRES

    def test_of_an_sdist_only_a_build_can_tell(self, index: Served, tmp_path: Path) -> None:
        sdist = make_sdist(index.folder, "demo")
        own = client(tmp_path, index.simple)
        (file,) = own.files(DEMO)
        assert own.metadata(file) is None
        assert own.metadata(IndexFile(filename=sdist.name, url=sdist.as_uri())) is None
        assert len(index.requests) == 1


class TestMemory:
    def test_metadata_is_kept_between_runs(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo", requires=REQUIRES)
        assert requires_of(index, tmp_path) == requires_of(index, tmp_path) == REQUIRES
        assert len(index.requests) == 2

    def test_a_damaged_entry_counts_as_absent(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo", requires=REQUIRES)
        requires_of(index, tmp_path)
        (entry,) = [each for each in tmp_path.glob("cache/metadata-v1/*/*") if each.is_file()]
        entry.write_bytes(entry.read_bytes()[:-5])
        assert requires_of(index, tmp_path) == REQUIRES

    def test_a_file_without_a_hash_is_not_kept(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo", requires=REQUIRES)
        index.hashes = False
        requires_of(index, tmp_path)
        assert not (tmp_path / "cache/metadata-v1").exists()

    def test_offline_without_an_entry_is_an_error(self, index: Served, tmp_path: Path) -> None:
        make_wheel(index.folder, "demo")
        index.metadata_files = True
        client(tmp_path, index.simple).files(DEMO)
        own = client(tmp_path, index.simple, offline=True)
        (file,) = own.files(DEMO)
        with pytest.raises(IndexFault) as caught:
            own.metadata(file)
        assert caught.value.code == "index-offline"


class TestStatic:
    def test_modern_metadata_can_be_relied_on(self) -> None:
        assert is_static(b"Metadata-Version: 2.2\nName: demo\nRequires-Dist: idna\n")

    @pytest.mark.parametrize(
        "info",
        [
            b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
            b"Metadata-Version: 2.3\nName: demo\nVersion: 1.0\nDynamic: Requires-Dist\n",
            b"Name: demo\n\nMetadata-Version: 2.2\n",
        ],
    )
    def test_dynamic_or_older_metadata_tells_nothing(self, info: bytes) -> None:
        assert not is_static(info)


class TestDamage:
    def test_a_file_without_a_directory_is_no_wheel(self) -> None:
        with pytest.raises(WheelDamaged, match="directory is missing"):
            find_directory(b"nothing of the kind", start=0)

    @pytest.mark.parametrize("content", [b"PK\1\2", b"x" * 60])
    def test_a_broken_directory_is_noticed(self, content: bytes) -> None:
        with pytest.raises(WheelDamaged):
            find_metadata(content, Directory(offset=0, size=len(content), entries=1))

    def test_two_dist_infos_are_noticed(self, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path, "demo", raw={"other-1.dist-info/METADATA": b"Name: other\n"})
        with pytest.raises(InstallError, match="usable wheel") as caught:
            metadata_of_wheel(wheel)
        assert "2 METADATA" in (caught.value.why or "")

    def test_an_unknown_compression_is_noticed(self, tmp_path: Path) -> None:
        wheel = tmp_path / "demo-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_BZIP2) as archive:
            archive.writestr("demo-1.0.dist-info/METADATA", "Name: demo\n")
        with pytest.raises(InstallError) as caught:
            metadata_of_wheel(wheel)
        assert "method 12" in (caught.value.why or "")

    @pytest.mark.parametrize("compress", [True, False])
    def test_a_changed_byte_of_metadata_is_noticed(self, tmp_path: Path, compress: bool) -> None:
        wheel = make_wheel(tmp_path, "demo", requires=REQUIRES, compress=compress)
        content = bytearray(wheel.read_bytes())
        place = content.find(b"METADATA") + 30
        content[place] ^= 0xFF
        wheel.write_bytes(content)
        with pytest.raises(InstallError):
            metadata_of_wheel(wheel)

    def test_every_truncation_is_noticed(self, tmp_path: Path) -> None:
        wheel = make_wheel(tmp_path, "demo", requires=REQUIRES)
        content = wheel.read_bytes()
        for size in range(0, len(content), 37):
            wheel.write_bytes(content[:size])
            with pytest.raises(InstallError):
                metadata_of_wheel(wheel)
