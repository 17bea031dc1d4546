"""Policies put into a store directly."""

from __future__ import annotations

from typing import Any

from bps.core import keys
from bps.core.ports import Store
from bps.core.txn import Committed, Put, Txn
from bps.policy.model import DEFAULT_POLICY, Policy


async def put_policy(store: Store, **changes: Any) -> Policy:
    """Put the default policy with `changes` in force, without an operation or an event."""
    policy = Policy.model_validate({**DEFAULT_POLICY.model_dump(), **changes})
    written = await store.commit(Txn((), (Put(keys.POLICY_CURRENT, policy.encode()),)))
    assert isinstance(written, Committed)
    return policy


async def without_validators(store: Store) -> None:
    """For write paths without a workshop that can run them."""
    await put_policy(store, validators=[])
