"""Colons and question marks in plain scalars in brackets, which libyaml 0.1 refuses."""

from __future__ import annotations

import hashlib

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from bps.blueprint.data import load
from bps.blueprint.event_source import read_events
from bps.blueprint.profile import check
from bps.core.errors import InvalidBlueprint
from bps.merge.engine import merge
from bps.merge.parse import parse, validate
from bps.merge.records import Contribution
from bps.merge.refusals import Unreadable
from bps.merge.source import Node, Source
from bps.validation.lines import lines_of


def plainly(node: Node | None) -> object:
    assert node is not None
    if node.kind == "mapping":
        return {plainly(key): plainly(value) for key, value in node.pairs()}
    if node.kind == "sequence":
        return [plainly(each) for each in node.children]
    return node.value


@pytest.mark.parametrize(
    "text",
    [
        "k: [http://example.org/x]\n",
        "ports: [80:80, '81:81', a:b:c]\nurl: http://a.org/b:c\n",
        "{url: http://a.org/?b:c, other: d:e}\n",
        "k: [a:b: c, d]\n",
        'k: {"a":b, c: d:e}\n',
        "# see http://a.org\nk: [a:b] # and http://b.org\nq: 'x:y'\nb: |\n  [c:d\n",
        "k: [!foo a:b, is it? yes, really?!]\n",
        "k: [\n  a:b,\n  größe:c,\n]\n",
        "hosts: [::1, '::2', fe80::1]\n",
        "on: [:create, :update, is :it]\n",
    ],
)
def test_is_read_as_yaml_says(text: str) -> None:
    document = parse(Source("it", text))[0]
    pure = YAML(typ="base", pure=True)
    if "!" not in text:
        assert plainly(document.root) == pure.load(text)
    validate(Source("it", text))
    assert document.root is not None
    nodes = [document.root]
    for node in nodes:
        nodes += node.children
        if node.kind == "scalar" and not node.style and node.tag is None:
            assert node.text == node.value


@pytest.mark.parametrize(
    "text", ["k: [a:b\n", "k: [a:b, \ue03a]\n", "k: [a:, b, c:d]\n", "k: [[] ::]\n"]
)
def test_what_cannot_be_read_so_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(Source("it", text))
    assert (refused.value.label, refused.value.line) == ("it", 1 if "[a:b\n" not in text else 2)
    with pytest.raises(Unreadable):
        validate(Source("it", text))


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("k: [http://a]\n", {"k": ["http://a"]}),
        ("k: {url: http://a/?b, m: 1}\n", {"k": {"url": "http://a/?b", "m": 1}}),
        ("k: {a: ::1, b: :c}\n", {"k": {"a": "::1", "b": ":c"}}),
        ('k: {"a" :b, "c"::d, e: f:g}\n', {"k": {"a": "b", "c": ":d", "e": "f:g"}}),
        ("hosts: [::1]\nb: |\n  [c:d\n", {"hosts": ["::1"], "b": "[c:d\n"}),
    ],
)
def test_intake_reads_it_too(text: str, data: object) -> None:
    assert check(text.encode()).sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert load(text) == data
    at = {name: 2 if text.startswith(name) else 1 for name in ("k", "hosts")}
    assert lines_of(f"a: 1\n{text}", ["/k", "/hosts"]) == {"/k": at["k"], "/hosts": at["hosts"]}


@pytest.mark.parametrize("begin", ["&x ", "!t ", "'q' ", "[] "])
def test_what_libyaml_takes_for_a_key_it_is_in_every_text(begin: str) -> None:
    one, other = (parse(Source("it", f"k: [{begin}:b{more}]\n"))[0] for more in ("", ", c:d"))
    items = [each.root.children[1].children for each in (one, other) if each.root is not None]
    assert [each[0].kind for each in items] == ["mapping", "mapping"]
    assert items[0][0].data == items[1][0].data


def test_intake_judges_what_it_reads_so() -> None:
    with pytest.raises(InvalidBlueprint) as refusal:
        check(b"k: [a:b,\n  1:30]\n")
    assert (refusal.value.facts["rule"], refusal.value.facts["line"]) == ("ambiguous-scalar", 2)
    with pytest.raises(InvalidBlueprint) as refusal:
        check(b"k: &a.b 1\n")
    assert refusal.value.facts["hint"] == "name anchors with letters, digits, - and _ only"


def test_is_merged() -> None:
    base = "ports: [80:80, 81:81]\nurls: {a: http://a.org, b: http://b.org}\n"
    one = base.replace("80:80", "90:90").replace("a.org", "c.org")
    other = base.replace("81:81]", "81:81, 82:82]").replace("b.org", "d.org")
    merged = merge(base, [Contribution("one", base, one), Contribution("other", base, other)])
    assert merged.text == "ports: [90:90, 81:81, 82:82]\nurls: {a: http://c.org, b: http://d.org}\n"
    both = merge(
        base,
        [
            Contribution("one", base, base.replace("a.org", "c.org")),
            Contribution("other", base, base.replace("a.org", "d.org")),
        ],
    )
    assert [each.path for each in both.conflicts] == ["/urls"]


def test_an_error_is_told_where_no_spelling_mends_it() -> None:
    text = "%TAG !e! tag:e.org,2026:\n---\na: [1]\n- b\n"
    with pytest.raises(MarkedYAMLError) as refusal:
        read_events(text, lambda source: source.raw_parse())
    assert refusal.value.problem_mark.line == 3
