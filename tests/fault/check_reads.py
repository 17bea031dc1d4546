"""What one client reads of one plan from one sidecar never goes back, not even degraded."""

from __future__ import annotations

from tests.fault.history import History, Ok, Operation
from tests.fault.violation import Violation

_CHECKER = "reads"


def check_reads(history: History) -> list[Violation]:
    """Revision and version of degraded reads, in the order in which a client made them.

    Revisions are compared within a plan: of two plans each has the revision of its own record.
    """
    found: list[Violation] = []
    newest: dict[tuple[int, str, str], Operation] = {}
    in_order = sorted(history.operations, key=lambda each: each.called_ns)
    for operation in in_order:
        if operation.kind != "degraded_read" or not isinstance(operation.outcome, Ok):
            continue
        key = (operation.client, operation.sidecar, operation.plan)
        before = newest.get(key)
        if before is not None and (what := _back(before, operation)):
            ops = (before.id, operation.id)
            found.append(Violation("non-linearizable", _CHECKER, operation.plan, ops, what))
        else:
            newest[key] = operation
    return found


def _back(before: Operation, now: Operation) -> str:
    was, found = before.outcome, now.outcome
    if not isinstance(was, Ok) or not isinstance(found, Ok):
        return ""
    if was.revision is not None and (found.revision is None or found.revision < was.revision):
        return f"{now.sidecar} went back from revision {was.revision} to {found.revision}"
    shown, shows = was.result.get("version"), found.result.get("version")
    if shown is not None and shows is not None and shows < shown:
        return f"{now.sidecar} went back from version {shown} to {shows}"
    return ""
