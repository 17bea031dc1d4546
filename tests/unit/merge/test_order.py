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
