"""What a promotion's event says of its merge: enough to check it, and to do it again (R7, R11)."""

from __future__ import annotations

from typing import ClassVar

from bps.core.codec import Decimal, Record, Sha256


class AppliedResolution(Record):
    """A reviewer's decision on one conflict that is part of the result: `take` or `text`.

    `take` is `base`, `canonical` or an RR-plan; `text` an edited value as YAML.
    """

    KIND: ClassVar[str] = "applied_resolution"

    conflict: str
    path: str
    take: str | None
    text: str | None
    by: str


class ValidatorRecord(Record):
    """A validator that had no objection: which one exactly, and with which configuration."""

    KIND: ClassVar[str] = "validator_record"

    name: str
    distribution: str
    version: str
    config_digest: Sha256


class MergeRecord(Record):
    """How a result that nobody submitted was made.

    `bases` holds the digest that each contributor forked, in the order of the contributors.
    `engine` is the merge engine's version and `policy` the number of the one whose strategies it
    used. `review` names the review that it completed. `origins` names the report of what came from
    where (`bps.plans.origins`), a blob of the plan; None where law 1 told the result, which then is
    whole that of its contributors that were PROMOTED.
    """

    KIND: ClassVar[str] = "merge_record"

    engine: str
    policy: Decimal
    canonical_digest: Sha256
    bases: list[Sha256]
    resolutions: list[AppliedResolution]
    validators: list[ValidatorRecord]
    review: str | None
    origins: Sha256 | None
