"""Adapters of the `Store` port, and the embedded etcd."""
