"""The gate's SMTP process inside the prefecture's network (not built yet)."""
