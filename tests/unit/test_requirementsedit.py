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


class TestWhereANewLineGoes:
    def test_a_sorted_file_stays_sorted(self) -> None:
        assert added("celery\nflask\nredis\n", "django") == "celery\ndjango\nflask\nredis\n"

    def test_it_may_be_the_first_or_the_last(self) -> None:
        assert added("flask\n", "django") == "django\nflask\n"
        assert added("flask\n", "redis") == "flask\nredis\n"

    def test_an_unsorted_file_gets_it_at_the_end_of_its_last_block(self) -> None:
        text = "redis\nflask\n\n# the end\n"
        assert added(text, "django") == "redis\nflask\ndjango\n\n# the end\n"

    def test_sorting_by_capitals_first_is_seen(self) -> None:
        assert added("Flask\nRedis\nattrs\n", "Zope") == "Flask\nRedis\nZope\nattrs\n"

    def test_sorting_does_not_mind_case_or_separators(self) -> None:
        assert added("attrs\nFlask\nzope_x\n", "Django") == "attrs\nDjango\nFlask\nzope_x\n"

    def test_a_heading_stays_at_the_top_of_its_block(self) -> None:
        assert added("# web\nflask\nredis\n", "django") == "# web\ndjango\nflask\nredis\n"

    def test_a_comment_stays_above_its_own_requirement(self) -> None:
        text = "celery\n# pinned: bug 12\nflask<3\n"
        assert added(text, "django") == "celery\ndjango\n# pinned: bug 12\nflask<3\n"

    def test_options_and_includes_keep_their_place(self) -> None:
        text = "-r base.in\n--index-url https://example.org/simple\n\nflask\n"
        assert added(text, "django").splitlines()[3:] == ["django", "flask"]

    def test_an_editable_joins_the_editables(self) -> None:
        text = "-e ./one\n\nflask\n"
        assert added(text, "-e ./two") == "-e ./one\n-e ./two\n\nflask\n"

    def test_an_empty_file_gets_one_line(self) -> None:
        assert added("", "flask") == "flask\n"

    def test_a_file_of_comments_gets_it_at_the_end(self) -> None:
        assert added("# what we need\n", "flask") == "# what we need\nflask\n"

    def test_a_last_line_without_newline_is_ended(self) -> None:
        assert added("attrs\nflask", "redis") == "attrs\nflask\nredis\n"

    def test_windows_newlines_are_kept(self) -> None:
        assert added("attrs\r\nflask\r\n", "redis") == "attrs\r\nflask\r\nredis\r\n"

    def test_hashes_of_a_continued_line_are_not_torn_from_it(self) -> None:
        text = "attrs==1 \\\n    --hash=sha256:" + "0" * 64 + "\nredis\n"
        assert added(text, "flask").endswith("0\nflask\nredis\n")


class TestStyle:
    def test_blanks_around_operators_are_the_files(self) -> None:
        assert added("attrs >= 20\nflask >= 2, < 3\n", "redis>=4,<5").endswith("redis >= 4, < 5\n")

    def test_no_blanks_where_the_file_has_none(self) -> None:
        assert added("attrs>=20\n", "redis >= 4") == "attrs>=20\nredis>=4\n"

    def test_a_file_that_does_not_tell_gets_it_as_written(self) -> None:
        assert added("attrs\n", "redis >= 4") == "attrs\nredis >= 4\n"

    def test_the_markers_semicolon_stands_as_in_the_other_lines(self) -> None:
        text = 'attrs ; python_version < "3.9"\n'
        assert added(text, 'redis; python_version < "3.9"').endswith(
            'redis ; python_version < "3.9"\n'
        )

    def test_columns_aligned_by_hand_count_as_one_blank(self) -> None:
        assert added("attrs     >=20\nflask     >=2\n", "redis>=4").endswith("redis >=4\n")

    def test_the_name_is_spelled_as_it_was_given(self) -> None:
        assert added("", "Flask-SQLAlchemy") == "Flask-SQLAlchemy\n"


