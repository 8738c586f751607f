"""Encrypted Office files: the built-in password always, then the job's; else a gap ``encrypted``.

Excel encrypts a write-protected workbook with the well-known password ``VelvetSweatshop``, so that
anybody can open it ([MS-OFFCRYPTO] 2.4.2.3). A password counts only if its verifier matches.
"""

from __future__ import annotations

from dataclasses import replace

from shared.compound.encryption import decrypted, is_encrypted
from shared.errors import MalformedError
from shared.extract.dispatch import read as read_any
from shared.extract.job import Document, Job
from shared.model import GapCode

BUILT_IN = "VelvetSweatshop"


def read(document: Document, job: Job) -> None:
    """Decrypt an Office Open XML file that is an OLE container, and read what it holds."""
    opened = unlock(document, job)
    if opened is None:
        return
    if opened.data == document.data:
        job.gap(GapCode.MALFORMED, document.location)
    elif opened.depth > job.limits.depth:
        job.gap(GapCode.TOO_DEEP, document.location)
    else:
        read_any(opened, job)


def unlock(document: Document, job: Job) -> Document | None:
    """The document as it is if it is not encrypted, decrypted if a password opens it, else None.

    Where nobody can say whether it is encrypted, it is a gap and read as it is.
    """
    try:
        if not is_encrypted(document.data):
            return document
    except MalformedError:
        job.gap(GapCode.MALFORMED, document.location)
        return document
    for password in dict.fromkeys((BUILT_IN, *job.passwords)):
        job.tick()
        data = decrypted(document.data, password)
        if data:
            job.spend(len(data), len(document.data))
            return replace(document, data=data, media_type="", depth=document.depth + 1)
    job.gap(GapCode.ENCRYPTED, document.location)
    return None
