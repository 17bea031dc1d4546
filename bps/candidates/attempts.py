"""One attempt at a candidate: chosen RR-plans are merged, and what comes of it is validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import orjson

from bps.candidates.candidate import Attempt
from bps.candidates.inputs import Rules, Source
from bps.candidates.merging import MergeTask, Veto, by_law_1, contested, finding, merge_blueprints
from bps.candidates.too_many import too_many_conflicts
from bps.candidates.verdict import judged_by
from bps.core.errors import InvalidBlueprint
from bps.merge.records import Contribution
from bps.merge.semantic import Decision
from bps.policy.model import MAX_BLUEPRINT_BYTES
from bps.validation.report import Allowed, CandidateText, ValidationReport
from bps.writepath.prepare import Workshop


class Unfinished(Exception):
    """A validator did not complete, so that nothing is known of any part either."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(", ".join(attempt.unfinished))
        self.attempt = attempt


@dataclass(frozen=True, slots=True)
class Attempts:
    """Those of one `CandidateWork`, with its fields; `texts` are its blueprints by digest."""

    plan: str
    rules: Rules
    resolutions: tuple[Decision, ...]
    looked_at: bool
    texts: Mapping[str, str]
    workshop: Workshop

    async def make(self, canonical: str, chosen: Sequence[Source]) -> Attempt:
        """What `chosen`, in their order, make of the text `canonical`.

        Raises:
            Unfinished: a validator did not complete.
            LimitExceeded: more conflicts than anybody can decide.
            WorkFailed, MergeTooLong, PluginError: as the workshop.
        """
        task = MergeTask(
            canonical=canonical,
            contributions=tuple(
                Contribution(
                    each.label, self.texts[each.base_digest], self.texts[each.digest], each.by
                )
                for each in chosen
            ),
            strategies=self.rules.strategies,
            resolutions=self.resolutions,
            looked_at=self.looked_at,
        )
        merged = by_law_1(task) if not task.resolutions else None
        if merged is None:
            if self.rules.validators:
                self.workshop.expect_validation()
            merged = await self.workshop.compute(merge_blueprints, task)
        if merged.too_many:
            raise too_many_conflicts(self.plan, merged.too_many)
        attempt = Attempt(
            text=merged.text,
            conflicts=merged.conflicts,
            findings=merged.findings,
            notices=merged.notices,
            origins=merged.origins,
            applied=merged.applied,
            unreadable=merged.unreadable,
            came_from=merged.came_from,
            settled=merged.settled,
            misfits=merged.misfits,
            marked=merged.marked,
        )
        if merged.text in {None, canonical} or len(merged.text.encode()) > MAX_BLUEPRINT_BYTES:
            return attempt
        return await self._validated(attempt, task, merged.text)

    async def _validated(self, attempt: Attempt, task: MergeTask, text: str) -> Attempt:
        candidate = CandidateText(
            base=task.canonical,
            branches={each.label: each.text for each in task.contributions},
            merged=text,
            policy=dict(self.rules.limits),
        )
        allowed = _allowed(self.rules.validators)
        if not allowed:
            return attempt
        try:
            report: ValidationReport = await self.workshop.validate(candidate, allowed)
        except InvalidBlueprint as error:
            found = finding("validators", "unreadable", error.message)
            return replace(attempt, text=None, marked=text, findings=(found,))
        judged = judged_by(report, attempt)
        if judged.unfinished:
            raise Unfinished(judged)
        if not report.blocking:
            return judged
        veto = Veto(task, judged.applied, text, judged.findings)
        return replace(judged, conflicts=await self.workshop.compute(contested, veto))


@lru_cache(maxsize=4)
def _allowed(validators: tuple[tuple[str, bytes], ...]) -> list[Allowed]:
    """Those of `Rules`, once per stored policy."""
    return [Allowed(name, orjson.loads(config)) for name, config in validators]
