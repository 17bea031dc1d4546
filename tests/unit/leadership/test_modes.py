"""The mode is a verdict over facts: every reason, which of several is told, and what passes it."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.core import errors
from bps.core.error_catalogue import _ROWS
from bps.core.errors import BpsError
from bps.leadership.modes import (
    Facts,
    Hold,
    Mode,
    Reason,
    Standing,
    Term,
    holds_of,
    reason_of,
    standing,
)

ORDER = (
    "draining",
    "store_rolled_back",
    "store_unreadable",
    "unknown_store_error",
    "quorum_lost",
    "not_leader",
    "operator",
    "clock_jump",
    "no_space",
)
"""The weight of reasons, said a second time by hand."""

BY_ERROR: dict[type[BpsError], str] = {
    errors.StoreRolledBack: "store_rolled_back",
    errors.IntegrityError: "store_unreadable",
    errors.ChainBroken: "store_unreadable",
    errors.ReceiptRefuted: "store_unreadable",
    errors.DigestMismatch: "store_unreadable",
    errors.ReplayDiverged: "store_unreadable",
    errors.MalformedRecord: "store_unreadable",
    errors.BadSignature: "store_unreadable",
    errors.SchemaTooNew: "store_unreadable",
    errors.LeadershipError: "not_leader",
    errors.NotLeader: "not_leader",
    errors.FencedOut: "not_leader",
    errors.LeaseLost: "not_leader",
    errors.Contended: "not_leader",
    errors.OutcomeUnknown: "quorum_lost",
    errors.Unavailable: "quorum_lost",
    errors.QuorumLost: "quorum_lost",
    errors.NoSpace: "no_space",
}
"""All others are unknown."""


def hold(reason: Reason) -> Hold:
    return Hold(reason, BpsError(f"because of {reason}"))


HOLDS = st.lists(st.sampled_from(Reason), unique=True).map(lambda each: tuple(map(hold, each)))


def test_the_reasons_have_this_weight() -> None:
    assert tuple(Reason) == ORDER


@pytest.mark.parametrize(
    ("term", "mode"),
    [
        (Term.NONE, Mode.STARTING),
        (Term.RECOVERING, Mode.RECOVERING),
        (Term.HELD, Mode.READ_WRITE),
    ],
)
def test_unhindered_the_mode_is_how_far_the_term_has_come(term: Term, mode: Mode) -> None:
    assert standing(Facts(term)) == Standing(mode)


@pytest.mark.parametrize("term", Term)
@pytest.mark.parametrize("reason", Reason)
def test_each_reason_alone_makes_it_read_only_in_every_term(reason: Reason, term: Term) -> None:
    found = standing(Facts(term, holds=(hold(reason),)))
    assert (found.mode, found.reason) == (Mode.READ_ONLY, reason)
    passed = standing(Facts(term, holds=(hold(reason),)), despite={reason})
    assert passed == standing(Facts(term))


@pytest.mark.parametrize(("heavier", "lighter"), list(combinations(Reason, 2)))
def test_of_two_reasons_the_weightier_is_told_in_whichever_order_they_came(
    heavier: Reason, lighter: Reason
) -> None:
    both = (hold(heavier), hold(lighter))
    for holds in (both, both[::-1]):
        facts = Facts(Term.HELD, holds=holds)
        assert standing(facts).reason is heavier
        assert standing(facts, despite={heavier}).reason is lighter
        assert standing(facts, despite={lighter}).reason is heavier
        assert standing(facts, despite={heavier, lighter}).mode is Mode.READ_WRITE
        assert [each.reason for each in holds_of(facts)] == [heavier, lighter]


@pytest.mark.parametrize("reason", Reason)
def test_no_command_passes_the_lack_of_a_term(reason: Reason) -> None:
    ended = hold(reason)
    assert standing(Facts(ended=ended), despite=set(Reason)) == Standing(Mode.READ_ONLY, ended)
    for term in (Term.RECOVERING, Term.HELD):
        assert standing(Facts(term, ended=ended)).mode is not Mode.READ_ONLY


@pytest.mark.parametrize("kind", list(_ROWS), ids=lambda kind: kind.__name__)
def test_every_error_has_its_reason_and_one_without_a_name_is_unknown(kind: type[BpsError]) -> None:
    assert reason_of(kind("why")).value == BY_ERROR.get(kind, "unknown_store_error")


def test_an_error_that_nobody_has_named_yet_is_unknown() -> None:
    class Novel(errors.StoreError):
        """A class that the table does not know."""

    assert reason_of(Novel("?")) is Reason.UNKNOWN_STORE_ERROR


@given(
    term=st.sampled_from(Term),
    ended=st.none() | st.sampled_from(Reason).map(hold),
    holds=HOLDS,
    despite=st.sets(st.sampled_from(Reason)),
)
def test_only_a_held_term_that_nothing_forbids_writes(
    term: Term, ended: Hold | None, holds: tuple[Hold, ...], despite: set[Reason]
) -> None:
    found = standing(Facts(term, ended, holds), despite)
    left = [each for each in holds if each.reason not in despite]
    assert (found.mode is Mode.READ_WRITE) == (term is Term.HELD and not left)
    assert (found.mode is Mode.READ_ONLY) == (found.hold is not None)
