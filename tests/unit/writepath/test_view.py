"""What a view decoded for one decision is there for the next on the same values."""

from __future__ import annotations

from bps.core.txn import KV
from bps.writepath.view import View


def test_a_value_is_decoded_once_and_again_once_it_moved() -> None:
    decoded: list[int] = []

    def number(kv: KV) -> int:
        decoded.append(kv.mod_revision)
        return int(kv.value)

    view = View(fresh=True)
    first, second = KV(b"k", b"7", 1, 1), KV(b"k", b"8", 1, 2)
    view.put(b"k", first)
    assert [view.decoded(first, number) for _ in range(3)] == [7, 7, 7]
    view.put(b"k", second)
    assert view.decoded(second, number) == 8
    assert decoded == [1, 2]
    assert view.copy().decoded(second, number) == 8
    assert decoded == [1, 2, 2]
