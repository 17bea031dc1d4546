"""Bytes that an earlier release stored are still read, and written again, byte for byte (R15).

`golden/{kind}.schema{n}.json` holds one record as it was stored, and a line feed. A file is never
changed: a new schema number gets a new file beside it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import bps
from bps.core.codec import SCHEMA, Record

GOLDEN = Path(__file__).parent / "golden"
ANSWERED_ONLY = {
    "conflict_sheet", "edited_file", "merges_verified", "notice_sheet", "origin_sheet",
    "replayed", "review_sheet", "side_sheet", "sync_report", "variant_sheet", "verified",
}  # fmt: skip
"""Kinds that are printed and never put into the store or into the record of an operation."""
SINCE_2 = {
    "applied_resolution", "merge_record", "origin_line", "origin_source", "origins", "review",
    "review_claim", "review_claimed", "review_completed", "review_conflict", "review_finding",
    "review_opened", "review_rejected", "review_resolution", "review_resolved", "review_result",
    "review_superseded", "reviewed_branch", "validator_record",
}  # fmt: skip
"""Kinds that no release with schema 1 could write."""


def _kinds() -> dict[str, type[Record]]:
    for module in pkgutil.walk_packages(bps.__path__, "bps."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = [
        kind
        for kind in _subclasses(Record)
        if kind.__module__.startswith("bps.") and "KIND" in vars(kind)
    ]
    kinds = {kind.KIND: kind for kind in found}
    assert len(kinds) == len(found), "two records share a kind"
    return {name: kind for name, kind in kinds.items() if name not in ANSWERED_ONLY}


def _subclasses(kind: type[Record]) -> Iterator[type[Record]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


KINDS = _kinds()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_stored_kind_has_a_golden_file_of_each_schema(kind: str) -> None:
    present = {path.name for path in GOLDEN.glob(f"{kind}.schema*.json")}
    first = 2 if kind in SINCE_2 else 1
    assert present == {f"{kind}.schema{n}.json" for n in range(first, SCHEMA + 1)}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_old_bytes_are_read_and_written_again_exactly(path: Path) -> None:
    kind, _, schema = path.stem.partition(".schema")
    data = path.read_bytes().removesuffix(b"\n")
    record = KINDS[kind].decode(data)
    assert record.model_fields_set >= {
        name for name, field in KINDS[kind].model_fields.items() if field.is_required()
    }
    if int(schema) == SCHEMA:
        assert record.encode() == data
