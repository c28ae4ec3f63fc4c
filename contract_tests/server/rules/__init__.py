"""Rules about a server, a module per page of the vendors' documentation."""
