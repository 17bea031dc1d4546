"""What a sidecar counts (R16): one registry of its own, and labels from closed sets only.

A label never holds what a caller chose: no plan, branch, trace, principal, path or address. An
unknown command or method becomes `other`. Listed in docs/metrics.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from bps.core import errors
from bps.core.errors import BpsError
from bps.sidecar import spans
from bps.writepath.command import Outcome

COMMANDS = (
    "AddKey",
    "AcceptRollback",
    "AdvanceCheckpoint",
    "ClaimReview",
    "CompleteReview",
    "CreateInitiative",
    "CreateToken",
    "FailBranch",
    "FirstUse",
    "Initialise",
    "OpenBranch",
    "Promote",
    "PruneTokens",
    "RebaseBranch",
    "RegisterPlan",
    "RejectReview",
    "ReleaseReview",
    "ReplacePolicy",
    "ResolveReview",
    "Revert",
    "RevokeKey",
    "RevokeToken",
    "RotateKey",
    "RotateToken",
    "SetOperatorMode",
    "SubmitBranch",
)
"""Names of the command classes: the values of the label `command`."""
OTHER = "other"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNKNOWN_ROUTE = "unknown"
STORE_OPERATIONS = (
    "snapshot",
    "commit",
    "page",
    "count",
    "lease_grant",
    "lease_keepalive",
    "lease_revoke",
    "status",
    "compact",
)

_PROMOTION_BUCKETS = (0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15)
"""Around 20 ms on a quiet cluster; 5 s is a command's deadline, 15 s that of its settlement."""
_STORE_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)
_HTTP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)
_DEPTHS = (1, 2, 3, 4)


class CommandOutcome(StrEnum):
    """How a command ended: the values of the label `outcome` of commands and promotions."""

    COMMITTED = "committed"
    NOOP = "noop"
    REPEATED = "repeated"
    MERGE_CONFLICT = "merge_conflict"
    PRECONDITION_FAILED = "precondition_failed"
    REJECTED = "rejected"
    REFUSED_INPUT = "refused_input"
    NOT_LEADER = "not_leader"
    CONTENDED = "contended"
    UNAVAILABLE = "unavailable"
    OUTCOME_UNKNOWN = "outcome_unknown"
    INTEGRITY = "integrity"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


_BY_ERROR: tuple[tuple[type[BpsError], CommandOutcome], ...] = (
    (errors.MergeConflict, CommandOutcome.MERGE_CONFLICT),
    (errors.PreconditionFailed, CommandOutcome.PRECONDITION_FAILED),
    (errors.Rejected, CommandOutcome.REJECTED),
    (errors.InputError, CommandOutcome.REFUSED_INPUT),
    (errors.LeadershipError, CommandOutcome.NOT_LEADER),
    (errors.Contended, CommandOutcome.CONTENDED),
    (errors.OutcomeUnknown, CommandOutcome.OUTCOME_UNKNOWN),
    (errors.StoreError, CommandOutcome.UNAVAILABLE),
    (errors.IntegrityError, CommandOutcome.INTEGRITY),
)


def outcome_of(error: BaseException) -> CommandOutcome:
    """The label for a command that raised `error`."""
    for kind, outcome in _BY_ERROR:
        if isinstance(error, kind):
            return outcome
    return CommandOutcome.FAILED if isinstance(error, Exception) else CommandOutcome.INTERRUPTED


