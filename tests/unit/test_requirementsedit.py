"""Editing requirements files: only what has to change does."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from venvman.model.errors import RequirementsError
from venvman.model.names import canonical
from venvman.requirements.edit import EditKind, SourceText, Wanted, add, entries_of, remove
from venvman.requirements.file import RequirementLine, parse


def source(text: str) -> SourceText:
    return SourceText(text=text, path="requirements.in", cwd="/work", variables={})


def wanted(text: str) -> Wanted:
    [line] = parse(text, path="", variables={}, cwd="/work").requirements
    return Wanted(line=line, name=line.requirement.name)


def added(text: str, wish: str) -> str:
    return add(source(text), wanted(wish)).text


def removed(text: str, *names: str) -> str:
    return remove(source(text), lambda _, name: name in names).text


HASH = "--hash=sha256:" + "0" * 64
OLD = ' ; python_version < "3.9"'
URL = "flask @ https://example.org/flask-3.zip"
REPOSITORY = "-e git+https://example.org/x.git#egg=lib\n"

ADDED = {
    "a sorted file stays sorted": ("celery\nflask\n", "django", "celery\ndjango\nflask\n"),
    "it may be the first": ("flask\n", "django", "django\nflask\n"),
    "it may be the last": ("flask\n", "redis", "flask\nredis\n"),
    "an unsorted file gets it at the end of its last block": (
        *("redis\nflask\n\n# the end\n", "django", "redis\nflask\ndjango\n\n# the end\n"),
    ),
    "capitals first": ("Flask\nRedis\nattrs\n", "Zope", "Flask\nRedis\nZope\nattrs\n"),
    "sorting does not mind case or separators": (
        *("attrs\nFlask\nzope_x\n", "Django", "attrs\nDjango\nFlask\nzope_x\n"),
    ),
    "a heading stays at the top of its block": (
        *("# web\nflask\nredis\n", "django", "# web\ndjango\nflask\nredis\n"),
    ),
    "a comment stays above its own requirement": (
        *("celery\n# bug 12\nflask<3\n", "django", "celery\ndjango\n# bug 12\nflask<3\n"),
    ),
    "options and includes keep their place": (
        *("-r a.in\n--pre\n\nflask\n", "django", "-r a.in\n--pre\n\ndjango\nflask\n"),
    ),
    "an editable joins the editables": (
        *("-e ./one\n\nflask\n", "-e ./two", "-e ./one\n-e ./two\n\nflask\n"),
    ),
    "an empty file gets one line": ("", "flask", "flask\n"),
    "a file of comments gets it at the end": ("# we need\n", "flask", "# we need\nflask\n"),
    "a last line without newline is ended": ("attrs\nflask", "redis", "attrs\nflask\nredis\n"),
    "windows newlines are kept": ("attrs\r\nflask\r\n", "x", "attrs\r\nflask\r\nx\r\n"),
    "hashes of a continued line are not torn from it": (
        *(f"attrs==1 \\\n  {HASH}\nredis\n", "x", f"attrs==1 \\\n  {HASH}\nredis\nx\n"),
    ),
    "blanks around operators are the file's": (
        *("attrs >= 20\nflask >= 2, < 3\n", "redis>=4,<5"),
        "attrs >= 20\nflask >= 2, < 3\nredis >= 4, < 5\n",
    ),
    "no blanks where it has none": ("attrs>=20\n", "redis >= 4", "attrs>=20\nredis>=4\n"),
    "a file that does not tell gets it as written": (
        *("attrs\n", "redis >= 4", "attrs\nredis >= 4\n"),
    ),
    "the marker's semicolon stands as in the other lines": (
        *(f"attrs{OLD}\n", f"redis{OLD.replace(' ;', ';')}", f"attrs{OLD}\nredis{OLD}\n"),
    ),
    "columns aligned by hand count as one blank": (
        *("attrs     >=20\n", "redis>=4", "attrs     >=20\nredis >=4\n"),
    ),
    "the name is spelled as it was given": ("", "Flask-SQLAlchemy", "Flask-SQLAlchemy\n"),
    "the specifier is replaced": ("flask>=2,<3\n", "flask>=3", "flask>=3\n"),
    "comment, spelling and indentation stay": (
        *("  Flask>=2  # the web\n", "flask>=3", "  Flask>=3  # the web\n"),
    ),
    "a line without a specifier gets one": ("flask  # web\n", "flask>=3", "flask>=3  # web\n"),
    "the marker stays unless another is given": (
        *(f"flask>=2{OLD}\n", "flask>=3", f"flask>=3{OLD}\n"),
    ),
    "a requirement with another marker is another line": (
        *(f"flask<3{OLD}\n", f"flask>=3{OLD.replace('<', '>=')}"),
        f"flask<3{OLD}\nflask>=3{OLD.replace('<', '>=')}\n",
    ),
    "a marker joins a line without one": (
        *("flask>=3\n", 'flask>=3; python_version >= "3.9"', 'flask>=3; python_version >= "3.9"\n'),
    ),
    "extras are united": ("flask[dotenv]>=3\n", "flask[async]", "flask[dotenv,async]>=3\n"),
    "a line gets its first extra": ("flask>=3\n", "flask[async]", "flask[async]>=3\n"),
    "extras are written as before": ("flask[a, b]\n", "flask[c]", "flask[a, b, c]\n"),
    "the same in other words changes nothing": ("flask>=3, <4\n", "Flask<4,>=3", "flask>=3, <4\n"),
    "a url replaces a specifier": ("flask>=2  # web\n", URL, f"{URL}  # web\n"),
    "a specifier replaces a url": (f"{URL}  # web\n", "flask>=2", "flask>=2  # web\n"),
    "an editable is known by its folder": ("-e ./lib\n", "-e ./lib", "-e ./lib\n"),
    "an editable is replaced by its name": (REPOSITORY, "lib>=2", "lib>=2\n"),
}


@pytest.mark.parametrize("case", ADDED)
def test_what_is_added_changes_no_more_than_it_has_to(case: str) -> None:
    text, wish, expected = ADDED[case]
    assert added(text, wish) == expected


class TestChangingALine:
    def test_of_two_lines_the_one_with_the_same_marker_changes(self) -> None:
        text = 'flask<3; python_version < "3.9"\nflask>=3; python_version >= "3.9"\n'
        assert "flask>=3.1; python_version >= " in added(
            text, 'flask>=3.1; python_version >= "3.9"'
        )

    def test_several_lines_that_could_be_meant_are_named(self) -> None:
        text = 'flask<3; python_version < "3.9"\nflask>=3; python_version >= "3.9"\n'
        with pytest.raises(RequirementsError, match=r"several lines \(1, 2\)") as caught:
            added(text, "flask>=3.1")
        assert [each.line for each in caught.value.problems] == [1, 2]
        assert "marker" in str(caught.value.problems[0].fix)

    def test_a_wish_that_is_already_there_changes_nothing(self) -> None:
        text = "flask >= 3  # yes\n"
        edited = add(source(text), wanted("flask"))
        assert edited.text == text
        assert edited.edits[0].kind is EditKind.UNCHANGED

    def test_a_line_with_hashes_is_refused(self) -> None:
        text = "flask==2 --hash=sha256:" + "0" * 64 + "\n"
        with pytest.raises(RequirementsError, match="hashes") as caught:
            added(text, "flask==3")
        assert (caught.value.problems[0].line, caught.value.code) == (1, "requirement-hashed")

    def test_a_continued_line_becomes_what_was_asked_for(self) -> None:
        assert parsed(added("flask \\\n  >=2\n", "flask>=3")) == [("flask", ">=3")]


REMOVED = {
    "the line goes with its comment": ("attrs\nflask>=2  # web\nredis\n", "attrs\nredis\n"),
    "every line of the name goes": (f"flask<3{OLD}\nredis\nflask>=3\n", "redis\n"),
    "a continued line goes whole": (f"attrs\nflask==2 \\\n  {HASH}\nredis\n", "attrs\nredis\n"),
    "of two blank lines that meet one stays": (*("attrs\n\nflask\n\nredis\n", "attrs\n\nredis\n"),),
    "none stays at the beginning": ("flask\n\nredis\n", "redis\n"),
    "none stays at the end": ("redis\n\nflask\n", "redis\n"),
    "blank lines elsewhere are not touched": ("attrs\n\n\nredis\nflask\n", "attrs\n\n\nredis\n"),
    "what is not there changes nothing": ("\n\nattrs\n\n", "\n\nattrs\n\n"),
    "the last requirement leaves an empty file": ("flask\n", ""),
}


@pytest.mark.parametrize("case", REMOVED)
def test_what_is_removed_takes_no_more_than_it_has_to(case: str) -> None:
    text, expected = REMOVED[case]
    assert removed(text, "flask") == expected


def test_nameless_lines_are_asked_about_too() -> None:
    found = SourceText(
        text="./lib\nflask\n",
        path="requirements.in",
        cwd="/work",
        variables={},
        name_of=lambda line: canonical("lib") if line.requirement.name is None else None,
    )
    assert remove(found, lambda _, name: name == "lib").text == "flask\n"


NAMES = st.sampled_from(["attrs", "Flask", "redis", "zope.interface", "a-b", "urllib3"])
LINES = st.one_of(
    st.builds(
        lambda name, specifier, comment: f"{name}{specifier}{comment}",
        NAMES,
        st.sampled_from(["", ">=1", " >= 1", "==2.0", "[x]>=1", ' ; python_version > "3"']),
        st.sampled_from(["", "  # why", " #  "]),
    ),
    st.sampled_from(["", "# heading", "--pre", "-r other.in", "   ", "-e ./here"]),
)
FILES = st.lists(LINES, max_size=12).map(lambda lines: "".join(f"{line}\n" for line in lines))


@given(FILES)
def test_adding_what_is_new_changes_no_other_line(text: str) -> None:
    edited = add(source(text), wanted("brand-new>=1"))
    number = edited.edits[0].line
    lines = edited.text.splitlines(keepends=True)
    assert lines[number - 1].startswith("brand-new")
    assert "".join(lines[: number - 1] + lines[number:]) == text


@given(FILES)
def test_removing_what_was_added_gives_the_file_back(text: str) -> None:
    text = text.strip("\n ")
    text = f"{text}\n" if text else ""
    again = removed(added(text, "brand-new"), "brand-new")
    assert again.split() == text.split()


@given(FILES, st.sampled_from(["flask>=9", "redis[y]>=9", "urllib3"]))
def test_after_adding_the_file_asks_for_it(text: str, wish: str) -> None:
    want = wanted(wish)
    names = [entry.name for entry in entries_of(source(text))]
    assume(names.count(want.name) < 2)
    edited = add(source(text), want)
    [line] = [each.line for each in entries_of(source(edited.text)) if each.name == want.name]
    assert want.line.requirement.extras <= line.requirement.extras
    if want.line.requirement.specifier:
        assert line.requirement.specifier == want.line.requirement.specifier
    assert add(source(edited.text), want).text == edited.text


def parsed(text: str) -> list[tuple[str | None, str]]:
    return [
        (line.requirement.name, str(line.requirement.specifier))
        for line in parse(text, path="", variables={}, cwd="/").lines
        if isinstance(line, RequirementLine)
    ]
