"""Office files that are encrypted: whether they are, and what a password makes of them."""

from __future__ import annotations

import io
from types import SimpleNamespace

import msoffcrypto
from msoffcrypto.format import doc97, ppt97, xls97

from shared.compound.directory import oversized
from shared.errors import MalformedError

# The library decrypts the older formats in a temporary file, and the sandbox writes none.
for _module in (doc97, ppt97, xls97):
    _module.tempfile = SimpleNamespace(TemporaryFile=io.BytesIO)


def is_encrypted(data: bytes) -> bool:
    """Whether it is encrypted in a way that the library knows.

    MalformedError where that cannot be asked: the library believes whatever sizes a directory has.
    """
    if oversized(data):
        message = "the directory claims more bytes than the file has"
        raise MalformedError(message)
    try:
        return bool(msoffcrypto.OfficeFile(io.BytesIO(data)).is_encrypted())
    except Exception:  # noqa: BLE001 - not a file that the library knows: not encrypted in its way
        return False


def decrypted(data: bytes, password: str) -> bytes:
    """The plain bytes, or none. The library raises many kinds of errors for a wrong password."""
    out = io.BytesIO()
    try:
        office = msoffcrypto.OfficeFile(io.BytesIO(data))
        try:
            office.load_key(password=password, verify_password=True)
        except TypeError:  # the older formats verify by themselves
            office.load_key(password=password)
        office.decrypt(out)
    except Exception:  # noqa: BLE001 - whatever it raises, it did not open
        return b""
    return out.getvalue()
