"""Commands on branches: open, submit, fail, rebase (design, "Branches and RR-plans")."""

from bps.plans.branches.fail import FailBranch
from bps.plans.branches.open import OpenBranch
from bps.plans.branches.rebase import RebaseBranch
from bps.plans.branches.submit import SubmitBranch

__all__ = ["FailBranch", "OpenBranch", "RebaseBranch", "SubmitBranch"]
