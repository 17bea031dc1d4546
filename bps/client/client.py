"""`BpsClient`: the service's API as a typed Python class, one method a route."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from bps.client.administration_calls import AdministrationCalls
from bps.client.branch_calls import BranchCalls
from bps.client.event_calls import EventCalls
from bps.client.key_calls import KeyCalls
from bps.client.plan_calls import PlanCalls
from bps.client.review_calls import ReviewCalls
from bps.client.target import Target
from bps.client.transport import TIMEOUT_S, Staleness, Transport


class BpsClient(PlanCalls, BranchCalls, ReviewCalls, EventCalls, AdministrationCalls, KeyCalls):
    """Use as an asynchronous context manager.

        async with BpsClient.connect("http://127.0.0.1:8780", token_file=Path("token")) as client:
            outcome = await client.promote("EP-42", reason="shorter timeout")

    Reads are repeated a few times where the failure may pass; an act only where the service answers
    that it may be, with the same `op_id`, and at the leader where a standby names it. All of that
    ends after `timeout_s`. Where no answer came it is OutcomeUnknown, and repeating the act with
    the same `op_id` tells what became of it.
    Every failure is the `BpsError` class that the service raised.
    """

    def __init__(
        self,
        target: Target,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`transport` is for calling an application in this process. Raises ConfigError."""
        self._transport = Transport(target, transport=transport, timeout_s=timeout_s)

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        token: str | None = None,
        token_file: Path | None = None,
        ca_file: Path | None = None,
        cert_file: Path | None = None,
        key_file: Path | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> Self:
        """A client for the service at `url`; no request is sent yet.

        Raises:
            ConfigError: see `Target.of`; among others, a token goes over plain http to this
                machine only.
        """
        target = Target.of(
            url,
            token=token,
            token_file=token_file,
            ca_file=ca_file,
            cert_file=cert_file,
            key_file=key_file,
        )
        return cls(target, timeout_s=timeout_s)

    @property
    def url(self) -> str:
        """Which service this is."""
        return self._transport.target.url

    @property
    def staleness(self) -> Staleness | None:
        """Of the oldest answer so far that the service gave without a quorum; None: of none.

        Reads of one client never go back: each asks for the highest revision that was seen.
        """
        return self._transport.staleness

    def __repr__(self) -> str:
        return f"BpsClient({self.url!r})"

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)
