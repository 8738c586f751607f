"""Active content out of bytes (無害化); not built yet."""
