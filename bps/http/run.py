"""The life of the service: store, sidecar, listener, until it is told to stop; then it drains."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bps.bootstrap import (
    Settings,
    check_members,
    default_first_token_file,
    default_signing_key_file,
    open_store,
    resilient,
)
from bps.checkpoints.mirrored_store import check_mirrored_store
from bps.clock import SystemClock, elapsed_s
from bps.core import keys
from bps.core.errors import BpsError, ConfigError
from bps.core.ports import Capability, Key
from bps.http.app import create_app
from bps.http.collector import calm_collector
from bps.http.config import ServeConfig, read_password
from bps.http.guard import TokenGuard
from bps.http.limits import Limits
from bps.http.middleware import Observer
from bps.http.rate import RateLimits
from bps.http.server import HttpServer, Listen
from bps.http.service import Service
from bps.http.telemetry import exporting
from bps.keyring.private_key import read_or_make_private_key
from bps.leadership.clock_check import ClockBounds
from bps.sidecar.metrics import Metrics
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.lease_bounds import check_lease_ttl
from bps.writepath.admission import Bounds

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be served: where the store is, where to listen, within which limits."""

    settings: Settings
    listen: Listen
    limits: Limits
    public_health: bool
    mirror_dir: Path | None
    signing_key_file: Path | None
    first_token_file: Path | None = None
    advertise_url: str | None = None
    spans_to: str | None = None
    service_name: str = "bps"
    clock_bounds: ClockBounds = field(default_factory=ClockBounds)


@dataclass(slots=True)
class Lifetime:
    """How the service is told to stop, and whether it has come so far that it has to drain."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    listening: bool = False


def plan_of(config: ServeConfig, settings: Settings) -> Plan:
    """What the file says, over what environment and options (`settings`) say of etcd.

    Raises:
        ConfigError: it would listen in clear text beyond this host, or the password file is unfit.
    """
    etcd, listen = config.etcd, config.listen
    if etcd.endpoints:
        password = None
        if etcd.password_file is not None:
            password = read_password(etcd.password_file).get_secret_value()
        settings = replace(
            settings,
            endpoints=tuple(etcd.endpoints),
            ca_file=etcd.ca_file,
            cert_file=etcd.cert_file,
            key_file=etcd.key_file,
            user=etcd.user,
            password=password,
            allow_old_etcd=etcd.allow_old or settings.allow_old_etcd,
            quota_bytes=etcd.quota_bytes,
        )
    settings = replace(
        settings,
        sidecar=config.sidecar.name or settings.sidecar,
        lease_ttl_s=config.sidecar.lease_ttl_s,
        # etcd may be starting beside the service.
        refused_s=math.inf,
    )
    where = Listen(
        listen.host,
        listen.port,
        listen.tls_cert_file,
        listen.tls_key_file,
        listen.client_ca_file,
    )
    where.check()
    return Plan(
        settings,
        where,
        config.limits.limits(),
        listen.public_health,
        config.sidecar.mirror_dir,
        config.sidecar.signing_key_file,
        config.sidecar.first_token_file or _embedded_token_file(settings),
        listen.advertise_url,
        config.otel.endpoint,
        config.otel.service_name,
        ClockBounds(config.sidecar.max_clock_ahead_s, config.sidecar.max_clock_behind_s),
    )


def _embedded_token_file(settings: Settings) -> Path | None:
    """With an etcd of our own, who runs the service is who may have its first token."""
    return None if settings.endpoints else default_first_token_file(settings.data_dir)


def sidecar_settings(plan: Plan) -> SidecarSettings:
    """What the sidecar is told of the plan; makes its signing key where there is none.

    Raises ConfigError.
    """
    return SidecarSettings(
        plan.settings.sidecar_name,
        lease_ttl_s=plan.settings.lease_ttl_s,
        signer=read_or_make_private_key(plan.signing_key_file or default_signing_key_file()),
        mirror_dir=plan.mirror_dir,
        first_token_file=plan.first_token_file,
        clock_bounds=plan.clock_bounds,
        write_bounds=Bounds(plan.limits.max_writes_in_flight, plan.limits.max_writes_waiting),
        quota_bytes=plan.settings.quota_bytes,
    )


async def run(
    plan: Plan,
    *,
    observers: Sequence[Observer],
    lifetime: Lifetime,
    ready: Callable[[str], None],
) -> None:
    """Serve until `lifetime` says stop; `ready` gets the URL once the service is.

    Raises:
        CapabilityMissing: the store cannot be watched.
        ConfigError: the address, the TLS files or the store cannot be used, or another living
            sidecar has this name.
        Unavailable: the store does not answer at the start.
        BpsError: a part of the sidecar failed in a way that has no name.
    """
    clock = SystemClock()
    metrics = Metrics()
    async with (
        open_store(plan.settings, observe=metrics.store_call, needs=(Capability.WATCH,)) as store,
        exporting(plan.spans_to, plan.service_name, metrics),
    ):
        await check_members(store, plan.settings)
        # Status answers say nothing of a quorum; a linearizable read does.
        await store.snapshot([Key(keys.SCHEMA)])
        await check_lease_ttl(store, clock, plan.settings.lease_ttl_s)
        if plan.mirror_dir is not None:
            await check_mirrored_store(store, plan.mirror_dir)
        reads = resilient(store, clock)
        async with Sidecar(
            store, clock, sidecar_settings(plan), metrics, elapsed_s=elapsed_s, reads=reads
        ) as sidecar:
            guard = TokenGuard(sidecar.credentials, clock, RateLimits(clock, plan.limits))
            service = Service(
                sidecar,
                guard,
                plan.limits,
                settings=plan.settings,
                public_health=plan.public_health,
            )
            app = create_app(service, observers=observers)
            async with HttpServer(app, plan.listen, plan.limits) as server:
                lifetime.listening = True
                sidecar.presence.advertise(plan.advertise_url or server.url)
                announcing = asyncio.create_task(_announce(sidecar, server, ready))
                try:
                    failure = await _stopped(sidecar, lifetime.stop)
                finally:
                    announcing.cancel()
                drained_from_s = clock.monotonic_s()
                _log.info("draining")
                sidecar.drain()
                await server.drain(plan.limits.drain_s)
    _log.info("stopped", extra={"after_s": round(clock.monotonic_s() - drained_from_s, 3)})
    if failure is not None:
        raise failure


async def _announce(sidecar: Sidecar, server: HttpServer, ready: Callable[[str], None]) -> None:
    await sidecar.ready()
    calm_collector()
    ready(server.url)


async def _stopped(sidecar: Sidecar, stop: asyncio.Event) -> BpsError | None:
    """Wait for the signal, or for a part of the sidecar that ends by itself."""
    stopping = asyncio.create_task(stop.wait())
    failing = asyncio.create_task(sidecar.failure())
    try:
        await asyncio.wait({stopping, failing}, return_when=asyncio.FIRST_COMPLETED)
        if not failing.done():
            return None
        name, error = failing.result()
        if isinstance(error, ConfigError):
            # It says itself what to do: another sidecar of this name, for one.
            return error
        _log.error("a part of the sidecar failed", extra={"part": name}, exc_info=error)
        return BpsError(f"The service ended: its {name} failed.")
    finally:
        for task in (stopping, failing):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
