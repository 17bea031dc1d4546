"""What each command prints with `-o json`; published as JSON Schemas in docs/schemas."""

from __future__ import annotations

from typing import Any

from bps.api.checkpoints import CheckpointView
from bps.api.contexts import ContextView
from bps.api.initiatives import InitiativeView
from bps.api.keys import GeneratedKey, KeyView, SignedStatement
from bps.api.merging import MergeView
from bps.api.origins import OriginsView
from bps.api.setup import InitView
from bps.api.tokens import IssuedToken, TokenView
from bps.api.validation import ValidationView, ValidatorCheckView, ValidatorView
from bps.api.views import (
    BranchView,
    CheckView,
    DiffView,
    ExplanationView,
    PlanView,
    PolicyView,
    PublishedView,
)
from bps.identity.prune import Pruning
from bps.initiatives.model import Initiative
from bps.keyring.model import KeyResult, KeyStatement
from bps.leadership.operator_mode import OperatorMode
from bps.plans.cloudevents import CloudEvent
from bps.plans.model import Plan, RRPlan, Version
from bps.plans.results import BranchResult, PlanResult
from bps.plans.reviews import Review
from bps.policy.model import Policy
from bps.promotion.results import PromotionResult
from bps.replay.replay import Replayed
from bps.replay.verify import Verified
from bps.review.results import ReviewResult
from bps.review.sheet import ReviewSheet
from bps.workspace.sync import SyncReport

OUTPUTS: dict[str, Any] = {
    "init": InitView,
    "token-create": IssuedToken,
    "token-list": list[TokenView],
    "token-rotate": IssuedToken,
    "token-revoke": TokenView,
    "token-prune": Pruning,
    "keys-add": KeyResult,
    "keys-list": list[KeyView],
    "keys-rotate": KeyResult,
    "keys-revoke": KeyResult,
    "keys-statement": KeyStatement,
    "keys-sign": SignedStatement,
    "keys-generate": GeneratedKey,
    "keys-public": GeneratedKey,
    "checkpoint-list": list[CheckpointView],
    "checkpoint-show": CheckpointView,
    "initiative-create": Initiative,
    "initiative-list": list[InitiativeView],
    "initiative-show": Initiative,
    "plan-register": PlanResult,
    "plan-show": PlanView,
    "plan-list": list[Plan],
    "branch-open": BranchResult,
    "branch-submit": BranchResult,
    "branch-fail": BranchResult,
    "branch-rebase": BranchResult,
    "branch-show": RRPlan,
    "branch-list": list[BranchView],
    "promote": PromotionResult,
    "review-list": list[Review],
    "review-show": ReviewSheet,
    "review-claim": ReviewResult,
    "review-release": ReviewResult,
    "review-resolve": ReviewResult | PromotionResult,
    "review-complete": PromotionResult,
    "review-reject": ReviewResult,
    "revert": PromotionResult,
    "canonical": Version,
    "diff": DiffView,
    "origins": OriginsView,
    "merge": MergeView,
    "mode-show": OperatorMode,
    "mode-read-only": OperatorMode,
    "mode-read-write": OperatorMode,
    "policy-show": PolicyView,
    "policy-set": Policy,
    "log": list[CloudEvent],
    "events": list[PublishedView],
    "verify": list[Verified],
    "replay": list[Replayed],
    "context-add": ContextView,
    "context-list": list[ContextView],
    "context-show": ContextView,
    "context-use": ContextView,
    "context-remove": ContextView,
    "sync": list[SyncReport],
    "validators-list": list[ValidatorView],
    "validators-doctor": list[ValidatorCheckView],
    "validators-run": ValidationView,
    "doctor": list[CheckView],
    "explain": list[ExplanationView],
}
"""The type that each command prints with `-o json`."""
