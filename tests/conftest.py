"""For every test: the three-member etcd cluster, one for each process of tests; their order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.checkout import take_interrupts, use_checkout
from tests.cluster import EtcdCluster, start_cluster
from tests.order import longest_first

_DESCRIPTIONS = pytest.StashKey[set[str]]()
_OUTPUT = "etcd cluster"

# A busy machine makes an example slow, not wrong; pytest's own limit ends what hangs.
settings.register_profile("bps", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bps")


def pytest_configure(config: pytest.Config) -> None:
    """Programs are of this checkout and hear Ctrl-C; files are given out in our order.

    By itself xdist begins the files of few tests last.
    """
    use_checkout()
    take_interrupts()
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that run long come first."""
    items[:] = longest_first(items)


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[EtcdCluster]:
    """The cluster of this session; a test takes `fresh_cluster` instead, which cleans up."""
    started, description = start_cluster()
    request.config.stash[_DESCRIPTIONS] = {description}
    if hasattr(request.config, "workeroutput"):
        request.config.workeroutput[_OUTPUT] = description
    yield started
    started.stop()


@pytest.fixture
def fresh_cluster(cluster: EtcdCluster) -> Iterator[EtcdCluster]:
    """The cluster, healthy and empty; after the test all faults are healed and all keys deleted."""
    yield cluster
    cluster.heal()
    cluster.wipe()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over from a process of tests what it ran against."""
    if description := getattr(node, "workeroutput", {}).get(_OUTPUT):
        node.config.stash.setdefault(_DESCRIPTIONS, set()).add(description)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Says what the tests ran against."""
    for description in sorted(config.stash.get(_DESCRIPTIONS, ())):
        terminalreporter.write_line(f"etcd cluster: {description}")
