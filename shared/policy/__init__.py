"""Findings and context to a decision; pure."""
