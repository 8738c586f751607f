"""DocuWorks files written from the published notes: no file of the maker's program is at hand."""

from __future__ import annotations

import io
import struct

from PIL import Image

from shared.model import GapCode
from tests.unit.extract_files.archive_cases import note
from tests.unit.extract_files.legacy_cases import doc_part, lh5
from tests.unit.extract_files.office_cases import document_with, paragraph


def element(tag, value):
    size = len(value)
    if size < 0x80:
        return bytes([tag, size]) + value
    raw = size.to_bytes(4, "big")
    return bytes([tag, 0x84]) + raw + value


def packed(content):
    """``-lh5-`` without its header."""
    member = lh5(content)
    return member[2 + member[0] : -1]


def xdw(*pages, words=b"", tail=b""):
    """Header, pages, properties, trailer."""
    stored = packed(words) if words else b""
    body = b"".join(element(0x64, element(0x81, b"\0" * 4) + page) for page in pages)
    body = element(0x61, body + tail)
    properties = element(0x63, stored) if stored else b""
    fields = element(0x80, bytes([len(pages)]))
    fields += element(0x83, struct.pack(">I", len(words))) + element(
        0x84, struct.pack(">I", len(stored))
    )
    size = len(fields) + 6
    trailer = element(0x62, fields + b"\x86\x04" + struct.pack("<I", size))
    return element(0x60, element(0x82, b"\x0a")) + body + properties + trailer


def jpeg(number):
    out = io.BytesIO()
    Image.new("RGB", (9, 9), "white").save(out, "JPEG", comment=note(number))
    return out.getvalue()


def nested_page(number):
    """A page of kind 5: fields, the picture among them."""
    return xdw(element(0x82, element(0x80, b"\5") + element(0x86, jpeg(number))))


def older_page(number):
    """A page whose picture follows sixteen bytes of sizes."""
    picture = jpeg(number)
    head = struct.pack("<IIII", len(picture) + 16, 0, 9, 9)
    return xdw(element(0x82, head + picture))


def attached(data):
    return xdw(element(0x82, b"\1\2\3" * 9), tail=element(0x65, data) + b"\x65\x03abc")


KNOWN = (GapCode.UNSUPPORTED,)
# format, place in words, builder, expected location, passwords, gaps
CASES = [
    ("xdw", "JPEG のページの注記", nested_page, r"^1ページ\.jpg › 画像の情報$", (), KNOWN),
    ("xdw", "JPEG のページの注記 (古い形)", older_page, r"^1ページ\.jpg › 画像の情報$", (), KNOWN),
    (
        "xdw",
        "プロパティ (CP932)",
        lambda n: xdw(words=b"\0\5" + f"注記 {n}".encode("cp932") + b"\0\7"),
        r"^プロパティ$",
        (),
        KNOWN,
    ),
    (
        "xdw",
        "元の文書 (docx)",
        lambda n: attached(document_with(paragraph)(n)),
        r"^添付1 › 本文",
        (),
        KNOWN,
    ),
    ("xdw", "元の文書 (doc)", lambda n: attached(doc_part(3)(n)), r"^添付1 › 本文", (), KNOWN),
]
