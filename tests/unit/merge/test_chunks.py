"""What is told by lines alone is what libyaml says; and nobody looks at what is equal."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bps.merge import engine, reader
from bps.merge.parse import MAX_DEPTH, parse
from bps.merge.reader import Reader
from bps.merge.records import Contribution
from bps.merge.refusals import Unreadable
from bps.merge.source import MAPPING, SCALAR, SEQUENCE, Document, Node, Source
from bps.merge.stretches import content_end, region_of, shape_of
from tests.unit.merge.sightings import assert_read_alike, seen

WHOLE = 10**9
_SIGNS = " \t\n:#-?,[]{}&*!|>'\"%@`/.+=;()~_0aé漢"
_WORDS = ("a", "x y", "id", " #c", ": ", "\n", "- ", "é", "'", '"')
TEXTS = st.lists(st.sampled_from([*_SIGNS, *_WORDS]), max_size=12).map("".join)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of which nodes were made by libyaml."""
    texts: list[str] = []

    def spy(source: Source, depth: int = 0) -> list[Document]:
        texts.append(source.text)
        return parse(source, depth)

    monkeypatch.setattr("bps.merge.parse.parse", spy)
    monkeypatch.setattr(reader, "SMALLEST", 0)
    return texts


def root_of(text: str) -> Node | None:
    """The collection that a text is, if it is one."""
    try:
        (document,) = parse(Source("an entry", text))
    except (Unreadable, ValueError):
        return None
    return document.root


def place(node: Node) -> tuple[object, ...]:
    shape = (node.kind, node.anchor, node.tag, node.flow, node.style)
    return (node.start, node.end, node.value, *shape)


def plain(text: str, start: int, end: int) -> tuple[object, ...]:
    return (start, end, text[start:end], SCALAR, None, None, False, "")


@given(TEXTS, TEXTS, st.integers(0, 2))
@example("k", "x y  # c", 2)
@example("k", "x\n  y", 0)
def test_a_value_told_by_its_line_is_what_libyaml_says(key: str, value: str, column: int) -> None:
    for kind, entry in ((MAPPING, f"{key}: {value}\n"), (SEQUENCE, f"- {value}\n")):
        text = " " * column + entry
        shape = shape_of(kind, column)
        leaf = shape.leaf(text)
        if leaf is None or content_end(text, 0, len(text), column) != leaf[2]:
            continue
        root = root_of(text + shape.sentinel)
        assert root is not None
        assert root.kind == kind
        assert len(root.children) == (4 if kind == MAPPING else 2)
        assert place(root.children[1 if kind == MAPPING else 0]) == plain(text, *leaf[:2])
        if kind == MAPPING:
            name = shape.key(text)
            assert name is not None
            assert place(root.children[0]) == plain(text, column, column + len(name))


@given(TEXTS, TEXTS, st.integers(0, 2))
@example("x y # c", "\n    b: 1", 1)
@example("x", "\n  y", 1)
@example("x", "\n    y", 1)
@example("x", "\n     y", 1)
@example("x", "\n\n     y", 1)
@example("x", "\n\n    b: 1", 1)
@example("x", "\n   # c\n    b: 1", 1)
def test_a_field_told_by_its_line_is_what_libyaml_says(value: str, rest: str, column: int) -> None:
    text = f"{' ' * column}-  id: {value}{rest}\n"
    found = shape_of(SEQUENCE, column).field(text, "id")
    root = root_of(text + shape_of(SEQUENCE, column).sentinel)
    if found is not None and root is not None:
        member = root.children[0].member("id")
        assert member is not None
        assert place(member) == plain(text, *found)


@given(TEXTS)
@example('# c\n\n  "a b": 1\n')
@example("  - a\n")
@example("a:\n")
def test_a_region_is_the_collection_that_libyaml_sees(text: str) -> None:
    region, root = region_of(text, 0, len(text)), root_of(text)
    if region is not None and root is not None:
        assert (root.kind, root.flow, root.column) == (region.kind, False, region.column)


