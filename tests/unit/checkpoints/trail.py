"""Checkpoints on a scene: written as the keeper does, without its clock and its watch."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from bps.checkpoints.advance import AdvanceCheckpoint
from bps.checkpoints.model import Checkpoint, CheckpointedHead, CheckpointResult
from bps.core import keys
from bps.core.codec import sha256_hex
from bps.core.keys import PlanKeys
from bps.core.ports import Key
from bps.core.txn import Delete, Operation, Put, Txn
from bps.keyring.change import AddKey, RevokeKey
from bps.keyring.model import Purpose
from bps.keyring.private_key import PrivateKey
from bps.plans.model import Head
from bps.writepath.command import Outcome
from tests.doubles.scene import PLAN, Scene
from tests.unit.keyring.people import key_of

SIGNER = key_of(1)


@dataclass
class Trail:
    """A chain of checkpoints over `scene`."""

    scene: Scene
    signer: PrivateKey = SIGNER
    _numbers: count[int] = field(default_factory=lambda: count(1))

    @classmethod
    async def make(cls, plan: str | None = PLAN) -> Trail:
        trail = cls(await Scene.make(plan))
        await trail.register(trail.signer)
        return trail

    async def register(self, key: PrivateKey) -> None:
        command = AddKey("bps", self.scene.op(), key.public, "bps", (Purpose.CHECKPOINT,))
        await self.scene.path.execute(command)

    async def revoke(self, key: PrivateKey) -> None:
        await self.scene.path.execute(RevokeKey("bps", self.scene.op(), key.public.key_id))

    async def advance(
        self, *plans: str, covering: tuple[PrivateKey, ...] = (), complete: bool = True
    ) -> Outcome[CheckpointResult]:
        """Checkpoint the present heads of `plans`, and the present records of keys."""
        heads = {}
        for plan in plans:
            head = await self.scene.head(plan)
            heads[plan] = CheckpointedHead(seq=head.seq, hash=head.hash)
        covered = {}
        for key in covering:
            (kv,) = await self.scene.below(keys.key(key.public.key_id))
            covered[key.public.key_id] = sha256_hex(kv.value)
        nonce = f"{next(self._numbers):032x}"
        revision = (await self.scene.memory.snapshot([Key(keys.SCHEMA)])).revision
        return await self.scene.path.execute(
            AdvanceCheckpoint("bps", nonce, self.signer, heads, covered, revision, complete)
        )

    async def chain(self) -> list[tuple[Checkpoint, bytes]]:
        """All checkpoints, with their stored bytes."""
        found = await self.scene.below(keys.CHECKPOINTS)
        return [(Checkpoint.decode(kv.value), kv.value) for kv in found]

    async def tamper(self, *operations: Operation) -> None:
        """Write past the write path, as whoever can reach etcd."""
        await self.scene.memory.commit(Txn((), operations))

    async def truncate(self, to: int, plan: str = PLAN) -> None:
        """Move a plan's head back; what is left is a sound chain."""
        plan_keys = PlanKeys(plan)
        head = await self.scene.head(plan)
        (event,) = await self.scene.below(plan_keys.event(to))
        time_ms = (await self.scene.log(plan))[to - 1][0].time_ms
        back = Head(seq=to, hash=sha256_hex(event.value), time_ms=time_ms)
        gone = [
            Delete(key)
            for seq in range(to + 1, head.seq + 1)
            for key in (plan_keys.event(seq), plan_keys.body(seq))
        ]
        await self.tamper(Put(plan_keys.head, back.encode()), *gone)

    async def rewrite(self, other: Scene, plan: str = PLAN) -> None:
        """Replace all of a plan by what another store has of it: a sound history, but another."""
        root = PlanKeys(plan).root
        mine = {kv.key for kv in await self.scene.below(root)}
        theirs = await other.below(root)
        gone = [Delete(key) for key in mine - {kv.key for kv in theirs}]
        await self.tamper(*gone, *(Put(kv.key, kv.value) for kv in theirs))