class TestChangingALine:
    def test_the_specifier_is_replaced(self) -> None:
        assert added("flask>=2,<3\n", "flask>=3") == "flask>=3\n"

    def test_comment_spelling_and_indentation_stay(self) -> None:
        assert added("  Flask>=2  # the web\n", "flask>=3") == "  Flask>=3  # the web\n"

    def test_a_line_without_a_specifier_gets_one(self) -> None:
        assert added("flask  # the web\n", "flask>=3") == "flask>=3  # the web\n"

    def test_the_marker_stays_unless_another_is_given(self) -> None:
        text = 'flask>=2 ; python_version < "3.9"\n'
        assert added(text, "flask>=3") == 'flask>=3 ; python_version < "3.9"\n'

    def test_a_wish_with_another_marker_is_another_line(self) -> None:
        text = 'flask<3 ; python_version < "3.9"\n'
        assert added(text, 'flask>=3 ; python_version >= "3.9"') == (
            text + 'flask>=3 ; python_version >= "3.9"\n'
        )

    def test_of_two_lines_the_one_with_the_same_marker_changes(self) -> None:
        text = 'flask<3; python_version < "3.9"\nflask>=3; python_version >= "3.9"\n'
        assert "flask>=3.1; python_version >= " in added(
            text, 'flask>=3.1; python_version >= "3.9"'
        )

    def test_a_marker_joins_a_line_without_one(self) -> None:
        assert added("flask>=3\n", 'flask>=3; python_version >= "3.9"') == (
            'flask>=3; python_version >= "3.9"\n'
        )

    def test_several_lines_that_could_be_meant_are_named(self) -> None:
        text = 'flask<3; python_version < "3.9"\nflask>=3; python_version >= "3.9"\n'
        with pytest.raises(RequirementsError, match=r"several lines \(1, 2\)") as caught:
            added(text, "flask>=3.1")
        assert [each.line for each in caught.value.problems] == [1, 2]
        assert "marker" in str(caught.value.problems[0].fix)

    def test_extras_are_united_and_the_specifier_kept(self) -> None:
        assert added("flask[dotenv]>=3\n", "flask[async]") == "flask[dotenv,async]>=3\n"
        assert added("flask>=3\n", "flask[async]") == "flask[async]>=3\n"
        assert added("flask[a, b]\n", "flask[c]") == "flask[a, b, c]\n"

    def test_a_wish_that_is_already_there_changes_nothing(self) -> None:
        text = "flask >= 3  # yes\n"
        edited = add(source(text), wanted("flask"))
        assert edited.text == text
        assert edited.edits[0].kind is EditKind.UNCHANGED

    def test_the_same_specifier_in_other_words_changes_nothing(self) -> None:
        text = "flask>=3, <4\n"
        assert added(text, "Flask<4,>=3") == text

    def test_a_url_replaces_a_specifier_and_back(self) -> None:
        url = "flask @ https://example.org/flask-3.zip"
        assert added("flask>=2  # web\n", url) == f"{url}  # web\n"
        assert added(f"{url}  # web\n", "flask>=2") == "flask>=2  # web\n"

    def test_an_editable_is_known_by_its_folder(self) -> None:
        assert added("-e ./lib\n", "-e ./lib") == "-e ./lib\n"

    def test_a_folder_becomes_editable_and_the_other_way_round(self) -> None:
        text = "-e git+https://example.org/x.git#egg=lib\n"
        assert added(text, "lib>=2") == "lib>=2\n"

    def test_a_line_with_hashes_is_refused(self) -> None:
        text = "flask==2 --hash=sha256:" + "0" * 64 + "\n"
        with pytest.raises(RequirementsError, match="hashes") as caught:
            added(text, "flask==3")
        assert (caught.value.problems[0].line, caught.value.code) == (1, "requirement-hashed")

    def test_a_continued_line_becomes_what_was_asked_for(self) -> None:
        assert parsed(added("flask \\\n  >=2\n", "flask>=3")) == [("flask", ">=3")]


class TestRemoving:
    def test_the_line_goes_with_its_comment(self) -> None:
        assert removed("attrs\nflask>=2  # web\nredis\n", "flask") == "attrs\nredis\n"

    def test_every_line_of_the_name_goes(self) -> None:
        text = 'flask<3; python_version < "3.9"\nredis\nflask>=3\n'
        assert removed(text, "flask") == "redis\n"

    def test_a_continued_line_goes_whole(self) -> None:
        text = "attrs\nflask==2 \\\n    --hash=sha256:" + "0" * 64 + "\nredis\n"
        assert removed(text, "flask") == "attrs\nredis\n"

    def test_of_two_blank_lines_that_meet_one_stays(self) -> None:
        assert removed("attrs\n\nflask\n\nredis\n", "flask") == "attrs\n\nredis\n"

    def test_none_stays_at_the_ends(self) -> None:
        assert removed("flask\n\nredis\n", "flask") == "redis\n"
        assert removed("redis\n\nflask\n", "flask") == "redis\n"

    def test_blank_lines_elsewhere_are_not_touched(self) -> None:
        text = "attrs\n\n\nredis\nflask\n"
        assert removed(text, "flask") == "attrs\n\n\nredis\n"

    def test_what_is_not_there_changes_nothing(self) -> None:
        text = "\n\nattrs\n\n"
        assert removed(text, "flask") == text

    def test_the_last_requirement_leaves_an_empty_file(self) -> None:
        assert removed("flask\n", "flask") == ""

    def test_nameless_lines_are_asked_about_too(self) -> None:
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