def test_what_lines_tell_is_told() -> None:
    mapping, sequence = shape_of(MAPPING, 2), shape_of(SEQUENCE, 2)
    assert mapping.leaf("  é.k-1: x y (z) # c\n") == (9, 16, 21)
    assert sequence.leaf("  - x\n") == (4, 5, 6)
    assert mapping.leaf("  k: 'x'\n") is None
    assert sequence.field("  - id: a1 # c\n    b: 1\n", "id") == (8, 10)
    assert sequence.field("  - id: a1\n    b: 1\n", "name") is None
    assert mapping.opened("  k: # c\n  # d\n  - x\n", 0, 21) == (SEQUENCE, 2, 9)
    assert mapping.opened("  k:\n  x: 1\n", 0, 12) is None
    assert sequence.opened("  -\n  - x\n", 0, 10) is None
    assert sequence.compact("  -  a: 1\n") == ("     a: 1\n", (MAPPING, 5, 0))
    assert sequence.compact("  - - 1\n") == ("    - 1\n", (SEQUENCE, 4, 0))
    assert content_end("  k: 1\n\n  # c\n\n", 0, 15, 2) == 7
    assert content_end("  k: 1\n   # c\n", 0, 14, 2) is None
    assert content_end("  k: 1\n  # 'c\n", 0, 14, 2) is None
    assert content_end('  k: 1\n  # "c\n', 0, 14, 2) is None
    assert content_end("  k: 1\n   \n", 0, 11, 2) is None
    assert content_end("  k: 1\n\t\n", 0, 9, 2) is None


def test_of_a_long_text_only_the_edited_entries_are_made(parsed: list[str]) -> None:
    base = "tasks:\n" + "".join(
        f"  - id: t{i}\n    retries: [{i % 5}]\n    # about\n" for i in range(5_000)
    )
    one = base.replace("id: t77\n", "id: t77\n    extra: [1]\n")
    other = base.replace("id: t4000\n", "id: t4000\n    extra: [2]\n")
    sides = [Contribution("one", base, one), Contribution("other", base, other)]
    result = engine.merge(base, sides)
    assert result.text is not None
    assert result.text.count("extra") == 2
    assert sum(map(len, parsed)) < len(base) // 100


@pytest.mark.parametrize("large", [0, WHOLE])
def test_many_entries_that_lines_cannot_tell_are_parsed_together(
    large: int, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "LARGE", large)
    items = [f"- 'id': {i}\n  \"a\":\n  - {{b: {i}}}\n  - |\n    c\n\n" for i in range(300)]
    base = "".join(items)
    assert_read_alike([base, base.replace("b: 77", "b: x"), base[:-2]])
    by_reader = [text for text in parsed if text not in {base, base[:-2]}]
    assert len(by_reader) < len(items) // 4
    assert max(map(len, by_reader)) > 10 * len(items[0])
    assert sum(map(len, by_reader)) < 2 * len(base)


def test_chunks_of_several_versions_are_parsed_together(parsed: list[str]) -> None:
    items = [f"- 'id': {i}\n  \"a\": {i}\n" for i in range(120)]
    half = "".join(items[:60])
    refused = f"{half}- 'id': [\n"
    reading = Reader()
    documents = {}
    for text in (f"{half}- 'id': x", f"{half}- 'id': y", refused, "".join(items)):
        try:
            documents[text] = reading.read(Source("a version", text))
        except Unreadable:
            assert text == refused
    assert "".join(items) not in parsed
    del parsed[:]
    for text in documents:
        assert seen(lambda source: documents[source.text], text) == seen(parse, text)
    assert len(parsed) < len(items) // 3


