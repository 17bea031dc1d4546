"""A leader in a process of its own that stops before it sends a promotion, until it is told to.

Usage: python -m tests.doubles.pausing_leader ENDPOINT,... PLAN BRANCH TTL_S

Prints `LEADS {create revision of its fence}`, then `READY` when the promotion is decided and the
next thing to do is to send it; waits for a line; prints what became of it as one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys

from bps.clock import SystemClock
from bps.core.errors import BpsError
from bps.core.ids import BranchRef
from bps.core.txn import Committed, Conflict, Txn
from bps.leadership.election import Leadership
from bps.promotion.promote import Promote
from bps.store.etcd import EtcdStore
from bps.writepath.transact import WritePath
from tests.doubles.forwarding_store import ForwardingStore

PRINCIPAL = "frozen"
OP_ID = "promotion"


class PausingStore(ForwardingStore):
    """Says so before it sends a transaction, and waits for a line."""

    async def commit(self, txn: Txn) -> Committed | Conflict:
        _say("READY")
        await asyncio.to_thread(sys.stdin.readline)
        return await super().commit(txn)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _promote(endpoints: list[str], plan: str, branch: str, ttl_s: int) -> dict[str, object]:
    clock = SystemClock()
    async with (
        EtcdStore(endpoints) as store,
        Leadership(store, clock, PRINCIPAL, ttl_s=ttl_s) as leadership,
    ):
        await leadership.campaign(10)
        await leadership.ops_lease_id()
        _say(f"LEADS {leadership.fence().create_revision}")
        path = WritePath(PausingStore(store), leadership, clock)
        command = Promote(PRINCIPAL, OP_ID, plan, (BranchRef(branch, None),))
        try:
            outcome = await path.execute(command)
        except BpsError as error:
            return {"error": error.code, "message": error.message}
        return {"version": outcome.result.version}


def main() -> None:
    """Run; everything that goes wrong but a named error is a traceback."""
    endpoints, plan, branch, ttl_s = sys.argv[1:]
    _say(json.dumps(asyncio.run(_promote(endpoints.split(","), plan, branch, int(ttl_s)))))


if __name__ == "__main__":
    main()
