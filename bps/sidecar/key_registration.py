"""The leader registers the signing keys of all living sidecars before they ever lead (R10).

A mirror takes only checkpoints of keys that an earlier one covers; so a key that is registered when
its sidecar takes over comes too late.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

from bps.core.codec import Record
from bps.core.errors import InvalidInput, Rejected, WrongState
from bps.core.ports import Clock, Store
from bps.keyring.change import AddKey
from bps.keyring.model import Purpose
from bps.keyring.public_key import MAX_COMMENT, PublicKey
from bps.keyring.read import read_registry
from bps.keyring.statement import Signer
from bps.sidecar.presence import SidecarPresence
from bps.writepath.command import Command, Outcome

R = TypeVar("R", bound=Record)

_log = logging.getLogger(__name__)


class Execute(Protocol):
    """Runs a command on the write path of the present term."""

    def __call__(self, command: Command[R]) -> Awaitable[Outcome[R]]:
        """As `Sidecar.execute`."""
        ...


class KeyRegistration:
    """Each key is looked up once, and again after `forget`: one round trip where one is new.

    While an operator's word changes the registry, the unknown ones are registered for checkpoints,
    a write each. Once holders keep it, only they do that: `bps doctor` names what is missing.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        name: str,
        principal: str,
        execute: Execute,
        peers: Callable[[], Iterable[SidecarPresence]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._name = name
        self._principal = principal
        self._execute = execute
        self._peers = peers
        self._looked_up: set[str] = set()

    def forget(self) -> None:
        """Look all up again: the store may have changed unseen."""
        self._looked_up.clear()

    async def ensure(self, signer: Signer) -> None:
        """Register what is unknown: this sidecar's own key, then the others'.

        Raises:
            WrongState: holders keep the registry, and have not approved this sidecar's own key.
        """
        own = signer.public
        wanted = {own.key_id: (own, self._name)}
        for peer in self._peers():
            key = _key_of(peer)
            if key is not None:
                wanted.setdefault(key.key_id, (key, peer.name))
        self._looked_up &= wanted.keys()
        unseen = {each: wanted[each] for each in wanted if each not in self._looked_up}
        if not unseen:
            return
        registry = await read_registry(self._store)
        for key_id, (key, name) in unseen.items():
            if key_id not in registry.keys:
                if not registry.in_custody:
                    await self._add(key, name, own=key_id == own.key_id)
                elif key_id == own.key_id:
                    msg = (
                        f"The signing key {key_id} is not registered, and the registry's holders "
                        "have to approve that; no checkpoints are written."
                    )
                    raise WrongState(msg, key_id=key_id)
            self._looked_up.add(key_id)

    async def _add(self, key: PublicKey, name: str, *, own: bool) -> None:
        op_id = f"register-{key.key_id}-{self._clock.now_ms()}"
        comment = f"signing key of sidecar {ascii(name)[1:-1]}"[:MAX_COMMENT]
        purposes = (Purpose.CHECKPOINT,)
        try:
            await self._execute(
                AddKey(self._principal, op_id, key, self._principal, purposes, comment)
            )
        except Rejected as error:
            if own:
                raise
            # Another one's key must not keep this sidecar from signing.
            _log.warning("the key %s of sidecar %s: %s", key.key_id, name, error.message)


def _key_of(peer: SidecarPresence) -> PublicKey | None:
    """The key that a sidecar says is its own; nothing where that is no key."""
    try:
        return PublicKey.parse(peer.public_key) if peer.public_key else None
    except InvalidInput as error:
        _log.warning("the key of sidecar %s is not used: %s", peer.name, error.message)
        return None
