"""`bps verify`: is the log what was once written? Hashes stored bytes, re-encodes nothing (R10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from bps.core import keys
from bps.core.chain import Break, ChainVerifier, Claim, Link
from bps.core.codec import Decimal, Record, sha256_hex
from bps.core.errors import ChainBroken, DigestMismatch, ReceiptRefuted
from bps.core.ports import Store
from bps.plans.blob import unpack
from bps.plans.results import Receipt
from bps.replay.log import Bodies, PinnedLog, pages, pin

_PAGE_BLOBS = 16
_EVENTS_AT_ONCE = 50
"""Others have their turn after so many: a page would hold a service's event loop up for 80 ms."""


class MergesVerified(Record):
    """Promotions whose blueprint was `made_again`, byte for byte, and those where that cannot be.

    `without_blueprints`: one of those that were merged is stored no more. `without_policy`: nor is
    the policy whose strategies were used. `by_another_engine`: this release merges with another.
    """

    KIND: ClassVar[str] = "merges_verified"

    made_again: Decimal
    without_blueprints: Decimal
    without_policy: Decimal
    by_another_engine: Decimal


class Verified(Record):
    """A log that verifies. `revision` is the store's at which all of it was read.

    `receipt` is true where the log holds the receipt that was given, null where none was.
    `checkpointed` is the newest event that a witness outside the log names (a checkpoint, a
    mirror), and that the log holds; null where there was none. `merges` is null where that was not
    asked for (`bps.replay.merges`).
    """

    KIND: ClassVar[str] = "verified"

    plan: str
    events: Decimal
    head: str
    blobs: int
    revision: Decimal
    receipt: Literal[True] | None
    checkpointed: Decimal | None
    merges: MergesVerified | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """One event whose link and body are sound: the envelope's parsed fields, the body's bytes."""

    seq: int
    body: bytes
    fields: dict[str, Any]
    hash: str


async def verify(
    store: Store, plan: str, receipt: Receipt | None = None, claims: Iterable[Claim] = ()
) -> Verified:
    """Check envelopes, bodies and blobs of one plan, and that the log bears out all witnesses.

    Read the `claims` before this is called: the log only grows. Cost: one read of the head, then
    pages of 1,000 events; about 20 us an event. Memory is flat, but for the claims.

    Raises:
        NotFound: no such plan.
        ChainBroken: facts name the first bad index.
        DigestMismatch: a blob does not hold what its name says.
        ReceiptRefuted: all else is sound, but the log does not hold the `receipt`.
    """
    by_seq: dict[int, list[Claim]] = {}
    claimed = list(claims)
    for claim in claimed:
        by_seq.setdefault(claim.seq, []).append(claim)
    receipt_hash = None
    log = await pin(store, plan)
    async with aclosing(checked_events(store, log)) as events:
        async for event in events:
            for claim in by_seq.pop(event.seq, ()):
                if event.hash != claim.hash:
                    why = f"its hash is not that of the {claim.source}: history was rewritten"
                    raise broken(plan, Break(event.seq, why))
            if receipt is not None and event.seq == receipt.seq:
                receipt_hash = event.hash
    for missing in sorted(by_seq):
        why = (
            f"the {by_seq[missing][0].source} names it, but the log ends at {log.head.seq}: events "
            "were removed"
        )
        raise broken(plan, Break(missing, why))
    blobs = await _verify_blobs(store, log)
    if receipt is not None and receipt.hash != receipt_hash:
        raise _refuted(receipt, log.head.seq)
    return Verified(
        plan=plan,
        events=log.head.seq,
        head=log.head.hash,
        blobs=blobs,
        revision=log.revision,
        receipt=True if receipt is not None else None,
        checkpointed=max((claim.seq for claim in claimed), default=None),
    )


def _refuted(receipt: Receipt, end: int) -> ReceiptRefuted:
    """Whether the receipt or the log is false, the log alone cannot tell."""
    why = (
        f"the log ends at {end}: the receipt is of another log, or events were removed"
        if receipt.seq > end
        else "the event has another hash: the receipt is false, or history was rewritten"
    )
    message = f"{receipt.plan}: the log does not hold the receipt of event {receipt.seq}: {why}."
    return ReceiptRefuted(message, plan=receipt.plan, index=receipt.seq)


async def checked_events(store: Store, log: PinnedLog) -> AsyncGenerator[Checked, None]:
    """The events of a log in order, each after its body and the link *to* it were checked.

    An event is yielded once the next one's link vouches for it, so a consumer never sees a bad one.

    Raises:
        ChainBroken: at the first bad index.
    """
    plan_keys = keys.PlanKeys(log.plan)
    verifier = ChainVerifier(log.plan)
    bodies = Bodies(store, log)
    held: Checked | None = None
    try:
        found = pages(
            store, plan_keys.events, log.revision, key_of=plan_keys.event, last=log.head.seq
        )
        async with aclosing(found) as event_pages:
            async for page in event_pages:
                for kv in page:
                    seq = keys.last_number(kv.key)
                    if seq is None:
                        why = f"a key that is no event follows: {kv.key.decode(errors='replace')}"
                        raise broken(log.plan, Break(verifier.count + 1, why))
                    if bad := verifier.feed(Link(seq, kv.value)):
                        raise broken(log.plan, bad)
                    if seq % _EVENTS_AT_ONCE == 0:
                        await asyncio.sleep(0)
                    if verifier.count != seq:
                        continue
                    if held is not None:
                        yield held
                    held = await _with_body(bodies, plan_keys.body(seq), verifier)
        if bad := verifier.finish(log.head.seq, log.head.hash):
            raise broken(log.plan, bad)
        if held is not None:
            if held.fields.get("time_ms") != log.head.time_ms:
                why = "its time is not the one that the head names"
                raise broken(log.plan, Break(held.seq, why))
            yield held
        if await store.count(plan_keys.bodies, revision=log.revision) != log.head.seq:
            raise broken(log.plan, Break(log.head.seq + 1, "a body belongs to no event"))
    finally:
        await bodies.close()


async def _with_body(bodies: Bodies, key: bytes, verifier: ChainVerifier) -> Checked:
    seq, fields = verifier.count, verifier.fields
    body = await bodies.get(key)
    if body is None:
        raise broken(fields["plan"], Break(seq, "its body is missing"))
    if sha256_hex(body) != fields.get("body_digest"):
        raise broken(fields["plan"], Break(seq, "its body does not have the envelope's digest"))
    return Checked(seq, body, fields, verifier.digest)


async def _verify_blobs(store: Store, log: PinnedLog) -> int:
    prefix = keys.PlanKeys(log.plan).blobs
    count = 0
    async with aclosing(pages(store, prefix, log.revision, limit=_PAGE_BLOBS)) as blob_pages:
        async for page in blob_pages:
            for kv in page:
                await asyncio.sleep(0)
                name = kv.key[len(prefix) :].decode(errors="replace")
                try:
                    unpack(kv.value, name)
                except DigestMismatch as error:
                    error.facts["plan"] = log.plan
                    raise
                count += 1
    return count


def broken(plan: str, bad: Break) -> ChainBroken:
    """The error that names the first bad index."""
    return ChainBroken(
        f"{plan}: the log is broken at event {bad.index}: {bad.why}.", plan=plan, index=bad.index
    )
