"""Encrypted Office files: the built-in password always, then the job's; else a gap ``encrypted``.

Excel encrypts a write-protected workbook with the well-known password ``VelvetSweatshop``, so that
anybody can open it ([MS-OFFCRYPTO] 2.4.2.3). A password counts only if its verifier matches.
"""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace

import msoffcrypto
from msoffcrypto.format import doc97, ppt97, xls97

from shared.extract.dispatch import read as read_any
from shared.extract.job import Document, Job
from shared.model import GapCode

BUILT_IN = "VelvetSweatshop"

# The library decrypts the older formats in a temporary file, and the sandbox writes none.
for _module in (doc97, ppt97, xls97):
    _module.tempfile = SimpleNamespace(TemporaryFile=io.BytesIO)


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
    """The document as it is if it is not encrypted, decrypted if a password opens it, else None."""
    try:
        if not msoffcrypto.OfficeFile(io.BytesIO(document.data)).is_encrypted():
            return document
    except Exception:  # noqa: BLE001 - not a file that the library knows: not encrypted in its way
        return document
    for password in dict.fromkeys((BUILT_IN, *job.passwords)):
        job.tick()
        data = _decrypted(document.data, password)
        if data:
            job.spend(len(data), len(document.data))
            return replace(document, data=data, media_type="", depth=document.depth + 1)
    job.gap(GapCode.ENCRYPTED, document.location)
    return None


def _decrypted(data: bytes, password: str) -> bytes:
    """The plain bytes, or none. The library raises many kinds of errors for a wrong password."""
    out = io.BytesIO()
    try:
        office = msoffcrypto.OfficeFile(io.BytesIO(data))
        try:
            office.load_key(password=password, verify_password=True)
        except TypeError:  # the older formats verify by themselves
            office.load_key(password=password)
        office.decrypt(out)
    except Exception:  # noqa: BLE001 - see above
        return b""
    return out.getvalue()
