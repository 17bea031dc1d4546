"""Where the store is and who we are, as the environment tells."""

from __future__ import annotations

import math
import os
import re
import socket
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bps.core.errors import ConfigError
from bps.space.verdict import DEFAULT_QUOTA_BYTES

LEASE_TTL_S = 5
CAMPAIGN_S = 10
REFUSED_S = 0.75
"""A command says so soon where nothing runs at the members named; see `EtcdStore`."""
_MAX_WAIT_S = 3600


class StoreKind(StrEnum):
    """How etcd is spoken to: by gRPC, or by JSON where only its HTTP gateway is reachable."""

    ETCD = "etcd"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the store is and who we are; never a rule (those are the policy's).

    `endpoints` empty means the embedded etcd, with its data in `data_dir` (None: the user's state
    directory). `store_kind` is how etcd is spoken to. `campaign_s` is how long to wait for another
    leader to go. `quota_bytes` is etcd's, where its members do not tell it (before 3.6).
    `refused_s`: see `EtcdStore`.
    """

    endpoints: tuple[str, ...] = ()
    store_kind: StoreKind = StoreKind.ETCD
    data_dir: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sidecar: str = ""
    campaign_s: float = CAMPAIGN_S
    lease_ttl_s: int = LEASE_TTL_S
    allow_old_etcd: bool = False
    quota_bytes: int = DEFAULT_QUOTA_BYTES
    refused_s: float = math.inf

    @classmethod
    def from_environment(cls) -> Settings:
        """`BPS_ETCD_ENDPOINTS`, `_CA_FILE`, `_CERT_FILE`, `_KEY_FILE`, `_USER`, `_PASSWORD`, ..."""
        env = os.environ

        def path(name: str) -> Path | None:
            return Path(env[name]) if env.get(name) else None

        endpoints = env.get("BPS_ETCD_ENDPOINTS", "")
        return cls(
            endpoints=tuple(part.strip() for part in endpoints.split(",") if part.strip()),
            store_kind=_store_kind(env.get("BPS_STORE") or "etcd"),
            data_dir=path("BPS_ETCD_DATA_DIR"),
            ca_file=path("BPS_ETCD_CA_FILE"),
            cert_file=path("BPS_ETCD_CERT_FILE"),
            key_file=path("BPS_ETCD_KEY_FILE"),
            user=_text("BPS_ETCD_USER"),
            password=_text("BPS_ETCD_PASSWORD"),
            campaign_s=_positive(env.get("BPS_CAMPAIGN_S"), "BPS_CAMPAIGN_S", CAMPAIGN_S),
            lease_ttl_s=_positive(env.get("BPS_LEASE_TTL_S"), "BPS_LEASE_TTL_S", LEASE_TTL_S),
            allow_old_etcd=env.get("BPS_ALLOW_OLD_ETCD") == "1",
            refused_s=REFUSED_S,
        )

    @property
    def sidecar_name(self) -> str:
        """How this process signs the leader key."""
        return self.sidecar or f"{socket.gethostname()}/{os.getpid()}"


def _store_kind(text: str) -> StoreKind:
    try:
        return StoreKind(text)
    except ValueError:
        known = " or ".join(StoreKind)
        raise ConfigError(f"BPS_STORE must be {known}, not {text[:60]!a}.") from None


def _text(name: str) -> str | None:
    """A variable that etcd gets as UTF-8; its value is never shown."""
    value = os.environ.get(name) or None
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{name} is not UTF-8 text.") from None
    return value


def _positive(text: str | None, name: str, default: int) -> int:
    if text is None:
        return default
    if not (re.fullmatch(r"[1-9][0-9]{0,3}", text) and int(text) <= _MAX_WAIT_S):
        raise ConfigError(f"{name} must be a whole number of seconds from 1 to {_MAX_WAIT_S}.")
    return int(text)
