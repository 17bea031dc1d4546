"""`bps --store gateway` on the cluster: every direct command, as over gRPC; and what it refuses."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bps.clock import SystemClock
from bps.leadership.election import Leadership
from bps.store.gateway import GatewayStore
from tests.asynchronous import run
from tests.checkout import SAMPLES
from tests.cluster import EtcdCluster
from tests.integration.cli.console import Console

pytestmark = pytest.mark.cluster

SAMPLE = SAMPLES / "checkout-service.yaml"
BASE = SAMPLE.read_bytes()
FIX = BASE.replace(b"attempt_timeout_ms: 9000", b"attempt_timeout_ms: 2500")
PLAN = "EP-42"


class GatewayConsole(Console):
    """`bps` that speaks to the gateway; its processes know no way of gRPC to etcd."""

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "BPS_STORE": "gateway"}


@pytest.fixture
def console(fresh_cluster: EtcdCluster, tmp_path: Path) -> GatewayConsole:
    fresh_cluster.wipe()
    return GatewayConsole(fresh_cluster, tmp_path)


def test_the_life_of_a_plan(console: GatewayConsole) -> None:
    console.data("plan", "register", PLAN, str(SAMPLE), "--title", "x", "--op-id", "r")
    opened = ("branch", "open", PLAN, "--trace-id", "t", "--fingerprint", "slow", "--op-id", "o")
    rr_plan = console.data(*opened)["rr_plan"]
    console.data("branch", "submit", PLAN, rr_plan, "-", "--op-id", "s", stdin=FIX)
    dry = console.data("promote", PLAN, "--dry-run")
    done = console.data("promote", PLAN, "--reason", "shorter", "--op-id", "p")
    assert (done["version"], dry["version"]) == ("2", "2")
    assert (console.workspace / PLAN / "canonical_blueprint.yaml").read_bytes() == FIX

    # The same store by the other adapter: the same answers, byte for byte.
    reads = (
        ("plan", "list"),
        ("plan", "show", PLAN),
        ("branch", "list", PLAN),
        ("canonical", PLAN),
        ("diff", PLAN, "1", "2"),
        ("log", PLAN),
        ("verify", PLAN),
        ("replay", PLAN),
    )
    over_grpc = Console(console.cluster, console.workspace)
    for read in reads:
        by_gateway = console.bps(*read, "-o", "json")
        assert by_gateway.code == 0, by_gateway
        assert by_gateway.out == over_grpc.bps(*read, "-o", "json").out, read


def test_a_process_of_its_own_promotes_nothing_twice(console: GatewayConsole) -> None:
    ran = console.process("--store", "gateway", "plan", "register", PLAN, str(SAMPLE))
    assert ran.code == 0, ran
    refused = console.process("promote", PLAN, "-o", "json")
    assert (refused.code, refused.out) == (1, ""), refused
    assert refused.problem["code"] == "WRONG_STATE"


def test_doctor_says_what_the_adapter_cannot_do(console: GatewayConsole) -> None:
    assert console.bps("init").code == 0
    checks = {check["check"]: check for check in console.data("doctor")}
    assert (checks["adapter"]["status"], checks["quorum"]["status"]) == ("warning", "ok")
    assert checks["adapter"]["detail"] == "GatewayStore cannot do: watch"
    assert {*console.cluster.endpoints} <= {*checks}
    over_grpc = Console(console.cluster, console.workspace)
    assert "adapter" not in {check["check"] for check in over_grpc.data("doctor")}


def test_following_a_log_is_refused_before_its_first_event(console: GatewayConsole) -> None:
    console.data("plan", "register", PLAN, str(SAMPLE), "--title", "x", "--op-id", "r")
    problem = console.refused("log", PLAN, "--follow", code="CAPABILITY_MISSING", exit_code=2)
    assert problem["facts"] == {"adapter": "GatewayStore", "capability": "watch"}


def test_another_leader_is_waited_for_and_named(console: GatewayConsole) -> None:
    async def refuse() -> None:
        async with (
            GatewayStore(console.cluster.endpoints) as store,
            Leadership(store, SystemClock(), "the-other", ttl_s=30) as leadership,
        ):
            await leadership.campaign(10)
            ran = await asyncio.to_thread(
                console.process,
                *("plan", "register", PLAN, str(SAMPLE), "-o", "json"),
                env={"BPS_CAMPAIGN_S": "1"},
            )
            assert (ran.code, ran.out) == (75, ""), ran
            assert ran.problem["code"] == "NOT_LEADER"
            assert "the-other" in ran.problem["detail"]

    run(refuse())
