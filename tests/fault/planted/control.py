"""`python -m tests.fault.planted.control`: plants every bug, and says what catches it.

Each has to be caught by its script or scenario, by that on a real etcd too where there is a way,
and those of `PROVOKED` in real sidecars under faults. Whether the random machine finds it is told,
but not demanded.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.cluster import EtcdCluster, start_cluster
from tests.fault.planted.bugs import load
from tests.fault.planted.detectors import DETECTORS, ByScript
from tests.fault.planted.on_etcd import PROVOKED, provoked_on_etcd
from tests.unit.machine.checks import Violated
from tests.unit.machine.test_machine import Machine

_EXAMPLES = 100
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """What one detector says of one bug."""

    bug: str
    by: str
    how: str
    missed: bool = False

    def __str__(self) -> str:
        return f"| {self.bug} | {self.by} | {self.how[:_WIDTH]} |"


def detected(name: str, cluster: EtcdCluster | None = None) -> Finding:
    """By its own script or scenario, in memory or on an empty cluster, which is wiped after it."""
    detector = DETECTORS[name]
    by = "script" if isinstance(detector, ByScript) else "scenario"
    by += " on etcd" if cluster is not None else ""

    def caught() -> str | None:
        if cluster is None:
            return detector.caught()
        try:
            return detector.caught(cluster.endpoints)
        finally:
            cluster.wipe()

    calm = caught()
    if calm is not None:
        return Finding(name, by, f"NOT CAUGHT: the detector fails without it: {calm}", missed=True)
    with load()[name]():
        found = caught()
    if found is None or not detector.expected(found):
        return Finding(name, by, f"NOT CAUGHT: {found}", missed=True)
    return Finding(name, by, found)


def by_the_machine(name: str) -> Finding:
    """Random steps, from the same seeds each time."""
    began_s = time.monotonic()
    how = f"not in {_EXAMPLES} histories"
    with load()[name]():
        try:
            run_state_machine_as_test(
                Machine,
                settings=settings(
                    max_examples=_EXAMPLES,
                    stateful_step_count=25,
                    deadline=None,
                    derandomize=True,
                    database=None,
                    phases=[Phase.generate],
                    print_blob=False,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Violated as violated:
            how = str(violated)
        except ExceptionGroup as several:
            how = str(several.exceptions[0])
    return Finding(name, f"machine, {time.monotonic() - began_s:.0f} s", how)


def in_sidecars(name: str) -> Finding:
    """Real sidecars on a real cluster, under faults."""
    began_s = time.monotonic()
    found = provoked_on_etcd(name)
    by = f"faults on etcd, {time.monotonic() - began_s:.0f} s"
    if found is None:
        return Finding(name, by, "NOT CAUGHT", missed=True)
    return Finding(name, by, found)


def findings(bugs: Sequence[str]) -> Iterator[Finding]:
    """Of every detector: on etcd last, as that takes longest."""
    for name in bugs:
        yield detected(name)
    for name in bugs:
        if isinstance(DETECTORS[name], ByScript):
            yield by_the_machine(name)
    cluster, _ = start_cluster()
    try:
        for name in bugs:
            detector = DETECTORS[name]
            if isinstance(detector, ByScript) or detector.on_etcd is not None:
                yield detected(name, cluster)
    finally:
        cluster.stop()
    for name in bugs:
        if name in PROVOKED:
            yield in_sidecars(name)


def main() -> int:
    """Entry point; 1 where a bug is not caught, or has no detector."""
    parser = argparse.ArgumentParser(prog="tests.fault.planted.control")
    parser.add_argument("bugs", nargs="*", help="these only")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    missed = set(load()) ^ set(DETECTORS)
    bugs = [name for name in load() if name in given.bugs or not given.bugs]
    sys.stdout.write("| bug | caught by | how |\n|---|---|---|\n")
    for finding in findings(bugs):
        sys.stdout.write(f"{finding}\n")
        sys.stdout.flush()
        if finding.missed:
            missed.add(finding.bug)
    sys.stdout.write(f"bugs: {len(bugs)} not caught: {len(missed)} {' '.join(sorted(missed))}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
