"""Chooses how the cluster runs."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tests.cluster.containers import ContainerCluster, engine_answers
from tests.cluster.interface import EtcdCluster
from tests.cluster.processes import ProcessCluster

MODE_VARIABLE = "BPS_TEST_CLUSTER"
_HEALTHY_DEADLINE_S = 30.0


def start_cluster(flags: Sequence[str] = ()) -> tuple[EtcdCluster, str]:
    """Starts three members, with `flags` of etcd over the usual ones; waits until they are healthy.

    Returns:
        The cluster, and a sentence that says what it is and why.

    Raises:
        ValueError: BPS_TEST_CLUSTER is neither `containers` nor `processes`.
        RuntimeError: containers are asked for and no Docker engine answers.
    """
    mode = os.environ.get(MODE_VARIABLE, "")
    if mode not in {"", "containers", "processes"}:
        raise ValueError(f"{MODE_VARIABLE} must be 'containers' or 'processes', not {mode!r}")
    reason = f", as {MODE_VARIABLE} says" if mode else ""
    if not mode:
        mode = "containers" if engine_answers() else "processes"
        reason = "" if mode == "containers" else ": no Docker engine answered"
    elif mode == "containers" and not engine_answers():
        raise RuntimeError(f"{MODE_VARIABLE}=containers, but no Docker engine answers; start it")
    cluster = ContainerCluster(flags) if mode == "containers" else ProcessCluster(flags)
    try:
        cluster.wait_healthy(_HEALTHY_DEADLINE_S)
        return cluster, f"3 {mode} (etcd {cluster.version()}){reason}"
    except BaseException:
        cluster.stop()
        raise
