"""The only place that names concrete adapters: from settings to a store, and to a leader's session.

Heavy imports (gRPC) happen inside the functions, so that refusing bad input needs none of them.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bps.core import ids
from bps.core.capabilities import require
from bps.core.errors import AccessDenied, CapabilityMissing, ConfigError, NotLeader
from bps.core.ports import Capability, Clock, MemberStatus, Store
from bps.space.verdict import DEFAULT_QUOTA_BYTES

if TYPE_CHECKING:
    from bps.core.codec import Record
    from bps.core.maintenance import Maintenance
    from bps.store.embedded_etcd import EmbeddedEtcd
    from bps.store.etcd.store import EtcdStore
    from bps.store.gateway.store import GatewayStore
    from bps.store.measured import Observer
    from bps.store.security import EtcdCredentials, EtcdTls
    from bps.writepath.command import Command, Outcome
    from bps.writepath.transact import WritePath

R = TypeVar("R", bound="Record")

LEASE_TTL_S = 5
CAMPAIGN_S = 10
_MAX_WAIT_S = 3600


class StoreKind(StrEnum):
    """How etcd is spoken to: by gRPC, or by JSON where only its HTTP gateway is reachable."""

    ETCD = "etcd"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the store is and who we are; never a rule (those are the policy's).

    `endpoints` empty means the embedded etcd, with its data in `data_dir` (None: the user's state
    directory). `store_kind` is how etcd is spoken to. `campaign_s` is how long to wait for another
    leader to go. `quota_bytes` is etcd's, where its members do not tell it (before 3.6).
    """

    endpoints: tuple[str, ...] = ()
    store_kind: StoreKind = StoreKind.ETCD
    data_dir: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sidecar: str = ""
    campaign_s: float = CAMPAIGN_S
    lease_ttl_s: int = LEASE_TTL_S
    allow_old_etcd: bool = False
    quota_bytes: int = DEFAULT_QUOTA_BYTES

    @classmethod
    def from_environment(cls) -> Settings:
        """`BPS_ETCD_ENDPOINTS`, `_CA_FILE`, `_CERT_FILE`, `_KEY_FILE`, `_USER`, `_PASSWORD`, ..."""
        env = os.environ

        def path(name: str) -> Path | None:
            return Path(env[name]) if env.get(name) else None

        endpoints = env.get("BPS_ETCD_ENDPOINTS", "")
        return cls(
            endpoints=tuple(part.strip() for part in endpoints.split(",") if part.strip()),
            store_kind=_store_kind(env.get("BPS_STORE") or "etcd"),
            data_dir=path("BPS_ETCD_DATA_DIR"),
            ca_file=path("BPS_ETCD_CA_FILE"),
            cert_file=path("BPS_ETCD_CERT_FILE"),
            key_file=path("BPS_ETCD_KEY_FILE"),
            user=_text("BPS_ETCD_USER"),
            password=_text("BPS_ETCD_PASSWORD"),
            campaign_s=_positive(env.get("BPS_CAMPAIGN_S"), "BPS_CAMPAIGN_S", CAMPAIGN_S),
            lease_ttl_s=_positive(env.get("BPS_LEASE_TTL_S"), "BPS_LEASE_TTL_S", LEASE_TTL_S),
            allow_old_etcd=env.get("BPS_ALLOW_OLD_ETCD") == "1",
        )

    @property
    def sidecar_name(self) -> str:
        """How this process signs the leader key."""
        return self.sidecar or f"{socket.gethostname()}/{os.getpid()}"


def _store_kind(text: str) -> StoreKind:
    try:
        return StoreKind(text)
    except ValueError:
        known = " or ".join(StoreKind)
        raise ConfigError(f"BPS_STORE must be {known}, not {text[:60]!a}.") from None


def _text(name: str) -> str | None:
    """A variable that etcd gets as UTF-8; its value is never shown."""
    value = os.environ.get(name) or None
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{name} is not UTF-8 text.") from None
    return value


