"""A real three-member etcd cluster for tests, and the faults that tests put it through.

One interface, `EtcdCluster`, and two implementations: containers where a Docker engine answers,
local processes where none does. `start_cluster` chooses.
"""

from tests.cluster.interface import CLUSTER_SIZE, EtcdCluster, Member
from tests.cluster.start import MODE_VARIABLE, start_cluster

__all__ = ["CLUSTER_SIZE", "MODE_VARIABLE", "EtcdCluster", "Member", "start_cluster"]
