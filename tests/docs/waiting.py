"""Three plans with an open review: what happened before somebody takes the playbook of reviews.

Usage: python -m tests.docs.waiting, with the variables of who does it.
"""

from __future__ import annotations

import json
import os

from tests.unit.cli.invoke import Ran, invoke

PLANS = ("EP-42", "EP-43", "EP-44")
_BLUEPRINT = "title: checkout\nretries: {retries}\ntimeout_ms: {timeout_ms}\n"


def _bps(*arguments: str, stdin: str = "", code: int = 0) -> Ran:
    ran = invoke(*arguments, env=dict(os.environ), stdin=stdin.encode())
    assert ran.code == code, (arguments, ran)
    return ran


def main() -> None:
    for plan in PLANS:
        base = _BLUEPRINT.format(retries=3, timeout_ms=900)
        _bps("plan", "register", plan, "-", stdin=base)
        for n in (7, 9):
            cause = ("--trace-id", f"{plan}-{n}", "--fingerprint", f"cause-{n}")
            rr_plan = json.loads(_bps("branch", "open", plan, *cause, "-o", "json").out)["rr_plan"]
            fix = _BLUEPRINT.format(retries=n, timeout_ms=f"{n}50")
            _bps("branch", "submit", plan, rr_plan, "-", stdin=fix)
        _bps("promote", plan, code=1)
    _bps("--as", "somebody-else", "review", "claim", f"{PLANS[-1]}-RV1")


if __name__ == "__main__":
    main()
