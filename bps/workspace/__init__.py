"""The workspace: files that show a plan to people and agents; etcd is the truth (R5)."""
