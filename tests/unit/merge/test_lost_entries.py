"""Conflicts of vetoes at a mapping's entry that the result has lost: found, decided, written."""

from __future__ import annotations

import pytest

from bps.merge.engine import merge
from bps.merge.records import Conflict, Contribution, Resolution
from bps.merge.refusals import Unreadable
from bps.merge.semantic import Contest, Decision

BASE = """\
title: checkout

# who is asked
owner: bob  # since May
region: eu
limits:
  low: 1
  high: 9
"""


def without(*lines: str, text: str = BASE) -> str:
    for line in lines:
        assert text.count(line) == 1
        text = text.replace(line, "")
    return text


OWNER = "\n# who is asked\nowner: bob  # since May\n"
LESS = Contribution("LESS", BASE, without(OWNER))
BOTH = Contribution("BOTH", BASE, without(OWNER, "region: eu\n"))


def contested(known: Contest, merged: str, pointer: str) -> Conflict:
    told = known.conflict(merged, pointer, "v: no")
    assert told is not None
    return told[1]


def decided(side: Contribution, *choices: tuple[str, Resolution]) -> str:
    """What one version comes to with decisions of places that its text lacks."""
    merged = merge(side.base, [side]).text
    assert merged is not None
    known = Contest(side.base, [side])
    decisions = []
    for pointer, resolution in choices:
        conflict = contested(known, merged, pointer)
        assert conflict.path == pointer
        decisions.append(Decision(conflict.id, conflict.path, resolution))
    settled = Contest(side.base, [side]).settled(decisions)
    assert len(settled) == len(choices)
    return known.written(merged, settled)


def test_its_conflict_is_at_the_place_with_who_deleted_it() -> None:
    conflict = contested(Contest(BASE, [LESS]), LESS.text, "/owner/name")
    assert (conflict.path, conflict.base.value) == ("/owner", "bob")
    assert [(each.branch, each.variant.present) for each in conflict.sides] == [("LESS", False)]


def test_a_key_that_no_version_has_is_a_matter_of_its_mapping() -> None:
    known = Contest(BASE, [LESS])
    assert [contested(known, LESS.text, at).path for at in ("/team", "/limits/x")] == [
        "",
        "/limits",
    ]


@pytest.mark.parametrize(
    ("side", "choices", "result"),
    [
        (LESS, [("/owner", Resolution("base"))], BASE),
        (LESS, [("/owner", Resolution("LESS"))], LESS.text),
        (
            LESS,
            [("/owner", Resolution(text="eve"))],
            BASE.replace("owner: bob  # since May", "owner: eve"),
        ),
        (BOTH, [("/owner", Resolution("base")), ("/region", Resolution("base"))], BASE),
        (BOTH, [("/region", Resolution("base")), ("/title", Resolution(text="till"))], None),
        (
            Contribution("LAST", BASE.rstrip(), without("\n  high: 9", text=BASE.rstrip())),
            [("/limits/high", Resolution("base"))],
            BASE.rstrip(),
        ),
        (
            Contribution("FIRST", BASE, without("  low: 1\n")),
            [("/limits/low", Resolution(text="{x: 1}"))],
            BASE.replace("low: 1", "low: {x: 1}"),
        ),
        (
            Contribution("FIRST", BASE, without("  low: 1\n")),
            [("/limits/low", Resolution("base")), ("/limits/high", Resolution("base"))],
            BASE,
        ),
        (
            Contribution("CRLF", BASE.replace("\n", "\r\n"), LESS.text.replace("\n", "\r\n")),
            [("/owner", Resolution("base"))],
            BASE.replace("\n", "\r\n"),
        ),
    ],
)
def test_it_is_written_where_it_was(
    side: Contribution, choices: list[tuple[str, Resolution]], result: str | None
) -> None:
    expected = result or without(OWNER).replace("checkout", "till")
    assert decided(side, *choices) == expected


def test_the_last_entry_of_a_mapping_can_be_replaced_by_one_that_it_had() -> None:
    base = "a: 1\nm:\n  old: 1\n"
    side = Contribution("A", base, "a: 1\nm:\n  new: 1\n")
    choices = [("/m/old", Resolution("base")), ("/m/new", Resolution("base"))]
    assert decided(side, *choices) == base


def test_an_element_s_first_entry_is_a_matter_of_the_element() -> None:
    base = "tasks:\n  - why: x\n    id: a\n"
    side = Contribution("A", base, "tasks:\n  - id: a\n")
    assert contested(Contest(base, [side]), side.text, "/tasks/0/why").path == "/tasks/0"


def test_a_value_that_cannot_stand_there_is_refused() -> None:
    with pytest.raises(Unreadable):
        decided(LESS, ("/owner", Resolution(text="*gone")))
