"""A transaction that etcd would refuse cannot be made."""

from __future__ import annotations

import pytest

from bps.core.errors import TooLarge
from bps.core.txn import (
    MAX_REQUEST_BYTES,
    Compare,
    Delete,
    Exists,
    Fence,
    Put,
    Target,
    Txn,
    absent,
    unchanged,
)
from bps.store.etcd import codec


def test_128_compares_and_128_operations_are_the_limit() -> None:
    compares = tuple(absent(b"c%d" % i) for i in range(129))
    operations = tuple(Delete(b"o%d" % i) for i in range(129))
    assert len(Txn(compares[:128], operations[:128]).operations) == 128
    with pytest.raises(TooLarge) as many:
        Txn(compares, ())
    assert many.value.facts == {"compares": 129, "operations": 0}
    with pytest.raises(TooLarge):
        Txn((), operations)


def test_one_and_a_half_mib_are_the_limit() -> None:
    fixed = Txn((), (Put(b"k", b""),)).size_bytes
    assert Txn((), (Put(b"k", b"x" * (MAX_REQUEST_BYTES - fixed)),)).size_bytes == MAX_REQUEST_BYTES
    with pytest.raises(TooLarge) as large:
        Txn((), (Put(b"k", b"x" * (MAX_REQUEST_BYTES - fixed + 1)),))
    assert large.value.facts == {"size_bytes": MAX_REQUEST_BYTES + 1}
    assert not large.value.retryable


def test_the_counted_size_is_not_below_that_on_the_wire() -> None:
    compares = tuple(unchanged(b"k" * n, 2**62) for n in (1, 90, 200))
    puts = tuple(
        Put(b"p%d" % n + b"k" * 120, b"v" * n, 2**62) for n in (0, 1, 200, 20_000, 900_000)
    )
    for txn in (
        Txn((Fence(b"f" * 30, 2**62).compare, *compares, Exists(b"e" * 130)), puts),
        Txn(compares[:1], (Delete(b"d" * 200),)),
    ):
        request, _ = codec.commit_request(txn)
        assert txn.size_bytes >= request.ByteSize()


@pytest.mark.parametrize(
    "operations",
    [
        (Put(b"k", b"1"), Put(b"k", b"2")),
        (Put(b"k", b"1"), Delete(b"k")),
        (Delete(b"k"), Delete(b"k")),
    ],
)
def test_a_key_is_written_once(operations: tuple[Put | Delete, ...]) -> None:
    with pytest.raises(ValueError, match="twice"):
        Txn((), operations)


def test_what_the_conditions_compare() -> None:
    assert absent(b"k") == Compare(b"k", Target.CREATE_REVISION, 0)
    assert unchanged(b"k", 7) == Compare(b"k", Target.MOD_REVISION, 7)
    assert Fence(b"k", 5).compare == Compare(b"k", Target.CREATE_REVISION, 5)
