"""What is written over a text: told from any other change, at the cost of what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bps.candidates import merging
from bps.candidates.merging import MergeTask, Veto, contested, finding, merge_blueprints
from bps.merge import chunks, proof
from bps.merge.engine import merge
from bps.merge.reader import Reader
from bps.merge.records import Contribution, Resolution
from bps.merge.rewritten import Rewrite
from bps.merge.semantic import Decision
from bps.merge.source import Node, Source

BASE = "title: t\ntasks:\n  - id: a\n    v: 1\n  - id: b\n    v: {p: 1}\nlast:\n  only: 1\n"
PUTS: list[tuple[tuple[str, ...], object]] = [(("tasks", "0", "v"), 2)]


def root(text: str, reader: Reader) -> Node | None:
    return reader.read(Source("a text", text))[0].root


@pytest.mark.parametrize("padding", ["", "".join(f"more{n}: {n}\n" for n in range(100))])
@pytest.mark.parametrize(
    ("puts", "drops", "old", "new", "holds"),
    [
        (PUTS, (), "v: 1", "v: 2", True),
        (PUTS, (), "v: 1", "v: 2 # why", True),
        (PUTS, (), "v: 1", "v: 3", False),
        (PUTS, (), "v: 1", "v: 1", False),
        (PUTS, (), "v: 1", "w: 2", False),
        (PUTS, (), "v: 1\n", "v: 2\n    w: 1\n", False),
        (PUTS, (), "    v: 1\n", "    v: 2\n  - id: c\n", False),
        (PUTS, (), "v: 1\n  - id: b", "v: 2\n  - id: c", False),
        (PUTS, (), "v: 1\n  - id: b\n    v: {p: 1}", "v: 2\n  - id: b\n    v: {p: 2}", False),
        ((), (("tasks", "0"),), "  - id: a\n    v: 1\n", "", True),
        ((), (("tasks", "1"),), "  - id: a\n    v: 1\n", "", False),
        ((), (("title",),), "title: t\n", "", True),
        ((), (("last", "only"),), "last:\n  only: 1\n", "last: {}\n", True),
        ((), (("last", "only"),), "last:\n  only: 1\n", "last: []\n", False),
        ((), (("last", "only"),), "last:\n  only: 1\n", "", False),
        (PUTS, (("tasks", "1"),), "v: 1\n  - id: b\n    v: {p: 1}\n", "v: 2\n", True),
        ([((), {"x": 1})], (), BASE, "x: 1\n", True),
    ],
)
def test_what_was_decided_holds_and_nothing_else(
    puts: Sequence[tuple[tuple[str, ...], object]],
    drops: Sequence[tuple[str, ...]],
    old: str,
    new: str,
    holds: bool,
    *,
    padding: str,
) -> None:
    rewrite, its = Rewrite(), Reader()
    for at, value in puts:
        rewrite.put(at, value)
    for at in drops:
        rewrite.drop(at)
    before, after = BASE + padding, BASE.replace(old, new) + (padding if old != BASE else "")
    assert rewrite.holds(root(before, its), root(after, its)) is holds


def test_decided_vetoes_merge_once_and_look_at_what_differs_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = "title: t\ntasks:\n" + "".join(
        f"  - id: t{n}\n    run: make {n}\n" for n in range(2_000)
    )
    sides = tuple(
        Contribution(name, base, base.replace(f"make {n}\n", "ninja\n"))
        for name, n in (("A", 3), ("B", 1_700))
    )
    task = MergeTask(base, sides, (), (), looked_at=False)
    merged = merge_blueprints(task).text
    assert merged is not None
    bad = finding("v", "bad", "no").model_copy(update={"path": "/tasks/3/run"})
    (conflict,) = contested(Veto(task, (), merged, (bad,)))
    decision = Decision(conflict.id, conflict.path, Resolution(take="base"))
    looked_at: list[object] = []
    merges: list[None] = []
    build = proof.build

    def counted(parsed: Sequence[chunks.Chunk]) -> Source:
        looked_at.extend(parsed)
        return build(parsed)

    def counted_merge(*arguments: Any, **named: Any) -> Any:
        merges.append(None)
        return merge(*arguments, **named)

    monkeypatch.setattr(chunks, "build", counted)
    monkeypatch.setattr(merging, "merge", counted_merge)
    answer = merge_blueprints(task._replace(resolutions=(decision,)))
    assert answer.text == base.replace("make 1700\n", "ninja\n")
    assert len(merges) == 1
    assert len(looked_at) < 50
