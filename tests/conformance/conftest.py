"""Every test of the suite runs on every adapter that declares what it needs.

A test, or its module, says so with `pytest.mark.needs(Capability...)`. What an adapter does not
declare is not skipped: `test_capabilities` shows that it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.etcd_process import etcd_process
from tests.conformance.subjects import (
    DECLARED,
    Subject,
    etcd_subject,
    gateway_subject,
    memory_subject,
)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark of this folder."""
    config.addinivalue_line(
        "markers", "needs(*capabilities): runs on the adapters that declare all of them"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The adapters that a test runs on; a module runs on one before the next."""
    if "adapter" not in metafunc.fixturenames:
        return
    needed = {each for mark in metafunc.definition.iter_markers("needs") for each in mark.args}
    adapters = [
        pytest.param(name, marks=[pytest.mark.cluster] if name.endswith("cluster") else [])
        for name, declared in DECLARED.items()
        if needed <= declared
    ]
    metafunc.parametrize("adapter", adapters, indirect=True, scope="module")


@pytest.fixture(scope="session")
def etcd_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One etcd process that only these tests write to."""
    with etcd_process(tmp_path_factory.mktemp("etcd")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def adapter(request: pytest.FixtureRequest) -> str:
    """The adapter's name."""
    name: str = request.param
    return name


@pytest.fixture
def subject(adapter: str, request: pytest.FixtureRequest) -> Subject:
    """The store under test."""
    if adapter == "memory":
        return memory_subject()
    endpoints = (
        request.getfixturevalue("cluster").endpoints
        if adapter.endswith("cluster")
        else [request.getfixturevalue("etcd_endpoint")]
    )
    make = gateway_subject if adapter.startswith("gateway") else etcd_subject
    return make(adapter, endpoints)
