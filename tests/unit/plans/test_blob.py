"""A blob is what its name says, or it is refused."""

from __future__ import annotations

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from bps.core.codec import sha256_hex
from bps.core.errors import DigestMismatch
from bps.plans.blob import pack, unpack
from bps.policy.model import MAX_BLUEPRINT_BYTES


@given(st.binary(max_size=5_000))
def test_a_blob_unpacks_to_what_was_packed(content: bytes) -> None:
    blob = pack(content)
    assert (blob.digest, blob.size_bytes) == (sha256_hex(content), len(content))
    assert unpack(blob.frame, blob.digest) == content


@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_changed_frame_never_brings_other_content(content: bytes, data: st.DataObject) -> None:
    blob = pack(content)
    frame = bytearray(blob.frame)
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        unpacked = unpack(bytes(frame), blob.digest)
    except DigestMismatch:
        return
    assert unpacked == content


@pytest.mark.parametrize("frame", [b"", b"x", b"(\xb5/\xfd", pack(b"other").frame])
def test_what_is_no_frame_of_that_content_is_refused(frame: bytes) -> None:
    with pytest.raises(DigestMismatch):
        unpack(frame, sha256_hex(b"content"))


def test_a_frame_that_swells_beyond_the_cap_is_refused_without_being_unpacked() -> None:
    bomb = zstandard.ZstdCompressor().compress(b"\0" * (64 * MAX_BLUEPRINT_BYTES))
    assert len(bomb) < 10_000
    with pytest.raises(DigestMismatch):
        unpack(bomb, sha256_hex(b"\0" * (64 * MAX_BLUEPRINT_BYTES)))


def test_the_largest_blueprint_fits() -> None:
    content = b"\xff" * MAX_BLUEPRINT_BYTES
    blob = pack(content)
    assert unpack(blob.frame, blob.digest) == content


@pytest.mark.parametrize("told", [True, False])
def test_a_frame_need_not_tell_its_size_nor_come_first(told: bool) -> None:
    content = b"a: 1\n" * 100
    frame = zstandard.ZstdCompressor(write_content_size=told).compress(content)
    skipped = b"\x50\x2a\x4d\x18\x04\0\0\0skip"
    for each in (frame, skipped + frame, frame + b"more"):
        assert unpack(each, sha256_hex(content)) == content
