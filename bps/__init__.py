"""Blueprint Promotion Service: decides atomically which blueprint is canonical, and proves it."""
