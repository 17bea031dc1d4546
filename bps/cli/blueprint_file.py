"""Blueprint files on the command line: checked by the strict profile before anything else."""

from __future__ import annotations

from pathlib import Path

from bps.cli.session import read_limited
from bps.core.errors import InvalidId

MAX_BYTES = 1_048_576


def checked_blueprint(path: Path) -> bytes:
    """Read and check a blueprint; no connection is made for a bad one.

    Raises:
        InvalidBlueprint: it breaks the profile.
        InvalidInput: it cannot be read.
    """
    return _checked(read_limited(path, MAX_BYTES, "The blueprint"))


def checked_fork(workspace: Path, rr_plan: str) -> bytes:
    """The same for an RR-plan's fork in the workspace; `rr_plan` must be its full id.

    Raises:
        InvalidBlueprint: it breaks the profile.
        InvalidId, NotFound, UnsafePath, ConfigError: see `read_fork`.
    """
    from bps.workspace.fork import read_fork  # noqa: PLC0415 - not needed for named files

    try:
        return _checked(read_fork(workspace, rr_plan))
    except InvalidId as error:
        raise error.advising(
            "Name the RR-plan in full, as `bps branch list` does, for its fork in the workspace; "
            "or name the repaired file after the branch."
        ) from None


def _checked(content: bytes) -> bytes:
    from bps.blueprint.profile import check  # noqa: PLC0415 - heavy

    check(content, max_bytes=MAX_BYTES)
    return content
