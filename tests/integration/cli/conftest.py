"""One empty cluster for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster import EtcdCluster
from tests.integration.cli.console import Console


@pytest.fixture(scope="module")
def console(cluster: EtcdCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """`bps` on the cluster, which is empty before and after."""
    cluster.heal()
    cluster.wipe()
    yield Console(cluster, tmp_path_factory.mktemp("workspace"))
    cluster.heal()
    cluster.wipe()
