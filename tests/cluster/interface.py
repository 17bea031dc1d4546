"""What a test can do to a cluster and its members, whatever they run as."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cluster import gateway

CLUSTER_SIZE = 3
POLL_S = 0.02
ETCD_FLAGS = (
    "--heartbeat-interval=100",
    "--election-timeout=1000",
    f"--quota-backend-bytes={8 * 1024**3}",
    "--auto-compaction-mode=periodic",
    "--auto-compaction-retention=1h",
    "--log-level=warn",
)


class FaultFailedError(AssertionError):
    """A fault did not take effect, so that the test would have proved nothing."""


def await_condition(condition: Callable[[], bool], deadline_s: float, failure: str) -> None:
    """Polls until `condition` holds; raises TimeoutError(`failure`) after `deadline_s` seconds."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {deadline_s:g} s: {failure}")
        time.sleep(POLL_S)


class Member(ABC):
    """One etcd member. Every fault has taken effect when its method returns."""

    def __init__(self, name: str, endpoint: str) -> None:
        self.name = name
        #: `127.0.0.1:port` for clients; stays the same across kill and start.
        self.endpoint = endpoint

    @property
    @abstractmethod
    def pid(self) -> int:
        """Its process id on this host, while it runs; another one after each start."""

    @property
    @abstractmethod
    def data_dir(self) -> Path:
        """Its data on this host; with an engine in a virtual machine they cannot be read."""

    @property
    @abstractmethod
    def peer_url(self) -> str:
        """How the other members know it."""

    @abstractmethod
    def start_as_new(self) -> None:
        """Deletes the data of a killed member, and starts it to join a cluster that runs."""

    @abstractmethod
    def kill(self) -> None:
        """Kills it with SIGKILL; its data stay."""

    @abstractmethod
    def start(self) -> None:
        """Starts it again on its data; returns before it is healthy."""

    @abstractmethod
    def pause(self) -> None:
        """Freezes it: connections stay open, nothing answers, its clock goes on."""

    @abstractmethod
    def resume(self) -> None:
        """Thaws it."""

    @abstractmethod
    def isolate(self) -> None:
        """Drops all traffic with its peers, both ways, silently; clients still reach it.

        The leader of before answers linearizable reads no more at once, and steps down within
        the election timeout (1 s).
        """

    @abstractmethod
    def heal(self) -> None:
        """Undoes isolate, pause and kill, whichever apply; returns before it is healthy."""

    @property
    @abstractmethod
    def is_faulty(self) -> bool:
        """Whether it is killed, paused or isolated now."""

    def is_healthy(self, timeout_s: float = 1.0) -> bool:
        """Whether it answers a linearizable read within `timeout_s` seconds."""
        return gateway.is_healthy(self.endpoint, timeout_s)

    def wait_cut_off(self, deadline_s: float = 5.0) -> None:
        """Proves that an isolated member reaches no quorum (takes about 1 s)."""
        await_condition(
            lambda: not self.is_healthy(), deadline_s, f"{self.name} still reaches a quorum"
        )


class EtcdCluster(ABC):
    """Three members. heartbeat 100 ms, election timeout 1000 ms, fsync on."""

    #: "containers" or "processes".
    mode: str

    @property
    @abstractmethod
    def members(self) -> Sequence[Member]:
        """The members; their order is that of `endpoints`."""

    @abstractmethod
    def stop(self) -> None:
        """Ends the members and deletes their data."""

    @property
    def endpoints(self) -> list[str]:
        """`127.0.0.1:port` of every member, for clients."""
        return [member.endpoint for member in self.members]

    def member(self, index: int) -> Member:
        """The member `index`, from 0."""
        return self.members[index]

    def version(self) -> str:
        """etcd's version, from the first member that answers."""
        for endpoint in self.endpoints:
            answer = gateway.get(endpoint, "/version", timeout_s=1.0)
            if answer is not None:
                return str(answer["etcdserver"])
        raise TimeoutError("no member tells its version")

    def leader_index(self, *, other_than: int | None = None, deadline_s: float = 10.0) -> int:
        """Index of the leader in the newest term that a member knows; waits until there is one.

        An isolated leader stays the leader in that sense until the others elect a new one:
        `other_than` waits for that.
        """
        found: list[int] = []

        def look() -> bool:
            found[:] = self._leaders()
            return bool(found) and found[-1] != other_than

        await_condition(look, deadline_s, "no leader was elected")
        return found[-1]

    def _leaders(self) -> list[int]:
        statuses = [gateway.status(endpoint, timeout_s=0.5) for endpoint in self.endpoints]
        ids = {status.member_id: index for index, status in enumerate(statuses) if status}
        known = sorted(
            (s.raft_term, ids[s.leader_id]) for s in statuses if s and s.leader_id in ids
        )
        return [index for _, index in known]

    def wait_healthy(self, deadline_s: float = 30.0) -> None:
        """Waits until every member answers a linearizable read."""
        for member in self.members:
            await_condition(member.is_healthy, deadline_s, f"{member.name} is not healthy")

    def heal(self) -> None:
        """Undoes all faults and waits until every member is healthy."""
        for member in self.members:
            if member.is_faulty:
                member.heal()
        self.wait_healthy()

    def wipe(self) -> None:
        """Deletes all keys and leases and disarms all alarms; the revision goes on."""
        gateway.wipe(self.endpoints[self.leader_index()])
