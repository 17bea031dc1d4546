"""The documents that are drawn for the laws are YAML."""

from __future__ import annotations

from random import Random

import pytest

from bps.merge.parse import parse
from bps.merge.source import Source
from tests.unit.merge.cases import drawn_case


@pytest.mark.parametrize(
    "seed",
    [3501, 3888, 4147, 5990],
    ids=["key in flow", "key in flow of a list", "doubled key", "doubled key in a list"],
)
def test_every_version_of_a_drawn_case_can_be_read(seed: int) -> None:
    random = Random(seed)
    case = drawn_case(random.randrange)
    for text in (case.base, case.one, case.other):
        assert parse(Source("a version", text))
