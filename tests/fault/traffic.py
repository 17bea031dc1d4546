"""Clients that work on plans as agents do, and note every call and answer.

A client repeats a cycle on a plan: report its root cause there, submit the blueprint that it forked
with its own line changed, promote it; now and then it rebases and submits again before that. Where
another was faster, the promotion is a merge. Everything random is drawn from the seed. Between two
steps it reads, from any sidecar.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.fault.attempt import (
    UNREACHABLE,
    Answer,
    Request,
    blueprint_of,
    opening,
    promoting,
    reading,
    reading_branch,
    reading_degraded,
    rebasing,
    registering,
    send,
    submitting,
)
from tests.fault.blueprints import Blueprint
from tests.fault.history import Call, Ok, Outcome, Recorder, Refused, Unknown


@dataclass(frozen=True, slots=True)
class Mix:
    """How the traffic is made. Probabilities are for each step or unknown outcome."""

    clients: int = 8
    pause_s: float = 0.005
    """The mean time between two steps of a client."""
    reads: float = 0.1
    degraded_reads: float = 0.15
    visits: float = 0.15
    """How often a client works on a plan that is not its own."""
    promotes_all: float = 0.05
    retries_unknown: float = 0.5
    attempts: int = 8
    """How often one operation is sent at the most."""
    retry_pause_s: float = 0.05
    """Grows with each attempt, and is jittered."""
    answer_s: float = 3.0
    connect_s: float = 1.0
    rebases: float = 0.15
    """How often a client rebases what it has submitted."""


@dataclass(slots=True)
class Traffic:
    """Traffic on `plans`, which no other run uses, against `urls` by the name of the sidecar.

    `urls` may change while it runs; a sidecar without a URL is not asked. `run` begins the ids of
    all operations and has to differ between runs on one store.
    """

    urls: Mapping[str, str]
    token: str
    recorder: Recorder
    plans: Sequence[str]
    seed: int
    run: str
    mix: Mix = field(default_factory=Mix)

    async def register(self) -> None:
        """Register all plans. Raises AssertionError where one is refused."""
        async with self._http() as http:
            client = Client(self, -1, http)
            for plan in self.plans:
                outcome = await client.register(plan)
                registered = isinstance(outcome, Ok)
                if not registered:
                    msg = f"{plan} was not registered: {outcome}"
                    raise AssertionError(msg)

    async def work(self, stop: asyncio.Event) -> None:
        """Let all clients work until `stop`; each ends the operation that it is at."""
        async with asyncio.TaskGroup() as group:
            for number in range(self.mix.clients):
                group.create_task(self._client(number, stop))

    async def _client(self, number: int, stop: asyncio.Event) -> None:
        async with self._http() as http:
            client = Client(self, number, http)
            while not stop.is_set():
                await client.cycle(stop)

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=httpx.Timeout(self.mix.answer_s, connect=self.mix.connect_s),
            trust_env=False,
        )


class Client:
    """One client: one operation at a time."""

    def __init__(self, traffic: Traffic, number: int, http: httpx.AsyncClient) -> None:
        self._traffic = traffic
        self._mix = traffic.mix
        self._number = number
        self._http = http
        self._random = Random(f"{traffic.seed}/{number}")
        self._home = traffic.plans[number % len(traffic.plans)]
        self._count = 0
        self._writable = ""
        self._seen: dict[tuple[str, str], int] = {}

    async def register(self, plan: str) -> Outcome:
        """Register a plan with a content of its own."""
        authors = (f"client-{number}" for number in range(self._mix.clients))
        new = Blueprint.of({"title": plan, **dict.fromkeys(authors, self._next_id("text"))})
        return await self._write(registering(plan, new), patient=True)

    async def cycle(self, stop: asyncio.Event) -> None:
        """From a report to a promotion, as far as it goes."""
        visits = self._random.random() < self._mix.visits
        plan = self._random.choice(self._traffic.plans) if visits else self._home
        fingerprint = f"cause of client {self._number}"
        opened = await self._step(opening(plan, self._next_id("trace"), fingerprint), stop)
        if opened is None:
            return await self._breathe(10)
        if opened["act"] == "joined":
            # The RR-plan of an earlier cycle that was left in the middle.
            opened = await self._step(rebasing(plan, opened["branch"], opened["n"]), stop)
        submitted = await self._submit(plan, opened, stop)
        while submitted is not None and self._random.random() < self._mix.rebases:
            rebased = await self._step(rebasing(plan, submitted["branch"], submitted["n"]), stop)
            submitted = await self._submit(plan, rebased, stop)
        if submitted is None or stop.is_set():
            return None
        named = [(submitted["branch"], submitted["n"])]
        refs = [] if self._random.random() < self._mix.promotes_all else named
        await self._between(plan)
        await self._write(promoting(plan, refs, self._next_id("why")))
        return None

    async def _submit(
        self, plan: str, rr_plan: Mapping[str, Any] | None, stop: asyncio.Event
    ) -> Mapping[str, Any] | None:
        """The RR-plan once it has succeeded; None where it did not come to that."""
        if rr_plan is None or rr_plan["state"] != "OPEN":
            return rr_plan
        branch, n = rr_plan["branch"], rr_plan["n"]
        base = await self._base(plan, rr_plan["base_version"])
        if base is None:
            return None
        edit = (f"client-{self._number}", self._next_id("text"))
        done = await self._step(submitting(plan, branch, n, base, edit), stop)
        if done is None:
            await self._read(reading_branch(plan, branch, n))
        return done

    async def _base(self, plan: str, version: int) -> Blueprint | None:
        """What was forked, from the first sidecar that tells."""
        names = self._names()
        for name in self._random.sample(names, len(names)):
            url = self._traffic.urls.get(name)
            if url is not None and (found := await blueprint_of(self._http, url, plan, version)):
                return found
        return None

    async def _step(self, request: Request, stop: asyncio.Event) -> Mapping[str, Any] | None:
        """Do one step after some reads; its result if it was done."""
        await self._between(request.plan)
        if stop.is_set():
            return None
        outcome = await self._write(request)
        return outcome.result if isinstance(outcome, Ok) else None

    async def _between(self, plan: str) -> None:
        await self._breathe()
        if self._random.random() < self._mix.reads:
            await self._read(reading(plan))
        if self._random.random() < self._mix.degraded_reads and (names := self._names()):
            name = self._random.choice(names)
            seen = self._seen.get((name, plan), 0)
            outcome = await self._read(reading_degraded(plan, seen), name)
            if isinstance(outcome, Ok) and outcome.revision is not None:
                self._seen[name, plan] = max(seen, outcome.revision)

    async def _read(self, request: Request, name: str | None = None) -> Outcome:
        """Ask one sidecar, once."""
        chosen = name or self._random.choice(self._names() or [""])
        call = self._call(request)
        outcome = await self._attempt(call, request, chosen)
        self._traffic.recorder.returned(call, outcome.outcome)
        return outcome.outcome

    async def _write(self, request: Request, *, patient: bool = False) -> Outcome:
        """All attempts of one operation, under one id.

        What was refused is sent to another sidecar. What is unknown is sent again or left, and it
        stays unknown until an attempt tells its result: a refusal speaks of that attempt alone.
        """
        call = self._call(request)
        repeats = patient or self._random.random() < self._mix.retries_unknown
        unknown: Unknown | None = None
        outcome: Outcome = Refused("NOT_SENT")
        name = self._writable or self._other("")
        for number in range(self._mix.attempts * (5 if patient else 1)):
            answer = await self._attempt(call, request, name)
            outcome = answer.outcome
            if isinstance(outcome, Ok):
                self._writable = name
                break
            if isinstance(outcome, Unknown):
                unknown = outcome
            if not answer.retryable or (unknown is not None and not repeats):
                break
            name = self._other(name)
            pause_s = self._mix.retry_pause_s * min(number + 1, 10)
            await asyncio.sleep(pause_s * self._random.uniform(0.2, 1))
        if unknown is not None and isinstance(outcome, Refused):
            outcome = unknown
        self._traffic.recorder.returned(call, outcome)
        return outcome

    async def _attempt(self, call: Call, request: Request, name: str) -> Answer:
        url = self._traffic.urls.get(name)
        if url is None:
            return Answer(Refused(UNREACHABLE), retryable=True)
        call.tried.append(name)
        return await send(self._http, url, request, call.id)

    def _call(self, request: Request) -> Call:
        op_id = self._next_id(request.kind)
        return self._traffic.recorder.called(
            self._number, op_id, request.kind, request.plan, request.fields
        )

    def _names(self) -> list[str]:
        return sorted(self._traffic.urls)

    def _other(self, name: str) -> str:
        others = [each for each in self._names() if each != name]
        return self._random.choice(others or [name])

    def _next_id(self, what: str) -> str:
        self._count += 1
        who = "setup" if self._number < 0 else str(self._number)
        return f"{self._traffic.run}-{who}-{self._count}-{what}"

    async def _breathe(self, factor: float = 1) -> None:
        await asyncio.sleep(self._random.expovariate(1) * self._mix.pause_s * factor)
