"""Text to findings; pure; one entity a file."""
