"""Seeded defects of servers: the sandbox with one fault in what it takes, answers or posts."""

from contract_tests.faults.servers.all_defects import defects
from contract_tests.faults.servers.workshop import workshop

__all__ = ["defects", "workshop"]