def _positive(text: str | None, name: str, default: int) -> int:
    if text is None:
        return default
    if not (re.fullmatch(r"[1-9][0-9]{0,3}", text) and int(text) <= _MAX_WAIT_S):
        raise ConfigError(f"{name} must be a whole number of seconds from 1 to {_MAX_WAIT_S}.")
    return int(text)


def default_signing_key_file() -> Path:
    """Where this user's signing key is, unless a file is named; it need not be there yet.

    Raises:
        ConfigError: the user has no state directory.
    """
    from platformdirs import user_state_path  # noqa: PLC0415 - only where used

    try:
        return user_state_path("bps") / "signing-key.pem"
    except RuntimeError:
        raise ConfigError("No home directory is known; name a signing key file.") from None


def default_first_token_file(data_dir: Path | None) -> Path:
    """Where the first operator's token of an embedded etcd goes: beside its data.

    Raises:
        ConfigError: the user has no state directory.
    """
    if data_dir is not None:
        return data_dir / "operator-token"
    return default_signing_key_file().with_name("operator-token")


def embedded_etcd(data_dir: Path | None = None, *, temporary: bool = False) -> EmbeddedEtcd:
    """An etcd process of our own; an asynchronous context manager with an `endpoint`."""
    from bps.store.embedded_etcd import EmbeddedEtcd  # noqa: PLC0415 - starts processes

    return EmbeddedEtcd(data_dir, temporary=temporary)


@asynccontextmanager
async def open_store(
    settings: Settings, *, observe: Observer | None = None, needs: tuple[Capability, ...] = ()
) -> AsyncIterator[Store]:
    """A connected store; the embedded etcd is started and stopped with it where none is named.

    `observe` is told of each request to it; the service counts them. A store that lacks what it
    `needs` is refused before anything is asked of it.

    Raises:
        CapabilityMissing: the store that the settings choose cannot do all that it needs.
        ConfigError: endpoints, certificates or the embedded etcd cannot be used.
        Unavailable: the embedded etcd did not start.
    """
    from bps.store.security import EtcdCredentials, EtcdTls  # noqa: PLC0415

    tls = None
    if settings.ca_file or settings.cert_file or settings.key_file:
        tls = EtcdTls(settings.ca_file, settings.cert_file, settings.key_file)
    credentials = None
    if settings.user is not None:
        if settings.password is None:
            raise ConfigError("BPS_ETCD_USER is set, but BPS_ETCD_PASSWORD is not.")
        credentials = EtcdCredentials(settings.user, settings.password)
    async with AsyncExitStack() as stack:
        endpoints = settings.endpoints
        if not endpoints:
            embedded = await stack.enter_async_context(embedded_etcd(settings.data_dir))
            endpoints = (embedded.endpoint,)
        store: Store = await stack.enter_async_context(
            _client(settings.store_kind, endpoints, tls, credentials)
        )
        require(store, *needs)
        if observe is not None:
            from bps.store.measured import MeasuredStore  # noqa: PLC0415 - the service's alone

            store = MeasuredStore(store, observe)
        yield store


def _client(
    kind: StoreKind,
    endpoints: tuple[str, ...],
    tls: EtcdTls | None,
    credentials: EtcdCredentials | None,
) -> EtcdStore | GatewayStore:
    if kind is StoreKind.ETCD:
        from bps.store.etcd.store import EtcdStore  # noqa: PLC0415 - heavy

        return EtcdStore(endpoints, tls=tls, credentials=credentials)
    try:
        from bps.store.gateway.store import GatewayStore  # noqa: PLC0415 - heavy, optional
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The store `gateway` needs the package etcd3-py ({error.name} is missing); install "
            "this program with its extra `gateway`."
        ) from None
    return GatewayStore(endpoints, tls=tls, credentials=credentials)


