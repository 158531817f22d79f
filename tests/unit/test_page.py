from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venvman.index.filenames import distribution_of, parse_wheel_name, version_of
from venvman.index.listing import Listing, ListingDamaged, ProjectFiles, parse_page
from venvman.index.page import PageInvalid
from venvman.model.names import NormalizedName, canonical
from venvman.model.sources import IndexFile

JSON = "application/vnd.pypi.simple.v1+json"
URL = "https://index.test/simple/demo/"
DEMO = NormalizedName("demo")


def json_page(*rows: dict[str, Any], version: str = "1.1") -> bytes:
    return json.dumps({"meta": {"api-version": version}, "files": rows}).encode()


def row(**more: Any) -> dict[str, Any]:
    return {"filename": "demo-1.0-py3-none-any.whl", "url": "../../f/d.whl", "hashes": {}, **more}


def one(content: bytes, kind: str = JSON) -> IndexFile:
    page = parse_page(content, kind, URL)
    (row,) = page.rows
    return row.resolved(page.url)


def html(body: str) -> bytes:
    return f"<!DOCTYPE html><html><body>{body}</body></html>".encode()


class TestJson:
    def test_relative_urls_are_seen_from_the_page(self) -> None:
        assert one(json_page(row())).url == "https://index.test/f/d.whl"

    def test_weak_hashes_are_left_out(self) -> None:
        file = one(json_page(row(hashes={"md5": "aa", "sha512": "CC", "sha256": "BB"})))
        assert file.hashes == ("sha256:bb", "sha512:cc")

    def test_a_reason_for_yanking_is_kept(self) -> None:
        assert one(json_page(row(yanked="broken"))).yanked == "broken"

    def test_yanking_without_a_reason_is_no_reason_not_nothing(self) -> None:
        assert one(json_page(row(yanked=True))).yanked == ""

    def test_a_file_that_is_not_yanked_says_none(self) -> None:
        assert one(json_page(row(yanked=False))).yanked is None

    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            ({"core-metadata": {"sha256": "aa"}}, "sha256:aa"),
            ({"core-metadata": True}, ""),
            ({"core-metadata": False}, None),
            ({"dist-info-metadata": {"sha256": "bb"}}, "sha256:bb"),
            ({"core-metadata": False, "dist-info-metadata": True}, None),
            ({}, None),
        ],
    )
    def test_the_newer_key_for_metadata_files_wins(
        self, keys: dict[str, Any], expected: str | None
    ) -> None:
        assert one(json_page(row(**keys))).metadata_hash == expected

    def test_size_upload_time_and_python_are_read(self) -> None:
        more = {"size": 7, "upload-time": "2024-01-01T00:00:00Z", "requires-python": ">=3.8"}
        file = one(json_page(row(**more)))
        assert (file.size, file.upload_time, file.requires_python) == (
            7,
            "2024-01-01T00:00:00Z",
            ">=3.8",
        )

    def test_a_malformed_row_is_skipped_and_named(self) -> None:
        page = parse_page(json_page(row(), {"filename": "bad.whl", "url": 5}), JSON, URL)
        assert [row.filename for row in page.rows] == ["demo-1.0-py3-none-any.whl"]
        assert page.skipped[0].filename == "bad.whl"
        assert "malformed" in page.skipped[0].reason

    def test_broken_json_is_refused(self) -> None:
        with pytest.raises(PageInvalid, match="JSON is broken"):
            parse_page(b'{"files": [', JSON, URL)

    def test_json_of_another_kind_is_refused(self) -> None:
        with pytest.raises(PageInvalid, match="no Simple API page"):
            parse_page(b'{"error": "no"}', JSON, URL)

    def test_another_major_version_is_refused(self) -> None:
        with pytest.raises(PageInvalid, match=r"version 2\.0"):
            parse_page(json_page(version="2.0"), JSON, URL)

    def test_a_page_without_a_type_is_told_by_its_first_character(self) -> None:
        assert one(json_page(row()), "application/octet-stream").url.endswith("d.whl")

    @pytest.mark.parametrize("kind", ["image/png", "", "text/plain"])
    def test_something_else_is_refused(self, kind: str) -> None:
        with pytest.raises(PageInvalid, match="not a list of files"):
            parse_page(b"\x89PNG", kind, URL)


