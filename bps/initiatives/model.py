"""An initiative as stored: what plans belong to. Its governance is kept beside it."""

from __future__ import annotations

from typing import ClassVar, Final

from bps.core import keys
from bps.core.codec import Record, TimeMs
from bps.core.errors import MalformedRecord
from bps.core.txn import KV, Put

DEFAULT_INITIATIVE: Final = "default"
"""The one that plans belong to where none is named; every store has it."""
DEFAULT_ZONE: Final = "UTC"


class Initiative(Record):
    """`initiatives/{i}`; never written again. `zone` is the IANA name of its business days."""

    KIND: ClassVar[str] = "initiative"

    initiative: str
    title: str
    zone: str
    created_ms: TimeMs
    created_by: str

    def put(self) -> Put:
        """Its write."""
        return Put(keys.initiative(self.initiative), self.encode())


def initiative_at(kv: KV) -> Initiative:
    """The initiative stored as `kv`. Raises MalformedRecord, SchemaTooNew."""
    found = Initiative.decode(kv.value)
    if keys.initiative(found.initiative) != kv.key:
        where = kv.key.decode(errors="replace")
        raise MalformedRecord(f"{where} holds another initiative.", key=where)
    return found
