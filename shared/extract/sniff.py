"""What a document is, by its content; its name and declared type only break ties.

The answer is a tuple: a polyglot (a ZIP behind a PDF) is two formats and is read as both; nothing
in it means that the format is unknown. Names are those of ``dispatch.READERS``.
"""

from __future__ import annotations

import re

from shared.compound.directory import ole_kinds
from shared.extract import utf16
from shared.extract.zipkind import zip_kind

HEAD = 4096

# Signature at offset 0 → format; the first that fits. One line a format.
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"{\\rt", "rtf"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x78\x9f\x3e\x22", "tnef"),
    (b"-----BEGIN PKCS7-----", "cms"),
    (b"-----BEGIN CMS-----", "cms"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF87a", "image"),
    (b"GIF89a", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image"),
    (b"\xff\x4f\xff\x51", "image"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image"),
    (b"8BPS\x00", "image"),
    (b"\xd7\xcd\xc6\x9a", "wmf"),
    (b"MZ", "executable"),
    (b"\x7fELF", "executable"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "executable"),
    (b"ID3", "media"),
    (b"OggS", "media"),
)

# Pattern at offset 0 → format, where fixed bytes do not tell.
PATTERNS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"..-l(?:h[0-9dx]|z[s45])-", re.DOTALL), "lzh"),
    (
        re.compile(
            rb"\x30(?:\x80|[\x81-\x84].{1,4}|[\x20-\x7f])\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07",
            re.DOTALL,
        ),
        "cms",
    ),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image"),
    (re.compile(rb"RIFF....(?:WAVE|AVI )", re.DOTALL), "media"),
    (re.compile(rb"....ftyp(?:hei[cmsx]|avif|mif1)", re.DOTALL), "image"),
    (re.compile(rb"....ftyp", re.DOTALL), "media"),
    (re.compile(rb"BM....\x00\x00\x00\x00", re.DOTALL), "image"),
    (re.compile(rb"\x00\x00\x01\x00[\x01-\x40]\x00.{2}\x00", re.DOTALL), "image"),
    (re.compile(rb"\xff\x0a[^\r\n]", re.DOTALL), "image"),
    (re.compile(rb"\x01\x00\x09\x00\x00[\x01\x03].{4}", re.DOTALL), "wmf"),
    (re.compile(rb".{257}ustar", re.DOTALL), "tar"),
    (re.compile(rb"\x01\x00\x00\x00.{36} EMF", re.DOTALL), "emf"),
    # DocuWorks: a header of fields, the generation (7 to 10 are known) among them.
    (re.compile(rb"\x60[\x03-\x7f](?=[\x80-\x8f]).{0,64}?\x82\x01[\x01-\x1f]", re.DOTALL), "xdw"),
)

# Formats with signatures that words may begin with (``MZ世代``); such are text if they can be.
WEAK = frozenset({"executable", "image", "media", "bzip2", "tar", "lzh"})

# The beginning of a text (lower case, no byte order mark) → format.
TEXT_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"begin:vcalendar", "calendar"),
    (b"begin:vcard", "vcard"),
    (b"<?xml", "xml"),
    (b"<svg", "xml"),
)

_HEADER = re.compile(
    rb"(?:From [^\n]*\n|>?From:[^\n]*\n)?(?:[!-9;-~]{1,76}[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*\n?)+"
)
_MAIL_NAMES = re.compile(
    rb"^(?:received|return-path|from|to|subject|date|message-id|mime-version|content-type|sender"
    rb"|delivered-to)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|table|div|p|meta|title|br|span|style|font|script)\b",
    re.IGNORECASE,
)
_CSV_NAMES = (".csv", ".tsv")
_CSV_TYPES = ("text/csv", "text/tab-separated-values")
_TEXT_CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\v\f\r\x0e\x0f\x1a\x1b\0")


def sniff(data: bytes, name: str = "", media_type: str = "") -> tuple[str, ...]:
    """The formats that these bytes are: usually one, two for a polyglot, none if unknown."""
    kinds = _binary(data)
    if not kinds or (WEAK.issuperset(kinds) and is_text(data)):
        kinds = _textual(data, name.lower(), media_type.lower())
    elif _is_mail(data) and _declares_mail(name.lower(), media_type.lower()):
        kinds = ("mail", *kinds)
    tail = _tail(data, kinds)
    return (*kinds, *tail)


def _binary(data: bytes) -> tuple[str, ...]:
    """By signature."""
    for magic, kind in MAGIC:
        if data.startswith(magic):
            if kind == "zip":
                return (zip_kind(data) or "zip",)
            return ole_kinds(data) if kind == "ole" else (kind,)
    for pattern, kind in PATTERNS:
        if pattern.match(data):
            return (kind,)
    return ()


def _tail(data: bytes, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """A second format behind the first: a PDF within the first KiB, a ZIP that ends the bytes."""
    found = []
    if "pdf" not in kinds and b"%PDF-" in data[:1024] and b"startxref" in data[-65_536:]:
        found.append("pdf")
    if not any(kind in ZIP_KINDS for kind in kinds):
        zipped = zip_kind(data)
        if zipped:
            found.append(zipped)
    return tuple(found)


ZIP_KINDS = frozenset({"zip", "docx", "xlsx", "xlsb", "pptx", "odf"})


def _textual(data: bytes, name: str, media_type: str) -> tuple[str, ...]:
    """Kinds of text; bytes that are no text at all are unknown."""
    if _declares_mail(name, media_type) or _is_mail(data):
        return ("mail",)
    if not is_text(data):
        return ()
    head = _plain_head(data)
    for beginning, kind in TEXT_MAGIC:
        if head.startswith(beginning) and b"<html" not in head:
            return (kind,)
    if media_type.startswith(("text/html", "application/xhtml")) or _looks_like_html(head, name):
        return ("html",)
    is_csv = name.endswith(_CSV_NAMES) or media_type.startswith(_CSV_TYPES)
    return ("csv",) if is_csv else ("text",)


def _plain_head(data: bytes) -> bytes:
    """The beginning in lower case, without a byte order mark, UTF-16's NULs and leading space."""
    return data[:HEAD].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()


def _looks_like_html(head: bytes, name: str) -> bool:
    """Markup at the beginning, or anywhere near it in a file that is called HTML."""
    if name.endswith((".htm", ".html", ".xhtml")):
        return _HTML.search(head) is not None
    return head.startswith(b"<") and (head.startswith(b"<!--") or _HTML.match(head) is not None)


def _declares_mail(name: str, media_type: str) -> bool:
    return media_type.startswith("message/") or name.endswith((".eml", ".mht", ".mhtml"))


def _is_mail(data: bytes) -> bool:
    """Header lines at the very beginning (in UTF-16 too), two of them with names that mail has."""
    head = utf16.narrowed(data[:HEAD]).lstrip(b"\r\n")
    block = _HEADER.match(head)
    return block is not None and len(set(map(bytes.lower, _MAIL_NAMES.findall(block[0])))) > 1


def is_text(data: bytes) -> bool:
    """Whether a person could read the bytes as text in some encoding."""
    head = data[:HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and len(data) % 2 == 0:
        return True
    if b"\0" in head:
        return utf16.order(data) != "" or head.startswith(b"\0\0\xfe\xff")
    if utf16.order(data):
        return True
    return len(head) - len(head.translate(None, _TEXT_CONTROLS)) <= len(head) // 50