class TestHtml:
    def test_anchors_become_files(self) -> None:
        link = (
            '<a href="../../f/demo-1.0-py3-none-any.whl#sha256=AB" data-requires-python="&gt;=3.8"'
            ' data-yanked="why" data-core-metadata="sha256=cd">demo</a>'
        )
        assert one(html(link), "text/html") == IndexFile(
            filename="demo-1.0-py3-none-any.whl",
            url="https://index.test/f/demo-1.0-py3-none-any.whl",
            hashes=("sha256:ab",),
            requires_python=">=3.8",
            yanked="why",
            metadata_hash="sha256:cd",
        )

    def test_the_base_element_moves_relative_urls(self) -> None:
        content = html('<base href="/other/"><a href="demo-1.0.tar.gz">x</a>')
        assert one(content, "text/html").url == "https://index.test/other/demo-1.0.tar.gz"

    def test_the_file_name_comes_from_the_url_unquoted(self) -> None:
        content = html('<a href="demo-1.0%2Bcpu-py3-none-any.whl">anything</a>')
        assert one(content, "text/html").filename == "demo-1.0+cpu-py3-none-any.whl"

    @pytest.mark.parametrize(
        ("attribute", "expected"),
        [("data-dist-info-metadata", ""), ('data-core-metadata="false"', None)],
    )
    def test_metadata_may_be_told_without_a_hash(
        self, attribute: str, expected: str | None
    ) -> None:
        content = html(f'<a href="demo-1.0-py3-none-any.whl" {attribute}>x</a>')
        assert one(content, "text/html").metadata_hash == expected

    def test_the_header_decides_the_encoding(self) -> None:
        content = html('<a href="d-1.tar.gz" data-yanked="gr\u00fcn">x</a>').decode()
        file = one(content.encode("latin-1"), "text/html; charset=latin-1")
        assert file.yanked == "gr\u00fcn"

    @pytest.mark.parametrize("kind", ["text/html", "text/html; charset=klingon"])
    def test_undecodable_bytes_do_not_hide_the_files(self, kind: str) -> None:
        content = b'\xff\xfe<a href="demo-1.0.tar.gz">x</a>'
        assert one(content, kind).filename == "demo-1.0.tar.gz"

    def test_the_meta_element_decides_where_the_header_is_silent(self) -> None:
        content = '<meta charset="latin-1"><a href="d-1.tar.gz" data-yanked="gr\u00fcn">x</a>'
        assert one(content.encode("latin-1"), "text/html").yanked == "gr\u00fcn"

    def test_links_to_other_things_are_skipped(self) -> None:
        page = parse_page(html('<a href="demo.exe">x</a><a href="..">up</a>'), "text/html", URL)
        assert [each.filename for each in page.skipped] == ["demo.exe"]

    def test_a_malformed_link_is_skipped(self) -> None:
        page = parse_page(html('<a href="http://[bad/d-1.tar.gz">x</a>'), "text/html", URL)
        assert "malformed" in page.skipped[0].reason

    def test_a_page_for_people_is_no_listing(self) -> None:
        page = parse_page(html('<form><input name="password"></form>'), "text/html", URL)
        assert not page.listing

    def test_a_redirecting_page_is_no_listing(self) -> None:
        content = html('<meta http-equiv="refresh" content="0; url=/login">')
        assert not parse_page(content, "text/html", URL).listing

    def test_an_empty_list_is_a_listing(self) -> None:
        assert parse_page(html("<h1>Links for demo</h1>"), "text/html", URL).listing

    def test_another_major_version_is_refused(self) -> None:
        content = html('<meta name="pypi:repository-version" content="2.0">')
        with pytest.raises(PageInvalid, match=r"version 2\.0"):
            parse_page(content, "text/html", URL)


