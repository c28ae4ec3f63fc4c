"""Turns outcomes into reports."""
