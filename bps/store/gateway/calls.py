"""How a request travels: in a thread, with a deadline; never a second send of a write.

The counterpart of `bps/store/etcd/calls.py`, by the same table of failures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import orjson
from grpc import StatusCode

from bps.core.errors import AccessDenied, StoreError, Unavailable
from bps.store.failures import CLOSED, Refusal
from bps.store.gateway.answers import NotSent, document_of, malformed, unanswered
from bps.store.gateway.body import Body
from bps.store.gateway.members import GatewayMember, GatewayMembers
from bps.store.rotation import any_member, left_s, rotating
from bps.store.security import EtcdCredentials

Document = dict[str, Any]
AnswerT = TypeVar("AnswerT")
Decode = Callable[[Document], AnswerT]

_THREADS = 32
_CONNECT_S = 1.0
_AUTHENTICATE = "/auth/authenticate"
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
_LEADER = {"Grpc-Metadata-hasleader": "true"}
"""The gateway hands it on: a member without a leader answers so before it looks at the request."""


@dataclass(frozen=True, slots=True)
class _Request(Generic[AnswerT]):
    path: str
    content: bytes
    decode: Decode[AnswerT]
    leader_required: bool = True


class GatewayCalls:
    """Sends requests to the preferred member and names what comes back."""

    def __init__(
        self,
        members: GatewayMembers,
        credentials: EtcdCredentials | None,
        *,
        deadline_s: float,
        read_bound_s: float,
    ) -> None:
        self.members = members
        self._credentials = credentials
        self._deadline_s = deadline_s
        self._read_bound_s = read_bound_s
        self._token: str | None = None
        self._login = asyncio.Lock()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="bps-gateway")
        self._under_way: set[asyncio.Future[tuple[int, bytes]]] = set()

    async def read(self, path: str, request: Document, decode: Decode[AnswerT]) -> AnswerT:
        """Ask until a member answers, each at most `deadline_s`, all within `read_bound_s`.

        Raises:
            Unavailable: no member answered (QuorumLost: one did, without a leader).
            StoreError: the answer is a refusal (Compacted, AccessDenied, StoreRefused, ...).
        """
        prepared = _Request(path, orjson.dumps(request), decode)

        async def ask(end: float) -> AnswerT:
            member = self._preferred()
            try:
                return await self._answer(member, prepared, min(self._deadline_s, left_s(end)))
            except Refusal as refusal:
                if refusal.verdict.elsewhere:
                    self.members.failed(member)
                raise

        return await rotating(ask, bound_s=self._read_bound_s)

    async def read_serializable(
        self,
        path: str,
        request: Document,
        decode: Decode[AnswerT],
        revision_of: Callable[[AnswerT], int],
        *,
        at_least: int,
    ) -> AnswerT:
        """Ask the members, also those without a leader; `request` says that it is serializable.

        Raises:
            Unavailable: nobody answered within `deadline_s`, or all are behind `at_least`.
            StoreError: see `read`.
        """
        self._preferred()
        prepared = _Request(path, orjson.dumps(request), decode, leader_required=False)
        asks = [
            partial(self._answer, member, prepared, self._deadline_s) for member in self.members.all
        ]
        return await any_member(asks, revision_of, at_least=at_least, bound_s=self._deadline_s)

    async def write(
        self, path: str, request: Document, decode: Decode[AnswerT], *, op: str
    ) -> AnswerT:
        """Send once, after at most `deadline_s` in which members could not be reached.

        It goes to another member only if not one byte of it was given to the one before, or if
        the answer says "not applied, your token is old".

        Raises:
            Unavailable: nothing was sent, or etcd said so; certainly not applied.
            OutcomeUnknown: it was sent and no answer proves that it was not applied.
            StoreError: certainly refused (NoSpace, TooLarge, LeaseNotFound, AccessDenied, ...).
        """
        prepared = _Request(path, orjson.dumps(request), decode)
        end = asyncio.get_running_loop().time() + self._deadline_s
        unreached: list[NotSent] = []
        self._preferred()
        for member in self.members.all:
            try:
                return await self._answer(member, prepared, self._deadline_s)
            except NotSent as refusal:
                self.members.failed(member)
                unreached.append(refusal)
                if asyncio.get_running_loop().time() >= end:
                    break
            except Refusal as refusal:
                if refusal.verdict.elsewhere:
                    self.members.failed(member)
                raise refusal.write_error(op) from None
        raise _unreachable(unreached)

    async def of_member(
        self, member: GatewayMember, path: str, decode: Decode[AnswerT]
    ) -> AnswerT | None:
        """Ask exactly `member`, also while it has no leader; None if it does not answer.

        Raises:
            AccessDenied: it answers that we may not ask.
        """
        try:
            request = _Request(path, b"{}", decode, leader_required=False)
            return await self._answer(member, request, self._deadline_s)
        except Refusal as refusal:
            if refusal.verdict.error is AccessDenied:
                raise refusal.read_error() from None
            return None
        except Unavailable:
            # A new token takes a quorum.
            return None

    def _preferred(self) -> GatewayMember:
        if self._is_closed():
            raise CLOSED.error(CLOSED.sentence)
        return self.members.all[0]

    def _is_closed(self) -> bool:
        return self.members.closed

    async def _answer(
        self, member: GatewayMember, request: _Request[AnswerT], timeout_s: float
    ) -> AnswerT:
        used = self._token
        try:
            return await self._send(member, request, timeout_s, used)
        except Refusal as refusal:
            if not refusal.verdict.stale_token or self._credentials is None:
                raise
        try:
            token = await self._authenticate(member, self._credentials, used)
        except Refusal as refusal:
            # What asked for the token was refused, so this is no write's unknown outcome.
            raise refusal.read_error() from None
        # No repetition of an ambiguous write: etcd has answered that it refused the first.
        return await self._send(member, request, timeout_s, token)

    async def _authenticate(
        self, member: GatewayMember, credentials: EtcdCredentials, used: str | None
    ) -> str | None:
        """A token in place of `used`, unless another call already got one. Raises Refusal."""
        async with self._login:
            if self._token == used:
                content = {"name": credentials.user, "password": credentials.password}
                request = _Request(
                    _AUTHENTICATE, orjson.dumps(content), lambda document: str(document["token"])
                )
                self._token = await self._send(member, request, self._deadline_s, None)
            return self._token

    async def _send(
        self,
        member: GatewayMember,
        request: _Request[AnswerT],
        timeout_s: float,
        token: str | None,
    ) -> AnswerT:
        headers = _HEADERS | (_LEADER if request.leader_required else {})
        if token is not None:
            headers["Authorization"] = token
        connect_s = min(_CONNECT_S, timeout_s)
        body = Body(request.content)
        exchange = partial(
            member.exchange,
            request.path,
            body,
            headers,
            connect_s=connect_s,
            silence_s=timeout_s,
        )
        status, answer = await self._in_thread(
            member, exchange, body, timeout_s=connect_s + timeout_s
        )
        document = document_of(status, answer, member.endpoint)
        try:
            return request.decode(document)
        except (KeyError, TypeError, ValueError):
            raise malformed(member.endpoint) from None

    async def _in_thread(
        self,
        member: GatewayMember,
        exchange: Callable[[], tuple[int, bytes]],
        body: Body,
        *,
        timeout_s: float,
    ) -> tuple[int, bytes]:
        if self._is_closed():
            raise _closed(member)
        waiting = asyncio.get_running_loop().run_in_executor(self._threads, exchange)
        self._under_way.add(waiting)
        waiting.add_done_callback(self._under_way.discard)
        try:
            async with asyncio.timeout(timeout_s):
                return await waiting
        except OSError as error:
            # requests' errors and asyncio's timeout are OSErrors.
            sent = not body.withhold()
            raise unanswered(error, member.endpoint, sent=sent) from None
        except asyncio.CancelledError:
            body.withhold()
            task = asyncio.current_task()
            if self._is_closed() and (task is None or not task.cancelling()):
                raise _closed(member) from None
            raise

    async def close(self) -> None:
        """End every call; the threads are waited for, at most as long as a call may take."""
        self.members.closed = True
        for waiting in tuple(self._under_way):
            waiting.cancel()
        await asyncio.to_thread(self._threads.shutdown)
        for member in self.members.all:
            member.close()


def _closed(member: GatewayMember) -> Refusal:
    return Refusal(CLOSED, StatusCode.CANCELLED, "the store was closed", member.endpoint)


def _unreachable(unreached: list[NotSent]) -> StoreError:
    for refusal in unreached:
        if refusal.verdict.error is AccessDenied:
            return refusal.read_error()
    reasons = "; ".join(f"{refusal.endpoint}: {refusal.text}" for refusal in unreached)
    return Unavailable(f"No etcd member can be reached ({reasons}).", reason=reasons)
