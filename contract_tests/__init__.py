"""Proves that a contract, the servers and the clients of it agree: ``python -m contract_tests --help``."""
