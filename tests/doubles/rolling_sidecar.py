"""A sidecar in a process of its own that does what it is told to, line by line.

Usage: python -m tests.doubles.rolling_sidecar NAME ENDPOINT,... [TTL_S]

Each line is a JSON list, an act and its arguments; each is answered by one JSON object. `start`
campaigns, `stop` resigns; between them it acts while it leads. The code of `bps` is what
PYTHONPATH says, so that releases can take turns on one cluster.
"""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import count
from typing import Any

from bps.clock import SystemClock
from bps.core.codec import SCHEMA
from bps.core.errors import BpsError
from bps.core.ids import BranchRef
from bps.plans.blob import pack
from bps.plans.branches import OpenBranch, SubmitBranch
from bps.plans.register import RegisterPlan
from bps.promotion.promote import Promote
from bps.replay.replay import replay
from bps.replay.verify import verify
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.etcd import EtcdStore

PRINCIPAL = "people"
"""Who acts through any of the sidecars: an operation can be repeated on another one."""
_CAMPAIGN_S = 30.0


class RollingSidecar:
    """One release's sidecar, started and stopped again and again."""

    def __init__(self, name: str, store: EtcdStore, ttl_s: int) -> None:
        self._name = name
        self._ttl_s = ttl_s
        self._store = store
        self._sidecar: Sidecar | None = None
        self._ops = count(1)

    async def do(self, act: str, *arguments: Any) -> dict[str, Any]:
        """Carry out one line."""
        if act == "start":
            settings = SidecarSettings(self._name, lease_ttl_s=self._ttl_s, campaign_s=_CAMPAIGN_S)
            self._sidecar = await Sidecar(self._store, SystemClock(), settings).__aenter__()
            return {"schema": SCHEMA}
        if act == "stop":
            assert self._sidecar is not None
            await self._sidecar.__aexit__(None, None, None)
            return {}
        if act == "leads":
            assert self._sidecar is not None
            await self._sidecar.terms.decided()
            return {"mode": self._sidecar.terms.mode.value}
        if act in {"verify", "replay"}:
            prove = verify if act == "verify" else replay
            return (await prove(self._store, *arguments)).model_dump(mode="json")
        return await self._write(act, *arguments)

    async def _write(self, act: str, plan: str, *arguments: str) -> dict[str, Any]:
        assert self._sidecar is not None
        op = f"{self._name}-{act}-{next(self._ops)}"
        command: Any
        if act == "register":
            command = RegisterPlan(PRINCIPAL, op, plan, "default", "title", pack(b"v: 1\n"))
        elif act == "open":
            trace_id, fingerprint = arguments
            command = OpenBranch(PRINCIPAL, op, plan, trace_id, fingerprint)
        elif act == "submit":
            branch, content = arguments
            blob = pack(content.encode())
            command = SubmitBranch(PRINCIPAL, op, plan, BranchRef.parse(plan, branch), blob)
        else:
            command = Promote(PRINCIPAL, arguments[0], plan)
        outcome = await self._sidecar.execute(command)
        return {"outcome": outcome.how, **outcome.result.model_dump(mode="json")}


async def _serve(name: str, endpoints: str, ttl_s: str = "5") -> None:
    async with EtcdStore(endpoints.split(",")) as store:
        sidecar = RollingSidecar(name, store, int(ttl_s))
        while line := await asyncio.to_thread(sys.stdin.readline):
            try:
                answer = await sidecar.do(*json.loads(line))
            except BpsError as error:
                answer = {"error": error.code, "message": error.message, **error.facts}
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
