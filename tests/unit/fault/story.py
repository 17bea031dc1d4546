"""Histories made by hand: the model tells the true answers, and the log keeps what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from bps.core.ids import branch_id_of
from tests.fault.blueprints import Blueprint
from tests.fault.final_state import FinalState, LoggedEvent
from tests.fault.history import READS, History, Kind, Ok, Operation, Outcome
from tests.fault.model import Done, PlanState, apply
from tests.fault.terms import Term, Terms
from tests.fault.violation import Violation

PLAN = "EP-1"
TERMS = Terms((Term("s1", 1),))


def digest_of(content: str) -> str:
    """What a content is named."""
    return sha256(content.encode()).hexdigest()


def branch_of(trace_id: str) -> str:
    """The branch that this trace opens."""
    return branch_id_of(trace_id)


def kinds(violations: list[Violation]) -> set[str]:
    """The kinds found."""
    return {str(each.kind) for each in violations}


@dataclass
class Story:
    """Operations one after the other, each 10 ns long with 10 ns between; revisions from 10 on."""

    operations: list[Operation] = field(default_factory=list)
    events: list[LoggedEvent] = field(default_factory=list)
    state: PlanState = field(default_factory=PlanState)
    now_ns: int = 0
    revision: int = 9

    def do(
        self,
        kind: Kind,
        request: Mapping[str, Any],
        *,
        outcome: Outcome | None = None,
        client: int = 0,
        applied: bool = True,
        sidecar: str = "s1",
    ) -> Operation:
        """Do it as the model says; `outcome` is what the client is told instead of the truth."""
        self.now_ns += 10
        op_id = f"op-{len(self.operations)}"
        told = Operation(client, op_id, kind, PLAN, request, self.now_ns, None, Ok({}))
        truth = Ok({})
        if kind in READS or applied:
            step = apply(self.state, told)
            assert isinstance(step, Done)
            if kind in READS:
                truth = Ok(step.answer, "committed", self.revision)
            else:
                truth = Ok({**step.answer, "receipt": self._write(step, op_id, kind, request)})
                self.state = step.state
        self.now_ns += 10
        operation = replace(
            told,
            returned_ns=self.now_ns,
            outcome=truth if outcome is None else outcome,
            sidecar=sidecar,
            tried=(sidecar,),
        )
        self.operations.append(operation)
        return operation

    def _write(
        self, step: Done, op_id: str, kind: Kind, request: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        if step.state == self.state and step.answer.get("act") != "joined":
            return None
        self.revision += 1
        if kind == "rebase":
            self.log("VC_NULLIFY", op_id, branch=request["branch"], rr=request["n"])
        shown = step.answer
        of_kind = {
            "register": "PLAN_REGISTERED",
            "open": "TRACE_LINKED" if shown.get("act") == "joined" else "BRANCH_OPENED",
            "submit": "BRANCH_SUCCEEDED",
            "rebase": "BRANCH_OPENED",
            "promote": "BLUEPRINT_PROMOTED",
        }
        if kind == "promote":
            for each in step.state.attempts:
                before = self.state.attempt(each.branch)
                if each.state == "OBSOLETE_MERGED" and each != before:
                    self.log("VC_NULLIFY", op_id, branch=each.branch, rr=each.n)
        event = self.log(
            of_kind[kind],
            op_id,
            branch=shown.get("branch"),
            rr=shown.get("n"),
            trace_id=request.get("trace_id"),
            version=shown.get("version") if kind == "promote" else None,
            digest=shown.get("digest") if kind in {"register", "submit", "promote"} else None,
        )
        return {"plan": PLAN, "seq": event.seq, "hash": event.hash}

    def log(self, kind: str, op_id: str, **fields: Any) -> LoggedEvent:
        """Append an event at the revision of now."""
        seq = len(self.events) + 1
        at = self.revision
        name = f"fault/{op_id}"
        event = LoggedEvent(PLAN, seq, at, at, kind, name, digest_of(f"event {seq}"), **fields)
        self.events.append(event)
        return event

    def register(self) -> Operation:
        """Version 1."""
        new = Blueprint.of({"title": "v1"})
        return self.do("register", {"digest": new.digest, "lines": new.lines})

    def open(self, cause: str = "a", trace: str | None = None, **how: Any) -> Operation:
        """Report a root cause under a new trace."""
        trace = trace or f"trace {len(self.operations)}"
        return self.do("open", {"trace_id": trace, "fingerprint": cause}, **how)

    def submit(self, opened: Operation, content: str, **how: Any) -> Operation:
        """Submit to the RR-plan that `opened` names its base with the branch's line changed."""
        return self.do("submit", self.submission(**named(opened), content=content), **how)

    def submission(self, branch: str, n: int, content: str) -> dict[str, Any]:
        """What is asked for by that."""
        known = self.state.attempt(branch)
        base = self.state.canonical if known is None else known.base
        edit = (f"branch {branch[:4]}", content)
        return {"branch": branch, "n": n, "digest": base.edited(*edit).digest, "edit": edit}

    def rebase(self, opened: Operation, **how: Any) -> Operation:
        """The next revision."""
        return self.do("rebase", named(opened), **how)

    def promote(self, *opened: Operation, **how: Any) -> Operation:
        """Promote the RR-plans named, or all."""
        refs = [(named(each)["branch"], named(each)["n"]) for each in opened]
        return self.do("promote", {"refs": refs}, **how)

    def read(self, kind: Kind = "read", **how: Any) -> Operation:
        """Read canonical."""
        return self.do(kind, {"of": "canonical"}, **how)

    def cycle(self, cause: str = "a", content: str = "v2", **how: Any) -> Operation:
        """Open, submit and promote."""
        opened = self.open(cause)
        self.submit(opened, content)
        return self.promote(opened, **how)

    def change(self, operation: Operation, **fields: Any) -> Operation:
        """Put another operation in the place of this one."""
        changed = replace(operation, **fields)
        self.operations[self.operations.index(operation)] = changed
        return changed

    def forget(self, operation: Operation) -> None:
        """Remove an operation's events from the log."""
        self.events = [each for each in self.events if each.op_id != operation.id]

    @property
    def history(self) -> History:
        """What clients saw."""
        return History(tuple(self.operations))

    @property
    def final(self) -> FinalState:
        """What is stored."""
        return FinalState({PLAN: tuple(self.events)})


def named(opened: Operation) -> dict[str, Any]:
    """The RR-plan that an answer names."""
    assert isinstance(opened.outcome, Ok)
    return {"branch": opened.outcome.result["branch"], "n": opened.outcome.result["n"]}


def good() -> Story:
    """Two promotions, one of them after a rebase, with reads in between."""
    story = Story()
    story.register()
    story.read()
    late = story.open("b")
    story.submit(late, "late")
    story.cycle("a", "v2")
    story.read("degraded_read")
    rebased = story.rebase(late)
    story.open("b")
    story.submit(rebased, "v3")
    story.promote(rebased)
    story.read()
    story.read("degraded_read")
    story.cycle("a", "v4")
    return story
