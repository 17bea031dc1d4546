"""The row `validators` of `bps doctor`, asked of a running sidecar."""

from __future__ import annotations

import asyncio

from bps.api.views import CheckView
from bps.core.errors import BpsError
from bps.core.ports import Store
from bps.policy.read import policy_in_force
from bps.validation.registry import installed


async def validators_row(store: Store) -> CheckView | None:
    """Whether all that the policy names is installed where this runs; None without a policy.

    A warning where it is not: this sidecar promotes nothing while it leads. None is loaded, so that
    one which does not work is not seen. Cost: one round trip, and 20-50 ms in a thread.
    """
    try:
        policy = (await policy_in_force(store)).in_force.policy
    except BpsError:
        # The checks `quorum` and `set-up` say it.
        return None
    wanted = [each.name for each in policy.validators]
    present = await asyncio.to_thread(installed) if wanted else {}
    missing = [name for name in wanted if name not in present]
    if not missing:
        detail = f"{len(wanted)} of the policy, all installed here"
        return CheckView(check="validators", status="ok", detail=detail, next_action="")
    detail = f"not installed where this service runs: {', '.join(missing)}"
    action = (
        "Install them there, or take them out of the policy; while this service leads, nothing is "
        "promoted."
    )
    return CheckView(check="validators", status="warning", detail=detail, next_action=action)
