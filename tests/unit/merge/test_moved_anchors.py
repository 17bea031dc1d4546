"""An anchor that one editor moved into what another one deleted."""

from __future__ import annotations

import pytest

from bps.merge.engine import merge
from bps.merge.records import Contribution, Resolution

BASE = "kept: &a 1\nsection:\n  x: 2\nuses: *a\n"
MOVED = "section:\n  x: 2\n  kept: &a 1\nuses: *a\n"
DELETED = "kept: &a 1\nuses: *a\n"
SIDES = [Contribution("one", BASE, MOVED), Contribution("other", BASE, DELETED)]


@pytest.mark.parametrize(
    ("take", "text"), [("one", MOVED), ("other", DELETED), ("base", BASE)], ids=str
)
def test_every_choice_keeps_the_anchor_of_the_alias(take: str, text: str) -> None:
    conflicts = merge(BASE, SIDES).conflicts
    assert [each.path for each in conflicts] == ["/kept", "/section"]
    decided = {each.id: Resolution(take=take) for each in conflicts}
    assert merge(BASE, SIDES, resolutions=decided).text == text


@pytest.mark.parametrize("take", ["one", "other", "base"])
def test_who_decides_on_all_that_an_anchor_is_in_decides_on_the_anchor(take: str) -> None:
    base = "a: &x 1\n? k\n:\n  - s\nb: *x\n"
    texts = {"base": base, "one": base.replace("x", "y"), "other": base.replace("b: *x\n", "")}
    sides = [Contribution(label, base, texts[label]) for label in ("one", "other")]
    [conflict] = merge(base, sides).conflicts
    decided = merge(base, sides, resolutions={conflict.id: Resolution(take=take)})
    assert (conflict.path, decided.text) == ("", texts[take])
