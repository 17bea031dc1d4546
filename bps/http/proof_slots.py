"""Proofs read a whole log: one at a time a plan, two in all, so that they starve nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bps.core.errors import TooManyProofs

MAX_PROOFS = 2
_RETRY_AFTER_S = 5


class ProofSlots:
    """The proofs under way in this process."""

    def __init__(self, limit: int = MAX_PROOFS) -> None:
        self._limit = limit
        self._plans: set[str] = set()

    @contextmanager
    def held(self, plan: str) -> Iterator[None]:
        """A slot for a proof of `plan`.

        Raises:
            TooManyProofs: there is none free now; nobody waits in a queue.
        """
        if plan in self._plans:
            msg = f"A proof of {plan} is running."
            raise TooManyProofs(msg, plan=plan, retry_after_s=_RETRY_AFTER_S)
        if len(self._plans) >= self._limit:
            msg = f"{self._limit} proofs are running, as many as run at once."
            raise TooManyProofs(msg, retry_after_s=_RETRY_AFTER_S)
        self._plans.add(plan)
        try:
            yield
        finally:
            self._plans.discard(plan)
