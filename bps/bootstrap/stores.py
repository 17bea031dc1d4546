"""From settings to a store: the only place that names concrete adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bps.bootstrap.settings import Settings, StoreKind
from bps.core.capabilities import require
from bps.core.errors import CapabilityMissing, ConfigError
from bps.core.ports import Capability, Clock, Store

if TYPE_CHECKING:
    from bps.core.maintenance import Maintenance
    from bps.store.embedded_etcd import EmbeddedEtcd
    from bps.store.etcd.store import EtcdStore
    from bps.store.gateway.store import GatewayStore
    from bps.store.measured import Observer
    from bps.store.security import EtcdCredentials, EtcdTls


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
            _client(settings, endpoints, tls, credentials)
        )
        require(store, *needs)
        if observe is not None:
            from bps.store.measured import MeasuredStore  # noqa: PLC0415 - the service's alone

            store = MeasuredStore(store, observe)
        yield store


def _client(
    settings: Settings,
    endpoints: tuple[str, ...],
    tls: EtcdTls | None,
    credentials: EtcdCredentials | None,
) -> EtcdStore | GatewayStore:
    if settings.store_kind is StoreKind.ETCD:
        from bps.store.etcd.store import EtcdStore  # noqa: PLC0415 - heavy

        return EtcdStore(endpoints, tls=tls, credentials=credentials, refused_s=settings.refused_s)
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
