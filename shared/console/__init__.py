"""Views for people; not built yet."""
