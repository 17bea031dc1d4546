"""`Txn` and reads to the gateway's JSON and back: base64 keys and values, int64 as decimal text.

The gateway leaves out what is zero, false or empty. A decoder raises KeyError, TypeError or
ValueError for what etcd does not answer, so that nobody takes a stranger's `{}` for a conflict.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from typing import Any

from bps.core.ports import Key, Lease, MemberStatus, Page, Read, Snapshot
from bps.core.txn import KV, Committed, Compare, Condition, Conflict, Operation, Put, Target, Txn
from bps.store.alarms import alarms_of
from bps.store.prefixes import prefix_range
from bps.store.versions import defects_of

Document = dict[str, Any]


def _text(content: bytes) -> str:
    return b2a_base64(content, newline=False).decode()


def _bytes(text: str) -> bytes:
    return a2b_base64(text, strict_mode=True)


def read_request(read: Read) -> Document:
    """A RangeRequest at the newest revision."""
    if isinstance(read, Key):
        asked: Document = {"key": _text(read.key)}
        if read.keys_only:
            asked["keys_only"] = True
        return asked
    start, end = prefix_range(read.prefix)
    asked = {"key": _text(start), "range_end": _text(end)}
    if read.limit:
        asked["limit"] = str(read.limit)
    if read.descending:
        asked["sort_order"] = "DESCEND"
    return asked


def range_request(start: bytes, end: bytes, revision: int, **options: object) -> Document:
    """A RangeRequest of [start, end) at `revision` (0: the newest)."""
    asked = {"key": _text(start), "range_end": _text(end), **options}
    return {**asked, "revision": str(revision)} if revision else asked


def snapshot_request(reads: Sequence[Read], *, serializable: bool = False) -> Document:
    """One transaction without compares that holds all `reads` (1 to 128).

    etcd answers it without a quorum only where each of its ranges is serializable.
    """
    ranges = [read_request(read) for read in reads]
    if serializable:
        ranges = [{**asked, "serializable": True} for asked in ranges]
    return {"success": [{"request_range": asked} for asked in ranges]}


def snapshot_answer(document: Document) -> Snapshot:
    """The answers in the order of the reads."""
    answers = document["responses"]
    return Snapshot(
        _revision(document), tuple([kvs(answer["response_range"]) for answer in answers])
    )


def commit_request(txn: Txn) -> tuple[Document, tuple[bytes, ...]]:
    """The transaction, and its compared keys in the order of the else branch's reads."""
    compared = tuple(dict.fromkeys(condition.key for condition in txn.compares))
    request = {
        "compare": [_condition(condition) for condition in txn.compares],
        "success": [_operation(operation) for operation in txn.operations],
        # Always the newest: a read at a fixed revision inside a write transaction makes members
        # diverge when that revision is compacted (etcd #18667).
        "failure": [{"request_range": {"key": _text(key)}} for key in compared],
    }
    return request, compared


def _condition(condition: Condition) -> Document:
    key = _text(condition.key)
    if not isinstance(condition, Compare):
        return {"key": key, "target": "CREATE", "result": "GREATER", "create_revision": "0"}
    value = str(condition.value)
    if condition.target is Target.MOD_REVISION:
        return {"key": key, "target": "MOD", "result": "EQUAL", "mod_revision": value}
    return {"key": key, "target": "CREATE", "result": "EQUAL", "create_revision": value}


def _operation(operation: Operation) -> Document:
    key = _text(operation.key)
    if not isinstance(operation, Put):
        return {"request_delete_range": {"key": key}}
    put = {"key": key, "value": _text(operation.value)}
    if operation.lease_id:
        put["lease"] = str(operation.lease_id)
    return {"request_put": put}


def commit_answer(document: Document, compared: tuple[bytes, ...]) -> Committed | Conflict:
    """What became of the transaction."""
    revision = _revision(document)
    if document.get("succeeded", False) is True:
        return Committed(revision)
    present: dict[bytes, KV | None] = {}
    for key, answer in zip(compared, document.get("responses", ()), strict=True):
        found = kvs(answer["response_range"])
        present[key] = found[0] if found else None
    return Conflict(revision, present)


def page_answer(document: Document, revision: int) -> Page:
    """A page at `revision`, or at the answer's where that is 0."""
    return Page(revision or _revision(document), kvs(document), document.get("more", False) is True)


def count_answer(document: Document) -> int:
    """How many keys the range holds."""
    _revision(document)
    return int(document.get("count", 0))


def kvs(document: Document) -> tuple[KV, ...]:
    """The keys of a RangeResponse, in its order."""
    return tuple([_kv(kv) for kv in document.get("kvs", ())])


def _kv(kv: Document) -> KV:
    return KV(
        _bytes(kv["key"]),
        _bytes(kv.get("value", "")),
        int(kv["create_revision"]),
        int(kv["mod_revision"]),
        int(kv.get("lease", 0)),
    )


def _revision(document: Document) -> int:
    return int(document["header"]["revision"])


def lease_answer(document: Document) -> Lease:
    """A granted lease."""
    return Lease(int(document["ID"]), int(document["TTL"]))


def keepalive_answer(document: Document) -> int:
    """The new TTL in seconds; 0 if there is no such lease."""
    result = document["result"]
    _revision(result)
    return int(result.get("TTL", 0))


def done(document: Document) -> int:
    """The revision that every answer of etcd has."""
    return _revision(document)


def status_answer(document: Document, endpoint: str) -> MemberStatus:
    """A member as it sees itself."""
    header, version = document["header"], str(document["version"])
    return MemberStatus(
        endpoint=endpoint,
        version=version,
        cluster_id=int(header["cluster_id"]),
        member_id=int(header["member_id"]),
        leader_id=int(document.get("leader", 0)),
        raft_term=int(document.get("raftTerm", 0)),
        revision=int(header["revision"]),
        db_size_bytes=int(document["dbSize"]),
        alarms=alarms_of(map(str, document.get("errors", ()))),
        defects=defects_of(version),
        in_use_bytes=int(document.get("dbSizeInUse", 0)),
        quota_bytes=int(document.get("dbSizeQuota", 0)),
    )
