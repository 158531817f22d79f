from __future__ import annotations

import pytest

from tests.support.counting import calls_of
from venvman.requirements.file import IncludeLine, OptionLine, ParsedFile, RequirementLine, parse
from venvman.sources import ArchiveSource, DirectorySource, IndexSource, VcsSource


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
        (
            "svn+ssh://h/x@3",
            None,
            VcsSource(vcs="svn", url="svn+ssh://h/x", revision="3"),
        ),
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
        (
            "-e 'foo @ git+https://h/x'",
            "foo",
            VcsSource(vcs="git", url="https://h/x"),
        ),
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