class _WithoutCreated(Collector):
    """A registry's metrics without the instant that each series began: it doubles their number."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            family.samples = [
                sample for sample in family.samples if not sample.name.endswith("_created")
            ]
            yield family


@dataclass(slots=True)
class Measured:
    """A command under way; whoever runs it says how it ended, unless it raises."""

    outcome: CommandOutcome = CommandOutcome.FAILED
    conflicts: int = 0
    """Those that it put before a person; also where it ends as a refusal."""

    def told(self, outcome: Outcome[Any]) -> None:
        """Take over what is counted of an outcome."""
        self.conflicts = outcome.conflicts


class Metrics:
    """The counters of one sidecar. Cost: about 5 us an observation, 8 us a command.

    `exposed` is what the metrics page shows. `span_sink` gets the finished spans of recorded
    requests; None: no spans are made.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=False)
        self.exposed: Collector = _WithoutCreated(registry)
        self.span_sink: spans.Sink | None = None
        ProcessCollector(registry=registry)
        self._commands = Counter(
            "bps_commands",
            "Commands that ended, by how.",
            ("command", "outcome"),
            registry=registry,
        )
        self._promotions = Counter(
            "bps_promotions", "Promotions that ended, by how.", ("outcome",), registry=registry
        )
        self._promotion_s = Histogram(
            "bps_promotion_duration_seconds",
            "From the command's arrival to its end, waiting for its plan included.",
            ("outcome",),
            buckets=_PROMOTION_BUCKETS,
            registry=registry,
        )
        self._store = Counter(
            "bps_store_requests",
            "Requests to etcd that ended, by how.",
            ("operation", "outcome"),
            registry=registry,
        )
        self._store_s = Histogram(
            "bps_store_request_duration_seconds",
            "Round trips to etcd, repeated reads included.",
            ("operation",),
            buckets=_STORE_BUCKETS,
            registry=registry,
        )
        self._requests = Counter(
            "bps_http_requests",
            "HTTP requests that ended, by the route's template.",
            ("route", "method", "status"),
            registry=registry,
        )
        self._request_s = Histogram(
            "bps_http_request_duration_seconds",
            "From the request's head to the end of its answer; streams last as long as they are "
            "followed.",
            ("route",),
            buckets=_HTTP_BUCKETS,
            registry=registry,
        )
        self._conflicts = Counter(
            "haios_rrplan_merge_conflicts",
            "Conflicts that merges of promotions met, each once a review.",
            registry=registry,
        )
        self._depths = Histogram(
            "haios_rrplan_regression_depth",
            "How many phases back a regression goes (R3).",
            buckets=_DEPTHS,
            registry=registry,
        )
        for outcome in CommandOutcome:
            self._promotions.labels(outcome.value)

    @contextmanager
    def command(self, command: object) -> Iterator[Measured]:
        """Count and time one command, and record its span around the store's."""
        name = type(command).__name__
        name = name if name in COMMANDS else OTHER
        measured = Measured()
        parent = spans.CURRENT.get()
        context = parent.child() if parent is not None and self.span_sink is not None else None
        begun_ns, begun_s = time.time_ns(), time.perf_counter()
        try:
            with spans.within(context):
                yield measured
        except BaseException as error:
            measured.outcome = outcome_of(error)
            raise
        finally:
            took_s = time.perf_counter() - begun_s
            outcome = measured.outcome.value
            self._conflicts.inc(measured.conflicts)
            self._commands.labels(name, outcome).inc()
            if name == "Promote":
                self._promotions.labels(outcome).inc()
                self._promotion_s.labels(outcome).observe(took_s)
            if context is not None and parent is not None and self.span_sink is not None:
                self.span_sink(
                    spans.FinishedSpan(
                        f"command {name}",
                        "internal",
                        context,
                        parent.span_id,
                        begun_ns,
                        begun_ns + round(took_s * 1e9),
                        {"bps.command": name, "bps.outcome": outcome},
                        failed=measured.outcome in _FAULTS,
                    )
                )

    def store_call(self, operation: str, outcome: str, duration_s: float) -> None:
        """One request to the store ended; see `bps.store.measured`."""
        self._store.labels(operation, outcome).inc()
        self._store_s.labels(operation).observe(duration_s)
        if self.span_sink is not None:
            attributes = {"bps.store.operation": operation, "bps.outcome": outcome}
            failed = outcome not in {"ok", "conflict"}
            spans.ended(self.span_sink, f"store {operation}", attributes, duration_s, failed=failed)

    def request(self, route: str | None, method: str, status: int, duration_s: float) -> None:
        """One HTTP request ended. `route` is a template of the application's, or None."""
        known = UNKNOWN_ROUTE if route is None else route
        self._requests.labels(known, method if method in METHODS else OTHER, str(status)).inc()
        self._request_s.labels(known).observe(duration_s)


_FAULTS = frozenset(
    {
        CommandOutcome.UNAVAILABLE,
        CommandOutcome.OUTCOME_UNKNOWN,
        CommandOutcome.INTEGRITY,
        CommandOutcome.FAILED,
        CommandOutcome.CONTENDED,
    }
)
"""Ends that are the service's trouble, not an answer about the state."""
