"""When a quorum counts as lost: judged from when the last read that proved one began."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.core import errors
from bps.core.errors import (
    AccessDenied,
    BpsError,
    LeaseNotFound,
    NoSpace,
    OutcomeUnknown,
    QuorumLost,
    StoreError,
    StoreRefused,
    TooLarge,
    Unavailable,
)
from bps.leadership.modes import Reason
from bps.leadership.probe import DEADLINE_S, PERIOD_S, STALE_S, Probed, is_unknown, verdict

SILENCE = Unavailable("nobody answers")
LEADERLESS = QuorumLost("no leader")


@pytest.mark.parametrize(
    ("failures", "age_s", "reason"),
    [
        ([], 100.0, None),
        ([SILENCE], 0.5, None),
        ([SILENCE, SILENCE], 1.9, None),
        ([SILENCE], 2.0, Reason.QUORUM_LOST),
        ([OutcomeUnknown("?")], 2.0, Reason.QUORUM_LOST),
        ([LEADERLESS], 0.1, None),
        ([LEADERLESS, LEADERLESS], 0.1, Reason.QUORUM_LOST),
        ([LEADERLESS, SILENCE, LEADERLESS], 1.0, None),
        ([StoreRefused("what?")], 0.1, Reason.UNKNOWN_STORE_ERROR),
        ([StoreError("what?")], 0.1, Reason.UNKNOWN_STORE_ERROR),
        ([AccessDenied("no")], 0.1, Reason.UNKNOWN_STORE_ERROR),
        ([NoSpace("a read never says it")], 0.1, Reason.UNKNOWN_STORE_ERROR),
        ([StoreRefused("what?"), SILENCE], 0.6, None),
    ],
)
def test_what_probes_mean(failures: list[BpsError], age_s: float, reason: Reason | None) -> None:
    probed = Probed(10.0)
    for failure in failures:
        probed = probed.failed(failure)
    found = verdict(probed, 10.0 + age_s)
    assert (found.reason if found else None) is reason


def test_what_the_store_says_is_told() -> None:
    lost = verdict(Probed(0.0).failed(SILENCE), 2.5)
    assert lost is not None
    assert isinstance(lost.error, QuorumLost)
    assert lost.error.message == (
        "etcd has answered no linearizable read for 2.5 s: nobody answers"
    )
    refused = verdict(Probed(0.0).failed(AccessDenied("not you")), 0.1)
    assert refused is not None
    assert refused.error.message == "not you"


def test_a_success_ends_all_and_counts_from_when_it_began() -> None:
    probed = Probed(0.0).failed(LEADERLESS).failed(LEADERLESS).succeeded(5.0)
    assert verdict(probed, 100.0) is None
    assert verdict(probed.failed(SILENCE), 6.9) is None
    assert verdict(probed.failed(SILENCE), 7.0) is not None
    assert verdict(probed.failed(LEADERLESS), 6.0) is None


@given(lost_s=st.floats(0.0, PERIOD_S), fails_after_s=st.floats(0.0, DEADLINE_S))
def test_a_loss_is_seen_in_time_whenever_it_happens_and_however_probes_fail(
    lost_s: float, fails_after_s: float
) -> None:
    probed, now_s = Probed(0.0), 0.0
    while True:
        begun_s = now_s
        took_s = min(fails_after_s, probed.deadline_s(begun_s))
        now_s += took_s
        probed = probed.failed(SILENCE)
        if verdict(probed, now_s) is not None:
            break
        now_s = max(now_s, begun_s + PERIOD_S)
    assert now_s - lost_s <= STALE_S + PERIOD_S
    assert now_s >= STALE_S - 1e-9


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (StoreRefused("?"), True),
        (StoreRefused("?", grpc_code="DATA_LOSS"), True),
        (StoreRefused("?", grpc_code="UNIMPLEMENTED"), True),
        (StoreRefused("?", grpc_code="INVALID_ARGUMENT"), False),
        (StoreRefused("?", grpc_code="OUT_OF_RANGE"), False),
        (StoreError("?"), True),
        (TooLarge("?"), False),
        (LeaseNotFound("?"), False),
        (NoSpace("?"), False),
        (OutcomeUnknown("?"), False),
        (Unavailable("?"), False),
        (errors.Contended("?"), False),
        (errors.PreconditionFailed("?"), False),
    ],
)
def test_a_write_that_fails_without_a_name_is_not_taken_for_harmless(
    error: BpsError, unknown: bool
) -> None:
    assert is_unknown(error) is unknown


def test_a_quick_failure_just_before_the_proof_is_stale_is_followed_by_a_verdict_in_time() -> None:
    probed = Probed(10.0).failed(SILENCE)
    now_s = 10.0 + STALE_S - 0.125
    assert verdict(probed, now_s) is None
    pause_s = probed.pause_s(now_s, now_s)
    assert pause_s == 0.125
    assert verdict(probed, now_s + pause_s) is not None


def test_probes_begin_a_period_apart() -> None:
    assert Probed(10.0).pause_s(10.0, 10.125) == PERIOD_S - 0.125
    assert Probed(10.0).pause_s(10.0, 11.0) == 0
    assert Probed(10.0).failed(SILENCE).pause_s(20.0, 20.0) == PERIOD_S
