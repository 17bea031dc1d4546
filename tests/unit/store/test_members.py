"""Endpoints are checked before anything connects."""

from __future__ import annotations

import pytest

from bps.core.errors import ConfigError
from bps.store.etcd import EtcdStore


@pytest.mark.parametrize(
    "endpoint", ["", "localhost", "http://localhost:2379", "localhost:", "localhost:port", ":1/x"]
)
def test_endpoints_are_host_and_port(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="host:port") as caught:
        EtcdStore([endpoint])
    assert caught.value.facts["endpoint"] == endpoint


def test_there_is_an_endpoint() -> None:
    with pytest.raises(ConfigError, match="No etcd endpoint"):
        EtcdStore([])
