"""What each sidecar says of itself in etcd while it lives: its name, address and signing key.

The record hangs on a lease of its own, and is put outside the write path, as the election's keys
are: a standby must be able to say it, and no decision reads it (ADR 0020).
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, ClassVar, Final

from pydantic import StringConstraints

from bps.core import keys
from bps.core.codec import Record, TimeMs
from bps.core.errors import ConfigError, IntegrityError, LeaseNotFound, MalformedRecord, StoreError
from bps.core.ports import Clock, Key, Store, WatchBatch
from bps.core.txn import KV, Committed, Put, Txn, unchanged
from bps.keyring.public_key import PublicKey
from bps.sidecar.feed import Feed

TTL_S: Final = 15
"""A sidecar that ended without a word is forgotten after so long."""
URL: Final = r"^https?://[A-Za-z0-9._~:/?#\[\]%-]{1,300}$"
"""Where a sidecar is asked; nothing that a shell or a terminal would take for more than text."""
WAIT_S: Final = 45.0
"""For the record of the process before this one to go, which an election of etcd prolongs by a
whole lease; then whoever holds the name lives."""
_PERIOD_S: Final = 5.0
_TAKEOVER_S: Final = 60.0
_DISTRIBUTION: Final = "blueprint-promotion-service"

_log = logging.getLogger(__name__)


class SidecarPresence(Record):
    """`sidecars/{id}`: a living sidecar. `public_key` (base64) is what it signs checkpoints with.

    `url` is where it is asked; null where it does not listen yet.
    """

    KIND: ClassVar[str] = "sidecar"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    name: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    url: Annotated[str, StringConstraints(pattern=URL)] | None
    public_key: Annotated[str, StringConstraints(max_length=64)] | None
    release: Annotated[str, StringConstraints(max_length=64)]
    started_ms: TimeMs


def presence_at(kv: KV) -> SidecarPresence:
    """The presence stored as `kv`. Raises MalformedRecord, SchemaTooNew."""
    found = SidecarPresence.decode(kv.value)
    if keys.sidecar(found.name) != kv.key:
        where = kv.key.decode(errors="replace")
        raise MalformedRecord(f"{where} holds a sidecar with another name.", key=where)
    return found


async def find_presence(store: Store, name: str) -> SidecarPresence | None:
    """The living sidecar called `name`. One round trip.

    Raises:
        MalformedRecord, SchemaTooNew: what is stored cannot be trusted.
        Unavailable: the store does not answer.
    """
    found = (await store.snapshot([Key(keys.sidecar(name))])).answers[0]
    return presence_at(found[0]) if found else None


class Presence:
    """Keeps this sidecar's record in etcd. Run `run` as a task; `leave` when the process drains.

    Cost: a lease grant and one transaction, then a keepalive each 5 s. What fails is tried again
    after 5 s; a record that is gone is put again at once. A living sidecar of the same name is
    never overwritten: `run` ends with ConfigError, at once where it signs with another key, else
    after `WAIT_S`, as it may be the record of this sidecar's process before, which was killed. One
    that names our own address is of that process, and is taken over.
    """

    def __init__(
        self, store: Store, feed: Feed, clock: Clock, name: str, public_key: PublicKey | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._key = keys.sidecar(name)
        self._record = SidecarPresence(
            name=name,
            url=None,
            public_key=public_key.text if public_key else None,
            release=_release(),
            started_ms=clock.now_ms(),
        )
        self._lease_id: int | None = None
        self._revision = 0
        self._stored: bytes | None = None
        self._taken_s: float | None = None
        self._took_over_s: float | None = None
        self._leaving = False
        self._wake = asyncio.Event()
        self._tried = asyncio.Event()
        feed.listen(self._learn, on_gap=self._doubt)

    def advertise(self, url: str) -> None:
        """Say from now on where this sidecar is asked."""
        self._record = self._record.model_copy(update={"url": url})
        self._wake.set()

    def leave(self) -> None:
        """Take the record away: who is told of this sidecar now would come too late."""
        self._leaving = True
        self._wake.set()

    @property
    def waits(self) -> bool:
        """Whether the name is still held, probably by the process before this one."""
        return self._taken_s is not None

    @property
    def lease_id(self) -> int | None:
        """The lease that the record hangs on; None while it is not stored."""
        return self._lease_id if self._stored is not None else None

    async def tried(self) -> None:
        """Wait until the record was put for the first time, or could not be."""
        await self._tried.wait()

    async def run(self) -> None:
        """Keep the record until cancelled; it is removed at the end.

        Raises:
            ConfigError: another living sidecar has this name.
        """
        try:
            while True:
                self._wake.clear()
                try:
                    await (self._revoke() if self._leaving else self._keep())
                except StoreError as error:
                    _log.info("this sidecar cannot be announced: %s", error.message)
                self._tried.set()
                await self._pause()
        finally:
            await self._revoke()

    async def _keep(self) -> None:
        """Refresh the lease, and put the record where it is not what it should be."""
        if self._lease_id is not None:
            try:
                await self._store.lease_keepalive(self._lease_id)
            except LeaseNotFound:
                self._lease_id = None
                self._doubt()
        if self._lease_id is None:
            self._lease_id = (await self._store.lease_grant(TTL_S)).lease_id
        value = self._record.encode()
        if self._stored != value:
            await self._put(value, self._lease_id)

    async def _put(self, value: bytes, lease_id: int) -> None:
        try:
            answer = await self._store.commit(
                Txn(
                    (unchanged(self._key, self._revision),),
                    (Put(self._key, value, lease_id),),
                )
            )
        except LeaseNotFound:
            self._lease_id = None
            self._wake.set()
            return
        if isinstance(answer, Committed):
            self._written(answer.revision, value)
            return
        held = answer.present[self._key]
        if held is not None and held.lease_id != lease_id:
            self._revision = 0
            self._yield_to(held)
        elif held is not None and held.value == value:
            self._written(held.mod_revision, value)
        else:
            # It is gone, or our own of before: known now, and put again.
            self._revision = held.mod_revision if held else 0
            self._wake.set()

    def _written(self, revision: int, value: bytes) -> None:
        self._revision, self._stored = revision, value
        self._taken_s = None

    def _yield_to(self, held: KV) -> None:
        """Wait for the record of a killed process to go. Raises ConfigError where it is another."""
        try:
            other = presence_at(held)
        except IntegrityError as error:
            raise self._refusal("holds this name with a record that cannot be read") from error
        if other.public_key != self._record.public_key:
            where = f" at {other.url}" if other.url else ""
            msg = f"lives{where} and signs with {_key(other)}, this one with {_key(self._record)}"
            raise self._refusal(msg, url=other.url)
        now_s = self._clock.monotonic_s()
        if self._succeeds(other, now_s):
            self._took_over_s, self._taken_s, self._revision = now_s, None, held.mod_revision
            self._wake.set()
            return
        if self._taken_s is None:
            self._taken_s = now_s
            _log.warning(
                "%s is held by a process with the same signing key; waiting until it is gone, "
                "up to %d s",
                self._record.name,
                WAIT_S,
            )
        elif now_s - self._taken_s >= WAIT_S:
            where = f" at {other.url}" if other.url else ""
            raise self._refusal(f"lives{where} and uses the same signing key", url=other.url)

    def _succeeds(self, other: SidecarPresence, now_s: float) -> bool:
        """Whether `other` is this very sidecar of before: we listen where it did.

        Once a minute only: two hosts with one configuration would take it from each other.
        """
        lately = self._took_over_s is not None and now_s - self._took_over_s < _TAKEOVER_S
        return other.url is not None and other.url == self._record.url and not lately

    def _refusal(self, why: str, **facts: str | None) -> ConfigError:
        name = self._record.name
        msg = f"Another sidecar called {name} {why}."
        return ConfigError(msg, sidecar=name, **facts).advising(
            "Give each sidecar a name and a signing key of its own ([sidecar] name, "
            "signing_key_file), or stop the other one."
        )

    def _learn(self, batch: WatchBatch) -> None:
        for event in batch.events:
            ours = not event.deleted and event.kv.lease_id == self._lease_id
            if event.kv.key == self._key and not ours and event.kv.mod_revision > self._revision:
                self._doubt()

    def _doubt(self) -> None:
        """What is stored is not known any more."""
        self._revision, self._stored = 0, None
        self._wake.set()

    async def _pause(self) -> None:
        """Until the next keepalive is due, or something has changed."""
        sleeping = asyncio.ensure_future(self._clock.sleep(_PERIOD_S))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    async def _revoke(self) -> None:
        if self._lease_id is not None:
            with suppress(StoreError):
                await self._store.lease_revoke(self._lease_id)
            self._lease_id = None


def _key(record: SidecarPresence) -> str:
    return f"the key {record.public_key}" if record.public_key else "no key"


def _release() -> str:
    try:
        return version(_DISTRIBUTION)[:64]
    except PackageNotFoundError:
        return "unknown"
