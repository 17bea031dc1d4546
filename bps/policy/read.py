"""Reading the policy in force, for the edges."""

from __future__ import annotations

from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import ConfigError
from bps.core.ports import Key, Store
from bps.policy.model import PolicyInForce


@dataclass(frozen=True, slots=True)
class PolicyDetail:
    """The policy in force, at a revision."""

    in_force: PolicyInForce
    revision: int


def not_initialised() -> ConfigError:
    """There is no policy, so nobody has set the store up."""
    return ConfigError("The store was never initialised.").advising(
        "Run `bps init --standalone`; or name the store that is meant, if this is another one."
    )


async def policy_in_force(store: Store) -> PolicyDetail:
    """One round trip. Raises ConfigError: the store was never initialised."""
    snapshot = await store.snapshot([Key(keys.POLICY_CURRENT)])
    if not snapshot.answers[0]:
        raise not_initialised()
    return PolicyDetail(PolicyInForce(snapshot.answers[0][0]), snapshot.revision)
