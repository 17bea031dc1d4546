"""How the pool and its worker talk: JSON with its length before it, over one socket.

The pool says an object a frame, the worker a list of them.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

_LENGTH = struct.Struct(">I")
HEADER_BYTES = _LENGTH.size
MAX_ANSWER_BYTES = 16 * 1_048_576
"""A worker that says more is not believed."""
MARK = b"\0bps-validator\0"
"""The worker prints it before each validator, so that what is printed has an owner."""


def frame(message: Mapping[str, object] | Sequence[Mapping[str, object]]) -> bytes:
    """The bytes of a message, or of several that are said at once."""
    body = orjson.dumps(message)
    return _LENGTH.pack(len(body)) + body


TAKE_BACK = frame({"take_back": True})
"""Sent after a candidate: it is not to be begun. The worker answers `skipped`, or is at it."""


def body_bytes(header: bytes) -> int:
    """How many bytes follow a header."""
    (length,) = _LENGTH.unpack(header)
    return int(length)


def message_of(body: bytes) -> dict[str, Any]:
    """The message in a body. Raises ValueError: it is none."""
    message = orjson.loads(body)
    if not isinstance(message, dict):
        msg = "not an object"
        raise ValueError(msg)  # noqa: TRY004 - one error for all that is no message
    return message


def messages_of(body: bytes) -> list[dict[str, Any]]:
    """The messages in a body. Raises ValueError: it holds something else."""
    messages = orjson.loads(body)
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        msg = "no list of objects"
        raise ValueError(msg)
    return messages
