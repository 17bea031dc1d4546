"""The judge of merge tools calls right, false, wrong and missed what is."""

from __future__ import annotations

import pytest
from ruamel.yaml.error import YAMLError

from benchmarks.merge.judging import TRUE_CONFLICT, Judged, Verdict, judge, meaning

RIGHT = Judged(Verdict.RIGHT, exact=True)
RIGHT_BUT_FOR_ORDER = Judged(Verdict.RIGHT, exact=False)
WRONG = Judged(Verdict.WRONG, exact=False)
KEYED = "tasks:\n- {id: a, n: [1]}\n- {id: b, n: [2]}\n"


def test_a_conflict_that_is_told_is_right_where_people_had_to_decide() -> None:
    assert judge(TRUE_CONFLICT, "a: 1", "a: 2", None) == RIGHT


def test_a_result_is_missed_where_people_had_to_decide_even_if_it_is_theirs() -> None:
    assert judge(TRUE_CONFLICT, "a: 1", "a: 2", "a: 2").verdict is Verdict.MISSED


def test_a_conflict_is_false_where_people_had_nothing_to_decide() -> None:
    assert judge("clean", "a: 1", "a: 2", None).verdict is Verdict.FALSE_CONFLICT


@pytest.mark.parametrize(
    "result", ["{b: 'x', a: 2}", "a: 2 # comment\nb: x\n", 'b: "x"\na: 2\n', "a: 2\r\nb: x\r\n"]
)
def test_layout_quotes_comments_and_the_order_of_keys_do_not_count(result: str) -> None:
    assert judge("clean", "a: 1\n", "a: 2\nb: x\n", result) == RIGHT


@pytest.mark.parametrize(
    "result",
    ["a: 1\nb: x\n", "a: 2\n", "a: '2'\nb: x\n", "a: 2\nb: x\nc:\n", "a: 2\nb: x\nb: x\n"],
)
def test_another_value_type_or_key_is_wrong(result: str) -> None:
    assert judge("clean", "a: 1\n", "a: 2\nb: x\n", result) == WRONG


@pytest.mark.parametrize("result", ["a: [", "<<<<<<< ours\na: 1\n", "a: *nowhere\n"])
def test_a_result_that_is_no_yaml_is_wrong(result: str) -> None:
    assert judge("clean", "a: 1", "a: 2", result) == WRONG


def test_a_commit_that_is_no_yaml_is_an_error_of_the_case() -> None:
    with pytest.raises(YAMLError):
        judge("clean", "a: 1", "a: [", "a: 2")


def test_additions_in_another_order_or_place_are_right_but_not_exact() -> None:
    assert judge("clean", "[a, b]", "[a, x, y, b]", "[a, b, y, x]") == RIGHT_BUT_FOR_ORDER


@pytest.mark.parametrize("result", ["[b, a, x]", "[a, b]", "[a, b, x, x]", "[a, x]", "[a, b, z]"])
def test_moved_lost_doubled_and_strange_elements_are_wrong(result: str) -> None:
    assert judge("clean", "[a, b]", "[a, b, x]", result) == WRONG


def test_additions_inside_an_element_that_has_an_identity_may_change_places() -> None:
    committed = "tasks:\n- {id: a, n: [1, 3, 4]}\n- {id: b, n: [2]}\n"
    result = "tasks:\n- {id: a, n: [1, 4, 3]}\n- {id: b, n: [2]}\n"
    assert judge("clean", KEYED, committed, result) == RIGHT_BUT_FOR_ORDER


def test_what_a_new_element_holds_may_not_change_places() -> None:
    committed = f"{KEYED}- {{id: c, n: [1, 2]}}\n"
    result = f"{KEYED}- {{id: c, n: [2, 1]}}\n"
    assert judge("clean", KEYED, committed, result) == WRONG


def test_elements_with_an_identity_may_not_change_places() -> None:
    committed = "tasks:\n- {id: a, n: [5]}\n- {id: b, n: [2]}\n"
    result = "tasks:\n- {id: b, n: [2]}\n- {id: a, n: [5]}\n"
    assert judge("clean", KEYED, committed, result) == WRONG


def test_documents_are_compared_one_by_one() -> None:
    assert judge("clean", "a\n---\nb\n", "a\n---\nc\n", "c\n---\na\n") == WRONG


def test_an_alias_means_what_it_refers_to() -> None:
    assert meaning("a: &x [1]\nb: *x\n") == meaning("a: [1]\nb: [1]\n")
