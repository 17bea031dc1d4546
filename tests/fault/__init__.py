"""Faults under traffic: what was acknowledged is held against what etcd keeps afterwards."""
