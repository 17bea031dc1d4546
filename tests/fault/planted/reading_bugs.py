"""Protections of what is read and followed, taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bps.sidecar.canonical import CanonicalVersions
from bps.sidecar.degraded import DegradedReads
from bps.store.etcd.watch import Watch
from tests.fault.planted.bugs import bug, replaced


@bug
def watch_resumed_from_the_header() -> Iterator[None]:
    """A broken watch goes on after the revision that a header named, delivered or not."""

    def of(batches_of: Any) -> Any:
        def skipping(self: Any, response: Any) -> Any:
            batches = batches_of(self, response)
            if not response.events:
                self._next_revision = max(self._next_revision, response.header.revision + 1)
            return batches

        return skipping

    with replaced(Watch, "_batches_of", of):
        yield


@bug
def published_floor_removed() -> Iterator[None]:
    """A kept canonical version is served although this sidecar has published a newer one."""
    with replaced(CanonicalVersions, "published", lambda _: lambda *_: None):
        yield


@bug
def degraded_floor_removed() -> Iterator[None]:
    """Without a quorum a member answers, however far it is behind what was served before."""
    with replaced(DegradedReads, "floor", lambda _: property(lambda _: 0)):
        yield
