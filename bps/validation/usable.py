"""Whether the validators that a policy asks for can be used here, before it is in force."""

from __future__ import annotations

from collections.abc import Sequence

from bps.core.errors import InvalidInput, PluginError
from bps.policy.model import Policy
from bps.policy.validator_use import ValidatorUse
from bps.validation.pool import ValidatorPool
from bps.validation.report import Allowed, CandidateText, Outcome, ValidationReport

SAMPLE_TEXT = "title: self-check\n"
"""The blueprint of the self-check, without a base: the least that a validator has to bear."""
SELF_CHECK_S = 30.0


def allowed_by(uses: Sequence[ValidatorUse]) -> list[Allowed]:
    """What a policy's `validators` say, as the pool takes it."""
    return [Allowed(use.name, use.config) for use in uses]


def limits_of(policy: Policy) -> dict[str, int]:
    """The limits of a policy, as validators may read them."""
    return {name: value for name, value in policy.rules.items() if type(value) is int}


async def self_check(allowed: Sequence[Allowed]) -> ValidationReport:
    """Each validator loaded, its configuration checked, and run on `SAMPLE_TEXT`.

    What it finds there does not matter; that it completes does.

    Raises:
        PluginError: no process for them can be started.

    Cost: a process of its own, 0.2-0.4 s.
    """
    if not allowed:
        return ValidationReport((), ())
    async with ValidatorPool() as pool:
        return await pool.run(CandidateText(None, {}, SAMPLE_TEXT, {}), allowed, SELF_CHECK_S)


async def check_usable(uses: Sequence[ValidatorUse]) -> None:
    """Refuse validators that would block every promotion.

    Raises:
        InvalidInput: a configuration is wrong.
        PluginError: one is missing, or does not complete.
    """
    report = await self_check(allowed_by(uses))
    failed = {run.name: run.outcome for run in report.runs if run.outcome is not Outcome.COMPLETED}
    for finding in report.findings:
        outcome = failed.get(finding.validator)
        if outcome is Outcome.MISCONFIGURED:
            raise InvalidInput(finding.message, field="validators", validator=finding.validator)
        if outcome is not None:
            hint = "Run `bps validators doctor --policy FILE` where BPS runs; nothing was written."
            raise PluginError(finding.message, validator=finding.validator).advising(hint)
