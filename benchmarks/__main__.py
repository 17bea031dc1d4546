"""`python -m benchmarks`: run all benchmarks, or one, and print the table of their figures."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from time import perf_counter

from benchmarks import (
    availability,
    clients,
    http_service,
    judged_promotion,
    overload,
    plan_count,
    promotion,
    proofs,
    python_time,
    stored_bytes,
    subscribers,
)
from benchmarks.figures import Figure, table
from benchmarks.merge import cases, command_line, engine_speed, kept_bytes
from benchmarks.options import Options, say

BENCHMARKS: dict[str, Callable[[Options], Coroutine[None, None, list[Figure]]]] = {
    "promotion": promotion.measure,
    "http": http_service.measure,
    "validators": judged_promotion.measure,
    "overload": overload.measure,
    "availability": availability.measure,
    "clients": clients.measure,
    "python": python_time.measure,
    "plan-count": plan_count.measure,
    "proofs": proofs.measure,
    "bytes": stored_bytes.measure,
    "subscribers": subscribers.measure,
    "merge": engine_speed.measure,
    "merge-bytes": kept_bytes.measure,
    "merge-cases": cases.measure,
    "merge-command": command_line.measure,
}


def main() -> None:
    """Exits 0 whatever the figures are; a traceback means that a benchmark is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="may be repeated")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each, set-up apart")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="the long log has 10^6 events")
    given = parser.parse_args()
    options = Options(given.seconds, given.seed, given.full)
    figures: list[Figure] = []
    for name in given.only or BENCHMARKS:
        say(f"{name} ...")
        started = perf_counter()
        figures += asyncio.run(BENCHMARKS[name](options))
        say(f"  took {perf_counter() - started:.0f} s")
    print(table(figures))


if __name__ == "__main__":
    main()
