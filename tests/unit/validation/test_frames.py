"""What a worker says at once comes as one frame."""

from __future__ import annotations

import pytest

from bps.validation.frames import HEADER_BYTES, body_bytes, frame, messages_of


def test_messages_come_as_they_were_said() -> None:
    said = [{"done": 0, "tainted": False}, {"started": 1}]
    data = frame(said)
    assert body_bytes(data[:HEADER_BYTES]) == len(data) - HEADER_BYTES
    assert messages_of(data[HEADER_BYTES:]) == said


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"[{}, []]", b"", b"null", b"[{}"])
def test_what_is_no_list_of_messages_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        messages_of(body)
