"""Accepting a rollback at a sidecar: by its term, else by a term for this alone (R13)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bps.checkpoints.accept import AcceptRollback, shown
from bps.checkpoints.accepted import AcceptedRollback, LostCheckpoint
from bps.core.errors import ConfigError, NotLeader
from bps.leadership.election import Leadership
from bps.leadership.modes import Reason
from bps.writepath.command import Outcome
from bps.writepath.transact import WritePath

if TYPE_CHECKING:
    from bps.sidecar.sidecar import Sidecar

_ELSEWHERE = (
    "On this host run `bps --url URL doctor --accept-rollback --reason TEXT --mirror DIRECTORY` "
    "with the URL of the sidecar that leads."
)


async def accept_rollback(
    sidecar: Sidecar,
    principal: str,
    op_id: str,
    reason: str,
    mirrored: Sequence[LostCheckpoint] | None,
) -> Outcome[AcceptedRollback]:
    """Accept that the store lost what a mirror holds; None: this sidecar's own mirror.

    A sidecar whose mirror refuses leads nothing, and its write path would compare what the store
    lacks. So it campaigns once more, writes the record without that compare, and resigns; its next
    term finds the record and begins.

    Raises:
        WrongState: the store holds what the mirror holds, or there is no mirror.
        ConfigError: this sidecar has no signing key.
        NotLeader: another sidecar leads; whatever else a command raises.
    """
    signer, keeper = sidecar.settings.signer, sidecar.mirror
    if signer is None:
        raise ConfigError("This sidecar has no signing key, which an acceptance needs.")
    own = mirrored is None
    seen = shown(keeper.mirror.recent()) if mirrored is None else tuple(mirrored)
    command = AcceptRollback(principal, op_id, reason, seen, signer, named=not own)
    if sidecar.terms.leads or sidecar.terms.reason is not Reason.STORE_ROLLED_BACK:
        try:
            passed = {Reason.STORE_ROLLED_BACK, Reason.OPERATOR, Reason.NO_SPACE}
            outcome = await sidecar.execute(command, despite=passed)
        except NotLeader as error:
            raise error.advising(_ELSEWHERE) if own else error from None
    else:
        outcome = await _in_a_term_of_its_own(sidecar, command)
    await keeper.follow()
    return outcome


async def _in_a_term_of_its_own(
    sidecar: Sidecar, command: AcceptRollback
) -> Outcome[AcceptedRollback]:
    settings = sidecar.settings
    leadership = Leadership(sidecar.store, sidecar.clock, settings.name, ttl_s=settings.lease_ttl_s)
    async with leadership:
        await leadership.campaign(settings.campaign_s)
        return await WritePath(sidecar.store, leadership, sidecar.clock).execute(command)
