"""Limits of the policy, checked by decisions."""

from __future__ import annotations

from bps.core.errors import LimitExceeded
from bps.plans.blob import Blob
from bps.policy.model import Policy


def check_blueprint_size(policy: Policy, blob: Blob) -> LimitExceeded | None:
    """The refusal of a blueprint that is over the policy's cap."""
    if blob.size_bytes <= policy.max_blueprint_bytes:
        return None
    return limit_exceeded("max_blueprint_bytes", blob.size_bytes, policy.max_blueprint_bytes)


def limit_exceeded(limit: str, value: int, allowed: int) -> LimitExceeded:
    """The refusal that names the policy's limit."""
    msg = f"{value} is over the limit {limit} = {allowed}."
    return LimitExceeded(msg, limit=limit, value=value, allowed=allowed)
