"""MIME mail: headers, bodies, attachments and the mails inside, as a Japanese office sends them.

At least as lenient as the mail programs that will open it: what two programs would read in two ways
is read in both. Locations are ordinals (``添付2``); subjects and file names are segments.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from shared.extract import headers, mime, transfer, utf16
from shared.extract.charset import readings
from shared.extract.flowed import unflow
from shared.extract.giving import places
from shared.extract.headers import Field
from shared.extract.hypertext import read_body
from shared.extract.job import SEPARATOR, Document, Job, with_extension
from shared.extract.mime import Entity
from shared.extract.sniff import sniff
from shared.model import GapCode

DEPTH = 50
PARTS = 1_000

# Header → what an official calls it.
ADDRESSES = {
    "from": "差出人",
    "sender": "差出人",
    "reply-to": "差出人",
    "to": "宛先",
    "cc": "宛先",
    "bcc": "宛先",
}
# Headers that transport writes: they change while the content stays (a keyed digest of the
# extraction identifies the content, so they cannot be part of it), and they are full of long
# numbers that mean nothing. Content-Description is a person's text and is read.
VOLATILE = frozenset(
    {"received", "date", "message-id", "keywords", "mime-version", "references", "in-reply-to"}
    | {"return-path", "delivered-to", "dkim-signature", "domainkey-signature", "received-spf"}
    | {"thread-index", "x-received", "authentication-results", "authentication-results-original"}
)
VOLATILE_PREFIXES = ("content-", "x-ms-", "x-microsoft-", "x-forefront-", "arc-", "x-google-")
# Encodings inside a body that are not read.
UNREAD = (
    (b"-----BEGIN PGP MESSAGE-----", GapCode.ENCRYPTED),
    (b"(This file must be converted with BinHex", GapCode.UNSUPPORTED),
    (b"\n=ybegin ", GapCode.UNSUPPORTED),
)
_PAGES = frozenset({"text/html", "text/enriched", "text/richtext"})  # marked up with tags
_OTHER_TEXT = frozenset({"", "text", "text/plain"}) | _PAGES
# A mailbox file: mails behind lines that begin with ``From `` (RFC 4155).
_MAILBOX = re.compile(rb"(?:\A|\r?\n\r?\n)From [^\n]*\n(?=[!-9;-~]+:)")


def read(document: Document, job: Job) -> None:
    """Read a mail with all that is in it, or each mail of a mailbox file; also saved in UTF-16."""
    document = replace(document, data=utf16.narrowed(document.data))
    starts = list(_MAILBOX.finditer(document.data)) if document.data.startswith(b"From ") else []
    if len(starts) < 2:  # noqa: PLR2004 - one mail with its separator line
        MailReader(document, job).read()
        return
    ends = [match.start() for match in starts[1:]] + [len(document.data)]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        mail = document.data[start.end() : end]
        job.child(document, mail, "", label=f"メール{number}", media_type="message/rfc822")


class MailReader:
    """One mail being read; attachments and bodies are numbered in the order they stand."""

    def __init__(self, document: Document, job: Job) -> None:
        self.document = document
        self.job = job
        self.parts = 0
        self.attachments = 0
        self.bodies: Counter[str] = Counter()

    def read(self) -> None:
        """Headers first, then the parts."""
        entity = mime.parse(self.document.data)
        self.read_headers(entity)
        self.walk(entity, 0)

    def place(self, name: str) -> str:
        """A numbered place of this mail: the second body is ``本文（2）``."""
        self.bodies[name] += 1
        count = self.bodies[name]
        return self.document.inside(f"{name}（{count}）" if count > 1 else name)

    def read_headers(self, entity: Entity) -> None:
        """Subject, people and other headers that a person wrote, each reading of them."""
        lines: dict[str, list[str]] = {"件名": [], "差出人": [], "宛先": [], "ヘッダー": []}
        for name, value in entity.headers:
            if name == "subject":
                lines["件名"] += headers.texts(value)
            elif name in ADDRESSES:
                lines[ADDRESSES[name]] += headers.texts(value)
            elif name not in VOLATILE and not name.startswith(VOLATILE_PREFIXES):
                lines["ヘッダー"] += [f"{name}: {text}" for text in headers.texts(value)]
            elif name == "content-description":
                lines["ヘッダー"] += headers.texts(value)
        if entity.junk:
            lines["ヘッダー"] += readings(entity.junk)
        for place, texts in lines.items():
            self.job.text(self.document.inside(place), "\n".join(texts))
        if entity.cut:
            self.job.gap(GapCode.TOO_LARGE, self.document.inside("ヘッダー"))

    def walk(self, entity: Entity, depth: int, default: str = "text/plain") -> None:
        """A part and all below it."""
        self.parts += 1
        if self.parts > PARTS:
            self.job.gap(GapCode.TOO_MANY, self.document.inside("本文"))
            return
        self.job.tick()
        kinds = self.kinds(entity, default)
        if len(kinds) > 1:
            self.job.gap(GapCode.AMBIGUOUS, self.document.inside("本文"))
        for kind in kinds:
            if kind.value.startswith("multipart/"):
                self.multipart(entity, kind, depth)
            else:
                self.leaf(entity, kind)

    def kinds(self, entity: Entity, default: str) -> list[Field]:
        """The content type; two of them if the header stands there twice and differs."""
        values = list(dict.fromkeys(map(headers.unfold, entity.all("content-type"))))
        fields = [headers.parse(value) for value in values[:1] + values[1:][-1:]]
        return fields or [Field(default, {})]

    def multipart(self, entity: Entity, kind: Field, depth: int) -> None:
        """The parts of a multipart, and the text around them."""
        if kind.value == "multipart/encrypted":
            self.job.gap(GapCode.ENCRYPTED, self.place("本文"))
        entity = self.undo_outer(entity, kind)
        boundaries = mime.boundaries(entity, kind)
        if depth >= DEPTH:
            self.job.gap(GapCode.TOO_DEEP, self.document.inside("本文"))
        if len(boundaries) > 1:
            self.job.gap(GapCode.AMBIGUOUS, self.document.inside("本文"))
        if not boundaries or depth >= DEPTH:
            self.body(entity, Field("text/plain", kind.parameters))
            return
        default = "message/rfc822" if kind.value == "multipart/digest" else "text/plain"
        for boundary in boundaries:
            self.pieces(mime.split(entity.body, boundary, PARTS), depth, default)

    def pieces(self, pieces: mime.Pieces, depth: int, default: str) -> None:
        """The parts of one reading, and what stands around them."""
        for part in pieces.parts:
            self.walk(mime.parse(part), depth + 1, default)
        for rest in pieces.rest:
            for text in readings(rest):
                self.job.text(self.document.inside("パートの外"), text)

    def undo_outer(self, entity: Entity, kind: Field) -> Entity:
        """A multipart that is encoded as a whole (forbidden, and read by some) is decoded."""
        encoding = b"".join(entity.all("content-transfer-encoding")[:1]).decode("latin-1")
        if mime.boundaries(entity, kind):
            return entity
        return Entity(entity.headers, transfer.decode(entity.body, encoding))

    def leaf(self, entity: Entity, kind: Field) -> None:
        """A part without parts: a body or an attachment, once for each way to decode it."""
        disposition = entity.field("content-disposition")
        names = tuple(dict.fromkeys((*disposition.names("filename"), *kind.names("name"))))
        attached = bool(names) or disposition.value == "attachment"
        encodings = list(dict.fromkeys(map(headers.token, entity.all("content-transfer-encoding"))))
        encodings = encodings or [""]
        if len(encodings) > 1:
            self.job.gap(GapCode.AMBIGUOUS, self.document.inside("本文"))
        for encoding in dict.fromkeys((encodings[0], encodings[-1])):
            data = self.decoded(entity, encoding)
            if not attached and kind.value in _OTHER_TEXT and self.is_text(data, kind.value):
                self.body(Entity(entity.headers, data), kind)
            else:
                self.attachment(data, names, kind)

    def decoded(self, entity: Entity, encoding: str) -> bytes:
        """The part's bytes; lines in base64 that are none are text (a list's footer)."""
        data = transfer.decode(entity.body, encoding)
        if encoding.strip().lower().startswith("base64"):
            self.job.spend(len(data))
            for text in readings(transfer.unencoded_lines(entity.body)):
                self.job.text(self.document.inside("パートの外"), text)
        return data

    def is_text(self, data: bytes, declared: str) -> bool:
        """Whether a body is what it says, and not a file without a name."""
        return all(
            kind in {"text", "html", "mail", "csv", "xml"} for kind in sniff(data, "", declared)
        )

    def body(self, entity: Entity, kind: Field) -> None:
        """Text that is shown as the mail: plain, flowed, HTML, with files in it as text."""
        label = kind.first("charset")
        if kind.value in _PAGES:
            read_body(entity.body, label, self.place("本文（HTML）"), self.job)
            return
        location = self.place("本文")
        for place, text in places(location, readings(entity.body, label), self.job):
            shown = (
                unflow(text, delsp=kind.first("delsp").lower() == "yes") if _flows(kind) else text
            )
            self.job.text(place, shown)
        for mark, code in UNREAD:
            if mark in entity.body:
                self.job.gap(code, location)
        if b"begin" in entity.body:
            for name, content in transfer.uuencoded(entity.body):
                self.attachment(content, headers.texts(name), Field("", {}))

    def attachment(self, data: bytes, names: tuple[str, ...], kind: Field) -> None:
        """A file or a mail inside; its names are segments, its location is an ordinal."""
        if kind.value == "message/external-body":
            self.job.gap(GapCode.EXTERNAL, self.document.inside("本文"))
        if kind.value == "message/partial":
            self.job.gap(GapCode.PARTIAL, self.document.inside("本文"))
        self.attachments += 1
        label = f"添付{self.attachments}"
        name = names[0] if names else ""
        is_mail = kind.value in {"message/rfc822", "message/global", "message/news"}
        if is_mail:
            label = f"{label}.eml"
        for other in names[1:]:
            place = self.document.inside(f"{with_extension(label, name)}{SEPARATOR}名前")
            self.job.text(place, other)
        charset = kind.first("charset")
        declared = f"{kind.value}; charset={charset}" if charset else kind.value
        if kind.value.startswith("message/") and not is_mail:
            declared = "text/plain"
        self.job.child(self.document, data, name, label=label, media_type=declared)


def _flows(kind: Field) -> bool:
    return kind.first("format").lower() == "flowed"
