"""`bps verify --merges`: does each promotion publish the merge of what its contributors submitted?

`bps replay` proves who took part, and from what; this makes the bytes again (R7, R11, ADR 0026).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import ValidationError

from bps.candidates.law_1 import law_1
from bps.candidates.merging import ENGINE, MergeTask, merge_blueprints
from bps.candidates.origins import packed_report
from bps.core import keys
from bps.core.codec import sha256_hex
from bps.core.errors import MalformedRecord, ReplayDiverged
from bps.core.ports import Key, Store
from bps.core.wording import reason_of
from bps.merge.records import Contribution, Resolution
from bps.merge.semantic import Decision
from bps.plans.blob import unpack
from bps.plans.events import (
    BlueprintPromoted,
    BranchOpened,
    BranchSucceeded,
    Envelope,
    PlanRegistered,
    VcNullify,
    body_type,
)
from bps.plans.merge_record import MergeRecord
from bps.policy.model import Policy
from bps.replay.log import pin
from bps.replay.verify import Checked, MergesVerified, checked_events

_BATCH = 16
"""Blueprints in one read: up to 16 MiB."""

How = Literal["made_again", "without_blueprints", "without_policy", "by_another_engine"]


@dataclass(frozen=True, slots=True)
class _Submission:
    base: str
    digest: str = ""
    by: str | None = None


@dataclass(frozen=True, slots=True)
class _Unknown:
    """Why a merge cannot be made again."""

    why: How


async def verify_merges(store: Store, plan: str) -> MergesVerified:
    """Make every promotion of a plan again, and compare the digests of blueprint and report.

    Cost: as `verify` without the blobs; for each promotion that law 1 does not tell, a read of its
    policy, one per 16 blueprints and the merge (`bps.candidates.merging`): more than 10 ms, so that
    it is asked for apart. Memory: what is submitted and not yet promoted, and one merge.

    Raises:
        NotFound: no such plan.
        ChainBroken: the log itself does not verify.
        DigestMismatch: a blueprint is not what its name says.
        ReplayDiverged: a promotion published something else, or its report says something else;
            facts name the index of its event.
    """
    log = await pin(store, plan)
    made = _Made(store, plan)
    async with aclosing(checked_events(store, log)) as events:
        async for event in events:
            try:
                await made.take(event)
            except (KeyError, MalformedRecord, ValidationError) as error:
                what = f"event {event.seq} does not follow from those before: {reason_of(error)}."
                raise ReplayDiverged(f"{plan}: {what}", plan=plan, index=event.seq) from error
    how = made.how
    return MergesVerified(
        made_again=how["made_again"],
        without_blueprints=how["without_blueprints"],
        without_policy=how["without_policy"],
        by_another_engine=how["by_another_engine"],
    )


class _Made:
    """What was canonical and submitted so far, and how the promotions were checked."""

    def __init__(self, store: Store, plan: str) -> None:
        self.how: Counter[How] = Counter()
        self._store = store
        self._keys = keys.PlanKeys(plan)
        self._canonical = ""
        self._live: dict[tuple[str, int], _Submission] = {}

    async def take(self, event: Checked) -> None:
        """Raises ReplayDiverged; KeyError, MalformedRecord, ValidationError for a forged log."""
        envelope = Envelope.from_fields(event.fields, key=self._keys.event(event.seq))
        body = body_type(envelope).decode(event.body, key=self._keys.body(event.seq))
        place = (envelope.branch or "", envelope.rr or 0)
        match body:
            case PlanRegistered():
                self._canonical = body.digest
            case BranchOpened():
                self._live[place] = _Submission(body.base_digest)
            case BranchSucceeded():
                self._live[place] = replace(self._live[place], digest=body.digest, by=body.by)
            case VcNullify():
                self._live.pop(place, None)
            case BlueprintPromoted():
                if body.how == "promotion":
                    self.how[await self._made(envelope, body)] += 1
                self._canonical = body.digest
                for each in body.contributors:
                    if each.state.value == "PROMOTED":
                        self._live.pop((each.branch, each.n), None)

    async def _made(self, envelope: Envelope, body: BlueprintPromoted) -> How:
        sources = {each.rr_plan: self._live[each.branch, each.n] for each in body.contributors}
        edits = [(each.base, each.digest) for each in sources.values()]
        decided = body.merge is not None and bool(body.merge.resolutions)
        # What a person decided of a veto is in no submission.
        told = None if decided else law_1(self._canonical, edits)
        report = None
        if told is None and body.merge is None:
            raise self._diverged(envelope, "needs a merge, and names none")
        if told is None and body.merge is not None:
            found = await self._merged(envelope, body.merge, sources)
            if isinstance(found, _Unknown):
                return found.why
            told, report = found
        if told != body.digest:
            raise self._diverged(envelope, "does not publish the merge of its contributors")
        if body.merge is not None and body.merge.origins != report:
            raise self._diverged(envelope, "names another report of what came from where")
        return "made_again"

    async def _merged(
        self, envelope: Envelope, record: MergeRecord, sources: Mapping[str, _Submission]
    ) -> tuple[str | None, str | None] | _Unknown:
        """The digests of the merge and of its report; None where there is a conflict."""
        if record.engine != ENGINE:
            return _Unknown("by_another_engine")
        policy = await self._policy(record.policy, envelope.policy_digest)
        if policy is None:
            return _Unknown("without_policy")
        named = [self._canonical]
        for each in sources.values():
            named += [each.base, each.digest]
        texts = await self._texts(list(dict.fromkeys(named)))
        if texts is None:
            return _Unknown("without_blueprints")
        task = MergeTask(
            canonical=texts[self._canonical],
            contributions=tuple(
                Contribution(name, texts[each.base], texts[each.digest], each.by)
                for name, each in sources.items()
            ),
            strategies=tuple(sorted(policy.merge.items())),
            resolutions=tuple(
                Decision(each.conflict, each.path, Resolution(each.take, each.text))
                for each in record.resolutions
            ),
            looked_at=True,
        )
        answer = await asyncio.to_thread(merge_blueprints, task)
        if answer.text is None or answer.came_from is None:
            return None, None
        digest = sha256_hex(answer.text.encode())
        report = packed_report(
            answer.came_from,
            canonical_digest=self._canonical,
            digest=digest,
            sources=[(name, each.by) for name, each in sources.items()],
        )
        return digest, report.digest

    async def _policy(self, n: int, digest: str) -> Policy | None:
        """The policy of an event, if it is still stored as it was then."""
        places = (keys.policy(n), keys.POLICY_CURRENT)
        answers = (await self._store.snapshot([Key(key) for key in places])).answers
        for key, kvs in zip(places, answers, strict=True):
            if kvs and sha256_hex(kvs[0].value) == digest:
                return Policy.decode(kvs[0].value, key=key)
        return None

    async def _texts(self, digests: Sequence[str]) -> dict[str, str] | None:
        found: dict[str, str] = {}
        for start in range(0, len(digests), _BATCH):
            some = digests[start : start + _BATCH]
            reads = [Key(self._keys.blob(digest)) for digest in some]
            answers = (await self._store.snapshot(reads)).answers
            if not all(answers):
                return None
            for digest, kvs in zip(some, answers, strict=True):
                found[digest] = unpack(kvs[0].value, digest).decode()
        return found

    def _diverged(self, envelope: Envelope, what: str) -> ReplayDiverged:
        plan = envelope.plan
        msg = f"{plan}: event {envelope.seq} ({envelope.type}) {what}."
        return ReplayDiverged(msg, plan=plan, index=envelope.seq)
