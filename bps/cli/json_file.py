"""JSON files on the command line: small, and read strictly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from bps.cli.session import read_limited
from bps.core.errors import InvalidInput

_MAX_BYTES = 65_536


def read_json(path: Path, what: str, field: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value in a file of at most 64 KiB (or in standard input for `-`).

    Stricter than most: UTF-8 only, no member twice, no NaN, no depth beyond Python's own stack.

    Raises:
        InvalidInput: it cannot be read, or is not such JSON.
    """
    data = read_limited(path, _MAX_BYTES, what)
    if len(data) > _MAX_BYTES:
        raise InvalidInput(f"{what} has more than {_MAX_BYTES} bytes.", field=field)
    try:
        return json.loads(
            data.decode(), object_pairs_hook=_unique_members, parse_constant=_no_number
        )
    except (ValueError, RecursionError):
        msg = f"{what} is not JSON, or names a member twice."
        raise InvalidInput(msg, field=field) from None


def _unique_members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        msg = "a member is named twice"
        raise ValueError(msg)
    return found


def _no_number(text: str) -> NoReturn:
    msg = f"{text} is not JSON"
    raise ValueError(msg)
