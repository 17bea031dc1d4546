"""Ed25519 public keys as people have them: a line of `ssh-keygen`, PEM, or plain base64 (R10).

Nothing of a refused text is repeated: it may be a private key that was pasted by mistake.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from bps.core.codec import sha256_hex
from bps.core.errors import InvalidInput

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
KEY_ID_LENGTH: Final = 16
MAX_TEXT: Final = 8_192
MAX_COMMENT: Final = 200
_SSH: Final = "ssh-ed25519"
_NAMES: Final = {
    "ssh-rsa": "an RSA key",
    "ssh-dss": "a DSA key",
    "ecdsa-sha2-": "an ECDSA key",
    "sk-": "a key of a security token, whose signatures have another form",
    "ssh-ed25519-cert": "a certificate",
}
_WANTED: Final = "an Ed25519 key, as `ssh-keygen -t ed25519` makes it"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key: its 32 raw bytes, and the comment that came with it."""

    raw: bytes
    comment: str = ""

    @property
    def key_id(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the raw key."""
        return sha256_hex(self.raw)[:KEY_ID_LENGTH]

    @property
    def text(self) -> str:
        """The raw key in base64, as it is stored."""
        return base64.b64encode(self.raw).decode()

    @property
    def fingerprint(self) -> str:
        """`SHA256:...`, as `ssh-keygen -l` shows it."""
        blob = _string(_SSH.encode()) + _string(self.raw)
        return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the holder of the private key signed `message`. About 120 us."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - heavy
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - heavy
            Ed25519PublicKey,
        )

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """One line of OpenSSH, PEM (SubjectPublicKeyInfo), or 32 bytes in base64.

        Raises:
            InvalidInput: it is something else; the message names what, and repeats nothing of it.
        """
        if len(text) > MAX_TEXT:
            raise _refused(f"longer than {MAX_TEXT} characters")
        stripped = text.strip()
        if "PRIVATE KEY" in stripped:
            raise InvalidInput(
                "This is a private key, which belongs to its holder alone; it was neither kept nor "
                "shown. Give the public one (the file that ends in .pub), and consider a new key.",
                field="public_key",
            )
        if stripped.startswith("-----BEGIN"):
            return cls(_from_pem(stripped))
        if len(stripped.splitlines()) != 1:
            raise _refused("several lines" if stripped else "empty")
        first, _, rest = stripped.partition(" ")
        if first == _SSH:
            encoded, _, comment = rest.strip().partition(" ")
            return cls(_from_ssh(_decoded(encoded)), key_comment(comment.strip()))
        for start, name in _NAMES.items():
            if first.startswith(start):
                raise _refused(name)
        raw = _decoded(stripped)
        if len(raw) != KEY_BYTES:
            raise _refused("neither a line of OpenSSH, nor PEM, nor 32 bytes in base64")
        return cls(raw)


def decoded_signature(text: str) -> bytes | None:
    """64 bytes from strict base64, or None."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == SIGNATURE_BYTES and base64.b64encode(raw).decode() == text else None


def _from_pem(text: str) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - heavy
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - heavy
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - heavy
        Ed25519PublicKey,
    )

    try:
        found = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise _refused("PEM that holds no public key") from None
    if not isinstance(found, Ed25519PublicKey):
        kind = type(found).__name__.strip("_").removesuffix("PublicKey")
        raise _refused(f"a public key of the kind {kind}")
    return found.public_bytes_raw()


def _from_ssh(blob: bytes) -> bytes:
    """The 32 bytes in an OpenSSH blob: two strings with lengths, and nothing after them."""
    head = _string(_SSH.encode())
    raw = blob[len(head) + 4 :]
    if blob != head + _string(raw) or len(raw) != KEY_BYTES:
        raise _refused("a damaged OpenSSH line")
    return raw


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _refused("no base64") from None


def key_comment(comment: str) -> str:
    """A comment beside a key: at most 200 printable characters. Raises InvalidInput."""
    if len(comment) > MAX_COMMENT or not comment.isprintable():
        msg = f"The key's comment must be at most {MAX_COMMENT} printable characters."
        raise InvalidInput(msg, field="comment")
    return comment


def _refused(what: str) -> InvalidInput:
    return InvalidInput(f"The public key is {what}; {_WANTED} is needed.", field="public_key")
