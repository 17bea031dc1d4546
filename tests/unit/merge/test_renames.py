"""Keys and elements with a new name, and list changes that several made alike."""

from __future__ import annotations

import pytest

from bps.merge import engine
from bps.merge.records import Contribution, Merged, Resolution
from tests.unit.merge import laws
from tests.unit.merge.cases import Case
from tests.unit.merge.measures import merged
from tests.unit.merge.named_cases import Named

HOST = '- name: host\n  icinga:\n    zone: "{{ a.0.z }}"\n  until: ok\n  loop: "{{ a }}"\n'

AGREED = (
    Named(
        "a key renamed alike, and edited by both in different places",
        "a:\n  x: 1\n  y: 2\nz: 1\n",
        "b:\n  x: 5\n  y: 2\nz: 1\n",
        "b:\n  x: 1\n  y: 3\nz: 1\n",
        "b:\n  x: 5\n  y: 3\nz: 1\n",
    ),
    Named(
        "a key renamed alike, and edited by one",
        "a:\n  x: 1\n  y: 2\n",
        "b:\n  x: 1\n  y: 2\n",
        "b:\n  x: 1\n  y: 3\n",
        "b:\n  x: 1\n  y: 3\n",
    ),
    Named(
        "a key renamed alike to a longer one, in flow style",
        "k: {a: {x: 1, y: 2, z: 1}}\n",
        "k: {ab: {x: 5, y: 2, z: 1}}\n",
        "k: {ab: {x: 1, y: 2, z: 2}}\n",
        "k: {ab: {x: 5, y: 2, z: 2}}\n",
    ),
    Named(
        "a name of an element changed alike, and the element edited by both",
        "- name: A\n  x: 1\n  y: 2\n- name: B\n",
        "- name: A2\n  x: 5\n  y: 2\n- name: B\n",
        "- name: A2\n  x: 1\n  y: 3\n- name: B\n",
        "- name: A2\n  x: 5\n  y: 3\n- name: B\n",
    ),
    Named(
        "the first element of a list replaced alike, and by one the next one too",
        "- A\n- B\n- C\n",
        "- A2\n- B\n- C\n",
        "- A2\n- B2\n- C\n",
        "- A2\n- B2\n- C\n",
    ),
    Named(
        "the middle element of a list replaced alike, and by one those around it too",
        "- A\n- B\n- C\n",
        "- A\n- B2\n- C\n",
        "- A2\n- B2\n- C2\n",
        "- A2\n- B2\n- C2\n",
    ),
    Named(
        "one element of a list replaced alike, and by each another one beside it",
        "- A\n- B\n- C\n",
        "- A2\n- B2\n- C\n",
        "- A\n- B2\n- C2\n",
        "- A2\n- B2\n- C2\n",
    ),
)

CONTESTED = (
    Named(
        "a key renamed alike, and one value below it edited by both",
        "a:\n  x: 1\n  y: 2\n  z: 3\n",
        "b:\n  x: 5\n  y: 2\n  z: 3\n",
        "b:\n  x: 6\n  y: 2\n  z: 3\n",
        conflicts=(("both_modified", "/b/x"),),
    ),
    Named(
        "a key renamed to two names, and edited by both",
        "a:\n  x: 1\n  y: 2\nz: 1\n",
        "b:\n  x: 5\n  y: 2\nz: 1\n",
        "c:\n  x: 1\n  y: 3\nz: 1\n",
        conflicts=(("rename_modify", "/a"),),
    ),
    Named(
        "an element without a name that one named, and whose key it wrote in full",
        "- lineinfile:\n    line: x\n",
        "- lineinfile:\n    line: x\n    mode: 1\n",
        "- name: Add\n  ansible.builtin.lineinfile:\n    line: x\n",
        conflicts=(("rename_modify", "/0/lineinfile"),),
    ),
    Named(
        "an element renamed and edited by one, and edited elsewhere by another",
        HOST,
        HOST.replace("a.0.z", "a.z"),
        HOST.replace("name: host", "name: Host").replace("{{ a }}", "{{ b }}"),
        conflicts=(("rename_modify", "/0"),),
    ),
    Named(
        "a key renamed and edited by one, and edited elsewhere by another",
        "jobs:\n  pull:\n    on: linux\n    v: 1\n    w: 1\n",
        "jobs:\n  update:\n    on: linux\n    v: 2\n    w: 1\n",
        "jobs:\n  pull:\n    on: linux\n    v: 1\n    w: 2\n",
        conflicts=(("rename_modify", "/jobs/pull"),),
    ),
    Named(
        "neighbours of a list, each replaced by one alone",
        "- A\n- B\n- C\n",
        "- A2\n- B\n- C\n",
        "- A\n- B2\n- C\n",
        conflicts=(("both_modified", ""),),
    ),
)


