"""The only place that names concrete adapters: from settings to a store, and to a leader's session.

Heavy imports (gRPC) happen inside the functions, so that refusing bad input needs none of them.
"""

from __future__ import annotations

from bps.bootstrap.leading import decide_only, lead, review_sheet
from bps.bootstrap.members import check_members
from bps.bootstrap.secret_files import default_first_token_file, default_signing_key_file
from bps.bootstrap.settings import CAMPAIGN_S, LEASE_TTL_S, Settings, StoreKind
from bps.bootstrap.stores import embedded_etcd, maintenance, open_store, resilient

__all__ = [
    "CAMPAIGN_S",
    "LEASE_TTL_S",
    "Settings",
    "StoreKind",
    "check_members",
    "decide_only",
    "default_first_token_file",
    "default_signing_key_file",
    "embedded_etcd",
    "lead",
    "maintenance",
    "open_store",
    "resilient",
    "review_sheet",
]
