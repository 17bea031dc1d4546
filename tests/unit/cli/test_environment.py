"""Options of the root command and BPS_* variables: refused by name, defaults said once."""

from __future__ import annotations

import pytest

from bps.bootstrap import CAMPAIGN_S, LEASE_TTL_S, Settings
from tests.unit.cli.invoke import check_words, invoke


@pytest.mark.parametrize("name", ["BPS_LEASE_TTL_S", "BPS_CAMPAIGN_S"])
@pytest.mark.parametrize(
    "value", ["0", "-1", "3601", "1.0", "true", "", " 1", "01", "٣", "9" * 5_000], ids=ascii
)
def test_times_are_whole_seconds_up_to_an_hour(name: str, value: str) -> None:
    ran = invoke("plan", "list", env={name: value})
    assert (ran.code, ran.out) == (2, "")
    assert f"{name} must be a whole number" in ran.err
    assert "[CONFIG_ERROR]" in ran.err
    check_words(ran, ())


def test_times_that_are_set_and_those_that_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BPS_LEASE_TTL_S", "BPS_CAMPAIGN_S"):
        monkeypatch.delenv(name, raising=False)
    default = Settings.from_environment()
    assert (default.lease_ttl_s, default.campaign_s) == (LEASE_TTL_S, CAMPAIGN_S)
    monkeypatch.setenv("BPS_LEASE_TTL_S", "2")
    monkeypatch.setenv("BPS_CAMPAIGN_S", "3600")
    chosen = Settings.from_environment()
    assert (chosen.lease_ttl_s, chosen.campaign_s) == (2, 3600)


@pytest.mark.parametrize(
    "members", ["", ",", " , ", "nonsense", "a:b", "127.0.0.1:0x1", "\udcff:1", "a\n:1"], ids=ascii
)
def test_members_that_are_none(members: str) -> None:
    ran = invoke(f"--etcd={members}", "plan", "list")
    assert (ran.code, ran.out) == (2, ""), ran
    assert "[CONFIG_ERROR]" in ran.err
    check_words(ran, (members,))


def test_a_user_without_a_password() -> None:
    ran = invoke("plan", "list", env={"BPS_ETCD_USER": "root"})
    assert ran.code == 2
    assert "BPS_ETCD_PASSWORD" in ran.err


def test_certificates_that_are_not_there() -> None:
    ran = invoke("plan", "list", env={"BPS_ETCD_CA_FILE": "no-such-file.pem"})
    assert (ran.code, ran.out) == (2, "")
    assert "no-such-file.pem" in ran.err
    check_words(ran, ())


@pytest.mark.parametrize("members", ["root:pw@h:1", "http://root:pw@h:1", "a:1,root:p,w@h:1"])
def test_a_password_among_the_members_is_not_shown(members: str) -> None:
    ran = invoke(f"--etcd={members}", "plan", "list")
    assert (ran.code, ran.out) == (2, "")
    assert "[CONFIG_ERROR]" in ran.err
    assert not any(secret in ran.err for secret in ("pw", "root:", "w@"))


@pytest.mark.parametrize("name", ["BPS_ETCD_USER", "BPS_ETCD_PASSWORD"])
def test_a_user_or_password_that_is_no_text(name: str) -> None:
    env = {"BPS_ETCD_USER": "u", "BPS_ETCD_PASSWORD": "p", name: "s3cret\udcff"}
    ran = invoke("plan", "list", env=env)
    assert (ran.code, ran.out) == (2, "")
    assert f"{name} is not UTF-8 text. [CONFIG_ERROR]" in ran.err
    assert "s3cret" not in ran.err


def test_an_empty_workspace_is_not_the_current_directory() -> None:
    ran = invoke("--workspace=", "sync")
    assert ran.code == 2
    assert "--workspace names no directory" in ran.err
