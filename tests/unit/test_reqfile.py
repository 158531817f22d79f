from __future__ import annotations

import codecs

import pytest

from tests.support.counting import calls_of
from venvman.model.errors import RequirementsError
from venvman.model.options import FileOptions
from venvman.model.sources import ArchiveSource, DirectorySource, IndexSource, VcsSource
from venvman.requirements.file import IncludeLine, OptionLine, ParsedFile, RequirementLine, parse
from venvman.requirements.lines import decode, logical_lines
from venvman.requirements.options import OptionFault, read_options, split_line
from venvman.system.variables import expand


def read(text: str, **variables: str) -> ParsedFile:
    return parse(text, path="requirements.txt", variables=variables, cwd="/work")


def one(text: str, **variables: str) -> RequirementLine:
    parsed = read(text, **variables)
    assert parsed.errors == ()
    (line,) = parsed.requirements
    return line


def fault(text: str) -> tuple[str, str]:
    parsed = read(text)
    assert parsed.lines == ()
    (error,) = parsed.errors
    return error.code, error.message


def test_a_pin_keeps_its_spelling_its_line_and_its_text() -> None:
    line = one("\n\nFoo.Bar==1.0  # why\n")
    assert (line.requirement.name, line.requirement.spelled) == ("foo-bar", "Foo.Bar")
    assert str(line.requirement.specifier) == "==1.0"
    assert (line.origin.path, line.origin.line, line.origin.text) == (
        "requirements.txt",
        3,
        "Foo.Bar==1.0",
    )


@pytest.mark.parametrize(
    ("text", "specifier"),
    [
        ("foo==1.0", "==1.0"),
        ("foo == 1.0", "==1.0"),
        ("foo >=1, <2", "<2,>=1"),
        ("foo===any_thing", "===any_thing"),
        ("foo (>1)", ">1"),
        ("foo==1.0.*", "==1.0.*"),
        ("foo==1!2.0+local", "==1!2.0+local"),
        ("foo", ""),
    ],
)
def test_specifiers_read_as_packaging_prints_them(text: str, specifier: str) -> None:
    assert str(one(text).requirement.specifier) == specifier


def test_markers_are_kept_and_normalised() -> None:
    assert str(one("foo ; python_version<'3'").requirement.marker) == 'python_version < "3"'
    assert one("foo ;").requirement.marker is None


def test_extras_are_as_written_on_the_line_and_canonical_in_the_requirement() -> None:
    line = one("foo[Av_Decode,b]==1")
    assert line.extras == ("Av_Decode", "b")
    assert line.requirement.extras == {"av-decode", "b"}


def test_extras_without_a_specifier_are_lower_case_as_with_pip() -> None:
    assert one("foo[Av]").extras == ("av",)


@pytest.mark.parametrize(
    ("text", "name", "source"),
    [
        ("foo", "foo", IndexSource()),
        (
            "foo @ https://h/x.zip#sha256=ab&subdirectory=s",
            "foo",
            ArchiveSource(url="https://h/x.zip", hashes=("sha256:ab",), subdirectory="s"),
        ),
        (
            "https://h/Foo_X-1.0-py3-none-any.whl",
            "foo-x",
            ArchiveSource(url="https://h/Foo_X-1.0-py3-none-any.whl"),
        ),
        (
            "git+https://u@h/x.git@v1#egg=foo&subdirectory=a/b",
            "foo",
            VcsSource(vcs="git", url="https://u@h/x.git", revision="v1", subdirectory="a/b"),
        ),
        ("git+ssh://git@h/x.git", None, VcsSource(vcs="git", url="ssh://git@h/x.git")),
        ("git+https://user@h", None, VcsSource(vcs="git", url="https://user@h")),
        ("svn+ssh://h/x@3", None, VcsSource(vcs="svn", url="svn+ssh://h/x", revision="3")),
        ("./pkg", None, DirectorySource(path="/work/pkg")),
        ("../pkg[x]", None, DirectorySource(path="/pkg")),
        ("a/b", None, DirectorySource(path="/work/a/b")),
        ("foo-1.0.tar.gz", None, ArchiveSource(url="file:///work/foo-1.0.tar.gz")),
        ("foo==1.zip", None, ArchiveSource(url="file:///work/foo%3D%3D1.zip")),
        ("file:../x#egg=lost", None, DirectorySource(path="/x")),
        ("foo @ file:///a/b", "foo", DirectorySource(path="/a/b")),
        ("foo @ ./x", "foo", DirectorySource(path="/work/x")),
        ("foo @ ./x.zip", "foo", ArchiveSource(url="file:///work/x.zip")),
        ("-e .", None, DirectorySource(path="/work", editable=True)),
        ("-e name", None, DirectorySource(path="/work/name", editable=True)),
        ("-e file:.", None, DirectorySource(path="/work", editable=True)),
        ("-e 'foo @ git+https://h/x'", "foo", VcsSource(vcs="git", url="https://h/x")),
        ("-e git://h/x#egg=foo", "foo", VcsSource(vcs="git", url="git://h/x")),
    ],
)
def test_every_form_says_where_the_distribution_comes_from(
    text: str, name: str | None, source: object
) -> None:
    requirement = one(text).requirement
    assert (requirement.name, requirement.source) == (name, source)


