"""How long a lease can be relied on."""

from __future__ import annotations

from bps.leadership.validity import LeaseValidity


def test_a_validity_counts_from_the_request_with_a_margin() -> None:
    validity = LeaseValidity(100.0, 10)
    assert validity.holds(108.99)
    assert not validity.holds(109.0)
    assert not LeaseValidity(100.0, 0).holds(100.0)


def test_an_expired_validity_is_not_renewed() -> None:
    validity = LeaseValidity(100.0, 10)
    assert validity.renewed(108.0, 10) == LeaseValidity(108.0, 10)
    assert validity.renewed(109.5, 10) == validity
