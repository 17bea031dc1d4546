"""The digest that replay makes from what changed is the one that the write path makes anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bps.plans.book import clock_digest
from bps.replay.clock_digests import ClockDigests

actors = st.sampled_from(["canonical", *(f"{n:040x}" for n in range(5))])
steps = st.lists(st.tuples(actors, actors, st.integers(1, 20_000)), max_size=40)


@given(steps)
def test_any_walk_of_clocks_has_the_digests_of_the_write_path(
    walk: list[tuple[str, str, int]],
) -> None:
    digests = ClockDigests()
    clocks: dict[str, dict[str, int]] = {}
    for actor, changed, counter in walk:
        clock = {**clocks.get(actor, {}), changed: counter}
        clocks[actor] = clock
        assert digests.digest(actor, clock) == clock_digest(clock)
