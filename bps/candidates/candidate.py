"""What became of making a candidate: the blueprint, who is in it, and who has to wait why."""

from __future__ import annotations

from dataclasses import dataclass

from bps.candidates.typed import UnfitValue
from bps.merge.compact import Rows
from bps.merge.records import Conflict, Notice, Origin
from bps.plans.blob import Blob
from bps.plans.merge_record import ValidatorRecord
from bps.plans.reviews import ReviewFinding


@dataclass(frozen=True, slots=True)
class Attempt:
    """One merge with its checks; without `text` something stands in its way.

    `findings` can be there beside a text: warnings. `applied` are the ids of resolutions that met
    their conflict and fit; `settled` are those of these conflicts that the merge without decisions
    lacks: a veto made them, or other decisions did. `misfits` are typed values that make a conflict
    which no version makes. `unfinished` names the validators that did not complete: their findings
    say why, and say nothing of the blueprint. `marked` is what the text would be, with markers
    around what is undecided; None beside a text, and where nothing can be read. `came_from` is None
    where law 1 tells the text.
    """

    text: str | None
    conflicts: tuple[Conflict, ...] = ()
    findings: tuple[ReviewFinding, ...] = ()
    notices: tuple[Notice, ...] = ()
    origins: tuple[Origin, ...] = ()
    applied: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    validators: tuple[ValidatorRecord, ...] = ()
    unfinished: tuple[str, ...] = ()
    came_from: Rows | None = None
    settled: tuple[Conflict, ...] = ()
    misfits: tuple[UnfitValue, ...] = ()
    marked: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """An RR-plan on which a validator does not complete, and why: no person could decide that."""

    rr_plan: str
    why: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """`blob` is what may become canonical, made of the RR-plans `merged`; None where of nobody.

    `waiting` are those that need a person; `against` is their own attempt, against the blueprint
    that is canonical once `blob` is. `made` is the attempt that gave `blob`, `report` what came
    from where in it; None where law 1 tells it. `held` are neither published nor in a review.
    """

    blob: Blob | None
    report: Blob | None
    merged: tuple[str, ...]
    waiting: tuple[str, ...]
    made: Attempt | None
    against: Attempt
    held: tuple[Held, ...] = ()

    @property
    def lasting(self) -> bool:
        """Whether making it again would give the same: a validator that crashed may not again."""
        return not self.against.unfinished and not self.held
