"""Set apart for the semantic validators, which this release does not have yet."""
