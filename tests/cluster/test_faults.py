"""Each fault of the harness does to etcd what it says."""

from __future__ import annotations

import pytest

from tests.cluster import CLUSTER_SIZE, EtcdCluster
from tests.cluster.gateway import call, get

pytestmark = pytest.mark.cluster


def _put(cluster: EtcdCluster, index: int, key: str = "YQ==") -> None:
    call(cluster.endpoints[index], "/v3/kv/put", {"key": key, "value": "MQ=="})


def _count(cluster: EtcdCluster, index: int) -> int:
    everything = {"key": "AA==", "range_end": "AA==", "count_only": True}
    return int(call(cluster.endpoints[index], "/v3/kv/range", everything).get("count", 0))


def test_three_members_answer_on_loopback(fresh_cluster: EtcdCluster) -> None:
    assert len(fresh_cluster.endpoints) == CLUSTER_SIZE
    assert all(endpoint.startswith("127.0.0.1:") for endpoint in fresh_cluster.endpoints)
    _put(fresh_cluster, 0)
    assert [_count(fresh_cluster, i) for i in range(CLUSTER_SIZE)] == [1, 1, 1]


def test_a_killed_leader_is_replaced_and_comes_back_with_its_data(
    fresh_cluster: EtcdCluster,
) -> None:
    old = fresh_cluster.leader_index()
    _put(fresh_cluster, old)
    fresh_cluster.member(old).kill()
    assert not fresh_cluster.member(old).is_healthy()
    survivor = (old + 1) % CLUSTER_SIZE
    fresh_cluster.leader_index(other_than=old)
    _put(fresh_cluster, survivor, "Yg==")
    fresh_cluster.member(old).start()
    fresh_cluster.wait_healthy()
    assert _count(fresh_cluster, old) == 2


def test_a_paused_member_keeps_silent_until_it_is_resumed(fresh_cluster: EtcdCluster) -> None:
    follower = (fresh_cluster.leader_index() + 1) % CLUSTER_SIZE
    fresh_cluster.member(follower).pause()
    assert not fresh_cluster.member(follower).is_healthy()
    fresh_cluster.member(follower).resume()
    fresh_cluster.wait_healthy()


@pytest.mark.parametrize("is_leader", [True, False])
def test_an_isolated_member_answers_clients_but_reaches_no_quorum(
    fresh_cluster: EtcdCluster, is_leader: bool
) -> None:
    leader = fresh_cluster.leader_index()
    cut_off = leader if is_leader else (leader + 1) % CLUSTER_SIZE
    other = (leader + 2) % CLUSTER_SIZE
    fresh_cluster.member(cut_off).isolate()
    fresh_cluster.member(cut_off).wait_cut_off()
    assert get(fresh_cluster.endpoints[cut_off], "/version", timeout_s=1.0)
    if is_leader:
        fresh_cluster.leader_index(other_than=cut_off)
    _put(fresh_cluster, other)
    fresh_cluster.heal()
    assert _count(fresh_cluster, cut_off) == 1


def test_two_killed_members_take_the_quorum_away(fresh_cluster: EtcdCluster) -> None:
    fresh_cluster.member(0).kill()
    fresh_cluster.member(1).kill()
    fresh_cluster.member(2).wait_cut_off()


def test_the_next_test_finds_an_empty_and_healthy_cluster(fresh_cluster: EtcdCluster) -> None:
    fresh_cluster.member(0).pause()
    fresh_cluster.member(1).isolate()
    fresh_cluster.heal()
    _put(fresh_cluster, 0)
    fresh_cluster.wipe()
    assert [_count(fresh_cluster, i) for i in range(CLUSTER_SIZE)] == [0, 0, 0]
    assert all(member.is_healthy() for member in fresh_cluster.members)
