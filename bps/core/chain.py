"""The hash chain over stored envelope bytes; knows nothing of etcd or of what events mean (R10).

Event k names the SHA-256 of event k-1's bytes; the head names that of the last. Hashing the
stored bytes (not a re-encoding) keeps verification at about a microsecond an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from bps.core.codec import sha256_hex

GENESIS = "0" * 64
"""`prev` of the first event."""


@dataclass(frozen=True, slots=True)
class Link:
    """One stored envelope: its number from the key, and its bytes."""

    seq: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Break:
    """The first bad index of a chain, and why it is bad."""

    index: int
    why: str


@dataclass(frozen=True, slots=True)
class Claim:
    """That a log holds event `seq` with this hash. `source` is the witness who says so."""

    seq: int
    hash: str
    source: str


@dataclass(frozen=True, slots=True)
class _Parsed:
    seq: int
    prev: str
    digest: str


class ChainVerifier:
    """Verifies one plan's envelopes, fed in key order; constant memory.

    A wrong `prev` accuses two neighbours: event k-1 (its bytes changed) or event k (its `prev`
    changed). The verdict waits for the next link: if event k+1 vouches for k's bytes, k-1 is bad.
    `fields` are those of the envelope fed last, parsed but not validated further.
    """

    def __init__(self, plan: str) -> None:
        self._plan = plan
        self._last: _Parsed | None = None
        self._suspect: _Parsed | None = None
        self.fields: dict[str, Any] = {}

    @property
    def count(self) -> int:
        """How many links were accepted so far."""
        return self._last.seq if self._last else 0

    @property
    def digest(self) -> str:
        """The hash of the last accepted link."""
        return self._last.digest if self._last else GENESIS

    def feed(self, link: Link) -> Break | None:
        """Take the next envelope; the break that it reveals, if any."""
        parsed = self._parse(link)
        if self._suspect is not None:
            vouched = isinstance(parsed, _Parsed) and parsed.prev == self._suspect.digest
            return self._accuse(self._suspect, vouched=vouched)
        if isinstance(parsed, Break):
            return parsed
        if parsed.prev != self.digest:
            if self._last is None:
                return Break(1, "its prev is not the genesis value")
            self._suspect = parsed
            return None
        self._last = parsed
        return None

    def finish(self, head_seq: int, head_hash: str) -> Break | None:
        """Compare the end of the log with the head; the break found, if any."""
        if self._suspect is not None:
            return self._accuse(self._suspect, vouched=head_hash == self._suspect.digest)
        if self.count != head_seq:
            if self.count < head_seq:
                return Break(self.count + 1, f"it is missing: the head names {head_seq} events")
            return Break(head_seq + 1, f"the head names {head_seq} events only")
        if self.digest != head_hash:
            return Break(self.count, "its bytes do not have the hash that the head names")
        return None

    def _parse(self, link: Link) -> _Parsed | Break:
        before = self._suspect or self._last
        expected_seq = before.seq + 1 if before else 1
        if link.seq != expected_seq:
            return Break(expected_seq, f"it is missing: event {link.seq} follows")
        try:
            fields = orjson.loads(link.data)
        except orjson.JSONDecodeError:
            return Break(link.seq, "its envelope is not JSON")
        prev = fields.get("prev") if isinstance(fields, dict) else None
        if not isinstance(prev, str):
            return Break(link.seq, "its envelope has no prev")
        if fields.get("seq") != str(link.seq) or fields.get("plan") != self._plan:
            return self._displaced(link, fields)
        self.fields = fields
        return _Parsed(link.seq, prev, sha256_hex(link.data))

    def _displaced(self, link: Link, fields: dict[str, object]) -> Break:
        """An envelope that names another place; where that is the last one's, that was inserted."""
        last = None if self._suspect else self._last
        # A copy of the last event is no witness against it.
        other = last is not None and sha256_hex(link.data) != last.digest
        if last and other and (fields.get("seq"), fields.get("prev")) == (str(last.seq), last.prev):
            return Break(last.seq, "it was inserted: the next event names its place")
        return Break(link.seq, "its envelope names another place in the log")

    @staticmethod
    def _accuse(suspect: _Parsed, *, vouched: bool) -> Break:
        if vouched:
            return Break(
                suspect.seq - 1, "its bytes do not have the hash that the next event names"
            )
        return Break(suspect.seq, "its link to the event before it is broken")


def first_break(plan: str, links: Iterable[Link], head_seq: int, head_hash: str) -> Break | None:
    """Verify a whole log held in memory; None where it is sound."""
    verifier = ChainVerifier(plan)
    found: Iterator[Break | None] = (verifier.feed(link) for link in links)
    return next((broken for broken in found if broken), None) or verifier.finish(
        head_seq, head_hash
    )
