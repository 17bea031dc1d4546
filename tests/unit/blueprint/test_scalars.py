"""Our readings of plain scalars against ruamel.yaml's own resolvers for YAML 1.1 and 1.2."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode

from bps.blueprint.scalars import Kind, agree, in_range, kinds

TAG_OF_KIND = {
    Kind.TEXT: "str",
    Kind.NULL: "null",
    Kind.BOOL: "bool",
    Kind.INT_2: "int",
    Kind.INT_8: "int",
    Kind.INT_10: "int",
    Kind.INT_16: "int",
    Kind.INT_60: "int",
    Kind.FLOAT: "float",
    Kind.FLOAT_60: "float",
    Kind.NON_FINITE: "float",
    Kind.TIMESTAMP: "timestamp",
    Kind.MERGE: "merge",
    Kind.VALUE: "value",
}

SAME = (
    "yes Yes YES yEs no on On off Off OFF y Y n N true True TRUE tRUE false null Null ~ nULL"
    " 0 -0 +0 1 -1 +12 0777 07 00 010 08 0o17 0o8 0x1F 0x 0b2 _1 1:30 12:30 08:30 190:20:30"
    " 190:20:30.15 1:60 8080:80 22:22 +1:30 1:30. 01:30 1. 1.5 .5 +.5x . .. - + -. 1.0e+3 1.e+3"
    " .5e+3 0.1e-5 1e 1e+ .inf -.inf +.INF .iNF .nan .NaN +.nan inf 1.2.3 v1.2 3px 1-2 1/2 09.5"
    " 9999999999999999999 10.0.0.1 ::1 == < 2024-1-1"
)
SAME_IN_RUAMEL = SAME.split()

# Value -> what ruamel.yaml reads in (1.1, 1.2) and we do not, with the reason.
RUAMEL_DIFFERS = {
    # Its 1.2 keeps readings of 1.1 that the core schema dropped.
    **dict.fromkeys(["1_000", "0_7", "0b1010", "+0x1F", "-0o7", "0x_1"], (None, "int")),
    **dict.fromkeys(["1.5_0", "1_0.5", "._1"], (None, "float")),
    **dict.fromkeys(["2024-01-01", "2001-12-14t21:59:43Z"], (None, "timestamp")),
    "<<": (None, "merge"),
    "=": (None, "value"),
    # Its 1.1 takes an exponent without a sign or a point; the specification wants both.
    **dict.fromkeys(["1e3", "1E3", "1.0e3", "12e03"], ("float", None)),
    # Its 1.2 wants digits before the point of a number with an unsigned exponent.
    ".5e3": (None, "str"),
    # No digit at all.
    "._": ("float", "float"),
}


def ruamel_reads(value: str, version: tuple[int, int]) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    tag = yaml.resolver.resolve(ScalarNode, value, (True, False))
    return str(tag).rpartition(":")[2]


def we_read(value: str) -> tuple[str, str]:
    old, new = kinds(value)
    return TAG_OF_KIND[old], TAG_OF_KIND[new]


@pytest.mark.parametrize("value", ["", "2001-12-14 21:59:43.10 -5x", *SAME_IN_RUAMEL])
def test_both_versions_agree_with_ruamel(value: str) -> None:
    assert we_read(value) == (ruamel_reads(value, (1, 1)), ruamel_reads(value, (1, 2)))


@pytest.mark.parametrize("value", RUAMEL_DIFFERS)
def test_where_ruamel_leaves_the_specifications(value: str) -> None:
    theirs = ruamel_reads(value, (1, 1)), ruamel_reads(value, (1, 2))
    expected = tuple(
        other or ours for ours, other in zip(we_read(value), RUAMEL_DIFFERS[value], strict=True)
    )
    assert theirs == expected
    assert theirs != we_read(value)


NUMBER_LIKE = st.text("0123456789+-._:eExXobBaFf", min_size=1, max_size=10)
WORD_LIKE = st.sampled_from(SAME_IN_RUAMEL + list(RUAMEL_DIFFERS))


@given(NUMBER_LIKE | WORD_LIKE)
def test_an_agreed_scalar_reads_the_same_in_ruamel_whatever_its_version(value: str) -> None:
    old, new = kinds(value)
    assume(agree(value, old, new))
    assume(old is not Kind.TIMESTAMP)
    # Text by both specifications, and so accepted as text; see RUAMEL_DIFFERS.
    assume(re.match(r"\._+(?:\Z|[eE])|[-+]0o", value) is None)
    assert ruamel_reads(value, (1, 1)) == ruamel_reads(value, (1, 2)) == TAG_OF_KIND[new]


@pytest.mark.parametrize(
    ("value", "same"), [("07", True), ("-07", True), ("000", True), ("010", False), ("0777", False)]
)
def test_an_octal_agrees_where_its_value_does(value: str, *, same: bool) -> None:
    assert agree(value, *kinds(value)) is same
    assert (int(value, 8) == int(value)) is same


@given(st.integers(-(2**65), 2**65))
def test_integers_are_bounded(number: int) -> None:
    for value in (str(number), hex(abs(number))):
        fits = abs(number) <= 2**63 - 1
        assert in_range(value, kinds(value)[1]) is fits
