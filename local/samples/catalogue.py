"""The whole day in the order of its arrival."""

from __future__ import annotations

from functools import cache

from local.samples.files import drive_files, gate_files
from local.samples.kinds import Sample
from local.samples.mails import gate_mails, mails


@cache
def samples() -> tuple[Sample, ...]:
    """Every sample; names are unique and each has an expectation."""
    return (*mails(), *drive_files(), *gate_mails(), *gate_files())
