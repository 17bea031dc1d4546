"""The etcd that a benchmark runs on: the tests' 3-node cluster, its leader asked first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.options import say
from bps.store.etcd import EtcdStore
from tests.cluster import EtcdCluster, start_cluster


@contextmanager
def cluster() -> Iterator[list[str]]:
    """Three members, new and empty; yields their endpoints, the leader's first."""
    with breakable_cluster() as members:
        leader = members.leader_index()
        yield [*members.endpoints[leader:], *members.endpoints[:leader]]


@contextmanager
def breakable_cluster() -> Iterator[EtcdCluster]:
    """The same, with the faults that its members can be put through."""
    members, sentence = start_cluster()
    try:
        say(f"  on {sentence}")
        yield members
    finally:
        members.stop()


def client(endpoints: list[str]) -> EtcdStore:
    """A client patient enough for a machine that also runs the members and bulk loads."""
    return EtcdStore(endpoints, deadline_s=10, read_bound_s=30)
