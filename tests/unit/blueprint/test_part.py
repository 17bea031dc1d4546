"""A value that is to stand inside a blueprint, judged by itself."""

from __future__ import annotations

import pytest

from bps.blueprint.part import check_part
from bps.core.errors import InvalidBlueprint


@pytest.mark.parametrize(
    "text",
    ["", "# only", "5", "- 1\n- a: 2", "a: 1", "[*x, &y 1, *y]", "*x", "- *x\n- *x", "|\n  a"],
)
def test_is_accepted(text: str) -> None:
    check_part(text)


@pytest.mark.parametrize(
    ("text", "rule", "place"),
    [
        ("yes", "ambiguous-scalar", (1, 1)),
        ("- 1\n- a: 1\n  a: 2", "duplicate-key", (3, 3)),
        ("[*x, no]", "ambiguous-scalar", (1, 6)),
        ("- &x 1\n- &x 2", "duplicate-anchor", (2, 3)),
        ("a\n---\nb", "several-documents", (2, 1)),
        ("\ud83d", "surrogate", (1, 1)),
        ("[" * 64 + "]" * 64, "too-deep", (1, 64)),
    ],
)
def test_is_refused_where_it_stands(text: str, rule: str, place: tuple[int, int]) -> None:
    with pytest.raises(InvalidBlueprint) as refusal:
        check_part(text)
    facts = refusal.value.facts
    assert (facts["rule"], facts["line"], facts["column"]) == (rule, *place)
