"""The sentence that leads from a promotion to a review."""

from __future__ import annotations

import pytest

from bps.review.refusal import in_conflict


@pytest.mark.parametrize(
    ("rr_plans", "conflicts", "said"),
    [
        (1, 1, "1 RR-plan waits in EP-1-RV1 for a person to decide 1 conflict."),
        (2, 3, "2 RR-plans wait in EP-1-RV1 for a person to decide 3 conflicts."),
    ],
)
def test_what_waits_is_counted_in_words_that_agree(
    rr_plans: int, conflicts: int, said: str
) -> None:
    names = [f"EP-1-RR(br0000000{n})-1" for n in range(rr_plans)]
    assert in_conflict("EP-1-RV1", names, conflicts).message == said
