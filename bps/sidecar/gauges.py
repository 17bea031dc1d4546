"""What a sidecar is now, read when somebody asks for the metrics (R16): no timers, no counters."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bps.checkpoints.model import Checkpoint
from bps.core.codec import SCHEMA
from bps.leadership.modes import Mode, Reason

if TYPE_CHECKING:
    from bps.sidecar.sidecar import Sidecar


class SidecarGauges(Collector):
    """Reads one sidecar; `streams` asks the edge how many are open."""

    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar
        self.streams: Callable[[], int] = lambda: 0

    def collect(self) -> Iterator[Metric]:
        """All of them. Cost: none to the store; the first call starts the search for pending."""
        yield from self._leadership()
        yield from self._feed()
        yield from self._pending()
        yield from self._checkpoints()
        yield from self._space()
        yield _gauge("bps_streams", "Event streams that are open.", self.streams())
        writes = self._sidecar.writes_in_flight
        yield _gauge("bps_writes_in_flight", "Commands under way.", writes)
        built = GaugeMetricFamily(
            "bps_build_info", "The release, always 1.", labels=("version", "schema", "python")
        )
        release = version("blueprint-promotion-service")
        built.add_metric((release, str(SCHEMA), platform.python_version()), 1)
        yield built

    def _leadership(self) -> Iterator[Metric]:
        terms = self._sidecar.terms
        modes = GaugeMetricFamily(
            "bps_mode", "1 for the mode that the sidecar is in, 0 for the others.", labels=("mode",)
        )
        for mode in Mode:
            modes.add_metric((mode.value,), terms.mode is mode)
        yield modes
        read_only = GaugeMetricFamily(
            "bps_read_only", "1 for each reason that forbids writing now.", labels=("reason",)
        )
        holding = {hold.reason for hold in terms.holds}
        for reason in Reason:
            read_only.add_metric((reason.value,), reason in holding)
        yield read_only
        changes = CounterMetricFamily(
            "bps_mode_changes", "How often the mode was gone into.", labels=("mode", "reason")
        )
        for (mode, why), times in terms.edges.counted.items():
            changes.add_metric((mode.value, why.value if why is not None else "none"), times)
        yield changes
        leads = terms.mode is Mode.READ_WRITE
        yield _gauge("bps_leader", "1 while this sidecar leads and takes writes.", leads)
        yield CounterMetricFamily(
            "bps_terms", "Terms of leadership that this process has begun.", value=terms.terms
        )

    def _feed(self) -> Iterator[Metric]:
        feed = self._sidecar.feed
        text = "The store's revision that this sidecar has seen."
        yield _gauge("bps_feed_revision", text, feed.revision)
        yield _gauge("bps_feed_warm", "1 while the watch on the store stands.", feed.warm)

    def _pending(self) -> Iterator[Metric]:
        pending = self._sidecar.pending
        pending.want()
        age_s = self._age_s(pending.oldest_ms())
        text = "How long the oldest succeeded RR-plan waits for a promotion; 0: none waits."
        yield _gauge("bps_oldest_pending_age_seconds", text, age_s)
        text = "Succeeded RR-plans that wait for a promotion."
        yield _gauge("bps_pending_promotions", text, pending.count)
        text = "Reviews that are open: promotions that wait for a person."
        yield _gauge("bps_open_reviews", text, pending.reviews)
        text = "How long the oldest open review waits for a person; 0: none is open."
        yield _gauge("bps_oldest_review_age_seconds", text, self._age_s(pending.oldest_review_ms()))
        text = "1 once what waited before this sidecar began has been looked for."
        yield _gauge("bps_pending_known", text, pending.known)

    def _age_s(self, since_ms: int | None) -> float:
        """0 where nothing waits."""
        return 0.0 if since_ms is None else max(0, self._sidecar.clock.now_ms() - since_ms) / 1_000

    def _space(self) -> Iterator[Metric]:
        """As the members said last, within 5 s; nothing where they never did."""
        space = self._sidecar.space.latest
        if space is None:
            return
        yield _gauge("bps_store_bytes", "The longest file of an etcd member.", space.size_bytes)
        text = "The most of a member's file that holds data; the rest a defragmentation frees."
        yield _gauge("bps_store_in_use_bytes", text, space.in_use_bytes)
        yield _gauge("bps_store_quota_bytes", "The smallest quota of a member.", space.quota_bytes)

    def _checkpoints(self) -> Iterator[Metric]:
        keeper = self._sidecar.mirror
        last = keeper.mirror.last
        seq = GaugeMetricFamily("bps_checkpoint_last_seq", "The newest checkpoint's number.")
        age = GaugeMetricFamily("bps_checkpoint_age_seconds", "Since the newest checkpoint.")
        mirror = GaugeMetricFamily(
            "bps_checkpoint_mirror_ok", "1 while the mirror holds what etcd holds."
        )
        if last is not None:
            seq.add_metric((), last.seq)
            since_ms = self._sidecar.clock.now_ms() - Checkpoint.decode(last.stored).time_ms
            age.add_metric((), max(0, since_ms) / 1_000)
        if keeper.mirror.on_disk:
            mirror.add_metric((), keeper.problem is None)
        uncovered = self._sidecar.checkpoints.uncovered
        behind = GaugeMetricFamily(
            "bps_checkpoint_uncovered_plans", "Plans whose last event no checkpoint names yet."
        )
        if uncovered is not None:
            behind.add_metric((), uncovered)
        yield from (seq, age, mirror, behind)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)
