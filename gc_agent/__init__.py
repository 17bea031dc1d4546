"""Set apart for the gc-remediation agent, which this release does not have yet."""
