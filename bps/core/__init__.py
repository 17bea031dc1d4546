"""Pure foundations: no I/O, no clock, no randomness (the ports say who provides those)."""