def test_a_full_commit_is_known_as_one() -> None:
    source = one(f"git+https://h/x@{'a' * 40}#egg=x").requirement.source
    assert isinstance(source, VcsSource)
    assert source.commit == "a" * 40


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("./my pkg.zip", "file:///work/my%20pkg.zip"),
        ("-e .[x]", "file:///work"),
        ("-e file:.", "file:."),
        ("git+https://h/x#egg=y", "git+https://h/x#egg=y"),
        ("foo", None),
    ],
)
def test_urls_are_as_pip_prints_them(text: str, url: str | None) -> None:
    assert one(text).url == url


def test_an_editable_reference_keeps_its_marker_and_extras() -> None:
    line = one("-e \"foo[X] @ git+https://h/x ; os_name=='nt'\"")
    assert (line.extras, str(line.requirement.marker), line.editable) == (
        ("X",),
        'os_name == "nt"',
        True,
    )


def test_a_url_needs_a_blank_after_its_semicolon() -> None:
    assert one("https://h/x;y.zip").url == "https://h/x;y.zip"
    assert one("https://h/x.zip; os_name=='nt'").url == "https://h/x.zip"


def test_per_line_options_stay_with_their_requirement() -> None:
    requirement = one(
        "foo==1 \\\n --hash=sha256:ab \\\n --hash sha512:cd -C k=v -C k=w"
    ).requirement
    assert requirement.hashes == ("sha256:ab", "sha512:cd")
    assert requirement.config_settings == (("k", "v"), ("k", "w"))
    assert requirement.raw == "foo==1"


def test_an_editable_ignores_hashes_as_pip_does() -> None:
    assert one("-e . --hash=sha256:ab -C k=v").requirement.hashes == ()


def test_variables_count_but_the_raw_text_keeps_their_names() -> None:
    line = one("foo @ https://${TOKEN}@h/x.zip --hash=sha256:a", TOKEN="secret")
    assert line.url == "https://secret@h/x.zip"
    assert line.requirement.raw == "foo @ https://${TOKEN}@h/x.zip"
    assert one("-e ${WHERE}", WHERE="./x").requirement.raw == "${WHERE}"


def test_a_secret_written_in_the_file_is_in_no_origin_and_no_error() -> None:
    assert "hunter2" not in one("foo @ https://me:hunter2@h/x.zip").origin.text
    (error,) = read("https://me:hunter2@h/x.whl").errors
    assert "hunter2" not in repr(error)
    (error,) = read("-e https://me:hunter2@h/x").errors
    assert "hunter2" not in repr(error)


def test_includes_name_their_target_and_kind() -> None:
    parsed = read("-r base.txt\n--constraint=c.txt\n-c a -r b\n")
    assert [(line.target, line.constraint) for line in parsed.includes] == [
        ("base.txt", False),
        ("c.txt", True),
        ("b", False),
    ]


