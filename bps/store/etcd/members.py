"""The cluster's members: one channel each, sticky to the last good one.

A single channel over all members (pick_first, round_robin) keeps sending to a member that is
frozen but connected; with one channel each, the next call simply goes elsewhere.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import grpc
import grpc.aio

from bps.store.endpoints import check_endpoints
from bps.store.etcd._proto import bps_etcd_pb2 as pb
from bps.store.etcd.methods import UNARY, WATCH_PATH, Method, RequestT, ResponseT
from bps.store.etcd.security import Security, channel_security
from bps.store.security import EtcdTls

_MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_OPTIONS: tuple[tuple[str, int], ...] = (
    # gRPC's own default of 120 s kept a restarted member unused for 12.8 s instead of 0.3 s.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # How long one attempt to connect may take, TLS handshake included; 20 s unless told.
    ("grpc.min_reconnect_backoff_ms", 2000),
    # etcd ends connections that ping more often than every 5 s.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    # Nothing below the write path may send a write twice, not even gRPC's transparent retries.
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.service_config_disable_resolution", 1),
    # A connection belongs to one store, so that closing it really closes it.
    ("grpc.use_local_subchannel_pool", 1),
)

_HEAD_START_S = 0.1
"""So long the preferred member may take to connect before another one is taken instead."""

_READY = grpc.ChannelConnectivity.READY
_FAILED = grpc.ChannelConnectivity.TRANSIENT_FAILURE


class Member:
    """One member's channel and its calls."""

    __slots__ = ("_calls", "channel", "endpoint", "refused", "watch")

    def __init__(self, endpoint: str, security: Security | None) -> None:
        self.endpoint = endpoint
        self.refused = False
        """Whether an attempt to connect has ended without a connection."""
        if security is None:
            self.channel = grpc.aio.insecure_channel(endpoint, options=_OPTIONS)
        else:
            self.channel = grpc.aio.secure_channel(
                endpoint, security.credentials, options=(*_OPTIONS, *security.options)
            )
        self._calls: dict[Method[Any, Any], grpc.aio.UnaryUnaryMultiCallable[Any, Any]] = {
            method: self.channel.unary_unary(
                method.path,
                request_serializer=method.request.SerializeToString,
                response_deserializer=method.response.FromString,
            )
            for method in UNARY
        }
        self.watch: grpc.aio.StreamStreamMultiCallable[pb.WatchRequest, pb.WatchResponse] = (
            self.channel.stream_stream(
                WATCH_PATH,
                request_serializer=pb.WatchRequest.SerializeToString,
                response_deserializer=pb.WatchResponse.FromString,
            )
        )

    def call(
        self,
        method: Method[RequestT, ResponseT],
        request: RequestT,
        *,
        timeout_s: float,
        metadata: tuple[tuple[str, str], ...],
    ) -> grpc.aio.UnaryUnaryCall[RequestT, ResponseT]:
        """Send `request`; awaiting the call gives the answer or raises AioRpcError."""
        return self._calls[method](request, timeout=timeout_s, metadata=metadata)

    def is_ready(self) -> bool:
        """Whether a connection stands; starts connecting where none does."""
        return self.channel.get_state(try_to_connect=True) is _READY

    async def until_ready(self) -> None:
        """Wait until a connection stands."""
        while (state := self.channel.get_state(try_to_connect=True)) is not _READY:
            self.refused = self.refused or state is _FAILED
            await self.channel.wait_for_state_change(state)


class Members:
    """All configured members in their order, and the one that the next call goes to."""

    def __init__(
        self, endpoints: Sequence[str], tls: EtcdTls | None, refused_s: float = math.inf
    ) -> None:
        self._endpoints = check_endpoints(endpoints)
        # gRPC binds a channel to the running event loop, so they are made on first use.
        self._security = None if tls is None else channel_security(tls)
        self._members: tuple[Member, ...] = ()
        self._first = 0
        self._refused_s = refused_s
        self._met = False
        self.closed = False

    @property
    def all(self) -> tuple[Member, ...]:
        """Every member, the preferred one first."""
        if not self._members:
            self._members = tuple(Member(endpoint, self._security) for endpoint in self._endpoints)
        return self._members[self._first :] + self._members[: self._first]

    def failed(self, member: Member) -> None:
        """Prefer the next member from now on, if `member` is the preferred one."""
        if self._members[self._first] is member:
            self._first = (self._first + 1) % len(self._members)

    async def ready(self, timeout_s: float) -> Member | None:
        """A connected member, the preferred one if it is; None if none connects in time.

        As long as none ever has, all refusing for `refused_s` seconds is enough; one that was
        connected may be starting again, and has all the time.
        """
        if self.closed:
            return None
        if self._members and self._members[self._first].is_ready():
            return self._members[self._first]
        return self._connected() or await self._connect(timeout_s)

    def _connected(self) -> Member | None:
        """The first connected member; every other one before it begins to connect."""
        for member in self.all:
            if member.is_ready():
                self._first = self._members.index(member)
                self._met = True
                return member
        return None

    async def _connect(self, timeout_s: float) -> Member | None:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        waiting = [asyncio.ensure_future(member.until_ready()) for member in self.all]
        try:
            await asyncio.wait(waiting[:1], timeout=min(_HEAD_START_S, timeout_s))
            for until_s in (min(self._refused_s, timeout_s), timeout_s):
                left_s = until_s - (loop.time() - begun_s)
                await asyncio.wait(
                    waiting, timeout=max(left_s, 0), return_when=asyncio.FIRST_COMPLETED
                )
                if not self._met and all(member.refused for member in self._members):
                    break
        finally:
            for task in waiting:
                task.cancel()
            # A channel that is closed meanwhile fails its waiter.
            await asyncio.gather(*waiting, return_exceptions=True)
        return None if self.closed else self._connected()

    async def close(self) -> None:
        """Close every channel; calls under way end."""
        self.closed = True
        for member in self._members:
            await member.channel.close()


def closed_meanwhile(members: Members) -> bool:
    """Whether a CancelledError is gRPC's way to say that the channel was closed."""
    task = asyncio.current_task()
    return members.closed and (task is None or not task.cancelling())
