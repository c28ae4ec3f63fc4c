"""Plays what rules about several responses compare: one model for each family of relations."""
