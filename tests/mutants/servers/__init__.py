"""Seeded defects of servers: the sandbox with one fault in what it takes, answers or posts."""

from mutants.servers.all_defects import defects
from mutants.servers.workshop import workshop

__all__ = ["defects", "workshop"]
