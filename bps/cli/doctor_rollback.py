"""`bps doctor --accept-rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bps.cli.backend import Write
from bps.core.errors import ConfigError, WrongState

if TYPE_CHECKING:
    from bps.checkpoints.accept import AcceptRollback
    from bps.checkpoints.accepted import AcceptedRollback, LostCheckpoint


def acceptance(
    reason: str, mirror: Path | None, signing_key_file: str | None
) -> Write[AcceptedRollback]:
    """The act in both ways; the mirror is read here where one is named.

    Raises:
        ConfigError: the mirror cannot be read.
        WrongState: it holds nothing.
    """
    mirrored = None if mirror is None else _held_in(mirror)

    def directly(principal: str, operation: str) -> AcceptRollback:
        from bps.bootstrap import default_signing_key_file  # noqa: PLC0415 - only this way
        from bps.checkpoints.accept import AcceptRollback  # noqa: PLC0415
        from bps.keyring.private_key import read_or_make_private_key  # noqa: PLC0415

        if mirrored is None:
            raise ConfigError("With --standalone name the mirror that refuses, by --mirror.")
        path = Path(signing_key_file) if signing_key_file else default_signing_key_file()
        signer = read_or_make_private_key(path)
        return AcceptRollback(principal, operation, reason, mirrored, signer)

    return Write(
        directly,
        lambda client, op: client.accept_rollback(reason, mirrored=mirrored, op_id=op),
    )


def _held_in(mirror: Path) -> tuple[LostCheckpoint, ...]:
    from bps.checkpoints.accept import shown  # noqa: PLC0415 - only where used
    from bps.checkpoints.mirror_lines import recent_in  # noqa: PLC0415

    found = shown(recent_in(mirror))
    if not found:
        raise WrongState(f"The mirror {mirror.name!r} holds no checkpoint, so that it misses none.")
    return found
