from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from venvman.directurl import file_url, path_of_file_url, read_direct_url, write_direct_url
from venvman.sources import ArchiveSource, DirectorySource, Source, VcsSource

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
