"""Draws all defects on import: a process that has them already serves one at once."""

from mutants.servers.all_defects import defects

defects()