def resilient(store: Store, clock: Clock) -> Store:
    """`store` as read routes use it: its reads are bounded, and stop while it does not answer."""
    from bps.store.resilient import ResilientStore  # noqa: PLC0415 - the service's alone

    return ResilientStore(store, clock)


def maintenance(store: Store) -> Maintenance:
    """The maintenance calls of `store`, whose connections they use.

    Raises:
        CapabilityMissing: the adapter has none; the gateway's.
    """
    from bps.store.etcd.maintenance import EtcdMaintenance  # noqa: PLC0415 - heavy, rare
    from bps.store.etcd.store import EtcdStore  # noqa: PLC0415 - heavy

    if not isinstance(store, EtcdStore):
        adapter = type(store).__name__
        msg = f"{adapter} cannot compact, defragment and disarm."
        raise CapabilityMissing(msg, adapter=adapter, capability="maintenance")
    return EtcdMaintenance(store)


async def check_members(store: Store, settings: Settings) -> tuple[MemberStatus, ...]:
    """The members that answer; refuses those that are known to corrupt data.

    etcd tells its status to users with the role root only; for others nothing can be checked, and
    the answer is empty.

    Raises:
        ConfigError: an etcd whose defects are not acceptable, or members of several clusters.
    """
    from bps.store.versions import check_servers  # noqa: PLC0415

    try:
        members = await store.status()
    except AccessDenied:
        return ()
    check_servers(members, allow_old=settings.allow_old_etcd or not settings.endpoints)
    return members


@asynccontextmanager
async def lead(
    store: Store, settings: Settings, *, initialise: bool = True
) -> AsyncIterator[WritePath]:
    """Campaign, initialise an empty store (unless told not to), yield the write path, resign.

    Raises:
        NotLeader: another process leads and did not resign in time.
        ConfigError: see `check_members`.
        SchemaTooNew: a newer release laid the store out.
    """
    from bps.clock import SystemClock  # noqa: PLC0415
    from bps.leadership.election import Leadership  # noqa: PLC0415
    from bps.setup.initialise import Initialise  # noqa: PLC0415
    from bps.writepath.transact import WritePath  # noqa: PLC0415

    await check_members(store, settings)
    clock = SystemClock()
    async with Leadership(
        store, clock, settings.sidecar_name, ttl_s=settings.lease_ttl_s
    ) as leadership:
        try:
            await leadership.campaign(settings.campaign_s)
        except NotLeader as error:
            raise await _who_leads(store, error) from None
        write_path = WritePath(store, leadership, clock)
        if initialise:
            op_id = f"initialise-{clock.now_ms()}"
            await write_path.execute(Initialise(ids.SERVICE_PRINCIPAL, op_id))
        yield write_path


async def _who_leads(store: Store, refused: NotLeader) -> NotLeader:
    """The same refusal; where a sidecar leads it says so, and where that is asked."""
    from bps.core.errors import BpsError  # noqa: PLC0415
    from bps.sidecar.presence import find_presence  # noqa: PLC0415

    leader = str(refused.facts.get("leader", ""))
    try:
        found = await find_presence(store, leader)
    except BpsError:
        # What leads is known; where it is asked only helps.
        return refused
    if found is None:
        return refused
    where = f" at {found.url}" if found.url else ""
    use = f"`--url {found.url}`" if found.url else "`--url`"
    named = NotLeader(
        f"The sidecar {leader} leads{where}; nothing is written beside it.",
        **{**refused.facts, "url": found.url},
    )
    return named.advising(f"Use the service ({use}), or stop all sidecars first.")


async def decide_only(store: Store, command: Command[R]) -> Outcome[R]:
    """A dry run of `command`; see `bps.writepath.preview`."""
    from bps.clock import SystemClock  # noqa: PLC0415
    from bps.writepath.preview import decide_only as preview  # noqa: PLC0415

    return await preview(store, SystemClock(), command)
