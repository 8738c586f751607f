"""Plain text files in any encoding."""

from __future__ import annotations

from shared.extract.charset import readings
from shared.extract.hypertext import label_of
from shared.extract.job import Document, Job


def read(document: Document, job: Job) -> None:
    """Read text; where the label and the bytes disagree, every reading."""
    location = document.inside("本文")
    for number, text in enumerate(readings(document.data, label_of(document.media_type))):
        job.text(f"{location}（読み{number + 1}）" if number else location, text)
