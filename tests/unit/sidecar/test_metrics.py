"""What a sidecar counts, and that its labels are closed sets."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import pkgutil

import pytest
from prometheus_client import CollectorRegistry

import bps
from bps.core import errors
from bps.core.errors import BpsError, MergeConflict
from bps.sidecar.metrics import (
    COMMANDS,
    OTHER,
    STORE_OPERATIONS,
    UNKNOWN_ROUTE,
    CommandOutcome,
    Metrics,
    outcome_of,
)
from bps.sidecar.spans import FinishedSpan, SpanContext, within


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """One sample; 0 where there is none."""
    return metrics.registry.get_sample_value(name, labels) or 0.0


class Promote:
    """Has the name of the command, which is all that counts."""


class Invented:
    """No command."""


def test_every_command_class_of_the_service_has_a_label() -> None:
    found = set()
    for module in pkgutil.walk_packages(bps.__path__, "bps."):
        if module.name.endswith("__main__"):
            continue
        for name, kind in vars(importlib.import_module(module.name)).items():
            is_command = isinstance(kind, type) and kind.__module__ == module.name
            looks_only = name.startswith("_")
            if is_command and not looks_only and "decide" in vars(kind) and hasattr(kind, "reads"):
                found.add(name)
    assert found - {"Command"} == set(COMMANDS)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (errors.MergeConflict("x"), "merge_conflict"),
        (errors.PreconditionFailed("x"), "precondition_failed"),
        (errors.WrongState("x"), "rejected"),
        (errors.InvalidId("x"), "refused_input"),
        (errors.IdempotencyKeyReused("x"), "refused_input"),
        (errors.FencedOut("x"), "not_leader"),
        (errors.Contended("x"), "contended"),
        (errors.OutcomeUnknown("x"), "outcome_unknown"),
        (errors.QuorumLost("x"), "unavailable"),
        (errors.MalformedRecord("x"), "integrity"),
        (errors.ConfigError("x"), "failed"),
        (ZeroDivisionError(), "failed"),
        (asyncio.CancelledError(), "interrupted"),
    ],
)
def test_how_a_command_ended(error: BaseException, outcome: str) -> None:
    assert outcome_of(error) == outcome
    metrics = Metrics()
    with pytest.raises(type(error)), metrics.command(Promote()):
        raise error
    assert value(metrics, "bps_commands_total", command="Promote", outcome=outcome) == 1
    assert value(metrics, "bps_promotions_total", outcome=outcome) == 1
    assert value(metrics, "bps_promotion_duration_seconds_count", outcome=outcome) == 1


@pytest.mark.parametrize("refused", [False, True])
def test_the_conflicts_that_a_command_put_before_a_person_are_counted(refused: bool) -> None:
    metrics = Metrics()
    with contextlib.suppress(MergeConflict), metrics.command(Promote()) as measured:
        measured.conflicts = 3
        if refused:
            raise MergeConflict("x")
    assert value(metrics, "haios_rrplan_merge_conflicts_total") == 3


def test_every_error_of_the_catalogue_has_an_outcome() -> None:
    def below(kind: type[BpsError]) -> set[type[BpsError]]:
        return {kind}.union(*(below(each) for each in kind.__subclasses__()))

    assert {outcome_of(kind("x")) for kind in below(BpsError)} <= set(CommandOutcome)


def test_a_command_that_is_none_of_ours_is_other_and_no_promotion() -> None:
    metrics = Metrics()
    with metrics.command(Invented()) as measured:
        measured.outcome = CommandOutcome.NOOP
    assert value(metrics, "bps_commands_total", command=OTHER, outcome="noop") == 1
    assert value(metrics, "bps_promotions_total", outcome="noop") == 0


def test_each_sidecar_has_a_registry_of_its_own() -> None:
    first, second = Metrics(), Metrics()
    with first.command(Promote()) as measured:
        measured.outcome = CommandOutcome.COMMITTED
    assert value(second, "bps_promotions_total", outcome="committed") == 0
    assert isinstance(first.registry, CollectorRegistry)


def test_requests_are_counted_by_template_known_method_and_status() -> None:
    metrics = Metrics()
    metrics.request("/v1/plans/{plan}", "GET", 200, 0.01)
    metrics.request(None, "BREW", 404, 0.01)
    labels = {"route": UNKNOWN_ROUTE, "method": OTHER, "status": "404"}
    assert value(metrics, "bps_http_requests_total", **labels) == 1
    assert value(metrics, "bps_http_request_duration_seconds_count", route=UNKNOWN_ROUTE) == 1


def test_the_depth_histogram_has_the_buckets_of_the_requirement() -> None:
    metrics = Metrics()
    buckets = {
        sample.labels["le"]
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "haios_rrplan_regression_depth_bucket"
    }
    assert buckets == {"1.0", "2.0", "3.0", "4.0", "+Inf"}


def test_spans_of_commands_and_store_calls_nest_below_the_request() -> None:
    metrics = Metrics()
    spans: list[FinishedSpan] = []
    metrics.span_sink = spans.append
    root = SpanContext("ab" * 16, "cd" * 8)
    with within(root), metrics.command(Promote()) as measured:
        for operation in STORE_OPERATIONS[:2]:
            metrics.store_call(operation, "ok", 0.0)
        measured.outcome = CommandOutcome.COMMITTED
    first, second, command = spans
    assert (command.name, command.parent_id) == ("command Promote", root.span_id)
    assert {first.parent_id, second.parent_id} == {command.context.span_id}
    assert {span.context.trace_id for span in spans} == {root.trace_id}
    assert len({span.context.span_id for span in spans} | {root.span_id}) == 4
    assert command.attributes == {"bps.command": "Promote", "bps.outcome": "committed"}
    assert command.begun_ns <= first.begun_ns <= first.ended_ns


@pytest.mark.parametrize("context", [None, SpanContext("0" * 32, "0" * 16)])
def test_without_a_sink_or_a_recorded_request_no_span_is_made(context: SpanContext | None) -> None:
    metrics = Metrics()
    spans: list[FinishedSpan] = []
    metrics.span_sink = spans.append if context is None else None
    with within(context), metrics.command(Promote()):
        metrics.store_call("commit", "unavailable", 0.001)
    assert spans == []
