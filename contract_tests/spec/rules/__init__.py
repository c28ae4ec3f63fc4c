"""Rules about the contract itself, a module per chapter."""
