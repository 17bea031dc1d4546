"""Messages in and out, without a server."""

from __future__ import annotations

import pytest

from bps.core.ports import Key, Prefix, WatchBatch
from bps.core.txn import Delete, Exists, Put, Txn, absent, unchanged
from bps.store.etcd import codec
from bps.store.etcd._proto import bps_etcd_pb2 as pb
from bps.store.prefixes import prefix_range


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        (b"a/", (b"a/", b"a0")),
        (b"a\xff", (b"a\xff", b"b")),
        (b"a\xfe\xff\xff", (b"a\xfe\xff\xff", b"a\xff")),
        (b"\xff\xff", (b"\xff\xff", b"\0")),
        (b"", (b"\0", b"\0")),
    ],
)
def test_a_prefix_is_a_range(prefix: bytes, expected: tuple[bytes, bytes]) -> None:
    assert prefix_range(prefix) == expected


def test_no_read_of_a_write_transaction_is_at_a_fixed_revision() -> None:
    """With a compacted revision, members would diverge silently (etcd #18667)."""
    txn = Txn((absent(b"a"), unchanged(b"b", 7), Exists(b"b")), (Put(b"a", b"1", 5), Delete(b"c")))
    request, compared = codec.commit_request(txn)
    assert compared == (b"a", b"b")
    assert [read.request_range.key for read in request.failure] == [b"a", b"b"]
    assert all(read.request_range.revision == 0 for read in request.failure)
    assert [op.WhichOneof("request") for op in request.success] == [
        "request_put",
        "request_delete_range",
    ]
    assert [compare.WhichOneof("target_union") for compare in request.compare] == [
        "create_revision",
        "mod_revision",
        "create_revision",
    ]


def test_the_sizes_that_a_transaction_promises_are_upper_bounds() -> None:
    """`Txn` refuses by its own estimate; etcd must never find one larger."""
    keys = [b"/haios/bps/v1/plans/ep-42/%04d" % n for n in range(128)]
    big = 2**63 - 1
    txn = Txn(
        tuple(unchanged(key, big) for key in keys),
        tuple(Put(key, b"x" * 10_000, big) for key in keys),
    )
    request, _ = codec.commit_request(txn)
    assert request.ByteSize() <= txn.size_bytes


def test_ascending_reads_ask_for_no_sorting() -> None:
    """etcd fetches the whole range to sort it, whatever the limit."""
    request = codec.snapshot_request(
        [Key(b"k"), Prefix(b"p/", limit=3), Prefix(b"p/", limit=3, descending=True)]
    )
    key, ascending, descending = (op.request_range for op in request.success)
    assert not key.range_end
    assert ascending.sort_order == pb.RangeRequest.SortOrder.NONE
    assert descending.sort_order == pb.RangeRequest.SortOrder.DESCEND


def event(revision: int, key: bytes = b"k") -> pb.Event:
    return pb.Event(kv=pb.KeyValue(key=key, mod_revision=revision))


def test_events_are_grouped_by_revision_and_never_repeated() -> None:
    events = [event(4), event(5, b"a"), event(5, b"b"), event(7)]
    found = codec.batches(events, next_revision=5)
    assert [(batch.revision, [e.kv.key for e in batch.events]) for batch in found] == [
        (5, [b"a", b"b"]),
        (7, [b"k"]),
    ]
    assert codec.batches(events, next_revision=8) == list[WatchBatch]()
