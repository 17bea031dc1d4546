"""What the repair of a full etcd needs beyond `Store`; asked of single members, by operators."""

from __future__ import annotations

from typing import Protocol

from bps.core.ports import MemberStatus


class Maintenance(Protocol):
    """Each call has a deadline of its own and is sent once; all of them may be repeated."""

    async def members(self) -> tuple[MemberStatus, ...]:
        """Every configured member that answers. Raises AccessDenied."""
        ...

    async def readable(self) -> None:
        """Prove by a linearizable read that the quorum stands. Raises Unavailable."""
        ...

    async def compact(self, revision: int) -> None:
        """Drop history before `revision`, and wait until one member has done so.

        Raises:
            Compacted: that happened already.
            OutcomeUnknown: no answer in 60 s; it goes on in the background.
        """
        ...

    async def defragment(self, endpoint: str) -> None:
        """Rewrite one member's file without its free pages; the member does nothing else by then.

        Raises:
            OutcomeUnknown: no answer in 10 minutes.
            Unavailable: the member cannot be reached.
        """
        ...

    async def disarm_no_space(self, member_id: int) -> None:
        """Take back the alarm NOSPACE of one member; none is no error. Raises StoreError."""
        ...
