"""One etcd process for tests that do not harm it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.etcd_process import etcd_process


@pytest.fixture(scope="package")
def etcd_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A single healthy member."""
    with etcd_process(tmp_path_factory.mktemp("etcd")) as endpoint:
        yield endpoint
