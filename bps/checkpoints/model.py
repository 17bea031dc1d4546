"""Checkpoints: a signed chain over the heads of all plans (R10; design, "Modes and leadership")."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Any, ClassVar, Final

import orjson
from pydantic import StringConstraints

from bps.core.codec import Decimal, Record, Sha256, TimeMs, canonical_json, sha256_hex
from bps.core.errors import MalformedRecord
from bps.keyring.model import KeyId
from bps.keyring.public_key import PublicKey, decoded_signature
from bps.keyring.statement import Signer, encoded

MAX_HEADS: Final = 100
"""Heads of one checkpoint: with its index records they fit into one transaction."""
MAX_KEYS_COVERED: Final = 20
CHECKPOINT_TYPE: Final = "application/vnd.bps.checkpoint+json"
NO_CHECKPOINT: Final = "0" * 64
"""`prev` of the first one."""

Nonce = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class CheckpointedHead(Record):
    """The end of one plan's log, as a checkpoint names it."""

    KIND: ClassVar[str] = "checkpointed_head"

    seq: Decimal
    hash: Sha256


class Checkpoint(Record):
    """`checkpoints/{seq}`: immutable. `prev` is the SHA-256 of the bytes of the one before.

    `heads` are those that changed since, `keys` the SHA-256 of each changed record of the key
    registry. All changes up to `revision` are in this checkpoint or in earlier ones. The random
    `nonce` tells it from any other that a restored store could grow in its place. `signature` is
    base64 of Ed25519 over the DSSE encoding of this record without `signature`.
    """

    KIND: ClassVar[str] = "checkpoint"

    seq: Decimal
    nonce: Nonce
    prev: Sha256
    revision: Decimal
    time_ms: TimeMs
    heads: dict[str, CheckpointedHead]
    keys: dict[str, Sha256]
    key_id: KeyId
    signature: str

    @classmethod
    def signed(cls, signer: Signer, **fields: Any) -> Checkpoint:  # noqa: ANN401 - its fields
        """A checkpoint with its signature. Pure: Ed25519 is deterministic."""
        unsigned = cls(**fields, key_id=signer.public.key_id, signature="")
        return unsigned.model_copy(update={"signature": signature_of(unsigned, signer)})


class CheckpointTip(Record):
    """`checkpoint-tip`: the last checkpoint, so that finding it takes no range read."""

    KIND: ClassVar[str] = "checkpoint_tip"

    seq: Decimal
    hash: Sha256
    revision: Decimal


class PlanCheckpoint(Record):
    """`checkpointed/{p}`: the checkpoint that names the plan's last head, for proofs in O(1)."""

    KIND: ClassVar[str] = "plan_checkpoint"

    checkpoint: Decimal
    seq: Decimal
    hash: Sha256


class CheckpointResult(Record):
    """What a new checkpoint covers. `diverged` are plans whose logs lost what one had named."""

    KIND: ClassVar[str] = "checkpoint_result"

    seq: Decimal
    hash: Sha256
    heads: int
    diverged: list[str]


def signature_of(unsigned: Record, signer: Signer, payload_type: str = CHECKPOINT_TYPE) -> str:
    """Base64 of the signature over all fields of a record but `signature`. Pure."""
    signed = signer.sign(encoded(payload_type, _signed_part(unsigned.encode())))
    return b64encode(signed).decode()


def signature_verifies(stored: bytes, key: PublicKey, payload_type: str = CHECKPOINT_TYPE) -> bool:
    """Whether `key` signed the record whose stored bytes are given, and they are canonical.

    Fields that this release does not know are covered as well.
    """
    try:
        fields = orjson.loads(stored)
        signature = decoded_signature(fields["signature"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False
    if signature is None or canonical_json(fields) != stored:
        return False
    if fields.get("key_id") != key.key_id:
        return False
    return key.verifies(signature, encoded(payload_type, _signed_part(stored)))


def checkpoint_at(seq: int, stored: bytes) -> Checkpoint:
    """The checkpoint `seq`. Raises MalformedRecord where another one is stored there."""
    found = Checkpoint.decode(stored)
    if found.seq != seq:
        msg = f"Checkpoint {found.seq} is stored where {seq} belongs."
        raise MalformedRecord(msg, checkpoint=str(seq))
    return found


def hash_of(stored: bytes) -> str:
    """The name of a checkpoint in the chain."""
    return sha256_hex(stored)


def _signed_part(stored: bytes) -> bytes:
    fields = orjson.loads(stored)
    del fields["signature"]
    return canonical_json(fields)
