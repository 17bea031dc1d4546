"""What one plan must do, as a small pure state machine. Nothing of bps is used but its ids.

A submission is its base with one line changed, and nobody else changes that line: so all merges
are clean, and hold every line of every contributor. Submissions differ from each other and from all
before, so that a digest names one of them. An unknown outcome is part of the model: such an
operation may have been done, or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bps.core.ids import branch_id_of
from tests.fault.blueprints import Blueprint
from tests.fault.history import Ok, Operation, Refused

LIVE = frozenset({"OPEN", "SUCCEEDED"})
DECIDED = frozenset({"EXISTS", "NOT_FOUND", "WRONG_STATE", "CLOCK_NULLIFIED", "MERGE_CONFLICT"})
"""Refusals that say something of the plan's state; all others say nothing of it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The newest RR-plan of a branch."""

    branch: str
    fingerprint: str
    n: int
    state: str
    base_version: int
    base: Blueprint
    submitted: Blueprint | None = None

    @property
    def live(self) -> bool:
        """Whether work on it goes on."""
        return self.state in LIVE

    def shown(self, act: str | None = None) -> dict[str, Any]:
        """What an answer tells of it."""
        told = {
            "branch": self.branch,
            "n": self.n,
            "state": self.state,
            "base_version": self.base_version,
            "digest": self.submitted.digest if self.submitted is not None else None,
        }
        return told if act is None else {"act": act, **told}


@dataclass(frozen=True, slots=True)
class PlanState:
    """A plan; version 0: it is not registered."""

    version: int = 0
    canonical: Blueprint = Blueprint.of({})  # noqa: RUF009 - frozen
    attempts: tuple[Attempt, ...] = ()

    @property
    def digest(self) -> str:
        """Canonical's."""
        return self.canonical.digest

    def attempt(self, branch: str) -> Attempt | None:
        """The newest RR-plan of a branch."""
        return next((each for each in self.attempts if each.branch == branch), None)

    def of_cause(self, fingerprint: str) -> Attempt | None:
        """The newest RR-plan of a root cause."""
        return next((each for each in self.attempts if each.fingerprint == fingerprint), None)

    def having(self, changed: Attempt) -> PlanState:
        """This state with the RR-plan in the place of its branch's."""
        others = tuple(each for each in self.attempts if each.branch != changed.branch)
        in_order = sorted((*others, changed), key=lambda each: each.branch)
        return replace(self, attempts=tuple(in_order))

    def forked(self, branch: str, fingerprint: str, n: int) -> Attempt:
        """A new RR-plan on canonical."""
        return Attempt(branch, fingerprint, n, "OPEN", self.version, self.canonical)


@dataclass(frozen=True, slots=True)
class Done:
    """The state afterwards, and what the answer must say."""

    state: PlanState
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rejected:
    """The state does not allow it; a refusal has one of these codes."""

    codes: frozenset[str]


def _rejected(*codes: str) -> Rejected:
    return Rejected(frozenset(codes))


_NOT_THERE = _rejected("NOT_FOUND")
_CLOSED = _rejected("WRONG_STATE", "CLOCK_NULLIFIED")


def apply(state: PlanState, operation: Operation) -> Done | Rejected:
    """Do `operation` in `state`, whatever its caller was told."""
    request = operation.request
    if operation.kind == "register":
        return _register(state, request)
    if not state.version:
        return _NOT_THERE
    match operation.kind:
        case "open":
            return _open(state, request)
        case "submit":
            return _submit(state, request)
        case "rebase":
            return _rebase(state, request)
        case "promote":
            return _promote(state, request)
        case _:
            return _read(state, request)


def after(state: PlanState, operation: Operation) -> PlanState | None:
    """The state after `operation` was done as its caller was told; None: it cannot have been so.

    For an unknown outcome: the state after it if it was done.
    """
    outcome = operation.outcome
    if isinstance(outcome, Refused) and outcome.code not in DECIDED:
        return state
    step = apply(state, operation)
    if isinstance(step, Rejected):
        return state if isinstance(outcome, Refused) and outcome.code in step.codes else None
    if isinstance(outcome, Refused):
        return None
    if isinstance(outcome, Ok) and any(
        outcome.result.get(name) != value for name, value in step.answer.items()
    ):
        return None
    return step.state


