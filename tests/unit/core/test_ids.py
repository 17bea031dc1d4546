"""Identifiers have exactly one form; everything else is refused (R2, R4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.core import ids
from bps.core.errors import InvalidId
from bps.core.ids import BranchRef, RRPlanId

HEX = "0123456789abcdef"
FULL = "1a2b3c4d" + "0" * 32

ACCEPTED: list[tuple[Callable[[str], object], str]] = [
    (ids.plan_id, "EP-1"),
    (ids.plan_id, "EP-42"),
    (ids.plan_id, "EP-9999999999"),
    (ids.initiative_id, "a"),
    (ids.initiative_id, "checkout-2026"),
    (ids.initiative_id, "a" * 63),
    (ids.principal, "supervisor-1"),
    (ids.principal, "ci.bot@example.org"),
    (ids.principal, "a" * 64),
    (ids.operation_id, "promote-2026-11-21.1"),
    (ids.operation_id, "0:A_b"),
    (ids.operation_id, "a" * 128),
    (ids.branch_id, FULL),
]

PLAN_REFUSED = (
    "", "EP-0", "EP-01", "EP-", "EP-12345678901", "ep-1", "EP1", "EP-1\n", "\nEP-1", " EP-1",
    "EP-1 ", "EP--1", "EP-+1", "EP-1.0", "EP-1e3", "EP-٣", "EP-\uff11", "EP-²", "EP-1/../2",
    "../EP-1", "EP-1\x00", "EP-1/", "\uff25P-1", "EP\u20101", "EP-1\u2028", "EP-0x1", "EP-1_0",
)  # fmt: skip
INITIATIVE_REFUSED = (
    "", "-a", "a-", "A", "a_b", "a.b", "a" * 64, "a\n", "a/b", "..", "ä", "a\u0301", "a b",
    "\uff41",
)  # fmt: skip
PRINCIPAL_REFUSED = (
    "", ".", "..", "-a", "@a", "A", "a/b", "a\n", "a" * 65, "a\x7f", "é", "a b", "a\\b", "a:b",
)  # fmt: skip
OPERATION_REFUSED = (
    "", ".", "..", "../x", "-x", "_x", "a/b", "a\n", "a" * 129, "a b", "\x00", "é", "a\t", "a%2f",
)  # fmt: skip
BRANCH_REFUSED = (
    "", FULL[:-1], FULL + "0", FULL.upper(), "g" * 40, FULL[:-1] + "\n", "br" + FULL, "\uff11" * 40,
)  # fmt: skip

REFUSED: list[tuple[Callable[[str], object], str]] = [
    *((ids.plan_id, text) for text in PLAN_REFUSED),
    *((ids.initiative_id, text) for text in INITIATIVE_REFUSED),
    *((ids.principal, text) for text in PRINCIPAL_REFUSED),
    *((ids.operation_id, text) for text in OPERATION_REFUSED),
    *((ids.branch_id, text) for text in BRANCH_REFUSED),
]

RR_REFUSED = (
    "", "EP-42", "EP-42-RR(br1a2b3c4d)-0", "EP-42-RR(br1a2b3c4d)-01", "EP-42-RR(br1a2b3c4)-1",
    "EP-42-RR(br1A2B3C4D)-1", "EP-42-RR(1a2b3c4d)-1", "EP-42-RR(br1a2b3c4d)-1\n",
    "EP-42-RR(br1a2b3c4d)", "EP-042-RR(br1a2b3c4d)-1", "EP-42-rr(br1a2b3c4d)-1",
    "EP-42-RR(br" + "0" * 41 + ")-1", "EP-42-RR(br../../..)-1", "EP-42-RR(br1a2b3c4d)-\uff11",
    "EP-42-RR(br1a2b3c4d)--1", " EP-42-RR(br1a2b3c4d)-1", "EP-42-RR(br1a2b3c4d)-99999999999",
)  # fmt: skip


@pytest.mark.parametrize(("check", "text"), ACCEPTED)
def test_an_id_in_its_one_form_is_accepted_unchanged(
    check: Callable[[str], object], text: str
) -> None:
    assert check(text) == text


@pytest.mark.parametrize(("check", "text"), REFUSED)
def test_any_other_form_is_refused(check: Callable[[str], object], text: str) -> None:
    with pytest.raises(InvalidId):
        check(text)


@pytest.mark.parametrize("text", RR_REFUSED)
def test_an_rr_plan_id_has_one_form(text: str) -> None:
    with pytest.raises(InvalidId):
        RRPlanId.parse(text)


@given(
    st.integers(1, 10**10 - 1),
    st.text(HEX, min_size=8, max_size=40),
    st.integers(1, 10**10 - 1),
)
def test_an_rr_plan_id_prints_what_it_parses(plan: int, branch: str, n: int) -> None:
    rr_plan = RRPlanId(f"EP-{plan}", branch, n)
    assert RRPlanId.parse(str(rr_plan)) == rr_plan
    assert BranchRef.parse(f"EP-{plan}", str(rr_plan)) == BranchRef(branch, n)


@given(st.text())
def test_whatever_is_parsed_is_printed_again(text: str) -> None:
    try:
        parsed = RRPlanId.parse(text)
    except InvalidId as refusal:
        printed, shown = text, refusal.message
    else:
        printed, shown = str(parsed), ""
    assert printed == text
    assert shown.isascii()
    assert shown == "" or shown.isprintable()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1a2b3c4d", BranchRef("1a2b3c4d", None)),
        ("br1a2b3c4d", BranchRef("1a2b3c4d", None)),
        (FULL, BranchRef(FULL, None)),
        ("br" + FULL, BranchRef(FULL, None)),
        ("EP-42-RR(br1a2b3c4d)-3", BranchRef("1a2b3c4d", 3)),
    ],
)
def test_how_a_branch_is_named(text: str, found: BranchRef) -> None:
    assert BranchRef.parse("EP-42", text) == found


@pytest.mark.parametrize(
    "text",
    ["", "br", "1a2b3c4", "1A2B3C4D", "br1a2b3c4d\n", "brbr1a2b3c4d", "EP-43-RR(br1a2b3c4d)-1",
     "EP-42", "../1a2b3c4d", FULL + "0", "1a2b3c4d*", "\uff11a2b3c4d"],
)  # fmt: skip
def test_how_a_branch_is_not_named(text: str) -> None:
    with pytest.raises(InvalidId):
        BranchRef.parse("EP-42", text)


@pytest.mark.parametrize("text", ["T1", "trace 1", "a" * 200, "Grüße", "会"])
def test_a_label_is_kept(text: str) -> None:
    assert ids.label(text, "trace id") == text


@pytest.mark.parametrize(
    "text",
    ["", " ", " a", "a ", "a\n", "a\nb", "a\tb", "a" * 201, "a\x00", "a\x7f", "a\x85b", "a\u2028b",
     "a\u2029b", "\ud800", "\ufeffa", "a\u202eb", "a\u00a0"],
)  # fmt: skip
def test_a_label_without_a_clean_line_is_refused(text: str) -> None:
    with pytest.raises(InvalidId) as refusal:
        ids.label(text, "trace id")
    assert refusal.value.facts == {"field": "trace id"}


def test_a_refusal_shows_a_long_or_hostile_id_shortened_and_escaped() -> None:
    with pytest.raises(InvalidId) as refusal:
        ids.plan_id("EP-\x1b[2J" + "9" * 10_000)
    assert len(refusal.value.message) < 200
    assert "\x1b" not in refusal.value.message


def test_a_branch_id_is_the_sha1_of_what_names_it() -> None:
    assert ids.branch_id_of("T1") == hashlib.sha1(b"T1").hexdigest()  # noqa: S324
    assert ids.branch_id_of("T1", "F1") == hashlib.sha1(b"T1\nF1").hexdigest()  # noqa: S324
    assert ids.branch_id(ids.branch_id_of("Grüße", "会"))


def test_a_fingerprint_does_not_depend_on_case_and_white_space() -> None:
    one = ids.fingerprint_of("Pay  ments", "TimeOut", " api.py:1 ")
    assert one == ids.fingerprint_of(" pay\tments", "timeout", "API.PY:1")
    assert one.startswith("sha256:")
    assert one != ids.fingerprint_of("pay", "ments timeout", "api.py:1")
