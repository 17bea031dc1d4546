"""Bearer tokens as text: made, parsed and checked here and nowhere else (design, "Edges").

`bps_<id>_<secret>_<checksum>`, all lower-case hexadecimal, always 94 characters: a secret scanner
finds it by `bps_[0-9a-f]{16}_[0-9a-f]{64}_[0-9a-f]{8}`, and the checksum (CRC-32 of what stands
before it) tells a token from a look-alike without asking anybody. The secret is 256 random bits,
so its plain SHA-256 is as hard to invert as a slow hash of a password.
"""

from __future__ import annotations

import hmac
import re
import secrets
from binascii import crc32
from dataclasses import dataclass, field

from bps.core.codec import sha256_hex

SECRET_BYTES = 32
_ID_BYTES = 8
_TOKEN = re.compile(r"bps_([0-9a-f]{16})_([0-9a-f]{64})_([0-9a-f]{8})")
_NO_DIGEST = "0" * 64
"""No secret that anybody could find has this digest: comparing with it always fails."""


@dataclass(frozen=True, slots=True)
class Token:
    """A parsed token. Its secret is in no `repr`."""

    credential: str
    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Token:
        """A new token with a new credential id."""
        return cls(secrets.token_hex(_ID_BYTES), secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Token | None:
        """The token that `text` is, exactly; None for anything else."""
        matched = _TOKEN.fullmatch(text)
        if matched is None or matched[3] != _checksum(text[: matched.start(3) - 1]):
            return None
        return cls(matched[1], bytes.fromhex(matched[2]))

    @property
    def digest(self) -> str:
        """SHA-256 of the secret, in hexadecimal: all that is ever stored of it."""
        return sha256_hex(self.secret)

    def text(self) -> str:
        """The whole token, to be shown once."""
        body = f"bps_{self.credential}_{self.secret.hex()}"
        return f"{body}_{_checksum(body)}"

    def matches(self, digest: str | None) -> bool:
        """Whether `digest` is that of the secret; None takes as long and never matches."""
        return hmac.compare_digest(self.digest, digest or _NO_DIGEST)


def _checksum(text: str) -> str:
    return f"{crc32(text.encode()):08x}"
