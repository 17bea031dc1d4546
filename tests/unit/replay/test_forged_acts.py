"""Forged logs whose hashes all fit: `verify` cannot tell, `replay` names the act never allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from bps.core.errors import ReplayDiverged
from tests.unit.replay.history import KEYS, forged, index_of, lived, replayed, verified

Change = Callable[[dict[str, Any]], None]


def of_contributor(**changes: object) -> Change:
    def change(body: dict[str, Any]) -> None:
        body["contributors"][0].update(changes)

    return change


def of_body(**changes: object) -> Change:
    return lambda body: body.update(changes)


FORGERIES: list[tuple[str, str, Change]] = [
    ("BLUEPRINT_PROMOTED", "nobody", of_body(contributors=[])),
    ("BLUEPRINT_PROMOTED", "bytes that nobody submitted", of_body(digest="0" * 64)),
    ("BLUEPRINT_PROMOTED", "another base", of_body(base_version="99")),
    ("BLUEPRINT_PROMOTED", "a version left out", of_body(version="9")),
    ("BLUEPRINT_PROMOTED", "another size", of_body(size_bytes=1)),
    ("BLUEPRINT_PROMOTED", "another submission", of_contributor(digest="0" * 64)),
    ("BLUEPRINT_PROMOTED", "another state", of_contributor(state="OBSOLETE_MERGED")),
    ("BRANCH_OPENED", "a base never canonical", of_body(base_digest="0" * 64)),
    ("VC_NULLIFY", "a live state", of_body(status="OPEN")),
    ("VC_NULLIFY", "another counter", of_body(last_counter="77")),
]


@pytest.mark.parametrize(
    ("kind", "change"),
    [(k, c) for k, _, c in FORGERIES],
    ids=[f"{k}: {n}" for k, n, _ in FORGERIES],
)
def test_an_act_that_was_never_allowed_is_named(kind: str, change: Change) -> None:
    index = index_of(lived(), kind)
    records = forged(lived(), index, body=change)
    assert verified(records)
    with pytest.raises(ReplayDiverged) as caught:
        replayed(records)
    assert caught.value.facts["index"] == index


def test_a_revert_publishes_what_it_names() -> None:
    records = lived()
    bodies = {seq: orjson.loads(records.get(KEYS.body(seq), b"{}")) for seq in range(1, 1_000)}
    index = next(seq for seq, body in bodies.items() if body.get("how") == "revert")
    changed = forged(records, index, body=of_body(size_bytes=12_345))
    with pytest.raises(ReplayDiverged) as caught:
        replayed(changed)
    assert caught.value.facts["index"] == index
