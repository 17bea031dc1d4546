"""The story of keys and checkpoints, for the schemas of what is stored and printed."""

from __future__ import annotations

from typing import Any

from bps.api.checkpoints import CheckpointView
from bps.api.keys import (
    GeneratedKey,
    SignedStatement,
    StatementRequest,
    key_view_rows,
    statement_for,
)
from bps.checkpoints.accept import AcceptRollback
from bps.checkpoints.accepted import LostCheckpoint
from bps.checkpoints.advance import AdvanceCheckpoint
from bps.checkpoints.model import CheckpointedHead
from bps.checkpoints.read import checkpoints_page
from bps.core.ports import Store
from bps.keyring.change import AddKey, RevokeKey, RotateKey
from bps.keyring.model import Purpose
from bps.keyring.read import all_keys, read_registry
from bps.keyring.statement import approve
from bps.plans.read import plan_detail
from bps.writepath.transact import WritePath
from tests.unit.keyring.people import key_of


async def signing(path: WritePath, store: Store, plan: str, now_ms: int) -> dict[str, Any]:
    """Keys added, approved, rotated, revoked; a checkpoint of `plan`."""
    one, two, spare = key_of(1), key_of(2), key_of(3)
    do = path.execute
    found: dict[str, Any] = {}
    purposes = (Purpose.CHECKPOINT,)
    found["keys-add"] = (await do(AddKey("tester", "k1", one.public, "one", purposes))).result
    await do(AddKey("tester", "k2", two.public, "two", (Purpose.HOLDER, Purpose.CHECKPOINT)))
    head = (await plan_detail(store, plan)).head
    heads = {plan: CheckpointedHead(seq=head.seq, hash=head.hash)}
    await do(
        AdvanceCheckpoint(
            "bps", "0" * 32, one, heads, {one.public.key_id: "0" * 64}, 1, complete=True
        )
    )
    page = await checkpoints_page(store, 0, 10)
    found["checkpoint-list"] = [CheckpointView.of(n.checkpoint, n.hash) for n in page.items]
    found["checkpoint-show"] = found["checkpoint-list"][0]
    lost = (LostCheckpoint(seq=9, hash="0" * 64),)
    await do(AcceptRollback("tester", "rollback", "why", lost, one))
    wanted = StatementRequest(
        action="rotate", key_id=two.public.key_id, public_key=spare.public.text
    )
    statement = statement_for(wanted, await read_registry(store), now_ms)
    found["keys-statement"] = statement
    found["keys-sign"] = SignedStatement.model_validate(approve(statement.encode(), one))
    rotation = RotateKey("tester", "k3", two.public.key_id, spare.public)
    found["keys-rotate"] = (await do(rotation)).result
    found["keys-revoke"] = (await do(RevokeKey("tester", "k4", spare.public.key_id))).result
    found["keys-list"] = key_view_rows(await all_keys(store))
    found["keys-generate"] = GeneratedKey(
        key_id=one.public.key_id,
        ssh_fingerprint=one.public.fingerprint,
        public_key=one.public.text,
    )
    found["keys-public"] = found["keys-generate"]
    return found
