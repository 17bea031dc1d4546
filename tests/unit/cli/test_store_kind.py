"""`--store` and BPS_STORE: how etcd is spoken to."""

from __future__ import annotations

import sys

import pytest

from bps.bootstrap import Settings, StoreKind
from tests.unit.cli.invoke import check_words, invoke


def test_grpc_is_the_default_and_the_gateway_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, chosen in (("", StoreKind.ETCD), ("gateway", StoreKind.GATEWAY)):
        monkeypatch.setenv("BPS_STORE", value)
        assert Settings.from_environment().store_kind is chosen
    monkeypatch.delenv("BPS_STORE")
    assert Settings.from_environment().store_kind is StoreKind.ETCD


@pytest.mark.parametrize("value", ["memory", "ETCD", "etcd,gateway", " gateway", "x" * 60])
def test_another_store_is_refused(value: str) -> None:
    for ran in (
        invoke("--store", value, "plan", "list"),
        invoke("plan", "list", env={"BPS_STORE": value}),
    ):
        assert (ran.code, ran.out) == (2, ""), ran
        check_words(ran, ())


def test_without_its_package_the_gateway_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.startswith("bps.store.gateway")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "etcd3", None)
    ran = invoke("--store", "gateway", "plan", "list")
    assert (ran.code, ran.out) == (2, ""), ran
    assert "extra `gateway`" in ran.err
    assert "[CONFIG_ERROR]" in ran.err
    check_words(ran, ())