def test_a_word_after_an_option_is_ignored_as_pip_does() -> None:
    parsed = read("--pre Django==1\n")
    assert [type(line) for line in parsed.lines] == [OptionLine]
    assert parsed.options.pre


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("foo=1.0", "requirement-invalid", "foo=1.0"),
        ("<<<<<<< HEAD", "requirement-invalid", "<<<<<<<"),
        ("foo==${NOT_SET}", "requirement-invalid", "NOT_SET"),
        ('{% include "a/b.txt" %}', "requirement-invalid", "a/b.txt"),
        ("foo[a", "requirement-invalid", "foo[a"),
        (".[]", "requirement-invalid", ".[]"),
        ("foo==1.0abc", "requirement-invalid", "1.0abc"),
        ("foo ; nonsense", "marker-invalid", "nonsense"),
        ("https://h/x.whl", "wheel-name-invalid", "x.whl"),
        ("git+https://h/x#egg=a==1", "egg-invalid", "a==1"),
        ("foo @ https://h/x#egg=-a", "egg-invalid", "-a"),
        ("http://[x", "url-invalid", "taken apart"),
        ("file://elsewhere/x", "url-invalid", "elsewhere"),
        ("-e git+https://h/x", "editable-nameless", "git+https://h/x"),
        ("-e git+git@h:x#egg=y", "editable-invalid", "git+git@h:x"),
        ("-e requests==2", "editable-invalid", "requests==2"),
        ("-e 'foo @ https://h/x.zip'", "editable-invalid", "https://h/x.zip"),
        ("foo --hash=md5:1", "option-invalid", "md5"),
        ("foo --global-option=x", "option-unknown", "--global-option"),
    ],
)
def test_a_faulty_line_is_named_with_its_text(text: str, code: str, word: str) -> None:
    found, message = fault(text)
    assert found == code
    assert word in message


def test_one_equals_sign_is_mended_in_the_advice() -> None:
    (error,) = read("foo = 1.0\n").errors
    assert str(error.fix) == "Write it as foo==1.0."


def test_all_faults_are_told_and_the_good_lines_stay() -> None:
    parsed = read("a=1\nb==1\n--nonsense\n-e git+https://h/x\nc\n")
    assert [error.line for error in parsed.errors] == [1, 3, 4]
    assert [line.requirement.name for line in parsed.requirements] == ["b", "c"]


