"""A request's body that is given out once, and that knows whether it was."""

from __future__ import annotations

import io
from threading import Lock


class BodyWithheldError(OSError):
    """The body was asked for after its caller had given up."""


class Body(io.BytesIO):
    """What the HTTP layer reads to send it.

    The gateway decodes the body before it calls etcd, so a request of which not one byte was asked
    for cannot be applied: whatever failed before (name, connection, TLS handshake) is certain.
    The caller's thread and the sending one agree on it under a lock.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._lock = Lock()
        self._begun = False
        self._withheld = False

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes. Raises BodyWithheldError after `withhold`."""
        with self._lock:
            if self._withheld:
                raise BodyWithheldError("The request was given up before it was sent.")
            self._begun = True
        return super().read(size)

    def withhold(self) -> bool:
        """Never give it out from now on; False if that is too late."""
        with self._lock:
            self._withheld = not self._begun
            return self._withheld
