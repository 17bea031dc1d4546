"""The long-lived process beside a supervisor: terms of leadership, one watch, what follows it."""
