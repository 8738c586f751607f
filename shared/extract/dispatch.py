"""Which reader reads which format, and what happens when it fails."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from shared.extract.job import Document, Job, LimitError
from shared.extract.sniff import sniff
from shared.model import GapCode


@dataclass(frozen=True, slots=True)
class Reader:
    """A module with ``read(document, job)``; risky ones run in a limited child process."""

    module: str
    risky: bool = True


# format name (from sniff) → reader. A new format is one line here, its signature in sniff.py and a file.
READERS: dict[str, Reader] = {
    "text": Reader("shared.extract.text", risky=False),
}


def read(document: Document, job: Job) -> None:
    """Read a document of any kind into the job; a failure is a gap by name, never an exception."""
    try:
        kind = sniff(document.data, document.name, document.media_type)
        reader = READERS.get(kind)
        if reader is None:
            job.gap(GapCode.UNKNOWN_FORMAT, document.location)
        elif reader.risky and job.isolate:
            job.deferred.append(document)
        else:
            importlib.import_module(reader.module).read(document, job)
    except LimitError as limit:
        job.gap(limit.code, document.location)
    except MemoryError:
        job.gap(GapCode.TOO_LARGE, document.location)
    except RecursionError:
        job.gap(GapCode.TOO_DEEP, document.location)
    except Exception:  # noqa: BLE001 - hostile input may raise anything; the item then has a gap
        job.gap(GapCode.MALFORMED, document.location)