@pytest.mark.parametrize("case", AGREED, ids=lambda case: case.name)
def test_what_both_did_alike_is_no_conflict(case: Named) -> None:
    for one, other in ((case.one, case.other), (case.other, case.one)):
        result = merged(Case(case.base, one, other))
        assert result.text == case.text, result.conflicts


@pytest.mark.parametrize("case", CONTESTED, ids=lambda case: case.name)
def test_it_is_contested_there_alone(case: Named) -> None:
    for one, other in ((case.one, case.other), (case.other, case.one)):
        result = merged(Case(case.base, one, other))
        found = tuple((each.kind.value, each.path) for each in result.conflicts)
        assert found == case.conflicts
        assert all(side.variant.present for side in result.conflicts[0].sides)


@pytest.mark.parametrize("case", [*AGREED, *CONTESTED], ids=lambda case: case.name)
def test_every_law_holds(case: Named) -> None:
    for law in laws.LAWS:
        law(Case(case.base, case.one, case.other, case.base))


@pytest.mark.parametrize(
    ("case", "text"),
    [
        (
            CONTESTED[3],
            HOST.replace("a.0.z", "a.z").replace("name: host", "name: Host").replace("a }", "b }"),
        ),
        (CONTESTED[4], "jobs:\n  update:\n    on: linux\n    v: 2\n    w: 2\n"),
    ],
    ids=["element", "key"],
)
def test_the_proposal_has_what_both_did(case: Named, text: str) -> None:
    versions = Case(case.base, case.one, case.other)
    (conflict,) = merged(versions).conflicts
    assert conflict.suggestion is not None
    taken = Resolution(text=conflict.suggestion.removeprefix("="))
    assert merged(versions, {conflict.id: taken}).text == text


def of_three(base: str, *sides: str) -> Merged:
    return engine.merge(base, [Contribution(f"side-{i}", base, s) for i, s in enumerate(sides)])


def test_a_rename_that_two_agree_on_is_contested_by_a_third_who_edited_the_old_key() -> None:
    result = of_three(
        "a:\n  x: 1\n  y: 2\n",
        "b:\n  x: 5\n  y: 2\n",
        "b:\n  x: 1\n  y: 3\n",
        "a:\n  x: 7\n  y: 2\n",
    )
    (conflict,) = result.conflicts
    assert (conflict.kind.value, conflict.path) == ("rename_modify", "/a")
    assert len(conflict.sides) == 3


def test_a_rename_that_two_agree_on_keeps_what_a_third_did_elsewhere() -> None:
    base = "a:\n  x: 1\n  y: 2\nz: 1\n"
    edited = "a:\n  x: 1\n  y: 2\nz: 2\n"
    result = of_three(base, "b:\n  x: 5\n  y: 2\nz: 1\n", "b:\n  x: 1\n  y: 3\nz: 1\n", edited)
    assert result.text == "b:\n  x: 5\n  y: 3\nz: 2\n"


def test_an_agreed_rename_holds_where_canonical_made_it_first() -> None:
    base, canonical = "a:\n  x: 1\n  y: 2\n", "b:\n  x: 5\n  y: 2\n"
    late = Contribution("late", base, "b:\n  x: 1\n  y: 3\n")
    assert engine.merge(canonical, [late]).text == "b:\n  x: 5\n  y: 3\n"


def test_an_element_that_two_replaced_alike_and_a_third_edited_is_contested() -> None:
    base = "- {a: 1, b: 1, c: 1}\n"
    result = of_three(base, "- {z: 9}\n", "- {z: 9}\n", "- {a: 1, b: 1, c: 2}\n")
    assert [(each.kind.value, each.path) for each in result.conflicts] == [("both_modified", "/0")]


@pytest.mark.parametrize("more", ["- M\n- N\n", "- N\n- M\n"])
def test_insertions_in_one_gap_that_are_partly_alike_are_for_a_person(more: str) -> None:
    base = "- A\n- A\n- C\n"
    result = of_three(base, "- A\n- A\n- N\n- C\n", f"- A\n- A\n{more}- C\n", base)
    assert [(each.kind.value, each.path) for each in result.conflicts] == [("list_insert", "")]
    assert [side.variant.text for side in result.conflicts[0].sides] == ["- N\n", more]


