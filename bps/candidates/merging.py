"""One merge of blueprints with all checks that need no validator. Pure; runs in a workshop.

Its answers are values, also where a text cannot be read, as they come from another process.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from bps.blueprint.data import load
from bps.blueprint.profile import check
from bps.candidates.law_1 import law_1
from bps.candidates.typed import UnfitValue, unfit_values
from bps.candidates.vetoes import Unfit, with_vetoes
from bps.core.errors import InvalidBlueprint
from bps.merge.compact import Rows, compact
from bps.merge.declared import from_policy
from bps.merge.engine import merge
from bps.merge.explain import explain
from bps.merge.reader import Reader
from bps.merge.records import CANONICAL, Conflict, Contribution, Merged, Notice, Origin
from bps.merge.refusals import TooManyConflicts, Unreadable
from bps.merge.second_opinion import finding as second_opinion
from bps.merge.semantic import Contest, Decision
from bps.merge.typed import LABEL
from bps.plans.reviews import ReviewFinding
from bps.policy.model import MAX_BLUEPRINT_BYTES

ENGINE = "5"
"""The merge engine's version, in each event of a merge: the same inputs give the same bytes.

Those of the result, and those of the report of what came from where.
"""

MOST_CONFLICTS = 5_000
"""Of one merge, which takes 2 s then, of 4 allowed; no review has room for so many decisions."""


class MergeTask(NamedTuple):
    """What to merge. `strategies` are those of the policy, `resolutions` what was decided."""

    canonical: str
    contributions: tuple[Contribution, ...]
    strategies: tuple[tuple[str, str], ...]
    resolutions: tuple[Decision, ...]
    looked_at: bool
    """A person has seen the result: the second opinion is not asked for."""


class MergeAnswer(NamedTuple):
    """The result's `text`, where nothing stands in its way, else why not.

    `applied` are the ids of resolutions that met their conflict and fit. `unreadable` names
    versions that cannot be merged at all, or not as was decided. `settled` are the conflicts that
    a resolution met and the bare merge lacks: of vetoes, and those that other decisions brought.
    """

    text: str | None
    conflicts: tuple[Conflict, ...]
    findings: tuple[ReviewFinding, ...]
    notices: tuple[Notice, ...]
    origins: tuple[Origin, ...]
    applied: tuple[str, ...]
    unreadable: tuple[str, ...]
    came_from: Rows | None = None
    """What came from where in `text`; None without one, and where law 1 tells it."""
    settled: tuple[Conflict, ...] = ()
    misfits: tuple[UnfitValue, ...] = ()
    """Typed values that make a conflict which no version makes."""
    marked: str | None = None
    """Without a text what it would be, with markers around what is undecided; None: unreadable."""
    too_many: tuple[str, ...] = ()
    """Who has a part in more than `MOST_CONFLICTS` conflicts; then nothing else is told."""


class Veto(NamedTuple):
    """`text` is what `task` came to with the resolutions `applied`, and what was objected there."""

    task: MergeTask
    applied: tuple[str, ...]
    text: str
    findings: tuple[ReviewFinding, ...]


def by_law_1(task: MergeTask) -> MergeAnswer | None:
    """The answer where no merge is needed; what was submitted passed the profile then."""
    text = law_1(task.canonical, [(each.base, each.text) for each in task.contributions])
    if text is None:
        return None
    same = [each.label for each in task.contributions if each.text == text != each.base]
    sources = (CANONICAL, *same) if text == task.canonical else tuple(same)
    origins = (Origin("", "changed", sources),) if same else ()
    return MergeAnswer(text, (), (), (), origins, (), ())


def merge_blueprints(task: MergeTask) -> MergeAnswer:
    """Merge, and judge the result: the profile, and what merging by lines would say.

    A resolution meets a conflict of the bare merge, or one that other resolutions bring about; the
    rest are those of vetoes, or of what has changed.
    Cost: see `bps.merge.engine`; merging twice where resolutions meet their conflict, the profile
    and the second opinion, and for what came from where as `bps.merge.explain`.
    """
    reader = Reader()
    try:
        told = by_law_1(task)
        bare = _merge(task, (), reader) if told is None else _as_merged(told)
        known = {each.id for each in bare.conflicts}
        decided = [each for each in task.resolutions if each.conflict in known]
        merged = _merge(task, task.resolutions, reader) if decided else bare
        later = tuple(each for each in merged.decided if each.id not in known)
        known.update(each.id for each in later)
        decided = [each for each in task.resolutions if each.conflict in known]
        again = partial(_merge, task, reader=reader)
        misfits = unfit_values(again, (*bare.conflicts, *later), merged, decided)
        others = [each for each in task.resolutions if each.conflict not in known]
        merged, settled, unfit = with_vetoes(
            task.canonical, task.contributions, merged, others, reader
        )
    except Unreadable as error:
        found = finding(error.label, "unreadable", str(error), hint=error.hint, line=error.line)
        return MergeAnswer(None, (), (found,), (), (), (), (error.label,), None)
    except TooManyConflicts as error:
        labels = tuple(sorted(error.labels - {CANONICAL}))
        return MergeAnswer(None, (), (), (), (), (), (), too_many=labels)
    told_later = (*later, *(each.conflict for each in settled))
    applied = (each.conflict for each in decided)
    met = (*applied, *(each.conflict.id for each in settled))
    if unfit:
        return _without_unfit(merged, met, told_later, unfit)
    findings = [] if merged.text is None else _objections(task, merged.text)
    text = None if findings else merged.text
    came_from = None
    if text is not None and (told is None or settled):
        came_from = compact(explain(task.canonical, task.contributions, merged, reader))
    return MergeAnswer(
        text,
        merged.conflicts,
        tuple(findings),
        merged.notices,
        merged.origins,
        met,
        (),
        came_from,
        told_later,
        tuple(misfits),
        merged.marked if text is None else None,
    )


def contested(veto: Veto) -> tuple[Conflict, ...]:
    """The places that errors of validators point at, as conflicts that nobody has decided yet.

    Each once, however many errors there are. Where something was decided, and is objected to still,
    the findings alone tell: that decision is to be made anew. Cost: see `Contest`.
    """
    task = veto.task
    contest = Contest(task.canonical, task.contributions)
    settled = contest.settled(task.resolutions)
    of_vetoes = {each.conflict.id for each in settled}
    decided = [
        each.path
        for each in task.resolutions
        if each.conflict in veto.applied and each.conflict not in of_vetoes
    ]
    found: dict[str, Conflict] = {}
    for each in veto.findings:
        if each.severity != "error":
            continue
        told = contest.conflict(veto.text, each.path, f"{each.source}: {each.message}")
        if told is None:
            continue
        place, conflict = told
        if any(place.within(other.place) for other in settled):
            continue
        if any(f"{conflict.path}/".startswith(f"{path}/") for path in decided):
            continue
        if conflict.id in found:
            said = (found[conflict.id].finding, conflict.finding)
            conflict = conflict._replace(finding=" ".join(filter(None, said)))
        found[conflict.id] = conflict
    return tuple(found.values())


def _merge(task: MergeTask, resolutions: Sequence[Decision], reader: Reader) -> Merged:
    return merge(
        task.canonical,
        task.contributions,
        strategies=from_policy(dict(task.strategies)),
        resolutions={each.conflict: each.resolution for each in resolutions},
        reader=reader,
        most_conflicts=MOST_CONFLICTS,
    )


def _as_merged(told: MergeAnswer) -> Merged:
    return Merged(told.text, told.text or "", (), (), told.origins)


def _without_unfit(
    merged: Merged, met: tuple[str, ...], settled: tuple[Conflict, ...], unfit: Sequence[Unfit]
) -> MergeAnswer:
    """No text: nobody may publish another one than was decided. The decisions that fit stay."""
    findings: list[ReviewFinding] = []
    conflicts: list[Conflict] = []
    misfits = [each.value for each in unfit if each.settled.resolution.text is not None]
    for each in (one.settled for one in unfit):
        said = f"What was decided of {each.conflict.path or 'the root'} does not fit there."
        told = finding(LABEL, "unreadable", said, hint="give another value")
        findings.append(told.model_copy(update={"path": each.conflict.path}))
        conflicts.append(each.conflict._replace(finding=said))
    return MergeAnswer(
        None,
        tuple(conflicts),
        tuple(findings),
        merged.notices,
        (),
        met,
        tuple(sorted(involved(conflicts))),
        None,
        settled,
        tuple(misfits),
        merged.marked,
    )


def _objections(task: MergeTask, text: str) -> list[ReviewFinding]:
    if len(content := text.encode()) > MAX_BLUEPRINT_BYTES:
        # Refused by the policy's limit, by name; a review could not help.
        return []
    try:
        check(content)
    except InvalidBlueprint as error:
        line = error.facts.get("line")
        at = line if isinstance(line, int) else None
        hint = str(error.facts.get("hint", ""))
        return [finding("blueprint profile", "profile", error.message, hint=hint, line=at)]
    if task.looked_at or task.resolutions:
        return []
    said = second_opinion(task.canonical, task.contributions, text, _data_of)
    return [] if said is None else [finding("second opinion", "second-opinion", said)]


def _data_of(text: str) -> object:
    try:
        # As text, because 1, 1.0 and true are equal in Python.
        return json.dumps(load(text), sort_keys=True)
    except InvalidBlueprint as error:
        raise Unreadable("merged by lines", 1, 1, error.message, "") from error


def finding(
    source: str, code: str, message: str, *, hint: str = "", line: int | None = None
) -> ReviewFinding:
    """An objection to the whole of a result."""
    return ReviewFinding(
        source=source,
        severity="error",
        path="",
        line=line,
        code=code,
        message=message,
        hint=hint,
    )


def involved(conflicts: Sequence[Conflict]) -> frozenset[str]:
    """The labels of all contributions that have a part in a conflict."""
    return frozenset(side.branch for each in conflicts for side in each.sides) - {CANONICAL}
