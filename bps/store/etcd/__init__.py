"""The etcd adapter: `EtcdStore` and what it is configured with."""

from bps.store.etcd.store import EtcdStore
from bps.store.security import EtcdCredentials, EtcdTls
from bps.store.versions import check_servers, defects_of

__all__ = ["EtcdCredentials", "EtcdStore", "EtcdTls", "check_servers", "defects_of"]
