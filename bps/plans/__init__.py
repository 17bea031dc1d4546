"""Plans, branches and RR-plans: records, events, and the decisions that open and close them."""
