"""What the events of a plan mean, written a second time, to hold the stored records against."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from bps.plans.events import (
    BlueprintPromoted,
    Body,
    BranchOpened,
    BranchSucceeded,
    PlanRegistered,
    VcNullify,
)

Place = tuple[str, int]


@dataclass
class Rebuilt:
    """What the events of one plan say."""

    states: dict[Place, str] = field(default_factory=dict)
    digests: dict[Place, str] = field(default_factory=dict)
    nullified: set[Place] = field(default_factory=set)
    promoted: list[tuple[int, str]] = field(default_factory=list)
    bases: dict[Place, str] = field(default_factory=dict)
    canonical: str = ""
    failing: str = ""
    counters: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def rebuild(log: list[tuple[Any, Body]]) -> Rebuilt:
    """Read the events and check each against those before it."""
    rebuilt = Rebuilt()
    for event, body in log:
        place = (event.branch, event.rr)
        assert place not in rebuilt.nullified, "an event of an RR-plan after its VC_NULLIFY"
        rebuilt.counters[event.actor] += 1
        assert event.counter == rebuilt.counters[event.actor], "a gap in an actor's counter"
        match body:
            case BranchOpened():
                assert place not in rebuilt.states, "an RR-plan was opened twice"
                rebuilt.states[place] = "OPEN"
                rebuilt.bases[place] = body.base_digest
                assert body.base_digest == rebuilt.canonical
            case BranchSucceeded():
                assert rebuilt.states[place] == "OPEN"
                rebuilt.states[place] = "SUCCEEDED"
                rebuilt.digests[place] = body.digest
            case VcNullify():
                assert body.status.obsolete
                if body.status == "OBSOLETE_FAILED":
                    rebuilt.failing = event.op
                if body.status == "OBSOLETE_NULLIFIED":
                    assert rebuilt.failing == event.op, "nullified without a failure above"
                assert body.last_counter == event.counter - 1
                rebuilt.states[place] = body.status.value
                rebuilt.nullified.add(place)
            case BlueprintPromoted():
                assert body.version == len(rebuilt.promoted) + 2
                rebuilt.promoted.append((body.version, body.digest))
                for contributor in body.contributors:
                    each = (contributor.branch, contributor.n)
                    assert rebuilt.states[each] == "SUCCEEDED"
                    changed = rebuilt.digests[each] not in (rebuilt.canonical, rebuilt.bases[each])
                    fresh = rebuilt.bases[each] == rebuilt.canonical
                    merged = body.merge is not None
                    assert fresh or not changed or merged, "an edit of an old base overwrote"
                    if contributor.state == "PROMOTED":
                        assert rebuilt.digests[each] == body.digest
                        rebuilt.states[each] = "PROMOTED"
                rebuilt.canonical = body.digest
            case PlanRegistered():
                rebuilt.canonical = body.digest
            case _:
                pass
    return rebuilt
