"""How a text with several readings becomes segments."""

from __future__ import annotations

from collections.abc import Iterable

from shared.extract.job import Job
from shared.model import GapCode

DAMAGE = (
    "\ufffd\uf8f1\uf8f2\uf8f3"  # what decoders put for bytes that are none (CP932: 0xFD to 0xFF)
)
UNREADABLE = 20  # one replaced character in so many: the encoding was not found


def places(location: str, readings: Iterable[str], job: Job) -> Iterable[tuple[str, str]]:
    """Location and text of each reading; a text that no encoding fits is a gap too."""
    for number, text in enumerate(readings):
        if not number and sum(map(text.count, DAMAGE)) * UNREADABLE > len(text):
            job.gap(GapCode.PARTIAL, location)
        yield (f"{location}（読み{number + 1}）" if number else location), text


def give(location: str, readings: Iterable[str], job: Job) -> None:
    """A segment a reading."""
    for place, text in places(location, readings, job):
        job.text(place, text)
