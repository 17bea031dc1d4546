"""The published shapes of data: what the edges take and give, and which operations exist."""
