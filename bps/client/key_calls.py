"""The key registry and the checkpoints."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from bps.client.answers import Calls
from bps.writepath.command import Outcome

if TYPE_CHECKING:
    from bps.api.checkpoints import CheckpointView
    from bps.api.keys import KeyView, StatementRequest
    from bps.keyring.model import KeyResult, KeyStatement


class KeyCalls(Calls):
    """`approvals` are DSSE envelopes as `bps keys sign` makes them."""

    def keys(self) -> AsyncGenerator[KeyView, None]:
        """All keys, the revoked ones too; a request per 200."""
        from bps.api.keys import KeyView

        return self._pages(KeyView, "keys")

    async def add_key(
        self,
        public_key: str,
        *,
        holder: str,
        purposes: Sequence[str],
        comment: str = "",
        approvals: Sequence[dict[str, Any]] = (),
        op_id: str | None = None,
    ) -> Outcome[KeyResult]:
        """Register a public key. Raises ApprovalsMissing."""
        from bps.keyring.model import KeyResult

        body = {
            "public_key": public_key,
            "holder": holder,
            "purposes": list(purposes),
            "comment": comment,
            "approvals": list(approvals),
        }
        return await self._act(KeyResult, "POST", "keys", op_id=op_id, body=body)

    async def rotate_key(
        self,
        key_id: str,
        public_key: str,
        *,
        comment: str = "",
        approvals: Sequence[dict[str, Any]] = (),
        op_id: str | None = None,
    ) -> Outcome[KeyResult]:
        """Put a new key in the place of one. Raises ApprovalsMissing."""
        from bps.keyring.model import KeyResult

        body = {"public_key": public_key, "comment": comment, "approvals": list(approvals)}
        path = ("keys", key_id, "rotation")
        return await self._act(KeyResult, "POST", *path, op_id=op_id, body=body)

    async def revoke_key(
        self, key_id: str, *, approvals: Sequence[dict[str, Any]] = (), op_id: str | None = None
    ) -> Outcome[KeyResult]:
        """Let a key sign nothing any more. Raises ApprovalsMissing."""
        from bps.keyring.model import KeyResult

        path, body = ("keys", key_id, "revocation"), {"approvals": list(approvals)}
        return await self._act(KeyResult, "POST", *path, op_id=op_id, body=body)

    async def key_statement(self, wanted: StatementRequest) -> KeyStatement:
        """What holders sign to approve a change; nothing is written."""
        from bps.keyring.model import KeyStatement

        body = wanted.model_dump(mode="json")
        return (
            await self._act(KeyStatement, "POST", "keys", "statements", op_id=None, body=body)
        ).result

    def checkpoints(self) -> AsyncGenerator[CheckpointView, None]:
        """All checkpoints, oldest first; a request per 200."""
        from bps.api.checkpoints import CheckpointView

        return self._pages(CheckpointView, "checkpoints")

    async def checkpoint(self, seq: int) -> CheckpointView:
        """One checkpoint."""
        from bps.api.checkpoints import CheckpointView

        return await self._get(CheckpointView, "checkpoints", str(seq))
