"""A stateful stand-in for Microsoft Graph."""
