"""Recorded scripts: what the machine found worth keeping, shrunk; steps of `Lab`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from tests.unit.machine.checks import Checks
from tests.unit.machine.lab import Lab
from tests.unit.machine.parts import Step, Told

HOUR_MS: Final = 3_600_000
FIX: Final = [
    ("register", 0, 0, "v1"),
    ("open", 0, 0, 0),
    ("submit", 0, 0, 0, "v2"),
]
"""A fix of plan 0 that waits for its promotion."""

Script = Sequence[tuple[Any, ...]]


class Recorded(NamedTuple):
    """A script, and what callers are told after its `FIX`, in order."""

    steps: Script
    told: list[str]


SCRIPTS: Final = {
    "deposed_between_decision_and_transaction": Recorded(
        [
            *FIX,
            ("promote", 0, 0, (0,), ("hold_request",)),
            ("usurp", 1),
            ("open", 1, 0, 1),
            ("go_on", 0),
            ("promote", 1, 0, (0,)),
        ],
        ["op-6 committed", "op-5 FencedOut", "op-7 committed"],
    ),
    "reply_lost_and_deposed": Recorded(
        [
            *FIX,
            ("promote", 0, 0, (0,), ("lose_reply", "hold_request")),
            ("usurp", 1),
            ("go_on", 0),
            ("repeat", 1, -1),
        ],
        ["op-5 repeated", "op-5 repeated"],
    ),
    "late_after_the_settlement": Recorded(
        [
            *FIX,
            ("promote", 0, 0, (0,), ("late", "pass", *["unavailable"] * 120)),
            ("deliver", 0),
            ("repeat", 0, -1),
        ],
        ["op-5 Unavailable", "op-5 committed"],
    ),
    "late_after_another_leader": Recorded(
        [
            *FIX,
            ("promote", 0, 0, (0,), ("late", "sever")),
            ("time", 12.0),
            ("lead", 1),
            ("deliver", 0),
            ("open", 1, 0, 1),
            ("heal", 0),
            ("promote", 0, 0, (0,)),
            ("repeat", 1, 5),
        ],
        ["op-5 OutcomeUnknown", "op-6 committed", "op-7 LeaseLost", "op-5 committed"],
    ),
    "caller_gone_and_view_stale": Recorded(
        [
            *FIX,
            ("open", 0, 0, 1, ("hold_reply",)),
            ("cancel", 0),
            ("open", 0, 0, 2),
            ("repeat", 0, -2),
        ],
        ["op-5 OutcomeUnknown", "op-6 committed", "op-5 repeated"],
    ),
    "clocks_apart_and_ops_lease_gone": Recorded(
        [
            *FIX,
            ("step_wall_clock", 0, -26 * HOUR_MS),
            ("promote", 0, 0, (0,), ("no_lease", "lose_reply")),
            ("drop_ops_lease",),
            ("step_wall_clock", 1, 2 * HOUR_MS),
            ("usurp", 1),
            ("revert", 1, 0, 1),
            ("rebase", 0, 0, 0),
            ("time", 3_700.0),
            ("lead", 0),
            ("repeat", 1, -2),
        ],
        ["op-5 repeated", "op-6 committed", "op-7 WrongState", "op-6 repeated"],
    ),
}


async def play(lab: Lab, script: Script) -> list[Told]:
    """Do a script to its end, with all checks after each step; what callers were told, in order.

    Raises Violated.
    """
    checks = Checks(lab)
    await lab.begin()
    for act, *arguments in script:
        await lab.do(Step(act, tuple(arguments)))
        await checks.hold()
    await lab.end()
    await checks.hold()
    return lab.told


def in_short(told: Told) -> str:
    """The operation, and how it went."""
    _, _, op_id = told.name.partition("/")
    how = type(told.error).__name__ if told.outcome is None else told.outcome.how
    return f"{op_id} {how}"


def in_full(told: Told) -> str:
    """All that the caller saw, but for the store's revision."""
    if told.outcome is None:
        return f"{told.name}: {told.error!r}"
    return f"{told.name}: {told.outcome.how} {told.outcome.result!r}"
