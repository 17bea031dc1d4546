"""Blueprint files on the command line: checked by the strict profile before anything else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bps.blueprint.profile import check
from bps.cli.session import read_limited

if TYPE_CHECKING:
    from bps.plans.blob import Blob

MAX_BYTES = 1_048_576


def checked_blob(path: Path) -> Blob:
    """Read, check and pack a blueprint; no connection is made for a bad one.

    Raises:
        InvalidBlueprint: it breaks the profile.
        UnsafePath: it cannot be read.
    """
    content = read_limited(path, MAX_BYTES, "The blueprint")
    check(content, max_bytes=MAX_BYTES)

    from bps.plans.blob import pack  # noqa: PLC0415 - not needed to refuse

    return pack(content)
