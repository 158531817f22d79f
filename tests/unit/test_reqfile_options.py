from __future__ import annotations

import pytest

from venvman.options import FileOptions
from venvman.requirements.file import parse
from venvman.requirements.options import OptionFault, read_options, split_line


def options(text: str) -> FileOptions:
    parsed = parse(text, path="r.txt", variables={}, cwd="/")
    assert parsed.errors == ()
    return parsed.options


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("foo==1 --hash=x", ("foo==1", "--hash=x")),
        ("foo - bar", ("foo", "- bar")),
        ("foo\t--hash=x", ("foo\t--hash=x", "")),
        ("-e .", ("", "-e .")),
        ("foo-bar", ("foo-bar", "")),
    ],
)
def test_options_begin_at_the_first_word_with_a_dash(line: str, expected: tuple[str, str]) -> None:
    assert split_line(line) == expected


@pytest.mark.parametrize(
    "text",
    [
        "-r b",
        "-rb",
        "--requirement b",
        "--requirement=b",
        "--requirem b",
        "--requireme=b",
        "x -r b y",
    ],
)
def test_every_spelling_of_an_option_is_the_same(text: str) -> None:
    assert read_options(text).requirements == ["b"]


def test_quotes_and_backslashes_are_a_shell_s() -> None:
    assert read_options("-C 'k=v w' -C a=\\ b").config_settings == [("k", "v w"), ("a", " b")]


def test_two_dashes_end_the_options() -> None:
    assert read_options("-- --pre").pre is False


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("--nonsense", "--nonsense"),
        ("-q", "-q"),
        ("--no", "--no-binary, --no-index, --no-require-hashes"),
        ("--pre=1", "--pre takes no value"),
        ("-r", "-r needs a value"),
        ("--hash=abc", "algorithm"),
        ("--hash=md5:abc", "md5"),
        ("-C novalue", "KEY=VALUE"),
        ("--use-feature=time-travel", "time-travel"),
        ("--no-binary --pre", "--pre"),
        ("'open", "quotation"),
        ("--trusted-hos", "--trusted-host needs a value"),
    ],
)
def test_an_option_that_cannot_be_read_says_why(text: str, word: str) -> None:
    with pytest.raises(OptionFault, match=r".") as raised:
        read_options(text)
    assert word in str(raised.value)


def test_a_misspelt_option_is_answered_with_the_right_one() -> None:
    with pytest.raises(OptionFault, match="Did you mean --extra-index-url"):
        read_options("--extra-index-urls=x")


def test_all_global_options_arrive() -> None:
    assert options(
        "-i https://i\n--extra-index-url https://e\n-f ./wheels\n--pre\n--prefer-binary\n"
        "--trusted-host h\n--trusted-host h\n--require-hashes\n--no-require-hashes\n"
        "--use-feature=fast-deps\n--no-binary A.b\n--only-binary c\n--only-final d\n"
    ) == FileOptions(
        index_url="https://i",
        extra_index_urls=("https://e",),
        find_links=("./wheels",),
        pre=True,
        prefer_binary=True,
        trusted_hosts=("h",),
        require_hashes=True,
        no_require_hashes=True,
        features=("fast-deps",),
        no_binary=frozenset({"a-b"}),
        only_binary=frozenset({"c"}),
        all_releases=frozenset({":all:"}),
        only_final=frozenset({"d"}),
    )


def test_a_later_index_replaces_the_extra_ones_before_it() -> None:
    found = options("--extra-index-url https://e\n-i https://i\n")
    assert (found.index_url, found.extra_index_urls) == ("https://i", ())


def test_no_index_silences_every_index_before_and_after() -> None:
    found = options("-i https://i\n--no-index\n--extra-index-url https://e\n")
    assert (found.index_url, found.extra_index_urls, found.no_index) == (None, (), True)


@pytest.mark.parametrize(
    ("text", "no_binary", "only_binary"),
    [
        ("--no-binary a\n--only-binary a\n", set(), {"a"}),
        ("--no-binary a\n--only-binary :all:\n", set(), {":all:"}),
        ("--no-binary a\n--no-binary :none:\n", set(), set()),
        ("--no-binary :all:,:none:,b\n", {"b"}, set()),
        ("--no-binary :all:,b\n", {":all:"}, set()),
        ("foo --no-binary foo\n", {"foo"}, set()),
        ("-r x.txt --only-binary x\n", set(), {"x"}),
    ],
)
def test_format_options_exclude_each_other_and_count_on_every_line(
    text: str, no_binary: set[str], only_binary: set[str]
) -> None:
    found = options(text)
    assert (set(found.no_binary), set(found.only_binary)) == (no_binary, only_binary)


def test_other_global_options_beside_a_requirement_are_ignored() -> None:
    assert options("foo --pre -i https://i\n") == FileOptions()


def test_one_find_links_counts_for_a_line() -> None:
    assert options("-f a -f b\n").find_links == ("a",)
