"""`bps sync`: make the files of one plan say what etcd says (R5)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import ClassVar

from bps.core import ids
from bps.core.codec import Record
from bps.core.errors import Contended, WorkspaceConflict
from bps.files import Directory
from bps.workspace.place import Outcome, place_all
from bps.workspace.projection import of_canonical, of_rr_plan
from bps.workspace.source import OpenPlan

_LOCK_POLL_S = 0.05


class EditedFile(Record):
    """A file that was not overwritten, and the one beside it that holds etcd's content.

    `beside` is None where the files beside it were edited as well.
    """

    KIND: ClassVar[str] = "edited_file"

    edited: str
    beside: str | None


class SyncReport(Record):
    """What a sync did. All paths are relative to the workspace's root."""

    KIND: ClassVar[str] = "sync_report"

    plan: str
    written: list[str]
    unchanged: list[str]
    removed: list[str]
    conflicts: list[EditedFile]

    def conflict(self) -> WorkspaceConflict | None:
        """The error that names every edited file, where there is one; the caller raises it."""
        if not self.conflicts:
            return None
        named = "; ".join(
            f"{each.edited} (etcd's is {each.beside or 'nowhere: those beside it are edited too'})"
            for each in self.conflicts
        )
        return WorkspaceConflict(
            f"Edited files were left as they are: {named}.",
            files=[path for each in self.conflicts for path in (each.edited, each.beside) if path],
        )


async def sync(
    open_plan: OpenPlan,
    root: Path,
    plan_id: str,
    rr_plans: Sequence[str] | None = None,
    *,
    lock_deadline_s: float = 10.0,
) -> SyncReport:
    """Write the files of `plan_id` below `root`: canonical's, and those of its RR-plans.

    `open_plan` reads the plan: `PinnedPlan.open` from a store, at one revision; `ServedPlan.open`
    from the service, each record as it then is. `rr_plans` names the RR-plans whose files are
    brought up to date: those that a commit touched; None means all, an RR-plan at a time. One sync
    of a plan runs at a time (a lock on its directory), so an older one never overwrites a newer
    one's files. File work runs on the event loop, at most one file of 1 MiB between two awaits.

    Cost where nothing changed: two openings of the plan and its RR-plans read; with a store two
    round trips and one per 64 RR-plans (two per RR-plan named).

    Raises:
        NotFound, InvalidId: there is no such plan (nothing was written) or RR-plan.
        UnsafePath: a symbolic link or special file is in the way; nothing outside was written.
        ConfigError: the file system refuses; every file holds its old content or its new one.
        Contended: another sync of the plan still runs after `lock_deadline_s` seconds.
        Compacted: the store dropped the revision meanwhile; sync again.
        DigestMismatch: a blueprint is missing in the store, or damaged.
        Unavailable: the store does not answer.
    """
    await open_plan(ids.plan_id(plan_id))
    report = SyncReport(plan=plan_id, written=[], unchanged=[], removed=[], conflicts=[])
    with Directory.open_root(root) as top, top.enter(plan_id) as directory:
        await _lock(directory, lock_deadline_s)
        source = await open_plan(plan_id)
        canonical = of_canonical(source.plan, source.canonical)
        _add(report, plan_id, await place_all(directory, canonical, source))
        chosen = source.rr_plans() if rr_plans is None else source.rr_plans_named(rr_plans)
        async with aclosing(chosen):
            async for rr_plan in chosen:
                with directory.enter(rr_plan.rr_plan) as below:
                    outcome = await place_all(below, of_rr_plan(rr_plan), source)
                _add(report, f"{plan_id}/{rr_plan.rr_plan}", outcome)
    return report


async def _lock(directory: Directory, deadline_s: float) -> None:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + deadline_s
    while not directory.try_lock():
        if loop.time() > end_s:
            msg = f"Another sync has held {directory.path} for {deadline_s:g} s."
            raise Contended(msg, path=str(directory.path))
        await asyncio.sleep(_LOCK_POLL_S)


def _add(report: SyncReport, directory: str, outcome: Outcome) -> None:
    def below(names: Iterable[str]) -> list[str]:
        return [f"{directory}/{name}" for name in names]

    report.written.extend(below(outcome.written))
    report.unchanged.extend(below(outcome.unchanged))
    report.removed.extend(below(outcome.removed))
    report.conflicts.extend(
        EditedFile(edited=f"{directory}/{edited}", beside=beside and f"{directory}/{beside}")
        for edited, beside in outcome.conflicts
    )
