from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venvman.environment.directurl import (
    DirectUrlInvalid,
    file_url,
    path_of_file_url,
    read_direct_url,
    write_direct_url,
)
from venvman.model.sources import ArchiveSource, DirectorySource, IndexSource, Source, VcsSource

COMMIT = "0123456789" * 4


def written(source: ArchiveSource | VcsSource | DirectorySource) -> dict[str, object]:
    content = write_direct_url(source)
    assert content is not None
    document = json.loads(content)
    assert isinstance(document, dict)
    return document


def test_an_index_has_no_direct_url() -> None:
    assert write_direct_url(IndexSource()) is None


def test_an_archive_is_written_as_pep_610_says() -> None:
    source = ArchiveSource(url="https://example.org/a-1.tar.gz", hashes=("sha256:ab",))
    assert written(source) == {
        "url": "https://example.org/a-1.tar.gz",
        "archive_info": {"hashes": {"sha256": "ab"}},
    }


def test_a_repository_is_written_with_its_commit_and_what_was_asked_for() -> None:
    source = VcsSource(
        vcs="git", url="ssh://git@host/a.git", revision="main", commit=COMMIT, subdirectory="sub"
    )
    assert written(source) == {
        "url": "ssh://git@host/a.git",
        "subdirectory": "sub",
        "vcs_info": {"vcs": "git", "commit_id": COMMIT, "requested_revision": "main"},
    }


def test_a_repository_without_a_commit_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="without a commit"):
        write_direct_url(VcsSource(vcs="git", url="https://host/a"))


@pytest.mark.parametrize(("editable", "info"), [(True, {"editable": True}), (False, {})])
def test_a_folder_is_written_with_a_quoted_file_url(
    editable: bool, info: dict[str, object]
) -> None:
    source = DirectorySource(path="/a b/ü#?", editable=editable)
    assert written(source) == {"url": "file:///a%20b/%C3%BC%23%3F", "dir_info": info}


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://me:s3cret@host/a.zip", "https://host/a.zip"),
        ("https://token@host/a.zip", "https://host/a.zip"),
        ("https://${USER}:${PASSWORD}@host/a.zip", "https://${USER}:${PASSWORD}@host/a.zip"),
    ],
)
def test_credentials_are_not_written_but_references_to_them_are(url: str, kept: str) -> None:
    assert written(ArchiveSource(url=url))["url"] == kept


def test_the_older_single_hash_is_understood() -> None:
    content = b'{"url": "https://h/a.zip", "archive_info": {"hash": "sha256=ab"}}'
    assert read_direct_url(content) == ArchiveSource(url="https://h/a.zip", hashes=("sha256:ab",))


def test_unknown_keys_are_ignored() -> None:
    content = b'{"url": "file:///a", "dir_info": {"new": 1}, "newer": []}'
    assert read_direct_url(content) == DirectorySource(path="/a")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "is not valid JSON"),
        (b"\xff", "is not valid JSON"),
        (b"[]", "holds no JSON object"),
        (b'{"dir_info": {}}', "has no url"),
        (b'{"url": 1, "dir_info": {}}', "has a url of the wrong kind"),
        (b'{"url": "file:///a"}', "needs exactly one of"),
        (b'{"url": "file:///a", "dir_info": {}, "vcs_info": {}}', "needs exactly one of"),
        (b'{"url": "file:///a", "dir_info": []}', "has a dir_info of the wrong kind"),
        (b'{"url": "https://h/a", "vcs_info": {"vcs": "git"}}', "has no commit_id"),
        (b'{"url": "https://h/a", "dir_info": {}}', "not a file: URL"),
    ],
)
def test_what_is_no_direct_url_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(DirectUrlInvalid, match=reason):
        read_direct_url(content)


def test_shares_keep_their_server() -> None:
    assert file_url("//server/a b") == "file://server/a%20b"
    assert path_of_file_url("file://server/a%20b") == "//server/a b"


def test_localhost_is_no_server() -> None:
    assert path_of_file_url("file://localhost/a") == "/a"


def test_a_drive_letter_has_no_slash_before_it_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert file_url("C:/a") == "file:///C:/a"
    monkeypatch.setattr(os, "name", "nt")
    assert path_of_file_url("file:///C:/a") == "C:/a"


TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12)
WORD = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)
HEX = st.from_regex(r"[0-9a-f]{8}", fullmatch=True)
URL = st.builds("https://{}/{}".format, WORD, WORD)
PATH = st.lists(TEXT.filter(lambda part: "/" not in part), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
SUBDIRECTORY = st.none() | WORD
SOURCES: st.SearchStrategy[Source] = st.one_of(
    st.builds(
        ArchiveSource,
        url=URL,
        hashes=st.dictionaries(st.sampled_from(["md5", "sha256", "sha512"]), HEX).map(
            lambda table: tuple(sorted(f"{name}:{digest}" for name, digest in table.items()))
        ),
        subdirectory=SUBDIRECTORY,
    ),
    st.builds(
        VcsSource,
        vcs=st.sampled_from(["git", "hg", "svn", "bzr"]),
        url=URL,
        revision=st.none() | TEXT,
        commit=HEX,
        subdirectory=SUBDIRECTORY,
    ),
    st.builds(DirectorySource, path=PATH, editable=st.booleans(), subdirectory=SUBDIRECTORY),
)


@given(SOURCES)
def test_what_is_written_is_read_back_as_the_same_source(source: Source) -> None:
    content = write_direct_url(source)
    assert content is not None
    assert read_direct_url(content) == source
    assert write_direct_url(read_direct_url(content)) == content


@given(PATH)
def test_a_path_and_its_file_url_mean_the_same(path: str) -> None:
    assert path_of_file_url(file_url(path)) == path
