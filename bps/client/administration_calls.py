"""Identity, tokens, initiatives, policy, and the service's own state."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from bps.client.answers import Calls, path_of
from bps.writepath.command import Outcome

if TYPE_CHECKING:
    from bps.api.initiatives import InitiativeView
    from bps.api.requests import PolicyRequest
    from bps.api.tokens import IdentityView, IssuedToken, TokenView
    from bps.api.views import CheckView
    from bps.checkpoints.accepted import AcceptedRollback, LostCheckpoint
    from bps.identity.prune import Pruning
    from bps.initiatives.model import Initiative
    from bps.leadership.operator_mode import OperatorMode, Wanted
    from bps.policy.model import Policy


class AdministrationCalls(Calls):
    """Calls that belong to no plan."""

    async def identity(self) -> IdentityView:
        """Who the service takes the caller for."""
        from bps.api.tokens import IdentityView

        return await self._get(IdentityView, "identity")

    def tokens(self) -> AsyncGenerator[TokenView, None]:
        """All credentials, the ended ones too; a request per 200."""
        from bps.api.tokens import TokenView

        return self._pages(TokenView, "tokens")

    async def create_token(
        self,
        principal: str,
        roles: Sequence[str],
        *,
        expires_in_s: int | None = None,
        certificate_name: str | None = None,
        comment: str = "",
        op_id: str | None = None,
    ) -> Outcome[IssuedToken]:
        """Make a credential. Its secret is in this answer only; a repeated one has none."""
        from bps.api.tokens import IssuedToken

        body = {
            "principal": principal,
            "roles": list(roles),
            "expires_in_s": expires_in_s,
            "certificate_name": certificate_name,
            "comment": comment,
        }
        return await self._act(IssuedToken, "POST", "tokens", op_id=op_id, body=body)

    async def rotate_token(
        self, token_id: str, *, grace_s: int = 0, op_id: str | None = None
    ) -> Outcome[IssuedToken]:
        """Replace a secret; the old one ends after `grace_s` seconds."""
        from bps.api.tokens import IssuedToken

        path, body = ("tokens", token_id, "rotation"), {"grace_s": grace_s}
        return await self._act(IssuedToken, "POST", *path, op_id=op_id, body=body)

    async def revoke_token(self, token_id: str, *, op_id: str | None = None) -> Outcome[TokenView]:
        """End a credential."""
        from bps.api.tokens import TokenView

        return await self._act(TokenView, "POST", "tokens", token_id, "revocation", op_id=op_id)

    async def prune_tokens(
        self, *, older_than_s: int | None = None, op_id: str | None = None
    ) -> Outcome[Pruning]:
        """Remove at most 100 records of credentials that ended long ago; again while `more`."""
        from bps.identity.prune import Pruning

        body = {} if older_than_s is None else {"older_than_s": older_than_s}
        return await self._act(Pruning, "POST", "tokens", "prunings", op_id=op_id, body=body)

    def initiatives(self) -> AsyncGenerator[InitiativeView, None]:
        """All initiatives, the unreadable ones too; a request per 200."""
        from bps.api.initiatives import InitiativeView

        return self._pages(InitiativeView, "initiatives")

    async def initiative(self, initiative: str) -> Initiative:
        """One initiative."""
        from bps.initiatives.model import Initiative

        return await self._get(Initiative, "initiatives", initiative)

    async def create_initiative(
        self, initiative: str, *, title: str = "", zone: str = "UTC", op_id: str | None = None
    ) -> Outcome[Initiative]:
        """Make an initiative, which plans belong to."""
        from bps.initiatives.model import Initiative

        body = {"initiative": initiative, "title": title, "zone": zone}
        return await self._act(Initiative, "POST", "initiatives", op_id=op_id, body=body)

    async def policy(self) -> tuple[Policy, str]:
        """The policy in force, and its entity tag for `replace_policy`."""
        from bps.policy.model import Policy

        answer = await self._transport.read(path_of("policy"))
        return self._parse(Policy, answer), answer.headers.get("etag", "")

    async def replace_policy(
        self, policy: PolicyRequest, *, if_match: str, op_id: str | None = None
    ) -> Outcome[Policy]:
        """Put a whole policy in force. Raises PreconditionFailed where another one is by now."""
        from bps.policy.model import Policy

        body = policy.model_dump(mode="json")
        if policy.n is not None:
            body["n"] = str(policy.n)
        return await self._act(Policy, "PUT", "policy", op_id=op_id, body=body, if_match=if_match)

    async def mode(self) -> OperatorMode:
        """What the operator wants of all sidecars."""
        from bps.leadership.operator_mode import OperatorMode

        return await self._get(OperatorMode, "mode")

    async def set_mode(
        self, mode: Wanted, *, reason: str, op_id: str | None = None
    ) -> Outcome[OperatorMode]:
        """Make all sidecars read-only, or let them write again."""
        from bps.leadership.operator_mode import OperatorMode

        body = {"mode": mode, "reason": reason}
        return await self._act(OperatorMode, "PUT", "mode", op_id=op_id, body=body)

    async def accept_rollback(
        self,
        reason: str,
        *,
        mirrored: Sequence[LostCheckpoint] | None = None,
        op_id: str | None = None,
    ) -> Outcome[AcceptedRollback]:
        """Take what the store holds for the truth, although a mirror holds more.

        `mirrored` None: the mirror of the sidecar that is asked.
        """
        from bps.checkpoints.accepted import AcceptedRollback

        body: dict[str, Any] = {"reason": reason}
        if mirrored is not None:
            body["mirrored"] = [{"seq": str(each.seq), "hash": each.hash} for each in mirrored]
        return await self._act(AcceptedRollback, "POST", "rollbacks", op_id=op_id, body=body)

    async def doctor(self) -> list[CheckView]:
        """What the service sees of its store, its set-up and itself."""
        from bps.api.views import CheckView

        return await self._get(list[CheckView], "doctor")
