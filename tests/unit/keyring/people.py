"""Holders with keys, on a scene's write path."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bps.keyring.change import AddKey, RevokeKey, RotateKey
from bps.keyring.model import Action, Approval, KeyResult, NewKey, Purpose
from bps.keyring.private_key import PrivateKey
from bps.keyring.read import read_registry
from bps.keyring.registry import Registry
from bps.keyring.statement import approval_of, approve
from tests.doubles.scene import Scene

HOUR_MS = 3_600_000
HOLDER = (Purpose.HOLDER,)


def key_of(seed: int) -> PrivateKey:
    """The same key for the same number."""
    return PrivateKey(Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big")))


def approval(envelope: dict[str, object]) -> Approval:
    """As an edge makes it of an envelope."""
    signature = envelope["signatures"][0]  # type: ignore[index]
    return approval_of(
        str(envelope["payload"]),
        str(envelope["payloadType"]),
        signature["keyid"],
        signature["sig"],
    )


@dataclass
class People:
    """The registry of one scene."""

    scene: Scene
    _numbers: count[int] = field(default_factory=count)

    def op(self) -> str:
        return f"keys-{next(self._numbers)}"

    async def registry(self) -> Registry:
        return await read_registry(self.scene.memory)

    async def add(
        self,
        holder: str,
        key: PrivateKey,
        *approvals: Approval,
        purposes: tuple[Purpose, ...] = HOLDER,
    ) -> KeyResult:
        command = AddKey("op", self.op(), key.public, holder, purposes, approvals=approvals)
        return (await self.scene.path.execute(command)).result

    async def revoke(self, key: PrivateKey, *approvals: Approval) -> KeyResult:
        command = RevokeKey("op", self.op(), key.public.key_id, approvals)
        return (await self.scene.path.execute(command)).result

    async def rotate(self, old: PrivateKey, new: PrivateKey, *approvals: Approval) -> KeyResult:
        command = RotateKey("op", self.op(), old.public.key_id, new.public, approvals=approvals)
        return (await self.scene.path.execute(command)).result

    async def approve(
        self,
        signer: PrivateKey,
        action: Action,
        key: PrivateKey,
        new: NewKey | None = None,
        *,
        expires_in_ms: int = HOUR_MS,
    ) -> Approval:
        registry = await self.registry()
        expires_ms = self.scene.clock.now_ms() + expires_in_ms
        statement = registry.statement(action, key.public.key_id, new, expires_ms)
        return approval(approve(statement.encode(), signer))

    async def three_holders(self) -> list[PrivateKey]:
        """alice, bob and carol with the keys 1, 2 and 3."""
        keys = [key_of(n) for n in (1, 2, 3)]
        for holder, key in zip(("alice", "bob", "carol"), keys, strict=True):
            await self.add(holder, key)
        return keys
