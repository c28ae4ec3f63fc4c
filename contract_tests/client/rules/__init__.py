"""Rules about a client, a module per chapter."""