def test_what_is_new_in_a_result_is_told_by_libyaml(parsed: list[str]) -> None:
    reading = Reader()
    for read, entry in ((reading.read, "b: 2\n"), (reading.read_result, "c: 3\n")):
        (document,) = read(Source("a version", f"a: 1\n{entry}"))
        assert document.root is not None
        assert document.root.children[3].data == ("plain", entry[3])
    assert parsed == ["c: 3\nz: z\n"]


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("k: R&D a & b *\n", False),
        ("k: |\n  * item\n  *item*\n", False),
        ("k: '&a *b'\n", False),
        ("k: &a b\n", True),
        ("k: [&a b]\n", True),
        ("k: [1,*a]\nb: &a 1\n", True),
        ("k: *a\n", True),
        ("k: [1,*a]\n", True),
        ("k: |+\n  a\n", True),
        ("k: >2+\n   a\n", True),
        ("? k\n: v\n", True),
        ("k:\n  ?\n", True),
        (": v\n", True),
        ("k:\n  - ? a\n", True),
        ("--- a\n", True),
        ("...\n", True),
    ],
)
def test_what_may_mean_more_than_its_entry_is_parsed_whole(
    line: str, whole: bool, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = "a: 1\nb: [2]\nc: 3\n"
    for large in (0, WHOLE):
        monkeypatch.setattr(reader, "LARGE", large)
        for version in (base + line, line + base, base.replace("c: 3\n", line)):
            del parsed[:]
            reading = Reader()
            reading.read(Source("base", base))
            try:
                reading.read(Source("a version", version))
            except Unreadable:
                assert whole
            assert (version in parsed) is whole
            assert_read_alike([base, version, base])


@pytest.mark.parametrize("tail", ["?", "  ?", "- ?", "k:\n  ?"])
@pytest.mark.parametrize("large", [0, WHOLE])
def test_a_question_mark_that_ends_a_text_is_a_key(
    tail: str, large: int, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "LARGE", large)
    base = "- a: 1\n" if tail == "- ?" else "a: 1\nb: [2]\nc:\n  d: 1\n"
    assert_read_alike([base, f"{base}{tail}", base])
    assert f"{base}{tail}" in parsed


@pytest.mark.parametrize("large", [0, WHOLE])
@pytest.mark.parametrize("by", ["brackets", "braces", "pairs", "dashes", "keys", "indentless"])
def test_nesting_is_refused_at_the_same_depth(
    by: str, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SMALLEST", 0)
    monkeypatch.setattr(reader, "LARGE", large)
    refused = []
    for depth in range(MAX_DEPTH - 34, MAX_DEPTH + 4):
        nested = {
            "brackets": f"k: {'[' * depth}{']' * depth}\n",
            "braces": f"k: {'{a: ' * depth}1{'}' * depth}\n",
            "pairs": f"k: {'[a: ' * (depth // 2)}1{']' * (depth // 2)}\n",
            "dashes": f"k:\n {'- ' * depth}x\n",
            "keys": "k:\n" + "".join(f"{' ' * i}a:\n" for i in range(1, depth + 1)),
            "indentless": "k:\n"
            + "".join(f"{' ' * i}{'- ' * (i > 0)}a:\n" for i in range(0, depth, 2)),
        }[by]
        texts = ["a: 1\nb: 2\n", f"a: 1\n{nested}b: 2\n", f"{nested}z:\n- 1\n"]
        assert_read_alike(texts)
        assert_read_alike(texts[::-1])
        refused.append(root_of(texts[1]) is None)
    assert refused[0] is False
    assert refused[-1] is True


@pytest.mark.parametrize("large", [0, WHOLE])
def test_a_refused_chunk_is_refused_again(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "SMALLEST", 0)
    monkeypatch.setattr(reader, "LARGE", large)
    base = "a: 1\nk:\n  - x\n  - y: 1\n    z:\n    - 2\nb: 2\n"
    long = f"{'k' * 1_100}:\n  a: 1\n"
    for bad in ("c: [\n", "word\n", "c: 'x\n", "{c: 1}\n", "c: @x\n", "!t\n", long):
        assert_read_alike([base, base + bad, base + bad + "d: 1\n", bad + base, base])
        inner = base.replace("  - x\n", f"  - y: 1\n    {bad}")
        assert_read_alike([base, inner, base, inner])


@pytest.mark.parametrize("large", [0, WHOLE])
@pytest.mark.parametrize(
    "lines",
    [
        '  a: "x\n  b: y"\n  c: 1\n',
        "  a: 'x\n  b: y\n  c: 1'\n  c: 1\n",
        "  a: [x,\n  b: y,\n  c: 1]\n  c: 1\n",
        '  - "x\n  - y"\n  - c: 1\n',
        '  - - "x\n    - y"\n    - c: 1\n',
        '  - a: "x\n    b: y"\n    c: 1\n',
    ],
)
def test_lines_like_entries_in_a_quote_or_bracket_are_none(
    lines: str, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SMALLEST", 0)
    monkeypatch.setattr(reader, "LARGE", large)
    base = f"z: 1\nk:\n{lines}y: 2\n"
    texts = [base, base.replace("c: 1", "c: 2"), base.replace("c: 1", "d: 1")]
    assert_read_alike(texts)
    assert_read_alike(texts[::-1])
