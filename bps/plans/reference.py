"""Finding the branch and RR-plan that a person named by a short form."""

from __future__ import annotations

from functools import partial

from bps.core import keys
from bps.core.ids import BRANCH_ID_LENGTH, BranchRef
from bps.core.ports import Key, Prefix, Read
from bps.plans.book import PlanBook
from bps.plans.model import Branch
from bps.plans.read import choose_branch
from bps.plans.stored import branch_at


def reads_of(plan: str, ref: BranchRef) -> list[Read]:
    """What a cold snapshot reads to find `ref` and its newest RR-plan."""
    plan_keys = keys.PlanKeys(plan)
    newest = Prefix(plan_keys.rr_plans_of(ref.prefix), limit=1, descending=True)
    if len(ref.prefix) == BRANCH_ID_LENGTH:
        return [Key(plan_keys.branch(ref.prefix)), newest]
    return [Prefix(plan_keys.branch(ref.prefix)), newest]


def find_branch(book: PlanBook, ref: BranchRef) -> Branch:
    """The branch that `ref` names: by its own short form first, else by a unique prefix.

    Raises:
        NotFound, Ambiguous: none, or several.
        NotRead: the view lacks the branches.
    """
    prefix = book.state.keys.branch(ref.prefix)
    if len(ref.prefix) == BRANCH_ID_LENGTH:
        kv = book.view.get(prefix)
        kvs = [kv] if kv else []
    else:
        kvs = book.view.under(prefix)
    at = partial(branch_at, book.state.keys)
    chosen = choose_branch(book.need_plan().plan, ref, [book.view.decoded(kv, at) for kv in kvs])
    book.state.branches[chosen.branch] = chosen
    return chosen
