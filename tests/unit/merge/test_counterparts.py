"""Entries known again: shared pieces tell what whole parses tell, and cost what differs."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from bps.merge import chunks, proof, reader
from bps.merge.data import json_value
from bps.merge.differences import Versions
from bps.merge.engine import merge
from bps.merge.explain import explain
from bps.merge.reader import Reader
from bps.merge.records import Contribution
from bps.merge.source import Source

Told = tuple[tuple[str, ...], tuple[str, ...], Any, Any]


def differences(before: str, after: str) -> list[Told]:
    found = Versions(Reader()).differences(before, after)
    return [(e.path, e.at, json_value(e.before), json_value(e.after)) for e in found]


def edited(source: Random, entries: Sequence[str]) -> str:
    """Some entries changed, gone, moved, doubled or come."""
    found = list(entries)
    for _ in range(source.randint(1, 4)):
        at, to = source.randrange(len(found)), source.randrange(len(found))
        match source.randrange(5):
            case 0:
                found[at] = found[at].replace("v: 1", f"v: {source.randint(2, 4)}")
            case 1:
                del found[at]
            case 2:
                found.insert(to, found.pop(at))
            case 3:
                found.insert(to, found[at])
            case _:
                found[at] = found[at].replace("one", f"new{to}", 1)
    return "".join(found)


@pytest.mark.parametrize(
    "entry",
    ["  - id: one{n}\n    v: 1\n", "  - do: one{n}\n    v: 1\n", "  - one{n}\n", "  one{n}: w\n"],
)
def test_pieces_and_whole_parses_tell_the_same_differences(
    entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Random(entry)
    told = 0
    for _ in range(60):
        entries = [entry.format(n=n) for n in range(40)]
        texts = [f"all:\n{edited(source, entries)}" for _ in range(2)]
        with monkeypatch.context() as patched:
            patched.setattr(reader, "SMALLEST", 1 << 30)
            whole = differences(texts[0], texts[1])
        assert differences(texts[0], texts[1]) == whole
        told += len(whole)
    assert told > 100


def test_an_element_that_stands_twice_is_no_longer_known_by_its_id() -> None:
    tasks = "".join(f"- id: t{n}\n  v: 1\n" for n in range(80))
    twice = tasks.replace("- id: t7\n  v: 1\n", "- id: t7\n  v: 1\n" * 2)
    assert [path for path, *_ in differences(tasks, twice)] == [("8", "id"), ("8", "v")]
    renamed = tasks.replace("id: t7\n", "id: t9\n")
    assert differences(tasks, renamed) == [(("7", "id"), ("7", "id"), "t7", "t9")]


@pytest.mark.parametrize(
    "entry", ["  - id: t{n}\n    run: make {n}\n", "  t{n}:\n    run: make {n}\n"]
)
def test_explaining_reads_nothing_again_and_looks_at_what_changed_alone(
    entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = "tasks:\n" + "".join(entry.format(n=n) for n in range(2_000))
    sides = [
        Contribution(
            name, base, base.replace(f"make {n}\n", "ninja\n").replace(f"make {m}\n", "x\n")
        )
        for name, n, m in (("A", 3, 1_500), ("B", 700, 1_999))
    ]
    its = Reader()
    merged = merge(base, sides, reader=its)
    looked_at: list[object] = []
    build = proof.build

    def counted(parsed: Sequence[chunks.Chunk]) -> Source:
        looked_at.extend(parsed)
        return build(parsed)

    monkeypatch.setattr(chunks, "build", counted)
    monkeypatch.delattr(Reader, "read")
    lines = explain(base, sides, merged, its)
    assert [(line.sources, line.after) for line in lines] == [
        (("A",), "ninja"),
        (("B",), "ninja"),
        (("A",), "x"),
        (("B",), "x"),
    ]
    assert len(looked_at) <= 8 * len(lines)
