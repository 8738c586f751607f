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


# Format (from sniff) → reader. A new format is one line here, its signature in sniff.py and a file.
READERS: dict[str, Reader] = {
    "7z": Reader("shared.extract.archives"),
    "bzip2": Reader("shared.extract.archives"),
    "calendar": Reader("shared.extract.contentlines", risky=False),
    "cms": Reader("shared.extract.smime", risky=False),
    "csv": Reader("shared.extract.csvtable", risky=False),
    "doc": Reader("shared.extract.ole"),
    "docx": Reader("shared.extract.docx"),
    "emf": Reader("shared.extract.emf"),
    "gzip": Reader("shared.extract.archives"),
    "html": Reader("shared.extract.hypertext", risky=False),
    "image": Reader("shared.extract.image"),
    "jtd": Reader("shared.extract.ole"),
    "lzh": Reader("shared.extract.archives"),
    "mail": Reader("shared.extract.mail", risky=False),
    "msg": Reader("shared.extract.msg"),
    "odf": Reader("shared.extract.odf"),
    "ole": Reader("shared.extract.ole"),
    "ooxml-encrypted": Reader("shared.extract.office_crypto"),
    "pdf": Reader("shared.extract.pdf"),
    "ppt": Reader("shared.extract.ole"),
    "pptx": Reader("shared.extract.pptx"),
    "rar": Reader("shared.extract.rar"),
    "rtf": Reader("shared.extract.rtf"),
    "tar": Reader("shared.extract.archives"),
    "text": Reader("shared.extract.text", risky=False),
    "tnef": Reader("shared.extract.tnef"),
    "vcard": Reader("shared.extract.contentlines", risky=False),
    "wmf": Reader("shared.extract.wmf"),
    "xls": Reader("shared.extract.ole"),
    "xlsb": Reader("shared.extract.xlsb"),
    "xdw": Reader("shared.extract.docuworks"),
    "xlsx": Reader("shared.extract.xlsx"),
    "xml": Reader("shared.extract.xmltext", risky=False),
    "xz": Reader("shared.extract.archives"),
    "zip": Reader("shared.extract.zip_archive"),
    "zstd": Reader("shared.extract.archives"),
}

# Formats that are known and not read: the gap says more than "unknown".
UNREAD: dict[str, GapCode] = {
    "executable": GapCode.UNSUPPORTED,
    "media": GapCode.UNSUPPORTED,
}


def read(document: Document, job: Job) -> None:
    """Read a document of any kind into the job; a failure is a gap by name, never an exception.

    What is two formats at once (a polyglot) is read as both and is ``ambiguous``: programs differ
    in what they show of it, and may see a third.
    """
    try:
        kinds = sniff(document.data, document.name, document.media_type)
    except Exception:  # noqa: BLE001 - hostile input may raise anything; the item then has a gap
        job.gap(GapCode.MALFORMED, document.location)
        return
    if not kinds:
        job.gap(GapCode.UNKNOWN_FORMAT, document.location)
    elif job.isolate and any(kind in READERS and READERS[kind].risky for kind in kinds):
        job.deferred.append(document)
    else:
        # one reader may read several formats (and then reads a file of two of them once)
        each = {READERS[k].module if k in READERS else k: k for k in reversed(kinds)}
        if len(each) > 1:
            job.gap(GapCode.AMBIGUOUS, document.location)
        for kind in each.values():
            _read_as(kind, document, job)


def _read_as(kind: str, document: Document, job: Job) -> None:
    """Read with the one reader of this kind."""
    reader = READERS.get(kind)
    if reader is None:
        job.gap(UNREAD.get(kind, GapCode.UNSUPPORTED), document.location)
        return
    try:
        importlib.import_module(reader.module).read(document, job)
    except LimitError as limit:
        job.gap(limit.code, document.location)
    except MemoryError:
        job.gap(GapCode.TOO_LARGE, document.location)
    except RecursionError:
        job.gap(GapCode.TOO_DEEP, document.location)
    except Exception:  # noqa: BLE001 - hostile input may raise anything; the item then has a gap
        job.gap(GapCode.MALFORMED, document.location)
