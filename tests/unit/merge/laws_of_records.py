"""Law 8: a conflict record with its resolutions gives the final document."""

from __future__ import annotations

from bps.merge.records import Conflict, Kind, Resolution
from tests.unit.merge.cases import Case
from tests.unit.merge.measures import ONE, OTHER, merged, tokens
from tests.unit.merge.oracles import composed


def law_8_resolutions_hold(case: Case) -> None:
    """Every conflict resolved: the merge is clean and holds what was chosen."""
    result = merged(case)
    again = merged(case)
    assert [c.id for c in again.conflicts] == [c.id for c in result.conflicts], "ids are not stable"
    for take, side in ((ONE, case.one), (OTHER, case.other)):
        chosen = {conflict.id: Resolution(take=take) for conflict in result.conflicts}
        settled = merged(case, chosen)
        assert settled.text is not None, (
            f"still open with {take}: {settled.conflicts}\n--- before {result.conflicts}"
        )
        composed(settled.text)
        lost = tokens(side) - tokens(case.base) - tokens(settled.text)
        assert not lost, f"{take} chosen, and {sorted(lost)} lost:\n{settled.text}"
    if len(result.conflicts) > 1:
        first, *rest = result.conflicts
        partly = merged(case, {first.id: Resolution(take=ONE)})
        left = {conflict.id for conflict in partly.conflicts}
        assert left == {conflict.id for conflict in rest}, "one resolution changed other conflicts"


def law_8_texts_hold(case: Case) -> None:
    """An edited value in place of each contested scalar is in the result."""
    result = merged(case)
    typed = {
        conflict.id: Resolution(text=f"typed{number}")
        for number, conflict in enumerate(result.conflicts)
        if _scalars(conflict)
    }
    settled = merged(case, typed)
    for conflict_id, resolution in typed.items():
        assert conflict_id not in {conflict.id for conflict in settled.conflicts}, "still open"
        assert resolution.text is not None
        assert resolution.text in settled.marked, f"{resolution} is not in\n{settled.marked}"


def _scalars(conflict: Conflict) -> bool:
    if conflict.kind not in {Kind.BOTH_MODIFIED, Kind.BOTH_ADDED, Kind.TYPE_CHANGE}:
        return False
    variants = [side.variant for side in conflict.sides]
    return conflict.path != "" and all(
        each.present and not isinstance(each.value, (dict, list)) for each in variants
    )
