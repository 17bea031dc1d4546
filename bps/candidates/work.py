"""Making a candidate as heavy work: its blobs are read, merged in a workshop, and validated.

What may be published without a person: everything where nothing conflicts and nothing is objected.
Else, where nobody named the RR-plans (`partial`), those without a part in it. Whoever is in a
conflict waits, all sides of it alike, so that no order of arrival decides who wins (ADR 0026).
What law 1 tells is not merged, but validated; what is canonical already is neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from bps.candidates.candidate import Attempt, Candidate
from bps.candidates.law_1 import law_1
from bps.candidates.merging import MergeAnswer, MergeTask, finding, involved, merge_blueprints
from bps.candidates.origins import packed_report
from bps.core.errors import DigestMismatch, InvalidBlueprint
from bps.core.keys import PlanKeys
from bps.merge.records import CANONICAL, Contribution, Origin, Resolution
from bps.plans.blob import pack, unpack
from bps.plans.merge_record import ValidatorRecord
from bps.plans.reviews import ReviewFinding
from bps.policy.model import MAX_BLUEPRINT_BYTES
from bps.validation.report import Allowed, CandidateText, Outcome, ValidationReport
from bps.writepath.prepare import Workshop


@dataclass(frozen=True, slots=True)
class Source:
    """One RR-plan that takes part; `label` is its id, `by` who submitted it."""

    label: str
    base_digest: str
    digest: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the policy decides about a candidate, as values that can be compared.

    `validators` are names with their configuration as JSON.
    """

    strategies: tuple[tuple[str, str], ...] = ()
    validators: tuple[tuple[str, bytes], ...] = ()
    limits: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class CandidateWork:
    """Merge `sources`, in the total order, into the blueprint named `canonical`.

    `looked_at`: a person has seen the result, so that no second opinion is asked for.
    Cost: one read per 16 blobs, one merge (none where law 1 tells the result), one run of the
    validators. Where something is objected and `partial` is set, up to one of each more per source.
    The same work again costs nothing (`bps.writepath.prepare`).
    """

    plan: str
    canonical: str
    sources: tuple[Source, ...]
    rules: Rules
    resolutions: tuple[tuple[str, Resolution], ...] = ()
    looked_at: bool = False
    partial: bool = False

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
            WorkFailed, PluginError: as the workshop.
        """
        texts = {}
        for digest, key in zip(self.digests, self.reads, strict=True):
            frame = values[key]
            if frame is None:
                where = key.decode()
                raise DigestMismatch(f"A record names {where}, but it is gone.", key=where)
            texts[digest] = unpack(frame, digest).decode()
        return await _Making(self, texts, workshop).candidate()

    def lasts(self, result: Candidate) -> bool:
        """Whether the result would be the same again: a validator that crashed may not."""
        return result.lasting


class _Unfinished(Exception):
    """A validator did not complete, so that nothing is known of any part either."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(", ".join(attempt.unfinished))
        self.attempt = attempt


