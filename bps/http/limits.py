"""The bounds of one listener. Each is enforced where it first can be, and named when it is hit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds; the defaults suit one sidecar."""

    max_header_bytes: int = 16_384
    max_json_bytes: int = 65_536
    max_blueprint_bytes: int = 1_048_576
    max_json_depth: int = 32
    max_connections: int = 1_024
    max_streams: int = 600
    max_streams_per_principal: int = 600
    requests_per_s: float = 2_000.0
    burst: int = 4_000
    unauthenticated_per_s: float = 20.0
    max_writes_in_flight: int = 64
    max_writes_waiting: int = 256
    write_timeout_s: float = 10.0
    header_deadline_s: float = 5.0
    body_deadline_s: float = 15.0
    idle_s: float = 15.0
    write_stall_s: float = 10.0
    keep_alive_s: float = 10.0
    recheck_s: float = 2.5
    drain_s: float = 3.0
