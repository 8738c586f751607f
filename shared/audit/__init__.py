"""Audit events, the hash chain and its exports; pure."""
