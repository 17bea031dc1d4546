"""Reading an agent's fork back, to submit it: the one file that is read from a workspace."""

from __future__ import annotations

from pathlib import Path

from bps.core.errors import InvalidBlueprint, NotFound
from bps.core.ids import RRPlanId
from bps.files import Directory
from bps.policy.model import MAX_BLUEPRINT_BYTES
from bps.workspace.documents import fork_name


def read_fork(root: Path, rr_plan_id: str) -> bytes:
    """The bytes of `<root>/<plan>/<rr-plan>/blueprint_v<rev>.yaml`; at most 1 MiB is read.

    Raises:
        InvalidId: `rr_plan_id` has not the form of an RR-plan id.
        NotFound: there is no such file.
        InvalidBlueprint: it is larger than any blueprint may be.
        UnsafePath: a symbolic link or special file is in the way.
        ConfigError: a directory on the way is missing, or may not be read.
    """
    rr_plan = RRPlanId.parse(rr_plan_id)
    name = fork_name(rr_plan.n)
    path = root / rr_plan.plan / rr_plan_id / name
    with (
        Directory.open_root(root, create=False) as top,
        top.enter(rr_plan.plan, create=False) as plan,
        plan.enter(rr_plan_id, create=False) as directory,
    ):
        found = directory.read(name, limit=MAX_BLUEPRINT_BYTES)
    if found is None:
        raise NotFound(f"There is no fork {path}; run `bps sync`.", path=str(path))
    if found.data is None:
        msg = f"{path} has more than {MAX_BLUEPRINT_BYTES} bytes."
        raise InvalidBlueprint(msg, rule="too-large", path=str(path), max_bytes=MAX_BLUEPRINT_BYTES)
    return found.data
