"""What came from where in a merged version: the report that is stored with it (ADR 0026).

It lies among the plan's blobs, named by its digest in the event and in the version's record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from bps.core.codec import Record, Sha256
from bps.core.errors import MalformedRecord
from bps.core.keys import PlanKeys
from bps.core.ports import Key, Reads
from bps.plans.events import BlueprintPromoted
from bps.plans.merge_record import AppliedResolution
from bps.plans.model import State, Version
from bps.plans.stored import rr_plan_at


class OriginSource(Record):
    """One RR-plan that was merged; `by` submitted it."""

    KIND: ClassVar[str] = "origin_source"

    source: str
    by: str | None


class OriginLine(Record):
    """One leaf in which the version differs from the one before, and whose change it is.

    `path` is a JSON Pointer into the version, or into the one before where the leaf was deleted.
    `change` is added, changed, deleted, merged, rewritten or resolved. `before` and `after` are
    JSON texts, None where there is no value; `cut` names those that are not whole.
    """

    KIND: ClassVar[str] = "origin_line"

    path: str
    change: str
    sources: list[str]
    before: str | None
    after: str | None
    cut: list[Literal["before", "after"]]


class OriginReport(Record):
    """All leaves that a merge changed, as far as 32 KiB of lines hold them.

    `canonical_digest` is what was merged into, `digest` the result. `left_out` counts the leaves
    without a line.
    """

    KIND: ClassVar[str] = "origins"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    canonical_digest: Sha256
    digest: Sha256
    sources: list[OriginSource]
    changes: list[OriginLine]
    left_out: int


def report_in(content: bytes, version: Version) -> OriginReport:
    """The report of `version` from its bytes.

    Raises:
        MalformedRecord: it is none, or that of something else.
        SchemaTooNew: a newer release wrote it.
    """
    report = OriginReport.decode(content)
    if report.digest != version.digest:
        msg = f"The report of {version.plan}'s version {version.version} is of another blueprint."
        raise MalformedRecord(msg, plan=version.plan, version=str(version.version))
    return report


@dataclass(frozen=True, slots=True)
class Origins:
    """A version and where it came from: by its `report` where it was merged, else as a whole.

    `submitted_by` says who submitted the RR-plans that it was taken over from; `decisions` are
    those of reviewers that are part of a merged one.
    """

    version: Version
    report: OriginReport | None
    submitted_by: Mapping[str, str | None]
    decisions: Sequence[AppliedResolution] = ()


async def origins_of(store: Reads, version: Version, report: bytes | None) -> Origins:
    """Where `version` came from; `report` is the content of the blob `version.origins`, if any.

    Cost: one round trip; none of a registration or a revert.

    Raises:
        MalformedRecord, SchemaTooNew: as `report_in`, or the version's event cannot be read.
    """
    if report is not None:
        event = PlanKeys(version.plan).body(version.seq)
        (kvs,) = (await store.snapshot([Key(event)])).answers
        if not kvs:
            msg = f"Version {version.version} of {version.plan} lacks its event {version.seq}."
            raise MalformedRecord(msg, plan=version.plan, version=str(version.version))
        merge = BlueprintPromoted.decode(kvs[0].value, key=event).merge
        decisions = () if merge is None else merge.resolutions
        return Origins(version, report_in(report, version), {}, decisions)
    taken = [each for each in version.contributors if each.state is State.PROMOTED]
    if not taken:
        return Origins(version, None, {})
    at = PlanKeys(version.plan)
    found = await store.snapshot([Key(at.rr_plan(each.branch, each.n)) for each in taken])
    by = {
        each.rr_plan: rr_plan_at(kvs[0]).submitted_by if kvs else None
        for each, kvs in zip(taken, found.answers, strict=True)
    }
    return Origins(version, None, by)
