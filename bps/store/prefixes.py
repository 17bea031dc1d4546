"""A prefix as etcd's range."""

from __future__ import annotations


def prefix_range(prefix: bytes) -> tuple[bytes, bytes]:
    """Start and end of the keys that start with `prefix`; an end of NUL means no upper bound."""
    kept = prefix.rstrip(b"\xff")
    end = kept[:-1] + bytes((kept[-1] + 1,)) if kept else b"\0"
    return prefix or b"\0", end
