"""A run: the command line, pytest, and what ends it."""
