"""HTTP as both sides need it: parameters, bodies, a server that records, and what must not be shown."""
