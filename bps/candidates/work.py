"""Making a candidate as heavy work: its blobs are read, merged in a workshop, and validated.

What may be published without a person: everything where nothing conflicts and nothing is objected.
Else, where nobody named the RR-plans (`partial`), those without a part in it. Whoever is in a
conflict waits, all sides of it alike, so that no order of arrival decides who wins (ADR 0026).
What law 1 tells is not merged, but validated; what is canonical already is neither.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bps.candidates.attempts import Attempts, Unfinished
from bps.candidates.candidate import Attempt, Candidate, Held
from bps.candidates.inputs import Rules, Source
from bps.candidates.merging import involved
from bps.candidates.origins import packed_report
from bps.candidates.verdict import is_of_blueprint, said_of_unfinished
from bps.core.errors import DigestMismatch
from bps.core.keys import PlanKeys
from bps.merge.records import Kind
from bps.merge.semantic import Decision
from bps.plans.blob import Blob, pack, unpack
from bps.writepath.prepare import Workshop

_PARTING_S = 2.5
"""For asking on which RR-plans alone a validator does not complete; a write has 5 s in all."""


@dataclass(frozen=True, slots=True)
class CandidateWork:
    """Merge `sources`, in the total order, into the blueprint named `canonical`.

    What validators object to is a conflict too, of kind `semantic`, at the places they name.

    `looked_at`: a person has seen the result, so that no second opinion is asked for. `parted`:
    those on which alone a validator does not complete are held, as with `partial`.
    Cost: one read per 16 blobs, one merge (none where law 1 tells the result), one run of the
    validators. Where something is objected and `partial` is set, up to one of each more per source.
    """

    plan: str
    canonical: str
    sources: tuple[Source, ...]
    rules: Rules
    resolutions: tuple[Decision, ...] = ()
    looked_at: bool = False
    partial: bool = False
    parted: bool = False

    @property
    def digests(self) -> list[str]:
        """All blueprints that it reads."""
        every = [self.canonical]
        for source in self.sources:
            every += [source.base_digest, source.digest]
        return list(dict.fromkeys(every))

    @property
    def reads(self) -> Sequence[bytes]:
        """Their keys."""
        at = PlanKeys(self.plan)
        return [at.blob(digest) for digest in self.digests]

    async def carry_out(
        self, values: Mapping[bytes, bytes | None], workshop: Workshop
    ) -> Candidate:
        """The candidate.

        Raises:
            DigestMismatch: a blueprint is missing, or is not what its name says.
            LimitExceeded: more conflicts than anybody can decide.
            WorkFailed, MergeTooLong, PluginError: as the workshop.
        """
        texts, frames = {}, {}
        for digest, key in zip(self.digests, self.reads, strict=True):
            frame = values[key]
            if frame is None:
                where = key.decode()
                raise DigestMismatch(f"A record names {where}, but it is gone.", key=where)
            texts[digest], frames[digest] = unpack(frame, digest).decode(), frame
        return await _Making(self, texts, frames, workshop).candidate()

    def lasts(self, result: Candidate) -> bool:
        """Whether the result would be the same again: a validator that crashed may not."""
        return result.lasting


class _Making:
    """One run of the work."""

    def __init__(
        self,
        work: CandidateWork,
        texts: Mapping[str, str],
        frames: Mapping[str, bytes],
        workshop: Workshop,
    ) -> None:
        """`texts` and their stored `frames` by digest."""
        self._work = work
        self._texts = texts
        self._frames = frames
        self._attempts = Attempts(
            work.plan, work.rules, work.resolutions, work.looked_at, texts, workshop
        )

    async def candidate(self) -> Candidate:
        """See `CandidateWork.carry_out`; where a validator did not complete, all wait.

        Where it is `partial` or `parted` and it ends on some of them alone, those are held, and the
        others are a candidate without them.
        """
        sources = list(self._work.sources)
        try:
            return await self._settled(sources)
        except Unfinished as error:
            whole = error.attempt
        may_part = self._work.partial or self._work.parted
        parts = may_part and len(sources) > 1 and is_of_blueprint(whole)
        held = await self._held(sources) if parts else ()
        names = {each.rr_plan for each in held}
        if rest := [each for each in sources if held and each.label not in names]:
            with contextlib.suppress(Unfinished):
                return replace(await self._settled(rest), held=held)
        return self._published(None, [], sources, whole)

    async def _held(self, sources: Sequence[Source]) -> tuple[Held, ...]:
        """Those on which alone a validator does not complete; nobody where telling takes long."""
        held: list[Held] = []
        canonical = self._texts[self._work.canonical]
        try:
            async with asyncio.timeout(_PARTING_S):
                for each in sources:
                    try:
                        await self._attempts.make(canonical, [each])
                    except Unfinished as error:
                        held.append(Held(each.label, said_of_unfinished(error.attempt)))
        except TimeoutError:
            return ()
        return tuple(held)

    async def _settled(self, sources: Sequence[Source]) -> Candidate:
        """Leave out who is in the way until the rest can be published, or nobody is left."""
        canonical = self._texts[self._work.canonical]
        chosen, waiting = list(sources), list[Source]()
        attempt = first = await self._attempts.make(canonical, chosen)
        while attempt.text is None and chosen:
            out = await self._in_the_way(canonical, attempt, chosen)
            waiting += [each for each in chosen if each.label in out]
            chosen = [each for each in chosen if each.label not in out]
            if chosen:
                attempt = await self._attempts.make(canonical, chosen)
        if not waiting:
            return self._published(attempt, chosen, waiting, attempt)
        result = attempt.text if chosen and attempt.text is not None else canonical
        ordered = [each for each in sources if each in waiting]
        against = first
        if len(ordered) < len(sources):
            found = await self._attempts.make(result, ordered)
            # Alone they may agree with each other; what they were left out for still stands.
            against = found if found.text is None else first
        return self._published(attempt if chosen else None, chosen, ordered, against)

    async def _in_the_way(
        self, canonical: str, attempt: Attempt, chosen: list[Source]
    ) -> frozenset[str]:
        """Labels of those who have to wait for a person."""
        every = frozenset(each.label for each in chosen)
        if not self._work.partial or len(chosen) == 1:
            return every
        if attempt.unreadable:
            return every & frozenset(attempt.unreadable) or every
        if attempt.conflicts and attempt.conflicts[0].kind is not Kind.SEMANTIC:
            return every & involved(attempt.conflicts) or every
        alone = {
            each.label
            for each in chosen
            if (await self._attempts.make(canonical, [each])).text is None
        }
        return frozenset(alone) or every

    def _published(
        self,
        attempt: Attempt | None,
        chosen: list[Source],
        waiting: list[Source],
        against: Attempt,
    ) -> Candidate:
        text = attempt.text if attempt is not None else None
        blob = None if text is None else self._blob(text)
        rows = attempt.came_from if attempt is not None else None
        report = None
        if blob is not None and rows is not None:
            report = packed_report(
                rows,
                canonical_digest=self._work.canonical,
                digest=blob.digest,
                sources=[(each.label, each.by) for each in chosen],
            )
        return Candidate(
            blob=blob,
            report=report,
            merged=tuple(each.label for each in chosen),
            waiting=tuple(each.label for each in waiting),
            made=attempt,
            against=against,
        )

    def _blob(self, text: str) -> Blob:
        """As it is stored, where it is one of the texts that were read."""
        known = next((digest for digest, each in self._texts.items() if each is text), None)
        if known is None:
            return pack(text.encode())
        return Blob(known, len(text.encode()), self._frames[known])
