"""What is seen of a server, exchange by exchange, and the state behind it, of which rules state invariants."""
