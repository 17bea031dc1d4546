"""What an answer says of RR-plans that nobody judged is bounded, and says what it leaves out."""

from __future__ import annotations

from bps.candidates.candidate import Held
from bps.policy.model import MAX_CONTRIBUTORS
from bps.promotion.held import MAX_TOLD, MAX_WHY_CHARACTERS, said_of_held


def test_reasons_are_cut_and_the_rest_is_counted_and_named() -> None:
    held = [Held(f"EP-1-RR({n})-1", "y" * 100_000) for n in range(MAX_CONTRIBUTORS)]
    *told, rest = said_of_held(held, None, None)
    assert len(told) == MAX_TOLD
    assert all("y" * MAX_WHY_CHARACTERS + "... (99700 characters more)." in each for each in told)
    assert rest.startswith("14 more were not judged")
    assert all(each.rr_plan in rest for each in held[MAX_TOLD:])


def test_what_is_short_is_told_whole() -> None:
    (told,) = said_of_held([Held("EP-1-RR(a)-1", "z" * MAX_WHY_CHARACTERS)], None, None)
    assert "z" * MAX_WHY_CHARACTERS + " Repair" in told
    assert "more" not in told
