"""Plans, versions, proofs: what the service says of them, and registering one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from bps.client.answers import Calls, path_of
from bps.writepath.command import Outcome

if TYPE_CHECKING:
    from bps.api.origins import OriginsView
    from bps.api.views import PlanView
    from bps.plans.model import Plan, Version
    from bps.plans.results import PlanResult, Receipt
    from bps.replay.replay import Replayed
    from bps.replay.verify import Verified

_NOT_MODIFIED = 304
PROOF_S = 600.0
"""How long a proof may take: about 20 us an event to verify, 80 us to replay."""


class PlanCalls(Calls):
    """Calls under `/v1/plans/{plan}`, but for branches, promotions and events."""

    def plans(self) -> AsyncGenerator[Plan, None]:
        """All plans; a request per 200."""
        from bps.plans.model import Plan

        return self._pages(Plan, "plans")

    async def register_plan(
        self,
        plan: str,
        blueprint: bytes,
        *,
        initiative: str = "default",
        title: str = "",
        op_id: str | None = None,
    ) -> Outcome[PlanResult]:
        """Register and seal a plan; `blueprint` becomes canonical version 1."""
        from bps.plans.results import PlanResult

        return await self._act(
            PlanResult,
            "PUT",
            *("plans", plan),
            op_id=op_id,
            blueprint=blueprint,
            query={"initiative": initiative, "title": title or None},
        )

    async def plan(self, plan: str) -> PlanView:
        """A plan, its canonical version and the end of its log."""
        from bps.api.views import PlanView

        return await self._get(PlanView, "plans", plan)

    async def canonical(self, plan: str, *, fresh: bool = False) -> Version:
        """The canonical version; `fresh` reads etcd even where the service has it in memory."""
        from bps.plans.model import Version

        headers = {"Cache-Control": "no-cache"} if fresh else {}
        return await self._get(Version, "plans", plan, "canonical", headers=headers)

    async def canonical_unless(self, plan: str, etag: str) -> Version | None:
        """The canonical version, or None where it still is the one that `etag` names."""
        from bps.plans.model import Version

        answer = await self._transport.read(
            path_of("plans", plan, "canonical"), headers={"If-None-Match": etag}
        )
        return None if answer.status == _NOT_MODIFIED else self._parse(Version, answer)

    def versions(self, plan: str) -> AsyncGenerator[Version, None]:
        """All versions, oldest first; a request per 200."""
        from bps.plans.model import Version

        return self._pages(Version, "plans", plan, "versions")

    async def version(self, plan: str, version: int) -> Version:
        """One version."""
        from bps.plans.model import Version

        return await self._get(Version, "plans", plan, "versions", str(version))

    async def origins(self, plan: str, version: int) -> OriginsView:
        """What of a version came from whom."""
        from bps.api.origins import OriginsView

        return await self._get(OriginsView, "plans", plan, "versions", str(version), "origins")

    async def blueprint(self, plan: str, version: int | None = None) -> bytes:
        """The bytes of the canonical blueprint, or of a version's."""
        named = ("canonical",) if version is None else ("versions", str(version))
        answer = await self._transport.read(path_of("plans", plan, *named, "blueprint"))
        return answer.body

    async def blueprint_named(self, plan: str, digest: str) -> bytes:
        """The bytes of the blueprint with this digest. Raises NotFound."""
        answer = await self._transport.read(path_of("plans", plan, "blueprints", digest))
        return answer.body

    async def verify(self, plan: str, receipt: Receipt | None = None) -> Verified:
        """Let the service check the plan's log. Raises ChainBroken, DigestMismatch."""
        from bps.replay.verify import Verified

        held = {}
        if receipt is not None:
            held = {"receipt_seq": str(receipt.seq), "receipt_hash": receipt.hash}
        path = ("plans", plan, "verification")
        return await self._get(Verified, *path, query=held, answer_s=PROOF_S)

    async def replay(self, plan: str) -> Replayed:
        """Let the service rebuild the plan from its events. Raises ReplayDiverged."""
        from bps.replay.replay import Replayed

        return await self._get(Replayed, "plans", plan, "replay", answer_s=PROOF_S)


def etag_of(version: Version) -> str:
    """The entity tag of a version, for `if_match`."""
    return f'"{version.version}-{version.digest}"'
