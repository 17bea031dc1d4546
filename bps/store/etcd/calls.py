"""How a request travels: deadlines, rotation for reads, and never a second send of a write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import grpc.aio
from grpc import StatusCode

from bps.core.errors import AccessDenied, StoreError, Unavailable
from bps.store.etcd._proto import bps_etcd_pb2 as pb
from bps.store.etcd.members import Member, Members, closed_meanwhile
from bps.store.etcd.methods import AUTHENTICATE, STATUS, Method, RequestT, ResponseT
from bps.store.failures import CLOSED, Refusal, classify
from bps.store.rotation import any_member, left_s, rotating
from bps.store.security import EtcdCredentials

Metadata = tuple[tuple[str, str], ...]

_REQUIRE_LEADER: Metadata = (("hasleader", "true"),)
"""A member without a leader answers "no leader" at once, before it looks at the request."""
_REASON_TIMEOUT_S = 0.2
_SLOW_S = 0.4
"""A call that was given up after this time counts against its member."""


class Calls:
    """Sends requests to the preferred member and names what comes back."""

    def __init__(
        self,
        members: Members,
        credentials: EtcdCredentials | None,
        *,
        deadline_s: float,
        read_bound_s: float,
    ) -> None:
        self.members = members
        self.deadline_s = deadline_s
        self.metadata: Metadata = _REQUIRE_LEADER
        self._read_bound_s = read_bound_s
        self._credentials = credentials
        self._login = asyncio.Lock()

    async def read(self, method: Method[RequestT, ResponseT], request: RequestT) -> ResponseT:
        """Ask until a member answers, each at most `deadline_s`, all within `read_bound_s`.

        Raises:
            Unavailable: no member answered (QuorumLost: one did, without a leader).
            StoreError: the answer is a refusal (Compacted, AccessDenied, StoreRefused, ...).
        """
        return await rotating(
            lambda end: self._ask(method, request, end), bound_s=self._read_bound_s
        )

    async def read_serializable(
        self,
        method: Method[RequestT, ResponseT],
        request: RequestT,
        revision_of: Callable[[ResponseT], int],
        *,
        at_least: int,
    ) -> ResponseT:
        """Ask the members, also those without a leader; `request` says that it is serializable.

        Raises:
            Unavailable: nobody answered within `deadline_s`, or all are behind `at_least`.
            StoreError: see `read`.
        """
        if self.members.closed:
            raise CLOSED.error(CLOSED.sentence)

        async def ask(member: Member) -> ResponseT:
            # A member without a leader refuses at the door whatever asks for one.
            return await self._answer(
                member, method, request, self.deadline_s, leader_required=False
            )

        asks = [partial(ask, member) for member in self.members.all]
        return await any_member(asks, revision_of, at_least=at_least, bound_s=self.deadline_s)

    async def write(
        self,
        method: Method[RequestT, ResponseT],
        request: RequestT,
        *,
        op: str,
        timeout_s: float | None = None,
    ) -> ResponseT:
        """Send once, to a member whose connection stands; at most twice `deadline_s`.

        `timeout_s` is for the answer, where that may take longer.

        Only an answer that says "not applied, your token is old" is followed by another send.

        Raises:
            Unavailable: no connection stood, or etcd said so; certainly not applied.
            OutcomeUnknown: it was sent and no answer proves that it was not applied.
            StoreError: certainly refused (NoSpace, TooLarge, LeaseNotFound, AccessDenied, ...).
        """
        member = await self._connected(self.deadline_s)
        begun_s = asyncio.get_running_loop().time()
        try:
            return await self._answer(member, method, request, timeout_s or self.deadline_s)
        except Refusal as refusal:
            if refusal.verdict.elsewhere:
                self.members.failed(member)
            raise refusal.write_error(op) from None
        except asyncio.CancelledError:
            self._given_up(member, begun_s)
            raise

    async def to_member(
        self,
        member: Member,
        method: Method[RequestT, ResponseT],
        request: RequestT,
        *,
        op: str,
        timeout_s: float,
    ) -> ResponseT:
        """Send once to exactly `member`, also while it has no leader. Raises as `write`."""
        try:
            return await self._answer(member, method, request, timeout_s, leader_required=False)
        except Refusal as refusal:
            raise refusal.write_error(op) from None

    async def _ask(
        self, method: Method[RequestT, ResponseT], request: RequestT, end: float
    ) -> ResponseT:
        member = await self._connected(left_s(end))
        begun_s = asyncio.get_running_loop().time()
        try:
            return await self._answer(member, method, request, min(self.deadline_s, left_s(end)))
        except Refusal as refusal:
            if refusal.verdict.elsewhere:
                self.members.failed(member)
            raise
        except asyncio.CancelledError:
            self._given_up(member, begun_s)
            raise

    def _given_up(self, member: Member, begun_s: float) -> None:
        """A caller with a shorter deadline must not meet the same frozen member again."""
        if asyncio.get_running_loop().time() - begun_s >= _SLOW_S:
            self.members.failed(member)

    async def of_member(
        self, member: Member, method: Method[RequestT, ResponseT], request: RequestT
    ) -> ResponseT | None:
        """Ask exactly `member`, also while it has no leader; None if it does not answer.

        Raises:
            AccessDenied: it answers that we may not ask.
        """
        try:
            return await self._answer(
                member, method, request, self.deadline_s, leader_required=False
            )
        except Refusal as refusal:
            if refusal.verdict.error is AccessDenied:
                raise refusal.read_error() from None
            return None
        except Unavailable:
            # A new token takes a quorum.
            return None

    async def _answer(
        self,
        member: Member,
        method: Method[RequestT, ResponseT],
        request: RequestT,
        timeout_s: float,
        *,
        leader_required: bool = True,
    ) -> ResponseT:
        used = self.metadata
        metadata = used if leader_required else used[1:]
        try:
            return await self._send(member, method, request, timeout_s, metadata)
        except Refusal as refusal:
            if not refusal.verdict.stale_token or self._credentials is None:
                raise
        try:
            await self.authenticate(member, used)
        except Refusal as refusal:
            # What asked for the token was refused, so this is no write's unknown outcome.
            raise refusal.read_error() from None
        # No repetition of an ambiguous write: etcd has answered that it refused the first.
        metadata = self.metadata if leader_required else self.metadata[1:]
        return await self._send(member, method, request, timeout_s, metadata)

    async def _send(
        self,
        member: Member,
        method: Method[RequestT, ResponseT],
        request: RequestT,
        timeout_s: float,
        metadata: Metadata,
    ) -> ResponseT:
        try:
            return await member.call(method, request, timeout_s=timeout_s, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise judge(error, member) from None
        except asyncio.CancelledError:
            if closed_meanwhile(self.members):
                raise Refusal(
                    CLOSED, StatusCode.CANCELLED, "the store was closed", member.endpoint
                ) from None
            raise

    async def authenticate(self, member: Member, used: Metadata) -> None:
        """Get a token in place of the one in `used`, unless another call already did.

        Raises:
            AccessDenied: no credentials are configured.
            Refusal: the member did not answer, or refused them.
        """
        if self._credentials is None:
            raise AccessDenied("etcd asks for a user and password, and none is configured.")
        async with self._login:
            if self.metadata is not used:
                return
            request = pb.AuthenticateRequest(
                name=self._credentials.user, password=self._credentials.password
            )
            try:
                answer = await member.call(
                    AUTHENTICATE, request, timeout_s=self.deadline_s, metadata=_REQUIRE_LEADER
                )
            except grpc.aio.AioRpcError as error:
                raise judge(error, member) from None
            self.metadata = (*_REQUIRE_LEADER, ("token", answer.token))

    async def _connected(self, timeout_s: float) -> Member:
        member = await self.members.ready(timeout_s)
        if member is None:
            raise await self._unreachable()
        return member

    async def _unreachable(self) -> StoreError:
        """Why no connection stands: a call on a broken channel answers with the last reason."""
        if self.members.closed:
            return Unavailable("The store was closed.")
        refusals = await asyncio.gather(*(self._reason(member) for member in self.members.all))
        told = [refusal for refusal in refusals if refusal is not None]
        for refusal in told:
            if refusal.verdict.error is AccessDenied:
                return refusal.read_error()
        reasons = "; ".join(f"{refusal.endpoint}: {refusal.text}" for refusal in told)
        return Unavailable(f"No etcd member can be reached ({reasons}).", reason=reasons)

    async def _reason(self, member: Member) -> Refusal | None:
        try:
            await member.call(STATUS, pb.StatusRequest(), timeout_s=_REASON_TIMEOUT_S, metadata=())
        except grpc.aio.AioRpcError as error:
            return judge(error, member)
        return None


def judge(error: grpc.aio.AioRpcError, member: Member) -> Refusal:
    """The failed call as a refusal with its verdict."""
    text = error.details() or error.code().name
    return Refusal(classify(error.code(), text), error.code(), text, member.endpoint)
