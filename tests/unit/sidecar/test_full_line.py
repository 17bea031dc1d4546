"""What a write is told whose line is full: that it is, and without a quorum why."""

from __future__ import annotations

import pytest

from bps.core.errors import Overloaded, QuorumLost
from bps.leadership.modes import Reason
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from bps.writepath.admission import Bounds
from bps.writepath.command import OperationId
from tests.asynchronous import asynchronous
from tests.doubles.manual_clock import ManualClock


@asynchronous
async def test_a_line_full_of_writes_that_hang_is_no_overload() -> None:
    clock = ManualClock()
    settings = SidecarSettings("a", write_bounds=Bounds(in_flight=1, waiting=0))
    sidecar = Sidecar(MemoryStore(clock), clock, settings)
    deadline_s = clock.monotonic_s() + 1
    async with sidecar.writes.turn(OperationId("a", "hangs", ""), deadline_s):
        with pytest.raises(Overloaded):
            sidecar.refuse_write_early("a", deadline_s)
        sidecar.terms.hold(Reason.QUORUM_LOST, QuorumLost("etcd does not answer."))
        with pytest.raises(QuorumLost):
            sidecar.refuse_write_early("a", deadline_s)
