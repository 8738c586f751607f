"""Plain text files in any encoding."""

from __future__ import annotations

from shared.extract.charset import readings
from shared.extract.giving import places
from shared.extract.hypertext import label_of
from shared.extract.job import Document, Job

LOOK = 20  # lines that tell whether a text is a table


def read(document: Document, job: Job) -> None:
    """Read text; where the label and the bytes disagree, every reading."""
    found = readings(document.data, label_of(document.media_type))
    for place, text in places(document.inside("本文"), found, job):
        job.text(place, text, table=is_table(text))


def is_table(text: str) -> bool:
    """Whether the first lines all have the same number of tabs: a list saved as text."""
    head = [line for line in text[:10_000].splitlines()[:LOOK] if line.strip()]
    tabs = {line.count("\t") for line in head}
    return len(head) > 1 and len(tabs) == 1 and 0 not in tabs
