"""Checkpoints as they are shown."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from bps.checkpoints.model import Checkpoint
from bps.plans.cloudevents import rfc3339


class PlanHeadView(BaseModel):
    """The end of a plan's log, as a checkpoint names it."""

    model_config = ConfigDict(extra="forbid")

    seq: str
    hash: str


class CheckpointView(BaseModel):
    """One checkpoint; its signature has been verified."""

    model_config = ConfigDict(extra="forbid")

    seq: str
    hash: str
    prev: str
    nonce: str
    revision: str
    time: str
    heads: dict[str, PlanHeadView]
    keys: dict[str, str]
    key_id: str
    signature: str

    @classmethod
    def of(cls, checkpoint: Checkpoint, name: str) -> CheckpointView:
        """From the record; `name` is the SHA-256 of its stored bytes."""
        return cls(
            seq=str(checkpoint.seq),
            hash=name,
            prev=checkpoint.prev,
            nonce=checkpoint.nonce,
            revision=str(checkpoint.revision),
            time=rfc3339(checkpoint.time_ms),
            heads={
                plan: PlanHeadView(seq=str(head.seq), hash=head.hash)
                for plan, head in checkpoint.heads.items()
            },
            keys=checkpoint.keys,
            key_id=checkpoint.key_id,
            signature=checkpoint.signature,
        )
