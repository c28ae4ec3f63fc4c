"""Rules about a server: the harness plays the client."""
