"""The record for other tools and other readers: on demand, continuously, and once a month."""