def test_the_folder_in_force_is_the_process_s_own_by_default(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    (line,) = parse("./x", path="r", variables={}).requirements
    assert line.requirement.source == DirectorySource(path=f"{tmp_path}/x")


def test_lines_come_in_the_order_of_the_file() -> None:
    kinds = [type(line) for line in read("a\n-r b\n--pre\nc\n").lines]
    assert kinds == [RequirementLine, IncludeLine, OptionLine, RequirementLine]


def test_a_large_lock_is_read_with_a_few_calls_for_each_line() -> None:
    pins = "".join(
        f"pkg-{i}==1.{i} \\\n"
        + "".join(f"    --hash=sha256:{j:064x} \\\n" for j in range(20))
        + "\n"
        for i in range(700)
    )
    parsed = read(pins)
    # With shlex and PEP 508 parsing it was several hundred.
    assert calls_of(lambda: read(pins)) < 25 * len(pins.splitlines())
    assert sum(len(line.requirement.hashes) for line in parsed.requirements) == 14_000


@pytest.mark.parametrize("url", ["git+ext::sh", "git+ext://a/b", "hg+git://a/b", "svn+ext::x"])
@pytest.mark.parametrize("form", ["{}", "lib @ {}", "-e {}#egg=lib"])
def test_a_transport_that_the_version_control_is_not_read_over_is_said(url: str, form: str) -> None:
    code, message = fault(form.format(url))
    if form == "lib @ {}":
        vcs, _, rest = url.partition("+")
        transport = rest.partition(":")[0]
        assert code == "url-invalid"
        assert message == f"{vcs} repositories are not read over {transport!r}."


def test_the_same_text_is_read_once_and_a_changed_variable_reads_it_anew() -> None:
    text = "foo==${VERSION}\n"
    assert read(text, VERSION="1") is read(text, VERSION="1")
    assert [
        str(read(text, VERSION=each).requirements[0].requirement.specifier) for each in "12"
    ] == ["==1", "==2"]


def lines(text: str) -> list[tuple[int, str]]:
    return [(line.number, line.text) for line in logical_lines(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb", [(1, "a"), (2, "b")]),
        ("a\r\nb\rc\x0bd\x0ce\x85f\u2028g", [(i + 1, c) for i, c in enumerate("abcdefg")]),
        ("\n  \n# x\n  # y\na # z\n", [(5, "a")]),
        ("a#b #c", [(1, "a#b")]),
        ("a \\\n  b\nc", [(1, "a   b"), (3, "c")]),
        ("a\\\n# note\nb", [(1, "a"), (3, "b")]),
        ("# no \\\nb", [(2, "b")]),
        ("\\a\\\nb", [(1, "ab")]),
        ("a\\", [(1, "a")]),
        ("a\\\n\\\n\nb", [(1, "a"), (4, "b")]),
        ("\\\n#b", []),
    ],
)
def test_lines_are_joined_and_cleaned_as_pip_does(
    text: str, expected: list[tuple[int, str]]
) -> None:
    assert lines(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}-${B}", "1-2"),
        ("${a} $A ${A", "${a} $A ${A"),
        ("${EMPTY}${NONE}", "${EMPTY}${NONE}"),
        ("${A}${A}", "11"),
    ],
)
def test_only_capitals_in_braces_with_a_value_are_variables(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "B": "2", "EMPTY": "", "a": "no"}) == expected


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_decides_the_encoding(mark: bytes, encoding: str) -> None:
    assert decode(mark + "é==1\n".encode(encoding), path="r.txt") == "é==1\n"


@pytest.mark.parametrize("top", ["# coding: gbk\n", "#!x\n# -*- coding: gbk -*-\n"])
def test_a_coding_comment_in_the_first_two_lines_counts(top: str) -> None:
    text = f"{top}# 中\nfoo\n"
    assert decode(text.encode("gbk"), path="r.txt") == text


def test_a_coding_comment_in_the_third_line_does_not() -> None:
    with pytest.raises(RequirementsError, match="utf-8"):
        decode("\n\n# coding: gbk 中\n".encode("gbk"), path="r.txt", locale="utf-8")


def test_the_locale_is_the_last_resort() -> None:
    assert decode(b"# \xe9\n", path="r.txt", locale="latin-1") == "# é\n"
    assert decode(b"foo", path="r.txt") == "foo"


def test_bytes_that_are_no_text_are_named_with_their_place() -> None:
    with pytest.raises(RequirementsError) as raised:
        decode(b"# coding: ascii\n\xb8", path="r.txt")
    (problem,) = raised.value.problems
    assert (problem.code, problem.path) == ("encoding-wrong", "r.txt")
    assert "byte 16 (0xb8)" in problem.message


def test_a_truncated_file_with_a_mark_is_named() -> None:
    with pytest.raises(RequirementsError, match="utf-16-le"):
        decode(codecs.BOM_UTF16_LE + b"a", path="r.txt")


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(RequirementsError) as raised:
        decode(b"# coding: klingon\n", path="r.txt")
    assert raised.value.code == "encoding-unknown"


def test_without_another_word_the_locale_s_encoding_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import locale

    for name in ("getencoding", "getpreferredencoding"):
        monkeypatch.setattr(locale, name, lambda *_: "latin-1", raising=False)
    assert decode(b"# \xe9\n", path="r.txt") == "# é\n"


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
    assert read_options(text).values("--requirement") == ["b"]


def test_quotes_and_backslashes_are_a_shell_s() -> None:
    settings = read_options("-C 'k=v w' -C a=\\ b").values("--config-settings")
    assert settings == ["k=v w", "a= b"]


def test_two_dashes_end_the_options() -> None:
    assert not read_options("-- --pre").has("--pre")


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
