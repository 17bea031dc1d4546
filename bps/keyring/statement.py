"""Signing in the manner of DSSE: what is signed names its type, so that no signature serves twice.

Source: DSSE v1.0 (secure-systems-lab/dsse, protocol.md), its pre-authentication encoding.
"""

from __future__ import annotations

import base64
from typing import Any, Final, Protocol

from bps.core.errors import InvalidInput, MalformedRecord, SchemaTooNew
from bps.keyring.model import Approval, KeyStatement
from bps.keyring.public_key import PublicKey, decoded_signature

STATEMENT_TYPE: Final = "application/vnd.bps.key-statement+json"


class Signer(Protocol):
    """A private key in use. Ed25519 is deterministic: the same message has one signature."""

    @property
    def public(self) -> PublicKey:
        """Its public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""
        ...


def encoded(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: `DSSEv1 LEN TYPE LEN BODY`."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def approve(statement: bytes, signer: Signer) -> dict[str, Any]:
    """The DSSE envelope, as JSON, of a holder who approves `statement` (canonical bytes)."""
    signature = signer.sign(encoded(STATEMENT_TYPE, statement))
    return {
        "payload": base64.b64encode(statement).decode(),
        "payloadType": STATEMENT_TYPE,
        "signatures": [
            {"keyid": signer.public.key_id, "sig": base64.b64encode(signature).decode()}
        ],
    }


def approval_of(payload: str, payload_type: str, key_id: str, signature: str) -> Approval:
    """An approval from the parts of an envelope; whether it counts is decided by the registry.

    Raises:
        InvalidInput: it is no signed statement.
    """
    if payload_type != STATEMENT_TYPE:
        raise InvalidInput(f"An approval has the payloadType {STATEMENT_TYPE}.", field="approvals")
    try:
        statement = base64.b64decode(payload, validate=True).decode("ascii")
        if KeyStatement.decode(statement.encode()).encode() != statement.encode():
            raise InvalidInput("An approval's statement is not canonical.", field="approvals")
        if decoded_signature(signature) is None:
            raise InvalidInput("An approval's signature is not 64 bytes.", field="approvals")
        return Approval(statement=statement, key_id=key_id, signature=signature)
    except (ValueError, MalformedRecord, SchemaTooNew):
        raise InvalidInput(
            "An approval does not hold a key statement.", field="approvals"
        ) from None


def signed_by(approval: Approval, key: PublicKey) -> bool:
    """Whether `key` made the approval's signature."""
    signature = decoded_signature(approval.signature)
    if signature is None or approval.key_id != key.key_id:
        return False
    return key.verifies(signature, encoded(STATEMENT_TYPE, approval.statement.encode()))
