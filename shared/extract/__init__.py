"""Bytes to segments and gaps; pure; one format a file."""
