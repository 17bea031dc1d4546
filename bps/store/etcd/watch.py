"""A watch that survives lost connections: nothing lost, nothing twice, in order."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing

import grpc.aio
from grpc import StatusCode

from bps.core.errors import Compacted
from bps.core.ports import WatchBatch
from bps.store.etcd._proto import bps_etcd_pb2 as pb
from bps.store.etcd.calls import Calls, judge
from bps.store.etcd.codec import batches
from bps.store.etcd.members import Member, closed_meanwhile
from bps.store.failures import Refusal, classify
from bps.store.prefixes import prefix_range

_Stream = grpc.aio.StreamStreamCall[pb.WatchRequest, pb.WatchResponse]

_IDLE_S = 3.0
"""After this long without a message the member is asked for a sign of life."""
_MAX_PAUSE_S = 1.0

_log = logging.getLogger(__name__)


class Watch:
    """One watch below `prefix`; `next_revision` is the first one not delivered yet."""

    def __init__(self, calls: Calls, prefix: bytes, start_revision: int) -> None:
        self._calls = calls
        self._prefix = prefix
        self._next_revision = start_revision
        self._used = calls.metadata
        self._login_tried = False

    async def batches(self) -> AsyncGenerator[WatchBatch, None]:
        """Deliver until the consumer stops or the store is closed.

        Raises:
            Compacted: the next revision is gone.
            AccessDenied: etcd refused us, also with a fresh token.
        """
        members = self._calls.members
        pause_s = 0.0
        while not members.closed:
            member = await members.ready(self._calls.deadline_s)
            reason = "no member can be reached"
            if member is not None:
                before = self._next_revision
                try:
                    async with aclosing(self._follow(member)) as following:
                        async for batch in following:
                            yield batch
                    reason = "the stream ended"
                except Refusal as refusal:
                    reason = f"{refusal.endpoint}: {refusal.text}"
                    await self._recover(refusal, member)
                if self._next_revision > before:
                    pause_s = 0.0
            if not pause_s and not members.closed:
                _log.warning(
                    "watch below %r interrupted (%s); resuming at revision %d",
                    self._prefix,
                    reason,
                    self._next_revision,
                )
            # Members that fail at once must not make this a busy loop.
            pause_s = min(max(2 * pause_s, 0.02), _MAX_PAUSE_S)
            await asyncio.sleep(random.uniform(0, pause_s))  # noqa: S311 - jitter

    async def _follow(self, member: Member) -> AsyncGenerator[WatchBatch, None]:
        """One stream on one member, until it ends (returns) or fails (raises Refusal)."""
        self._used = self._calls.metadata
        stream = member.watch(metadata=self._used)
        try:
            await self._send(stream, member, self._create())
            async with aclosing(self._responses(stream, member)) as responses:
                async for response in responses:
                    if response.canceled:
                        raise self._cancelled(response, member)
                    self._login_tried = False
                    for batch in self._batches_of(response):
                        self._next_revision = batch.revision + 1
                        yield batch
        except grpc.aio.AioRpcError as error:
            raise judge(error, member) from None
        except asyncio.CancelledError:
            if not closed_meanwhile(self._calls.members):
                raise
        finally:
            stream.cancel()

    def _batches_of(self, response: pb.WatchResponse) -> list[WatchBatch]:
        if response.events:
            return batches(response.events, self._next_revision)
        # Only etcd's own notification for this watch (number 0) is in order with its events; an
        # answer to our request (number -1) could overtake events before etcd 3.5.8.
        progressed = not response.created and response.watch_id == 0
        if progressed and response.header.revision >= self._next_revision:
            return [WatchBatch(response.header.revision, ())]
        return []

    def _create(self) -> pb.WatchRequest:
        key, range_end = prefix_range(self._prefix)
        return pb.WatchRequest(
            create_request=pb.WatchCreateRequest(
                key=key,
                range_end=range_end,
                start_revision=self._next_revision,
                progress_notify=True,
            )
        )

    async def _responses(
        self, stream: _Stream, member: Member
    ) -> AsyncGenerator[pb.WatchResponse, None]:
        """Messages as they come. An idle stream is probed; silence after that is a dead peer."""
        probed = True
        # Cancelling a read would cancel the stream, so a slow one is kept and waited for again.
        reading = asyncio.ensure_future(stream.read())
        try:
            while True:
                limit_s = self._calls.deadline_s if probed else _IDLE_S
                done, _ = await asyncio.wait({reading}, timeout=limit_s)
                if done:
                    response = reading.result()
                    if not isinstance(response, pb.WatchResponse):
                        return
                    yield response
                    probed = False
                    reading = asyncio.ensure_future(stream.read())
                elif probed:
                    raise _silent(member)
                else:
                    await self._send(
                        stream,
                        member,
                        pb.WatchRequest(progress_request=pb.WatchProgressRequest()),
                    )
                    probed = True
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _send(self, stream: _Stream, member: Member, request: pb.WatchRequest) -> None:
        try:
            await asyncio.wait_for(stream.write(request), self._calls.deadline_s)
        except TimeoutError:
            raise _silent(member) from None
        except asyncio.InvalidStateError:
            # grpc says so of a stream that ended while nobody read from it.
            raise _ended(member) from None

    def _cancelled(self, response: pb.WatchResponse, member: Member) -> Refusal | Compacted:
        """Why etcd ended the watch."""
        if response.compact_revision:
            return Compacted(
                f"Revision {self._next_revision} was compacted (up to "
                f"{response.compact_revision}); list again.",
                compact_revision=response.compact_revision,
            )
        reason = response.cancel_reason or "etcd cancelled the watch"
        verdict = classify(StatusCode.UNKNOWN, reason)
        return Refusal(verdict, StatusCode.UNKNOWN, reason, member.endpoint)

    async def _recover(self, refusal: Refusal, member: Member) -> None:
        """Log in again or prefer another member; raises what neither can cure."""
        # etcd 3.5 tells a watch with an old token only that it lacks permission.
        unauthorised = refusal.verdict.stale_token or "permission denied" in refusal.text
        if unauthorised and not self._login_tried:
            self._login_tried = True
            await self._login(member)
        elif refusal.verdict.elsewhere:
            self._calls.members.failed(member)
        else:
            raise refusal.read_error() from None

    async def _login(self, member: Member) -> None:
        try:
            await self._calls.authenticate(member, self._used)
        except Refusal as refusal:
            if not refusal.verdict.elsewhere:
                raise refusal.read_error() from None
            self._login_tried = False
            self._calls.members.failed(member)


def _silent(member: Member) -> Refusal:
    text = "no sign of life in time"
    code = StatusCode.DEADLINE_EXCEEDED
    return Refusal(classify(code, text), code, text, member.endpoint)


def _ended(member: Member) -> Refusal:
    text = "the stream had ended"
    return Refusal(
        classify(StatusCode.UNAVAILABLE, text), StatusCode.UNAVAILABLE, text, member.endpoint
    )
