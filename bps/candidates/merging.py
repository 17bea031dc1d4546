"""One merge of blueprints with all checks that need no validator. Pure; runs in a workshop.

Its answers are values, also where a text cannot be read, as they come from another process.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from bps.blueprint.data import load
from bps.blueprint.profile import check
from bps.core.errors import InvalidBlueprint
from bps.merge.compact import Rows, compact
from bps.merge.declared import from_policy
from bps.merge.engine import merge
from bps.merge.explain import explain
from bps.merge.reader import Reader
from bps.merge.records import CANONICAL, Conflict, Contribution, Merged, Notice, Origin, Resolution
from bps.merge.refusals import Unreadable
from bps.merge.second_opinion import finding as second_opinion
from bps.plans.reviews import ReviewFinding
from bps.policy.model import MAX_BLUEPRINT_BYTES

ENGINE = "1"
"""The merge engine's version, in each event of a merge: the same inputs give the same bytes.

Those of the result, and those of the report of what came from where.
"""


class MergeTask(NamedTuple):
    """What to merge. `strategies` are those of the policy, `resolutions` by conflict id."""

    canonical: str
    contributions: tuple[Contribution, ...]
    strategies: tuple[tuple[str, str], ...]
    resolutions: tuple[tuple[str, Resolution], ...]
    looked_at: bool
    """A person has seen the result: the second opinion is not asked for."""


class MergeAnswer(NamedTuple):
    """The result's `text`, where nothing stands in its way, else why not.

    `applied` are the ids of resolutions that met their conflict. `unreadable` names versions that
    cannot be merged at all.
    """

    text: str | None
    conflicts: tuple[Conflict, ...]
    findings: tuple[ReviewFinding, ...]
    notices: tuple[Notice, ...]
    origins: tuple[Origin, ...]
    applied: tuple[str, ...]
    unreadable: tuple[str, ...]
    came_from: Rows | None
    """What came from where in `text`; None without one, and where law 1 tells it."""


def merge_blueprints(task: MergeTask) -> MergeAnswer:
    """Merge, and judge the result: the profile, and what merging by lines would say.

    Cost: see `bps.merge.engine`; merging twice where there are resolutions, and about as much as
    one merge for what came from where.
    """
    reader = Reader()
    try:
        merged = _merge(task, dict(task.resolutions), reader)
        applied = _applied(task, reader)
    except Unreadable as error:
        found = finding(error.label, "unreadable", str(error), hint=error.hint, line=error.line)
        return MergeAnswer(None, (), (found,), (), (), (), (error.label,), None)
    findings = [] if merged.text is None else _objections(task, merged.text)
    text = None if findings else merged.text
    came_from = None
    if text is not None:
        came_from = compact(explain(task.canonical, task.contributions, merged, reader))
    return MergeAnswer(
        text,
        merged.conflicts,
        tuple(findings),
        merged.notices,
        merged.origins,
        applied,
        (),
        came_from,
    )


def _merge(task: MergeTask, resolutions: dict[str, Resolution], reader: Reader) -> Merged:
    strategies = from_policy(dict(task.strategies))
    return merge(
        task.canonical,
        task.contributions,
        strategies=strategies,
        resolutions=resolutions,
        reader=reader,
    )


def _applied(task: MergeTask, reader: Reader) -> tuple[str, ...]:
    """The resolutions whose conflict exists."""
    if not task.resolutions:
        return ()
    open_ = {conflict.id for conflict in _merge(task, {}, reader).conflicts}
    return tuple(conflict for conflict, _ in task.resolutions if conflict in open_)


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
