"""JSON in and out, without a server."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.core.ports import Key, Prefix
from bps.core.txn import (
    KV,
    Committed,
    Compare,
    Condition,
    Conflict,
    Delete,
    Exists,
    Put,
    Target,
    Txn,
    absent,
    unchanged,
)
from bps.store.etcd import codec as etcd_codec
from bps.store.etcd._proto import bps_etcd_pb2 as pb
from bps.store.gateway import codec

_INT64 = st.integers(0, 2**63 - 1)
_KEYS = st.binary(min_size=1, max_size=8)
_CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Compare, _KEYS, st.sampled_from(Target), _INT64), st.builds(Exists, _KEYS)
)
_OPERATIONS = st.lists(
    st.one_of(st.builds(Put, _KEYS, st.binary(max_size=8), _INT64), st.builds(Delete, _KEYS)),
    unique_by=lambda operation: operation.key,
    max_size=4,
)


def _as_etcd_reads_it(document: dict[str, Any]) -> pb.TxnRequest:
    """As grpc-gateway does: protobuf's JSON form, by the names of etcd's .proto."""
    request = pb.TxnRequest()
    names = {"EQUAL": 0, "GREATER": 1, "CREATE": 1, "MOD": 2}
    for each in document.get("compare", ()):
        request.compare.add(
            key=codec._bytes(each["key"]),
            result=names[each["result"]],
            target=names[each["target"]],
            **{
                name: int(each[name])
                for name in ("create_revision", "mod_revision")
                if name in each
            },
        )
    for branch in ("success", "failure"):
        for each in document.get(branch, ()):
            ((kind, fields),) = each.items()
            made = getattr(getattr(request, branch).add(), kind)
            made.SetInParent()
            for name, value in fields.items():
                is_bytes = isinstance(getattr(made, name), bytes)
                setattr(made, name, codec._bytes(value) if is_bytes else int(value))
    return request


@given(st.lists(_CONDITIONS, max_size=4), _OPERATIONS)
def test_a_transaction_says_the_same_as_over_grpc(
    compares: list[Condition], operations: list[Put | Delete]
) -> None:
    txn = Txn(tuple(compares), tuple(operations))
    document, compared = codec.commit_request(txn)
    request, same = etcd_codec.commit_request(txn)
    assert compared == same
    assert _as_etcd_reads_it(orjson.loads(orjson.dumps(document))) == request


def test_no_read_of_a_write_transaction_is_at_a_fixed_revision() -> None:
    """With a compacted revision, members would diverge silently (etcd #18667)."""
    txn = Txn((absent(b"a"), unchanged(b"b", 7), Exists(b"b")), (Put(b"a", b"1", 5), Delete(b"c")))
    document, compared = codec.commit_request(txn)
    assert compared == (b"a", b"b")
    assert document["failure"] == [
        {"request_range": {"key": "YQ=="}},
        {"request_range": {"key": "Yg=="}},
    ]


def test_ascending_reads_ask_for_no_sorting() -> None:
    """etcd fetches the whole range to sort it, whatever the limit."""
    document = codec.snapshot_request(
        [Key(b"k"), Prefix(b"p/", limit=3), Prefix(b"p/", limit=3, descending=True)]
    )
    key, ascending, descending = (each["request_range"] for each in document["success"])
    assert key == {"key": "aw=="}
    assert ascending == {"key": "cC8=", "range_end": "cDA=", "limit": "3"}
    assert descending["sort_order"] == "DESCEND"


@given(_KEYS, st.binary(max_size=8), *[_INT64] * 3)
def test_numbers_beyond_2_to_the_53_and_any_bytes_arrive_whole(
    key: bytes, value: bytes, created: int, modified: int, lease: int
) -> None:
    stored = {
        "key": codec._text(key),
        "create_revision": str(created),
        "mod_revision": str(modified),
        "value": codec._text(value),
        "lease": str(lease),
    }
    sent = {name: text for name, text in stored.items() if text not in {"", "0"}}
    if created and modified:
        assert codec.kvs({"kvs": [sent]}) == (KV(key, value, created, modified, lease),)


_HEADER = {"revision": "9"}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"succeeded": True},
        {"header": {}},
        {"header": _HEADER},
        {"header": _HEADER, "responses": []},
        {"header": _HEADER, "responses": [{}]},
        {"header": _HEADER, "responses": [{"response_range": {}}] * 2},
        {"header": _HEADER, "responses": [{"response_range": {"kvs": [{"key": "YQ=="}]}}]},
        {"header": _HEADER, "responses": [{"response_range": {"kvs": [{"key": "?"}]}}]},
        {"header": {"revision": "x"}, "succeeded": True},
        {"header": [], "succeeded": True},
        {"header": _HEADER, "succeeded": "true"},
    ],
    ids=str,
)
def test_a_strangers_answer_is_no_outcome(document: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        codec.commit_answer(document, (b"a",))


def test_outcomes() -> None:
    assert codec.commit_answer({"header": _HEADER, "succeeded": True}, (b"a",)) == Committed(9)
    empty = {"header": _HEADER, "responses": [{"response_range": {"header": _HEADER}}]}
    assert codec.commit_answer(empty, (b"a",)) == Conflict(9, {b"a": None})
