"""The page on the profile and the samples say what the code does."""

from __future__ import annotations

import re

import pytest

from bps.blueprint.profile import check
from bps.blueprint.rules import Rule
from bps.blueprint.scalars import agree, kinds
from tests.checkout import ROOT, SAMPLES

PAGE = (ROOT / "docs" / "blueprint-profile.md").read_text(encoding="utf-8")
SCALAR_ROW = re.compile(
    r"^\| (`[^|]*) \| [^|]* \| [^|]* \| (accepted|refused)[^|]* \|$", re.MULTILINE
)


def test_the_page_has_exactly_the_rules_of_the_code() -> None:
    documented = re.findall(r"^\| `([a-z0-9-]+)` \|(?:[^|\n]*\|){4}$", PAGE, re.MULTILINE)
    assert sorted(documented) == sorted(rule.value for rule in Rule)


def test_the_table_of_scalars_is_true() -> None:
    rows = SCALAR_ROW.findall(PAGE)
    assert len(rows) == 13
    for examples, verdict in rows:
        for value in re.findall(r"`([^`]+)`", examples):
            assert agree(value, *kinds(value)) is (verdict == "accepted"), value


@pytest.mark.parametrize(
    ("name", "least_bytes", "most_bytes", "tasks"),
    [
        ("checkout-service", 5_000, 8_000, 13),
        ("payments-platform", 24_000, 36_000, 35),
        ("data-warehouse", 140_000, 180_000, 224),
    ],
)
def test_samples_pass(name: str, least_bytes: int, most_bytes: int, tasks: int) -> None:
    text = (SAMPLES / f"{name}.yaml").read_bytes()
    facts = check(text)
    assert least_bytes < facts.size_bytes < most_bytes
    assert facts.task_count == tasks
    assert facts.title
    assert b"\n  #" in text


def test_the_small_sample_has_two_places_to_repair() -> None:
    text = (SAMPLES / "checkout-service.yaml").read_bytes()
    for place in (
        b"attempt_timeout_ms: 9000",
        b"      - Every open cart is readable in the new service before the switch.\n",
    ):
        assert text.count(place) == 1
