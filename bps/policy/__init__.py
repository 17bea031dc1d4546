"""The policy: limits and rules as data in the store, compared in every write."""