class _Making:
    """One run of the work."""

    def __init__(self, work: CandidateWork, texts: Mapping[str, str], workshop: Workshop) -> None:
        self._work = work
        self._texts = texts
        self._workshop = workshop

    async def candidate(self) -> Candidate:
        """See `CandidateWork.carry_out`; where a validator did not complete, all wait."""
        try:
            return await self._settled()
        except _Unfinished as error:
            return self._published(None, [], list(self._work.sources), error.attempt)

    async def _settled(self) -> Candidate:
        """Leave out who is in the way until the rest can be published, or nobody is left."""
        canonical = self._texts[self._work.canonical]
        chosen, waiting = list(self._work.sources), list[Source]()
        attempt = first = await self._attempt(canonical, chosen)
        while attempt.text is None and chosen:
            out = await self._in_the_way(canonical, attempt, chosen)
            waiting += [each for each in chosen if each.label in out]
            chosen = [each for each in chosen if each.label not in out]
            if chosen:
                attempt = await self._attempt(canonical, chosen)
        if not waiting:
            return self._published(attempt, chosen, waiting, attempt)
        result = attempt.text if chosen and attempt.text is not None else canonical
        ordered = [each for each in self._work.sources if each in waiting]
        against = first
        if len(ordered) < len(self._work.sources):
            found = await self._attempt(result, ordered)
            # Alone they may agree with each other; what they were left out for still stands.
            against = found if found.text is None else first
        return self._published(attempt if chosen else None, chosen, ordered, against)

    def _published(
        self,
        attempt: Attempt | None,
        chosen: list[Source],
        waiting: list[Source],
        against: Attempt,
    ) -> Candidate:
        text = attempt.text if attempt is not None else None
        blob = None if text is None else pack(text.encode())
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

    async def _in_the_way(
        self, canonical: str, attempt: Attempt, chosen: list[Source]
    ) -> frozenset[str]:
        """Labels of those who have to wait for a person."""
        every = frozenset(each.label for each in chosen)
        if not self._work.partial or len(chosen) == 1:
            return every
        if attempt.unreadable:
            return every & frozenset(attempt.unreadable) or every
        if attempt.conflicts:
            return every & involved(attempt.conflicts) or every
        alone = {
            each.label for each in chosen if (await self._attempt(canonical, [each])).text is None
        }
        return frozenset(alone) or every

    async def _attempt(self, canonical: str, chosen: Sequence[Source]) -> Attempt:
        work = self._work
        task = MergeTask(
            canonical=canonical,
            contributions=tuple(
                Contribution(
                    each.label, self._texts[each.base_digest], self._texts[each.digest], each.by
                )
                for each in chosen
            ),
            strategies=work.rules.strategies,
            resolutions=work.resolutions,
            looked_at=work.looked_at,
        )
        merged = _by_law_1(task)
        if merged is None:
            merged = await self._workshop.compute(merge_blueprints, task)
        attempt = Attempt(
            text=merged.text,
            conflicts=merged.conflicts,
            findings=merged.findings,
            notices=merged.notices,
            origins=merged.origins,
            applied=merged.applied,
            unreadable=merged.unreadable,
            came_from=merged.came_from,
        )
        if merged.text in {None, canonical} or len(merged.text.encode()) > MAX_BLUEPRINT_BYTES:
            return attempt
        return await self._validated(attempt, task, merged.text)

    async def _validated(self, attempt: Attempt, task: MergeTask, text: str) -> Attempt:
        candidate = CandidateText(
            base=task.canonical,
            branches={each.label: each.text for each in task.contributions},
            merged=text,
            policy=dict(self._work.rules.limits),
        )
        allowed = [
            Allowed(name, orjson.loads(config)) for name, config in self._work.rules.validators
        ]
        if not allowed:
            return attempt
        try:
            report: ValidationReport = await self._workshop.validate(candidate, allowed)
        except InvalidBlueprint as error:
            found = finding("validators", "unreadable", error.message)
            return replace(attempt, text=None, findings=(found,))
        judged = replace(
            attempt,
            text=None if report.blocking else text,
            findings=tuple(
                ReviewFinding(
                    source=each.validator,
                    severity=each.severity.value,
                    path=each.path,
                    line=each.line,
                    code=each.code,
                    message=each.message,
                    hint=each.hint,
                )
                for each in report.findings
            ),
            validators=tuple(
                ValidatorRecord(
                    name=run.name,
                    distribution=run.distribution,
                    version=run.version,
                    config_digest=run.config_digest,
                )
                for run in report.runs
            ),
            unfinished=tuple(
                run.name for run in report.runs if run.outcome is not Outcome.COMPLETED
            ),
        )
        if judged.unfinished:
            raise _Unfinished(judged)
        return judged


def _by_law_1(task: MergeTask) -> MergeAnswer | None:
    """The answer where no merge is needed; what was submitted passed the profile then."""
    text = law_1(task.canonical, [(each.base, each.text) for each in task.contributions])
    if text is None:
        return None
    same = [each.label for each in task.contributions if each.text == text != each.base]
    sources = (CANONICAL, *same) if text == task.canonical else tuple(same)
    origins = (Origin("", "changed", sources),) if same else ()
    return MergeAnswer(text, (), (), (), origins, (), (), None)
