"""What stops the host from starting, or one binding from being filled."""

from __future__ import annotations


class HostRefusedError(Exception):
    """The app asks for something this host does not do; the message names it and the way out."""


class BindingError(Exception):
    """An output binding could not be written; the invocation counts as failed."""
