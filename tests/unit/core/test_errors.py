"""Every failure has a class, a stable code and one row that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from bps.core import error_catalogue, errors
from bps.core.errors import BpsError


def _classes(kind: type[BpsError] = BpsError) -> Iterator[type[BpsError]]:
    yield kind
    for each in kind.__subclasses__():
        if each.__module__.startswith(f"{errors.__name__}."):
            yield from _classes(each)


ALL = list(_classes())

RELEASED = {
    "BPS_ERROR", "INPUT_ERROR", "INVALID_INPUT", "INVALID_ID", "BLUEPRINT_REFUSED",
    "IDEMPOTENCY_KEY_REUSED", "UNSAFE_PATH", "STORE_ERROR", "STORE_UNAVAILABLE", "QUORUM_LOST",
    "NO_SPACE", "OUTCOME_UNKNOWN", "CONTENDED", "TRANSACTION_TOO_LARGE", "REVISION_COMPACTED",
    "LEASE_NOT_FOUND", "STORE_REFUSED", "STORE_ACCESS_DENIED", "LEADERSHIP_ERROR", "NOT_LEADER",
    "FENCED_OUT", "LEASE_LOST", "REJECTED", "STALE_BASE", "MERGE_CONFLICT", "VALIDATION_FAILED",
    "DEPTH_EXCEEDED", "FROZEN", "LIMIT_EXCEEDED", "CLOCK_NULLIFIED", "WRONG_STATE", "NOT_FOUND",
    "EXISTS", "AMBIGUOUS", "WORKSPACE_CONFLICT", "INTEGRITY_ERROR", "CHAIN_BROKEN",
    "DIGEST_MISMATCH", "REPLAY_DIVERGED", "MALFORMED_RECORD", "BAD_SIGNATURE", "SCHEMA_TOO_NEW",
    "STORE_ROLLED_BACK", "CONFIG_ERROR", "PLUGIN_ERROR",
}  # fmt: skip
"""A code, once released, is never renamed or reused: this set only grows."""


def test_each_class_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in ALL]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[A-Z]+(_[A-Z]+)*", code) for code in codes)
    assert all("code" in vars(kind) for kind in ALL)


def test_no_released_code_is_gone() -> None:
    assert {kind.code for kind in ALL} >= RELEASED


def test_the_catalogue_has_exactly_one_row_a_code() -> None:
    assert set(error_catalogue.catalogue()) == {kind.code for kind in ALL}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_a_row_tells_what_happened_and_what_to_do(kind: type[BpsError]) -> None:
    row = error_catalogue.explain(kind)
    assert row.code == kind.code
    assert row.meaning
    assert "\n" not in row.meaning
    assert row.next_action.endswith(".")
    assert row.exit_code in {1, 2, 3, 70, 75}
    assert 400 <= row.http_status < 600
    assert re.fullmatch(r"/problems/[a-z]+(-[a-z]+)*", row.problem_type)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_the_exit_code_is_that_of_the_branch(kind: type[BpsError]) -> None:
    by_branch: list[tuple[type[BpsError], set[int]]] = [
        (errors.InputError, {2}),
        (errors.TooLarge, {2}),
        (errors.AccessDenied, {2}),
        (errors.CapabilityMissing, {2}),
        (errors.ResultNotShown, {75}),
        (errors.InternalError, {70}),
        (errors.StoreError, {75}),
        (errors.LeadershipError, {75}),
        (errors.AvailabilityError, {75}),
        (errors.Rejected, {1}),
        (errors.IntegrityError, {3}),
        (BpsError, {1, 2}),
    ]
    allowed = next(codes for branch, codes in by_branch if issubclass(kind, branch))
    if issubclass(kind, errors.InputError) and kind.retryable:
        allowed = {75}
    assert error_catalogue.explain(kind).exit_code in allowed


def test_an_error_keeps_its_sentence_and_its_facts() -> None:
    error = errors.NotFound("There is no plan EP-1.", plan="EP-1")
    assert str(error) == error.message == "There is no plan EP-1."
    assert error.facts == {"plan": "EP-1"}
