"""Legacy .doc, .xls and .ppt: VBA storages are stripped; what cannot be cut out safely is held.

Stripped: the storages of VBA projects (``Macros``, ``_VBA_PROJECT_CUR``) and signatures. In place,
without moving a byte: DDE and other outside fields of Word become blanks, hyperlinks of Excel are
disabled. Held by name, because their
place is woven into the document's streams: embedded objects, ActiveX, Excel 4 macro sheets, DDE and
outside workbooks in Excel, macros and objects in PowerPoint, encryption.
Source: [MS-DOC] 2.1, [MS-XLS] 2.1.7, [MS-PPT] 2.1.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from shared.model import GapCode
from shared.sanitize import wordfields
from shared.sanitize.compound import Storage, read, write
from shared.sanitize.work import HoldError, Part, Work

# Names in the root, lower case. What is in none of these holds the file.
_PLAIN = frozenset(
    {"worddocument", "0table", "1table", "data", "workbook", "book", "powerpoint document"}
    | {"current user", "pictures", "\1compobj", "\5summaryinformation"}
    | {"\5documentsummaryinformation", "_sx_db_cur", "revision log", "user names"}
)
_STRIPPED: dict[str, str] = {
    "macros": "macro",
    "_vba_project_cur": "macro",
    "_vba_project": "macro",
    "vba": "macro",
    "_signatures": "signature",
    "_xmlsignatures": "signature",
    "msodatastore": "unknown_part",
    "\1ole": "unknown_part",
    "\3objinfo": "unknown_part",
    "\6dataspaces": "unknown_part",
}
# Excel records: [MS-XLS] 2.3.
_FILEPASS, _BOUNDSHEET, _SUPBOOK, _HLINK = 0x2F, 0x85, 0x1AE, 0x1B8
_NAME = 0x18
# PowerPoint records: [MS-PPT] 2.13.24.
_PPT_HELD: dict[int, str] = {
    0x1011: "ole_object",
    0x0FEE: "activex",
    0x0FCC: "ole_object",
    0x0FCE: "ole_object",
    0x1006: "external_link",
    0x1007: "external_link",
}
_PPT_VBA_INFO = 0x03FF  # 2.4.10; also PowerPoint's and LibreOffice's files without macros have one
_PPT_NO_VBA = re.compile(
    rb"..\x00\x04\x0c\0\0\0\0{8}....", re.DOTALL
)  # 2.4.11: no project, no macros
_PPT_INTERACTIVE = 0x0FF3
_PPT_ACTIONS = frozenset({1, 2, 5})  # macro, program, OLE action
_FIELD_BYTES = re.compile(rb"\x13([^\x13\x14\x15\x00]{1,1000})(?=[\x13\x14\x15])", re.DOTALL)
_FIELD_WIDE = re.compile(
    rb"\x13\0((?:(?!\x13\0|\x14\0|\x15\0)..){1,1000})(?=[\x13\x14\x15]\0)", re.DOTALL
)
_TEMPLATE = re.compile(rb"(?:h\0t\0t\0p\0|\\\0\\\0[\w.]\0|f\0i\0l\0e\0:\0/\0)", re.IGNORECASE)


def clean(part: Part, work: Work) -> Part:
    """The document without VBA. Raises HoldError for what is held."""
    root = read(part.data, work)
    names = {name.lower(): name for name in root.children}
    for lower, name in names.items():
        code = _STRIPPED.get(lower)
        if code is not None:
            del root.children[name]
            work.removed(code, part.location)
            if code == "signature":
                work.state("office_signature_broken", part.location)
        elif lower not in _PLAIN:
            _hold(_guess(lower), part, work)
        elif isinstance(root.children[name], Storage) and lower != "_sx_db_cur":
            _hold("unknown_part", part, work)
    _streams(root, part, work)
    return part.with_data(write(root))


def _hold(code: str, part: Part, work: Work) -> None:
    """Held, with what was found named in the lineage."""
    work.removed(code, part.location)
    raise HoldError(GapCode.UNSUPPORTED, part.location)


def _guess(name: str) -> str:
    if name.startswith("ctls"):
        return "activex"
    return (
        "ole_object"
        if name.startswith(("objectpool", "mbd", "lnk", "\1", "package"))
        else "unknown_part"
    )


def _streams(root: Storage, part: Part, work: Work) -> None:
    for name, stream in list(root.children.items()):
        if not isinstance(stream, bytes):
            continue
        lower = name.lower()
        if lower == "worddocument":
            root.children[name] = _word(stream, part, work)
        elif lower in {"0table", "1table"} and _TEMPLATE.search(stream):
            _hold("external_template", part, work)
        elif lower in {"workbook", "book"}:
            root.children[name] = _excel(stream, part, work)
        elif lower == "powerpoint document":
            _slides(stream, 0, len(stream), 0, part, work)
        elif lower == "current user" and stream[12:16] == b"\xdf\xc4\xd1\xf3":
            raise HoldError(GapCode.ENCRYPTED, part.location)


def _word(stream: bytes, part: Part, work: Work) -> bytes:
    """Fields that reach out become blanks of the same length."""
    if len(stream) > 12 and stream[11] & 1:  # noqa: PLR2004 - FibBase.fEncrypted
        raise HoldError(GapCode.ENCRYPTED, part.location)
    data = bytearray(stream)
    for pattern, codec, blank in (
        (_FIELD_BYTES, "cp1252", b" "),
        (_FIELD_WIDE, "utf-16-le", b" \0"),
    ):
        for match in pattern.finditer(stream):
            words = match[1].decode(codec, "replace")
            if not re.match(r"\s*[A-Za-z]{2,}", words) or wordfields.is_kept(words):
                continue
            if wordfields.kind_of(words) == "HYPERLINK":
                continue  # a plain link: nothing is loaded until a person clicks
            work.removed(wordfields.code_of(words), part.location)
            work.unseen.append(words)
            data[match.start(1) : match.end(1)] = blank * (
                (match.end(1) - match.start(1)) // len(blank)
            )
    return bytes(data)


def _records(stream: bytes, work: Work) -> Iterator[tuple[int, int, bytes]]:
    """Kind, offset of the body, body."""
    at, count = 0, 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        yield kind, at + 4, stream[at + 4 : at + 4 + size]
        at += 4 + size
        count += 1
        if count % 5_000 == 0:
            work.tick()


def _excel(stream: bytes, part: Part, work: Work) -> bytes:
    """Hyperlinks disabled in place; macro sheets and links to the outside are held."""
    data = bytearray(stream)
    for kind, at, body in _records(stream, work):
        if kind == _FILEPASS:
            raise HoldError(GapCode.ENCRYPTED, part.location)
        if kind == _BOUNDSHEET and len(body) > 5 and body[5] in {1, 6}:  # noqa: PLR2004 - dt
            _hold("macro_sheet", part, work)
        if kind == _SUPBOOK and body[2:4] not in {b"\1\4", b"\1\x3a"}:
            outside = struct.unpack_from("<H", body.ljust(2, b"\0"))[0]
            _hold("external_link" if outside else "dde", part, work)
        if kind == _NAME and len(body) > 15 and body[0] & 0x0C:  # noqa: PLR2004 - fOB, fProc
            _hold("macro_binding", part, work)
        if kind == _HLINK and not work.keeps_links:
            plain = re.sub(rb"h\0t\0t\0p\0", b"h\0x\0x\0p\0", body)
            if plain != body:
                data[at : at + len(body)] = plain
                work.removed("link_defanged", part.location)
    return bytes(data)


def _slides(stream: bytes, at: int, end: int, depth: int, part: Part, work: Work) -> None:
    """Walk the records of a presentation; anything active holds it."""
    if depth > 50:  # noqa: PLR2004 - containers nest less than ten deep
        raise HoldError(GapCode.TOO_DEEP, part.location)
    while at + 8 <= end:
        version, kind, size = struct.unpack_from("<HHI", stream, at)
        stop = min(end, at + 8 + size)
        if kind in _PPT_HELD:
            _hold(_PPT_HELD[kind], part, work)
        if kind == _PPT_VBA_INFO and not _PPT_NO_VBA.fullmatch(stream[at + 8 : stop]):
            _hold("macro", part, work)
        if kind == _PPT_INTERACTIVE and stop - at > 16 and stream[at + 16] in _PPT_ACTIONS:  # noqa: PLR2004
            _hold("macro_binding", part, work)
        if version & 0xF == 0xF:  # noqa: PLR2004 - a container
            _slides(stream, at + 8, stop, depth + 1, part, work)
        at += 8 + size
        work.tick()
