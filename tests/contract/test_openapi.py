"""Requests made from the OpenAPI document, right and wrong ones; every answer is as documented."""

from __future__ import annotations

import pytest

from tests.contract.explore import explore

_SEED = 20_261_121
_BUDGET_S = 25


def test_every_operation_keeps_what_its_document_says(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("ERROR"):
        found = explore(_SEED, _BUDGET_S)
    assert found.exit_code == 0, found.report
    assert found.wrote, "no request got through to the store"
    assert caplog.messages == [], "the service logged errors"
