"""Endpoints are checked before anything connects; where nothing runs is told soon."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from bps.core.errors import ConfigError, Unavailable
from bps.core.ports import Key
from bps.store.etcd import EtcdStore
from tests.asynchronous import asynchronous
from tests.unit.cli.invoke import NOWHERE


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "localhost",
        "http://localhost:2379",
        "localhost:",
        "localhost:port",
        ":1/x",
        "h:0",
        "h:65536",
        "h:²",
    ],
)
def test_endpoints_are_host_and_port(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="host:port") as caught:
        EtcdStore([endpoint])
    assert caught.value.facts["endpoint"] == endpoint


def test_an_endpoint_with_a_password_is_not_shown() -> None:
    with pytest.raises(ConfigError, match="without a user") as caught:
        EtcdStore(["h:1", "root:pw@h:1"])
    assert "pw" not in f"{caught.value.message}{caught.value.facts}"


def test_there_is_an_endpoint() -> None:
    with pytest.raises(ConfigError, match="No etcd endpoint"):
        EtcdStore([])


async def asked_in_vain(*endpoints: str, read_bound_s: float) -> float:
    """Seconds until a read says that nobody can be reached."""
    begun_s = time.monotonic()
    async with EtcdStore(endpoints, read_bound_s=read_bound_s, refused_s=0.5) as store:
        with pytest.raises(Unavailable, match="No etcd member can be reached"):
            await store.snapshot([Key(b"x")])
    return time.monotonic() - begun_s


@asynchronous
async def test_that_every_member_refuses_is_told_long_before_a_read_has_to_end() -> None:
    assert await asked_in_vain(NOWHERE, "127.0.0.1:2", read_bound_s=20.0) < 5.0


@asynchronous
async def test_a_member_that_says_nothing_is_waited_for_beside_one_that_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"127.0.0.1:{silent.getsockname()[1]}"
        took_s = await asyncio.gather(
            asked_in_vain(NOWHERE, endpoint, read_bound_s=1.5),
            asked_in_vain(endpoint, read_bound_s=1.5),
        )
    assert min(took_s) >= 1.5
