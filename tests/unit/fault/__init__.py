"""The checkers, fed with histories made by hand: each kind of violation is found."""
