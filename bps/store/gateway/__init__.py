"""The gateway adapter: the `Store` port over etcd's HTTP/JSON gateway, by etcd3-py (ADR 0014)."""

from bps.store.gateway.store import GatewayStore

__all__ = ["GatewayStore"]
