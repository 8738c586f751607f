"""Rich Text Format: the text as shown, what stands apart from it, and embedded objects.

striprtf reads the body; groups it leaves out (headers, footnotes, comments, properties, text boxes)
are read one by one. Format: Microsoft RTF 1.9.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from striprtf import striprtf

from shared.extract.blips import bitmap_file
from shared.extract.job import Document, Job
from shared.extract.ooxml import printable
from shared.model import GapCode

PAGE = re.compile(rb"\\ansicpg(\d+)")
FONT_PAGES = re.compile(rb"\\fcharset128\b")
_KINDS = (
    ("ヘッダー", "header headerl headerr headerf"),
    ("フッター", "footer footerl footerr footerf"),
    ("脚注", "footnote"),
    ("コメント", "annotation atnauthor"),
    ("プロパティ", "info userprops doccomm"),
    ("テキストボックス", "shptxt dptxbxtext"),
    ("フィールド", "fldinst datafield docvar"),
    ("フォーム", "formfield"),
    ("属性", "sv"),
)
APART = {word.encode(): label for label, words in _KINDS for word in words.split()}
_GROUP = re.compile(rb"\{(?:\\\*)?\\(%b)(?![a-z])" % b"|".join(APART))
_OBJECT = re.compile(rb"\\objdata\s*((?:[0-9a-fA-F]{2}\s*)+)")
# A picture's kind, then its sizes and properties, then its bytes (the digits that follow).
_PICTURE = re.compile(
    rb"\\((?:png|jpeg|emf)blip|wmetafile|dibitmap|macpict|wbitmap)\d*"
    rb"(?:\s*\\(?!bin)[a-z]+-?\d*|\s*\{[^{}]*\})*\s*(?:\\bin(\d{1,10}) ?)?"
)
_DIGITS = re.compile(rb"(?:[0-9a-fA-F]{2}\s*)+")

# The library's own expressions take time by the cube of a font table or a link that never ends
# (seven seconds for five kilobytes, found by fuzzing). These take the same entries up to a length.
striprtf.FONTTABLE = re.compile(r"\\f(\d{1,10}+).{0,200}?\\fcharset(\d{1,10}+)([^;]{0,200}+);")
striprtf.HYPERLINKS = re.compile(
    r"(\{\\field\{\s{0,9}\\\*\\fldinst\{.{0,200}?HYPERLINK\s(\"[^\"\n]{0,2000}\")\}{2}"
    r"\s{0,9}\{.{0,500}?\s+(.{0,500}?)\}{2,3})",
    re.IGNORECASE,
)
_HIGH = re.compile(rb"[\x80-\xff]")
_BRACES = re.compile(rb"\\.|[{}]", re.DOTALL)
_INFO = re.compile(
    rb"\\(title|subject|author|manager|company|operator|category|keywords|comment|doccomm|propname|"
    rb"staticval|ffname|ffdeftext|ffhelptext|ffstattext|linkval)(?![a-z])\s?"
)
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
MAX_GROUPS = 5_000
LATIN, JAPANESE, UTF8 = 1252, 932, 65001  # Windows code pages


def read(document: Document, job: Job) -> None:
    """Read an RTF file; its objects are read as children."""
    data = document.data
    page = _code_page(data)
    job.text(document.inside("本文"), _shown(data, page))
    apart: dict[str, list[str]] = {}
    for count, (kind, group) in enumerate(_groups(data)):
        if count > MAX_GROUPS:
            job.gap(GapCode.TOO_MANY, document.location)
            break
        job.tick()
        body = _INFO.sub(b"\\\\par ", group)
        apart.setdefault(APART[kind], []).append(_shown(_wrapped(body, page), page))
    for label, texts in apart.items():
        job.text(document.inside(label), "\n".join(text.strip() for text in texts if text.strip()))
    for number, found in enumerate(_OBJECT.finditer(data), start=1):
        _object(document, job, number, found[1])
    for number, picture in enumerate(_pictures(data), start=1):
        job.spend(len(picture))
        job.child(document, picture, "", label=f"画像{number}")


def _pictures(data: bytes) -> Iterator[bytes]:
    """Each picture, written in hexadecimal or as it is."""
    for found in _PICTURE.finditer(data):
        kind, size = found[1], found[2]
        if size is not None:
            body = data[found.end() : found.end() + int(size)]
        else:
            digits = _DIGITS.match(data, found.end())
            body = bytes.fromhex(digits[0].decode("ascii")) if digits else b""
        yield bitmap_file(body) if kind == b"dibitmap" else body


def _code_page(data: bytes) -> int:
    """The declared code page; Japanese if a font says so and the header does not."""
    found = PAGE.search(data)
    page = int(found[1]) if found else LATIN
    return JAPANESE if page == LATIN and FONT_PAGES.search(data) else page


def _wrapped(body: bytes, page: int) -> bytes:
    return b"{\\rtf1\\ansi\\ansicpg%d %b}" % (page, body)


def _shown(data: bytes, page: int) -> str:
    """What striprtf makes of it; raw bytes that writers left unescaped are escaped first."""
    escaped = _HIGH.sub(lambda found: b"\\'%02x" % found[0][0], data)
    encoding = "utf-8" if page == UTF8 else f"cp{page}"
    try:
        "".encode(encoding)
    except LookupError:
        encoding = "cp932"
    return str(
        striprtf.rtf_to_text(  # type: ignore[no-untyped-call]
            escaped.decode("ascii"), encoding=encoding, errors="replace"
        )
    )


def _groups(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each group that stands apart: its word and what is inside it."""
    for found in _GROUP.finditer(data):
        depth = 1
        for brace in _BRACES.finditer(data, found.end()):
            if brace[0] == b"{":
                depth += 1
            elif brace[0] == b"}":
                depth -= 1
            if depth == 0:
                yield found[1], data[found.end() : brace.start()]
                break
        else:
            yield found[1], data[found.end() :]


def _object(document: Document, job: Job, number: int, digits: bytes) -> None:
    """An OLE 1 object in hexadecimal: the compound file in it, else its printable words."""
    job.member()
    payload = bytes.fromhex(digits.decode("ascii"))
    job.spend(len(payload))
    at = payload.find(OLE)
    label = f"オブジェクト{number}"
    if at >= 0:
        job.child(document, payload[at:], "", label=label)
        return
    from shared.extract.oleparts import native_file  # noqa: PLC0415 - rare

    at = payload.find(b"Package\0")
    if at >= 0:
        name, inner = native_file(payload[at + 8 + 8 :])
        job.child(document, inner, name, label=label)
        return
    job.text(document.inside(label), printable(payload))
    job.gap(GapCode.UNSUPPORTED, document.inside(label))
