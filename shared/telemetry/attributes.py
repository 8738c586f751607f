"""What may be said of an item in telemetry: a closed list of keys, and tokens as values."""

from __future__ import annotations

import re

from shared.errors import SekishoError

KEYS = frozenset(
    {
        "alert",
        "attempt",
        "disposition",
        "end",
        "error",
        "gap",
        "mode",
        "queue",
        "source",
        "stage",
        "state",
        "would_be",
    }
)
TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,47}\Z")
OTHER = "other"  # stands for a value that is no token: counted, never quoted


def clean(given: dict[str, str | int]) -> dict[str, str | int]:
    """The attributes as they may leave; ValueError for a key that nobody allowed.

    A word of more than 48 characters, with a space, a digit in front or in any script but Latin is
    not ours: it could be a name, so ``other`` is written in its place.
    """
    unknown = given.keys() - KEYS
    if unknown:
        message = f"telemetry: {', '.join(sorted(unknown))} is not a key that may leave"
        raise ValueError(message)
    return {key: value if _is_safe(value) else OTHER for key, value in given.items()}


def kind(error: BaseException) -> str:
    """The class of an error; its words may quote an item and stay where they are."""
    name = type(error).__name__
    return name if isinstance(error, SekishoError) else f"unforeseen.{name}"


def _is_safe(value: str | int) -> bool:
    if isinstance(value, int):
        return 0 <= value < 1_000_000  # noqa: PLR2004 - a count of attempts, never a number of somebody
    return TOKEN.match(value) is not None
