"""Fixtures for every test: the three-member etcd cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.cluster import EtcdCluster, start_cluster

_DESCRIPTION = pytest.StashKey[str]()

# A busy machine makes an example slow, not wrong; pytest's own limit ends what hangs.
settings.register_profile("bps", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bps")


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[EtcdCluster]:
    """The cluster of this session; a test takes `fresh_cluster` instead, which cleans up."""
    started, description = start_cluster()
    request.config.stash[_DESCRIPTION] = description
    yield started
    started.stop()


@pytest.fixture
def fresh_cluster(cluster: EtcdCluster) -> Iterator[EtcdCluster]:
    """The cluster, healthy and empty; after the test all faults are healed and all keys deleted."""
    yield cluster
    cluster.heal()
    cluster.wipe()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Says what the tests ran against."""
    if _DESCRIPTION in config.stash:
        terminalreporter.write_line(f"etcd cluster: {config.stash[_DESCRIPTION]}")
