"""Endpoints are checked before anything connects."""

from __future__ import annotations

import pytest

from bps.core.errors import ConfigError
from bps.store.etcd import EtcdStore


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
