"""The whole system on one machine, offline: for development and tests, never for production."""
