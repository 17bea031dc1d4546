"""Tokens as text: one form, nothing else, and no secret where it could be seen."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bps.identity.token_text import Token

TOKENS = st.builds(
    Token,
    st.text("0123456789abcdef", min_size=16, max_size=16),
    st.binary(min_size=32, max_size=32),
)
SCANNER = re.compile(r"\bbps_[0-9a-f]{16}_[0-9a-f]{64}_[0-9a-f]{8}\b")


@given(TOKENS)
def test_a_token_is_parsed_back_and_found_by_a_scanner(token: Token) -> None:
    text = token.text()
    assert Token.parse(text) == token
    assert SCANNER.fullmatch(text)
    assert SCANNER.search(f"Authorization: Bearer {text}\n")


@given(TOKENS, st.data())
def test_one_changed_character_makes_it_no_token(token: Token, data: st.DataObject) -> None:
    text = token.text()
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="latin-1"))
    assume(other != text[place])
    assert Token.parse(text[:place] + other + text[place + 1 :]) is None


@given(st.text(max_size=200))
def test_other_text_is_no_token(text: str) -> None:
    assert Token.parse(text) is None


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text[:-1],
        lambda text: text * 1_000,
        lambda text: text.replace("_", "-"),
        lambda _: "",
    ],
)
def test_nothing_near_a_token_is_taken_for_one(change: object) -> None:
    assert callable(change)
    assert Token.parse(change(Token.generate().text())) is None


@given(TOKENS, TOKENS)
def test_a_secret_matches_its_own_digest_only(token: Token, other: Token) -> None:
    assert token.matches(token.digest)
    assert token.matches(other.digest) is (token.secret == other.secret)
    assert not token.matches(None)


def test_each_token_is_another_one() -> None:
    made = {Token.generate().text() for _ in range(50)}
    assert len(made) == 50


def test_the_secret_is_in_no_repr() -> None:
    token = Token.generate()
    assert token.secret.hex() not in repr(token)
    assert str(token.secret) not in repr(token)
