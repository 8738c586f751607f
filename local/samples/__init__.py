"""A city hall's day: synthetic items, what each must become, and every number planted in them.

Nothing here is a real person's: names come from faker with a fixed seed, numbers from obviously
fake stems (``111222333…``) by the published check-digit rules, written again in ``numbers``. The
documents are written by other libraries than those that the product reads them with.
"""

from __future__ import annotations

from local.samples.catalogue import samples
from local.samples.expect import Expectation, expectations
from local.samples.kinds import DRIVE, GATE, MAIL, Sample
from local.samples.numbers import numbers

__all__ = [
    "DRIVE",
    "GATE",
    "MAIL",
    "Expectation",
    "Sample",
    "expectations",
    "numbers",
    "samples",
]
