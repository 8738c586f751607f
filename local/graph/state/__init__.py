"""What a tenant holds: plain objects, no HTTP."""
