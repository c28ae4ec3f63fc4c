"""Seeded defects of servers: the sandbox with one fault in what it takes, answers or posts."""

from mutants.servers.all_defects import defects
from mutants.servers.runner import open_runner

__all__ = ["defects", "open_runner"]
