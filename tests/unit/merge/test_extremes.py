"""The greatest version, date or number, and when nobody can say which it is."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.merge.extremes import greatest

RISING = {
    "semver": (
        "0.0.0-0 0.0.0 0.0.1 0.1.0-- 1.0.0-alpha 1.0.0-alpha.1 v1.0.0-alpha.beta 1.0.0-beta"
        " 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1+build.7 1.2.0 1.10.0 2.0.0-99999999999"
        " 2.0.0-100000000000 2.0.0-A 2.0.0-a 2.0.0-a-b 2.0.0 v10.0.0 99999999999999999999.0.0"
    ),
    "int": (
        "-100000000000000000000 -20 -19 -9 -1 0 1 +2 9 10 99 100 9223372036854775807"
        " 9223372036854775808"
    ),
    "date": "0001-01-01 1999-12-31 2024-02-28 2024-02-29 2024-02-29T00:00:01 2024-02-29t10:00"
    " 2024-02-29T10:00:00.5 2024-03-01 9999-12-31T23:59:59",
}
OFFSETS = (
    "0001-01-01T00:00:00+12:00 2024-05-31T12:00:00+02:00 2024-05-31T10:30Z 2024-05-31t11:00:00z"
    " 2024-05-31T10:00:00-0200 2024-05-31T11:00:00-05 9999-12-31T23:59:59-12:00"
)
MALFORMED = {
    "semver": "1 1.0 1.0.0.0 01.0.0 1.0.0- 1.0.0-01 1.0.0-a..b 1.0.0+ V1.0.0 vv1.0.0 1.0.0-ü"
    " \u0661.0.0 x",
    "int": "1.0 007 00 1_000 0x1F 1e3 -- + \u0661 x",
    "date": "2024-02-30 2023-02-29 20240229 2024-W01-1 2024-060 24-02-29 2024-2-9 2024-02-29T24:30"
    " 2024-02-29T10 2024-02-29T10:00+25:00 2024-02-29x10:00 0000-01-01 \u0662024-02-29 x",
}
NOT_OF_THE_ORDER = [
    (order, value)
    for order, malformed in MALFORMED.items()
    for value in [
        *malformed.split(),
        "",
        f" {RISING[order].split()[2]}",
        f"{RISING[order].split()[2]}\n",
    ]
]


@pytest.mark.parametrize(
    ("order", "rising"), [*RISING.items(), ("date", OFFSETS)], ids=[*RISING, "offsets"]
)
def test_each_value_is_greater_than_those_before_it(order: str, rising: str) -> None:
    values = rising.split()
    for end in range(1, len(values) + 1):
        below = values[:end]
        random.Random(end).shuffle(below)
        found = greatest(order, below)
        assert found is not None
        assert below[found] == values[end - 1]


@pytest.mark.parametrize(("order", "value"), NOT_OF_THE_ORDER)
def test_one_value_that_is_not_of_the_order_leaves_it_open(order: str, value: str) -> None:
    valid = RISING[order].split()[3]
    assert greatest(order, [valid]) == 0
    assert greatest(order, [value, valid]) is None
    assert greatest(order, [valid, value]) is None


@pytest.mark.parametrize(
    ("order", "values"),
    [
        ("semver", ["1.0.0", "v1.0.0"]),
        ("semver", ["1.0.0+a", "0.9.0", "1.0.0+b"]),
        ("int", ["0", "-0"]),
        ("int", ["+7", "7"]),
        ("date", ["2024-05-31", "2024-05-31T00:00"]),
        ("date", ["2024-05-31T12:00+02:00", "2024-05-31T10:00Z"]),
        ("date", ["2024-05-31", "2024-05-31T10:00Z"]),  # where is the first one?
        ("date", ["2024-05-31T09:00", "2023-05-31T10:00Z"]),
        ("semver", []),
    ],
)
def test_two_spellings_or_two_kinds_of_the_greatest_leave_it_open(
    order: str, values: list[str]
) -> None:
    assert greatest(order, values) is None
    assert greatest(order, values[::-1]) is None


def test_two_spellings_below_the_greatest_do_not_matter() -> None:
    assert greatest("semver", ["1.0.0", "v1.0.0", "2.0.0"]) == 2


def test_of_the_same_text_the_first_is_taken() -> None:
    assert greatest("int", ["1", "5", "3", "5"]) == 1


def test_a_number_of_a_hundred_thousand_digits_is_compared() -> None:
    long = "1" + "0" * 100_000
    assert greatest("int", [long, f"-{long}", long[:-1] + "1"]) == 2


def test_an_unknown_order_is_the_callers_mistake() -> None:
    with pytest.raises(KeyError):
        greatest("size", ["1"])


@given(st.lists(st.integers(), min_size=1))
def test_numbers_are_compared_as_numbers(numbers: list[int]) -> None:
    assert greatest("int", [str(number) for number in numbers]) == numbers.index(max(numbers))


@given(
    st.lists(
        st.datetimes(
            min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - the zone is drawn
            timezones=st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours))),
        ),
        min_size=1,
        unique=True,
    )
)
def test_dates_are_compared_as_instants(dates: list[datetime]) -> None:
    assert greatest("date", [date.isoformat() for date in dates]) == dates.index(max(dates))
