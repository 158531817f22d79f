"""No credentials in anything that is shown or written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venvman.secrets import has_secret, redact


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
    ],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert redact(text) == text
    assert not has_secret(text)


secret = st.text(
    st.characters(codec="ascii", categories=("L", "N"), include_characters="!$&*+,;=:%~@._-"),
    min_size=4,
).map(lambda text: f"S3CR{text}T")


@given(secret, secret)
def test_no_password_survives_and_hiding_twice_is_hiding_once(user: str, password: str) -> None:
    hidden = redact(f"could not fetch https://{user}:{password}@example.org/simple: 401")
    assert "S3CR" not in hidden
    assert redact(hidden) == hidden
