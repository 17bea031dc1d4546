"""Leadership: a lease-based election whose holder carries a fence in every write (R12)."""
