"""What a measure gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SIZES = ("ci", "nightly", "full")
type Told = Callable[[str, int, int], None]
"""Progress: what, how many of how many."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table: a claim in ja and en, the figure, and whether the claim holds.

    ``figures`` are the numbers behind it, for whoever reads the JSON; ``note`` a sentence below the
    table (what survived, what was not measured).
    """

    ja: str
    en: str
    measured: str
    holds: bool
    figures: dict[str, Any] = field(default_factory=dict)
    note: str = ""


def of_size(size: str, ci: int, nightly: int, full: int) -> int:
    """The count that belongs to a size."""
    return dict(zip(SIZES, (ci, nightly, full), strict=True))[size]
