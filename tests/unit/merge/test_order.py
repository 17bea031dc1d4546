"""Where elements that several editors added stand."""

from __future__ import annotations

import pytest

from bps.merge.order import Orders, merged_order


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("oADF", "oDBF", "oADBF"),
        ("oDBF", "oADF", "oADBF"),
        ("oAB", "oAC", "oABC"),
        ("oAC", "oBC", "oABC"),
        ("Ao", "Bo", "ABo"),
        ("oABCD", "oBXD", "oABCXD"),
    ],
)
def test_what_one_added_between_what_both_added_stays_between(
    one: str, other: str, expected: str
) -> None:
    order, contradiction = merged_order("o", [Orders("o", one), Orders("o", other)])
    assert ("".join(map(str, order)), contradiction) == (expected, False)


@pytest.mark.parametrize(
    ("base", "one", "other", "expected"),
    [
        ("axz", "aNz", "aBxz", "aBxNz"),
        ("ax", "aN", "aBx", "aBxN"),
        ("xz", "Nz", "Bxz", "BxNz"),
        ("axyz", "aMNz", "axByz", "axByMNz"),
    ],
)
def test_what_an_editor_put_in_the_place_of_another_element_stands_there(
    base: str, one: str, other: str, expected: str
) -> None:
    orders = [Orders(base, one), Orders(base, other)]
    for canonical, editors in ((base, orders), (other, orders[:1]), (one, orders[1:])):
        order, contradiction = merged_order(canonical, editors)
        assert ("".join(map(str, order)), contradiction) == (expected, False)


@pytest.mark.parametrize(
    ("base", "one", "other", "expected"),
    [
        ("axz", "aNz", "axBz", "aNBz"),
        ("axz", "aNMz", "axBz", "aNMBz"),
        ("axz", "aNMz", "axBCz", "aNMBCz"),
        ("ax", "aN", "axB", "aNB"),
        ("xz", "Nz", "xBz", "NBz"),
        ("axyz", "aNz", "axBycz", "aBNcz"),
        ("pqrst", "pqrDst", "pXWst", "pXWDst"),
    ],
)
def test_what_is_put_in_an_elements_place_stands_before_what_others_put_behind_that(
    base: str, one: str, other: str, expected: str
) -> None:
    # Numbers, which are not put in alphabetical order.
    orders = [Orders([*map(ord, base)], [*map(ord, side)]) for side in (one, other)]
    for canonical, editors in (
        (base, orders),
        (base, orders[::-1]),
        (one, orders[1:]),
        (other, orders[:1]),
    ):
        order, contradiction = merged_order([*map(ord, canonical)], editors)
        left = [each for each in order if each in {*map(ord, expected)}]
        assert (left, contradiction) == ([*map(ord, expected)], False)


def test_what_canonical_deleted_turns_no_elements_of_an_editor_round() -> None:
    order, _ = merged_order("XWs", [Orders("pqrs", "BAqr"), Orders("pqrs", "pqrNsM")])
    assert "".join(map(str, order)) == "pBAqrXWNsM"
