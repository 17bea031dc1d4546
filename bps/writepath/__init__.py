"""The one write path: snapshot, decide, commit, settle (design, "One write path")."""
