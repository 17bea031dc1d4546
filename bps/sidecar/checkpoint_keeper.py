"""The leader's part in checkpoints: what changed since the last one, signed once a second (R10)."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from itertools import islice
from typing import Any, Final

from bps.checkpoints.advance import AdvanceCheckpoint
from bps.checkpoints.model import (
    MAX_HEADS,
    MAX_KEYS_COVERED,
    Checkpoint,
    CheckpointedHead,
    CheckpointTip,
)
from bps.checkpoints.uncovered import Uncovered, uncovered
from bps.core import keys
from bps.core.codec import sha256_hex
from bps.core.errors import BpsError, Compacted, IntegrityError
from bps.core.ports import Clock, Key, Store, WatchBatch
from bps.keyring.statement import Signer
from bps.plans.model import Head
from bps.sidecar.feed import Feed
from bps.sidecar.key_registration import Execute, KeyRegistration

INTERVAL_S: Final = 1.0
_BACKLOG_S: Final = 0.1
"""Where more waits than one checkpoint takes, so that a burst of writes is soon covered."""
_HEAD: Final = b"/head"

_log = logging.getLogger(__name__)


class CheckpointKeeper:
    """Run `run` as a task. `problem` says why no checkpoints are written, where that is so.

    Every sidecar keeps what no checkpoint covers yet, by the feed, so that a new leader goes on at
    once. After a gap it asks the store: from the tip's revision on, or all heads where that history
    is compacted. Cost under traffic: three round trips a second, or per 100 plans; without
    changes none.
    """

    def __init__(
        self,
        store: Store,
        feed: Feed,
        clock: Clock,
        *,
        signer: Signer | None,
        principal: str,
        execute: Execute,
        registration: KeyRegistration,
        writing: Callable[[], Awaitable[None]],
    ) -> None:
        """`writing` waits until this sidecar takes writes."""
        self._store = store
        self._feed = feed
        self._clock = clock
        self._signer = signer
        self._principal = principal
        self._execute = execute
        self._registration = registration
        self._writing = writing
        self._heads: dict[str, bytes] = {}
        self._keys: dict[str, str] = {}
        self._known = False
        self._changed = asyncio.Event()
        self._hurried = asyncio.Event()
        self.problem: BpsError | None = None
        self.diverged: set[str] = set()
        feed.listen(self._learn, on_gap=self._forget)

    @property
    def uncovered(self) -> int | None:
        """Plans whose last event no checkpoint names yet; None before that is known."""
        return len(self._heads) if self._known else None

    async def run(self) -> None:
        """Write checkpoints while this sidecar leads, the first at once, until cancelled."""
        while True:
            await self._changed.wait()
            await self._writing()
            self._hurried.clear()
            pause_s = INTERVAL_S
            if self._signer is not None:
                try:
                    pause_s = await self._advance(self._signer)
                except BpsError as error:
                    self._tell(error)
                else:
                    self.problem = None
            await self._rest(pause_s)

    def look_again(self) -> None:
        """There may be a sidecar whose key is not registered."""
        self._changed.set()
        self._hurried.set()

    async def _rest(self, pause_s: float) -> None:
        """Until the next checkpoint is due; a key waits for none, as its sidecar may lead soon."""
        sleeping = asyncio.create_task(self._clock.sleep(pause_s))
        hurrying = asyncio.create_task(self._hurried.wait())
        try:
            await asyncio.wait({sleeping, hurrying}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            hurrying.cancel()

    async def _advance(self, signer: Signer) -> float:
        """Write the next checkpoint; how many seconds the one after it can wait."""
        await self._registration.ensure(signer)
        if not self._known:
            await self._rebuild()
        revision = self._feed.revision
        heads = dict(islice(self._heads.items(), MAX_HEADS))
        covered = dict(islice(self._keys.items(), MAX_KEYS_COVERED))
        complete = len(heads) == len(self._heads) and len(covered) == len(self._keys)
        if not heads and not covered:
            self._changed.clear()
            return 0.0
        sound = {plan: head for plan, stored in heads.items() if (head := _checkpointed(stored))}
        self._name_diverged(heads.keys() - sound.keys())
        command = AdvanceCheckpoint(
            self._principal,
            secrets.token_hex(16),
            signer,
            sound,
            covered,
            revision,
            complete and not self.diverged,
        )
        outcome = await self._execute(command)
        self._name_diverged(outcome.result.diverged)
        _drop(self._heads, heads)
        _drop(self._keys, covered)
        return INTERVAL_S if complete else _BACKLOG_S

    def _name_diverged(self, plans: Iterable[str]) -> None:
        for plan in plans:
            if plan not in self.diverged:
                _log.error("%s lost what a checkpoint names; run `bps verify %s`", plan, plan)
            self.diverged.add(plan)

    async def _rebuild(self) -> None:
        """Learn what changed since the tip; what the feed brings meanwhile is newer."""
        stored = (await self._store.snapshot([Key(keys.CHECKPOINT_TIP)])).answers[0]
        tip = CheckpointTip.decode(stored[0].value) if stored else None
        found = await self._since(tip.revision) if tip is not None else None
        if found is None:
            found = await uncovered(self._store)
        self._heads = {**found.heads, **self._heads}
        self._keys = {**found.keys, **self._keys}
        self._known = True

    async def _since(self, revision: int) -> Uncovered | None:
        """What changed after `revision`, by the store's history; None where that is compacted."""
        found = Uncovered({}, {})
        until = self._feed.revision
        if revision >= until:
            return found
        try:
            async with aclosing(self._feed.follow(revision + 1)) as batches:
                async for batch in batches:
                    _collect(batch, found.heads, found.keys)
                    if batch.revision >= until:
                        break
        except Compacted:
            return None
        return found

    def _learn(self, batch: WatchBatch) -> None:
        uncovered_keys = len(self._keys)
        if _collect(batch, self._heads, self._keys):
            self._changed.set()
        if len(self._keys) > uncovered_keys:
            self._hurried.set()
        for event in batch.events:
            if event.kv.key.startswith(keys.CHECKPOINTS) and not event.deleted:
                checkpoint = Checkpoint.decode(event.kv.value)
                for plan, head in checkpoint.heads.items():
                    waiting = _checkpointed(self._heads[plan]) if plan in self._heads else None
                    if waiting is not None and waiting.seq <= head.seq:
                        del self._heads[plan]
                _drop(self._keys, checkpoint.keys)

    def _forget(self) -> None:
        self._heads.clear()
        self._keys.clear()
        self._known = False
        self._registration.forget()
        self._changed.set()

    def _tell(self, error: BpsError) -> None:
        if self.problem is None or self.problem.message != error.message:
            _log.warning("no checkpoint was written: %s", error.message)
        self.problem = error


def _collect(batch: WatchBatch, heads: dict[str, bytes], changed_keys: dict[str, str]) -> bool:
    """Note the heads and keys that changed, the newest value of each; whether there were any."""
    any_changed = False
    for event in batch.events:
        key = event.kv.key
        if event.deleted:
            continue
        if key.startswith(keys.PLAN_DATA) and key.endswith(_HEAD):
            plan = key[len(keys.PLAN_DATA) : -len(_HEAD)].decode(errors="replace")
            if key == keys.PlanKeys(plan).head:
                heads[plan] = event.kv.value
                any_changed = True
        elif key.startswith(keys.KEYS):
            changed_keys[key[len(keys.KEYS) :].decode(errors="replace")] = sha256_hex(
                event.kv.value
            )
            any_changed = True
    return any_changed


def _checkpointed(stored: bytes) -> CheckpointedHead | None:
    """The head as a checkpoint names it; None where the record is damaged."""
    try:
        head = Head.decode(stored)
    except IntegrityError:
        return None
    return CheckpointedHead(seq=head.seq, hash=head.hash)


def _drop(waiting: dict[str, Any], covered: dict[str, Any]) -> None:
    for name, value in covered.items():
        if waiting.get(name) == value:
            del waiting[name]
