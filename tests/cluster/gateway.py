"""The few calls of etcd's HTTP gateway that the harness needs, apart from the code under test."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any

_ALL_KEYS = {"key": "AA==", "range_end": "AA=="}  # base64 of one NUL byte: from the first key on
_WIPE_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """A member's own view."""

    member_id: int
    leader_id: int
    raft_term: int


def get(endpoint: str, path: str, timeout_s: float) -> dict[str, Any] | None:
    """GETs a JSON document; None if the member does not answer it with status 200."""
    return _request(endpoint, "GET", path, None, timeout_s)


def is_healthy(endpoint: str, timeout_s: float) -> bool:
    """Whether /health, which is a linearizable read, says so."""
    answer = get(endpoint, "/health", timeout_s)
    return answer is not None and answer.get("health") == "true"


def status(endpoint: str, timeout_s: float) -> MemberStatus | None:
    """The member's status; None if it does not answer. leader_id is 0 without a leader."""
    answer = _request(endpoint, "POST", "/v3/maintenance/status", {}, timeout_s)
    if answer is None:
        return None
    return MemberStatus(
        member_id=int(answer["header"]["member_id"]),
        leader_id=int(answer.get("leader", 0)),
        raft_term=int(answer["raftTerm"]),
    )


def wipe(endpoint: str) -> None:
    """Deletes all keys, revokes all leases, disarms all alarms."""
    for alarm in call(endpoint, "/v3/maintenance/alarm", {"action": "GET"}).get("alarms", []):
        call(endpoint, "/v3/maintenance/alarm", {**alarm, "action": "DEACTIVATE"})
    call(endpoint, "/v3/kv/deleterange", _ALL_KEYS)
    for lease in call(endpoint, "/v3/lease/leases", {}).get("leases", []):
        # A lease can expire in between.
        _request(endpoint, "POST", "/v3/lease/revoke", lease, _WIPE_TIMEOUT_S)


def call(endpoint: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """POSTs to the gateway; raises ConnectionError unless it answers with status 200."""
    answer = _request(endpoint, "POST", path, body, _WIPE_TIMEOUT_S)
    if answer is None:
        raise ConnectionError(f"{endpoint} refused {path}")
    return answer


def _request(
    endpoint: str, method: str, path: str, body: dict[str, Any] | None, timeout_s: float
) -> dict[str, Any] | None:
    with closing(http.client.HTTPConnection(endpoint, timeout=timeout_s)) as connection:
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            with connection.getresponse() as response:
                content = response.read()
        except (OSError, http.client.HTTPException):
            return None
    if response.status != http.HTTPStatus.OK:
        return None
    document: dict[str, Any] = json.loads(content)
    return document
