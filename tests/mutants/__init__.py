"""Seeded defects: subjects with one fault each, which the rules must catch."""
