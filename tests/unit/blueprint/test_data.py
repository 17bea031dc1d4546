"""`load` reads what the profile accepts as ruamel.yaml's pure YAML 1.2 loader does."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor

from bps.blueprint.data import load, plain
from bps.blueprint.profile import check
from bps.blueprint.scalars import Kind, kinds
from bps.cli.yaml_text import dump_yaml
from bps.core.errors import InvalidBlueprint
from tests.docs.pages import DOCS
from tests.unit.blueprint.test_generated import _DATA, _KEYS


class _Constructor(SafeConstructor):
    """Dates and times stay text, as in the profile."""


_Constructor.add_constructor(
    "tag:yaml.org,2002:timestamp", lambda constructor, node: constructor.construct_scalar(node)
)


def reference(text: str) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    return yaml.load(text)


def same(one: Any, other: Any) -> bool:
    """Equal in types too, and NaN is itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)


def accepted(text: str) -> bool:
    try:
        check(text.encode())
    except InvalidBlueprint:
        return False
    return True


@given(st.dictionaries(_KEYS, _DATA, max_size=6))
def test_any_data_that_were_written_as_yaml_are_read_back_as_the_reference_reads_them(
    data: dict[str, Any],
) -> None:
    out = io.StringIO()
    dump_yaml(data, out)
    text = out.getvalue()
    if accepted(text):
        assert same(load(text), reference(text)), text


_SCALAR = st.text("0123456789+-.eExXoObBaAfFnNuUlLtTrRsSyY~_:TZ <=", min_size=0, max_size=12)


@given(_SCALAR)
@example("2025-03-14")
@example("2025-03-14T08:00:00Z")
@example("0x1F")
@example("+12")
@example("007")
@example("1.")
@example(".5")
@example("1.5e+3")
@example("Null")
@example("TRUE")
@example("08:30")
@example("1.2.3")
@example("._")
@example("")
def test_any_accepted_plain_scalar_is_read_as_the_reference_reads_it(scalar: str) -> None:
    text = f"a: {scalar}\nb: [1]\n"
    if accepted(text):
        try:
            read = reference(text)
        except ValueError:
            # ruamel.yaml takes `._` for a float, and then cannot read it as one.
            reject()
        assert same(load(text), read), text


@given(_SCALAR.filter(lambda text: text == text.strip()))
def test_the_kind_of_a_scalar_and_the_type_of_its_value_agree(scalar: str) -> None:
    expected: dict[Kind, type] = {
        Kind.NULL: type(None),
        Kind.BOOL: bool,
        Kind.INT_8: int,
        Kind.INT_10: int,
        Kind.INT_16: int,
        Kind.FLOAT: float,
        Kind.NON_FINITE: float,
    }
    assert type(plain(scalar)) is expected.get(kinds(scalar)[1], str)


@pytest.mark.parametrize("path", sorted((DOCS / "samples").glob("*.yaml")), ids=lambda p: p.stem)
def test_each_sample_is_read_as_the_reference_reads_it(path: Any) -> None:
    text = path.read_text()
    assert same(load(text), reference(text))


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {b: [1, 2]}\nc: *x\nd: [*x, *x]\n",
        "a: &x text\n&k key: *x\n",
        "? long key\n: - 1\n  - null\n",
        "a: |\n  one\n   two\nb: >-\n  three\n  four\n",
        "\"\\x61\": \"\\u00e9\"\nb: 'it''s'\n",
        "{a: [], b: {}, c: [[{}]]}",
        "a:\nb: ~\n",
        "---\na: 1\n...\n",
        "a: 1\r\nb: 2\r\n",
    ],
)
def test_forms_of_yaml_are_read_as_the_reference_reads_them(text: str) -> None:
    assert same(load(text), reference(text))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a: [", "syntax"),
        ("- 1", "root-not-a-mapping"),
        ("", "root-not-a-mapping"),
        ("a: b: c", "syntax"),
    ],
)
def test_what_is_no_mapping_is_refused_by_name(text: str, rule: str) -> None:
    with pytest.raises(InvalidBlueprint) as refusal:
        load(text)
    assert refusal.value.facts["rule"] == rule
