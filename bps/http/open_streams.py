"""How many streams are open, in all and by principal."""

from __future__ import annotations

from collections import Counter

from bps.core.errors import TooManyConnections
from bps.http.limits import Limits

_RETRY_AFTER_S = 5


class OpenStreams:
    """The streams of this process. Each is counted from `opened` to `closed`."""

    def __init__(self) -> None:
        self._by_principal: Counter[str] = Counter()
        self.count = 0

    def check(self, principal: str, limits: Limits) -> None:
        """Whether one more may be opened.

        Raises:
            TooManyConnections: there are as many as may be, in all or of this principal.
        """
        if self.count >= limits.max_streams:
            msg = f"{limits.max_streams} streams are open, as many as the service keeps."
            raise TooManyConnections(msg, retry_after_s=_RETRY_AFTER_S)
        if self._by_principal[principal] >= limits.max_streams_per_principal:
            msg = f"{principal} has {limits.max_streams_per_principal} streams open, all it may."
            raise TooManyConnections(msg, retry_after_s=_RETRY_AFTER_S)

    def opened(self, principal: str) -> None:
        """One more."""
        self.count += 1
        self._by_principal[principal] += 1

    def closed(self, principal: str) -> None:
        """One less."""
        self.count -= 1
        self._by_principal[principal] -= 1
        if not self._by_principal[principal]:
            del self._by_principal[principal]
