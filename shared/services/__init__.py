"""How each source is resolved, fetched, tagged, blocked, quarantined, delivered and released."""
