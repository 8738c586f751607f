"""Which kind of ZIP a file is, from the names in its central directory."""

from __future__ import annotations

import struct

END = b"PK\x05\x06"
ENTRY = b"PK\x01\x02"
LOOK = 5_000  # entries looked at

# Beginning of a name → format; the first that fits, in packages with [Content_Types].xml.
OFFICE = ((b"xl/workbook.bin", "xlsb"), (b"word/", "docx"), (b"xl/", "xlsx"), (b"ppt/", "pptx"))


def zip_kind(data: bytes) -> str:
    """``docx``, ``xlsx``, ``xlsb``, ``pptx``, ``odf`` or ``zip``; empty if no ZIP ends here."""
    names = _names(data)
    if names is None:
        return ""
    if b"[Content_Types].xml" in names:
        for prefix, kind in OFFICE:
            if any(name.startswith(prefix) for name in names):
                return kind
    return "odf" if b"mimetype" in names and b"content.xml" in names else "zip"


def _names(data: bytes) -> frozenset[bytes] | None:
    """The member names, or None without a directory that reaches to the end of the bytes."""
    end = data.rfind(END, max(0, len(data) - 65_557))
    if end < 0 or len(data) < end + 22:
        return None
    size, _offset, comment = struct.unpack_from("<IIH", data, end + 12)
    at = end - size
    if at < 0 or end + 22 + comment != len(data) or (size and data[at : at + 4] != ENTRY):
        return None
    names: set[bytes] = set()
    while len(names) < LOOK and at + 46 <= end and data[at : at + 4] == ENTRY:
        length, extra, remark = struct.unpack_from("<HHH", data, at + 28)
        names.add(data[at + 46 : at + 46 + length])
        at += 46 + length + extra + remark
    return frozenset(names)
