"""A store that is not the one that was meant: a clear refusal, never a guess."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc import StatusCode

from bps.bootstrap import Settings, check_members
from bps.clock import SystemClock
from bps.core.errors import ConfigError, StoreRefused
from bps.core.ports import Key
from bps.leadership.modes import Reason
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.etcd import EtcdStore
from bps.store.lease_bounds import check_lease_ttl
from tests.asynchronous import asynchronous, eventually
from tests.conformance.etcd_process import etcd_process
from tests.integration.http.serving import END_DEADLINE_S, environment, serving, started
from tests.integration.store.gateway import Gateway


class _Anything(grpc.GenericRpcHandler):
    """Answers each call with a code that gRPC does not have, or that says nothing."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:  # noqa: ARG002 - of gRPC
        async def refuse(_: bytes, context: Any) -> bytes:
            await context.abort(StatusCode.UNKNOWN, "code 42: the moon is in the wrong phase")
            return b""

        return grpc.unary_unary_rpc_method_handler(refuse)


@asynccontextmanager
async def strange_server() -> AsyncIterator[str]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Anything(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@asynchronous
async def test_a_code_that_nobody_knows_is_an_unknown_store_error() -> None:
    async with (
        strange_server() as endpoint,
        EtcdStore([endpoint], deadline_s=0.5, read_bound_s=0.5) as store,
    ):
        with pytest.raises(StoreRefused, match="the moon is in the wrong phase"):
            await store.snapshot([Key(b"x")])
        settings = SidecarSettings("one", campaign_s=0.2)
        async with Sidecar(store, SystemClock(), settings) as sidecar:

            async def unknown() -> bool:
                return sidecar.terms.reason is Reason.UNKNOWN_STORE_ERROR

            await eventually(unknown, "it is read-only for an unknown reason")


def test_members_of_two_clusters_are_refused(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()

    @asynchronous
    async def refused(first: str, second: str) -> None:
        endpoints = (first, second)
        async with EtcdStore(endpoints) as store:
            with pytest.raises(ConfigError, match="different clusters") as caught:
                await check_members(store, Settings(endpoints, allow_old_etcd=True))
            assert first in caught.value.message
            assert second in caught.value.message
        async with EtcdStore([first]) as store:
            await check_members(store, Settings((first,), allow_old_etcd=True))
            with pytest.raises(ConfigError, match="is refused"):
                await check_members(store, Settings((first,)))
            await check_lease_ttl(store, SystemClock(), 3)

    with (
        etcd_process(one, ["--initial-cluster-token=one"]) as first,
        etcd_process(two, ["--initial-cluster-token=two"]) as second,
    ):
        refused(first, second)


def test_the_service_refuses_a_wrong_password_and_a_name_that_is_taken(tmp_path: Path) -> None:
    with etcd_process(tmp_path, ["--bcrypt-cost=4"]) as endpoint:
        config = tmp_path / "service.toml"
        config.write_text('[sidecar]\nname = "one"\nsigning_key_file = "key.pem"\n')
        other = tmp_path / "other.toml"
        other.write_text('[sidecar]\nname = "one"\nsigning_key_file = "other-key.pem"\n')
        env = environment(tmp_path, endpoint)
        with (
            serving("--config", str(config), env=env),
            started(env, "--config", str(other)) as second,
        ):
            assert second.wait(END_DEADLINE_S) == 2
            assert second.stderr is not None
            assert "Another sidecar called one lives at http://" in second.stderr.read()
        Gateway(endpoint).enable_auth("bps", "secret", b"/haios/")
        wrong = {**env, "BPS_ETCD_USER": "bps", "BPS_ETCD_PASSWORD": "guess"}
        with started(wrong, "--config", str(config)) as refused:
            assert refused.wait(END_DEADLINE_S) == 2
            assert refused.stderr is not None
            said = refused.stderr.read()
        assert "STORE_ACCESS_DENIED" in said
        assert "guess" not in said
