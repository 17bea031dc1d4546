"""The laws of the merge hold for whatever is drawn; `make fuzz` draws more and shrinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.unit.merge import laws, laws_of_records, laws_of_sets
from tests.unit.merge.cases import Apart, Case, drawn_apart, drawn_case
from tests.unit.merge.choosing import numbers
from tests.unit.merge.crowds import Crowd, drawn_crowd
from tests.unit.merge.laws_of_crowds import CROWD_LAWS

# Without shrinking, which takes a minute: `make fuzz` does that.
LAWFUL = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    return drawn_case(lambda below: draw(numbers(below)))


@st.composite
def aparts(draw: st.DrawFn) -> Apart | None:
    return drawn_apart(lambda below: draw(numbers(below)))


@st.composite
def crowds(draw: st.DrawFn) -> Crowd:
    return drawn_crowd(lambda below: draw(numbers(below)))


def hold(law: Callable[[Any], None], case: Case | Apart | Crowd) -> None:
    try:
        law(case)
    except AssertionError as error:
        raise AssertionError(f"{law.__name__}: {error}\n{case!r}") from error


@LAWFUL
@given(cases())
def test_one_changed_side_comes_out_and_the_order_of_two_does_not_count(case: Case) -> None:
    hold(laws.law_1_one_side, case)
    hold(laws.law_2_sides_swap, case)


@LAWFUL
@given(cases())
def test_nothing_that_a_side_did_is_lost_or_decided_for_it(case: Case) -> None:
    hold(laws.law_3_nothing_lost, case)
    hold(laws.law_3_paths_agree, case)


@LAWFUL
@given(cases())
def test_nothing_is_invented_and_what_nobody_touched_stays_byte_for_byte(case: Case) -> None:
    hold(laws.law_4_nothing_invented, case)
    hold(laws.law_5_reads_again, case)
    hold(laws.law_6_rest_untouched, case)


# Not every document has two places: enough are drawn that 200 do.
@settings(LAWFUL, max_examples=350)
@given(aparts())
def test_edits_of_different_entries_make_the_one_text_that_has_both(apart: Apart | None) -> None:
    if apart is not None:
        hold(laws.law_6_edits_apart, apart)


@LAWFUL
@given(cases())
def test_a_set_is_merged_alike_however_it_arrives(case: Case) -> None:
    hold(laws_of_sets.law_7_canonical_moved, case)
    hold(laws_of_sets.law_7_any_arrival, case)
    hold(laws_of_sets.law_7_set_loses_nothing, case)
    hold(laws_of_sets.law_7_any_split, case)


@LAWFUL
@given(crowds())
def test_a_crowd_from_several_bases_is_merged_alike_at_once_and_in_parts(crowd: Crowd) -> None:
    for law in CROWD_LAWS:
        hold(law, crowd)


@LAWFUL
@given(cases())
def test_resolved_conflicts_are_closed_and_hold_what_was_chosen(case: Case) -> None:
    hold(laws_of_records.law_8_resolutions_hold, case)
    hold(laws_of_records.law_8_texts_hold, case)


@LAWFUL
@given(cases())
def test_a_record_with_any_decisions_gives_the_document_that_they_make(case: Case) -> None:
    hold(laws_of_records.law_8_any_choices_hold, case)


@LAWFUL
@given(cases())
def test_where_git_merges_to_other_data_a_person_is_told(case: Case) -> None:
    hold(laws.beside_git, case)


def test_every_law_is_among_those_that_broken_engines_are_held_against() -> None:
    named = {name for name in vars(laws) if name.startswith("law_")}
    assert named == {law.__name__ for law in laws.LAWS} | {"law_6_edits_apart"}
