"""What any store has to do; run on every adapter."""