@pytest.mark.parametrize(
    ("renamed", "finding"),
    [
        (
            "'200'",
            "only the quotes of the key changed (200 to '200'); YAML tells the two apart",
        ),
        ("201", None),
    ],
)
def test_the_conflict_of_a_key_that_was_only_quoted_says_so(
    renamed: str, finding: str | None
) -> None:
    base = "responses:\n  200:\n    a: 1\n    b: 1\n"
    result = merged(Case(base, base.replace("200", renamed), base.replace("a: 1", "a: 2")))
    (conflict,) = result.conflicts
    assert (conflict.kind.value, conflict.path) == ("rename_modify", "/responses/200")
    assert conflict.finding == finding
    assert conflict.suggestion == f"={renamed}:\n  a: 2\n  b: 1\n"


_QUOTED_ID = "only the quotes of the id changed (1 to '1'); YAML tells the two apart"


@pytest.mark.parametrize(
    ("one", "finding", "proposed"),
    [
        ("- id: '1'\n  v: 1\n- id: 2\n  v: 1\n", _QUOTED_ID, "=id: '1'\nv: 2"),
        ("- id: '1'\n  v: 5\n- id: 2\n  v: 1\n", _QUOTED_ID, None),
        ("- id: 2\n  v: 1\n- id: '1'\n  v: 1\n", _QUOTED_ID, "=id: '1'\nv: 2"),
        ("- id: 3\n  v: 1\n- id: 2\n  v: 1\n", None, "=id: 3\nv: 2"),
        ("- id: 1.0\n  v: 1\n- id: 2\n  v: 1\n", None, "=id: 1.0\nv: 2"),
    ],
    ids=["alone", "with an edit", "and moved", "another number", "another type"],
)
def test_an_element_whose_id_was_only_quoted_is_the_one_that_others_edited(
    one: str, finding: str | None, proposed: str | None
) -> None:
    base = "- id: 1\n  v: 1\n- id: 2\n  v: 1\n"
    other = base.replace("v: 1", "v: 2", 1)
    for sides in ((one, other), (other, one)):
        (conflict,) = merged(Case(base, *sides)).conflicts
        assert (conflict.kind.value, conflict.path) == ("rename_modify", "/0")
        assert conflict.identity == {"id": 1}
        assert conflict.finding == finding
        assert conflict.suggestion == proposed


def test_an_id_that_was_only_quoted_is_no_conflict_where_nobody_else_was() -> None:
    base = "- id: 1\n  v: 1\n- id: 2\n  v: 1\n"
    one, other = base.replace("id: 1", "id: '1'"), base.replace("id: 2\n  v: 1", "id: 2\n  v: 3")
    result = merged(Case(base, one, other))
    assert result.text == "- id: '1'\n  v: 1\n- id: 2\n  v: 3\n"


@pytest.mark.parametrize(
    ("value", "proposed"),
    [
        ("|\n  x\n\n", "=m: |\n  yy\n"),
        ("|+\n  x\n\n", None),
        ("!e!t x\n", None),
    ],
)
def test_what_is_proposed_says_what_the_other_one_wrote(value: str, proposed: str | None) -> None:
    head = "%TAG !e! tag:e,2000:\n---\n" if "!e!" in value else ""
    base = f"{head}t: 1\nk: {value}last: 1\n"
    sides = [
        Contribution("A", base, base.replace("k:", "m:")),
        Contribution("B", base, base.replace("x", "yy")),
    ]
    [conflict] = engine.merge(base, sides).conflicts
    assert conflict.suggestion == proposed


def test_a_conflict_of_a_renamed_key_is_the_same_when_another_place_of_canonical_moves() -> None:
    base = "t: 1\nm:\n  first: v\n"
    one = Contribution("one", base, "t: 1\nm:\n  renamed: v\n")
    two = Contribution("two", base, "t: 1\nm:\n  first: w\n")
    (before,) = engine.merge(base, [one, two]).conflicts
    (after,) = engine.merge(base.replace("t: 1", "t: 2"), [one, two]).conflicts
    assert [side.branch for side in after.sides] == ["one", "two"]
    assert after.id == before.id
