"""The structure of a mail on raw bytes, so that what is not changed stays byte for byte.

Where two mail programs would read the structure differently (a header twice, a boundary that is
missing, lines among the headers that are none) the mail is held as ``ambiguous``.
"""

from __future__ import annotations

import base64
import binascii
import email.header
import email.message
import email.utils
import quopri
import re
from dataclasses import dataclass, field, replace
from itertools import pairwise

from shared.model import GapCode
from shared.sanitize.work import HoldError

_BLANK = re.compile(rb"\r?\n\r?\n|\A\r?\n")
_HEADER = re.compile(rb"([!-9;-~]{1,200})[ \t]*:((?:[^\n]|\n[ \t])*+)(?:\n|\Z)")
_ONCE = ("content-type", "content-transfer-encoding", "content-disposition")
_MAILBOX = re.compile(rb">?From [^\n]*\n")
_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})


@dataclass(frozen=True, slots=True)
class Entity:
    """A header block (raw, without its blank line), what separates it, and the body under it."""

    head: bytes = field(repr=False)
    blank: bytes = field(repr=False)
    body: bytes = field(repr=False)

    def raw(self) -> bytes:
        """The bytes as they came."""
        return self.head + self.blank + self.body

    def values(self, name: str) -> list[bytes]:
        """The raw values of a header."""
        wanted = name.encode()
        return [v for k, v in _HEADER.findall(self.head + b"\n") if k.lower() == wanted]

    def message(self) -> email.message.Message:
        """The structural headers as the standard library reads them."""
        message = email.message.Message()
        for name in _ONCE:
            for value in self.values(name):
                message[name] = (
                    re.sub(rb"\r?\n", b"", value).strip().decode("ascii", "surrogateescape")
                )
        return message

    def encoding(self) -> str:
        """The transfer encoding, lower case. HoldError for one that is not known."""
        value = b"".join(self.values("content-transfer-encoding")).strip().lower().decode("latin-1")
        if value not in _ENCODINGS:
            raise HoldError(GapCode.UNSUPPORTED)
        return value

    def decoded(self) -> bytes:
        """The bytes of the body."""
        encoding = self.encoding()
        if encoding == "quoted-printable":
            return quopri.decodestring(self.body)
        if encoding != "base64":
            return self.body
        plain = re.sub(rb"[^A-Za-z0-9+/=]", b"", self.body)
        inner = plain.rstrip(b"=")
        if b"=" in inner:
            raise HoldError(GapCode.AMBIGUOUS)  # programs differ in whether they read on
        try:
            return base64.b64decode(inner + b"=" * (-len(inner) % 4))
        except binascii.Error:
            raise HoldError(GapCode.MALFORMED) from None

    def with_content(self, data: bytes, kind: str, disposition: str) -> Entity:
        """The same headers, but for those of content, over a body in base64."""
        end = b"\r\n" if b"\r\n" in self.head + self.blank else b"\n"
        kept = self.without("content-type", "content-transfer-encoding", "content-disposition")
        head = kept.without("content-md5", "content-length").head.rstrip(b"\r\n")
        lines = [head] if head else []
        lines += [f"Content-Type: {kind}".encode()]
        if disposition:
            lines.append(f"Content-Disposition: {disposition}".encode())
        lines.append(b"Content-Transfer-Encoding: base64")
        body = base64.encodebytes(data).replace(b"\n", end)
        return Entity(end.join(lines), end + end, body)

    def without(self, *names: str) -> Entity:
        """Without some headers."""
        gone = {name.encode() for name in names}

        def keep(match: re.Match[bytes]) -> bytes:
            return b"" if match[1].lower() in gone else match[0]

        return replace(self, head=_HEADER.sub(keep, self.head + b"\n").removesuffix(b"\n"))


def parse(data: bytes) -> Entity:
    """Cut the header block off. HoldError for a block that programs read differently."""
    blank = _BLANK.search(data, 0, 1 << 20)
    if blank is None:
        entity = Entity(data.rstrip(b"\r\n"), data[len(data.rstrip(b"\r\n")) :], b"")
    else:
        entity = Entity(data[: blank.start()], blank[0], data[blank.end() :])
    lines = entity.head + b"\n" if entity.head else b""
    mailbox = _MAILBOX.match(lines)
    rest = _HEADER.sub(b"", lines[mailbox.end() :] if mailbox else lines)
    if rest.strip() or b"\r" in entity.head.replace(b"\r\n", b""):
        raise HoldError(GapCode.AMBIGUOUS)
    if any(len(entity.values(name)) > 1 for name in _ONCE):
        raise HoldError(GapCode.AMBIGUOUS)
    return entity


@dataclass(frozen=True, slots=True)
class Pieces:
    """A multipart's body: its parts, the delimiter lines between them, and what is around."""

    before: bytes = field(repr=False)
    parts: tuple[bytes, ...] = field(repr=False)
    marks: tuple[bytes, ...] = field(repr=False)
    after: bytes = field(repr=False)

    def join(self, parts: list[bytes]) -> bytes:
        """The body with other parts (as many as there were marks for)."""
        pieces = [self.before]
        for mark, part in zip(self.marks, parts, strict=False):
            pieces += [mark, part]
        return b"".join([*pieces, self.marks[-1], self.after])


def split(body: bytes, boundary: bytes) -> Pieces:
    """Cut a multipart's body. HoldError where it has no parts or no end."""
    line = re.compile(
        rb"(?:\A|\r?\n)--"
        + re.escape(boundary)
        + rb"(?P<end>--)?[ \t]*(?=\r?\n|\Z)(?:\r?\n(?=.))?",
        re.DOTALL,
    )
    found: list[re.Match[bytes]] = []
    for match in line.finditer(body):
        found.append(match)
        if match["end"]:
            break
    if len(found) < 2 or not found[-1]["end"]:  # noqa: PLR2004 - one part needs two marks
        raise HoldError(GapCode.AMBIGUOUS)
    if line.search(body, found[-1].end()) is not None:
        raise HoldError(GapCode.AMBIGUOUS)
    parts = tuple(body[left.end() : right.start()] for left, right in pairwise(found))
    marks = tuple(match[0] for match in found)
    return Pieces(body[: found[0].start()], parts, marks, body[found[-1].end() :])


def file_name(message: email.message.Message) -> str:
    """The name of an attachment, decoded as far as the standard library can."""
    value = message.get_filename() or ""
    pieces = []
    for text, charset in email.header.decode_header(value) if value else []:
        if isinstance(text, str):
            pieces.append(text)
            continue
        label = "cp932" if (charset or "").lower() in {"shift_jis", "x-sjis"} else charset
        try:
            pieces.append(text.decode(label or "utf-8"))
        except (LookupError, UnicodeDecodeError):
            pieces.append(text.decode("cp932", "replace"))
    name = "".join(pieces).encode("utf-8", "surrogateescape")
    return name.decode("utf-8") if _is_utf8(name) else name.decode("cp932", "replace")


def named(value: str, parameter: str, name: str) -> str:
    """A header value with a file name, in both forms that programs know."""
    plain = re.sub(r"[\r\n\"\\]", "_", name)
    if plain.isascii():
        return f'{value}; {parameter}="{plain}"'
    token = base64.b64encode(plain.encode()).decode()
    extended = email.utils.encode_rfc2231(plain, "utf-8")
    if parameter == "name":
        return f'{value};\r\n name="=?utf-8?b?{token}?="'
    return f"{value};\r\n {parameter}*={extended}"


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
