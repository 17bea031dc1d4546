"""The events of a promotion: a new canonical version, and what became of its contributors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.core.txn import Exists, Put
from bps.plans.blob import Blob
from bps.plans.book import PlanBook
from bps.plans.events import BlueprintPromoted
from bps.plans.limits import check_blueprint_size
from bps.plans.merge_record import MergeRecord
from bps.plans.model import Contributor, RRPlan, State
from bps.plans.nullify import nullify
from bps.plans.results import Nullified


@dataclass(frozen=True, slots=True)
class MergedBlueprint:
    """A prepared result, how it was made, and where a merge made it what came from where."""

    blob: Blob
    report: Blob | None
    merge: MergeRecord


def publish(
    book: PlanBook,
    contributors: Sequence[RRPlan],
    digest: str,
    reason: str,
    merged: MergedBlueprint | None = None,
) -> tuple[list[Contributor], list[Nullified]]:
    """Append the events of a promotion with the result `digest`; who was promoted and nullified.

    A contributor whose digest equals the new canonical's is PROMOTED, any other OBSOLETE_MERGED.
    A result equal to canonical makes no new version. Bytes that nobody submitted are put with
    the rest; those that somebody did are compared to exist (ADR 0006). The report of a merge is
    put with its version.

    Raises:
        LimitExceeded: the merged blueprint is larger than the policy allows.
    """
    canonical = book.state.need_canonical()
    promoted: list[Contributor] = []
    if digest != canonical.digest:
        promoted = [
            Contributor(
                rr_plan=each.rr_plan,
                branch=each.branch,
                n=each.n,
                digest=each.digest or "",
                state=State.PROMOTED if each.digest == digest else State.OBSOLETE_MERGED,
            )
            for each in contributors
        ]
        book.append(
            BlueprintPromoted(
                version=canonical.version + 1,
                how="promotion",
                base_version=canonical.version,
                digest=digest,
                size_bytes=_store(book, contributors, digest, merged),
                contributors=promoted,
                reverted_to=None,
                reason=reason,
                merge=merged.merge if merged is not None else None,
            )
        )
    left = [each for each in contributors if each.digest != digest or not promoted]
    nullified: list[Nullified] = []
    why = _why_merged(book.state.need_canonical().version, promoted, merged, reason)
    for each in left:
        nullified += nullify(book, each, State.OBSOLETE_MERGED, why)
    return promoted, nullified


def kept_by(merged: MergeRecord) -> str | None:
    """The review whose decisions are why a merge is what it is; None: nobody decided any of it."""
    return merged.review if merged.resolutions else None


def _why_merged(
    version: int, promoted: Sequence[Contributor], merged: MergedBlueprint | None, reason: str
) -> str:
    """Why a contributor is over, for its record and the log."""
    if promoted:
        return f"merged into version {version}"
    review = None if merged is None else kept_by(merged.merge)
    if review is None:
        return f"version {version} has all of it already"
    why = f"the decisions in {review} keep version {version}"
    return f"{why}: {reason}" if reason else why


def _store(
    book: PlanBook, contributors: Sequence[RRPlan], digest: str, merged: MergedBlueprint | None
) -> int:
    """Make the transaction hold the blueprint and its report; the blueprint's size in bytes."""
    key = book.state.keys.blob(digest)
    if merged is not None and merged.report is not None:
        book.put(Put(book.state.keys.blob(merged.report.digest), merged.report.frame))
    submitted = next((each.size_bytes for each in contributors if each.digest == digest), None)
    if submitted is not None or merged is None:
        book.compare(Exists(key))
        return submitted or 0
    if too_large := check_blueprint_size(book.policy, merged.blob):
        raise too_large
    book.put(Put(key, merged.blob.frame))
    return merged.blob.size_bytes
