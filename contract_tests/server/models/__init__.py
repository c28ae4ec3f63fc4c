"""What a server keeps between requests, and the invariants of it."""
