"""Runs extraction in limited child processes."""
