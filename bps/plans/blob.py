"""Blueprint bytes as stored: zstd frames named by the SHA-256 of what they hold."""

from __future__ import annotations

from dataclasses import dataclass

import zstandard

from bps.core.codec import sha256_hex
from bps.core.errors import DigestMismatch
from bps.policy.model import MAX_BLUEPRINT_BYTES

_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Blob:
    """A blueprint ready to be stored. `frame` is at most about 1 MiB (incompressible input)."""

    digest: str
    size_bytes: int
    frame: bytes


def pack(content: bytes) -> Blob:
    """Compress and name `content`. Cost: about 50 us for 10 KB."""
    frame = zstandard.ZstdCompressor(level=_LEVEL).compress(content)
    return Blob(sha256_hex(content), len(content), frame)


def unpack(frame: bytes, digest: str) -> bytes:
    """The content of a stored frame.

    Raises:
        DigestMismatch: it is not a frame of at most 1 MiB that holds the content named `digest`.
    """
    try:
        content = _content(frame)
    except zstandard.ZstdError as error:
        raise DigestMismatch(f"Blob {digest} is not a zstd frame.", digest=digest) from error
    if len(content) > MAX_BLUEPRINT_BYTES or sha256_hex(content) != digest:
        raise DigestMismatch(f"Blob {digest} holds other bytes than its name says.", digest=digest)
    return content


def _content(frame: bytes) -> bytes:
    """At most one byte more than a blueprint may have. Raises ZstdError."""
    told = zstandard.frame_content_size(frame)
    if 0 < told <= MAX_BLUEPRINT_BYTES:
        # Half as long as a reader, which makes room for the largest.
        return zstandard.ZstdDecompressor().decompress(frame)
    reader = zstandard.ZstdDecompressor().stream_reader(frame)
    return reader.read(MAX_BLUEPRINT_BYTES + 1)
