"""Colons and question marks in plain scalars in brackets, which libyaml 0.1 refuses."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from bps.merge.engine import merge
from bps.merge.parse import parse, validate
from bps.merge.records import Contribution
from bps.merge.refusals import Unreadable
from bps.merge.source import Node, Source


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


@pytest.mark.parametrize("text", ["k: [a:b\n", "k: [a:b, \ue03a]\n", "k: [::1]\n", "k: [a:, b]\n"])
def test_what_cannot_be_read_so_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(Source("it", text))
    assert (refused.value.label, refused.value.line) == ("it", 1 if "[a:b\n" not in text else 2)
    with pytest.raises(Unreadable):
        validate(Source("it", text))


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
