"""No credentials in anything that is shown or written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venvman.system.secrets import has_secret, is_broken, redact, remember, without_secret


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pass@example.org/simple", "https://****@example.org/simple"),
        ("https://token@example.org/simple", "https://****@example.org/simple"),
        ("https://me:p@ss@example.org/simple", "https://****@example.org/simple"),
        ("https://m@@e:pass@example.org/simple", "https://****@example.org/simple"),
        ("git+https://me:pass@example.org/r.git@main", "git+https://****@example.org/r.git@main"),
        ("-i https://a:b@x.org --extra-index-url http://c:d@y.org", None),
        ("https://${USER}:literal@example.org", "https://****@example.org"),
        ("git+ssh://git:token@example.org/r", "git+ssh://****@example.org/r"),
        ("http://me:hun/ter@example.org:1/s", "http://****@example.org:1/s"),
        ("http://me:hun#ter@example.org/s", "http://****@example.org/s"),
        ("http://me:hun?ter@example.org/s", "http://****@example.org/s"),
        ("http://me:hun ter@example.org/s", "http://****@example.org/s"),
        ("http://me:hun[ter@example.org/s", "http://****@example.org/s"),
        ("'http://me:hun'ter@example.org/s'", "'http://****@example.org/s'"),
        ("https://me:hun@ter/x@example.org/s", "https://****@example.org/s"),
        ("git+http://me:a/b@example.org/r@main", "git+http://****@main"),
        ("http://me:hunter", "http://****"),
        (
            "pkg @ https://a:b@example.org/p.whl#sha256=0",
            "pkg @ https://****@example.org/p.whl#sha256=0",
        ),
    ],
)
def test_credentials_of_every_url_are_hidden(text: str, shown: str | None) -> None:
    expected = shown or "-i https://****@x.org --extra-index-url http://****@y.org"
    assert redact(text) == expected
    assert has_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/simple",
        "git+ssh://git@github.com/o/r.git@v1.0",
        "https://${USER}:${PASSWORD}@example.org/simple",
        "https://${TOKEN}@example.org",
        "git+https://github.com/o/r@main#egg=r",
        "https://example.org/a@b",
        "https://example.org?mail=me@example.org",
        "git@github.com:o/r.git",
        "me@example.org",
        "name @ file:///wheels/a.whl",
        "https://me:${PASSWORD}@example.org/simple",
        "git+https://host/r@main",
        "git+ssh://deploy@host/r@main",
        "svn+ssh://deploy@host/r",
        "bzr+sftp://deploy@host/r",
        "git+ssh://git@github.com:org/repo.git",
        "git+https://github.com:org/repo.git",
        "could not reach https://example.org:8080: refused (https://example.org:443).",
        "http://[::1]:8080/simple",
        "http://${HOST}:${PORT}/simple",
    ],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert redact(text) == text
    assert not has_secret(text)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("git+ssh://deploy@host/r", "git+ssh://deploy@host/r"),
        ("git+ssh://deploy:pass@host/r", "git+ssh://deploy@host/r"),
        ("https://token@host/r", "https://host/r"),
        ("https://me:pass@host/r", "https://host/r"),
        ("https://me:${PASSWORD}@host/r", "https://me:${PASSWORD}@host/r"),
        ("git+ssh://git@host/r", "git+ssh://git@host/r"),
    ],
)
def test_what_is_kept_loses_passwords_and_tokens_but_not_the_user_of_ssh(
    url: str, kept: str
) -> None:
    assert without_secret(url) == kept


@pytest.mark.parametrize("word", ["a/b", "a#b", "a?b", "a b", "a[b", "a'b", "a]b"])
def test_a_url_whose_password_is_not_encoded_cannot_be_taken_apart(word: str) -> None:
    assert is_broken(f"http://me:{word}@example.org/simple")


def test_a_value_that_is_known_is_shown_as_it_is_written_wherever_it_stands() -> None:
    remember("hunter2%2Fx", shown="${TOKEN}")
    assert redact("Port could not be cast: 'hunter2'") == "Port could not be cast: '****'"
    assert redact("https://h/hunter2%2Fx/simple") == "https://h/${TOKEN}/simple"
    assert redact("https://h/s?t=hunter2/x") == "https://h/s?t=${TOKEN}"


def test_a_value_that_is_a_word_is_hidden_in_urls_only() -> None:
    remember("main", shown="${BRANCH}", credential=False)
    remember("password", shown="${PASSWORD}")
    assert redact("The main thing: user and password.") == "The main thing: user and password."
    assert redact("git+https://h/r@main") == "git+https://h/r@${BRANCH}"


secret = st.text(
    st.characters(codec="ascii", categories=("L", "N"), include_characters="!$&*+,;=:%~@._-"),
    min_size=4,
).map(lambda text: f"S3CR{text}T")


@given(secret, secret)
def test_no_password_survives_and_hiding_twice_is_hiding_once(user: str, password: str) -> None:
    hidden = redact(f"could not fetch https://{user}:{password}@example.org/simple: 401")
    assert "S3CR" not in hidden
    assert redact(hidden) == hidden


sharp = st.text(
    st.characters(
        codec="ascii", categories=("L", "N"), include_characters="!$&*+,;=:%~._-/?#[]\\ \"'"
    )
).map(lambda text: f"S3CR{text}T")


@given(sharp)
def test_no_password_survives_that_ought_to_have_been_encoded(password: str) -> None:
    hidden = redact(f"could not fetch https://me:{password}@example.org/simple: 401")
    assert "S3CR" not in hidden
    assert hidden.endswith("@example.org/simple: 401")
