"""What a decision may read: keys of one snapshot, and honest about what it has not read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from bps.core.ports import Key, Prefix, Read, Snapshot
from bps.core.txn import KV
from bps.writepath.prepare import NotPrepared, Work

T = TypeVar("T")


class NotRead(Exception):
    """A decision asked for keys that the snapshot lacks; the loop reads them and decides again."""

    def __init__(self, reads: Sequence[Read]) -> None:
        super().__init__(f"{len(reads)} reads missing")
        self.reads = tuple(reads)


class View:
    """Keys and completely read prefixes, with the values they had at one revision.

    `guessed` names keys that a decision took for absent without reading them: the transaction's
    compare proves the guess, or its failure brings the value.
    """

    def __init__(self, *, fresh: bool) -> None:
        self.fresh = fresh
        self.guessed: set[bytes] = set()
        self.prepared: Mapping[Work[Any], Any] = {}
        self._kvs: dict[bytes, KV | None] = {}
        self._complete: set[bytes] = set()
        self._decoded: dict[bytes, tuple[KV, Any]] = {}

    def get(self, key: bytes) -> KV | None:
        """The key's value, or None where it is known to be absent.

        Raises:
            NotRead: the snapshot says nothing about this key.
        """
        try:
            return self._kvs[key]
        except KeyError:
            if any(key.startswith(prefix) for prefix in self._complete):
                return None
            raise NotRead([Key(key)]) from None

    def result_of(self, work: Work[T]) -> T:
        """The result of heavy work that was done before the decision.

        Raises:
            NotPrepared: it was not; the loop does it and decides again.
        """
        try:
            found: T = self.prepared[work]
        except KeyError:
            raise NotPrepared(work) from None
        return found

    def decoded(self, kv: KV, decode: Callable[[KV], T]) -> T:
        """What `decode` makes of a value of this view, once for all decisions on it.

        What lies at one key is always decoded alike, and never changed afterwards.
        """
        known = self._decoded.get(kv.key)
        if known is None or known[0] is not kv:
            known = self._decoded[kv.key] = kv, decode(kv)
        found: T = known[1]
        return found

    def get_all(self, wanted: Iterable[bytes]) -> list[KV | None]:
        """Several keys. Raises NotRead that names all the missing ones together."""
        found: list[KV | None] = []
        missing: list[Read] = []
        for key in wanted:
            try:
                found.append(self.get(key))
            except NotRead as unread:
                missing.extend(unread.reads)
        if missing:
            raise NotRead(missing)
        return found

    def get_or_guess_absent(self, key: bytes) -> KV | None:
        """The key's value; a key that was not read is taken for absent, which a compare proves."""
        try:
            return self.get(key)
        except NotRead:
            self.guessed.add(key)
            return None

    def under(self, prefix: bytes) -> list[KV]:
        """All keys that start with `prefix`, ascending. Raises NotRead where not all were read."""
        if not any(prefix.startswith(complete) for complete in self._complete):
            raise NotRead([Prefix(prefix)])
        return sorted(
            (kv for key, kv in self._kvs.items() if kv is not None and key.startswith(prefix)),
            key=lambda kv: kv.key,
        )

    def learn(self, reads: Sequence[Read], snapshot: Snapshot) -> None:
        """Take in the answers of the store to `reads`."""
        for read, kvs in zip(reads, snapshot.answers, strict=True):
            if isinstance(read, Key):
                self._kvs[read.key] = kvs[0] if kvs else None
                continue
            self._kvs.update((kv.key, kv) for kv in kvs)
            if read.limit == 0 or len(kvs) < read.limit:
                self._complete.add(read.prefix)

    def put(self, key: bytes, kv: KV | None) -> None:
        """Take in one key's value learned from a commit or from a failed compare."""
        self._kvs[key] = kv

    def forget(self, keys: Iterable[bytes]) -> None:
        """Drop what is known of single keys."""
        for key in keys:
            self._kvs.pop(key, None)

    def copy(self) -> View:
        """A copy that can learn without changing this one; not fresh."""
        copied = View(fresh=False)
        copied._kvs = dict(self._kvs)
        copied._complete = set(self._complete)
        return copied

    def within(self, root: bytes, exact: bytes) -> View:
        """The part of this view below `root`, and the key `exact`; for the cache."""
        part = View(fresh=False)
        part._kvs = {k: kv for k, kv in self._kvs.items() if k.startswith(root) or k == exact}
        part._complete = {prefix for prefix in self._complete if prefix.startswith(root)}
        return part

    def __len__(self) -> int:
        return len(self._kvs)
