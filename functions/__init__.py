"""Triggers: each parses an event, calls shared and maps errors; nothing else."""
