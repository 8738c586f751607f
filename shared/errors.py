"""Every error that crosses a room.

SekishoError
├── TransientError            try again later: re-enqueued with a delay, never raised to the host
│   ├── BusyError             another worker holds the item, the drive or the sequencer
│   ├── LeaseLostError        our lease was taken over; the other worker carries on
│   ├── ThrottledError        the service asked us to wait
│   └── UnavailableError      the service did not answer, or answered 5xx
├── PermanentError            will not get better: a dead letter
│   ├── MalformedError        a message or an answer that does not have its promised shape
│   ├── SettingsError         the deployment is wrong; says which setting and what to do
│   └── PolicyError           the policy file is wrong; says where
├── ChangedError              not a failure: the world moved on between two steps
│   ├── GoneError             the item no longer exists
│   └── SupersededError       the item has a newer version than the one that was asked for
├── StorageConflictError      a conditional write lost (the caller decides what that means)
└── RefusedError              a security event: forged, replayed or not allowed

A message never holds content: it may name an item's opaque id, a setting or a step.
"""

from __future__ import annotations


class SekishoError(Exception):
    """The root of the tree; a message never holds an item's content."""


class TransientError(SekishoError):
    """Try again; ``retry_after`` is the least delay in seconds, where one is known."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BusyError(TransientError):
    """Another worker holds the lease."""


class LeaseLostError(TransientError):
    """Our lease expired and was taken over: stop, and write nothing more."""


class ThrottledError(TransientError):
    """The service answered 429, or named a time to wait."""


class UnavailableError(TransientError):
    """The service was not reached, or answered 5xx."""


class PermanentError(SekishoError):
    """Trying again gives the same answer."""


class MalformedError(PermanentError):
    """A message or an answer does not have the shape it promises."""


class SettingsError(PermanentError):
    """A setting is missing or wrong; the message names it and the way out."""


class PolicyError(PermanentError):
    """The policy is wrong; the message says where and what to write instead."""


class ChangedError(SekishoError):
    """The world moved on between two of our steps."""


class GoneError(ChangedError):
    """The item does not exist any more."""


class SupersededError(ChangedError):
    """The item has another version than the one that was asked for."""


class StorageConflictError(SekishoError):
    """A conditional write found another state than it expected."""


class RefusedError(SekishoError):
    """A security event: what was asked is forged, replayed or not allowed."""
