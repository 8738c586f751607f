"""Paths to state: one file a group of operations; each has ``ROUTES``."""
