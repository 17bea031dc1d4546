"""`bps token` and `bps initiative`: what is malformed is refused before anything is sent."""

from __future__ import annotations

import pytest

from bps.cli.durations import seconds
from bps.core.errors import InvalidInput
from tests.unit.cli.invoke import invoke, refused

CREATE = ("token", "create", "agent-7", "--role", "agent")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("token", "create", "Agent", "--role", "agent"), "INVALID_ID"),
        (("token", "create", "", "--role", "agent"), "INVALID_ID"),
        ((*CREATE, "--expires-in", "0d"), "INVALID_INPUT"),
        ((*CREATE, "--expires-in", "90"), "INVALID_INPUT"),
        ((*CREATE, "--expires-in", "9999d"), "INVALID_INPUT"),
        ((*CREATE, "--expires-in", "-1d"), "INVALID_INPUT"),
        ((*CREATE, "--certificate-name", "agent"), "INVALID_ID"),
        ((*CREATE, "--certificate-name", ""), "INVALID_ID"),
        ((*CREATE, "--comment", "a\nb"), "INVALID_INPUT"),
        ((*CREATE, "--comment", "a" * 201), "INVALID_INPUT"),
        (("token", "revoke", "../x"), "INVALID_ID"),
        (("token", "rotate", "0123456789ABCDEF"), "INVALID_ID"),
        (("token", "rotate", "0123456789abcdef", "--grace", "31d"), "INVALID_INPUT"),
        (("initiative", "create", "Checkout"), "INVALID_ID"),
        (("initiative", "create", "a", "--zone", "../etc/passwd"), "INVALID_INPUT"),
        (("initiative", "create", "a", "--zone", ""), "INVALID_INPUT"),
        (("initiative", "create", "a", "--title", "a\nb"), "INVALID_INPUT"),
        (("initiative", "show", "a/b"), "INVALID_ID"),
        (("init", "--initiative", "A"), "INVALID_ID"),
    ],
)
def test_malformed_arguments(arguments: tuple[str, ...], code: str) -> None:
    refused(*arguments, code=code)


@pytest.mark.parametrize(
    "arguments", [CREATE, ("token", "revoke", "0" * 16), ("initiative", "create", "a")]
)
def test_without_a_service_the_direct_way_needs_the_user_s_word(arguments: tuple[str, ...]) -> None:
    refused(*arguments, code="CONFIG_ERROR", env={"BPS_STANDALONE": "0"})


@pytest.mark.parametrize("roles", [(), ("--role", "root"), ("--role", "")])
def test_a_role_is_one_of_five(roles: tuple[str, ...]) -> None:
    ran = invoke("token", "create", "agent-7", *roles)
    assert (ran.code, ran.out) == (2, "")
    assert "--role" in ran.err


@pytest.mark.parametrize(
    ("text", "expected"), [("45s", 45), ("30m", 1_800), ("12h", 43_200), ("90d", 7_776_000)]
)
def test_lengths_of_time(text: str, expected: int) -> None:
    assert seconds(text, "expiry", longest_s=7_776_000) == expected


@pytest.mark.parametrize("text", ["", "d", "1", "1w", "1.5h", "01d", "1d ", "٣d", "9" * 20 + "s"])
def test_other_text_is_no_length_of_time(text: str) -> None:
    with pytest.raises(InvalidInput):
        seconds(text, "expiry", longest_s=10**12)
