"""Every test of the suite runs on every adapter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.etcd_process import etcd_process
from tests.conformance.subjects import Subject, etcd_subject, memory_subject


@pytest.fixture(scope="session")
def etcd_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One etcd process that only these tests write to."""
    with etcd_process(tmp_path_factory.mktemp("etcd")) as endpoint:
        yield endpoint


@pytest.fixture(
    params=["memory", "etcd", pytest.param("cluster", marks=pytest.mark.cluster)], scope="module"
)
def adapter(request: pytest.FixtureRequest) -> str:
    """The adapter's name; a module runs on one before the next."""
    name: str = request.param
    return name


@pytest.fixture
def subject(adapter: str, request: pytest.FixtureRequest) -> Subject:
    """The store under test."""
    if adapter == "memory":
        return memory_subject()
    if adapter == "etcd":
        return etcd_subject("etcd", [request.getfixturevalue("etcd_endpoint")])
    return etcd_subject("cluster", request.getfixturevalue("cluster").endpoints)
