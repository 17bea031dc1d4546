"""The cluster's members: idle clients for each, and the one that the next call goes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bps.core.errors import CapabilityMissing
from bps.store.endpoints import check_endpoints
from bps.store.gateway.body import Body
from bps.store.gateway.client import GatewayClient
from bps.store.security import EtcdTls


class GatewayMember:
    """One member, called from any thread; a client and its connection belong to one call."""

    def __init__(self, endpoint: str, tls: EtcdTls | None) -> None:
        self.endpoint = endpoint
        self._tls = tls
        # Appended to and popped from by many threads: both are atomic.
        self._idle: list[GatewayClient] = []

    def exchange(
        self,
        path: str,
        body: Body,
        headers: Mapping[str, str],
        *,
        connect_s: float,
        silence_s: float,
    ) -> tuple[int, bytes]:
        """See `GatewayClient.exchange`. Blocks."""
        try:
            client = self._idle.pop()
        except IndexError:
            client = GatewayClient(self.endpoint, self._tls)
        try:
            return client.exchange(path, body, headers, connect_s=connect_s, silence_s=silence_s)
        finally:
            # By the thread that used it, so that a caller who was cancelled cannot free it early.
            self._idle.append(client)

    def close(self) -> None:
        """Close the idle connections; call it when no call is under way."""
        while self._idle:
            self._idle.pop().close()


class GatewayMembers:
    """All configured members, the preferred one first."""

    def __init__(self, endpoints: Sequence[str], tls: EtcdTls | None) -> None:
        checked = check_endpoints(endpoints)
        if tls is not None:
            tls.read()
            if tls.server_name is not None:
                raise CapabilityMissing(
                    "The gateway adapter expects the endpoint's own name in a certificate.",
                    adapter="GatewayStore",
                    capability="tls_server_name",
                )
        self._members = tuple(GatewayMember(endpoint, tls) for endpoint in checked)
        self._first = 0
        self.closed = False

    @property
    def all(self) -> tuple[GatewayMember, ...]:
        """Every member, the preferred one first."""
        return self._members[self._first :] + self._members[: self._first]

    def failed(self, member: GatewayMember) -> None:
        """Prefer the next member from now on, if `member` is the preferred one."""
        if self._members[self._first] is member:
            self._first = (self._first + 1) % len(self._members)