def _register(state: PlanState, request: Mapping[str, Any]) -> Done | Rejected:
    digest = request["digest"]
    if state.version:
        # Which content a plan was registered with is only known while it is canonical.
        same = state.version == 1 and state.digest == digest
        return Done(state, {"version": 1, "digest": digest}) if same else _rejected("EXISTS")
    canonical = Blueprint.of(request["lines"])
    return Done(replace(state, version=1, canonical=canonical), {"version": 1, "digest": digest})


def _open(state: PlanState, request: Mapping[str, Any]) -> Done:
    fingerprint = request["fingerprint"]
    known = state.of_cause(fingerprint)
    if known is not None and known.live:
        return Done(state, known.shown("joined"))
    branch, n = branch_id_of(request["trace_id"]), 1
    if known is not None:
        branch, n = known.branch, known.n + 1
    opened = state.forked(branch, fingerprint, n)
    return Done(state.having(opened), opened.shown("opened"))


def _live(state: PlanState, branch: str, n: int) -> Attempt | Rejected:
    newest = state.attempt(branch)
    if newest is None or n > newest.n:
        return _NOT_THERE
    return newest if n == newest.n and newest.live else _CLOSED


def _submit(state: PlanState, request: Mapping[str, Any]) -> Done | Rejected:
    found = _live(state, request["branch"], request["n"])
    if isinstance(found, Rejected):
        return found
    edited = found.base.edited(*request["edit"])
    if found.state == "SUCCEEDED":
        return Done(state, found.shown("unchanged")) if found.submitted == edited else _CLOSED
    if edited.digest != request["digest"]:
        # Its author was shown another base than the one that it has.
        return _rejected()
    submitted = replace(found, state="SUCCEEDED", submitted=edited)
    return Done(state.having(submitted), submitted.shown("submitted"))


def _rebase(state: PlanState, request: Mapping[str, Any]) -> Done | Rejected:
    found = _live(state, request["branch"], request["n"])
    if isinstance(found, Rejected):
        return found
    if found.base == state.canonical:
        return Done(state, found.shown("unchanged"))
    opened = state.forked(found.branch, found.fingerprint, found.n + 1)
    return Done(state.having(opened), opened.shown("rebased"))


def _promote(state: PlanState, request: Mapping[str, Any]) -> Done | Rejected:
    chosen: list[Attempt] = []
    for branch, n in request["refs"]:
        found = _live(state, branch, n)
        if isinstance(found, Rejected):
            return found
        chosen.append(found)
    if not request["refs"]:
        chosen = [each for each in state.attempts if each.state == "SUCCEEDED"]
    if not chosen or any(each.state != "SUCCEEDED" for each in chosen):
        return _CLOSED
    edits = [(each.base, each.submitted or each.base) for each in chosen]
    merged = state.canonical.merged(edits)
    after_it = state
    for each in chosen:
        promoted = each.submitted == merged != state.canonical
        ended = replace(each, state="PROMOTED" if promoted else "OBSOLETE_MERGED")
        after_it = after_it.having(ended)
    how = "unchanged" if merged == state.canonical else "promotion"
    version = state.version + (how == "promotion")
    answer = {"how": how, "version": version, "digest": merged.digest}
    return Done(replace(after_it, version=version, canonical=merged), answer)


def _read(state: PlanState, request: Mapping[str, Any]) -> Done | Rejected:
    if request["of"] == "canonical":
        return Done(state, {"version": state.version, "digest": state.digest})
    newest = state.attempt(request["branch"])
    if newest is None or request["n"] > newest.n:
        return _NOT_THERE
    # How an older RR-plan ended is not kept here.
    return Done(state, newest.shown() if request["n"] == newest.n else {"n": request["n"]})
