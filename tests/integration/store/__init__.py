"""The etcd adapter against real servers and real faults."""
