"""Bytes to segments and gaps; pure; one format a file.

``extract`` reads an item; what its risky formats are is in ``dispatch.READERS``. With ``isolate``
those are handed back as documents, which the sandbox gives to ``extract_document`` in a limited
process, so that a hostile file cannot take the worker along.
"""

from __future__ import annotations

from collections.abc import Callable

from shared.extract.dispatch import read
from shared.extract.job import Document, Job, Limits, Used
from shared.model import Content, Extraction

__all__ = ["Document", "Job", "Limits", "Used", "begin", "extract", "extract_document"]


def begin(
    content: Content,
    *,
    clock: Callable[[], float],
    limits: Limits | None = None,
    passwords: tuple[str, ...] = (),
) -> Job:
    """Read an item as ``extract`` with ``isolate`` does; the job also tells what it has used."""
    job = Job(clock=clock, limits=limits, passwords=passwords, isolate=True)
    _read_item(content, job)
    return job


def _read_item(content: Content, job: Job) -> None:
    job.text("名前", content.name)
    read(Document(content.data, content.name, content.media_type), job)


def extract(
    content: Content,
    *,
    clock: Callable[[], float],
    limits: Limits | None = None,
    passwords: tuple[str, ...] = (),
    isolate: bool = False,
) -> tuple[Extraction, tuple[Document, ...]]:
    """Read an item: its text and gaps, and (with ``isolate``) the documents left for the sandbox.

    Never raises for what the bytes hold; the same bytes give the same extraction. ``clock`` gives
    seconds (monotonic); ``passwords`` are tried on what is encrypted.
    """
    job = Job(clock=clock, limits=limits, passwords=passwords, isolate=isolate)
    _read_item(content, job)
    return job.result(), tuple(job.deferred)


def extract_document(
    document: Document,
    *,
    clock: Callable[[], float],
    limits: Limits | None = None,
    passwords: tuple[str, ...] = (),
) -> Extraction:
    """Read one document that ``extract`` left for the sandbox, with all that is in it."""
    job = Job(clock=clock, limits=limits, passwords=passwords)
    read(document, job)
    return job.result()
