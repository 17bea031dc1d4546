"""What cannot be used is refused before anything connects; nothing comes from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from bps.core.errors import CapabilityMissing, ConfigError
from bps.store.gateway import GatewayStore
from bps.store.gateway.client import GatewayClient
from bps.store.security import EtcdTls


@pytest.mark.parametrize("endpoints", [[], ["localhost"], ["http://h:1"], ["h:0"], ["u:p@h:1"]])
def test_endpoints_are_host_and_port(endpoints: list[str]) -> None:
    with pytest.raises(ConfigError):
        GatewayStore(endpoints)


def test_certificates_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.pem cannot be read"):
        GatewayStore(["h:1"], tls=EtcdTls(ca=tmp_path / "missing.pem"))


def test_another_server_name_is_a_capability_that_is_missing() -> None:
    with pytest.raises(CapabilityMissing) as refused:
        GatewayStore(["h:1"], tls=EtcdTls(server_name="etcd.example"))
    assert refused.value.facts["capability"] == "tls_server_name"


def test_a_client_verifies_and_trusts_no_environment(tmp_path: Path) -> None:
    plain = GatewayClient("127.0.0.1:1", None)
    assert plain.baseurl == "http://127.0.0.1:1"
    assert not plain._session.trust_env
    secured = GatewayClient("[::1]:2", EtcdTls())
    assert (secured.baseurl, secured._session.verify) == ("https://[::1]:2", True)
    named = EtcdTls(ca=tmp_path / "ca", cert=tmp_path / "cert", key=tmp_path / "key")
    mutual = GatewayClient("h:2", named)
    assert mutual._session.verify == str(tmp_path / "ca")
    assert mutual._session.cert == (str(tmp_path / "cert"), str(tmp_path / "key"))
    for client in (plain, secured, mutual):
        client.close()
