"""`Txn` and reads to etcd's messages and back. Hot path: messages are filled in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bps.core.ports import Key, Prefix, Read, Snapshot, WatchBatch, WatchEvent
from bps.core.txn import KV, Committed, Compare, Conflict, Put, Target, Txn
from bps.store.etcd._proto import bps_etcd_pb2 as pb
from bps.store.prefixes import prefix_range

_DESCEND = pb.RangeRequest.SortOrder.DESCEND
_DELETE = pb.Event.EventType.DELETE
_GREATER = pb.Compare.CompareResult.GREATER
_CREATE = pb.Compare.CompareTarget.CREATE
_MOD = pb.Compare.CompareTarget.MOD


def snapshot_request(reads: Sequence[Read], *, serializable: bool = False) -> pb.TxnRequest:
    """One transaction without compares that holds all `reads` (1 to 128).

    etcd answers it without a quorum only where each of its ranges is serializable.
    """
    request = pb.TxnRequest()
    add = request.success.add
    for read in reads:
        asked = add().request_range
        asked.serializable = serializable
        if isinstance(read, Key):
            asked.key = read.key
            asked.keys_only = read.keys_only
        else:
            _fill_prefix(asked, read)
    return request


def _fill_prefix(asked: pb.RangeRequest, read: Prefix) -> None:
    asked.key, asked.range_end = prefix_range(read.prefix)
    asked.limit = read.limit
    if read.descending:
        asked.sort_order = _DESCEND


def snapshot_answer(response: pb.TxnResponse) -> Snapshot:
    """The answers in the order of the reads."""
    return Snapshot(
        response.header.revision,
        tuple(kvs(answer.response_range.kvs) for answer in response.responses),
    )


def commit_request(txn: Txn) -> tuple[pb.TxnRequest, tuple[bytes, ...]]:
    """The transaction, and its compared keys in the order of the else branch's reads."""
    request = pb.TxnRequest()
    add_compare = request.compare.add
    for condition in txn.compares:
        if not isinstance(condition, Compare):
            add_compare(key=condition.key, target=_CREATE, result=_GREATER, create_revision=0)
        elif condition.target is Target.MOD_REVISION:
            add_compare(key=condition.key, target=_MOD, mod_revision=condition.value)
        else:
            add_compare(key=condition.key, target=_CREATE, create_revision=condition.value)
    add_operation = request.success.add
    for operation in txn.operations:
        if isinstance(operation, Put):
            put = add_operation().request_put
            put.key = operation.key
            put.value = operation.value
            if operation.lease_id:
                put.lease = operation.lease_id
        else:
            add_operation().request_delete_range.key = operation.key
    compared = tuple(dict.fromkeys(condition.key for condition in txn.compares))
    add_read = request.failure.add
    for key in compared:
        # Always the newest: a read at a fixed revision inside a write transaction makes members
        # diverge when that revision is compacted (etcd #18667).
        add_read().request_range.key = key
    return request, compared


def commit_answer(response: pb.TxnResponse, compared: tuple[bytes, ...]) -> Committed | Conflict:
    """What became of the transaction."""
    revision = response.header.revision
    if response.succeeded:
        return Committed(revision)
    present: dict[bytes, KV | None] = {}
    for key, answer in zip(compared, response.responses, strict=True):
        found = answer.response_range.kvs
        present[key] = _kv(found[0]) if found else None
    return Conflict(revision, present)


def kvs(found: Iterable[pb.KeyValue]) -> tuple[KV, ...]:
    """Stored keys, in the order given."""
    return tuple([_kv(kv) for kv in found])


def _kv(kv: pb.KeyValue) -> KV:
    return KV(kv.key, kv.value, kv.create_revision, kv.mod_revision, kv.lease)


def batches(events: Iterable[pb.Event], next_revision: int) -> list[WatchBatch]:
    """`events` by revision, without those before `next_revision` (delivered already).

    etcd never splits a revision over two answers unless it is asked for fragments.
    """
    grouped: dict[int, list[WatchEvent]] = {}
    for event in events:
        kv = _kv(event.kv)
        if kv.mod_revision >= next_revision:
            change = WatchEvent(kv, event.type == _DELETE)
            grouped.setdefault(kv.mod_revision, []).append(change)
    return [WatchBatch(revision, tuple(changes)) for revision, changes in grouped.items()]
