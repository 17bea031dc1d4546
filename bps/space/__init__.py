"""etcd's space: when writing has to stop, and how room is made again (R13)."""