class TestNames:
    @pytest.mark.parametrize(
        ("filename", "version"),
        [
            ("demo-1.0-py3-none-any.whl", "1.0"),
            ("Demo-1.0-1-py3-none-any.whl", "1.0"),
            ("demo-1.0.tar.gz", "1.0"),
            ("demo-1.0-1.zip", "1.0-1"),
            ("other-1.0.tar.gz", None),
            ("other-1.0-py3-none-any.whl", None),
            ("demo.tar.gz", None),
            ("demo-.tar.gz", None),
            ("demo-1.0.egg", None),
            ("demo.whl", None),
        ],
    )
    def test_the_version_is_what_follows_the_project(
        self, filename: str, version: str | None
    ) -> None:
        assert version_of(filename, DEMO) == version

    def test_dashes_in_old_sdist_names_are_no_trouble(self) -> None:
        assert version_of("my-old-tool-2.0-beta.tar.gz", canonical("my_old.tool")) == "2.0-beta"

    @pytest.mark.parametrize(
        "filename",
        ["demo-1.0.whl", "demo-1.0-x-py3-none-any.whl", "demo-1.0--none-any.whl", "demo.zip"],
    )
    def test_what_is_no_wheel_name_is_none(self, filename: str) -> None:
        assert parse_wheel_name(filename) is None

    def test_a_build_tag_sorts_by_its_number(self) -> None:
        wheel = parse_wheel_name("demo-1.0-12b-py3-none-any.whl")
        assert wheel is not None
        assert wheel.build == (12, "b")

    @pytest.mark.parametrize(
        ("filename", "name"),
        [
            ("My_Demo-1.0-py3-none-any.whl", "my-demo"),
            ("my-demo-1.0.tar.gz", "my-demo"),
            ("readme.txt", None),
            ("notes-final.zip", None),
            ("bad.whl", None),
        ],
    )
    def test_a_file_name_alone_tells_the_project(self, filename: str, name: str | None) -> None:
        assert distribution_of(filename) == name


class TestListing:
    def listing(self) -> Listing:
        rows = [
            row(),
            row(filename="demo-1.0.tar.gz", url="demo-1.0.tar.gz", hashes={"sha256": "ab"}),
            row(filename="demo-2.0.tar.gz", url="https://cdn.test/demo-2.0.tar.gz", yanked="no"),
            row(filename="demo-2.0.exe"),
        ]
        return Listing.of(parse_page(json_page(*rows), JSON, URL), DEMO)

    def test_files_are_grouped_by_version(self) -> None:
        listing = self.listing()
        assert list(listing.versions) == ["1.0", "2.0"]
        assert [file.filename for file in listing.files("1.0")] == [
            "demo-1.0-py3-none-any.whl",
            "demo-1.0.tar.gz",
        ]

    def test_an_unknown_version_has_no_files(self) -> None:
        assert self.listing().files("3.0") == ()

    def test_files_of_no_use_are_named(self) -> None:
        assert [each.filename for each in self.listing().skipped] == ["demo-2.0.exe"]

    def test_bytes_and_back_is_the_identity(self) -> None:
        listing = self.listing()
        again = Listing.from_bytes(b"".join(listing.to_parts()))
        assert again.files("1.0") == listing.files("1.0")
        assert again.skipped == listing.skipped

    @given(st.data())
    def test_a_changed_byte_of_the_rows_is_noticed(self, data: st.DataObject) -> None:
        parts = self.listing().to_parts()
        content = bytearray(b"".join(parts))
        place = data.draw(st.integers(len(content) - len(parts[2]), len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
        with pytest.raises(ListingDamaged):
            Listing.from_bytes(bytes(content))

    @given(st.binary(max_size=200))
    def test_any_other_bytes_are_damage(self, content: bytes) -> None:
        with pytest.raises(ListingDamaged):
            Listing.from_bytes(content)

    def test_several_places_are_read_in_order(self) -> None:
        project = ProjectFiles(DEMO, (self.listing(), self.listing()))
        assert list(project.versions) == ["1.0", "2.0"]
        assert len(project.files("2.0")) == 2
        assert len(project.all_files()) == 6
